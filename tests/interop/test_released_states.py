"""Every release's state directory is read by this version, with its history: an upgrade loses nothing.

tests/data/record-state makes tests/data/state/VERSION, once for each release. None is ever changed or removed.
"""
import re
import shutil
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.built import need_built  # noqa: E402
from lib.daemons import CHECKOUT, L2TPV3CTL, L2TPV3D, L2tpv3d  # noqa: E402
from lib.here import Here  # noqa: E402
from lib.packages import version  # noqa: E402

need_built(L2TPV3D, L2TPV3CTL)
STATES = CHECKOUT / "tests/data/state"


@pytest.fixture(params=sorted(path.name for path in STATES.iterdir()))
def state(request):
    return STATES / request.param


@pytest.fixture
def daemon(state, tmp_path):
    daemon = L2tpv3d(Here(), tmp_path, kernel="sim")
    daemon.state.chmod(0o700)
    for name in ("config.xml", "journal"):
        shutil.copy(state / name, daemon.state)
    daemon.start()
    yield daemon
    daemon.stop()


def data(element):
    """As nested tuples, whatever the prefixes."""
    return element.tag.rpartition("}")[2], (element.text or "").strip(), tuple(map(data, element))


def running(daemon):
    with daemon.netconf() as client:
        return data(client.get_config().find("{*}data"))


def expected(state):
    return data(ElementTree.parse(state / "expected.xml").find("{*}data"))


def commits(shown):
    return re.findall(r"^ *(\d+) ", shown, re.M)


def test_there_is_one_of_this_release():
    assert (STATES / version()).is_dir(), "run tests/data/record-state"


def test_it_is_read_whole_and_stays_so(daemon, state):
    assert running(daemon) == expected(state)
    assert commits(daemon.ctl("history").stdout) == commits((state / "history").read_text())
    daemon.restart()  # which writes it anew
    assert running(daemon) == expected(state)


def test_its_history_can_be_gone_back_to_and_be_added_to(daemon, state):
    before = running(daemon)
    history = commits(daemon.ctl("history").stdout)
    daemon.ctl("rollback", min(history, key=int))
    assert running(daemon) != before
    daemon.ctl("rollback", max(history, key=int))
    assert running(daemon) == before
    assert len(commits(daemon.ctl("history").stdout)) == len(history) + 2
