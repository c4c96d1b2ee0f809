"""What is told of a tunnel's addresses and routes, on a real kernel, is what is there. Configured
through NETCONF, read back through the shell and from the kernel."""
import errno
import json

import pytest

from lib.netconf import L2TP, local_name, subtree
from lib.waiting import stays_true, wait_for

PEER4, PEER6 = "198.18.0.1", "2001:db8:9::1"
NOWHERE = ("blackhole", "prohibit", "unreachable", "throw")
NONLOCAL = ("net.ipv4.ip_nonlocal_bind", "net.ipv6.ip_nonlocal_bind")


def tunnel(tunnel_id, remote, encapsulation="udp", local_port=None, **local):
    leaves = "".join(f"<{name.replace('_', '-')}>{value}</{name.replace('_', '-')}>"
                     for name, value in local.items())
    port = "" if encapsulation == "ip" else f"<local-port>{local_port or 5000 + tunnel_id}</local-port>"
    return (f"<tunnel><tunnel-id>{tunnel_id}</tunnel-id><peer-tunnel-id>9</peer-tunnel-id>"
            f"<encapsulation>{encapsulation}</encapsulation>{leaves}"
            f"<remote-address>{remote}</remote-address>{port}</tunnel>")


def push(daemon, *tunnels):
    with daemon.netconf() as client:
        client.edit_config(f"<l2tpv3 xmlns='{L2TP}'>{''.join(tunnels)}</l2tpv3>")


def expect(daemon, tunnel_id, status, reason="none", text=""):
    """The tunnel gets there; its status in words says what is given; the shell tells the same."""
    def told(leaves):
        return (leaves.get("oper-status"), leaves.get("status-reason")) == (status, reason) and \
            text in leaves.get("status-text", "")
    def reached():
        found = daemon.tunnel_state(tunnel_id)
        assert told(found), found
        return told(daemon.leaves(tunnel_id))
    wait_for(reached, f"tunnel {tunnel_id} to be {status}, {reason}")


@pytest.fixture
def told(daemon):
    """The daemon, asked for what it tells of a tunnel: leaves() through the shell, and tunnel_state() by a
    NETCONF session that is kept, for under emulation a process takes long."""
    def leaves(tunnel_id):
        words = json.loads(daemon.ctl("-j", "get", "tunnel").stdout)
        return next(found for found in words["linux-l2tpv3:l2tpv3"]["tunnel"]
                    if found["tunnel-id"] == tunnel_id)
    def state(tunnel_id):
        wanted = subtree(f'<l2tpv3 xmlns="{L2TP}"><tunnel><tunnel-id>{tunnel_id}</tunnel-id></tunnel></l2tpv3>')
        found = client.get(wanted).find(".//{*}tunnel")
        return {local_name(leaf): leaf.text or "" for leaf in ([] if found is None else found)}
    daemon.leaves, daemon.tunnel_state = leaves, state
    with daemon.netconf() as client:
        yield daemon


def nowhere(r1, change, kind):
    for prefix in (f"{PEER4}/32", f"{PEER6}/128"):
        r1.ip(*(["-6"] if ":" in prefix else []), "route", change, kind, prefix)


@pytest.mark.parametrize("kind", NOWHERE)
def test_of_a_push_the_null_routed_peer_waits_and_the_others_come(told, r1, k1, kind):
    nowhere(r1, "add", kind)
    push(told, tunnel(1, "10.0.0.2", local_address="10.0.0.1"),
         tunnel(2, PEER4, local_address="10.0.0.1"),
         tunnel(3, PEER6, local_address="fd00::1"),
         tunnel(4, PEER4, "ip", local_address="10.0.0.1"),
         tunnel(5, PEER6, "ip", local_address="fd00::1"))
    expect(told, 1, "up")
    for tunnel_id in (2, 3, 4, 5):
        expect(told, tunnel_id, "waiting", "no-route", kind if kind != "throw" else "unreachable")
    assert [found["conn_id"] for found in k1.tunnels()] == [1]
    nowhere(r1, "del", kind)
    r1.ip_batch(f"route add {PEER4} via 10.0.0.2", f"route add {PEER6} via fd00::2")
    for tunnel_id in (2, 3, 4, 5):
        expect(told, tunnel_id, "up")
    assert len(k1.tunnels()) == 5


