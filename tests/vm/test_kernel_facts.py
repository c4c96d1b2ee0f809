"""What the design takes for granted about the kernel, shown without any code of ours.

When one of these fails on a new kernel, the design has to be looked at, not the test.
"""
import errno
import os
import pwd
import subprocess

import pytest

from lib.genl import (ENCAP_IP, ENCAP_UDP, L2SPEC_NONE, PW_ETH, PW_ETH_VLAN, PW_PPP, Events, Genl,
                      L2tp)
from lib.netns import Namespace
from lib.waiting import stays_true, wait_for


def udp_tunnel(conn_id=1, port=1701, **more):
    return {"conn_id": conn_id, "peer_conn_id": conn_id + 1000, "proto_version": 3,
            "encap_type": ENCAP_UDP, "ip_saddr": "10.0.0.1", "ip_daddr": "10.0.0.2",
            "udp_sport": port, "udp_dport": port, **more}


def ip_tunnel(conn_id=1, **more):
    return {"conn_id": conn_id, "peer_conn_id": conn_id + 1000, "proto_version": 3,
            "encap_type": ENCAP_IP, "ip_saddr": "10.0.0.1", "ip_daddr": "10.0.0.2", **more}


def udp6_tunnel(conn_id=1, port=1701, **more):
    return {"conn_id": conn_id, "peer_conn_id": conn_id + 1000, "proto_version": 3,
            "encap_type": ENCAP_UDP, "ip6_saddr": "fd00::1", "ip6_daddr": "fd00::2",
            "udp_sport": port, "udp_dport": port, **more}


def ip6_tunnel(conn_id=1, **more):
    return {"conn_id": conn_id, "peer_conn_id": conn_id + 1000, "proto_version": 3,
            "encap_type": ENCAP_IP, "ip6_saddr": "fd00::1", "ip6_daddr": "fd00::2", **more}


def eth(session_id=1, conn_id=1, **more):
    return {"conn_id": conn_id, "session_id": session_id, "peer_session_id": session_id + 1000,
            "pw_type": PW_ETH, "ifname": f"pw{session_id}", **more}


class refused:
    """with refused(errno.X): the kernel must answer with this error."""

    def __init__(self, number):
        self.number = number

    def __enter__(self):
        return self

    def __exit__(self, kind, error, _):
        assert kind is not None, f"accepted, and {errno.errorcode[self.number]} was expected"
        if not isinstance(error, OSError):
            return False
        assert error.errno == self.number, \
            f"{errno.errorcode[error.errno]} instead of {errno.errorcode[self.number]}"
        return True


# ---- modules ----

def loaded(module):
    return os.path.exists(f"/sys/module/{module}")


def unload_all():
    for module in ("l2tp_eth", "l2tp_ppp", "l2tp_ip", "l2tp_ip6", "l2tp_netlink", "l2tp_core"):
        if loaded(module):
            subprocess.run(["modprobe", "-r", module], capture_output=True)
    return not loaded("l2tp_core")


def test_kernel_loads_its_modules_by_itself(routers):
    """The daemon needs no modprobe: asking for the family, an encapsulation, a pseudowire is
    enough, as long as process 1 and the kernel see the same root."""
    try:
        wait_for(unload_all, "the L2TP modules to be unloaded", 20)
    except AssertionError:
        pytest.skip("somebody in this guest is using L2TP: the modules cannot be unloaded")
    one = routers[0]
    with L2tp(one.name) as l2tp:
        assert loaded("l2tp_netlink") and not loaded("l2tp_eth")
        l2tp.tunnel_create(**ip_tunnel(1))
        assert loaded("l2tp_ip")
        l2tp.tunnel_create(**ip6_tunnel(2))
        assert loaded("l2tp_ip6")
        l2tp.session_create(**eth())
        assert loaded("l2tp_eth")
        l2tp.session_create(**eth(2, pw_type=PW_PPP))
        assert loaded("l2tp_ppp")


def test_missing_family_is_enoent():
    """How a kernel without L2TP answers the daemon."""
    with Genl() as genl, refused(errno.ENOENT):
        genl.family("l2tp_nonesuch")


