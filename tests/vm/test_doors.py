"""One end configured by SNMP, the other by XML: frames go through, and every door, the kernel and the
wire tell the same of them.

r1 is the end with SNMP.  One tunnel for each encapsulation and family, in it a session for each kind
of cookie, sublayer and pseudowire; one pair of daemons does for all.
"""
import contextlib
import itertools
import json
import socket
import struct
from collections import namedtuple

import pytest

from lib.built import need_built
from lib.daemons import L2TPV3D, L2tpv3d, Snmpd
from lib.genl import ENCAP_IP, ENCAP_UDP, PW_ETH, L2tp
from lib.netconf import L2TP, subtree
from lib.netns import two_routers, vlan_id
from lib.snmp import ROOT
from lib.waiting import wait_for
from lib.wire import ETH_P_8021Q, Tap, marked_frame

VLAN, FAR, FRAMES = 100, 1000, 3
FRAME = marked_frame()
COOKIES = {0: (b"", b""), 4: (b"\xa1\xb2\xc3\xd4", b"HERE"),
           8: (b"\0\1\2\3\xfc\xfd\xfe\xff", b"THERE678")}
STATISTICS = f"{ROOT}.1.5.1"
COLUMNS = ("tx-packets", "tx-bytes", "tx-errors", "rx-packets", "rx-bytes", "rx-errors",
           "rx-seq-discards", "rx-oos-packets", "rx-cookie-discards", "rx-invalid")
ACTIVE, CREATE_AND_GO, DESTROY, UP = 1, 4, 6, 1
ROW_STATUS = f"{ROOT}.1.2.1.24"

Session = namedtuple("Session", "number cookie sublayer pseudowire")
SESSIONS = [Session(number, *kind) for number, kind in enumerate(itertools.product(
    COOKIES, ("none", "default"), ("ethernet", "ethernet-vlan")), start=1)]
TUNNELS = list(itertools.product(("udp", "ip"), (4, 6)))


def interface(session):
    """Where its frames go in and come out."""
    name = f"pw{session.number}"
    return f"{name}.{VLAN}" if session.pseudowire == "ethernet-vlan" else name


def cookies(session, far):
    """(sent, required): what one end sends the other requires."""
    one, two = COOKIES[session.cookie]
    return (two, one) if far else (one, two)


def hexadecimal(data):
    return "".join(f"{byte:02x}" for byte in data)


class Site:
    """Two routers with daemons, and how each is read and written."""

    def __init__(self, stack, folder):
        self.r1, self.r2 = stack.enter_context(two_routers())
        for router in (self.r1, self.r2):
            # The kernel's own IPv6 packets would be counted with ours.
            router.run("sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1")
        self.snmpd = self.start(stack, Snmpd(self.r1, folder / "snmpd"))
        always_fresh = ("--counter-age", "1")
        self.daemons = [
            self.start(stack, L2tpv3d(self.r1, folder / "r1", *always_fresh,
                                      snmp_master=self.snmpd.master)),
            self.start(stack, L2tpv3d(self.r2, folder / "r2", *always_fresh))]
        self.snmp = self.snmpd.manager()
        self.clients = [stack.enter_context(daemon.netconf()) for daemon in self.daemons]
        self.kernels = [stack.enter_context(L2tp(router.name)) for router in (self.r1, self.r2)]
        wait_for(lambda: self.snmp.get(f"{ROOT}.1.1.4.0") is not None, "l2tpv3d behind snmpd")

    @staticmethod
    def start(stack, process):
        stack.callback(process.stop)
        return process.start()


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    need_built(L2TPV3D)
    with contextlib.ExitStack() as stack:
        yield Site(stack, tmp_path_factory.mktemp("doors"))


# ---- provisioning

def address_bytes(text):
    return socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)


def snmp_tunnel(router, encap, family):
    local, remote = (router.ip4, router.peer.ip4) if family == 4 else (router.ip6, router.peer.ip6)
    values = {3: ("u", 2), 4: ("i", 1 if encap == "udp" else 2),
              5: ("i", 1 if family == 4 else 2), 6: ("x", hexadecimal(address_bytes(local))),
              8: ("i", 1 if family == 4 else 2), 9: ("x", hexadecimal(address_bytes(remote))),
              24: ("i", CREATE_AND_GO)}
    return [(f"{ROOT}.1.2.1.{column}.1", *value) for column, value in values.items()]


