"""What the attributes do to packets: seen on the wire between two routers, without our code."""
import struct

import pytest

from lib.genl import ENCAP_IP, ENCAP_UDP, L2SPEC_DEFAULT, L2SPEC_NONE, PW_ETH, STATS
from lib.waiting import wait_for
from lib.wire import ETH_P_8021Q, Tap, marked_frame

HERE, THERE = b"HERE", b"THERE678"
FRAME = marked_frame()


class Pseudowire:
    """Tunnel 1 and session 1 in r1, tunnel 2 and session 2 in r2, interface pw in both."""

    def __init__(self, routers, kernels, encap=ENCAP_UDP, six=False, one=(), two=(), tunnel=()):
        self.routers, self.kernels = routers, kernels
        for router, kernel, more in zip(routers, kernels, (one, two)):
            ids = {"conn_id": router.number, "peer_conn_id": router.peer.number}
            addresses = ({"ip6_saddr": router.ip6, "ip6_daddr": router.peer.ip6} if six else
                         {"ip_saddr": router.ip4, "ip_daddr": router.peer.ip4})
            ports = {"udp_sport": 1701, "udp_dport": 1701} if encap == ENCAP_UDP else {}
            kernel.tunnel_create(**ids, proto_version=3, encap_type=encap, **addresses, **ports,
                                 **dict(tunnel))
            kernel.session_create(conn_id=router.number, session_id=router.number, pw_type=PW_ETH,
                                  peer_session_id=router.peer.number, ifname="pw", **dict(more))
            # Without IPv6 nothing but our frames goes through.
            router.run("sysctl", "-q", "-w", "net.ipv6.conf.pw.disable_ipv6=1")
            router.ip("link", "set", "pw", "up")

    def session(self, number):
        return self.kernels[number - 1].session_get(conn_id=number, session_id=number)

    def stats(self, number):
        return self.session(number)["stats"]

    def send(self, frame=FRAME, times=1):
        """Send from r1; the data packet that leaves on the wire."""
        with Tap(self.routers[1], "wan") as wire, Tap(self.routers[0], "pw") as near:
            for _ in range(times):
                near.send(frame)
            return wire.wait_for_data(frame[12:])

    def count(self, number, **expected):
        """Wait until these counters have these values; all the others must be 0."""
        def reached():
            stats = self.stats(number)
            return all(stats[name] == value for name, value in expected.items())
        wait_for(reached, f"{expected} in {self.stats(number)}")
        rest = {name: value for name, value in self.stats(number).items()
                if name not in expected and name not in ("tx_packets", "tx_bytes")}
        assert not any(rest.values()), rest


@pytest.fixture
def pseudowire(routers, k1, k2):
    return lambda **more: Pseudowire(routers, (k1, k2), **more)


@pytest.mark.parametrize("six", [False, True])
@pytest.mark.parametrize("encap", [ENCAP_UDP, ENCAP_IP])
def test_cookie_is_what_we_send_and_peer_cookie_what_we_require(pseudowire, encap, six):
    """COOKIE goes out with the peer's session id before it; our tx-cookie and rx-cookie map so."""
    pw = pseudowire(encap=encap, six=six, one={"cookie": HERE}, two={"peer_cookie": HERE})
    packet = pw.send()
    assert packet.outer == ("udp" if encap == ENCAP_UDP else "ip")
    assert packet.session_id == 2
    assert packet.rest == HERE + bytes(4) + FRAME
    pw.count(2, rx_packets=1, rx_bytes=len(FRAME) + 12 + (4 if encap == ENCAP_UDP else 0))


def test_cookies_of_both_directions_may_differ_in_length(pseudowire):
    pw = pseudowire(one={"cookie": HERE, "peer_cookie": THERE},
                    two={"cookie": THERE, "peer_cookie": HERE})
    pw.send()
    pw.count(2, rx_packets=1, rx_bytes=len(FRAME) + 16)
    with Tap(pw.routers[0], "pw") as end, Tap(pw.routers[1], "pw") as far:
        far.send(FRAME)
        assert end.wait_for(lambda frame: frame == FRAME)


@pytest.mark.parametrize("sent", [{}, {"cookie": b"XXXX"}])
def test_wrong_cookie_is_counted_twice(pseudowire, sent):
    """As a cookie discard and as an error: the two must not be added up."""
    pw = pseudowire(one=sent, two={"peer_cookie": HERE})
    pw.send()
    pw.count(2, rx_cookie_discards=1, rx_errors=1)


def test_no_sublayer_no_four_bytes(pseudowire):
    pw = pseudowire(encap=ENCAP_IP, one={"l2spec_type": L2SPEC_NONE},
                    two={"l2spec_type": L2SPEC_NONE})
    assert pw.send().rest == FRAME


@pytest.mark.parametrize("destination, counted", [
    (b"\x02\0\0\0\0\x02", {"rx_packets": 1, "rx_bytes": 68}), (b"\xff" * 6, {"rx_errors": 1})])
def test_sublayers_that_differ_are_not_noticed(pseudowire, destination, counted):
    """The first four bytes of the frame are taken for the sublayer.  Most frames count as received;
    a broadcast has the bit for a sequence number set, and a number out of the window."""
    pw = pseudowire(one={"l2spec_type": L2SPEC_NONE}, two={"l2spec_type": L2SPEC_DEFAULT})
    pw.send(marked_frame(destination))
    pw.count(2, **counted)


