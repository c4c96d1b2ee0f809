"""What an interface shows of its session on a real kernel: its alias, and whether the peer is heard."""
import json
from pathlib import Path

import pytest

from lib.daemons import Process, accepts
from lib.genl import ENCAP_IP
from lib.waiting import stays_true, wait_for
from lib.wire import Tap, marked_frame
from test_durability import status, wait_for_status
from test_ports import add, ctl, link, make_anew

IF_OPER_STATUS, IF_ADMIN_STATUS = "1.3.6.1.2.1.2.2.1.8", "1.3.6.1.2.1.2.2.1.7"
UP, DOWN = 1, 2
SET = "set session tunnel_id 1 session_id 1"
FORWARDING, DISABLED = "forwarding", "disabled"
LLDP = b"\x01\x80\xc2\0\0\x0e", b"\x88\xcc"


@pytest.fixture
def peer(r2, k2):
    """A plain Linux as the other end, with interface far0, on which nothing is sent by itself."""
    r2.run("sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1")
    k2.tunnel_create(conn_id=1, peer_conn_id=1, proto_version=3, encap_type=ENCAP_IP,
                     ip_saddr=r2.ip4, ip_daddr=r2.peer.ip4)
    k2.session_create(conn_id=1, session_id=1, peer_session_id=1, pw_type=5, ifname="far0")
    r2.ip("link", "set", "far0", "up")
    return r2


def port_state(router, name):
    shown = json.loads(router.run("bridge", "-j", "link", "show").stdout)
    return next((port["state"] for port in shown if port["ifname"] == name), None)


# description

def test_a_description_is_the_alias(daemon, r1):
    longest = "é" * 32  # 64 octets
    add(daemon, "description one")
    assert link(r1, "pw0")["ifalias"] == "one"
    index = link(r1, "pw0")["ifindex"]
    daemon.ctl(*SET.split(), "description", longest)
    assert link(r1, "pw0")["ifalias"] == longest
    r1.ip("link", "set", "pw0", "alias", "x" * 255)
    wait_for(lambda: link(r1, "pw0")["ifalias"] == longest, "its alias to be restored")
    make_anew(daemon, r1, "pw0", f"{SET[4:]} cookie 01020304")
    assert link(r1, "pw0")["ifalias"] == longest
    index = link(r1, "pw0")["ifindex"]
    daemon.ctl(*SET.split(), "description", "")
    assert "ifalias" not in link(r1, "pw0") and link(r1, "pw0")["ifindex"] == index
    with daemon.netconf() as client:
        client.edit_config("""<l2tpv3 xmlns="urn:l2tpv3d:yang:linux-l2tpv3"><tunnel><tunnel-id>1</tunnel-id>
          <session><session-id>1</session-id><description
          xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0" nc:operation="remove"/></session></tunnel></l2tpv3>""")
    r1.ip("link", "set", "pw0", "alias", "x" * 255)
    make_anew(daemon, r1, "pw0", f"{SET[4:]} cookie 05060708")
    assert link(r1, "pw0")["ifalias"] == "x" * 255


# dead-action

@pytest.mark.parametrize("kind", ["ethernet", "ethernet-vlan"])
def test_a_silent_peer_is_seen_by_snmpd_and_by_the_bridge(managed, snmp, r1, peer, kind):
    port, more = ("pw0", "") if kind == "ethernet" else ("pw0.7", "vlan-id 7 ")
    r1.ip("link", "add", "br0", "up", "type", "bridge")
    add(managed, f"pw_type {kind} {more}bridge br0 dead_interval 2 dead_action link-down")
    index = r1.link(port)["ifindex"]
    frame = marked_frame()
    if kind != "ethernet":
        frame = frame[:12] + b"\x81\0\0\7" + frame[12:]

    def seen():
        return snmp.get(f"{IF_OPER_STATUS}.{index}", f"{IF_ADMIN_STATUS}.{index}"), port_state(r1, port)
    with Tap(peer, "far0") as far:
        for _ in range(2):
            wait_for(lambda: seen() == ([DOWN, UP], DISABLED), "the interface to be down")
            assert status(managed, 1, 1) == ("peer-silent", "peer-silent")

            def is_up_again():
                far.send(frame)
                return seen() == ([UP, UP], FORWARDING) and status(managed, 1, 1) == ("up", "none")
            wait_for(is_up_again, "the interface to be up again")
    assert r1.link(port)["ifindex"] == index


