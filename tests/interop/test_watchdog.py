"""What the daemon tells systemd (sd_notify): that it is ready, or not yet, that its loop turns, that it stops."""
import os
import signal
import socket
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.built import need_built  # noqa: E402
from lib.daemons import L2TPV3D, L2tpv3d  # noqa: E402
from lib.here import Here  # noqa: E402
from lib.netconf import L2TP  # noqa: E402

need_built(L2TPV3D)
WATCHDOG = b"WATCHDOG=1"


@pytest.fixture
def told(tmp_path):
    """Where systemd would listen."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.bind(str(tmp_path / "notify"))
        told.settimeout(20)
        yield told


@pytest.fixture
def start(tmp_path, told):
    started = []

    def start(**environment):
        daemon = L2tpv3d(Here(), tmp_path, kernel="sim",
                         env={"NOTIFY_SOCKET": told.getsockname(), **environment})
        started.append(daemon.start())
        return daemon
    yield start
    for daemon in started:
        daemon.send_signal(signal.SIGCONT)
        daemon.kill()


def receive_all(told, seconds):
    """What comes in this time."""
    found, end = [], time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        told.settimeout(left)
        try:
            found.append(told.recv(100))
        except TimeoutError:
            break
    return found


def test_it_tells_twice_in_the_time_of_the_watchdog_that_its_loop_turns(start, told):
    daemon = start(WATCHDOG_USEC="1000000")
    begun = time.monotonic()
    found = [told.recv(100) for _ in range(5)]
    took = time.monotonic() - begun
    assert found == [b"READY=1"] + 4 * [WATCHDOG] and 1.5 < took  # each half second, not more often
    daemon.send_signal(signal.SIGSTOP)
    receive_all(told, 0.2)
    assert receive_all(told, 1.5) == []
    daemon.send_signal(signal.SIGCONT)
    daemon.stop()
    assert [message for message in receive_all(told, 1) if message != WATCHDOG] == [b"STOPPING=1"]


@pytest.mark.parametrize("environment", [{}, {"WATCHDOG_USEC": "0"}, {"WATCHDOG_USEC": "never"},
                                         {"WATCHDOG_USEC": "100000", "WATCHDOG_PID": str(os.getpid())}])
def test_without_a_watchdog_of_its_own_it_tells_nothing(start, told, environment):
    start(**environment)
    assert receive_all(told, 0.7) == [b"READY=1"]


SESSIONS = 5000
TUNNEL = f"""<l2tpv3 xmlns="{L2TP}"><tunnel><tunnel-id>1</tunnel-id><peer-tunnel-id>1</peer-tunnel-id>
<local-address>192.0.2.1</local-address><remote-address>192.0.2.2</remote-address><local-port>5000</local-port>
<remote-port>5000</remote-port>""" + "".join(
    f"<session><session-id>{i}</session-id><peer-session-id>{i}</peer-session-id></session>"
    for i in range(1, SESSIONS + 1)) + "</tunnel></l2tpv3>"


def interrupted(daemon):
    """As a kill before the confirmation of its only commit leaves the journal: nothing is in the kernel then."""
    with daemon.netconf() as client:
        client.edit_config(TUNNEL)
    daemon.kill()
    journal = daemon.state / "journal"
    whole = journal.read_bytes()
    journal.write_bytes(whole[:whole.rindex(b"@", 0, whole.rindex(b"confirm 1"))])


def test_ready_means_that_an_interrupted_commit_is_carried_out(start, told):
    daemon = start()
    interrupted(daemon)
    receive_all(told, 0.1)
    daemon.start()
    assert receive_all(told, 1) == [b"EXTEND_TIMEOUT_USEC=30000000",
                                    b"STATUS=completing or undoing an interrupted commit", b"STATUS=", b"READY=1"]
    said = daemon.log()
    assert said.index("completing interrupted commit 1") < said.index("commit 1 by") < said.index("l2tpv3d: ready")


def test_told_to_stop_before_it_is_ready_it_stops(start, told):
    daemon = start()
    interrupted(daemon)
    receive_all(told, 0.1)
    daemon.launch(daemon.argv, lambda: daemon.logged("completing interrupted commit 1"))
    assert daemon.stop() == 0
    daemon.start()
    assert len(daemon.netconf().get_config().findall(f".//{{{L2TP}}}session")) == SESSIONS
