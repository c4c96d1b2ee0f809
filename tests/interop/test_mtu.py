"""What encapsulation costs, as each door tells it."""
import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.built import need_built  # noqa: E402
from lib.daemons import L2TPV3D  # noqa: E402
from lib.netconf import L2TP, subtree  # noqa: E402
from lib.snmp import ROOT  # noqa: E402
from test_snmp import Bench  # noqa: E402

need_built(L2TPV3D)
OVERHEAD = f"{ROOT}.1.4.1.27"

# Tunnels by their id, with sessions by theirs: (leaves, {session: (leaves, octets)}).
TUNNELS = {
    1: ("<local-address>192.0.2.1</local-address><remote-address>192.0.2.2</remote-address>", {
        11: ("", 20 + 8 + 8 + 4 + 14),
        12: ("<tx-cookie>01234567</tx-cookie><rx-cookie>0123456789abcdef</rx-cookie>", 20 + 8 + 8 + 4 + 4 + 14),
        13: ("<l2-specific-sublayer>none</l2-specific-sublayer>", 20 + 8 + 8 + 14),
        14: ("<pseudowire-type>ethernet-vlan</pseudowire-type><vlan-id>7</vlan-id>", 20 + 8 + 8 + 4 + 14 + 4),
        15: ("<pseudowire-type>ppp</pseudowire-type>", 20 + 8 + 8 + 4)}),
    2: ("<encapsulation>ip</encapsulation><local-address>2001:db8::1</local-address>"
        "<remote-address>2001:db8::2</remote-address>", {
            21: ("<tx-cookie>0123456789abcdef</tx-cookie>", 40 + 4 + 8 + 4 + 14),
            22: ("<enabled>false</enabled>", 40 + 4 + 4 + 14)}),
}


def session_xml(session_id, leaves):
    return f"<session><session-id>{session_id}</session-id><peer-session-id>9</peer-session-id>{leaves}</session>"


def tunnel_xml(tunnel_id, leaves, sessions):
    return (f"<tunnel><tunnel-id>{tunnel_id}</tunnel-id><peer-tunnel-id>9</peer-tunnel-id>{leaves}"
            f"{''.join(session_xml(*each) for each in sessions)}</tunnel>")


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    bench = Bench(tmp_path_factory.mktemp("mtu")).start()
    bench.push(f"<l2tpv3 xmlns='{L2TP}'>" + "".join(
        tunnel_xml(tunnel_id, leaves, [(i, more) for i, (more, _) in sessions.items()])
        for tunnel_id, (leaves, sessions) in TUNNELS.items()) + "</l2tpv3>")
    yield bench
    bench.stop()


def told(bench, door):
    """{session: octets}"""
    if door == "snmp":
        return {int(oid.split(".")[-1]): octets for oid, octets in bench.snmp.walk(OVERHEAD).items()}
    if door == "shell":
        shown = json.loads(bench.daemon.ctl("-j", "get", "session").stdout)
        return {session["session-id"]: session["overhead"]
                for tunnel in shown["linux-l2tpv3:l2tpv3"]["tunnel"] for session in tunnel["session"]}
    with bench.daemon.netconf() as client:
        return {int(session.findtext("{*}session-id")): int(session.findtext("{*}overhead"))
                for session in client.get().iter(f"{{{L2TP}}}session")}


@pytest.mark.parametrize("door", ["netconf", "shell", "snmp"])
def test_the_overhead_is_the_sum_of_the_headers(bench, door):
    assert told(bench, door) == {i: octets for _, sessions in TUNNELS.values() for i, (_, octets) in sessions.items()}


def test_a_filter_finds_sessions_by_overhead(bench):
    with bench.daemon.netconf() as client:
        found = client.get(subtree(f'<l2tpv3 xmlns="{L2TP}"><tunnel><session><overhead>58</overhead></session>'
                                   "</tunnel></l2tpv3>"))
    assert sorted(int(found_id.text) for found_id in found.iter(f"{{{L2TP}}}session-id")) == [12, 14]


def test_the_overhead_follows_a_change_of_the_tunnel(bench):
    """Also of a disabled session, of which the kernel knows nothing."""
    for encapsulation, octets in (("udp", 40 + 8 + 8 + 4 + 14), ("ip", 40 + 4 + 4 + 14)):
        bench.daemon.ctl("set", "tunnel", "tunnel_id", "2", "encap", encapsulation)
        assert [told(bench, door)[22] for door in ("netconf", "shell", "snmp")] == [octets] * 3
