"""The SNMP door through a real snmpd: walks, sets, snmpd coming and going, and three managers."""
import contextlib
import ipaddress
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import snmp_wire, table  # noqa: E402
from lib.agentx import column  # noqa: E402
from lib.built import need_built  # noqa: E402
from lib.daemons import BUILD, CHECKOUT, L2TPV3CTL, L2TPV3D, L2tpv3d, Snmpd  # noqa: E402
from lib.here import Here  # noqa: E402
from lib.netconf import BASE, L2TP  # noqa: E402
from lib.snmp import ROOT, Manager, SnmpError  # noqa: E402
from lib.waiting import wait_for  # noqa: E402

need_built(L2TPV3D, L2TPV3CTL)
ACTIVE, NOT_IN_SERVICE, NOT_READY, CREATE_AND_GO, CREATE_AND_WAIT, DESTROY = range(1, 7)
TUNNEL_STATUS, SESSION_STATUS = 24, 23
LOCAL, REMOTE = "c0000201", "c0000202"
USER, AUTH, PRIV = "manager", "passphrase to authenticate", "passphrase for privacy"
NODE = BUILD / "npm"  # where npm puts net-snmp for Node.js

CONFIG = f"""<l2tpv3 xmlns="{L2TP}">
<tunnel><tunnel-id>1</tunnel-id><peer-tunnel-id>2</peer-tunnel-id>
 <local-address>192.0.2.1</local-address><remote-address>192.0.2.2</remote-address>
 <description>first, "quoted"</description><udp-checksum>true</udp-checksum>
 <session><session-id>11</session-id><peer-session-id>4294967295</peer-session-id>
  <interface-name>one</interface-name><mtu>1400</mtu><tx-cookie>0102030405060708</tx-cookie>
  <rx-cookie>a1a2a3a4</rx-cookie><sequencing>both</sequencing><reorder-timeout>100</reorder-timeout>
  <lns-mode>true</lns-mode><dead-interval>60</dead-interval></session>
 <session><session-id>4294967295</session-id><peer-session-id>1</peer-session-id>
  <pseudowire-type>ethernet-vlan</pseudowire-type><vlan-id>7</vlan-id></session></tunnel>
<tunnel><tunnel-id>2147483648</tunnel-id><peer-tunnel-id>2</peer-tunnel-id>
 <encapsulation>ip</encapsulation><local-interface>eth0</local-interface>
 <remote-address>192.0.2.9</remote-address><enabled>false</enabled>
 <session><session-id>12</session-id><peer-session-id>3</peer-session-id></session></tunnel>
<tunnel><tunnel-id>4294967295</tunnel-id><peer-tunnel-id>1</peer-tunnel-id>
 <local-address>2001:db8::1</local-address><remote-address>2001:db8::2</remote-address>
 <session><session-id>1</session-id><peer-session-id>3</peer-session-id>
  <pseudowire-type>ppp</pseudowire-type></session>
 <session><session-id>2147483647</session-id><peer-session-id>3</peer-session-id>
  <mac-address>02:00:00:00:00:01</mac-address><link-enabled>false</link-enabled></session></tunnel>
</l2tpv3>"""


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Bench:
    def __init__(self, folder, *snmpd_config):
        self.snmpd = Snmpd(Here(), folder / "snmpd", *snmpd_config, port=free_port())
        self.daemon = L2tpv3d(Here(), folder, snmp_master=self.snmpd.master, kernel="sim")
        self.snmp = self.snmpd.manager()

    def start(self):
        self.snmpd.start()
        self.daemon.start()
        self.wait_until_served()
        return self

    def wait_until_served(self):
        impatient = Manager(Here(), self.snmpd.address, seconds=1)
        return wait_for(lambda: impatient.get(column(1, 1, 0)), "the MIB to be served")

    def stop(self):
        status = self.daemon.stop() if self.daemon.running else 0
        if self.snmpd.running:
            self.snmpd.stop()
        assert status == 0 and "ERROR: " not in self.daemon.log(), self.daemon.log()

    def push(self, config):
        with self.daemon.netconf() as client:
            client.edit_config(config)

    def config(self):
        return self.daemon.ctl("get-config").stdout

    def last_error(self):
        return self.snmp.get(column(1, 12, 0)).decode()


@pytest.fixture
def own_bench(tmp_path):
    """A bench of the test's own, not started; what still runs in the end is stopped."""
    made = []

    def make(*snmpd_config):
        made.append(Bench(tmp_path, *snmpd_config))
        return made[0]

    yield make
    for bench in made:
        bench.stop()


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    bench = Bench(tmp_path_factory.mktemp("snmp"), f'createUser {USER} SHA-256 "{AUTH}" AES "{PRIV}"', f"rwuser {USER} priv").start()
    yield bench
    bench.stop()


