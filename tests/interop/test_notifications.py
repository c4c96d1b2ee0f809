"""SNMP notifications, as a real snmptrapd gets them through a real snmpd."""
import os
import pwd
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from lib.agentx import column  # noqa: E402
from lib.built import need_built  # noqa: E402
from lib.daemons import CHECKOUT, L2TPV3D, Snmptrapd  # noqa: E402
from lib.here import Here  # noqa: E402
from lib.netconf import BASE, L2TP  # noqa: E402
from lib.snmp import ROOT  # noqa: E402
from lib.waiting import stays_true, wait_for  # noqa: E402
from test_snmp import Bench, free_port  # noqa: E402

need_built(L2TPV3D)
(TUNNEL_STATE, SESSION_STATE, FOREIGN, RANGE, TUNNEL_GONE, SESSION_GONE, CONFIG_CHANGE, TUNNEL_DRIFT,
 SESSION_DRIFT, LOSS) = (f"{ROOT}.0.{arc}" for arc in range(1, 11))
SESSIONS, USER, DOOR, TUNNELS_TOUCHED, SESSIONS_TOUCHED = (f"{ROOT}.1.8.{n}.0" for n in range(1, 6))
SNMP_TRAP, UPTIME = "1.3.6.1.6.3.1.1.4.1.0", "1.3.6.1.2.1.1.3.0"
ENABLE = column(1, 11, 0)
UP, WAITING, REMOVING = 1, 3, 5
BURST = 600


def entries(sessions, first=1):
    sessions = "".join(f"<session><session-id>{n}</session-id><peer-session-id>{n}</peer-session-id>"
                       "</session>" for n in range(first, first + sessions))
    return (f'<l2tpv3 xmlns="{L2TP}"><tunnel><tunnel-id>1</tunnel-id>'
            "<peer-tunnel-id>1</peer-tunnel-id><local-address>192.0.2.1</local-address>"
            f"<remote-address>192.0.2.2</remote-address>{sessions}</tunnel></l2tpv3>")


class Receiver(Bench):
    """snmptrapd, snmpd and the daemon, which also gets `words` on its command line."""

    def __init__(self, folder, *words):
        self.trapd = Snmptrapd(Here(), folder / "trapd", port=free_port())
        super().__init__(folder, self.trapd.sink)
        self.daemon.argv += words

    def start(self):
        self.trapd.start()
        return super().start()

    def stop(self):
        try:
            super().stop()
        finally:
            self.trapd.stop()

    def of(self, kind):
        return [trap for trap in self.trapd.traps() if trap.get(SNMP_TRAP) == kind]


@pytest.fixture
def receiver(tmp_path):
    made = []

    def make(*words):
        made.append(Receiver(tmp_path, *words))
        return made[0].start()

    yield make
    for one in made:
        one.stop()


def objects(trap):
    """What the notification's OBJECTS say."""
    return {oid: value for oid, value in trap.items() if oid not in (SNMP_TRAP, UPTIME)}


def test_none_unless_enabled(receiver):
    bench = receiver()
    assert bench.snmp.get(ENABLE) == 2
    bench.push(entries(2))
    wait_for(lambda: bench.snmp.get(column(4, 16, 1, 2)) == UP, "the session to be up")
    # what was noted would come first
    bench.snmp.set((ENABLE, "i", 1))
    bench.push(entries(1, first=3))
    wait_for(lambda: bench.of(SESSION_STATE), "a notification")
    assert not bench.of(TUNNEL_STATE)
    assert [list(objects(trap))[0].split(".")[-1] for trap in bench.of(SESSION_STATE)] == ["3"]
    bench.snmp.set((ENABLE, "i", 2))
    bench.push(entries(1, first=4))
    assert stays_true(lambda: len(bench.of(SESSION_STATE)) == 1, 0.5)


