"""What `make demo` shows is true: it says itself, by its status, when something is not."""
import subprocess
import sys

from lib.daemons import CHECKOUT


def test_demo_finds_everything_as_it_should_be():
    done = subprocess.run([sys.executable, "-B", CHECKOUT / "tests/demo/demo", "--here"], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout
    assert "all is as it should be" in done.stdout
