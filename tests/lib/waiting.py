"""Wait for a condition, never for a time."""
import time

# Far more than anything needs: under emulation on a busy machine everything takes long.
PATIENCE = 60


def wait_for(condition, what, seconds=PATIENCE, pause=0.02):
    """Call condition until what it returns is true, and return that.  It may raise AssertionError
    or OSError while it cannot tell yet.  One that takes long is called less often: what it waits
    for needs the processor too."""
    deadline = time.monotonic() + seconds
    while True:
        reason, begun = "", time.monotonic()
        try:
            if found := condition():
                return found
        except (AssertionError, OSError) as error:
            reason = f" ({error})"
        now = time.monotonic()
        if now > deadline:
            raise AssertionError(f"not within {seconds} s: {what}{reason}")
        time.sleep(max(pause, min(now - begun, 0.3)))


def stays_true(condition, seconds):
    """Whether a condition holds all of this time: for what must not happen."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not condition():
            return False
        time.sleep(0.05)
    return True
