"""The commands of docs/mtu.md, as they stand there, on a real kernel; what they print, and what then is on the wire."""
import re
import socket
import struct

import pytest

from lib.daemons import CHECKOUT, L2TPV3CTL
from lib.netconf import L2TP, subtree
from lib.netns import Namespace, inside, ip
from lib.waiting import wait_for
from lib.wire import Tap

PAGE = (CHECKOUT / "docs" / "mtu.md").read_text()
SECTIONS = {text.splitlines()[0]: re.findall(r"^```(sh|text)\n(.*?)^```$", text, re.M | re.S)
            for text in PAGE.split("\n## ")[1:]}
TUNNEL = "tunnel_id 1 peer_tunnel_id 1 local {} remote {} udp_sport 1701 udp_dport 1701"
SESSION = "tunnel_id 1 session_id 11 peer_session_id 11 name pw0"
MORE_FRAGMENTS = 0x20
SESSIONS = subtree(f'<l2tpv3 xmlns="{L2TP}"><tunnel><session><oper-status/><status-reason/></session></tunnel></l2tpv3>')


def ok(done):
    assert done.returncode == 0, (done.args, done.stdout, done.stderr)
    return done.stdout


@pytest.fixture
def page(daemon, r1, r2):
    """page(heading) runs the commands of a section in r1, and looks for what it says that they print."""
    for router, ends in ((r1, (r1.ip4, r2.ip4)), (r2, (r2.ip4, r1.ip4))):
        add = daemon.ctl if router is r1 else (lambda *words: r2.run("ip", "l2tp", *words))
        add("add", "tunnel", *TUNNEL.format(*ends).split())
        add("add", "session", *SESSION.split())
    wait_for(lambda: "pw0" in r1.interfaces() & r2.interfaces(), "both ends of the pseudowire")
    r1.ip_batch("link set pw0 up", "addr add 192.168.9.1/24 dev pw0")
    r2.ip_batch("link set pw0 up", "addr add 192.168.9.2/24 dev pw0", "route add 192.168.8.0/24 via 192.168.9.1")

    def run(heading):
        printed = ""
        for kind, text in SECTIONS[heading]:
            if kind == "sh":
                printed = ok(r1.run("bash", "-ec", f'l2tpv3ctl() {{ {L2TPV3CTL} -S {daemon.socket} "$@"; }}\n{text}'))
            for line in text.splitlines() if kind == "text" else ():
                assert line in printed, f"{line!r} is not in:\n{printed}"
    return run


@pytest.fixture
def host(r1):
    """A host behind r1's interface lan."""
    with Namespace("host") as host:
        ip("link", "add", "lan", "netns", r1.name, "type", "veth", "peer", "name", "lan", "netns", host.name)
        r1.ip_batch("link set lan up", "addr add 192.168.8.1/24 dev lan")
        r1.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
        host.ip_batch("link set lan up", "addr add 192.168.8.2/24 dev lan", "route add default via 192.168.8.1")
        yield host


def fragments(frame):
    """Of an IPv4 packet: is it the first of several fragments?"""
    return frame[12:14] == b"\x08\0" and bool(frame[20] & MORE_FRAGMENTS)


def segment_size(frame):
    """The MSS option of a TCP segment with SYN, or None."""
    at = 14 + (frame[14] & 15) * 4
    if frame[12:14] != b"\x08\0" or frame[23] != socket.IPPROTO_TCP or not frame[at + 13] & 2:
        return None
    kind, length, size = struct.unpack_from("!BBH", frame, at + 20)
    return size if (kind, length) == (2, 4) else None


def announced(client, server, address, *, client_link="lan", server_link="pw0"):
    """What arrives as MSS at the server, in the SYN, and at the client, in its answer."""
    with Tap(server, server_link) as there, Tap(client, client_link) as here:
        with inside(server.name):
            listening = socket.create_server((address, 0))
        with inside(client.name):
            with socket.create_connection(listening.getsockname(), timeout=20):
                listening.close()
                return there.wait_for(segment_size), here.wait_for(segment_size)


def reason(daemon):
    with daemon.netconf() as client:
        session, = client.get(SESSIONS).iter(f"{{{L2TP}}}session")
    assert session.findtext("{*}oper-status") == "up"
    return session.findtext("{*}status-reason")


def receive_errors(router):
    return router.link("pw0")["stats64"]["rx"]["errors"]


def test_the_page(page, host, daemon, r1, r2):
    def mtu():
        return r1.link("pw0")["mtu"]
    first, large, less, routed, bridged = SECTIONS
    page(first)
    assert mtu() == 1446 and reason(daemon) == "none"

    with Tap(r2, "wan") as wire:
        r1.run("ping", "-c", "1", "-W", "10", "-s", 1446 - 28, "192.168.9.2")
        with pytest.raises(AssertionError, match="no such frame"):
            wire.wait_for(fragments, seconds=1)
    page(large)
    assert mtu() == 1500
    wait_for(lambda: reason(daemon) == "mtu-above-path", "the warning")
    full = "ping", "-c", "1", "-W", "5", "-s", 1500 - 28, "192.168.9.2"
    errors = receive_errors(r2)
    assert r1.run(*full, check=False).returncode == 1 and receive_errors(r2) > errors  # too large for the far end
    r2.ip("link", "set", "pw0", "mtu", "1500")
    with Tap(r2, "wan") as wire:
        r1.run(*full)
        wire.wait_for(fragments)

    page(less)
    assert mtu() == 1346
    wait_for(lambda: reason(daemon) == "none", "the warning to go")
    r1.ip("route", "replace", "10.0.0.2/32", "dev", "wan", "mtu", "1399")
    wait_for(lambda: reason(daemon) == "mtu-above-path", "the warning when the route carries less")
    r1.ip("route", "replace", "10.0.0.2/32", "dev", "wan", "mtu", "1400")
    wait_for(lambda: reason(daemon) == "none", "the warning to go again")
    assert announced(host, r2, "192.168.9.2")[0] == 1460
    page(routed)
    assert announced(host, r2, "192.168.9.2")[0] == 1306

    r1.run("nft", "delete", "table", "inet", "pseudowire")
    r1.ip_batch("link add br0 type bridge", "link set br0 up", "addr flush dev lan", "addr flush dev pw0",
                "link set lan master br0")
    host.ip_batch("addr flush dev lan", "addr add 192.168.9.1/24 dev lan")
    page(bridged)
    wait_for(lambda: r1.link("pw0").get("master") == "br0", "pw0 to be in the bridge")
    assert r1.link("br0")["mtu"] == 1346
    assert announced(host, r2, "192.168.9.2") == (1306, 1306)
