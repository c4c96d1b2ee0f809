"""Run upgrade.py in a guest: a real kernel, and a systemd."""
import os
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
KERNEL = os.environ.get("L2TPV3D_UPGRADE_KERNEL", "6.12")


def test_an_upgrade_on_a_real_kernel():
    found = subprocess.run([CHECKOUT / "tests/vm/kernels", KERNEL], text=True, capture_output=True, check=False)
    if found.returncode:
        pytest.skip(found.stderr.strip().splitlines()[-1])
    done = subprocess.run([CHECKOUT / "tests/vm/guest", "--kernel", KERNEL, "--timeout", "1200", "--", "/usr/bin/python3", "-B",
                           "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", "tests/package/upgrade.py"], text=True, capture_output=True, check=False)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
