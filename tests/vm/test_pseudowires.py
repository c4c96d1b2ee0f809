"""Pseudowires as Observium sees them, on a real kernel: their ports are found in IF-MIB."""
import re

from lib import observium
from lib.daemons import CHECKOUT, L2tpv3d, Snmpd
from lib.netconf import L2TP
from lib.snmp import ROOT
from lib.waiting import wait_for
from test_kernel_facts import eth, udp_tunnel

SNMP_TRAP = "1.3.6.1.6.3.1.1.4.1.0"
STATE_CHANGE = f"{ROOT}.0.2"
PW_KINDS = ["1.3.6.1.2.1.10.246.0.1", "1.3.6.1.2.1.10.246.0.2"]  # pwDown, pwUp
UP, DOWN, LOWER_LAYER_DOWN = 1, 2, 6
ABOUT_IF_MIB = re.findall(r"^interface_.*$", (CHECKOUT / "docs/install/l2tpv3d.snmpd.conf").read_text(), re.M)
TIMES = [f"{observium.PW_ENTRY}.{column}.1001" for column in (34, 35, 36)]


def test_ports_are_joined_by_name_and_times_outlive_the_daemon(managed, snmp, r1):
    with managed.netconf() as client:
        client.edit_config(f"""<l2tpv3 xmlns="{L2TP}"><tunnel><tunnel-id>7</tunnel-id>
          <peer-tunnel-id>8</peer-tunnel-id><local-address>{r1.ip4}</local-address>
          <remote-address>{r1.peer.ip4}</remote-address><session><session-id>1001</session-id>
          <peer-session-id>2001</peer-session-id><interface-name>bern</interface-name>
          <pseudowire-id>7001</pseudowire-id></session></tunnel></l2tpv3>""")
    found = wait_for(lambda: observium.discover(snmp), "the pseudowire to be discovered")
    port = wait_for(lambda: observium.ports(snmp, found), "IF-MIB to have the interface")
    assert port == {1001: snmp.get(f"{observium.PW_ENTRY}.11.1001")}
    assert found[1001]["pwID"] == 7001 and found[1001]["peer"] == r1.peer.ip4
    assert observium.poll(snmp, found)[1001]["event"] == "ok"
    created, up, changed = snmp.get(*TIMES)
    managed.kill()
    managed.start()
    again = wait_for(lambda: (times := snmp.get(*TIMES))[0] is not None and times, "the row again")
    assert (again[0], again[2]) == (created, changed) and again[1] > up
    managed.ctl("set", "session", "tunnel_id", "7", "session_id", "1001", "link_enabled", "false")
    wait_for(lambda: observium.poll(snmp, found)[1001]["event"] == "alert", "an alert")


def test_of_foreign_sessions_with_the_same_id_one_is_a_pseudowire(managed, snmp, k1):
    for tunnel, session in ((7, 1001), (8, 1001), (9, 1002), (10, 1002)):
        k1.tunnel_create(**udp_tunnel(tunnel, port=5000 + tunnel))
        k1.session_create(**eth(session, conn_id=tunnel, ifname=f"pw{tunnel}"))
    ours = f"{ROOT}.1.4.1.3"
    wait_for(lambda: set(snmp.walk(ours)) == {f"{ours}.{row}" for row in ("7.1001", "8.1001", "9.1002", "10.1002")}, "all four to be shown")
    assert sorted(observium.discover(snmp)) == [1001, 1002]
    assert snmp.get(f"{observium.PW_ENTRY}.32.1001") in (b"pw7", b"pw8")
    managed.wait_for_log("has the id of a session of another tunnel: PW-STD-MIB shows one of the two")
    assert managed.log().count("has the id of a session of another tunnel") == 1


def test_an_interface_that_is_made_anew_is_in_if_mib_once(need_daemon, start, r1, tmp_path):
    """With what the drop-in has; else the old one would stay for five minutes, down, under the same name."""
    snmpd = start(Snmpd(r1, tmp_path / "snmpd", *ABOUT_IF_MIB))
    daemon = start(L2tpv3d(r1, tmp_path / "r1", snmp_master=snmpd.master))
    manager = snmpd.manager()

    def indexes():
        return [oid for oid, name in manager.bulk_walk(observium.IF_DESCR).items() if name == b"bern"]

    daemon.ctl("add", "tunnel", "session", "tunnel_id", "7", "peer_tunnel_id", "8", "local", r1.ip4, "remote", r1.peer.ip4,
               "encap", "ip", "session_id", "1001", "peer_session_id", "2001", "name", "bern")
    first, = wait_for(indexes, "IF-MIB to have the interface")
    daemon.ctl("set", "session", "tunnel_id", "7", "session_id", "1001", "l2spec_type", "none")
    wait_for(lambda: [len(now := indexes()), first in now] == [1, False], "IF-MIB to have the new one alone")


def test_what_becomes_of_a_pseudowire_over_a_restart_is_told(need_daemon, start, r1, snmpd, trapd, tmp_path):
    """What came about while no daemon ran, and pwUp after the pwDown that an earlier one has sent."""
    daemon = start(L2tpv3d(r1, tmp_path / "r1", "--notify", "--notify-pw", snmp_master=snmpd.master))

    def last_told(kinds, oid):
        return [trap[oid] for trap in trapd.traps() if trap.get(SNMP_TRAP) in kinds][-1:]

    def expect(state, pseudowire):
        def come():
            now = last_told([STATE_CHANGE], f"{ROOT}.1.4.1.16.7.1001"), last_told(PW_KINDS, f"{observium.PW_ENTRY}.38.1001")
            assert now == (state, pseudowire), now
            return True
        wait_for(come, f"{state} and {pseudowire} to be told last")

    with daemon.netconf() as client:
        client.edit_config(f"""<l2tpv3 xmlns="{L2TP}"><tunnel><tunnel-id>7</tunnel-id>
          <peer-tunnel-id>8</peer-tunnel-id><local-address>{r1.ip4}</local-address>
          <remote-address>{r1.peer.ip4}</remote-address><session><session-id>1001</session-id>
          <peer-session-id>2001</peer-session-id></session></tunnel></l2tpv3>""")
    expect([UP], [])
    address = f"{r1.ip4}/24", "dev", "wan"
    for recovers_meanwhile in True, False:
        r1.ip("address", "del", *address)
        expect([DOWN], [LOWER_LAYER_DOWN])
        daemon.stop()
        if recovers_meanwhile:
            r1.ip("address", "add", *address)
        daemon.start().wait_for_log("connected to the AgentX master")
        if not recovers_meanwhile:
            r1.ip("address", "add", *address)
        expect([UP], [UP])
