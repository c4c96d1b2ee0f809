"""What one door accepts every door accepts, and shows; what one refuses every door refuses, with the
same path, words and code, and changes nothing: for every row of the mapping table and every kind of
value its type and limits give.

The rows come from the library itself (build/attributes json), the values from lib/values.py; what a
door has no words for, and why, is said by unable() of each door in lib/doors.py.
"""
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import doors, table  # noqa: E402
from lib.daemons import BUILD, L2TPV3CTL, L2TPV3D, L2tpv3d, Snmpd  # noqa: E402
from lib.here import Here  # noqa: E402
from lib.snmp_wire import Wire  # noqa: E402
from lib.values import Value, typical, values_of  # noqa: E402
from lib.waiting import wait_for  # noqa: E402

BUILT = L2TPV3D.exists() and L2TPV3CTL.exists() and (BUILD / "libl2tpv3d.a").exists()
pytestmark = pytest.mark.skipif(not BUILT, reason="l2tpv3d and its library are not built")
PORT = 16571

TUNNEL4 = {"peer-tunnel-id": "2", "local-address": "192.0.2.1", "remote-address": "192.0.2.2"}
TUNNEL6 = {"peer-tunnel-id": "2", "local-address": "2001:db8::1", "remote-address": "2001:db8::2"}
SESSION = {"peer-session-id": "6"}
# Configurations to start from. Of those in which a row applies one is enough, but for addresses,
# of which every one is tried against both families.
BASELINES = {
    "udp4": {"tunnel": TUNNEL4},
    "udp6": {"tunnel": TUNNEL6},
    "ip": {"tunnel": {**TUNNEL4, "encapsulation": "ip"}},
    "ethernet": {"tunnel": TUNNEL4, "session": SESSION},
    "vlan": {"tunnel": TUNNEL4, "session": {**SESSION, "pseudowire-type": "ethernet-vlan", "vlan-id": "7"}},
    "ppp": {"tunnel": TUNNEL4, "session": {**SESSION, "pseudowire-type": "ppp"}},
}
# Where a row applies, and where not, by its "when".
APPLIES = {"always": {"tunnel": ("udp4", "ip"), "session": ("ethernet", "vlan", "ppp")},
           "udp": {"tunnel": ("udp4", "udp6")}, "udp4": {"tunnel": ("udp4",)},
           "udp6": {"tunnel": ("udp6",)}, "vlan": {"session": ("vlan",)},
           "interface": {"session": ("ethernet", "vlan")}}
NOWHERE = {"always": (), "udp": ("ip",), "udp4": ("udp6", "ip"), "udp6": ("udp4", "ip"),
           "vlan": ("ethernet", "ppp"), "interface": ("ppp",)}


def baselines(row):
    if row.type == "address":
        return "udp4", "udp6"
    return APPLIES[row.when][row.object][:1]


def cases():
    if not BUILT:
        return []
    return [pytest.param(baseline, row, value, id=f"{row}-{baseline}-{value}")
            for row in doors.writable_rows() for baseline in baselines(row) for value in values_of(row)]


def inapplicable():
    return [pytest.param(baseline, row, id=f"{row}-{baseline}")
            for row in (doors.writable_rows() if BUILT else []) for baseline in NOWHERE[row.when]]


class Bench:
    """The daemon, its doors, and the configuration to start from."""

    def __init__(self, daemon, wire, folder):
        self.netconf, self.snmp = doors.NetconfDoor(daemon.netconf()), doors.SnmpDoor(wire)
        self.ctl, self.push = doors.CtlDoor(daemon.socket), doors.PushDoor(daemon.socket, folder)
        self.check = doors.CheckDoor(folder)
        self.writers = [self.netconf, self.snmp, self.ctl, self.push]
        self.readers = [self.netconf, self.snmp, self.ctl]
        self.now = None

    def start_from(self, name):
        self.check.baseline = baseline = BASELINES[name]
        if self.now != name:
            inner = "".join(doors.leaf_xml(table.row_of("tunnel", leaf), text)
                            for leaf, text in baseline["tunnel"].items())
            if "session" in baseline:
                leaves = "".join(doors.leaf_xml(table.row_of("session", leaf), text)
                                 for leaf, text in baseline["session"].items())
                inner += f"<session><session-id>{doors.SESSION_ID}</session-id>{leaves}</session>"
            outcome = self.netconf.edit(doors.entry_xml("tunnel", inner, ' nc:operation="replace"'))
            assert outcome.accepted, outcome
            self.now = name
        self.before = self.state()

    def state(self):
        return self.snmp.generation(), self.netconf.config()

    def expect_unchanged(self):
        assert self.state() == self.before

    def read_everywhere(self, row):
        """The value in force, which every door must show alike; absent and "" are one where SNMP
        has the one word for both."""
        shown = {}
        for door in self.readers:
            text = door.read(row)
            shown[door.name] = row.fallback if text is None or text == "" and row.zero_is_absent else text
        assert len(set(shown.values())) == 1, shown
        return shown["netconf"]


