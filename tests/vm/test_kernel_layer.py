"""The kernel layer on a real kernel, through kernel_tool, read back by lib/genl.py, which shares no
code with it.  One test for each way in which the kernel leads one astray."""
import contextlib
import os
import subprocess
from pathlib import Path

import pytest

from lib.built import need_built
from lib.genl import ENCAP_UDP, PW_ETH, PW_PPP, Events, L2tp
from lib.machine import CHECKOUT
from lib.netns import Namespace
from lib.waiting import wait_for

TOOL = CHECKOUT / "build/tests/kernel_tool"
UDP = "tunnel add tunnel-id={} peer-tunnel-id=101 local-address=10.0.0.1 remote-address=10.0.0.2 " \
      "local-port={} remote-port=5001"
IP = "tunnel add tunnel-id={} peer-tunnel-id=101 local-address=10.0.0.1 remote-address=10.0.0.2 " \
     "encapsulation=ip"


class Tool:
    """kernel_tool kept running in a namespace: a command, its answer."""

    def __init__(self, netns, *prefix):
        arguments = [netns] if netns else []
        self.process = subprocess.Popen([*prefix, TOOL, "--real", *arguments], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(30)

    def line(self):
        line = self.process.stdout.readline()
        assert line, "kernel_tool died"
        return line.rstrip("\n")

    def __call__(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self.line() if command.split()[0] not in ("begin", "settle") else None

    def ok(self, *commands):
        for command in commands:
            answer = self(command)
            assert answer is None or answer.split()[0] in ("ok", "gone"), f"{command}: {answer}"

    def leaves(self, command):
        answer = self(command).split()
        assert answer[0] == "ok", f"{command}: {answer}"
        return dict(word.split("=", 1) for word in answer[1:])

    def batch(self, *commands):
        self("begin")
        for command in commands:
            self.process.stdin.write(command + "\n")
        first = self("submit")
        return [first] + [self.line() for _ in commands[1:]]

    def events(self):
        """Those since the last time, as lists of words."""
        found, line = [], self("events")
        while line.startswith("  "):
            found.append(line.split())
            line = self.line()
        return found

    def dump(self, what):
        count = int(self(f"dump {what}").split()[1])
        lines = [self.line().split() for _ in range(count)]
        return [dict(word.split("=", 1) for word in line[1:]) for line in lines]


def add(session_id, tunnel_id=1, more=""):
    return f"session add {tunnel_id} session-id={session_id} peer-session-id={session_id + 1000} " \
           f"interface-name=pw{session_id} {more}"


@pytest.fixture
def tool(r1):
    need_built(TOOL)
    with Tool(r1.name) as tool:
        tool.ok("connect")
        yield tool


def test_what_we_send_is_what_an_independent_reader_finds(tool, k1):
    """Ports in host order, addresses in network order, a 64-bit timeout, cookies byte by byte and
    the right way round, protocol version 3."""
    tool.ok(UDP.format(1, 5000),
            add(11, more="tx-cookie=01234567 rx-cookie=0123456789abcdef sequencing=send "
                         "reorder-timeout=60000 lns-mode=true l2-specific-sublayer=none"))
    tunnel, session = k1.tunnel_get(1), k1.session_get(conn_id=1, session_id=11)
    assert (tunnel["peer_conn_id"], tunnel["proto_version"], tunnel["encap_type"]) \
        == (101, 3, ENCAP_UDP)
    assert (tunnel["ip_saddr"], tunnel["ip_daddr"]) == ("10.0.0.1", "10.0.0.2")
    assert (tunnel["udp_sport"], tunnel["udp_dport"]) == (5000, 5001)
    assert session["cookie"] == bytes.fromhex("01234567")
    assert session["peer_cookie"] == bytes.fromhex("0123456789abcdef")
    assert (session["send_seq"], session["recv_seq"], session["lns_mode"]) == (1, 0, 1)
    assert (session["recv_timeout"], session["pw_type"]) == (60000, PW_ETH)
    assert (session["peer_session_id"], session["ifname"]) == (1011, "pw11")


@pytest.mark.parametrize("leaf, attribute, value", [
    ("udp-checksum=true", "udp_csum", 1), ("udp-checksum=false", "udp_csum", 0)])
def test_ipv4_checksum_is_sent_only_when_on(tool, k1, leaf, attribute, value):
    tool.ok(f"{UDP.format(1, 5000)} {leaf}")
    assert k1.tunnel_get(1)[attribute] == value


@pytest.mark.parametrize("tx", (True, False))
@pytest.mark.parametrize("rx", (True, False))
def test_ipv6_checksum_flags_mean_the_opposite(tool, k1, tx, rx):
    tool.ok("tunnel add tunnel-id=1 peer-tunnel-id=2 local-address=fd00::1 remote-address=fd00::2 "
            f"udp6-checksum-tx={str(tx).lower()} udp6-checksum-rx={str(rx).lower()}")
    tunnel = k1.tunnel_get(1)
    assert (tunnel["ip6_saddr"], tunnel["ip6_daddr"]) == ("fd00::1", "fd00::2")
    assert tunnel.get("udp_zero_csum6_tx", False) is not tx
    assert tunnel.get("udp_zero_csum6_rx", False) is not rx
    leaves = tool.leaves("tunnel get 1")
    assert leaves["udp6-checksum-tx"] == str(tx).lower()
    assert leaves["udp6-checksum-rx"] == str(rx).lower()
    assert "udp-checksum" not in leaves


def test_another_tunnels_session_is_not_touched(tool, k1):
    """From 6.11 on the kernel looks at the session id alone."""
    tool.ok(UDP.format(1, 5000), UDP.format(2, 5002), add(11))
    assert tool("session get 2 11") == "ENODEV"
    assert tool("session set 2 session-id=11 peer-session-id=1 lns-mode=true") == "ENODEV"
    assert tool("session del 2 11") == "ENODEV"
    assert k1.session_get(conn_id=1, session_id=11)["lns_mode"] == 0
    answers = tool.batch("session del 2 11", "session set 1 session-id=11 peer-session-id=1 "
                         "lns-mode=true", "session del 2 11", "session get 1 11")
    assert [answer.split()[0] for answer in answers] == ["ENODEV", "ok", "ENODEV", "ok"]
    assert k1.session_get(conn_id=1, session_id=11)["lns_mode"] == 1


def test_modify_changes_what_can_be_changed_and_says_nothing_of_the_rest(tool, k1):
    tool.ok(UDP.format(1, 5000), add(11, more="sequencing=both reorder-timeout=100"))
    before = k1.session_get(conn_id=1, session_id=11)
    tool.ok("session set 1 session-id=11 peer-session-id=77 tx-cookie=01234567 "
            "interface-name=other lns-mode=true")
    after = k1.session_get(conn_id=1, session_id=11)
    assert (after["lns_mode"], after["send_seq"], after["recv_seq"]) == (1, 0, 0)
    assert "recv_timeout" not in after
    for untouched in ("peer_session_id", "ifname", "pw_type"):
        assert after[untouched] == before[untouched]
    assert "cookie" not in after


def test_batch_keeps_order_over_both_sockets(tool, r1):
    answers = tool.batch(UDP.format(1, 5000), add(11), "link set pw11 up=1 mtu=1400",
                         add(12), "link get pw11", "link set pw12 mtu=1300", "link get pw12",
                         "link set pw13 up=1", add(13), "link get pw13", "session get 1 13")
    assert [answer.split()[0] for answer in answers] == ["ok"] * 7 + ["ENODEV"] + ["ok"] * 3
    assert "up=1 mtu=1400" in answers[4] and "mtu=1300" in answers[6]
    assert r1.link("pw11")["mtu"] == 1400


def test_batch_guards_do_not_run_ahead_of_creates(tool):
    answers = tool.batch(UDP.format(1, 5000), add(11), "session set 1 session-id=11 "
                         "peer-session-id=1 lns-mode=true", "session get 1 11",
                         add(12), "session del 1 12")
    assert [answer.split()[0] for answer in answers] == ["ok"] * 6
    assert "lns-mode=true" in answers[3]


def test_thousands_in_one_batch_each_get_their_own_result(tool, k1):
    tool.ok(IP.format(1))
    count = 2000
    create = "session add 1 session-id={0} peer-session-id={0} pseudowire-type=ppp"
    answers = tool.batch(*(create.format(n % 1500 + 1) for n in range(count)))
    assert answers == ["ok"] * 1500 + ["EEXIST"] * 500
    answers = tool.batch(*(f"session get 1 {n + 1}" for n in range(count)))
    for n, answer in enumerate(answers):
        assert answer.split()[:2] == (["ok", f"session-id={n + 1}"] if n < 1500 else ["ENODEV"])
    assert len(tool.dump("sessions")) == 1500 == len(k1.sessions())


def test_deleted_things_go_later(tool, r1, k1):
    tool.ok(UDP.format(1, 5000), add(11), add(12), "session del 1 11", "gone session 1 11",
            "gone link pw11", "tunnel del 1", "gone tunnel 1", "gone link pw12")
    assert not r1.link("pw11") and not r1.link("pw12")
    assert not k1.has_tunnel(1)
    tool.ok(UDP.format(1, 5000), add(11))


def test_links_are_set_and_read(tool, r1):
    r1.ip("link", "add", "br0", "type", "bridge")
    tool.ok(UDP.format(1, 5000), add(11),
            "link set pw11 up=1 mtu=1234 mac=02:00:00:00:00:07 master=br0",
            "vlan add pw11.5 pw11 5", "link set pw11.5 up=1")
    link, vlan = r1.link("pw11"), r1.link("pw11.5")
    assert (link["mtu"], link["address"], link["master"]) == (1234, "02:00:00:00:00:07", "br0")
    assert "UP" in link["flags"] and "UP" in vlan["flags"]
    assert vlan["link"] == "pw11" and vlan["linkinfo"]["info_data"]["id"] == 5
    assert tool("link del pw11") == "EOPNOTSUPP"
    tool.ok("link set pw11 master=-", "link del pw11.5")
    assert "master" not in r1.link("pw11") and not r1.link("pw11.5")
    leaves = tool.leaves("link get wan")
    assert (leaves["vlan"], leaves["parent"], leaves["up"]) == ("0", "-", "1")


def test_a_link_tells_its_alias_and_whether_it_is_dormant(tool, r1):
    def told():
        found = next(link for link in tool.dump("links") if link["name"] == "pw11")
        return found["alias"], found["dormant"]
    tool.ok(UDP.format(1, 5000), add(11), "link set pw11 up=1")
    assert told() == ("-", "0")
    tool.ok("link set pw11 alias=to-Bern dormant=1")
    assert told() == ("to-Bern", "1")
    link = r1.link("pw11")
    assert (link["ifalias"], link["operstate"], link["linkmode"]) == ("to-Bern", "DORMANT", "DORMANT")
    tool.ok("link set pw11 up=0")
    assert told() == ("to-Bern", "1")
    tool.ok("link set pw11 up=1")
    assert r1.link("pw11")["operstate"] == "DORMANT"
    r1.ip("link", "set", "pw11", "state", "up")  # the mode alone is not the state
    assert told() == ("to-Bern", "0")
    tool.ok("link set pw11 alias= dormant=0")
    assert told() == ("-", "0") and "ifalias" not in r1.link("pw11")
    assert r1.link("pw11")["operstate"] == "UP" and r1.link("pw11")["linkmode"] == "DEFAULT"
    assert tool(f"link set pw11 alias={'x' * 255}") == "ok" and told()[0] == "x" * 255
    assert tool(f"link set pw11 alias={'x' * 256}") == "ERANGE" and told()[0] == "x" * 255


def test_l2tp_keeps_the_first_name_of_an_interface(tool, r1):
    tool.ok(UDP.format(1, 5000), add(11))
    r1.ip("link", "set", "pw11", "name", "renamed")
    assert tool.leaves("session get 1 11")["interface-name"] == "pw11"
    assert tool("link get pw11") == "ENODEV"
    tool.ok("link set renamed mtu=1300")


# ---- events ----

def test_events_tell_of_others_and_not_of_ourselves(tool, r1, k1):
    tool.ok(UDP.format(1, 5000), add(11))
    k1.tunnel_create(conn_id=7, peer_conn_id=8, proto_version=3, encap_type=ENCAP_UDP,
                     ip_saddr="10.0.0.1", ip_daddr="10.0.0.2", udp_sport=7000, udp_dport=7000)
    k1.session_create(conn_id=7, session_id=71, peer_session_id=72, pw_type=PW_PPP)
    found = tool.events()
    assert [event for event in found if event[0] in ("tunnel", "session")] \
        == [["tunnel", "7", "0"], ["session", "7", "71"]]
    assert ["link", "pw11"] in [event[:2] for event in found]


def test_events_of_a_cascade_are_only_those_of_links(tool, k1):
    tool.ok(UDP.format(1, 5000), add(11))
    tool.events()
    k1.tunnel_delete(1)
    wait_for(lambda: not k1.has_tunnel(1), "tunnel 1 to go")
    seen = []

    def link_gone():
        seen.extend(tool.events())
        return ["link-gone", "pw11"] in [event[:2] for event in seen]
    wait_for(link_gone, "pw11 to go")
    assert not [event for event in seen if event[0] == "session"]


def test_events_of_other_namespaces_are_hints_at_worst(tool):
    with Namespace("other") as other, L2tp(other.name) as theirs:
        theirs.tunnel_create(conn_id=5, peer_conn_id=5, proto_version=3, encap_type=ENCAP_UDP,
                             ip_saddr="127.0.0.1", ip_daddr="127.0.0.1", udp_sport=7000,
                             udp_dport=7001)
        assert ["tunnel", "5", "0"] in tool.events()
        assert tool("tunnel get 5") == "ENODEV"


def test_port_leaving_its_bridge_is_no_link_gone(tool, r1):
    r1.ip("link", "add", "br0", "type", "bridge")
    tool.ok(UDP.format(1, 5000), add(11), "link set pw11 up=1 master=br0")
    tool.events()
    tool.ok("link set pw11 master=-")
    found = tool.events()
    assert ["link", "pw11"] in [event[:2] for event in found]
    assert not [event for event in found if event[0] == "link-gone"]


def test_lost_events_are_told(tool, r1):
    tool.ok(UDP.format(1, 5000), add(11))
    tool.events()
    with Tool(r1.name) as other:
        other.ok("connect")

        def change_until_lost():
            other.batch(*["session set 1 session-id=11 peer-session-id=1"] * 5000)
            queued = r1.run("cat", "/proc/net/netlink").stdout.splitlines()[1:]
            drops = [int(line.split()[8]) for line in queued if line.split()[1] == "16"]
            return any(drops)
        # Nobody reads: the receive buffer has an end.
        wait_for(change_until_lost, "the event socket to overflow", 120)
    assert ["lost"] in tool.events()
    assert ["lost"] not in tool.events()


def test_addresses_and_routes_are_told(tool, r1):
    tool.events()
    r1.ip("address", "add", "10.0.9.1/24", "dev", "wan")
    found = tool.events()
    assert ["address"] in found and ["route"] in found


# ---- surroundings ----

def test_addresses_and_routes_are_found(tool, r1):
    for kind, prefix in (("unreachable", "198.18.1.0/24"), ("blackhole", "198.18.2.0/24"),
                         ("prohibit", "fd98:1::/64")):
        r1.ip("route", "add", kind, prefix)
    r1.ip("address", "add", "fd00::99/64", "dev", "wan")
    # A tentative address becomes settled; either may be found, absent not.
    assert tool("address fd00::99") in ("tentative", "ready")
    wait_for(lambda: tool("address fd00::99") == "ready", "duplicate address detection")
    assert tool("address fd00::98") == "absent"
    assert tool("address 10.0.0.1") == "ready"
    assert tool("address 10.0.0.2") == "absent"
    assert tool("route 10.0.0.2") == "ok"
    assert tool("route 10.0.0.255") == "ok"  # the kernel refuses it all the same
    assert tool("route 172.16.0.1") == "ENETUNREACH"
    assert tool("route 198.18.1.1") == "EHOSTUNREACH"
    assert tool("route 198.18.2.1 10.0.0.1") == "EINVAL"
    assert tool("route fd98:1::1 fd00::1") == "EACCES"
    assert tool("route 10.0.0.2 10.0.0.1") == "ok"
    assert tool("route 10.0.0.2 10.0.0.77") == "ENETUNREACH"
    assert tool("route fd00::2") == "ok"
    assert tool("route fd77::2") == "ENETUNREACH"
    assert tool("source wan 10.0.0.2") == "ok 10.0.0.1"
    assert tool("source wan fd00::2 fd00::99") == "ok fd00::99"
    assert tool("source lo 10.0.0.2") == "EADDRNOTAVAIL "
    assert tool("source nothing 10.0.0.2") == "ENODEV "
    r1.ip("address", "add", "127.9.0.1/32", "dev", "lo")  # of this host's scope: asked for, it counts
    for interface, address, found in (("wan", "10.0.0.1", "ok"), ("wan", "fd00::99", "ok"),
                                      ("lo", "127.9.0.1", "ok"), ("lo", "10.0.0.1", "EADDRNOTAVAIL"),
                                      ("wan", "10.0.0.2", "EADDRNOTAVAIL"), ("lo", "fd00::1", "EADDRNOTAVAIL"),
                                      ("nothing", "10.0.0.1", "ENODEV")):
        assert tool(f"has {interface} {address}") == found, (interface, address)


def test_tentative_address_is_seen_as_such(tool, r1):
    r1.run("sysctl", "-w", "net.ipv6.conf.wan.dad_transmits=600")
    r1.ip("address", "add", "fd00::77/64", "dev", "wan")
    assert tool("address fd00::77") == "tentative"
    assert tool("has wan fd00::77") == "ok"
    r1.ip("address", "del", "fd00::1/64", "dev", "wan")
    assert tool("source wan fd00::2") == "EAGAIN fd00::77"
    assert tool("tunnel add tunnel-id=1 peer-tunnel-id=2 local-address=fd00::77 "
                "remote-address=fd00::2") == "EADDRNOTAVAIL"


# ---- others' objects ----

def test_foreign_nonsense_is_read(tool, k1):
    """Others need not keep to RFC 3931: cookies of 3 bytes, ids of 0, version 2."""
    k1.tunnel_create(conn_id=5, peer_conn_id=0, proto_version=2, encap_type=ENCAP_UDP,
                     ip_saddr="10.0.0.1", ip_daddr="10.0.0.2", udp_sport=7000, udp_dport=7000)
    k1.session_create(conn_id=5, session_id=51, peer_session_id=0, pw_type=PW_PPP)
    tool.ok(UDP.format(1, 5000))
    k1.session_create(conn_id=1, session_id=12, peer_session_id=0, pw_type=PW_ETH,
                      cookie=b"\x01\x02\x03", peer_cookie=b"\x01\x02\x03\x04\x05")
    assert {tunnel["tunnel-id"] for tunnel in tool.dump("tunnels")} == {"1", "5"}
    sessions = {session["session-id"]: session for session in tool.dump("sessions")}
    assert set(sessions) == {"51", "12"}
    assert (sessions["12"]["tx-cookie"], sessions["12"]["rx-cookie"]) == ("010203", "0102030405")
    assert sessions["51"]["peer-session-id"] == "0"


def test_counters_are_those_of_the_kernel(tool, r1, r2, k1, k2):
    for kernel, (mine, theirs) in ((k1, (1, 2)), (k2, (2, 1))):
        kernel.tunnel_create(conn_id=1, peer_conn_id=1, proto_version=3, encap_type=ENCAP_UDP,
                             ip_saddr=f"10.0.0.{mine}", ip_daddr=f"10.0.0.{theirs}",
                             udp_sport=5000, udp_dport=5000)
        kernel.session_create(conn_id=1, session_id=11, peer_session_id=11, pw_type=PW_ETH,
                              ifname="pw11")
    for router in (r1, r2):
        router.ip("address", "add", f"172.16.0.{router.number}/24", "dev", "pw11")
        router.ip("link", "set", "pw11", "up")
    r1.run("ping", "-c", "3", "-i", "0.2", "-w", "30", "172.16.0.2")
    r1.ip("link", "set", "pw11", "down")
    r2.ip("link", "set", "pw11", "down")
    stats = k1.session_get(conn_id=1, session_id=11)["stats"]
    leaves = tool.leaves("session get 1 11 counters")
    assert int(leaves["rx-packets"]) >= 3
    for name, value in stats.items():
        assert int(leaves[name.replace("_", "-")]) == value, name


# ---- rights, modules, namespaces ----

def test_without_the_right_it_says_which(r1):
    with Tool(None, *r1.argv("setpriv", "--reuid=65534", "--clear-groups",
                             "--inh-caps=-all")) as tool:
        answer = tool("connect")
        assert answer.startswith("EPERM ") and "CAP_NET_ADMIN" in answer
        assert tool("tunnel get 1") == "ENOENT"


L2TP_MODULES = ("l2tp_eth", "l2tp_ppp", "l2tp_ip", "l2tp_ip6", "l2tp_netlink", "l2tp_core")


def loaded(module):
    return os.path.exists(f"/sys/module/{module}")


@contextlib.contextmanager
def modules_unloaded_and_not_loadable():
    helper = Path("/proc/sys/kernel/modprobe")
    before = helper.read_text()

    def unloaded():
        for module in filter(loaded, L2TP_MODULES):
            subprocess.run(["modprobe", "-r", module], capture_output=True)
        return not loaded("l2tp_core")
    try:
        wait_for(unloaded, "the L2TP modules to be unloaded", 30)
    except AssertionError:
        pytest.skip("L2TP is in use in this guest, its modules cannot be unloaded")
    helper.write_text("/bin/false\n")
    try:
        yield
    finally:
        helper.write_text(before)


def test_without_the_module_it_says_what_to_do():
    with modules_unloaded_and_not_loadable():
        with Namespace("bare") as bare, Tool(bare.name) as tool:
            answer = tool("connect")
            assert answer.startswith("ENOENT ") and "modprobe l2tp_netlink" in answer
            assert tool("capabilities") == "ok 0"
            assert tool("dump tunnels") == "ENOENT 0"
            # It comes later: the same socket finds it.
            subprocess.run(["modprobe", "l2tp_netlink"], check=True)
            tool.ok("connect", "dump tunnels")


def test_looking_for_capabilities_loads_nothing_and_learns_from_failure():
    with modules_unloaded_and_not_loadable():
        subprocess.run(["modprobe", "l2tp_netlink"], check=True)
        with Namespace("bare") as bare, Tool(bare.name) as tool:
            bare.ip("address", "add", "10.0.0.1/24", "dev", "lo")
            tool.ok("connect")
            assert tool("capabilities") == "ok 1f"
            assert not any(map(loaded, ("l2tp_eth", "l2tp_ppp", "l2tp_ip", "l2tp_ip6")))
            assert tool(IP.format(1)) == "EPROTONOSUPPORT"
            assert tool("capabilities") == "ok 1d"
            tool.ok(UDP.format(1, 5000))
            assert tool(add(11)) == "EPROTONOSUPPORT"
            assert tool("capabilities") == "ok 15"
            subprocess.run(["modprobe", "l2tp_eth"], check=True)
            tool.ok(add(11))
            assert tool("capabilities") == "ok 1d"
            tool.ok("tunnel del 1", "settle")


def test_family_number_may_change_under_us():
    """The module goes and comes again: -ENOENT until the next connect, then all is well."""
    with modules_unloaded_and_not_loadable():
        subprocess.run(["modprobe", "l2tp_netlink"], check=True)
        with Namespace("bare") as bare, Tool(bare.name) as tool:
            tool.ok("connect", "dump tunnels")
            subprocess.run(["modprobe", "-r", "l2tp_netlink"], check=True)
            assert tool("tunnel get 1") == "ENOENT"
            subprocess.run(["modprobe", "l2tp_netlink"], check=True)
            tool.ok("connect")
            assert tool("tunnel get 1") == "ENODEV"
            with L2tp(bare.name) as others:
                bare.ip("address", "add", "10.0.0.1/24", "dev", "lo")
                others.tunnel_create(conn_id=7, peer_conn_id=8, proto_version=3,
                                     encap_type=ENCAP_UDP, ip_saddr="10.0.0.1",
                                     ip_daddr="10.0.0.1", udp_sport=7000, udp_dport=7001)
            assert ["tunnel", "7", "0"] in tool.events()


def test_sockets_stay_in_their_namespace(r1, r2):
    with Tool(r1.name) as one, Tool(r2.name) as two, L2tp(r2.name) as k2:
        one.ok("connect", UDP.format(1, 5000), add(11))
        two.ok("connect")
        assert two("tunnel get 1") == "ENODEV" and not k2.tunnels()
        assert two("link get pw11") == "ENODEV"
        assert one("address 10.0.0.1") == "ready" and two("address 10.0.0.1") == "absent"


def test_unknown_namespace_is_named():
    done = subprocess.run([TOOL, "--real", "no-such"], input="", text=True, capture_output=True)
    assert done.returncode == 2 and "no-such" in done.stderr and "ip netns add" in done.stderr


def test_event_socket_is_apart_from_requests(tool, r1):
    """A requester that listens would take its own event for the answer."""
    with Events(r1.name) as events:
        tool.ok(UDP.format(1, 5000), add(11))
        names = [name for name, _ in events.all()]
        assert names == ["tunnel_create", "session_create"]
    tool.ok("session get 1 11")