def test_a_null_route_that_comes_later_takes_the_tunnel_down(told, r1, k1):
    r1.ip_batch("route add default via 10.0.0.2", "route add default via fd00::2")
    push(told, tunnel(1, PEER4, local_address="10.0.0.1"),
         tunnel(2, PEER6, local_address="fd00::1"))
    for kind in NOWHERE[:3]:
        nowhere(r1, "add", kind)
        for tunnel_id in (1, 2):
            expect(told, tunnel_id, "down", "no-route", kind)
        nowhere(r1, "del", kind)
        for tunnel_id in (1, 2):
            expect(told, tunnel_id, "up")
    assert len(k1.tunnels()) == 2


def test_a_route_by_a_rule_for_the_source_is_one(told, r1, k1):
    r1.ip_batch("rule add from 10.0.0.1 lookup 100", f"route add {PEER4} via 10.0.0.2 table 100")
    push(told, tunnel(1, PEER4, local_address="10.0.0.1"))
    expect(told, 1, "up")
    r1.ip("route", "add", "203.0.113.0/24", "via", "10.0.0.2")  # an event: it is looked at anew
    assert stays_true(lambda: told.tunnel_state(1)["oper-status"] == "up", 1)
    r1.ip("route", "del", PEER4, "table", "100")
    expect(told, 1, "down", "no-route")
    assert k1.has_tunnel(1)


@pytest.mark.parametrize("kind", NOWHERE[:3])
def test_a_rule_is_heard_of_when_it_comes_and_goes(told, r1, k1, kind):
    r1.ip_batch("route add default via 10.0.0.2", "route add default via fd00::2")
    push(told, tunnel(1, PEER4, local_address="10.0.0.1"),
         tunnel(2, PEER6, local_address="fd00::1"))
    for family, prefix, tunnel_id in (("-4", PEER4, 1), ("-6", PEER6, 2)):
        expect(told, tunnel_id, "up")
        r1.ip(family, "rule", "add", "to", prefix, kind, "pref", "100")
        expect(told, tunnel_id, "down", "no-route")
        r1.ip(family, "rule", "del", "pref", "100")
        expect(told, tunnel_id, "up")
    assert len(k1.tunnels()) == 2


def test_a_route_that_goes_with_its_nexthop_is_told(told, r1, k1):
    for prefix, gateway in ((PEER4, "10.0.0.2"), (PEER6, "fd00::2")):
        r1.ip("nexthop", "add", "id", "7", "via", gateway, "dev", "wan")
        r1.ip("route", "add", prefix, "nhid", "7")
        push(told, tunnel(1, prefix, local_address=gateway[:-1] + "1"))
        expect(told, 1, "up")
        r1.ip("nexthop", "del", "id", "7")
        expect(told, 1, "down", "no-route")
        told.ctl("del", "tunnel", "tunnel_id", "1")


@pytest.mark.parametrize("kind", NOWHERE[:3])
def test_a_rule_for_ports_is_a_reason_to_wait(told, r1, k1, kind):
    r1.ip_batch("route add default via 10.0.0.2", "route add default via fd00::2")
    rules = ("ipproto udp dport 1701", "ipproto udp sport 5003")
    for family in ("-4", "-6"):
        for rule in rules:
            r1.ip(family, "rule", "add", *rule.split(), kind)
    push(told, tunnel(1, PEER4, local_address="10.0.0.1", remote_port=1702),
         tunnel(2, PEER6, local_address="fd00::1", remote_port=1702),
         tunnel(3, PEER4, local_address="10.0.0.1", remote_port=1702),
         tunnel(4, PEER6, local_address="fd00::1"),
         tunnel(5, PEER4, local_address="10.0.0.1"))
    for tunnel_id in (1, 2):
        expect(told, tunnel_id, "up")
    for tunnel_id in (3, 4, 5):
        expect(told, tunnel_id, "waiting", "no-route")
    for family in ("-4", "-6"):
        for rule in rules:
            r1.ip(family, "rule", "del", *rule.split(), kind)
    for tunnel_id in (3, 4, 5):
        expect(told, tunnel_id, "up")


