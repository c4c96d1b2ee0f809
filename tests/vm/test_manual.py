"""Every line of the manual of `ip l2tp` on a real kernel, beside the real tool: tests/data/cli/manual."""
import pytest

from lib import manual
from lib.like_ip import ctl, ip_l2tp, swapped
from lib.waiting import wait_for

TUNNEL = f"add tunnel {manual.NEEDS['tunnel']}"
SESSION = f"add session {manual.NEEDS['session']}"
PARAMETERS, COMMANDS = manual.lines_of("parameters"), manual.lines_of("commands")
KEYS = {"tunnel": "tunnel_id 1", "session": "tunnel_id 1 session_id 5"}


@pytest.fixture
def here(tmp_path):
    """A text with what DEV and FILE stand for."""
    path = tmp_path / "cookie"
    path.write_text("0123abcd\n")
    return lambda text: text.replace(manual.DEVICE, "wan").replace(manual.SECRET_FILE, str(path))


def turns(lines):
    """The lines, each in one of the orders, by turns: that both mean the same is known without a kernel."""
    for number, line in enumerate(lines):
        yield line, line.lines()[number % 2]


def ok(done):
    assert done.returncode == 0, (done.args, done.stderr)
    return done.stdout


def both_ok(r2, daemon, line, ours=None):
    """By the real ip and by l2tpv3ctl, which print the same."""
    theirs = ok(ip_l2tp(r2, swapped(line)))
    assert ok(ctl(daemon, ours or line)) == swapped(theirs), line


def expect_same(k1, k2, line):
    assert repr(k1.objects()) == swapped(repr(k2.objects())), line


def wait_until_gone(name, *routers):
    for router, kernel in routers:
        wait_for(lambda: not (kernel.tunnels() if name == "tunnel" else kernel.sessions()) and
                 router.interfaces() == {"lo", "wan"}, f"the {name} to go")


@pytest.fixture
def loopback(r1, r2):
    for router in (r1, r2):
        router.ip("link", "set", "lo", "up")


@pytest.mark.parametrize("name", ["tunnel", "session"])
def test_what_ip_takes_does_the_same(daemon, r1, r2, k1, k2, loopback, name):
    if name == "session":
        both_ok(r2, daemon, TUNNEL)
    for parameter, ours in turns([p for p in PARAMETERS if p.object == name and p.ip != "no"]):
        line = parameter.lines()[0]
        both_ok(r2, daemon, line, ours)
        expect_same(k1, k2, line)
        assert len(k1.objects()) == (2 if name == "session" else 1)
        both_ok(r2, daemon, f"del {name} {KEYS[name]}")
        wait_until_gone(name, (r1, k1), (r2, k2))


@pytest.mark.parametrize("name", ["tunnel", "session"])
def test_what_ip_does_not_know_is_taken(daemon, r1, r2, k1, loopback, here, name):
    ok(ip_l2tp(r2, swapped(TUNNEL)))
    if name == "session":
        ok(ctl(daemon, TUNNEL))
    for parameter, ours in turns([p for p in PARAMETERS if p.object == name and p.ip == "no"]):
        assert ip_l2tp(r2, here(swapped(parameter.lines()[0]))).returncode != 0, parameter
        ok(ctl(daemon, here(ours)))
        assert k1.sessions() if name == "session" else k1.tunnels(), parameter
        shown = ok(ctl(daemon, f"-d show {name}"))
        assert "oper-status up\n" in shown or name == "session" and "no-interface" in shown, shown
        ok(ctl(daemon, f"{name} del {KEYS[name]}"))
        wait_until_gone(name, (r1, k1))


@pytest.mark.parametrize("name", ["tunnel", "session"])
def test_what_is_refused_leaves_the_kernel_alone(daemon, r1, r2, k1, k2, here, name):
    if name == "session":
        both_ok(r2, daemon, TUNNEL)
    before = k1.objects()
    for parameter, ours in turns([p for p in manual.lines_of("refused") if p.object == name]):
        done = ctl(daemon, here(ours))
        assert done.returncode in (1, 2) and parameter.value in done.stderr, (ours, done.stderr)
        theirs = ip_l2tp(r2, here(swapped(parameter.lines()[0])))
        assert (theirs.returncode == 0) == (parameter.ip == "ignored"), (parameter, theirs.stderr)
        if theirs.returncode == 0:
            ok(ip_l2tp(r2, f"del {name} {KEYS[name]}"))
            wait_until_gone(name, (r2, k2))
    assert k1.objects() == before


# Back to a tunnel with its session: by the beginning of the command and its object words.
UNDO = {"a tunnel": ["del tunnel tunnel_id 2"], "a session": ["del session tunnel_id 1 session_id 6"],
        "a tunnel session": ["del tunnel tunnel_id 2"], "d tunnel": [TUNNEL, SESSION], "d session": [SESSION]}


@pytest.mark.parametrize("name", sorted({command.spellings[-1] for command in COMMANDS}))
def test_a_command_does_the_same_however_short(daemon, r1, r2, k1, k2, name):
    for line in (TUNNEL, SESSION):
        both_ok(r2, daemon, line)
    for command in COMMANDS:
        if command.spellings[-1] != name:
            continue
        lines = list(command.lines())
        assert ip_l2tp(r2, lines[-1]).returncode != 0, lines[-1]  # it has the one order alone
        for theirs, ours in zip(lines[::2], lines[1::2]):
            if command.ip == "no":
                assert ip_l2tp(r2, theirs).returncode != 0, theirs
                continue
            both_ok(r2, daemon, theirs, ours)
            wait_for(lambda: repr(k1.objects()) == swapped(repr(k2.objects())), f"the kernels to agree after {theirs}")
            for line in UNDO.get(f"{theirs[0]} {command.objects}", ()):
                both_ok(r2, daemon, line)
            wait_for(lambda: len(k1.objects()) == len(k2.objects()) == 2, f"{theirs} to be undone")