def test_they_say_what_a_get_says(receiver):
    bench = receiver("--notify")
    assert bench.snmp.get(ENABLE) == 1
    bench.push(entries(1))
    tunnel, session = (wait_for(lambda: bench.of(kind), kind)[0]
                       for kind in (TUNNEL_STATE, SESSION_STATE))
    for trap in (tunnel, session):
        assert objects(trap) == dict(zip(objects(trap), bench.snmp.get(*objects(trap))))
    assert list(tunnel)[:2] == [UPTIME, SNMP_TRAP]


PW = "1.3.6.1.2.1.10.246"
PW_DOWN, PW_UP, PW_DELETED = (f"{PW}.0.{arc}" for arc in (1, 2, 3))


def test_pseudowires_are_told_by_range_and_up_only_after_down(receiver):
    bench = receiver("--notify-pw")
    assert bench.snmp.get(f"{PW}.1.9.0", f"{PW}.1.10.0", f"{PW}.1.11.0") == [1, 1, 200]
    bench.push(entries(3))
    bench.push(entries(1, first=9))
    wait_for(lambda: bench.snmp.get(f"{PW}.1.2.1.38.9") == UP, "the last to be up")
    ranges = [[f"{PW}.1.2.1.38.1", f"{PW}.1.2.1.38.3"], [f"{PW}.1.2.1.38.9"]]
    for enabled, kind, status in (("false", PW_DOWN, 6), ("true", PW_UP, UP)):
        bench.daemon.ctl("set", "tunnel", "tunnel_id", "1", "enabled", enabled)
        wait_for(lambda: len(bench.of(kind)) == 2, kind)  # pylint: disable=cell-var-from-loop
        told = sorted((objects(trap) for trap in bench.of(kind)), key=list)
        assert [list(trap) for trap in told] == ranges
        assert {value for trap in told for value in trap.values()} == {status}
    assert len(bench.of(PW_DOWN)) == len(bench.of(PW_UP)) == 2
    assert not bench.of(SESSION_STATE)


@pytest.fixture(scope="module")
def mib():
    """The MIB as smidump reads it."""
    run = subprocess.run([CHECKOUT / "mibs/dump"], text=True, capture_output=True, check=False)
    if run.returncode == 77:
        pytest.skip(run.stderr.strip())
    return ET.parse(run.stdout.strip())


def test_they_are_what_the_mib_says(receiver, mib):
    """Each that a simulated kernel gives cause for carries what its OBJECTS name, in their order."""
    names = {node.get("oid"): node.get("name") for kind in ("column", "scalar") for node in mib.iter(kind)}
    bench = receiver("--notify", "--notify-each", "2")
    bench.push(entries(2))
    wait_for(lambda: len(bench.of(SESSION_STATE)) == 2, "two that are told each")
    bench.push(entries(5, first=3))
    wait_for(lambda: bench.of(RANGE), "five that are summed up")
    bench.daemon.ctl("del", "session", "tunnel_id", "1", "session_id", "1")
    wait_for(lambda: bench.of(SESSION_GONE), "one that has gone")
    bench.daemon.ctl("del", "tunnel", "tunnel_id", "1")
    wait_for(lambda: bench.of(TUNNEL_GONE), "the tunnel to go")
    wait_for(lambda: bench.of(CONFIG_CHANGE), "a commit")
    for kind in (TUNNEL_STATE, SESSION_STATE, RANGE, TUNNEL_GONE, SESSION_GONE, CONFIG_CHANGE):
        notification = mib.find(f".//notification[@oid='{kind}']")
        expected = [member.get("name") for member in notification.iter("object")]
        told = [next(name for oid, name in names.items() if shown.startswith(oid + "."))
                for shown in objects(bench.of(kind)[0])]
        if kind == RANGE and len(told) < len(expected):
            expected.remove("l2tpv3SessionOperStatus")  # the same instance twice
        assert told == expected, notification.get("name")


