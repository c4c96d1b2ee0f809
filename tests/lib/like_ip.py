"""The same by l2tpv3ctl on one router and by the real `ip l2tp` on the other, compared."""
import re

from .waiting import wait_for


def blocks(text):
    """What is printed of each object; kernels before 6.12 dump in no order."""
    found = []
    for line in text.splitlines():
        if line.startswith(("Tunnel", "Session")):
            found.append([])
        found[-1].append(line)
    return sorted(found)


def ip_l2tp(router, line):
    return router.run("ip", "l2tp", *line.split(), check=False)


def ctl(daemon, line):
    return daemon.ctl(*line.split(), check=False)


def show_all(router):
    """What ip prints of all tunnels and sessions."""
    return blocks(router.run("ip", "-batch", "-", check=False,
                             input="l2tp show tunnel\nl2tp show session\n").stdout)


def swapped(text):
    """With the addresses of the router at the other end."""
    return re.sub(r"\b(10\.0\.0\.|fd00::)([12])\b", lambda m: m[1] + {"1": "2", "2": "1"}[m[2]], text,
                  flags=re.IGNORECASE)


def both_do(r1, r2, daemon, *lines):
    """r2 by ip, r1 by l2tpv3ctl: same status, same output, same in the kernel, same shown."""
    for line in lines:
        theirs, ours = ip_l2tp(r2, swapped(line)), ctl(daemon, line)
        assert theirs.returncode == 0, (line, theirs.stderr)
        assert (ours.returncode, ours.stdout) == (0, swapped(theirs.stdout)), (line, ours.stderr)
    expected = [swapped("\n".join(block)).split("\n") for block in show_all(r2)]
    assert show_all(r1) == expected, lines
    shown = ctl(daemon, "show tunnel").stdout + ctl(daemon, "show session").stdout
    assert blocks(shown) == expected, lines


def both_clear(r1, r2, k1, k2, daemon):
    """Delete the one tunnel of each, and wait until ids and names are free again."""
    line = f"del tunnel tunnel_id {k1.tunnels()[0]['conn_id']}"
    assert ctl(daemon, line).returncode == 0
    assert ip_l2tp(r2, line).returncode == 0
    for router, kernel in ((r1, k1), (r2, k2)):
        wait_for(lambda: not kernel.tunnels(), "the tunnel to go")
        wait_for(lambda: router.interfaces() == {"lo", "wan"}, "the interfaces to go")
    wait_for(lambda: not ctl(daemon, "-d show tunnel").stdout, "the daemon to see it")