@pytest.fixture
def bench(shared):
    """With nothing configured."""
    shared.daemon.ctl("push", "--replace", "-", input=f'<l2tpv3 xmlns="{L2TP}"/>')
    wait_for(lambda: shared.snmp.get(column(1, 4, 0)) == 0, "all to be gone")
    return shared


def tunnel(number, *more):
    return [(column(2, TUNNEL_STATUS, number), "i", CREATE_AND_GO),
            (column(2, 3, number), "u", 7), (column(2, 5, number), "i", 1),
            (column(2, 6, number), "x", LOCAL), (column(2, 8, number), "i", 1),
            (column(2, 9, number), "x", REMOTE), (column(2, 10, number), "u", 5000 + number), *more]


def session(tunnel_id, number, *more):
    return [(column(4, SESSION_STATUS, tunnel_id, number), "i", CREATE_AND_GO),
            (column(4, 3, tunnel_id, number), "u", 9), *more]


def order(oid):
    return [int(part) for part in oid.split(".")]


# ---- reading


def expected(row, text):
    """What SNMP shows of a leaf's text."""
    if row.type == "bool":
        return {"true": 1, "false": 2}[text]
    if row.type == "enum":
        return next(word["value"] for word in row.words if word["name"] == text)
    if row.type == "address":
        return ipaddress.ip_address(text).packed
    if row.type in ("mac", "cookie"):
        return bytes.fromhex(text.replace(":", ""))
    return int(text) if row.type in ("u16", "u32", "counter") else text.encode()


def agrees(row, text, value):
    if row.type == "time":
        return isinstance(value, int)
    if text is not None:
        return value == expected(row, text)
    absent = [0, 2, b""] + ([expected(row, row.fallback)] if row.fallback else [])
    return value in absent


def check_entry(walk, entry, name, index):
    """Take what the walk says of an entry out of it, comparing with NETCONF."""
    for row in table.rows():
        if row.object != name or not row.mib_table or row.access == "key":
            continue
        value = walk.pop(column(row.mib_table, row.mib_column, *index))
        leaf = entry.find(f"{{*}}statistics/{{*}}{row.leaf}" if row.part == "statistics"
                          else f"{{*}}{row.leaf}")
        text = None if leaf is None else leaf.text or ""
        assert agrees(row, text, value), (row.leaf, text, value)
        if row.type == "address":
            kind = walk.pop(column(row.mib_table, row.mib_column - 1, *index))
            assert kind == {0: 0, 4: 1, 16: 2}[len(value)]


def test_a_walk_is_ordered_and_says_what_netconf_says(bench):
    bench.push(CONFIG)
    with bench.daemon.netconf() as client:
        data = client.get()
    walk = bench.snmp.walk()
    oids = list(walk)
    assert oids == sorted(oids, key=order)
    interfaces = {}
    for found in data.iter(f"{{{L2TP}}}tunnel"):
        t = int(found.findtext("{*}tunnel-id"))
        check_entry(walk, found, "tunnel", (t,))
        assert walk.pop(column(2, 23, t)) == 3
        assert walk.pop(column(2, TUNNEL_STATUS, t)) == (NOT_IN_SERVICE if t == 2147483648 else ACTIVE)
        for inner in found.iter(f"{{{L2TP}}}session"):
            s = int(inner.findtext("{*}session-id"))
            if inner.find("{*}if-index") is not None:
                interfaces[int(inner.findtext("{*}if-index"))] = t, s
            check_entry(walk, inner, "session", (t, s))
            assert walk.pop(column(4, 22, t, s)) == 3
            assert walk.pop(column(4, SESSION_STATUS, t, s)) == ACTIVE
    assert len(interfaces) == 3
    for index, ids in interfaces.items():
        assert (walk.pop(column(7, 1, index)), walk.pop(column(7, 2, index))) == ids
    assert [walk.pop(column(1, n, 0)) for n in range(4, 8)] == [3, 2, 5, 3]  # of one the link is down
    assert set(walk) == {column(1, n, 0) for n in (1, 2, 3, *range(8, 19))}


@pytest.mark.parametrize("repetitions", [1, 2, 10, 50, 100])
def test_bulk_walks_find_the_same(bench, repetitions):
    bench.push(CONFIG)
    times = {column(1, 8, 0)}
    walk, bulk = bench.snmp.walk(), bench.snmp.bulk_walk(repetitions=repetitions)
    assert list(walk) == list(bulk)
    assert {k: v for k, v in walk.items() if k not in times} == \
           {k: v for k, v in bulk.items() if k not in times}