def snmp_session(session):
    at = f"1.{session.number}"
    vlan = session.pseudowire == "ethernet-vlan"
    values = {3: ("u", FAR + session.number), 4: ("i", 4 if vlan else 5),
              6: ("s", f"pw{session.number}"), 11: ("i", 1 if session.sublayer == "none" else 2),
              23: ("i", CREATE_AND_GO)}
    if vlan:
        values[5] = ("u", VLAN)
    varbinds = [(f"{ROOT}.1.4.1.{column}.{at}", *value) for column, value in values.items()]
    if session.cookie:
        sent, required = cookies(session, far=False)
        varbinds += [(f"{ROOT}.1.6.1.1.{at}", "x", hexadecimal(sent)),
                     (f"{ROOT}.1.6.1.2.{at}", "x", hexadecimal(required))]
    return varbinds


def leaves(**values):
    return "".join(f"<{name.replace('_', '-')}>{value}</{name.replace('_', '-')}>"
                   for name, value in values.items())


def xml_session(session):
    sent, required = cookies(session, far=True)
    config = {"session_id": FAR + session.number, "peer_session_id": session.number,
              "interface_name": f"pw{session.number}", "pseudowire_type": session.pseudowire,
              "l2_specific_sublayer": session.sublayer, "tx_cookie": hexadecimal(sent),
              "rx_cookie": hexadecimal(required)}
    if session.pseudowire == "ethernet-vlan":
        config["vlan_id"] = VLAN
    return f"<session>{leaves(**config)}</session>"


def xml_tunnel(router, encap, family):
    local, remote = (router.ip4, router.peer.ip4) if family == 4 else (router.ip6, router.peer.ip6)
    return (f'<l2tpv3 xmlns="{L2TP}"><tunnel>'
            + leaves(tunnel_id=2, peer_tunnel_id=1, encapsulation=encap, local_address=local,
                     remote_address=remote)
            + "".join(map(xml_session, SESSIONS)) + "</tunnel></l2tpv3>")


def remove(site):
    site.snmp.set((f"{ROW_STATUS}.1", "i", DESTROY))
    operation = 'xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0" nc:operation="remove"'
    site.clients[1].edit_config(f'<l2tpv3 xmlns="{L2TP}"><tunnel {operation}>'
                                "<tunnel-id>2</tunnel-id></tunnel></l2tpv3>")
    wait_for(lambda: not any(kernel.tunnels() for kernel in site.kernels), "the tunnels to be gone")


@pytest.fixture(scope="module", params=TUNNELS, ids=lambda kind: f"{kind[0]}-ipv{kind[1]}")
def tunnel(site, request):
    """A tunnel with all kinds of sessions, r1's by one SET, r2's by one edit-config."""
    encap, family = request.param
    site.snmp.set(*snmp_tunnel(site.r1, encap, family),
                  *itertools.chain.from_iterable(map(snmp_session, SESSIONS)))
    site.clients[1].edit_config(xml_tunnel(site.r2, encap, family))
    for router, host in ((site.r1, 1), (site.r2, 2)):
        router.ip_batch(*(f"address add 192.168.{s.number}.{host}/24 dev {interface(s)}"
                          for s in SESSIONS))
    yield request.param
    remove(site)


# ---- reading one session's counters, {leaf: value}

def by_snmp(site, end, number):
    values = site.snmp.get(*(f"{STATISTICS}.{n}.1.{number}" for n in range(1, len(COLUMNS) + 1)))
    return dict(zip(COLUMNS, values))


def by_xml(site, end, number):
    wanted = (f'<l2tpv3 xmlns="{L2TP}"><tunnel><session><session-id>{number}</session-id>'
              "<statistics/></session></tunnel></l2tpv3>")
    statistics = site.clients[end].get(subtree(wanted)).find(".//{*}statistics")
    return {leaf: int(statistics.findtext(f"{{*}}{leaf}")) for leaf in COLUMNS}


def by_cli(site, end, number):
    daemon = site.daemons[end]
    shown = daemon.ctl("-j", "-s", "show", "session", "session_id", number).stdout
    [session] = json.loads(shown)
    return {leaf: int(session["statistics"][leaf]) for leaf in COLUMNS}


def by_kernel(site, end, number):
    stats = site.kernels[end].session_get(conn_id=end + 1, session_id=number)["stats"]
    return {leaf: stats[leaf.replace("-", "_")] for leaf in COLUMNS}


def ends(session):
    """(end, its session id, the doors it has)."""
    return ((0, session.number, (by_snmp, by_xml, by_cli)),
            (1, FAR + session.number, (by_xml, by_cli)))