def test_over_ip_a_rule_for_the_protocol_is_a_reason_to_wait(told, r1, k1):
    r1.ip("-6", "rule", "add", "ipproto", "115", "prohibit", "pref", "100")
    push(told, tunnel(1, "fd00::2", "ip", local_address="fd00::1"))
    expect(told, 1, "waiting", "no-route")
    r1.ip("-6", "rule", "del", "pref", "100")
    expect(told, 1, "up")


def test_a_broadcast_address_is_refused(told, k1):
    with pytest.raises(Exception, match="broadcast"):
        push(told, tunnel(1, "10.0.0.255", local_address="10.0.0.1"))
    assert not k1.tunnels()


def test_a_link_without_a_carrier_below_the_route_is_told(told, r1, r2, k1):
    push(told, tunnel(1, "10.0.0.2", local_address="10.0.0.1"),
         tunnel(2, "fd00::2", local_address="fd00::1"))
    expect(told, 1, "up")
    r2.ip("link", "set", "wan", "down")
    for tunnel_id, remote in ((1, "10.0.0.2"), (2, "fd00::2")):
        expect(told, tunnel_id, "down", "link-down", f"the way to {remote} is wan, which is down")
    r2.ip("link", "set", "wan", "up")
    for tunnel_id in (1, 2):
        expect(told, tunnel_id, "up")
    r1.ip("link", "set", "wan", "down")
    expect(told, 1, "down", "no-route")
    expect(told, 2, "down", "no-local-address")
    assert len(k1.tunnels()) == 2


def test_failed_duplicate_address_detection_is_told_as_such(told, r1, r2, k1):
    r2.ip("address", "add", "fd00::5/64", "dev", "wan", "nodad")
    r1.ip("address", "add", "fd00::5/64", "dev", "wan")
    wait_for(lambda: "dadfailed" in r1.ip("address", "show", "dev", "wan"), "detection to fail")
    push(told, tunnel(1, "fd00::2", local_address="fd00::5"))
    expect(told, 1, "waiting", "address-duplicate", "another host has the local address fd00::5")
    assert not k1.tunnels()
    r2.ip("address", "del", "fd00::5/64", "dev", "wan")
    r1.ip_batch("address del fd00::5/64 dev wan", "address add fd00::5/64 dev wan")
    expect(told, 1, "up")
    assert k1.tunnel_get(1)["ip6_saddr"] == "fd00::5"


def test_an_address_inside_a_vrf_is_said_to_be_there(told, r1, k1):
    r1.ip_batch("link add red type vrf table 10", "link set red up", "link add up0 type dummy",
                "link set up0 master red", "link set up0 up", "address add 172.20.0.1/24 dev up0",
                "address add fd20::1/64 dev up0 nodad")
    push(told, tunnel(1, "10.0.0.2", local_address="172.20.0.1"),
         tunnel(2, "fd00::2", local_address="fd20::1"),
         tunnel(3, "10.0.0.2", local_interface="up0"))
    for tunnel_id in (1, 2, 3):
        expect(told, tunnel_id, "waiting", "address-in-vrf", "is in VRF red")
    assert not k1.tunnels()
    r1.ip_batch("link set up0 nomaster", "link set up0 up",
                "address replace fd20::1/64 dev up0 nodad")
    for tunnel_id in (1, 2, 3):
        expect(told, tunnel_id, "up")


def test_a_floating_address_that_is_missing_is_told_as_missing(told, r1, k1):
    """With ip_nonlocal_bind a socket is bound all the same; over IPv4 connect() then finds no route."""
    for sysctl in NONLOCAL:
        r1.run("sysctl", "-qw", f"{sysctl}=1")
    push(told, tunnel(1, "10.0.0.2", local_address="10.0.0.77"),
         tunnel(2, "fd00::2", local_address="fd00::77"),
         tunnel(3, "10.0.0.2", "ip", local_address="10.0.0.77"))
    expect(told, 1, "waiting", "no-local-address", "10.0.0.77")
    expect(told, 2, "down", "no-local-address", "fd00::77")
    expect(told, 3, "waiting", "no-local-address", "10.0.0.77")
    assert [found["conn_id"] for found in k1.tunnels()] == [2]
    r1.ip_batch("address add 10.0.0.77/24 dev wan", "address add fd00::77/64 dev wan nodad")
    for tunnel_id in (1, 2, 3):
        expect(told, tunnel_id, "up")


