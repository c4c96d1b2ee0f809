"""Pseudowires as Observium sees them, on a real kernel: their ports are found in IF-MIB."""
from lib import observium
from lib.netconf import L2TP
from lib.snmp import ROOT
from lib.waiting import wait_for
from test_kernel_facts import eth, udp_tunnel

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