def test_several_columns_in_one_bulk(bench):
    bench.push(CONFIG)
    shown = bench.snmp.tool("snmpbulkget", "-Cn0", "-Cr4", column(4, 3), column(4, 6), column(2, 24))
    rows = [line.split(" = ")[0].removeprefix(f".{ROOT}.1.") for line in shown.splitlines()]
    assert rows == ["4.1.3.1.11", "4.1.6.1.11", "2.1.24.1",
                    "4.1.3.1.4294967295", "4.1.6.1.4294967295", "2.1.24.2147483648",
                    "4.1.3.2147483648.12", "4.1.6.2147483648.12", "2.1.24.4294967295",
                    "4.1.3.4294967295.1", "4.1.6.4294967295.1", "3.1.1.1"]


def test_holes(bench):
    bench.push(CONFIG)
    for oid in (column(2, 1, 1), column(2, 25, 1), column(2, 3, 2), column(2, 3, 1, 0),
                column(2, 3, 0), column(4, 3, 1), column(4, 3, 1, 12), column(4, 3, 1, 11, 1),
                column(1, 19, 0), column(8, 1), f"{ROOT}.1.8.1.0", column(1, 1, 1), column(7, 1, 4294967295), f"{ROOT}.0.1", ROOT,
                f"{ROOT}.2.1.1", f"{ROOT}.1.8.1.1.1"):
        assert bench.snmp.get(oid) is None, oid
    assert bench.snmp.get_next(column(2, 3, 2))[0] == column(2, 3, 2147483648)
    assert bench.snmp.get_next(column(2, 3, 4294967295))[0] == column(2, 4, 1)
    assert bench.snmp.get_next(f"{ROOT}.0")[0] == column(1, 1, 0)
    assert not bench.snmp.get_next(f"{ROOT}.2")[0].startswith(f"{ROOT}.1")


def test_a_table_outside_of_the_view_costs_nothing(own_bench):
    """snmpd must not ask for its instances one by one until it finds one in the view."""
    own = own_bench(f"view part included .{ROOT}.1.5", "rocommunity part default -V part").start()
    own.snmp.set(*tunnel(1), *(varbind for number in range(1, 31) for varbind in session(1, number)))
    limited = own.snmpd.manager("part")

    def reads():
        return int(Path(f"/proc/{own.daemon.pid}/io").read_text().split("syscr: ")[1].split()[0])

    def costs_nothing(oid, following):
        before = reads()
        found, value = limited.get_next(oid)
        assert (value, found if value is not None else None) == (None if following is None else 0, following)
        return reads() - before < 60  # two a request; the rows of tables 4, 6 and 7 are 23 * 30

    for oid, following in ((ROOT, column(5, 1, 1, 1)), (column(5, 11, 1, 30), None)):
        wait_for(lambda: costs_nothing(oid, following), "its cost, with all tables registered", 10)


def test_a_get_of_too_much_is_refused_at_once_and_the_rest_goes_on(bench):
    bench.snmp.set(*tunnel(1, (column(2, 2, 1), "s", 64 * "d")))
    with contextlib.closing(snmp_wire.Wire(int(bench.snmpd.address.split(":")[-1]), seconds=5)) as wire:
        status, _, _ = wire.ask(snmp_wire.GET, [(column(2, 2, 1), (snmp_wire.NULL, b""))] * 700)
        assert status == "tooBig"
        assert wire.get(column(2, 2, 1)) == 64 * b"d"
    assert "lost the AgentX master" not in bench.daemon.log()


def test_time_stamps_keep_still(bench):
    bench.push(CONFIG)
    stamps = [column(2, 21, 1), column(3, 11, 1), column(1, 8, 0)]
    before = bench.snmp.get(*stamps)
    time.sleep(0.3)
    assert bench.snmp.get(*stamps) == before
    assert all(stamp > 0 for stamp in before)


def test_version_1_does_not_see_64_bits(bench):
    bench.push(CONFIG)
    old = Manager(Here(), bench.snmpd.address)
    old.options[0] = "-v1"
    assert old.get(column(2, 3, 1)) == 2
    with pytest.raises(SnmpError) as error:
        old.get(column(3, 1, 1))
    assert error.value.status == "noSuchName"


# ---- setting

