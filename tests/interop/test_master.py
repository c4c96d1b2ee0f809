"""An interface has one master: `bridge` or `vrf`, at every door."""
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.built import need_built  # noqa: E402
from lib.daemons import L2TPV3D  # noqa: E402
from lib.doors import CheckDoor, CtlDoor, NetconfDoor, PushDoor, entry_xml  # noqa: E402
from lib.netconf import L2TP  # noqa: E402
from lib.snmp import ROOT, SnmpError  # noqa: E402
from test_snmp import Bench  # noqa: E402

need_built(L2TPV3D)
BRIDGE, VRF = f"{ROOT}.1.4.1.9.1.5", f"{ROOT}.1.4.1.28.1.5"
PATH = "/l2tpv3/tunnel[tunnel-id='1']/session[session-id='5']/vrf"
TEXT = "given bridge and vrf; allowed one of them: an interface has one master"
TUNNEL = ("<peer-tunnel-id>2</peer-tunnel-id><local-address>192.0.2.1</local-address>"
          "<remote-address>192.0.2.2</remote-address>")
SESSION = "<peer-session-id>6</peer-session-id><interface-name>pw0</interface-name>"


@pytest.fixture
def bench(tmp_path):
    bench = Bench(tmp_path).start()
    bench.push(entry_xml("tunnel", TUNNEL))
    bench.push(entry_xml("session", SESSION))
    yield bench
    bench.stop()


def master(bench):
    """{leaf: value} as NETCONF has it, which is what SNMP has."""
    with bench.daemon.netconf() as client:
        found = client.get_config()
    leaves = {name: found.findtext(f".//{{{L2TP}}}{name}") for name in ("bridge", "vrf")}
    assert [one.decode() for one in bench.snmp.get(BRIDGE, VRF)] == [leaves[name] or "" for name in ("bridge", "vrf")]
    return {name: value for name, value in leaves.items() if value}


def xml(**leaves):
    return "".join(f"<{name}>{value}</{name}>" for name, value in leaves.items())


def by_netconf(bench, folder, leaves):
    with bench.daemon.netconf() as client:
        return NetconfDoor(client).edit(entry_xml("session", xml(**leaves)))


def by_shell(bench, folder, leaves):
    door = CtlDoor(bench.daemon.socket)
    return door.run(*door.argv, *"set session tunnel_id 1 session_id 5".split(),
                    *(word for pair in leaves.items() for word in pair))


def by_push(bench, folder, leaves):
    return PushDoor(bench.daemon.socket, folder).push(entry_xml("session", xml(**leaves)))


def by_snmp(bench, folder, leaves):
    try:
        bench.snmp.set(*(({"bridge": BRIDGE, "vrf": VRF}[name], "s", value) for name, value in leaves.items()))
    except SnmpError as error:
        assert "inconsistentValue" in str(error)
        return bench.last_error()
    return None


@pytest.mark.parametrize("door", [by_netconf, by_shell, by_push, by_snmp])
def test_both_are_refused_and_one_takes_the_others_place(bench, tmp_path, door):
    told = door(bench, tmp_path, {"bridge": "br0", "vrf": "blue"})
    if door is by_snmp:
        assert TEXT in told
    else:
        assert not told.accepted and (told.path, told.text) == (PATH, TEXT)
    if door is by_netconf:
        assert (told.tag, told.app_tag) == ("bad-element", None)  # RFC 7950 section 8.3.1
    assert master(bench) == {}
    for one in ({"bridge": "br0"}, {"vrf": "blue"}, {"bridge": "br0"}):
        door(bench, tmp_path, one)
        assert master(bench) == one


def test_a_file_with_both_is_refused_before_a_start(tmp_path):
    inner = f"<session><session-id>5</session-id>{SESSION}{xml(bridge='br0', vrf='blue')}</session>"
    told = CheckDoor(tmp_path).check(entry_xml("tunnel", TUNNEL + inner))
    assert not told.accepted and (told.path, told.text) == (PATH, TEXT)
