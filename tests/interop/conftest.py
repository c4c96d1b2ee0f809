"""
Have every message that a client receives judged by libyang (lib/judge.py), if that is here; and the daemon that most
tests of the shell want.
"""
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import netconf, oracle  # noqa: E402
from lib.built import need_built  # noqa: E402
from lib.daemons import L2TPV3CTL, L2TPV3D, L2tpv3d  # noqa: E402
from lib.here import Here  # noqa: E402

if not oracle.missing():
    from lib.judge import Judge  # noqa: E402
    netconf.Netconf.judge = Judge()


@pytest.fixture
def daemon(tmp_path):
    """A daemon on the simulated kernel, without SNMP."""
    need_built(L2TPV3D, L2TPV3CTL)
    daemon = L2tpv3d(Here(), tmp_path, kernel="sim").start()
    yield daemon
    daemon.stop()
