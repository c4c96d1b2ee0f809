"""Two network namespaces of a real kernel, a daemon for each, one snmpd: SNMPv3 users read and set each in its own context."""
import re
import socket

import pytest

from lib.daemons import L2tpv3d, Snmpd
from lib.here import Here
from lib.netns import inside
from lib.snmp import ROOT, Manager, SnmpError
from lib.waiting import wait_for

TUNNEL, SESSION = 7, 1001  # the same in both: who is meant is said by the context alone
PEER_TUNNEL_ID, REMOTE_ADDRESS, TUNNEL_ROW = (f"{ROOT}.1.2.1.{column}.{TUNNEL}" for column in (3, 9, 24))
SESSIONS = f"{ROOT}.1.4.1"
PEER_SESSION_ID, INTERFACE, SESSION_ROW = (f"{SESSIONS}.{column}.{TUNNEL}.{SESSION}" for column in (3, 6, 23))
CREATE_AND_GO, DESTROY = 4, 6
PASSPHRASE = "passphrase of a test"
COLOURS = {"blue": 100, "red": 200}  # and the peer's tunnel in each
ACCESS = [
    "view l2tpv3 included .1",
    *(f'createUser {user} SHA-256 "{PASSPHRASE}" AES' for user in ("admin", "visitor")),
    # Who provisions may in both contexts; the visitor reads blue.
    "group provision usm admin", "group visit usm visitor",
    *(f"access provision {colour} usm priv exact l2tpv3 l2tpv3 none" for colour in COLOURS),
    "access visit blue usm priv exact l2tpv3 none none",
    "createUser notices", "rouser notices noauth"]


class Colour:
    """A namespace: its daemon, its kernel, and the context by which managers see it."""

    def __init__(self, name, router, kernel, snmpd, daemon):
        self.name, self.router, self.kernel, self.snmpd, self.daemon = name, router, kernel, snmpd, daemon

    def manager(self, user="admin"):
        manager = Manager(self.snmpd.namespace, self.snmpd.address)
        manager.options = ["-v3", "-u", user, "-l", "authPriv", "-a", "SHA-256", "-A", PASSPHRASE, "-x", "AES", "-X", PASSPHRASE,
                           "-n", self.name, "-On", "-Oe", "-Ox", "-t", "30", "-r", "0"]
        return manager

    def provision(self):
        local, remote = (socket.inet_aton(address).hex() for address in (self.router.ip4, self.router.peer.ip4))
        self.manager().set((PEER_TUNNEL_ID, "u", COLOURS[self.name]), (f"{ROOT}.1.2.1.5.{TUNNEL}", "i", 1),
                           (f"{ROOT}.1.2.1.6.{TUNNEL}", "x", local), (f"{ROOT}.1.2.1.8.{TUNNEL}", "i", 1),
                           (REMOTE_ADDRESS, "x", remote), (TUNNEL_ROW, "i", CREATE_AND_GO),
                           (PEER_SESSION_ID, "u", COLOURS[self.name] + 1), (INTERFACE, "s", f"pw-{self.name}"),
                           (SESSION_ROW, "i", CREATE_AND_GO))

    def seen(self):
        """What is in this namespace, by iproute2."""
        shown = self.router.run("ip", "l2tp", "show", "session").stdout
        return [(int(mine), int(peer)) for mine, peer in
                re.findall(r"Session (\d+) in tunnel.*\n\s+Peer session (\d+)", shown)]


@pytest.fixture
def sink(namespace):
    """Where notifications arrive, as they are on the wire."""
    with inside(namespace.name), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
        sink.bind(("127.0.0.1", 0))
        sink.settimeout(30)
        yield sink


@pytest.fixture
def colours(need_daemon, start, namespace, sink, routers, k1, k2, tmp_path):
    snmpd = start(Snmpd(namespace, tmp_path / "snmpd", *ACCESS, "trapsess -v3 -u notices -l noAuthNoPriv "
                        f"-e 0x8000000001020304 127.0.0.1:{sink.getsockname()[1]}"))
    found = []
    for name, router, kernel in zip(COLOURS, routers, (k1, k2)):
        daemon = start(L2tpv3d(Here(), tmp_path / name, "--netns", router.name, "--context", name, "--notify",
                               snmp_master=snmpd.master))
        daemon.wait_for_log("connected to the AgentX master")
        found.append(Colour(name, router, kernel, snmpd, daemon))
    return found


def test_each_context_reads_and_sets_its_own_namespace(colours):
    for colour in colours:
        colour.provision()
    for colour in colours:
        peer = COLOURS[colour.name]
        walked = colour.manager().bulk_walk()
        assert (walked[PEER_TUNNEL_ID], walked[PEER_SESSION_ID]) == (peer, peer + 1)
        assert walked[INTERFACE] == f"pw-{colour.name}".encode() and len(walked) > 60
        assert colour.kernel.tunnel_get(TUNNEL)["peer_conn_id"] == peer
        assert colour.seen() == [(SESSION, peer + 1)]
        assert f"pw-{colour.name}" in colour.router.interfaces()
    blue, red = colours
    before = red.kernel.objects()
    index = red.router.link("pw-red")["ifindex"]
    blue.manager().set((PEER_SESSION_ID, "u", 55))
    assert blue.manager().get(PEER_SESSION_ID) == 55 and red.manager().get(PEER_SESSION_ID) == 201
    assert (blue.seen(), red.seen()) == ([(SESSION, 55)], [(SESSION, 201)])
    blue.manager().set((TUNNEL_ROW, "i", DESTROY))
    wait_for(lambda: not blue.kernel.tunnels(), "blue's tunnel to be gone")
    assert red.kernel.objects() == before and red.router.link("pw-red")["ifindex"] == index
    assert red.manager().get(PEER_TUNNEL_ID) == 200 and blue.manager().get(PEER_TUNNEL_ID) is None


def test_a_view_holds_for_a_context(colours):
    blue, red = colours
    for colour in colours:
        colour.provision()
    assert blue.manager("visitor").get(PEER_TUNNEL_ID) == 100
    with pytest.raises(SnmpError, match="authorizationError"):
        red.manager("visitor").get(PEER_TUNNEL_ID)
    with pytest.raises(SnmpError, match="noAccess"):
        blue.manager("visitor").set((PEER_TUNNEL_ID, "u", 9))
    assert blue.kernel.tunnel_get(TUNNEL)["peer_conn_id"] == 100


def test_a_notification_names_the_context(colours, sink):
    """They are neither authenticated nor encrypted, so what they hold can be read as it stands."""
    for colour in colours:
        colour.provision()
    context = {colour.name: bytes([4, len(colour.name)]) + colour.name.encode() for colour in colours}
    told = set()
    while told != set(context):
        octets = sink.recv(65536)
        for name in context:
            if f"pw-{name}".encode() in octets:
                assert [other for other, text in context.items() if text in octets] == [name]
                told.add(name)
