"""What the tests on a real kernel share.  tests/vm/README.md tells how to add one."""
import os
import platform
import signal
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.built import need_built  # noqa: E402
from lib.daemons import L2TPV3D, L2tpv3d, Snmpd, Snmptrapd, Sshd  # noqa: E402
from lib.genl import L2tp  # noqa: E402
from lib.netns import Namespace, two_routers  # noqa: E402

# A test that hangs, and not one that waits for its turn: the demo takes 130 s beside another guest.
TEST_SECONDS = int(os.environ.get("L2TPV3D_TEST_SECONDS", "400"))
RUNNING = Path("/run/out/running")  # so that `run` can tell in which test a guest died


def missing():
    """Why these tests cannot run here, or None."""
    if os.geteuid():
        return "needs root"
    try:
        L2tp().close()
    except OSError as error:
        return f"this kernel has no L2TP ({error.strerror}): use tests/vm/run"
    return None


def pytest_collection_modifyitems(items):
    if items and (reason := missing()):
        for item in items:
            item.add_marker(pytest.mark.skip(reason=reason))


def pytest_runtest_logstart(nodeid):
    if RUNNING.parent.is_dir():
        RUNNING.write_text(nodeid)


def pytest_sessionfinish():
    RUNNING.unlink(missing_ok=True)


@pytest.fixture(autouse=True)
def time_limit():
    """A test that hangs fails; the others go on."""
    def fail(*_):
        pytest.fail(f"no end after {TEST_SECONDS} s")
    old = signal.signal(signal.SIGALRM, fail)
    signal.alarm(TEST_SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, old)


@pytest.fixture(scope="session")
def kernel():
    """(6, 1), (6, 12) or (7, 3): for tests only, which must know what to expect; the daemon never asks."""
    return tuple(map(int, platform.release().split(".")[:2]))


@pytest.fixture
def namespace():
    """One empty network namespace."""
    with Namespace("test") as space:
        yield space


@pytest.fixture
def routers():
    """Two routers joined by a wire: (r1, r2), 10.0.0.1 fd00::1 and 10.0.0.2 fd00::2."""
    with two_routers() as pair:
        yield pair


@pytest.fixture
def r1(routers):
    return routers[0]


@pytest.fixture
def r2(routers):
    return routers[1]


@pytest.fixture
def k1(r1):
    """The kernel's L2TP in r1, spoken without our code."""
    with L2tp(r1.name) as l2tp:
        yield l2tp


@pytest.fixture
def k2(r2):
    with L2tp(r2.name) as l2tp:
        yield l2tp


class Stopping:
    """Starts programs and stops them in the reverse order when the test ends."""

    def __init__(self):
        self.started = []

    def __call__(self, process):
        self.started.append(process)
        return process.start()

    def stop(self):
        faults = []
        for process in reversed(self.started):
            try:
                process.stop()
            except AssertionError as error:
                faults.append(str(error))
        assert not faults, "\n".join(faults)


@pytest.fixture
def start():
    """start(process): start it now, stop it when the test ends."""
    stopping = Stopping()
    yield stopping
    stopping.stop()


@pytest.fixture
def need_daemon():
    need_built(L2TPV3D)


@pytest.fixture
def daemon(need_daemon, start, r1, tmp_path):
    """l2tpv3d in r1, without SNMP."""
    return start(L2tpv3d(r1, tmp_path / "r1"))


@pytest.fixture
def daemons(need_daemon, start, routers, tmp_path):
    """l2tpv3d in both routers, without SNMP."""
    return tuple(start(L2tpv3d(router, tmp_path / router.label)) for router in routers)


@pytest.fixture
def trapd(start, r1, tmp_path):
    return start(Snmptrapd(r1, tmp_path / "trapd"))


@pytest.fixture
def snmpd(start, r1, trapd, tmp_path):
    """snmpd in r1, an AgentX master which sends what it gets to trapd."""
    return start(Snmpd(r1, tmp_path / "snmpd", trapd.sink))


@pytest.fixture
def managed(need_daemon, start, r1, snmpd, tmp_path):
    """l2tpv3d in r1 as a subagent of snmpd."""
    return start(L2tpv3d(r1, tmp_path / "r1", snmp_master=snmpd.master))


@pytest.fixture
def snmp(snmpd, managed):
    """An SNMP manager that may write; l2tpv3d answers behind snmpd."""
    return snmpd.manager()


@pytest.fixture
def sshd(start, r1, daemon, tmp_path):
    """sshd in r1 with subsystem netconf leading to `daemon`."""
    return start(Sshd(r1, tmp_path / "sshd", daemon.socket))