def test_waiting_is_told(receiver):
    bench = receiver("--notify")
    bench.push(entries(1).replace("<local-address>192.0.2.1</local-address>",
                                  "<local-interface>nowhere0</local-interface>"))
    trap = wait_for(lambda: bench.of(TUNNEL_STATE), "a notification")[-1]
    assert WAITING in objects(trap).values(), trap


def test_up_to_a_number_each_comes_once(receiver):
    bench = receiver("--notify", "--notify-each", str(BURST))
    bench.push(entries(BURST))
    wait_for(lambda: len(bench.of(SESSION_STATE)) >= BURST, "all notifications")
    assert bench.snmp.get(column(1, 6, 0)) == BURST
    assert stays_true(lambda: len(bench.of(SESSION_STATE)) == BURST, 0.5)
    told = {list(objects(trap))[0] for trap in bench.of(SESSION_STATE)}
    assert len(told) == BURST and not bench.of(RANGE)


def last_id(oid):
    return int(oid.rsplit(".", 1)[1])


def ranges(bench):
    """(first session id, last, status, how many) of each that sums up."""
    found = []
    for trap in map(objects, bench.of(RANGE)):
        statuses = {last_id(oid): value for oid, value in trap.items() if oid.startswith(column(4, 16, 1))}
        assert len(set(statuses.values())) == 1 and trap[column(2, 15, 1)] in (UP, REMOVING)
        found.append((min(statuses), max(statuses), *set(statuses.values()), trap[SESSIONS]))
    return found


def test_many_sessions_of_a_tunnel_are_summed_up(receiver):
    """Few notifications tell of the last state of every session: that it is up, and then that it is gone."""
    bench = receiver("--notify")
    bench.push(entries(20 * BURST))
    every = set(range(1, 20 * BURST + 1))

    def told(kind, status):
        found = {last_id(list(objects(trap))[0]) for trap in bench.of(kind)}
        return found.union(*(range(first, last + 1) for first, last, state, _ in ranges(bench)
                             if state == status))

    wait_for(lambda: told(SESSION_STATE, UP) == every, "all to be up")
    assert len(bench.of(SESSION_STATE)) + len(bench.of(RANGE)) < 20 * BURST / 50
    bench.push(f"""<l2tpv3 xmlns="{L2TP}"><tunnel xmlns:nc="{BASE}" nc:operation="delete">
                   <tunnel-id>1</tunnel-id></tunnel></l2tpv3>""")
    wait_for(lambda: told(SESSION_GONE, REMOVING) == every, "all to be gone")
    wait_for(lambda: bench.of(TUNNEL_GONE), "the tunnel to be gone")
    assert sum(count for *_, status, count in ranges(bench) if status == UP) \
        + len(bench.of(SESSION_STATE)) == 20 * BURST
    assert bench.snmp.get(column(1, 13, 0)) == 0 and not bench.of(LOSS)


def test_no_more_are_sent_than_the_rate_allows(receiver):
    bench = receiver("--notify", "--notify-rate", "10", "--notify-pw")
    assert bench.snmp.get(f"{PW}.1.11.0") == 10
    begun = time.monotonic()
    bench.push(entries(19))
    wait_for(lambda: len(bench.of(SESSION_STATE)) == 19, "all notifications")
    assert time.monotonic() - begun > 1.8


def test_who_changed_the_configuration_and_how_much_is_told(receiver):
    bench = receiver("--notify")
    bench.push(entries(3))
    trap = objects(wait_for(lambda: bench.of(CONFIG_CHANGE), "a commit")[0])
    user = pwd.getpwuid(os.getuid()).pw_name.encode()
    generation = bench.snmp.get(column(1, 9, 0))
    assert trap == {column(1, 9, 0): generation, USER: user, DOOR: b"netconf", TUNNELS_TOUCHED: 1,
                    SESSIONS_TOUCHED: 3}
    bench.snmp.set((column(4, 2, 1, 2), "s", "by a manager"))
    trap = objects(wait_for(lambda: bench.of(CONFIG_CHANGE)[1:], "another")[0])
    assert trap == {column(1, 9, 0): generation + 1, USER: b"", DOOR: b"snmp", TUNNELS_TOUCHED: 0,
                    SESSIONS_TOUCHED: 1}
    bench.push(entries(3).replace("<session>", "<session><description>x</description>", 1))
    wait_for(lambda: len(bench.of(CONFIG_CHANGE)) == 3, "a third")
    bench.push(entries(3).replace("<session>", "<session><description>x</description>", 1))  # nothing new
    assert stays_true(lambda: len(bench.of(CONFIG_CHANGE)) == 3, 0.3)


