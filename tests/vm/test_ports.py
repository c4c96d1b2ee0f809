"""What others set on a session's interface survives its re-creation; `bridge` and `ip` are the judges."""
import json
import re

import pytest

from lib.waiting import wait_for
from lib.wire import Tap, marked_frame

FLAGS = ("guard", "hairpin", "root_block", "fastleave", "isolated", "neigh_suppress", "vlan_tunnel",
         "locked", "mcast_to_unicast")
CLEARED = ("learning", "flood", "mcast_flood", "bcast_flood")
NOT_SETTINGS = re.compile("timer|^id$|_id$|^no$|num|^state$|designated|topology|config_pending|ifindex|flags")
FRAME = marked_frame()


def ctl(daemon, line):
    return daemon.ctl(*line.split())


def add(daemon, options="", ends="local 10.0.0.1 remote 10.0.0.2"):
    ctl(daemon, f"add tunnel tunnel_id 1 peer_tunnel_id 1 encap ip {ends}")
    ctl(daemon, f"add session name pw0 tunnel_id 1 session_id 1 peer_session_id 1 {options}")


def sh(router, line):
    return router.run(*line.split()).stdout


def port(router, name):
    """What `bridge` and `ip` tell of a port's settings and VLANs."""
    vlans = json.loads(sh(router, f"bridge -d -j vlan show dev {name}"))
    tunnels = sh(router, f"bridge vlan tunnelshow dev {name}")
    settings = link(router, name)["linkinfo"]["info_slave_data"]
    bridge = sh(router, f"bridge -d link show dev {name}")
    return ({key: value for key, value in settings.items() if not NOT_SETTINGS.search(key)}, vlans,
            tunnels, bridge.partition("\n")[2])


def link(router, name):
    return json.loads(sh(router, f"ip -d -j link show dev {name}"))[0]


@pytest.fixture
def bridged(daemon, r1):
    for line in ("link add br0 up type bridge vlan_filtering 1", "link add other type dummy",
                 "link set other master br0 up"):
        r1.ip(*line.split())
    return daemon


def set_all(r1, name):
    for words in ([f"{flag} on" for flag in FLAGS] + [f"{flag} off" for flag in CLEARED] +
                  ["cost 77", "priority 9", "mcast_router 2", "backup_port other"]):
        sh(r1, f"bridge link set dev {name} {words}")
    sh(r1, f"ip link set dev {name} type bridge_slave group_fwd_mask 0x4000")
    sh(r1, f"bridge vlan del dev {name} vid 1")
    for vlans in ("10 pvid untagged", "20-29", "40 untagged", "300-303",
                  "300-303 tunnel_info id 7000-7003"):
        sh(r1, f"bridge vlan add dev {name} vid {vlans}")


def make_anew(daemon, router, name, change):
    old = link(router, name)["ifindex"]
    ctl(daemon, f"set {change}")
    wait_for(lambda: link(router, name)["ifindex"] != old, "another interface")


@pytest.mark.parametrize("leaf", [True, False])
def test_a_port_is_set_as_it_was(bridged, r1, leaf):
    add(bridged, "bridge br0" if leaf else "")
    if not leaf:
        r1.ip("link", "set", "pw0", "master", "br0")
    set_all(r1, "pw0")
    before = port(r1, "pw0")
    assert before[0]["isolated"] and before[0]["cost"] == 77 and not before[0]["learning"]
    assert [vlan["vlan"] for vlan in before[1][0]["vlans"]] == [10, 20, 40, 300]
    for change in ("session tunnel_id 1 session_id 1 cookie 0102030405060708",
                   "tunnel tunnel_id 1 peer_tunnel_id 5"):
        make_anew(bridged, r1, "pw0", change)
        assert port(r1, "pw0") == before
    assert not bridged.logged("lost what others")


def test_the_port_of_an_8021q_link_is_set_as_it_was(bridged, r1):
    add(bridged, "pseudowire-type ethernet-vlan vlan-id 7 bridge br0")
    set_all(r1, "pw0.7")
    before = port(r1, "pw0.7")
    make_anew(bridged, r1, "pw0.7", "session tunnel_id 1 session_id 1 cookie 01020304")
    assert port(r1, "pw0.7") == before