REFUSED = [
    ("wrongType", [(column(2, 3, 1), "i", 5)], 0),
    ("wrongType", [(column(2, 12, 1), "u", 1)], 0),
    ("wrongType", [(column(6, 1, 1, 11), "o", "1.3")], 0),
    ("wrongLength", [(column(2, 9, 1), "x", "c00002")], 0),
    ("wrongLength", [(column(6, 1, 1, 11), "x", "0102030405")], 0),
    ("wrongLength", [(column(2, 2, 1), "s", 65 * "d")], 0),
    ("wrongLength", [(column(4, 6, 1, 11), "s", 16 * "i")], 0),
    ("wrongValue", [(column(2, 3, 1), "u", 0)], 0),
    ("wrongValue", [(column(2, 10, 1), "u", 65536)], 0),
    ("wrongValue", [(column(4, 7, 1, 11), "u", 67)], 0),
    ("wrongValue", [(column(4, 4, 1, 11), "i", 6)], 0),
    ("wrongValue", [(column(2, 12, 1), "i", 0)], 0),
    ("wrongValue", [(column(4, 6, 1, 11), "s", "a/b")], 0),
    ("wrongValue", [(column(2, TUNNEL_STATUS, 1), "i", NOT_READY)], 0),
    ("wrongValue", [(column(2, TUNNEL_STATUS, 1), "i", 7)], 0),
    ("wrongValue", [(column(2, 23, 1), "i", 4)], 0),
    ("wrongValue", [(column(2, 2, 1), "s", "a"), (column(2, 8, 1), "i", 16)], 1),
    ("notWritable", [(column(2, 15, 1), "i", 1)], 0),
    ("notWritable", [(column(1, 1, 0), "s", "x")], 0),
    ("notWritable", [(column(2, 1, 1), "u", 5)], 0),
    ("notWritable", [(column(2, 3, 1), "u", 5), (column(3, 1, 1), "u", 5)], 1),
    ("noCreation", [(column(2, 3, 0), "u", 5)], 0),
    ("noCreation", [(column(2, 3, 1, 1), "u", 5)], 0),
    ("noCreation", [(column(4, 3, 1), "u", 5)], 0),
    ("inconsistentName", [(column(2, 3, 9), "u", 5)], 0),
    ("inconsistentName", [(column(2, 2, 1), "s", "a"), (column(6, 1, 1, 99), "x", "01020304")], 1),
    ("inconsistentName", session(9, 99), 0),
    ("inconsistentValue", [(column(2, TUNNEL_STATUS, 9), "i", ACTIVE)], 0),
    ("inconsistentValue", [(column(2, TUNNEL_STATUS, 9), "i", CREATE_AND_GO)], 0),
    ("inconsistentValue", [(column(2, 3, 9), "u", 5),
                           (column(2, TUNNEL_STATUS, 9), "i", CREATE_AND_GO)], 1),
    ("inconsistentValue", tunnel(1), 0),
    ("inconsistentValue", [(column(2, TUNNEL_STATUS, 1), "i", CREATE_AND_WAIT)], 0),
    ("inconsistentValue", [(column(2, 9, 1), "x", "20010db8" + 23 * "0" + "9")], 0),
    ("inconsistentValue", [(column(4, 5, 1, 11), "u", 5)], 0),
    ("inconsistentValue", [(column(2, 2, 1), "s", "a"), *session(1, 13, (column(4, 6, 1, 13), "s", "one"))], 3),
    ("inconsistentValue", [(column(2, TUNNEL_STATUS, 1), "i", DESTROY), (column(2, 2, 1), "s", "a")], 0),
    ("inconsistentValue", [(column(2, 2, 1), "s", "a"), (column(1, 10, 0), "i", 5)], 1),
    ("inconsistentValue", [*tunnel(2), *session(2, 21), *tunnel(3)[:2]], 9),
    ("inconsistentValue", [*tunnel(2), *session(2, 21), *tunnel(3)[:3]], 11),
]


@pytest.fixture(scope="module")
def configured(shared):
    shared.daemon.ctl("push", "--replace", "-", input=CONFIG)
    yield shared


@pytest.mark.parametrize("status, varbinds, blamed", REFUSED,
                         ids=[f"{n}-{case[0]}" for n, case in enumerate(REFUSED)])
def test_what_is_refused_changes_nothing(configured, status, varbinds, blamed):
    before = configured.config(), configured.snmp.get(column(1, 9, 0)), configured.snmp.get(column(1, 10, 0))
    with pytest.raises(SnmpError) as error:
        configured.snmp.set(*varbinds)
    assert (error.value.status, error.value.oid) == (status, varbinds[blamed][0])
    assert configured.last_error()
    after = configured.config(), configured.snmp.get(column(1, 9, 0)), configured.snmp.get(column(1, 10, 0))
    assert after == before