def test_a_restart_neither_flaps_nor_forgets_a_link_that_is_down(daemon, r1, peer):
    add(daemon, "dead_interval 2 dead_action link-down")
    wait_for(lambda: link(r1, "pw0")["operstate"] == "DORMANT", "the interface to be down")
    watch = r1.popen("ip", "monitor", "link", stdout=-1, text=True)
    daemon.restart()
    daemon.kill()
    daemon.start()
    assert link(r1, "pw0")["operstate"] == "DORMANT"
    daemon.kill()
    with Tap(peer, "far0") as far:
        far.send(marked_frame())
    assert link(r1, "pw0")["operstate"] == "DORMANT"  # nobody is there to undo it
    watch.terminate()
    assert "pw0" not in watch.communicate()[0]
    r1.ip("link", "set", "dev", "pw0", "mode", "default", "state", "up")  # as the manual says
    assert link(r1, "pw0")["operstate"] == "UP"
    r1.ip("link", "set", "dev", "pw0", "mode", "dormant", "state", "dormant")
    daemon.start()
    wait_for(lambda: link(r1, "pw0")["operstate"] == "UP", "the interface to be up again")
    wait_for(lambda: link(r1, "pw0")["operstate"] == "DORMANT", "the interface to be down again")
    ctl(daemon, f"{SET} dead_action none")
    assert link(r1, "pw0")["operstate"] == "UP" and link(r1, "pw0")["linkmode"] == "DEFAULT"


# keepalive

class Lldpd(Process):
    """The LLDP agent of Debian, on one interface of a router."""

    def __init__(self, namespace, folder, interface):
        super().__init__(namespace, folder, "lldpd")
        self.interface = interface
        self.socket = Path(f"/run/{namespace.name}.lldpd")  # lldpcli gives up being root

    def start(self):
        self.launch(["lldpd", "-dd", "-I", self.interface, "-u", self.socket],
                    lambda: accepts(self.socket))
        return self

    def neighbors(self):
        shown = self.namespace.run("lldpcli", "-u", self.socket, "-f", "json0", "show", "neighbors")
        return json.loads(shown.stdout)


def texts(value):
    """Every text in what lldpcli tells."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return {text for one in value for text in texts(one)}
    return {str(value)}


def test_the_lldp_agent_of_a_plain_linux_knows_the_peer(daemon, start, peer, k2, tmp_path):
    lldpd = start(Lldpd(peer, tmp_path / "lldpd", "far0"))
    add(daemon, "keepalive 1")
    daemon.ctl(*SET.split(), "description", "to Bern")
    told = wait_for(lambda: {"pw0", "to Bern"} <= (found := texts(lldpd.neighbors())) and found,
                    "lldpd to know the neighbour")
    assert "4" in told  # seconds to live
    before = k2.session_get(conn_id=1, session_id=1)["stats"]["rx_packets"]
    wait_for(lambda: k2.session_get(conn_id=1, session_id=1)["stats"]["rx_packets"] > before + 1, "more")
    seen = peer.run("tcpdump", "-c1", "-vv", "-i", "far0", "ether proto 0x88cc and inbound").stdout
    assert "Port Description TLV (4), length 7: to Bern" in seen and "TTL 4s" in seen
    assert "malformed" not in seen and "Subtype Interface Name (5): pw0" in seen


def test_a_keepalive_of_a_vlan_has_its_tag_and_none_leaves_a_link_that_is_down(daemon, r1, peer):
    add(daemon, "pw_type ethernet-vlan vlan-id 7 keepalive 1")
    with Tap(peer, "far0") as far:
        def lldp(frame):
            return frame if frame[:6] == LLDP[0] else None
        frame = far.wait_for(lldp)
        assert frame[12:18] == b"\x81\0\0\7" + LLDP[1]
        ctl(daemon, f"{SET} link_enabled false")
        sent = r1.link("pw0")["stats64"]["tx"]["packets"]
        assert stays_true(lambda: r1.link("pw0")["stats64"]["tx"]["packets"] == sent, 3)
        ctl(daemon, f"{SET} link_enabled true")
        far.wait_for(lldp)


IDLE = "keepalive 1 dead_interval 4 dead_action link-down bridge br0"


def test_two_idle_ends_prove_each_other(daemons, routers):
    near, far = daemons
    for daemon, ends in ((near, "local 10.0.0.1 remote 10.0.0.2"), (far, "local 10.0.0.2 remote 10.0.0.1")):
        daemon.namespace.ip("link", "add", "br0", "up", "type", "bridge")
        add(daemon, IDLE, ends)

    def both(wanted):
        return all(link(router, "pw0")["operstate"] in wanted for router in routers)
    assert stays_true(lambda: both(("UP", "UNKNOWN")), 10)
    assert status(near, 1, 1) == status(far, 1, 1) == ("up", "none")
    far.kill()
    wait_for_status(near, "peer-silent", 1, 1)
    wait_for(lambda: link(routers[0], "pw0")["operstate"] == "DORMANT", "the interface to be down")
    far.start()
    wait_for_status(near, "up", 1, 1)
    # Neither hears the other; each goes on sending, or they would never hear each other again.
    for router in routers:
        router.ip("neigh", "replace", router.peer.ip4, "lladdr", "02:00:00:00:00:99", "dev", "wan",
                  "nud", "permanent")
    wait_for(lambda: both(("DORMANT",)), "both to be down")
    for router in routers:
        router.ip("neigh", "del", router.peer.ip4, "dev", "wan")
    wait_for(lambda: both(("UP",)), "both to be up again")
    wait_for_status(near, "up", 1, 1)
    wait_for_status(far, "up", 1, 1)
    assert not near.logged("differs") and not far.logged("differs")
