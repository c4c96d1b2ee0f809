"""What others do to what is ours on a real kernel, and what is told of it."""
import re
import signal

import pytest
from lib.daemons import L2tpv3d
from lib.genl import ENCAP_UDP
from lib.snmp import ROOT
from lib.waiting import stays_true, wait_for
from test_durability import OPERATION, push, session, status, tunnel, wait_for_status

SNMP_TRAP = "1.3.6.1.6.3.1.1.4.1.0"
TUNNEL_STATE, SESSION_STATE, FOREIGN = (f"{ROOT}.0.{arc}" for arc in (1, 2, 3))
TUNNEL_GONE, SESSION_GONE, SESSION_DRIFT = (f"{ROOT}.0.{arc}" for arc in (5, 6, 9))
SESSION_NAME, DRIFT, DRIFT_LEAF = f"{ROOT}.1.4.1.6", f"{ROOT}.1.8.6", f"{ROOT}.1.8.7"
TOTAL_TX_PACKETS = f"{ROOT}.1.1.14.0"
DIFFERS, GONE, REMOVING = 1, 2, 5
TUNNEL_STATUS, SESSION_STATUS, TUNNEL_ORIGIN = (f"{ROOT}.1.2.1.15", f"{ROOT}.1.4.1.16",
                                                f"{ROOT}.1.2.1.18")
UP, DOWN, ORIGIN_FOREIGN = 1, 2, 2


def is_in(router, name, bridge):
    return router.link(name).get("master") == bridge


def test_a_bridge_is_joined_when_it_appears(daemon, r1):
    push(daemon, tunnel(1, session(5, interface_name="pw0", bridge="br7")))
    assert wait_for_status(daemon, "waiting", 1, 5) == ("waiting", "no-bridge")
    for _ in range(2):
        r1.ip("link", "add", "br7", "type", "bridge")
        wait_for(lambda: is_in(r1, "pw0", "br7"), "the bridge to be joined")
        assert wait_for_status(daemon, "up", 1, 5) == ("up", "none")
        r1.ip("link", "del", "br7")
        assert wait_for_status(daemon, "waiting", 1, 5) == ("waiting", "no-bridge")


def test_8021q_links_are_restored(daemon, r1):
    r1.ip("link", "add", "br7", "type", "bridge")
    push(daemon, tunnel(1, session(5, interface_name="pw0", pseudowire_type="ethernet-vlan",
                                   vlan_id=7, bridge="br7", mtu=1300)))
    wait_for(lambda: is_in(r1, "pw0.7", "br7"), "the bridge to be joined")
    r1.ip("link", "del", "pw0.7")
    wait_for(lambda: is_in(r1, "pw0.7", "br7"), "the 802.1Q link to be back")
    r1.ip("link", "set", "pw0.7", "nomaster")
    wait_for(lambda: is_in(r1, "pw0.7", "br7"), "the bridge to be joined again")
    daemon.send_signal(signal.SIGSTOP)
    r1.ip_batch("link set pw0.7 down", "link set pw0.7 name moved")
    daemon.send_signal(signal.SIGCONT)
    wait_for(lambda: "pw0.7" in r1.interfaces() and "UP" in r1.link("pw0.7")["flags"], "its name")
    push(daemon, tunnel(1, session(5, mtu=1400)))
    assert (r1.link("pw0")["mtu"], r1.link("pw0.7")["mtu"]) == (1400, 1400)
    push(daemon, tunnel(1, session(5, bridge="br7").replace(
        "<bridge>", f"<bridge {OPERATION}='remove'>")))
    assert not is_in(r1, "pw0.7", "br7")


def test_an_interface_gets_its_name_back(daemon, r1):
    push(daemon, tunnel(1, session(5, interface_name="pw0")))
    index = r1.link("pw0")["ifindex"]
    # 6.1 renames only what is down, which the daemon would mend at once
    daemon.send_signal(signal.SIGSTOP)
    r1.ip_batch("link set pw0 down", "link set pw0 name moved")
    daemon.send_signal(signal.SIGCONT)
    wait_for(lambda: "pw0" in r1.interfaces() and "UP" in r1.link("pw0")["flags"], "its name")
    assert r1.link("pw0")["ifindex"] == index
    daemon.wait_for_log("interface-name; restoring it")