@pytest.fixture(scope="module")
def module_bench(tmp_path_factory):
    folder = tmp_path_factory.mktemp("doors")
    snmpd = Snmpd(Here(), folder, port=PORT).start()
    daemon = L2tpv3d(Here(), folder, snmp_master=snmpd.master, kernel="sim").start()
    wire = Wire(PORT)
    bench = Bench(daemon, wire, folder)
    wait_for(lambda: bench.snmp.generation() is not None, "the AgentX session")
    yield bench
    wire.close()
    daemon.stop()
    snmpd.stop()
    assert "ERROR: " not in daemon.log()  # a sanitizer's


@pytest.fixture
def bench(module_bench):
    return module_bench


def outcome_of(bench, door, row, value, start):
    """Of a value from this start, seen through to what it left behind."""
    bench.start_from(start)
    outcome = door.set(row, value.text)
    if door is bench.check or not outcome.accepted:
        bench.expect_unchanged()
        return outcome
    bench.now = None
    shown = bench.read_everywhere(row)
    if value.stored is not None:
        assert (shown or "") == value.stored, door.name
    return outcome


def outcomes_of(bench, row, value, start):
    """{door: outcome} of the doors that have words for it, and mean the same by them."""
    return {door.name: outcome_of(bench, door, row, value, start)
            for door in [*bench.writers, bench.check]
            if not door.unable(row, value.text) and not (value.shell and door is bench.ctl)}


def same_text(name, text, path, other):
    """SNMP's is cut to what a SnmpAdminString holds, path and all."""
    room = doors.LAST_ERROR_MAX - len(f"{path}: ".encode())
    return text == (other.encode()[:room].decode() if name == "snmp" else other)


def expect_agreement(found):
    """All doors accept, or all refuse, with the same path and words, and codes that correspond."""
    first = next(iter(found.values()))
    spoken = next((one for name, one in found.items() if name != "snmp"), first)
    for name, outcome in found.items():
        assert outcome.accepted == first.accepted, found
        if not outcome.accepted:
            assert outcome.path == first.path, found
            assert same_text(name, outcome.text, outcome.path, spoken.text), found
    if "snmp" in found and first.tag:
        assert found["snmp"].status in table.snmp_statuses(first.tag, first.app_tag), found


@pytest.mark.parametrize("start, row, value", cases())
def test_every_door_says_the_same_of(bench, start, row, value):
    found = outcomes_of(bench, row, value, start)
    if value.shell:
        # The shell has its own spelling: as if YANG's of the same value had been given.
        meant = Value(value.name, value.shell, value.shell)
        shell = outcome_of(bench, bench.ctl, row, Value(value.name, value.text, value.shell), start)
        expect_agreement({"netconf": outcome_of(bench, bench.netconf, row, meant, start),
                          "l2tpv3ctl": shell})
    expect_agreement(found)
    refused = {name: outcome for name, outcome in found.items() if not outcome.accepted}
    if value.stored is None:
        assert refused == found
    if "snmp" in refused and refused["snmp"].path == doors.path_of(row):
        assert refused["snmp"].oid == bench.snmp.oid(row)
    if value.stored is None and "l2tpv3d -n" in refused:
        assert refused["l2tpv3d -n"].line == bench.check.line(row)


@pytest.mark.parametrize("start, row", inapplicable())
def test_every_door_refuses_where_it_does_not_apply(bench, start, row):
    found = outcomes_of(bench, row, typical(row), start)
    assert set(found) == {door.name for door in [*bench.writers, bench.check]}
    expect_agreement(found)
    assert (found["netconf"].tag, found["netconf"].path) == ("unknown-element", doors.path_of(row))
    assert row.condition in found["netconf"].text
