"""The bench itself: each program starts, each door is reached, and all show the same tunnel."""
from lib.netconf import BASE, L2TP
from lib.snmp import ROOT
from lib.waiting import wait_for

TUNNEL = f"""<l2tpv3 xmlns="{L2TP}"><tunnel><tunnel-id>7</tunnel-id><peer-tunnel-id>8</peer-tunnel-id>
  <local-address>10.0.0.1</local-address><remote-address>10.0.0.2</remote-address></tunnel></l2tpv3>"""
PEER_TUNNEL_ID = f"{ROOT}.1.2.1.3.7"
COLD_START = "1.3.6.1.6.3.1.1.5.1"


def test_every_door_is_reached_and_shows_the_same(managed, snmp, k1):
    with managed.netconf() as client:
        client.edit_config(TUNNEL)
        assert client.get().findtext(".//{*}peer-tunnel-id") == "8"
    with managed.netconf("1.0") as client:
        assert client.get_config().findtext(".//{*}peer-tunnel-id") == "8"
    assert wait_for(lambda: k1.tunnel_get(7), "the tunnel in the kernel")["peer_conn_id"] == 8
    assert snmp.get(PEER_TUNNEL_ID) == 8
    assert "Peer tunnel 8" in managed.ctl("show", "tunnel").stdout


def test_ncclient_comes_in_by_ssh(sshd):
    with sshd.ncclient() as client:
        client.edit_config(f'<config xmlns="{BASE}">{TUNNEL}</config>', target="running")
        assert "<peer-tunnel-id>8<" in client.get_config("running").xml


def test_notifications_are_received(trapd, snmpd):
    assert trapd.wait_for_trap(COLD_START)


def test_daemon_goes_on_after_kill_9(daemon, k1):
    with daemon.netconf() as client:
        client.edit_config(TUNNEL)
    daemon.kill()
    daemon.start()
    with daemon.netconf() as client:
        assert client.get_config().findtext(".//{*}peer-tunnel-id") == "8"
    assert [tunnel["conn_id"] for tunnel in k1.tunnels()] == [7]