# ---- what creating needs and refuses ----

def test_taken_tunnel_id_is_eexist(k1):
    k1.tunnel_create(**udp_tunnel())
    with refused(errno.EEXIST):
        k1.tunnel_create(**ip_tunnel())


def test_no_route_to_the_peer_is_enetunreach(k1):
    """A tunnel that cannot be made yet must wait for a route; the kernel will not take it now."""
    for encap in (udp_tunnel, ip_tunnel):
        with refused(errno.ENETUNREACH):
            k1.tunnel_create(**encap(ip_daddr="192.0.2.1"))
    for encap in (udp6_tunnel, ip6_tunnel):
        with refused(errno.ENETUNREACH):
            k1.tunnel_create(**encap(ip6_daddr="2001:db8::1"))


def test_address_not_here_is_eaddrnotavail(k1):
    for encap in (udp_tunnel, ip_tunnel):
        with refused(errno.EADDRNOTAVAIL):
            k1.tunnel_create(**encap(ip_saddr="10.0.0.77"))


def test_tentative_address_is_eaddrnotavail(r1, k1):
    """An address that is on the interface but not yet usable looks like none at all."""
    r1.run("sysctl", "-q", "-w", "net.ipv6.conf.wan.dad_transmits=120")
    r1.ip("address", "add", "fd00::77/64", "dev", "wan")
    assert "tentative" in r1.run("ip", "address", "show", "dev", "wan").stdout
    with refused(errno.EADDRNOTAVAIL):
        k1.tunnel_create(**udp6_tunnel(ip6_saddr="fd00::77"))


def test_link_local_address_is_einval(r1, k1):
    """No interface can be given with it."""
    with refused(errno.EINVAL):
        k1.tunnel_create(**udp6_tunnel(ip6_daddr="fe80::2"))


def test_mixed_address_families_are_einval(k1):
    attributes = udp_tunnel(ip6_daddr="fd00::2")
    del attributes["ip_daddr"]
    with refused(errno.EINVAL):
        k1.tunnel_create(**attributes)


def test_udp_port_in_use_is_eaddrinuse_even_for_another_peer(r1, k1):
    """Each UDP tunnel needs a local port of its own, so the daemon must see two tunnels on one."""
    r1.ip("route", "add", "192.0.2.0/24", "via", "10.0.0.2")
    k1.tunnel_create(**udp_tunnel())
    with refused(errno.EADDRINUSE):
        k1.tunnel_create(**udp_tunnel(2, ip_daddr="192.0.2.1"))
    k1.tunnel_create(**udp_tunnel(2, port=1702))


def test_ip_tunnels_share_addresses(k1):
    k1.tunnel_create(**ip_tunnel(1))
    k1.tunnel_create(**ip_tunnel(2))
    assert [t["conn_id"] for t in k1.tunnels()] == [1, 2]


def test_taken_session_id_and_taken_name_are_the_same_error(k1):
    """EEXIST alone does not tell what to change: the daemon has to look."""
    k1.tunnel_create(**ip_tunnel())
    k1.session_create(**eth(1))
    with refused(errno.EEXIST):
        k1.session_create(**eth(1, ifname="other"))
    with refused(errno.EEXIST):
        k1.session_create(**eth(2, ifname="pw1"))


def test_session_ids_are_one_space_over_all_ip_tunnels(k1):
    """Our rule, unique in the namespace, is the only one that every kernel and encapsulation keeps."""
    k1.tunnel_create(**ip_tunnel(1))
    k1.tunnel_create(**ip_tunnel(2))
    k1.tunnel_create(**udp_tunnel(3))
    k1.session_create(**eth(1, conn_id=1))
    for other in (2, 3):
        with refused(errno.EEXIST):
            k1.session_create(**eth(1, conn_id=other, ifname="other"))


