"""What docs/security.md says of the wire, and its filters and IPsec as they stand there, on a real kernel."""
import contextlib
import re
import socket
import struct

import pytest

from lib.daemons import CHECKOUT
from lib.genl import ENCAP_IP, ENCAP_UDP
from lib.netns import inside
from lib.waiting import stays_true, wait_for
from lib.wire import ETH_P_IP, IPPROTO_L2TP, Tap
from test_wire_facts import FRAME, HERE, Pseudowire

PAGE = (CHECKOUT / "docs" / "security.md").read_text()
COOKIE, STRANGER = HERE, "10.0.0.77"
ESP = socket.IPPROTO_ESP


def example(language, here, there):
    """Of the page, with these two for its two addresses."""
    text = re.search(rf"^```{language}\n(.*?)^```$", PAGE, re.M | re.S)[1]
    return text.replace("192.0.2.1 ", f"{here} ").replace("198.51.100.1 ", f"{there} ")


def sum16(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    return ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF


def forged(source, destination, mac):
    """FRAME in an L2TPv3 packet over IP for session 2, from an address that need not be one's own."""
    inner = struct.pack("!I", 2) + COOKIE + bytes(4) + FRAME
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(inner), 1, 0, 64, IPPROTO_L2TP, 0, socket.inet_aton(source),
                         socket.inet_aton(destination))
    header = header[:10] + struct.pack("!H", sum16(header)) + header[12:]
    return mac + b"\x02\0\0\0\0\x01" + struct.pack("!H", ETH_P_IP) + header + inner


@pytest.fixture
def pseudowire(routers, k1, k2):
    return lambda encap=ENCAP_IP: Pseudowire(routers, (k1, k2), encap, one={"cookie": COOKIE}, two={"peer_cookie": COOKIE})


def gets_in(pw, source):
    """Whether what a forger at r1's place on the wire sends as @source comes out of r2's pseudowire."""
    r1, r2 = pw.routers
    mac = bytes.fromhex(r2.link("wan")["address"].replace(":", ""))
    before = pw.stats(2)["rx_packets"]
    with Tap(r1, "wan") as wire:
        wire.send(forged(source, r2.ip4, mac))
    return not stays_true(lambda: pw.stats(2)["rx_packets"] == before, 1)


def dropped(router, rule):
    """Whether the rule with this in it, and with a set of who may, has done so."""
    shown = router.run("nft", "list", "chain", "inet", "l2tp", "input").stdout
    return re.search(rf"{rule}.* ip saddr.* counter packets [1-9]", shown)


def test_who_knows_a_cookie_can_send_from_anywhere(pseudowire):
    pw = pseudowire()
    assert COOKIE in pw.send().rest
    assert gets_in(pw, STRANGER)


def test_the_filters_leave_peers_alone(pseudowire):
    pw = pseudowire()
    r1, r2 = pw.routers
    r2.run("nft", "-f", "-", input=example("nft", r2.ip4, r1.ip4))
    assert not gets_in(pw, STRANGER) and gets_in(pw, r1.ip4)
    with inside(r1.name):  # which is no manager
        for port, kind in ((830, socket.SOCK_STREAM), (161, socket.SOCK_DGRAM)):
            with socket.socket(socket.AF_INET, kind) as client:
                client.setblocking(False)
                client.connect_ex((r2.ip4, port))
                with contextlib.suppress(OSError):
                    client.send(b"hello")
                wait_for(lambda kind=kind: dropped(r2, "tcp" if kind == socket.SOCK_STREAM else "udp dport 161"), "it to be dropped")
    assert dropped(r2, "meta l4proto")


@pytest.mark.parametrize("encap", [ENCAP_IP, ENCAP_UDP], ids=["ip", "udp"])
def test_with_ipsec_nothing_is_to_be_read_and_nothing_else_gets_in(pseudowire, encap):
    pw = pseudowire(encap)
    r1, r2 = pw.routers
    for router, ways in ((r1, "out in"), (r2, "in out")):
        lines = example("ipsec", r1.ip4, r2.ip4)
        lines = re.sub("dir (out|in)", lambda found: f"dir {dict(zip(('out', 'in'), ways.split()))[found[1]]}", lines)
        if encap == ENCAP_UDP:
            lines = lines.replace("proto 115", "proto udp sport 1701 dport 1701")
        lines = re.sub("KEY([1-4])", lambda found: found[1] * 64, lines)
        router.ip_batch(*lines.splitlines())
    with Tap(r2, "wan") as wire, Tap(r2, "pw") as far, Tap(r1, "pw") as near:
        near.send(FRAME)
        assert far.wait_for(lambda frame: frame == FRAME)
        # The only packet between the two that is not of ARP or IPv6.
        seen = wire.wait_for(lambda frame: frame[12:14] == struct.pack("!H", ETH_P_IP) and frame)
    assert seen[23] == ESP and COOKIE not in seen and FRAME[12:30] not in seen
    if encap == ENCAP_IP:
        assert not gets_in(pw, r1.ip4) and gets_in(pw, STRANGER)