def test_the_life_of_a_row(bench):
    bench.snmp.set(*tunnel(1), *session(1, 11))
    assert bench.snmp.get(column(2, TUNNEL_STATUS, 1), column(2, 15, 1), column(4, 16, 1, 11)) == [1, 1, 1]
    bench.snmp.set((column(2, TUNNEL_STATUS, 1), "i", NOT_IN_SERVICE))
    wait_for(lambda: bench.snmp.get(column(2, 15, 1)) == 2, "the tunnel to be down")
    assert "<enabled>false</enabled>" in bench.config()
    assert bench.snmp.get(column(2, TUNNEL_STATUS, 1), column(4, SESSION_STATUS, 1, 11)) == [2, 1]
    bench.snmp.set((column(2, TUNNEL_STATUS, 1), "i", ACTIVE), (column(2, 2, 1), "s", "again"))
    wait_for(lambda: bench.snmp.get(column(4, 16, 1, 11)) == 1, "the session to be up")
    bench.snmp.set((column(2, TUNNEL_STATUS, 1), "i", DESTROY))
    wait_for(lambda: bench.snmp.get(column(2, TUNNEL_STATUS, 1)) is None, "the tunnel to be gone")
    assert bench.snmp.get(column(4, SESSION_STATUS, 1, 11)) is None
    bench.snmp.set((column(2, TUNNEL_STATUS, 1), "i", DESTROY))


def test_a_row_made_column_by_column(bench):
    status = column(2, TUNNEL_STATUS, 5)
    bench.snmp.set((status, "i", CREATE_AND_WAIT))
    for varbind in reversed(tunnel(5)[1:]):
        assert bench.snmp.get(status) == NOT_READY
        assert bench.snmp.get(varbind[0]) in (None, 0, b"", 1701)
        bench.snmp.set(varbind)
    assert bench.snmp.get(status) == NOT_IN_SERVICE
    assert "tunnel" not in bench.config()
    assert bench.snmp.get_next(column(2, 3))[0] == column(2, 3, 5)
    bench.snmp.set((status, "i", ACTIVE))
    assert bench.snmp.get(status, column(2, 15, 5)) == [ACTIVE, 1]
    assert "<tunnel-id>5</tunnel-id>" in bench.config()


def test_another_door_takes_a_pending_rows_place(bench):
    bench.snmp.set((column(2, TUNNEL_STATUS, 1), "i", CREATE_AND_WAIT), (column(2, 3, 1), "u", 77))
    bench.push(CONFIG)
    assert bench.snmp.get(column(2, 3, 1), column(2, TUNNEL_STATUS, 1)) == [2, ACTIVE]
    bench.snmp.set((column(2, TUNNEL_STATUS, 1), "i", DESTROY))
    wait_for(lambda: bench.snmp.get(column(2, TUNNEL_STATUS, 1)) is None, "no row of any kind")


def test_many_rows_are_all_made_or_none(bench):
    rows = [varbind for n in range(1, 15) for varbind in tunnel(n) + session(n, 100 + n)]
    rows = rows[:126]  # and snmpset takes 128
    with pytest.raises(SnmpError) as error:
        bench.snmp.set(*rows, (column(2, 10, 21), "u", 1), (column(2, TUNNEL_STATUS, 21), "i", CREATE_AND_GO))
    assert (error.value.status, error.value.oid) == ("inconsistentValue", column(2, TUNNEL_STATUS, 21))
    assert bench.snmp.get(column(1, 4, 0)) == 0 and "<tunnel>" not in bench.config()
    generation = bench.snmp.get(column(1, 9, 0))
    bench.snmp.set(*rows)
    assert bench.snmp.get(column(1, 5, 0), column(1, 7, 0), column(1, 9, 0)) == [14, 14, generation + 1]


def test_about_a_thousand_variable_bindings_in_one_request(bench):
    """Beyond that the request is too long for AgentX: it is refused at once, and nothing else is."""
    with contextlib.closing(snmp_wire.Wire(int(bench.snmpd.address.split(":")[-1]))) as wire:
        kinds = {"i": snmp_wire.INTEGER, "u": snmp_wire.UNSIGNED, "x": snmp_wire.OCTETS}

        def put(count):
            rows = [*tunnel(1), *(varbind for n in range(count) for varbind in session(1, 100 + n))]
            return wire.set(*((oid, (kinds[kind], bytes.fromhex(value) if kind == "x" else value))
                              for oid, kind, value in rows))

        begun = time.monotonic()
        assert put(600) == ("resourceUnavailable", column(2, TUNNEL_STATUS, 1))
        assert bench.snmp.get(column(1, 4, 0)) == 0
        assert time.monotonic() - begun < 1
        assert "octets in AgentX; allowed 65536" in bench.last_error()
        assert put(500) == ("noError", None)
        assert bench.snmp.get(column(1, 6, 0)) == 500
    assert "lost" not in bench.daemon.log()