def test_session_ids_may_repeat_over_udp_tunnels(k1):
    """So a kernel may hold what our rule forbids: foreign sessions of the same id."""
    k1.tunnel_create(**udp_tunnel(1, port=1701))
    k1.tunnel_create(**udp_tunnel(2, port=1702))
    k1.session_create(**eth(1, conn_id=1))
    k1.session_create(**eth(1, conn_id=2, ifname="other"))
    assert {s["ifname"] for s in k1.sessions()} == {"pw1", "other"}


def test_since_6_11_a_session_id_can_collide_in_one_udp_tunnel(r1, k1, kernel):
    """The second hides the first, which lives on: the daemon must check before it creates."""
    k1.tunnel_create(**udp_tunnel())
    k1.session_create(**eth(1))
    if kernel < (6, 11):
        with refused(errno.EEXIST):
            k1.session_create(**eth(1, ifname="other"))
        return
    k1.session_create(**eth(1, ifname="other"))
    assert k1.session_get(conn_id=1, session_id=1)["ifname"] == "other"
    assert {"pw1", "other"} <= r1.interfaces()
    if kernel >= (6, 12):
        assert [s["ifname"] for s in k1.sessions()] == ["other"]
    assert k1.session_get(ifname="pw1")["session_id"] == 1


def test_there_is_no_vlan_pseudowire(k1):
    """Which is why ethernet-vlan is an Ethernet session with an 802.1Q link on it."""
    k1.tunnel_create(**udp_tunnel())
    with refused(errno.EPROTONOSUPPORT):
        k1.session_create(**eth(pw_type=PW_ETH_VLAN, vlan_id=10))


def test_ppp_session_has_no_interface(r1, k1):
    k1.tunnel_create(**udp_tunnel())
    before = r1.interfaces()
    k1.session_create(**eth(pw_type=PW_PPP))
    assert r1.interfaces() == before
    assert "ifname" not in k1.session_get(conn_id=1, session_id=1)


def test_nonsense_is_accepted(k1):
    """Ids of 0, a cookie of 3 bytes, no remote port: the kernel leaves it to us to refuse them."""
    k1.tunnel_create(**udp_tunnel(0))
    k1.session_create(**eth(0, conn_id=0, cookie=b"abc"))
    assert k1.session_get(conn_id=0, session_id=0)["cookie"] == b"abc"
    k1.tunnel_create(**udp_tunnel(1, port=0))
    assert k1.tunnel_get(1)["udp_sport"] != 0  # a port it has chosen


def test_unknown_attributes_are_ignored(k1):
    """What an older kernel does not know is no error there: read back and compare."""
    k1.tunnel_create(**udp_tunnel(), extra={200: b"12345678"})
    assert k1.has_tunnel(1)


def test_wrong_lengths_are_erange(k1):
    """Too short an integer, too long a cookie; a reorder timeout of 4 bytes is too short."""
    with refused(errno.ERANGE):
        k1.tunnel_create(**{**udp_tunnel(), "conn_id": b"\1\0"})
    k1.tunnel_create(**udp_tunnel())
    with refused(errno.ERANGE):
        k1.session_create(**eth(cookie=b"123456789"))
    with refused(errno.ERANGE):
        k1.session_create(**eth(recv_timeout=b"\x64\0\0\0"))