def test_what_has_gone_still_has_its_name(receiver):
    bench = receiver("--notify", "--notify-pw")
    bench.push(entries(1).replace("<session>", "<session><interface-name>bern</interface-name>"
                                  "<pseudowire-id>7001</pseudowire-id>"))
    wait_for(lambda: bench.of(SESSION_STATE), "the session to be up")
    bench.daemon.ctl("del", "session", "tunnel_id", "1", "session_id", "1")
    trap = objects(wait_for(lambda: bench.of(SESSION_GONE), "its end")[0])
    assert trap == {column(4, 6, 1, 1): b"bern", column(4, 16, 1, 1): REMOVING}
    entry = f"{PW}.1.2.1"
    trap = objects(wait_for(lambda: bench.of(PW_DELETED), "the pseudowire's end")[0])
    assert trap == {f"{entry}.2.1": 5, f"{entry}.12.1": 7001, f"{entry}.8.1": 1,
                    f"{entry}.9.1": bytes([192, 0, 2, 2])}


def test_sysORTable_says_what_the_agent_can_do(receiver):
    """Once, also after snmpd has restarted."""
    bench = receiver()

    def entries_of_ours():
        return [oid for oid, value in bench.snmp.walk("1.3.6.1.2.1.1.9.1.2").items() if value == f"{ROOT}.2.3.1"]

    for _ in range(2):
        (oid,) = wait_for(entries_of_ours, "our entry")
        assert b"LINUX-L2TPV3-MIB" in bench.snmp.get(oid.replace(".9.1.2.", ".9.1.3."))
        bench.snmpd.kill()
        bench.snmpd.start()
        bench.wait_until_served()
    assert len(wait_for(entries_of_ours, "our entry")) == 1


def test_what_happens_without_a_master_is_told_later(receiver):
    bench = receiver("--notify")
    bench.snmpd.kill()
    bench.daemon.wait_for_log("lost the AgentX master")
    bench.push(entries(3))
    bench.daemon.ctl("del", "session", "tunnel_id", "1", "session_id", "2")
    bench.snmpd.start()
    wait_for(lambda: len(bench.of(SESSION_STATE)) >= 2, "the notifications")
    assert {list(objects(trap))[0].split(".")[-1] for trap in bench.of(SESSION_STATE)} == {"1", "3"}


def test_a_change_of_other_leaves_tells_nothing(receiver):
    bench = receiver("--notify")
    bench.push(entries(5))
    wait_for(lambda: len(bench.of(SESSION_STATE)) == 5, "the notifications")
    bench.daemon.ctl("set", "session", "tunnel_id", "1", "session_id", "1", "mtu", "1400")
    assert stays_true(lambda: len(bench.of(SESSION_STATE)) == 5, 0.5)


def test_stopping_amid_a_push(receiver):
    """It is brought to its end, and the client told so, before anything closes."""
    bench = receiver("--notify")
    with bench.daemon.netconf() as client:
        client.send(f'<rpc xmlns="{BASE}" message-id="1"><edit-config><target><running/></target>'
                    f"<config>{entries(20000)}</config></edit-config></rpc>")
        wait_for(lambda: (bench.daemon.state / "journal").stat().st_size > BURST * 100,
                 "the commit to be recorded")
        bench.daemon.send_signal(signal.SIGTERM)
        assert "<ok/>" in client.receive()
        assert bench.daemon.process.wait(60) == 0, bench.daemon.log()