def test_what_else_others_set_comes_back_or_is_told(bridged, r1):
    add(bridged)
    for line in ("ip link set pw0 txqueuelen 77 group 5 promisc on addrgenmode none",
                 "ip link set pw0 alias customer-10",
                 "ip link property add dev pw0 altname customer10 altname longer-than-fifteen-bytes",
                 "ip address add 172.16.0.1/24 broadcast + label pw0:1 dev pw0",
                 "ip address add 172.16.0.2/24 dev pw0 valid_lft 100900 preferred_lft 90900",
                 "ip address add fd01::1/64 dev pw0 nodad",
                 "ip route add 172.17.0.0/16 via 172.16.0.9",
                 "tc qdisc add dev pw0 root handle 1: prio"):
        sh(r1, line)

    def seen():
        found = link(r1, "pw0")
        addresses = re.sub(r"(?m)^\d+: |(\d)\d{3}sec", r"\1", sh(r1, "ip -o address show dev pw0"))
        return ([found.get(key) for key in ("ifalias", "txqlen", "group", "altnames", "address",
                                            "inet6_addr_gen_mode", "flags")],
                sorted(line for line in addresses.splitlines() if "fe80:" not in line))
    before = seen()
    assert len(before[1]) == 3 and len(before[0][3]) == 2
    make_anew(bridged, r1, "pw0", "session tunnel_id 1 session_id 1 cookie 01020304")
    wait_for(lambda: seen() == before, f"{before}, and not {seen()}")
    line, = (line for line in bridged.log().splitlines() if "lost what others" in line)
    assert "routes" in line and "tc" in line
    assert not re.search("altname|addresses|alias|group|flags", line)


def test_one_customers_frames_stay_out_of_the_others_network(daemons, routers):
    near, far = daemons
    r1, r2 = routers
    r1.ip("link", "add", "br0", "up", "type", "bridge", "vlan_filtering", "1")
    for name in ("mine", "theirs"):
        for line in (f"link add {name} type veth peer name {name}-far",
                     f"link set {name} master br0 up", f"link set {name}-far up"):
            r1.ip(*line.split())
    add(near, "bridge br0")
    add(far, ends="local 10.0.0.2 remote 10.0.0.1")
    for name in ("mine", "pw0"):
        sh(r1, f"bridge vlan del dev {name} vid 1")
        sh(r1, f"bridge vlan add dev {name} vid 10 pvid untagged")
    with Tap(r1, "mine-far") as mine, Tap(r1, "theirs-far") as theirs:
        for cookie in ("01020304", "05060708", "090a0b0c"):
            with Tap(r2, "pw0") as sender:
                def arrives():
                    sender.send(FRAME)
                    return mine.arrives(FRAME, 0.5)
                wait_for(arrives, "a frame in VLAN 10")
            change = "session tunnel_id 1 session_id 1"
            make_anew(near, r1, "pw0", f"{change} peer_cookie {cookie}")
            make_anew(far, r2, "pw0", f"{change} cookie {cookie}")
        assert not theirs.arrives(FRAME, 1)


def test_a_bridge_that_goes_at_a_bad_moment_fails_nothing(bridged, r1):
    add(bridged)
    again = "ip link del br0; ip link add br0 up type bridge vlan_filtering 1"
    for number in range(6):
        r1.ip("link", "set", "pw0", "master", "br0")
        sh(r1, "bridge vlan add dev pw0 vid 10 pvid untagged")
        storm = r1.popen("sh", "-c", again)
        ctl(bridged, f"set session tunnel_id 1 session_id 1 cookie {number:08x}")
        assert storm.wait() == 0
        wait_for(lambda: "up" in ctl(bridged, "get session oper-status up").stdout,
                 "the session to be up")
    assert not bridged.logged("failed|cannot be put back|lost what others")


def test_alternative_names(bridged, r1, k1):
    for name, alternative in (("br0", "customers"), ("other", "taken"), ("wan", "uplink")):
        r1.ip("link", "property", "add", "dev", name, "altname", alternative)
    add(bridged, "bridge customers")
    assert link(r1, "pw0")["master"] == "br0"
    refused = bridged.ctl(*"add session name taken tunnel_id 1 session_id 2 peer_session_id 2".split(),
                          check=False)
    assert refused.returncode and "alternative name of interface other" in refused.stderr
    ctl(bridged, "add tunnel tunnel_id 2 peer_tunnel_id 2 encap ip local-interface uplink "
                 "remote 10.0.0.2")
    assert k1.tunnel_get(2)
