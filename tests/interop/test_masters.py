"""snmpd stopped, killed and restarted while managers walk and set, and notifications go out; and walks while rows come and go.

`make masters` is the long form: 100 faults of snmpd for each kind of socket.
"""
import os
import random
import shutil
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.agentx import PW, column  # noqa: E402
from lib.built import need_built  # noqa: E402
from lib.daemons import L2TPV3D, L2tpv3d, Snmpd, Snmptrapd, free_port  # noqa: E402
from lib.here import Here  # noqa: E402
from lib.netconf import L2TP  # noqa: E402
from lib.snmp import SnmpError  # noqa: E402
from lib.waiting import wait_for  # noqa: E402

need_built(L2TPV3D)
pytestmark = pytest.mark.skipif(not shutil.which("snmpd"), reason="snmpd is not installed")
FAULTS = int(os.environ.get("L2TPV3D_MASTERS", 6))
SESSIONS = 200
DESCRIPTION, PEER_SESSION_ID = 2, 3


class TcpSnmpd(Snmpd):
    """Its AgentX socket is of TCP."""

    def __init__(self, *arguments, **named):
        super().__init__(*arguments, **named)
        unix = f"unix:{self.master}"
        self.tcp = f"tcp:127.0.0.1:{free_port()}"
        self.config.write_text(self.config.read_text().replace(unix, self.tcp))

    def start(self):
        self.launch(["snmpd", "-f", "-Lo", "-C", "-c", self.config, "-I", self.modules], lambda: self.logged("NET-SNMP"))
        return self


def tunnel_xml(sessions, operation=""):
    rows = "".join(f"<session{operation}><session-id>{i}</session-id>" + ("" if operation else
                   f"<peer-session-id>{i}</peer-session-id>") + "</session>" for i in sessions)
    return (f'<l2tpv3 xmlns="{L2TP}"><tunnel><tunnel-id>1</tunnel-id><peer-tunnel-id>1</peer-tunnel-id>'
            "<local-address>192.0.2.1</local-address><remote-address>192.0.2.2</remote-address>"
            f"{rows}</tunnel></l2tpv3>")


REMOVE = ' xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0" nc:operation="remove"'


class Busy:
    """Does something again and again beside the test; what goes wrong there fails it."""

    def __init__(self, work):
        self.work, self.over, self.rounds, self.wrong = work, False, 0, None
        self.thread = threading.Thread(target=self.run)

    def run(self):
        try:
            while not self.over:
                self.work(self.rounds)
                self.rounds += 1
        except Exception as wrong:  # pylint: disable=broad-except
            self.wrong = wrong

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over = True
        self.thread.join()
        if self.wrong:
            raise self.wrong


def ids_of(walked, oid):
    return [int(name.rpartition(".")[2]) for name in walked if name.startswith(f"{oid}.")]


class Managers:
    """They bear that nobody answers; what they are told has to be true."""

    def __init__(self, snmpd, daemon):
        self.snmpd, self.daemon = snmpd, daemon
        self.walks = self.sets = 0
        self.acknowledged = None  # the last description

    def manager(self):
        manager = self.snmpd.manager()
        manager.options[manager.options.index("-t") + 1] = "1"
        return manager

    def walk(self, _):
        oid = column(4, PEER_SESSION_ID)
        try:
            found = ids_of(self.manager().bulk_walk(oid), oid)
        except (AssertionError, SnmpError):
            return
        assert found == sorted(set(found))
        if found == list(range(1, SESSIONS + 1)):
            self.walks += 1

    def set(self, number):
        text = f"number {number}".encode()
        varbinds = [(column(2, DESCRIPTION, 1), "x", text.hex())]
        try:
            self.manager().set(*varbinds)
        except (AssertionError, SnmpError):
            return
        self.acknowledged = text
        self.sets += 1

    def look_elsewhere(self, _):
        """Opens and closes descriptors of the daemon, so that their numbers are used again."""
        self.daemon.ctl("show", "tunnel")
        time.sleep(0.05)

    def toggle(self, number):
        """So that there is something to notify of."""
        with self.daemon.netconf() as client:
            client.edit_config(f'<l2tpv3 xmlns="{L2TP}"><tunnel><tunnel-id>1</tunnel-id><session><session-id>5</session-id>'
                               f"<enabled>{'true' if number % 2 else 'false'}</enabled></session></tunnel></l2tpv3>")
        time.sleep(0.05)

    def answered(self):
        try:
            return self.manager().get(column(1, 6, 0)) == SESSIONS
        except AssertionError:
            return False


