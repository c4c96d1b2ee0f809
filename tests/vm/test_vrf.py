"""Sessions whose interface is in a VRF, on a real kernel: `ip` is the judge."""
import json

import pytest

from lib.waiting import wait_for

ADDRESSES = {"192.168.9.1", "fd09::1"}


def tunnel(near, far):
    return f"tunnel_id 1 peer_tunnel_id 1 local {near.ip4} remote {far.ip4}"


def session(words=""):
    return f"tunnel_id 1 session_id 11 peer_session_id 11 name pw0 {words}"


def ctl(daemon, line):
    return daemon.ctl(*line.split()).stdout


def add(daemon, near, far, words=""):
    ctl(daemon, f"add tunnel {tunnel(near, far)}")
    ctl(daemon, f"add session {session(words)}")


def told(daemon):
    shown = json.loads(ctl(daemon, "-j get session"))["linux-l2tpv3:l2tpv3"]["tunnel"][0]["session"][0]
    return shown["oper-status"], shown["status-reason"]


def master(router, name="pw0"):
    return (router.link(name) or {}).get("master")


def addresses(router, name="pw0"):
    shown = json.loads(router.ip("-j", "address", "show", "dev", name))[0]
    return {one["local"] for one in shown["addr_info"] if one["scope"] == "global"}


def make_vrf(router):
    router.ip_batch("link add blue type vrf table 10", "link set blue up")


def test_a_vrf_is_joined_when_it_appears_and_again(daemon, r1, r2):
    add(daemon, r1, r2, "vrf blue")
    assert told(daemon) == ("waiting", "no-vrf") and r1.link("pw0")
    for _ in range(2):
        make_vrf(r1)
        wait_for(lambda: told(daemon) == ("up", "none"), "the session to be up")
        assert master(r1) == "blue"
        r1.ip("link", "set", "pw0", "nomaster")
        wait_for(lambda: master(r1) == "blue", "it to be put back")
        r1.ip("link", "del", "blue")
        wait_for(lambda: told(daemon) == ("waiting", "no-vrf"), "the session to wait")


def test_a_bridge_is_no_vrf(daemon, r1, r2):
    """The kernel would make it a port."""
    r1.ip("link", "add", "br0", "up", "type", "bridge")
    add(daemon, r1, r2, "vrf br0")
    assert told(daemon) == ("waiting", "no-vrf") and master(r1) is None


@pytest.mark.parametrize("name, words", [("pw0", ""), ("pw0.7", "pw_type eth-vlan vlan_id 7")])
def test_addresses_survive_joining_and_leaving(daemon, r1, r2, name, words):
    """Either takes the interface down, which costs it its IPv6 addresses."""
    make_vrf(r1)
    r1.ip("link", "add", "br0", "up", "type", "bridge")
    add(daemon, r1, r2, words)
    wait_for(lambda: r1.link(name), "the interface")
    for address in ("192.168.9.1/24", "fd09::1/64"):
        r1.ip("address", "add", address, "dev", name, *(["nodad"] if ":" in address else []))
    for change, joined in (("vrf blue", "blue"), ("cookie 01020304", "blue"), ("bridge br0", "br0"),
                           ("vrf blue", "blue"), ("no-vrf", None)):
        ctl(daemon, f"set session tunnel_id 1 session_id 11 {change}")
        wait_for(lambda: master(r1, name) == joined and "UP" in r1.link(name)["flags"], f"{change} to be done")
        wait_for(lambda: addresses(r1, name) == ADDRESSES, f"the addresses after {change}")
        assert told(daemon) == ("up", "none")


def test_what_others_joined_is_put_back(daemon, r1, r2):
    make_vrf(r1)
    add(daemon, r1, r2)
    r1.ip("link", "set", "pw0", "master", "blue")
    index = r1.link("pw0")["ifindex"]
    ctl(daemon, "set session tunnel_id 1 session_id 11 cookie 01020304")
    wait_for(lambda: (r1.link("pw0") or {"ifindex": index})["ifindex"] != index, "another interface")
    wait_for(lambda: master(r1) == "blue", "the VRF of others")


def test_the_tunnel_is_outside_and_the_session_inside(daemons, r1, r2):
    """The same network is in a VRF at one end, and in none at the other."""
    near, far = daemons
    make_vrf(r1)
    add(near, r1, r2, "vrf blue")
    add(far, r2, r1)
    for router, number in ((r1, 1), (r2, 2)):
        wait_for(lambda: "UP" in (router.link("pw0") or {"flags": []})["flags"], "the interface")
        router.ip("address", "add", f"192.168.9.{number}/24", "dev", "pw0")
    assert "192.168.9.0/24" in r1.ip("route", "show", "table", "10")
    assert "192.168.9.0/24" not in r1.ip("route", "show")
    assert r1.run("ping", "-c", "1", "-W", "5", "-I", "blue", "192.168.9.2").returncode == 0
    # What is in the VRF cannot carry the tunnel: neither its address nor a route there.
    r1.ip("address", "add", "10.9.0.1/24", "dev", "pw0")
    ctl(near, "add tunnel tunnel_id 2 peer_tunnel_id 2 local 10.9.0.1 remote 10.9.0.2 udp_sport 5002")
    wait_for(lambda: "address-in-vrf" in ctl(near, "-d show tunnel tunnel_id 2"), "tunnel 2 to wait")