def test_reading_needs_the_right_to_write():
    """A daemon that drops CAP_NET_ADMIN cannot even look."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            os.setuid(pwd.getpwnam("nobody").pw_uid)
            with L2tp() as l2tp, refused(errno.EPERM):
                l2tp.tunnels()
            status = 0
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


# ---- deleting ----

def test_tunnel_delete_is_acknowledged_before_it_is_done(k1):
    """ACK is not gone: most often the id is still taken when the delete has been answered."""
    create = ("tunnel_create", udp_tunnel())
    k1.tunnel_create(**udp_tunnel())
    early = 0
    for _ in range(10):
        deleted, created = k1.together(("tunnel_delete", {"conn_id": 1}), create)
        assert deleted == []
        if isinstance(created, OSError):
            assert created.errno == errno.EEXIST
            early += 1
            wait_for(lambda: not k1.has_tunnel(1), "the tunnel to be gone")
            k1.tunnel_create(**udp_tunnel())
    print(f"{early} of 10 times the id was still taken")
    assert early


def test_names_and_ids_are_free_when_get_and_links_say_so(r1, k1):
    """They go in no order to rely on, but when both are gone the same can be made at once, and
    does not die with the old one."""
    def create():
        k1.tunnel_create(**udp_tunnel())
        for session in range(1, 31):
            k1.session_create(**eth(session))

    create()
    k1.tunnel_delete(1)
    wait_for(lambda: not k1.has_tunnel(1) and
             not any(name.startswith("pw") for name in r1.interfaces()), "tunnel and links to go")
    create()
    assert stays_true(lambda: len(k1.sessions()) == 30, 1)


def test_session_delete_is_asynchronous_since_6_12(k1, kernel):
    """Before, its answer means that it is gone."""
    k1.tunnel_create(**ip_tunnel())
    late = 0
    for session in range(1, 31):
        k1.session_create(**eth(session))
        selector = {"conn_id": 1, "session_id": session}
        _, found = k1.together(("session_delete", selector), ("session_get", selector))
        late += not isinstance(found, OSError)
    print(f"{late} of 30 sessions were still there when their delete had been answered")
    assert bool(late) == (kernel >= (6, 12))
    wait_for(lambda: not k1.sessions(), "the sessions to be gone")


def test_tunnel_delete_takes_its_sessions(k1):
    """No session needs to be deleted before its tunnel, whatever the manual says."""
    k1.tunnel_create(**udp_tunnel())
    k1.session_create(**eth(1))
    k1.session_create(**eth(2, pw_type=PW_PPP))
    k1.tunnel_delete(1)
    wait_for(lambda: not k1.sessions() and not k1.tunnels(), "everything to be gone")


def test_since_6_11_delete_hits_the_session_of_another_tunnel(k1, kernel):
    """CONN_ID is ignored: the daemon must compare it in a GET before it changes anything."""
    k1.tunnel_create(**ip_tunnel(1))
    k1.tunnel_create(**ip_tunnel(2))
    k1.session_create(**eth(5, conn_id=1))
    if kernel < (6, 11):
        for command in (k1.session_get, k1.session_modify, k1.session_delete):
            with refused(errno.ENODEV):
                command(conn_id=2, session_id=5)
        return
    assert k1.session_get(conn_id=2, session_id=5)["conn_id"] == 1
    k1.session_modify(conn_id=2, session_id=5, recv_seq=1)
    assert k1.session_get(conn_id=1, session_id=5)["recv_seq"] == 1
    k1.session_delete(conn_id=2, session_id=5)
    wait_for(lambda: not k1.has_session(conn_id=1, session_id=5), "tunnel 1's session to be gone")


def test_interface_cannot_be_deleted_as_a_link(r1, k1):
    k1.tunnel_create(**udp_tunnel())
    k1.session_create(**eth())
    done = r1.run("ip", "link", "del", "pw1", check=False)
    assert "not supported" in done.stderr


def test_missing_objects_are_enodev(k1):
    with refused(errno.ENODEV):
        k1.tunnel_get(9)
    with refused(errno.ENODEV):
        k1.session_get(conn_id=9, session_id=9)
    with refused(errno.ENODEV):
        k1.session_create(**eth(conn_id=9))


# ---- modifying ----

def test_tunnel_modify_does_nothing(k1):
    """Every change of a tunnel is a new tunnel."""
    k1.tunnel_create(**udp_tunnel())
    before = k1.tunnel_get(1)
    k1.tunnel_modify(**udp_tunnel(port=1999, peer_conn_id=7, udp_csum=1))
    assert k1.tunnel_get(1) == before


def test_session_modify_changes_four_attributes_and_ignores_the_rest(k1):
    k1.tunnel_create(**udp_tunnel())
    k1.session_create(**eth(cookie=b"1234"))
    before = k1.session_get(conn_id=1, session_id=1)
    k1.session_modify(conn_id=1, session_id=1, recv_seq=1, send_seq=1, lns_mode=1, recv_timeout=400,
                      cookie=b"4321", peer_cookie=b"9999", peer_session_id=77, pw_type=PW_PPP,
                      l2spec_type=L2SPEC_NONE)
    changed = {"recv_seq": 1, "send_seq": 1, "lns_mode": 1, "recv_timeout": 400}
    assert k1.session_get(conn_id=1, session_id=1) == {**before, **changed}


def test_reorder_timeout_is_rounded_up_to_the_clock(k1):
    """Compare with tolerance, or a daemon modifies it for ever."""
    k1.tunnel_create(**udp_tunnel())
    k1.session_create(**eth(recv_timeout=50))
    assert 50 <= k1.session_get(conn_id=1, session_id=1)["recv_timeout"] <= 60
    k1.session_modify(conn_id=1, session_id=1, recv_timeout=0)
    assert "recv_timeout" not in k1.session_get(conn_id=1, session_id=1)


# ---- reading ----

def test_dump_is_all_that_get_says(k1):
    """One dump serves for as many GETs."""
    k1.tunnel_create(**udp_tunnel(1))
    k1.tunnel_create(**ip6_tunnel(2))
    for session in range(1, 61):
        k1.session_create(**eth(session, conn_id=1 + session % 2, cookie=b"12345678"))
    assert k1.tunnels() == [k1.tunnel_get(1), k1.tunnel_get(2)]
    dumped = {s["session_id"]: s for s in k1.sessions()}
    assert len(dumped) == 60
    assert all(s == k1.session_get(conn_id=s["conn_id"], session_id=s["session_id"])
               for s in dumped.values())


def test_dump_knows_no_filter(k1):
    k1.tunnel_create(**ip_tunnel(1))
    k1.tunnel_create(**ip_tunnel(2))
    assert len(k1.command("tunnel_get", 0x300, conn_id=2)) == 2


def test_dumped_tunnels_ascend(k1):
    for conn_id in (30, 7, 4000000000, 8):
        k1.tunnel_create(**{**ip_tunnel(conn_id), "peer_conn_id": 1})
    assert [t["conn_id"] for t in k1.tunnels()] == [7, 8, 30, 4000000000]


def test_sublayer_is_never_told(k1):
    """So an adopted session's sublayer is unknown, and cannot be compared."""
    k1.tunnel_create(**udp_tunnel())
    k1.session_create(**eth(l2spec_type=L2SPEC_NONE))
    assert "l2spec_type" not in k1.session_get(conn_id=1, session_id=1)