def test_vlan_tag_goes_through_inside(pseudowire):
    """What ethernet-vlan rests on: an 802.1Q link on the session's interface tags the frames."""
    pw = pseudowire()
    router = pw.routers[0]
    router.ip("link", "add", "link", "pw", "name", "pw.7", "type", "vlan", "id", 7)
    router.run("sysctl", "-q", "-w", "net.ipv6.conf.pw/7.disable_ipv6=1")
    router.ip("link", "set", "pw.7", "up")
    with Tap(pw.routers[1], "wan") as wire, Tap(router, "pw.7") as near:
        near.send(FRAME)
        packet = wire.wait_for_data(FRAME[12:])
    assert packet.rest == bytes(4) + FRAME[:12] + struct.pack("!HH", ETH_P_8021Q, 7) + FRAME[12:]


def test_udp_checksum_is_on_the_wire_only_when_asked_for(pseudowire):
    assert pseudowire().send().udp_checksum == 0


def test_udp_checksum_attribute_of_0_puts_it_on_the_wire(pseudowire):
    assert pseudowire(tunnel={"udp_csum": 0}).send().udp_checksum != 0


def test_udp6_checksum_is_on_the_wire_by_default(pseudowire):
    assert pseudowire(six=True).send().udp_checksum != 0


def test_udp6_zero_checksum_flags_take_it_off(pseudowire):
    """Both ends must be told, or the packet is dropped where no counter of L2TP sees it."""
    pw = pseudowire(six=True, tunnel={"udp_zero_csum6_tx": True, "udp_zero_csum6_rx": True})
    assert pw.send().udp_checksum == 0
    pw.count(2, rx_packets=1, rx_bytes=len(FRAME) + 12)


def test_required_sequence_numbers_discard_what_has_none(pseudowire):
    """RECV_SEQ requires, it does not reorder."""
    pw = pseudowire(two={"recv_seq": 1, "lns_mode": 1})
    pw.send()
    pw.count(2, rx_seq_discards=1, rx_errors=1)


def test_peer_rewrites_our_send_seq(pseudowire):
    """Without LNS_MODE the data path sets it to what the peer does: no drift to be repaired."""
    pw = pseudowire(one={"send_seq": 1, "lns_mode": 1})
    assert pw.session(2)["send_seq"] == 0
    assert pw.send().rest[:4] == struct.pack("!I", 0x40000000)
    wait_for(lambda: pw.session(2)["send_seq"] == 1, "r2 to have been told to send numbers")
    assert pw.session(1)["send_seq"] == 1


def test_counters_of_l2tp_and_of_the_interface_differ(pseudowire):
    """rx_bytes of the interface hold the L2TP header, its tx_bytes do not."""
    pw = pseudowire()
    pw.send(times=3)
    size = 3 * (len(FRAME) + 12)
    pw.count(2, rx_packets=3, rx_bytes=size)
    assert pw.stats(1)["tx_packets"] == 3 and pw.stats(1)["tx_bytes"] == size
    near, far = (router.link("pw")["stats64"] for router in pw.routers)
    assert near["tx"]["bytes"] == 3 * len(FRAME)
    assert far["rx"]["bytes"] == size


def test_tunnel_counters_outlive_its_sessions(pseudowire):
    pw = pseudowire()
    pw.send()
    sent = pw.stats(1)
    assert sent["tx_packets"] == 1
    pw.kernels[0].session_delete(conn_id=1, session_id=1)
    wait_for(lambda: not pw.kernels[0].has_session(conn_id=1, session_id=1), "it to be gone")
    assert pw.kernels[0].tunnel_get(1)["stats"] == sent


def test_recreated_session_counts_from_zero(pseudowire):
    """Which is what discontinuity-time is for."""
    pw = pseudowire()
    pw.send()
    kernel, router = pw.kernels[0], pw.routers[0]
    kernel.session_delete(conn_id=1, session_id=1)
    wait_for(lambda: not kernel.has_session(conn_id=1, session_id=1)
             and "pw" not in router.interfaces(), "it to be gone")
    kernel.session_create(conn_id=1, session_id=1, peer_session_id=2, pw_type=PW_ETH, ifname="pw")
    assert pw.stats(1) == dict.fromkeys(STATS, 0)


def test_dead_underlay_shows_as_tx_errors_and_nothing_else(pseudowire):
    """The session stays up: that its packets go nowhere can be read from this counter alone."""
    pw = pseudowire()
    router = pw.routers[0]
    router.ip("link", "set", "wan", "down")
    with Tap(router, "pw") as near:
        near.send(FRAME)
    wait_for(lambda: pw.stats(1)["tx_errors"] == 1, "tx_errors")
    wait_for(lambda: router.link("pw")["stats64"]["tx"]["dropped"] == 1, "dropped by the interface")
    assert "LOWER_UP" in router.link("pw")["flags"]


def test_packet_for_an_unknown_session_is_counted_by_nobody(pseudowire):
    pw = pseudowire()
    pw.kernels[1].session_delete(conn_id=2, session_id=2)
    wait_for(lambda: not pw.kernels[1].has_session(conn_id=2, session_id=2), "it to be gone")
    pw.send()
    assert not any(pw.kernels[1].tunnel_get(2)["stats"].values())