def fault(snmpd, numbers):
    kind = numbers.choice(["stop", "kill", "restart"])
    if kind == "stop":
        snmpd.send_signal(signal.SIGSTOP)
        time.sleep(numbers.uniform(0, 0.5))
        snmpd.send_signal(signal.SIGCONT)
        return
    if kind == "kill":
        snmpd.kill()
    else:
        snmpd.stop()
    time.sleep(numbers.uniform(0, 0.2))
    snmpd.start()


def descriptors(daemon):
    return len(os.listdir(f"/proc/{daemon.pid}/fd"))


@pytest.mark.parametrize("kind", [Snmpd, TcpSnmpd], ids=["unix", "tcp"])
def test_a_master_that_comes_and_goes(tmp_path, kind):
    numbers = random.Random(2741)
    trapd = Snmptrapd(Here(), tmp_path / "trapd", port=free_port()).start()
    snmpd = kind(Here(), tmp_path / "snmpd", trapd.sink, port=free_port()).start()
    daemon = L2tpv3d(Here(), tmp_path, "--notify", snmp_master=snmpd.master, kernel="sim")
    if kind is TcpSnmpd:
        daemon.argv[daemon.argv.index(f"unix:{snmpd.master}")] = snmpd.tcp
    daemon.start().wait_for_log("connected to the AgentX master")
    try:
        with daemon.netconf() as client:
            client.edit_config(tunnel_xml(range(1, SESSIONS + 1)))
        managers = Managers(snmpd, daemon)
        wait_for(managers.answered, "a manager to be answered")
        wait_for(lambda: not managers.walk(0) and managers.walks, "a walk")
        begun = descriptors(daemon)
        with Busy(managers.walk) as walks, Busy(managers.set) as sets, Busy(managers.toggle), \
                Busy(managers.look_elsewhere):
            for _ in range(FAULTS):
                fault(snmpd, numbers)
                wait_for(managers.answered, "a manager to be answered again", 60)
        wait_for(managers.answered, "a manager to be answered in the end")
        last = managers.manager().get(column(2, DESCRIPTION, 1)).split()[1]
        assert int(last) >= int(managers.acknowledged.split()[1])
        before = managers.walks
        managers.walk(0)
        assert managers.walks == before + 1
        managers.set(-1)
        assert managers.manager().get(column(2, DESCRIPTION, 1)) == managers.acknowledged == b"number -1"
        wait_for(lambda: descriptors(daemon) <= begun + 1, "descriptors to be closed")
        print(f"{walks.rounds} walks, {managers.walks} whole; {sets.rounds} sets, {managers.sets} acknowledged; "
              f"{len(trapd.traps())} notifications; {daemon.log().count('connected to the AgentX master')} connections")
        assert managers.walks > 2 and managers.sets > 2 and len(trapd.traps()) > 2
        assert daemon.stop() == 0
    finally:
        daemon.kill()
        snmpd.stop()
        trapd.stop()


def test_a_walk_is_complete_and_in_order_while_rows_come_and_go(tmp_path):
    """10,000 sessions stay; 1,000 others, between them, come and go."""
    stay, others = range(2, 20001, 2), range(1, 2001, 2)
    snmpd = Snmpd(Here(), tmp_path / "snmpd", port=free_port()).start()
    daemon = L2tpv3d(Here(), tmp_path, snmp_master=snmpd.master, kernel="sim").start()
    seen = set()
    try:
        daemon.wait_for_log("connected to the AgentX master")
        with daemon.netconf() as client:
            client.seconds = 120
            client.edit_config(tunnel_xml(stay))

            def come_and_go(number):
                client.edit_config(tunnel_xml(others, REMOVE if number % 2 else ""))

            with Busy(come_and_go) as changes:
                while changes.rounds < 6 or not seen & set(others):
                    for oid in (column(4, PEER_SESSION_ID), f"{PW}.1.2.1.30"):
                        found = ids_of(snmpd.manager().bulk_walk(oid, 50), oid)
                        assert found == sorted(set(found))
                        assert set(stay) <= set(found) <= set(stay) | set(others)
                        seen |= set(found)
        print(f"{changes.rounds} changes")
        assert daemon.stop() == 0
    finally:
        daemon.kill()
        snmpd.stop()