def test_udp_checksum_is_on_by_its_mere_presence(k1):
    """A value of 0 switches it on: the codec must leave it out instead."""
    k1.tunnel_create(**udp_tunnel(1, port=1701))
    k1.tunnel_create(**udp_tunnel(2, port=1702, udp_csum=0))
    assert [t["udp_csum"] for t in k1.tunnels()] == [0, 1]


def test_udp6_checksum_attributes_switch_it_off(k1):
    """Flags of the opposite sense to our leaves; reported only when set."""
    k1.tunnel_create(**udp6_tunnel(1, port=1701))
    k1.tunnel_create(**udp6_tunnel(2, port=1702, udp_zero_csum6_tx=True))
    plain, zero = k1.tunnels()
    assert not any(key.startswith("udp_zero") for key in plain)
    assert "udp_zero_csum6_tx" in zero and "udp_zero_csum6_rx" not in zero


def test_rename_leaves_the_old_name_in_l2tp(r1, k1):
    """The interface must be followed by its index, not by IFNAME."""
    k1.tunnel_create(**udp_tunnel())
    k1.session_create(**eth())
    r1.ip("link", "set", "pw1", "name", "renamed")
    assert k1.session_get(conn_id=1, session_id=1)["ifname"] == "pw1"
    assert not k1.has_session(ifname="renamed")


def test_namespaces_do_not_see_each_other(k1, k2):
    k1.tunnel_create(**udp_tunnel())
    assert not k2.tunnels()


# ---- surroundings ----

