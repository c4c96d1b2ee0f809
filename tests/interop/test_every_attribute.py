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
from lib.built import need_built  # noqa: E402
from lib.daemons import L2TPV3CTL, L2TPV3D, L2tpv3d, Snmpd  # noqa: E402
from lib.here import Here  # noqa: E402
from lib.snmp_wire import (COUNTER32, COUNTER64, INTEGER, IP_ADDRESS, NULL, OBJECT_ID,  # noqa: E402
                           OCTETS, OPAQUE, TIME_TICKS, UNSIGNED, Wire)
from lib.values import Value, typical, values_of  # noqa: E402
from lib.waiting import wait_for  # noqa: E402

need_built(L2TPV3D, L2TPV3CTL)
PORT = 16571

TUNNEL4 = {"peer-tunnel-id": "2", "local-address": "192.0.2.1", "remote-address": "192.0.2.2"}
TUNNEL6 = {"peer-tunnel-id": "2", "local-address": "2001:db8::1", "remote-address": "2001:db8::2"}
SESSION = {"peer-session-id": "6"}
# Configurations to start from. Of those in which a row applies one is enough, but for addresses,
# of which every one is tried against both families.
BASELINES = {
    "udp4": {"tunnel": TUNNEL4},
    "udp6": {"tunnel": TUNNEL6},
    "follow": {"tunnel": {"peer-tunnel-id": "2", "local-interface": "lan0", "remote-address": "192.0.2.2"}},
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


ROWS = table.rows()
WRITABLE = [row for row in ROWS if row.access == "write"]
KEYS = [row for row in ROWS if row.access == "key"]


def baselines(row):
    if row.type == "address":
        return "udp4", "udp6"
    return APPLIES[row.when][row.object][:1]


def cases():
    return [pytest.param(baseline, row, value, id=f"{row}-{baseline}-{value}")
            for row in WRITABLE for baseline in baselines(row) for value in values_of(row)]


def inapplicable():
    return [pytest.param(baseline, row, id=f"{row}-{baseline}")
            for row in WRITABLE for baseline in NOWHERE[row.when]]


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


# ---- taking a leaf back


def absent(bench, door, row):
    """Whether the door can: a column cannot be absent, but may have a value that means it."""
    return door is not bench.snmp or row.zero_is_absent or row.type == "address"


def set_to_something(bench, row):
    """To whatever it takes here that is not its default."""
    for value in values_of(row):
        if value.stored not in (None, "", row.fallback) and bench.netconf.set(row, value.text).accepted:
            bench.now = None
            return value.stored
    raise AssertionError("nothing but the default is accepted")


# One of the two, and where it applies.
NEEDED = [row for row in WRITABLE
          if row.mandatory or row.leaf in ("local-address", "local-interface", "vlan-id")]


@pytest.mark.parametrize("row", [row for row in WRITABLE if row not in NEEDED], ids=str)
def test_every_door_takes_a_leaf_back_to_its_default(bench, row):
    start = baselines(row)[0]
    for door in bench.writers:
        if not absent(bench, door, row):
            continue
        bench.start_from(start)
        stored = set_to_something(bench, row)
        assert bench.read_everywhere(row) == stored
        outcome = door.clear(row)
        assert outcome.accepted, (door.name, outcome)
        shown = bench.read_everywhere(row)
        if row.leaf == "interface-name":
            assert shown  # one is chosen when none is given, and written down
        else:
            assert (shown, bench.netconf.read(row)) == (row.fallback, None), door.name


@pytest.mark.parametrize("row", NEEDED, ids=str)
def test_every_door_keeps_what_must_be_there(bench, row):
    bench.start_from("follow" if row.leaf == "local-interface" else baselines(row)[0])
    found = {}
    for door in bench.writers:
        if absent(bench, door, row):
            found[door.name] = door.clear(row)
            bench.expect_unchanged()
    expect_agreement(found)
    assert found["netconf"].tag == "data-missing" or found["netconf"].app_tag == "vlan-id-required"


# ---- what only SNMP can say


def wrong_types(row):
    right = UNSIGNED if row.type in ("u16", "u32") else INTEGER if row.type in ("bool", "enum") else OCTETS
    others = [(INTEGER, 1), (UNSIGNED, 1), (OCTETS, b"1"), (OCTETS, b""), (NULL, b""), (OBJECT_ID, "1.3"),
              (IP_ADDRESS, b"\xc0\0\2\7"), (COUNTER32, 1), (COUNTER64, 1), (TIME_TICKS, 1), (OPAQUE, b"1")]
    return [value for value in others if value[0] != right]


@pytest.mark.parametrize("row", WRITABLE, ids=str)
def test_a_column_refuses_every_other_type(bench, row):
    bench.start_from(baselines(row)[0])
    for value in wrong_types(row):
        outcome = bench.snmp.send((bench.snmp.oid(row), value))
        assert (outcome.status, outcome.oid) == ("wrongType", bench.snmp.oid(row)), (value, outcome)
        assert outcome.path == bench.snmp.path_of(row) and "allowed" in outcome.text
    bench.expect_unchanged()


@pytest.mark.parametrize("row", [row for row in WRITABLE if row.type in ("bool", "enum")], ids=str)
def test_a_column_refuses_numbers_that_name_nothing(bench, row):
    bench.start_from(baselines(row)[0])
    known = {1, 2} if row.type == "bool" else {word["value"] for word in row.words}
    if row.leaf == "enabled":
        known = set(range(1, 7)) - {3}  # RowStatus, without notReady(3)
    for number in {*range(-1, 8), 255, 256, 257, 1 << 16 | 1, (1 << 31) - 1, -1 << 31} - known:
        outcome = bench.snmp.send((bench.snmp.oid(row), (INTEGER, number)))
        assert (outcome.status, outcome.oid) == ("wrongValue", bench.snmp.oid(row)), (number, outcome)
    bench.expect_unchanged()


@pytest.mark.parametrize("row", [row for row in WRITABLE if row.type == "address"], ids=str)
def test_an_address_is_of_its_type(bench, row):
    bench.start_from("udp4")
    kind, content = bench.snmp.type_oid(row), bench.snmp.oid(row)
    for length in set(range(1, 21)) - {4, 16}:
        outcome = bench.snmp.send((kind, (INTEGER, 1)), (content, (OCTETS, b"\1" * length)))
        assert (outcome.status, outcome.oid) == ("wrongLength", content), (length, outcome)
    for number in (-1, 3, 4, 16, 255):  # ipv4z, ipv6z, dns and none at all
        outcome = bench.snmp.send((kind, (INTEGER, number)), (content, (OCTETS, b"\1" * 4)))
        assert (outcome.status, outcome.oid) == ("wrongValue", kind), (number, outcome)
    for number, length in ((1, 16), (2, 4), (0, 4), (1, 0), (2, 0)):
        outcome = bench.snmp.send((kind, (INTEGER, number)), (content, (OCTETS, b"\1" * length)))
        assert outcome.status == "inconsistentValue" and outcome.oid in (kind, content), outcome
    bench.expect_unchanged()


# ---- what nobody can set


def refused_by_snmp(bench, row):
    oids = [bench.snmp.oid(row)] + ([bench.snmp.type_oid(row)] if row.type == "address" else [])
    for oid in oids:
        for value in ((INTEGER, 1), (UNSIGNED, 1), (OCTETS, b"")):
            outcome = bench.snmp.send((oid, value))
            assert (outcome.status, outcome.oid) == ("notWritable", oid), outcome


@pytest.mark.parametrize("row", [row for row in ROWS if row.access == "read"], ids=str)
def test_every_door_refuses_to_set_state(bench, row):
    bench.start_from("ethernet")
    text = row.words[0]["name"] if row.words else "1"
    if row.mib_table:
        refused_by_snmp(bench, row)
    found = {door.name: door.set(row, text)
             for door in (bench.netconf, bench.push, bench.check, bench.ctl)}
    bench.expect_unchanged()
    expect_agreement(found)
    assert found["netconf"].tag == "unknown-element" and found["netconf"].app_tag == "read-only"
    assert found["netconf"].path in (doors.path_of(row), doors.path_of(row).rpartition("/")[0])


# ---- keys


def key_edit(row, text):
    """Of an entry with a key spelled so, and what it needs."""
    leaves = {"tunnel": {**TUNNEL4, "encapsulation": "ip"}, "session": SESSION}[row.object]
    entry = "".join(doors.leaf_xml(table.row_of(row.object, leaf), value) for leaf, value in leaves.items())
    entry = f"<{row.object}>{doors.leaf_xml(row, text)}{entry}</{row.object}>"
    if row.object == "session":
        tunnel = "".join(doors.leaf_xml(table.row_of("tunnel", leaf), value)
                         for leaf, value in TUNNEL4.items())
        entry = f"<tunnel><tunnel-id>{doors.TUNNEL_ID}</tunnel-id>{tunnel}{entry}</tunnel>"
    return f'<l2tpv3 xmlns="{doors.L2TP}">\n{entry}\n</l2tpv3>\n'


def key_doors(bench, row, text):
    """{door: outcome} of making an entry; each unmade before the next."""
    leaves = {"tunnel": {**TUNNEL4, "encapsulation": "ip"}, "session": SESSION}[row.object]
    makers = {"netconf": lambda: bench.netconf.edit(key_edit(row, text)),
              "push": lambda: bench.push.push(key_edit(row, text)),
              "l2tpv3d -n": lambda: bench.check.check(key_edit(row, text)),
              "l2tpv3ctl": lambda: bench.ctl.add(row, text, leaves)}
    if text.isdigit() and int(text) < 1 << 32:
        makers["snmp"] = lambda: bench.snmp.create(row, int(text), leaves)
    for name, make in makers.items():
        bench.start_from("ethernet")
        outcome = make()
        if name == "l2tpv3d -n" or not outcome.accepted:
            bench.expect_unchanged()
        else:
            bench.now = None
            assert f"<{row.leaf}>{int(text, 0)}</{row.leaf}>" in bench.netconf.config(), name
            assert bench.ctl.shows(row, int(text, 0)), name
            assert bench.snmp.has_entry(row, int(text, 0)), name
        yield name, outcome


@pytest.mark.parametrize("text", ["2", "2147483647", "2147483648", "4294967294", "4294967295"])
@pytest.mark.parametrize("row", KEYS, ids=str)
def test_every_door_makes_an_entry_with_this_key(bench, row, text):
    found = dict(key_doors(bench, row, text))
    assert len(found) == 5 and all(outcome.accepted for outcome in found.values()), found


@pytest.mark.parametrize("text", ["0", "-1", "4294967296", "18446744073709551616", "18446744073709551617",
                                  "", "bogus", "1.5"])
@pytest.mark.parametrize("row", KEYS, ids=str)
def test_every_door_refuses_an_entry_with_this_key(bench, row, text):
    found = dict(key_doors(bench, row, text))
    snmp = found.pop("snmp", None)
    expect_agreement(found)
    assert (found["netconf"].tag, found["netconf"].path.rpartition("/")[2]) == ("invalid-value", row.leaf)
    # SNMP has no leaf to name: no row can have this index (RFC 3416 section 4.2.5 (7)).
    assert not snmp or (snmp.status, snmp.path) == ("noCreation", snmp.oid)