def test_another_agents_object_in_the_same_request(bench):
    """snmpd's own, which may fail after ours was checked: all or nothing over agents too."""
    contact = "1.3.6.1.2.1.1.4.0"
    bench.snmp.set(*tunnel(1), (contact, "s", "me"))
    assert bench.snmp.get(contact) == b"me"
    with pytest.raises(SnmpError):
        bench.snmp.set(*tunnel(2), (contact, "i", 5))
    assert bench.snmp.get(column(2, TUNNEL_STATUS, 2)) is None


def test_a_netconf_lock_refuses_sets(bench):
    waiting = column(2, TUNNEL_STATUS, 9)
    bench.snmp.set((waiting, "i", CREATE_AND_WAIT))
    with bench.daemon.netconf() as client:
        client.rpc("<lock><target><running/></target></lock>")
        for varbinds in (tunnel(1), [(waiting, "i", DESTROY)], [(column(2, 2, 9), "s", "text")],
                         [(column(2, TUNNEL_STATUS, 8), "i", CREATE_AND_WAIT)],
                         [(column(2, TUNNEL_STATUS, 7), "i", DESTROY)], [(column(1, 11, 0), "i", 1)],
                         [(column(1, 10, 0), "i", bench.snmp.get(column(1, 10, 0)))]):
            with pytest.raises(SnmpError) as error:
                bench.snmp.set(*varbinds)
            assert (error.value.status, error.value.oid) == ("resourceUnavailable", varbinds[0][0])
            assert "locked" in bench.last_error()
        client.rpc("<unlock><target><running/></target></unlock>")
    bench.snmp.set(*tunnel(1), (waiting, "i", DESTROY))


def test_a_set_during_a_confirmed_commit_or_of_a_locked_part_is_refused(bench):
    """RFC 6241 section 8.4: undoing the commit would undo the SET with it. RFC 5717 binds it too."""
    bench.snmp.set(*tunnel(1), *session(1, 1), *tunnel(2))
    describe = [(column(2, 2, 1), "s", "new")]
    partial = "urn:ietf:params:xml:ns:netconf:partial-lock:1.0"
    with bench.daemon.netconf() as client:
        client.edit_config(f'<l2tpv3 xmlns="{L2TP}"><tunnel><tunnel-id>2</tunnel-id><description>d</description></tunnel></l2tpv3>',
                           "candidate")
        client.rpc("<commit><confirmed/></commit>")
        with pytest.raises(SnmpError):
            bench.snmp.set(*describe)
        assert "confirmed commit" in bench.last_error()
        client.commit()
        bench.snmp.set(*describe)
        client.rpc(f'<partial-lock xmlns="{partial}" xmlns:l="{L2TP}"><select>/l:l2tpv3/l:tunnel[l:tunnel-id="1"]</select>'
                   "</partial-lock>")
        with pytest.raises(SnmpError):
            bench.snmp.set((column(2, 2, 1), "s", "newer"))
        assert "locked this part" in bench.last_error()
        bench.snmp.set((column(2, 2, 2), "s", "free"))
    wait_for(lambda: bench.snmp.set((column(2, 2, 1), "s", "newer")) or True, "the lock to end with its session")


def test_the_spin_lock_between_two_managers(bench):
    lock = column(1, 10, 0)
    value = bench.snmp.get(lock)
    bench.snmp.set((lock, "i", value), *tunnel(1))
    with pytest.raises(SnmpError):
        bench.snmp.set((lock, "i", value), *tunnel(2))
    assert bench.snmp.get(lock) == value + 1
    assert bench.snmp.get(column(1, 4, 0)) == 1


def test_the_reason_is_told(bench):
    with pytest.raises(SnmpError):
        bench.snmp.set((column(2, TUNNEL_STATUS, 1), "i", CREATE_AND_GO), (column(2, 3, 1), "u", 5))
    assert bench.last_error().startswith("/l2tpv3/tunnel[tunnel-id='1']")
    for varbind, text in (((column(1, 11, 0), "i", 3), "l2tpv3NotificationEnable: allowed true(1) or false(2)"),
                          ((column(1, 11, 1), "i", 1), f"{column(1, 11, 1)}: there is one instance of it; allowed 0")):
        with pytest.raises(SnmpError):
            bench.snmp.set(varbind)
        assert bench.last_error() == text


# ---- snmpd comes and goes