# ---- the tests

def through(site, session, frame):
    """Send a frame into r1's end; (what was on the wire, what came out of r2's end)."""
    with Tap(site.r2, "wan") as wire, Tap(site.r2, interface(session)) as out, \
            Tap(site.r1, interface(session)) as into:
        into.send(frame)
        return wire.wait_for_data(), out.wait_for(lambda f: f if f[:14] == frame[:14] else None)


def on_the_wire(session):
    """What must follow the session id."""
    frame = FRAME
    if session.pseudowire == "ethernet-vlan":
        frame = FRAME[:12] + struct.pack("!HH", ETH_P_8021Q, VLAN) + FRAME[12:]
    sublayer = bytes(4) if session.sublayer == "default" else b""
    return cookies(session, far=False)[0] + sublayer + frame


def octets(packet):
    """The packet's L2TP octets, which the kernel counts: with the session header, over UDP also
    the flags before it."""
    return (8 if packet.outer == "udp" else 4) + len(packet.rest)


@pytest.mark.parametrize("session", SESSIONS, ids=lambda s: f"cookie{s.cookie}-{s.sublayer}-"
                         + s.pseudowire)
class TestSession:
    def test_ping_goes_through(self, site, tunnel, session):
        site.r1.run("ping", "-c", 1, "-W", 10, f"192.168.{session.number}.2")

    def test_wire_and_counters_of_every_door_agree(self, site, tunnel, session):
        for router in (site.r1, site.r2):
            # Neighbours that the pings found would be probed anew, and counted with our frames.
            router.run("ip", "neigh", "flush", "all")
        before = [by_kernel(site, end, number) for end, number, _ in ends(session)]
        for _ in range(FRAMES):
            packet, came_out = through(site, session, FRAME)
            assert packet.outer == tunnel[0]
            assert packet.session_id == FAR + session.number
            assert packet.rest == on_the_wire(session)
            assert came_out[:len(FRAME)] == FRAME
        counted = {"packets": FRAMES, "bytes": FRAMES * octets(packet)}
        for (end, number, doors), was, way in zip(ends(session), before, ("tx", "rx")):
            now = by_kernel(site, end, number)
            assert {what: now[f"{way}-{what}"] - was[f"{way}-{what}"]
                    for what in counted} == counted
            for door in doors:
                assert door(site, end, number) == now, door.__name__

    def test_kernel_has_what_the_doors_were_told(self, site, tunnel, session):
        for end, number, _ in ends(session):
            sent, required = cookies(session, far=bool(end))
            found = site.kernels[end].session_get(conn_id=end + 1, session_id=number)
            assert found.get("cookie", b"") == sent
            assert found.get("peer_cookie", b"") == required
            assert (found["pw_type"], found["ifname"]) == (PW_ETH, f"pw{session.number}")
            link = (site.r1, site.r2)[end].link(interface(session))
            assert "UP" in link["flags"]
            assert vlan_id(link) == (VLAN if session.pseudowire == "ethernet-vlan" else None)


def test_tunnel_is_the_same_at_every_door(site, tunnel):
    encap, family = tunnel
    for end, router in enumerate((site.r1, site.r2)):
        kernel = site.kernels[end].tunnel_get(conn_id=end + 1)
        assert kernel["encap_type"] == (ENCAP_UDP if encap == "udp" else ENCAP_IP)
        local = router.ip4 if family == 4 else router.ip6
        assert kernel["ip_saddr" if family == 4 else "ip6_saddr"] == local
        config = site.clients[end].get().find(".//{*}tunnel")
        assert config.findtext("{*}local-address") == local
        assert config.findtext("{*}oper-status") == "up"
        assert int(config.findtext("{*}session-count")) == len(SESSIONS)
        shown = site.daemons[end].ctl("show", "tunnel").stdout
        assert f"encap {encap.upper()}" in shown and f"From {local} to" in shown
    assert site.snmp.get(f"{ROOT}.1.2.1.15.1", f"{ROOT}.1.2.1.22.1", f"{ROW_STATUS}.1") == [
        UP, len(SESSIONS), ACTIVE]


def test_tunnel_counters_are_the_sum_of_its_sessions(site, tunnel):
    sums = {way: sum(s["stats"][f"{way}_packets"] for s in site.kernels[0].sessions())
            for way in ("tx", "rx")}
    shown = site.snmp.get(f"{ROOT}.1.3.1.1.1", f"{ROOT}.1.3.1.4.1")
    assert shown == [sums["tx"], sums["rx"]]