def test_local_interface_takes_the_source_that_the_route_prefers(told, r1, k1):
    r1.ip_batch("link add up0 type dummy", "link set up0 up", "address add 172.20.0.1/24 dev up0",
                "address add 10.9.0.1/24 dev up0", "address add 172.21.0.1/24 dev up0",
                "address add fd20::1/64 dev up0 nodad", "address add fd09::1/64 dev up0 nodad",
                "route add 10.7.0.0/16 via 10.9.0.9", "route add 10.6.0.0/16 via 10.9.0.9 src 172.21.0.1")
    r1.ip("-6", "route", "add", "fd07::/64", "via", "fd09::9")
    cases = ((1, "10.9.0.2", "10.9.0.1"), (2, "10.7.0.1", "10.9.0.1"), (3, "10.6.0.1", "172.21.0.1"),
             (4, "10.0.0.2", "172.20.0.1"),  # out by wan: the first
             (5, "fd09::2", "fd09::1"), (6, "fd07::1", "fd09::1"))
    push(told, *(tunnel(number, remote, local_interface="up0") for number, remote, _ in cases),
         tunnel(7, "10.9.0.7", local_interface="up0", local_address="172.20.0.1"))
    for number, _, source in cases:
        expect(told, number, "up")
        found = k1.tunnel_get(number)
        assert found.get("ip_saddr", found.get("ip6_saddr")) == source, number
        assert told.tunnel_state(number)["resolved-local-address"] == source
    assert k1.tunnel_get(7)["ip_saddr"] == "172.20.0.1"
    # explain tells the way: its interface, router, source, and what the route says of the MTU
    r1.ip("route", "add", "10.5.0.0/16", "via", "10.9.0.9", "mtu", "1400")
    push(told, tunnel(8, "10.5.0.1", local_interface="up0"))
    expect(told, 8, "up")
    with told.netconf() as client:
        way = client.rpc_text(f'<explain xmlns="{L2TP}"><tunnel-id>8</tunnel-id></explain>')
    for leaf, value in (("out-interface", "up0"), ("gateway", "10.9.0.9"), ("source", "10.9.0.1"), ("path-mtu", "1400")):
        assert f'<{leaf} xmlns="{L2TP}">{value}</{leaf}>' in way, way
    # a route that changes moves nothing; another peer has another source
    r1.ip("route", "change", "10.7.0.0/16", "via", "172.20.0.9", "src", "172.20.0.1")
    assert stays_true(lambda: k1.has_tunnel(2) and k1.tunnel_get(2)["ip_saddr"] == "10.9.0.1", 1)
    told.ctl("set", "tunnel", "tunnel_id", "2", "remote", "10.6.0.2")
    wait_for(lambda: k1.has_tunnel(2) and k1.tunnel_get(2)["ip_saddr"] == "172.21.0.1", "the tunnel")


def test_deprecated_addresses_are_taken_last(told, r1, k1):
    r1.ip_batch("link add up0 type dummy", "link set up0 up",
                "address add fd20::2/64 dev up0 nodad",
                "address add fd20::1/64 dev up0 nodad preferred_lft 0")  # listed first
    push(told, tunnel(1, "fd00::2", local_interface="up0"))
    expect(told, 1, "up")
    assert k1.tunnel_get(1)["ip6_saddr"] == "fd20::2"
    r1.ip("address", "del", "fd20::2/64", "dev", "up0")
    wait_for(lambda: k1.has_tunnel(1) and k1.tunnel_get(1)["ip6_saddr"] == "fd20::1", "the other one")
    expect(told, 1, "up")


def test_what_the_kernel_says_of_null_routes(r1, k1):
    """The errno of a create alone does not tell: EINVAL and EACCES have other causes too."""
    from test_kernel_facts import refused, udp6_tunnel, udp_tunnel
    for kind, number in zip(NOWHERE, (errno.EINVAL, errno.EACCES, errno.EHOSTUNREACH, errno.ENETUNREACH)):
        nowhere(r1, "add", kind)
        with refused(number):
            k1.tunnel_create(**udp_tunnel(ip_daddr=PEER4))
        with refused(number):
            k1.tunnel_create(**udp6_tunnel(ip6_daddr=PEER6))
        nowhere(r1, "del", kind)