def test_snmpd_absent_at_the_start(own_bench):
    bench = own_bench()
    bench.daemon.start()
    bench.daemon.ctl("show", "tunnel")
    bench.daemon.wait_for_log("no AgentX master at .*snmpd has to run")
    bench.snmpd.start()
    bench.wait_until_served()


def test_snmpd_restarted_and_killed(own_bench):
    bench = own_bench().start()
    for end in (bench.snmpd.stop, bench.snmpd.kill):
        bench.snmp.set((column(2, TUNNEL_STATUS, 1), "i", DESTROY))
        end()
        bench.daemon.wait_for_log("lost the AgentX master")
        bench.daemon.ctl("show", "tunnel")
        bench.snmpd.start()
        begun = time.monotonic()
        bench.wait_until_served()
        assert time.monotonic() - begun < 10
        bench.snmp.set(*tunnel(1))
        assert bench.snmp.get(column(2, 21, 1)) < 6000  # of the new sysUpTime


def test_snmpd_stopped_for_a_while(own_bench):
    """A master that hangs costs the other doors nothing, and is served when it goes on."""
    bench = own_bench().start()
    bench.snmpd.send_signal(signal.SIGSTOP)
    slowest = 0
    for _ in range(50):
        begun = time.monotonic()
        bench.daemon.ctl("show", "tunnel")
        slowest = max(slowest, time.monotonic() - begun)
        time.sleep(0.1)
    bench.snmpd.send_signal(signal.SIGCONT)
    assert slowest < 1, f"{slowest:.3f} s"
    assert bench.snmp.get(column(1, 4, 0)) == 0
    assert "lost" not in bench.daemon.log()


def test_snmpd_hangs_while_we_connect(own_bench):
    bench = own_bench()
    bench.snmpd.start()
    bench.snmpd.send_signal(signal.SIGSTOP)
    bench.daemon.start()
    for _ in range(30):
        bench.daemon.ctl("show", "tunnel")
        time.sleep(0.1)
    bench.snmpd.send_signal(signal.SIGCONT)
    bench.wait_until_served()


def test_a_second_daemon_waits_for_the_first(own_bench, tmp_path):
    bench = own_bench().start()
    other = L2tpv3d(Here(), tmp_path / "other", snmp_master=bench.snmpd.master, kernel="sim:6.1")
    other.start()
    other.wait_for_log("another subagent has registered it")
    bench.daemon.stop()
    other.wait_for_log("connected to the AgentX master")
    assert bench.snmp.get(column(1, 2, 0)).decode().startswith("simulated 6.1")
    other.stop()


def test_a_view_hides_the_cookies(own_bench):
    bench = own_bench(f"view few included .{ROOT}", f"view few excluded .{ROOT}.1.6",
                      "view few included .1.3.6.1.6",  # so that a walk ends in an OID beyond ours
                      "rocommunity limited default -V few").start()
    bench.push(CONFIG)
    limited, full = bench.snmpd.manager("limited").walk(), bench.snmp.walk()
    hidden = {oid for oid in full if oid.startswith(f"{ROOT}.1.6.")}
    assert hidden and set(full) - set(limited) == hidden


# ---- other managers


def test_net_snmps_tools_by_version_3(bench):
    bench.push(CONFIG)
    secure = Manager(Here(), bench.snmpd.address)
    secure.options[:3] = ["-v3", "-l", "authPriv", "-u", USER, "-a", "SHA-256", "-A", AUTH, "-x", "AES", "-X", PRIV]
    assert list(secure.bulk_walk()) == list(bench.snmp.walk())
    secure.set((column(2, 2, 1), "s", "version 3"))
    assert bench.snmp.get(column(2, 2, 1)) == b"version 3"
    secure.options[secure.options.index(AUTH)] = "another passphrase"
    with pytest.raises(AssertionError, match="[Aa]uthentication failure"):
        secure.get(column(2, 2, 1))


@pytest.mark.skipif(not shutil.which("mibdump"), reason="mibdump is not installed (Debian: python3-pysmi)")
def test_mibdump_reads_of_the_mib_what_the_table_says(tmp_path):
    """pysmi, another reader of MIBs than smilint and net-snmp: its OIDs are those that are served."""
    texts = subprocess.run([CHECKOUT / "mibs" / "texts"], capture_output=True, text=True)
    if texts.returncode:
        pytest.skip(texts.stderr)
    done = subprocess.run(["mibdump", "--mib-source", f"file://{CHECKOUT}/mibs", "--mib-source", f"file://{texts.stdout.strip()}",
                           "--destination-directory", tmp_path, "--destination-format", "json", "--cache-directory", tmp_path,
                           "LINUX-L2TPV3-MIB"], capture_output=True, text=True, timeout=120, env={**os.environ, "HOME": str(tmp_path)})
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "LINUX-L2TPV3-MIB.json").read_text())
    for row in table.rows():
        if row.mib_table:
            assert found[row.mib_prefix + row.descriptor]["oid"] == column(row.mib_table, row.mib_column), row
    assert [one["object"] for one in found["l2tpv3SessionEntry"]["indices"]] == ["l2tpv3TunnelId", "l2tpv3SessionId"]