def test_the_kernels_mtu_is_put_back(daemon, r1):
    r1.ip("link", "set", "wan", "mtu", "1400")
    push(daemon, tunnel(1, session(5, interface_name="pw0")))
    chosen = r1.link("pw0")["mtu"]
    push(daemon, tunnel(1, session(5, tx_cookie="0102030405060708")))
    assert r1.link("pw0")["mtu"] == chosen - 8


def test_a_repair_spares_what_others_made(daemon, r1, k1):
    push(daemon, tunnel(1, session(5)).replace(
        "<local-address>10.0.0.1</local-address>", "<local-interface>wan</local-interface>"))
    r1.ip("l2tp", "add", "session", "tunnel_id", "1", "session_id", "99", "peer_session_id", "99",
          "name", "theirs")
    wait_for_status(daemon, "down", 1, 99)  # as ip leaves its interface
    r1.ip("address", "del", "10.0.0.1/24", "dev", "wan")
    r1.ip("address", "add", "10.0.0.5/24", "dev", "wan")
    daemon.wait_for_log("tunnel 1 failed")
    assert stays_true(lambda: k1.has_session(conn_id=1, session_id=99), 1)


def test_another_address_of_the_interface_moves_no_tunnel(daemon, r1, k1):
    push(daemon, tunnel(1, session(5, interface_name="pw0")).replace(
        "<local-address>10.0.0.1</local-address>", "<local-interface>wan</local-interface>").replace(
        "10.0.0.2", "fd00::2"))
    wait_for_status(daemon, "up", 1, 5)
    index = r1.link("pw0")["ifindex"]
    # the kernel lists the newest first
    r1.ip("address", "add", "fd00::99/64", "dev", "wan", "nodad")
    assert stays_true(lambda: "pw0" in r1.interfaces() and r1.link("pw0")["ifindex"] == index, 1)
    daemon.restart()
    assert stays_true(lambda: "pw0" in r1.interfaces() and r1.link("pw0")["ifindex"] == index, 1)
    r1.ip("address", "del", "fd00::1/64", "dev", "wan")
    wait_for(lambda: k1.tunnel_get(1) and k1.tunnel_get(1)["ip6_saddr"] == "fd00::99",
             "the tunnel to have the other address")


def test_what_cannot_be_configured_is_not_adopted(daemon, r1, k1):
    r1.ip("l2tp", "add", "tunnel", "tunnel_id", "7", "peer_tunnel_id", "8", "encap", "udp", "local",
          "10.0.0.1", "remote", "224.0.0.1", "udp_sport", "1700", "udp_dport", "1700")
    wait_for(lambda: status(daemon, 7), "the daemon to see it")
    refused = daemon.ctl("adopt", "tunnel_id", "7", check=False)
    assert refused.returncode == 1 and "remote-address" in refused.stderr, refused.stderr
    assert daemon.restart().running


def test_another_version_of_l2tp_is_not_adopted(daemon, r1, k1):
    k1.tunnel_create(conn_id=7, peer_conn_id=8, proto_version=2, encap_type=ENCAP_UDP,
                     ip_saddr="10.0.0.1", ip_daddr="10.0.0.2", udp_sport=1700, udp_dport=1700)
    wait_for_status(daemon, "up", 7)
    refused = daemon.ctl("adopt", "tunnel_id", "7", check=False)
    assert refused.returncode == 1 and "version 2" in refused.stderr, refused.stderr


def test_all_that_others_made_is_adopted_in_one_commit_and_the_rest_is_said(daemon, r1, k1):
    k1.tunnel_create(conn_id=7, peer_conn_id=8, proto_version=2, encap_type=ENCAP_UDP,
                     ip_saddr="10.0.0.1", ip_daddr="10.0.0.2", udp_sport=1700, udp_dport=1700)
    for tunnel_id in (20, 30):
        r1.ip("l2tp", "add", "tunnel", "tunnel_id", tunnel_id, "peer_tunnel_id", "8", "encap", "udp", "local", "10.0.0.1",
              "remote", "10.0.0.2", "udp_sport", 1700 + tunnel_id, "udp_dport", "1700")
        r1.ip("l2tp", "add", "session", "tunnel_id", tunnel_id, "session_id", tunnel_id + 1, "peer_session_id", "1")
    wait_for(lambda: status(daemon, 30, 31), "the daemon to see it")
    done = daemon.ctl("-m", "as found", "adopt", "all")
    assert done.stdout == "2 tunnels taken in one commit, 1 not taken or not whole\n"
    assert re.fullmatch(r"l2tpv3ctl: not taken: .*version 2.*\n", done.stderr), done.stderr
    history = daemon.ctl("history").stdout
    assert history.count("\n") == 1 and "2 tunnels, 2 sessions: adopt all: as found" in history
    assert daemon.ctl("adopt", "all").stdout.startswith("0 tunnels taken")