def test_tunnel_outlives_its_address_and_route(r1, k1):
    """Nothing is told and nothing is lost, so oper-status has to look for itself."""
    k1.tunnel_create(**udp_tunnel())
    k1.session_create(**eth())
    before = k1.tunnel_get(1)
    r1.ip("address", "flush", "dev", "wan")
    r1.ip("link", "set", "wan", "down")
    assert k1.tunnel_get(1) == before
    r1.ip("link", "set", "pw1", "up")
    assert "LOWER_UP" in r1.link("pw1")["flags"]


@pytest.mark.parametrize("tunnel, mtu", [
    (udp_tunnel(), 1446), (ip_tunnel(), 1458), (udp6_tunnel(), 1426), (ip6_tunnel(), 1438)])
def test_default_mtu_leaves_room_for_the_headers(r1, k1, tunnel, mtu):
    k1.tunnel_create(**tunnel)
    k1.session_create(**eth(1))
    k1.session_create(**eth(2, l2spec_type=L2SPEC_NONE, cookie=b"12345678"))
    k1.session_create(**eth(3, peer_cookie=b"12345678"))
    assert [r1.link(f"pw{n}")["mtu"] for n in (1, 2, 3)] == [mtu, mtu - 4, mtu]


def test_default_mtu_is_not_followed_up(r1, k1):
    """Set it, or it stays what it was on the day of its creation."""
    k1.tunnel_create(**udp_tunnel())
    k1.session_create(**eth())
    r1.ip("link", "set", "wan", "mtu", 1400)
    assert r1.link("pw1")["mtu"] == 1446


def test_recreated_session_has_another_index_and_address(r1, k1):
    """What a re-create loses and the daemon has to put back."""
    k1.tunnel_create(**udp_tunnel())
    k1.session_create(**eth())
    before = r1.link("pw1")
    k1.session_delete(conn_id=1, session_id=1)
    wait_for(lambda: "pw1" not in r1.interfaces() and not k1.has_session(conn_id=1, session_id=1),
             "the session to be gone")
    k1.session_create(**eth())
    after = r1.link("pw1")
    assert after["ifindex"] != before["ifindex"] and after["address"] != before["address"]


# ---- events ----

def event_of(events, conn_id):
    """The next one about this tunnel; None: there is none."""
    return next((event for event in iter(events.next, None) if event[1]["conn_id"] == conn_id), None)


def test_event_tells_all_of_an_object_and_nothing_of_its_namespace(r1, k1, kernel):
    """An event is a hint to look: up to 6.12 it may be from any namespace, and does not say which.
    By 7.3 it stays in its own."""
    with (Namespace("other") as other, Events(r1.name) as events,
          Events(other.name) as elsewhere):
        k1.tunnel_create(**udp_tunnel(4711))
        assert event_of(events, 4711) == ("tunnel_create", k1.tunnel_get(4711))
        if kernel < (7, 3):
            assert event_of(elsewhere, 4711) == ("tunnel_create", k1.tunnel_get(4711))
        else:
            assert event_of(elsewhere, 4711) is None


def test_sessions_that_die_with_their_tunnel_have_no_event(k1, r1):
    """Their links' RTM_DELLINK is the only sign."""
    k1.tunnel_create(**udp_tunnel(4712))
    k1.session_create(**eth(1, conn_id=4712))
    with Events(r1.name) as events:
        k1.tunnel_delete(4712)
        seen = [name for name, object in events.all() if object["conn_id"] == 4712]
    assert seen == ["tunnel_delete"]
    wait_for(lambda: "pw1" not in r1.interfaces(), "the link to go")


def test_own_event_comes_before_the_answer(r1):
    """With the sequence number of the request: which is why events have a socket of their own."""
    with Events(r1.name) as both:
        answers = both.command("tunnel_create", **udp_tunnel(4713))
    assert [answer["conn_id"] for answer in answers] == [4713]


def test_static_tunnel_outlives_its_creator(r1):
    """Why a restart of the daemon can be hitless."""
    with L2tp(r1.name) as creator:
        creator.tunnel_create(**udp_tunnel())
    with L2tp(r1.name) as other:
        assert stays_true(lambda: other.has_tunnel(1), 0.3)