@pytest.mark.parametrize("version", ["v2c", "v3"])
def test_pysnmp(bench, version):
    """In a process of its own, so that its asyncore loop is none of ours."""
    pytest.importorskip("pysnmp")
    bench.push(CONFIG)
    program = """
import json, sys
from pysnmp.hlapi import *
port, root, version, name, auth, priv = int(sys.argv[1]), *sys.argv[2:]
target = lambda: UdpTransportTarget(("127.0.0.1", port), timeout=10)
user = CommunityData("private") if version == "v2c" else UsmUserData(
    name, auth, priv, authProtocol=usmHMAC192SHA256AuthProtocol, privProtocol=usmAesCfb128Protocol)
engine = SnmpEngine()
def bulk():
    for error, status, index, found in bulkCmd(engine, user, target(), ContextData(), 0, 20,
            ObjectType(ObjectIdentity(root)), lexicographicMode=False, lookupMib=False):
        assert not error and not status, (error, status)
        yield from found
walk = {str(oid): value.prettyPrint() for oid, value in bulk()}
def put(*pairs):
    objects = [ObjectType(ObjectIdentity(oid), value) for oid, value in pairs]
    error, status, index, _ = next(setCmd(engine, user, target(), ContextData(), *objects,
                                          lookupMib=False))
    assert not error, error
    return [int(status), int(index)]
good = put((root + ".1.2.1.2.1", OctetString("pysnmp")))
bad = put((root + ".1.2.1.2.1", OctetString("no")), (root + ".1.2.1.3.1", Integer32(5)))
print(json.dumps([walk, good, bad]))
"""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", program,
                           bench.snmpd.address.split(":")[-1], ROOT, version, USER, AUTH, PRIV], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    walk, good, bad = json.loads(done.stdout)
    assert list(walk) == list(bench.snmp.walk())
    assert (good, bad) == ([0, 0], [7, 2])
    assert bench.snmp.get(column(2, 2, 1)) == b"pysnmp"


@pytest.fixture(scope="module")
def node_snmp():
    """Where npm is; tests/deps does not install it, for it brings 350 packages, and this is one manager of four."""
    if not shutil.which("npm"):
        pytest.skip("npm is not installed, which has a fourth manager (net-snmp for Node.js)")
    if not (NODE / "node_modules").exists():
        got = subprocess.run(["npm", "install", "--prefix", NODE, "--ignore-scripts", "--no-audit", "--no-fund", "--no-save",
                              "net-snmp@3"], capture_output=True, text=True)
        if got.returncode:
            pytest.skip(f"npm cannot get net-snmp: {got.stderr.strip()}")
    return NODE / "node_modules" / "net-snmp"


@pytest.mark.parametrize("version", ["v2c", "v3"])
def test_node_net_snmp(bench, version, node_snmp):
    bench.push(CONFIG)
    walk = list(bench.snmp.walk())
    program = """
const [module, port, root, version, name, authKey, privKey] = process.argv.slice(2);
const snmp = require(module), options = { port: Number(port), timeout: 10000, retries: 0 };
const session = version == "v2c" ? snmp.createSession("127.0.0.1", "private", { ...options, version: snmp.Version2c })
    : snmp.createV3Session("127.0.0.1", { name, level: snmp.SecurityLevel.authPriv, authKey, privKey,
        authProtocol: snmp.AuthProtocols.sha256, privProtocol: snmp.PrivProtocols.aes }, options);
const oids = [];
const done = error => {
    if (error) throw error;
    const put = (value, next) => session.set(
        [{ oid: root + ".1.2.1.3.1", type: snmp.ObjectType.Unsigned32, value }], next);
    put(1234, error => {
        if (error) throw error;
        put(0, error => { console.log(JSON.stringify([oids, error.status])); session.close(); });
    });
};
session.subtree(root, 20, found => found.forEach(varbind => oids.push(varbind.oid)), done);
"""
    done = subprocess.run(["node", "-e", program, "-", str(node_snmp.resolve()),
                           bench.snmpd.address.split(":")[-1], ROOT, version, USER, AUTH, PRIV], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    oids, status = json.loads(done.stdout)
    assert oids == walk
    assert status == 10
    assert bench.snmp.get(column(2, 3, 1)) == 1234