@pytest.fixture
def told(need_daemon, start, r1, snmpd, trapd, tmp_path):
    """A function: the values of a column in the notifications of a kind, as they came."""
    start(L2tpv3d(r1, tmp_path / "r1", "--notify", snmp_master=snmpd.master))
    manager = snmpd.manager()
    wait_for(lambda: manager.get(f"{ROOT}.1.1.4.0") is not None, "l2tpv3d behind snmpd")

    def values(kind, column, index):
        return [trap.get(f"{column}.{index}") for trap in trapd.traps()
                if trap.get(SNMP_TRAP) == kind and f"{column}.{index}" in trap]
    return values


def test_notifications_tell_of_the_kernel(told, start, r1):
    daemon = start.started[-1]
    push(daemon, tunnel(1, session(5, interface_name="pw0")))
    wait_for(lambda: told(SESSION_STATE, SESSION_STATUS, "1.5")[-1:] == [UP], "session up")
    wait_for(lambda: told(TUNNEL_STATE, TUNNEL_STATUS, "1")[-1:] == [UP], "tunnel up")
    r1.ip("link", "set", "wan", "down")
    wait_for(lambda: told(TUNNEL_STATE, TUNNEL_STATUS, "1")[-1] == DOWN, "tunnel down")
    wait_for(lambda: told(SESSION_STATE, SESSION_STATUS, "1.5")[-1] == DOWN, "session down")
    r1.ip("link", "set", "wan", "up")
    wait_for(lambda: told(SESSION_STATE, SESSION_STATUS, "1.5")[-1] == UP, "session up again")
    r1.ip("l2tp", "add", "tunnel", "tunnel_id", "9", "peer_tunnel_id", "9", "encap", "ip", "local",
          "10.0.0.1", "remote", "10.0.0.2")
    wait_for(lambda: told(FOREIGN, TUNNEL_ORIGIN, "9") == [ORIGIN_FOREIGN], "a foreign tunnel")
    r1.ip("l2tp", "del", "tunnel", "tunnel_id", "9")
    wait_for(lambda: told(TUNNEL_GONE, TUNNEL_STATUS, "9") == [REMOVING], "the foreign tunnel to be gone")


def test_notifications_tell_of_drift_and_of_what_has_gone(told, start, snmpd, r1):
    """And what it sent stays in the totals."""
    daemon, manager = start.started[-1], snmpd.manager()
    push(daemon, tunnel(1, session(5, interface_name="pw0", mtu=1400)))
    wait_for(lambda: told(SESSION_STATE, SESSION_STATUS, "1.5")[-1:] == [UP], "session up")
    r1.ip("link", "set", "pw0", "mtu", "1300")
    wait_for(lambda: told(SESSION_DRIFT, DRIFT_LEAF, "0") == [b"mtu"], "a leaf that differs")
    r1.ip("l2tp", "del", "session", "tunnel_id", "1", "session_id", "5")
    wait_for(lambda: told(SESSION_DRIFT, DRIFT, "0") == [DIFFERS, GONE], "a session that others deleted")
    wait_for_status(daemon, "up", 1, 5)
    wait_for(lambda: manager.get(TOTAL_TX_PACKETS) > 0, "the interface to send", 40)
    sent = manager.get(TOTAL_TX_PACKETS)
    daemon.ctl("del", "tunnel", "tunnel_id", "1")
    wait_for(lambda: told(SESSION_GONE, SESSION_NAME, "1.5") == [b"pw0"], "the session's end, with its name")
    wait_for(lambda: told(TUNNEL_GONE, TUNNEL_STATUS, "1") == [REMOVING], "the tunnel's end")
    assert manager.get(TOTAL_TX_PACKETS) >= sent
