"""What `make demo` shows is true: it says itself, by its status, when something is not."""
import subprocess
import sys

import pytest

from lib.daemons import CHECKOUT

sys.path.insert(0, str(CHECKOUT / "tests/demo"))
import story  # noqa: E402

WIDTH = 100


@pytest.fixture(scope="module")
def shown():
    done = subprocess.run([sys.executable, "-B", CHECKOUT / "tests/demo/demo", "--here"], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=900)
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_demo_finds_everything_as_it_should_be(shown):
    assert "ok: all is as it should be" in shown and "NOT AS IT SHOULD BE" not in shown
    for number, (title, _) in enumerate(story.SCENES, 1):
        assert f"\n{number}. {title}\n" in shown
    assert "\nNext:\n  make demo-shell " in shown


def test_it_fits_the_terminal(shown):
    assert not [line for line in shown.expandtabs().splitlines() if len(line) > WIDTH]


class ForgetfulStage:
    """A router where every command fails without a word."""

    def run(self, router, text):
        return subprocess.CompletedProcess(text, 1, "")


def test_a_command_that_fails_is_a_fault(capsys):
    faults = story.Faults()
    story.provision_by_snmp(ForgetfulStage(), faults)
    story.refuse(ForgetfulStage(), faults)
    assert "the session is in the kernel" in faults and "the reasons differ" in faults
    assert any(fault.startswith("status 1 from: ip l2tp") for fault in faults)
    assert "NOT AS IT SHOULD BE" in capsys.readouterr().out
