"""Who has nothing to do sleeps, on a real kernel, and is woken by what he waits for."""
import pathlib
import re
import subprocess
import time

from lib.waiting import stays_true, wait_for
from test_durability import (BLACKLIST, no_module, push, session, status, tunnel,  # noqa: F401
                             wait_for_status)

SESSIONS = "".join(session(1000 + i) for i in range(1, 301))


def wakeups(daemon):
    """How often its loop has slept so far."""
    text = pathlib.Path(f"/proc/{daemon.pid}/status").read_text()
    return int(re.search(r"^voluntary_ctxt_switches:\s*(\d+)$", text, re.M)[1])


def sleeps(daemon, seconds):
    """Without waking once; looks at counters are ever further apart, so that they fit between two."""
    begun = wakeups(daemon)
    return stays_true(lambda: wakeups(daemon) == begun, seconds)


def test_what_is_up_lets_it_sleep(daemon):
    push(daemon, tunnel(1, SESSIONS))
    wait_for_status(daemon, "up", 1, 1300)
    wait_for(lambda: sleeps(daemon, 3), "three seconds without a wake-up")


def test_what_waits_lets_it_sleep_until_it_can_come_up(daemon, r1):
    push(daemon, tunnel(1, SESSIONS).replace("10.0.0.1", "10.0.0.9"))
    assert status(daemon, 1) == ("waiting", "no-local-address")
    wait_for(lambda: sleeps(daemon, 3), "three seconds without a wake-up")
    r1.ip("address", "add", "10.0.0.9/24", "dev", "wan")
    wait_for_status(daemon, "up", 1, 1300)


def test_a_module_that_others_load_is_noticed(no_module, daemon):  # noqa: F811
    push(daemon, tunnel(1, session(1001)))
    begun = time.monotonic()
    # it tries after 1, 3, 7 and 15 seconds
    wait_for(lambda: time.monotonic() > begun + 7 and sleeps(daemon, 1), "the fourth try to be far away")
    assert status(daemon, 1) == ("waiting", "module-missing")
    pathlib.Path(BLACKLIST).unlink()
    for module in ("l2tp_netlink", "l2tp_eth", "l2tp_ip"):
        subprocess.run(["modprobe", module], check=True)
    loaded = time.monotonic()
    wait_for_status(daemon, "up", 1, 1001)
    assert time.monotonic() - loaded < 3
