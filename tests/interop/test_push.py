"""l2tpv3ctl push: how far it is, on a terminal, and what becomes of it when the user interrupts."""
import contextlib
import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.built import need_built  # noqa: E402
from lib.daemons import L2TPV3CTL, L2TPV3D, L2tpv3d  # noqa: E402
from lib.here import Here  # noqa: E402
from lib.netconf import L2TP  # noqa: E402
from lib.waiting import wait_for  # noqa: E402

need_built(L2TPV3D, L2TPV3CTL)
MANY = 20000
CLIENTS = ('<get><filter><netconf-state xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"><sessions/>'
           "</netconf-state></filter></get>")


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    path = tmp_path_factory.mktemp("push") / "many.xml"
    sessions = "".join(f"<session><session-id>{i}</session-id><peer-session-id>{i}</peer-session-id></session>"
                       for i in range(1, MANY + 1))
    path.write_text(f'<l2tpv3 xmlns="{L2TP}"><tunnel><tunnel-id>1</tunnel-id><peer-tunnel-id>2</peer-tunnel-id>'
                    "<local-address>10.0.0.1</local-address><remote-address>10.0.0.2</remote-address>"
                    f"{sessions}</tunnel></l2tpv3>")
    return path


@pytest.fixture
def daemon(tmp_path):
    daemon = L2tpv3d(Here(), tmp_path, kernel="sim").start()
    yield daemon
    daemon.stop()


@contextlib.contextmanager
def slowly(daemon):
    """The daemon runs a fifth of the time, so that a push takes long enough to be looked at on any machine."""
    over = threading.Event()

    def hold():
        while not over.wait(0.01):
            os.kill(daemon.pid, signal.SIGSTOP)
            time.sleep(0.04)
            os.kill(daemon.pid, signal.SIGCONT)
    thread = threading.Thread(target=hold)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def look(daemon, watcher):
    """What the daemon's clients do. It runs only as long as that takes to say, then stops."""
    os.kill(daemon.pid, signal.SIGCONT)
    clients = watcher.rpc_text(CLIENTS)
    os.kill(daemon.pid, signal.SIGSTOP)
    return clients


class Push:
    """`l2tpv3ctl push` with its standard error on a terminal, or else in a pipe."""

    def __init__(self, daemon, *words, terminal=True):
        master, slave = pty.openpty() if terminal else os.pipe()
        self.master = master
        self.process = subprocess.Popen([L2TPV3CTL, "-S", daemon.socket, "push", *map(str, words)], stderr=slave,
                                        stdout=subprocess.PIPE, text=True)
        os.close(slave)

    def end(self):
        said = b""
        while True:
            try:
                piece = os.read(self.master, 65536)
            except OSError:  # a terminal that nobody has open any more
                break
            if not piece:
                break
            said += piece
        os.close(self.master)
        self.process.stdout.read()
        return self.process.wait(60), said.decode()


def test_a_bar_on_a_terminal_and_nothing_elsewhere(daemon, many, tmp_path):
    with slowly(daemon):
        status, said = Push(daemon, many, "--replace", "--confirm", 300).end()
    assert status == 0
    assert re.search(r"\r(checking|recording|applying)", said), said
    for bar in re.findall(r"\[([#.]*)\] (\d+) of (\d+)", said):
        assert len(bar[0]) == 24 and int(bar[1]) <= int(bar[2]) == MANY + 1
    assert said.endswith("\r\x1b[K")  # nothing is left on the line
    daemon.ctl("confirm")
    # nothing elsewhere; and a file that differs in one entry touches that one
    other = tmp_path / "other.xml"
    other.write_text(many.read_text().replace("</peer-session-id></session>", "</peer-session-id><mtu>1400</mtu></session>", 1))
    for path, commits in ((many, 2), (other, 3), (other, 3)):
        assert Push(daemon, path, "--replace", terminal=False).end() == (0, "")
        history = daemon.ctl("history").stdout.splitlines()
        assert len(history) == commits
    assert "0 tunnels, 1 sessions" in history[0]


def test_how_far_a_push_of_others_is(daemon, many):
    """As `push` tells it to one that must wait for another."""
    first = Push(daemon, many, terminal=False)
    wait_for(lambda: "in edit-config" in daemon.ctl("show", "clients").stdout, "the push to be sent")
    second = Push(daemon, many)
    assert first.end() == (0, "")
    assert second.end()[0] == 0


@pytest.mark.parametrize("more", [[], ["--confirm", "300"]], ids=str)
def test_interrupted_it_says_whether_anything_was_changed(daemon, many, more):
    outcomes = set()
    for further_looks in (0, 5, 50):
        with daemon.netconf() as watcher:
            push = Push(daemon, many, *more, terminal=False)
            while ">edit-config<" not in look(daemon, watcher) and push.process.poll() is None:
                pass
            for _ in range(further_looks):
                look(daemon, watcher)
            push.process.send_signal(signal.SIGINT)
            time.sleep(0.5)  # what it does about that is there when the daemon runs again
            os.kill(daemon.pid, signal.SIGCONT)
            status, said = push.end()
        with daemon.netconf() as client:
            client.seconds = 120
            client.rpc_text("<lock><target><candidate/></target></lock>")  # when all before it is done
            changed = "<tunnel>" in client.rpc_text("<get-config><source><running/></source></get-config>")
        if status == -signal.SIGINT:
            outcomes.add("too early")  # before it could change anything
            assert not changed
        elif status == 0:
            outcomes.add("done")
            assert changed
        else:
            assert status == 1 and said.startswith("l2tpv3ctl: interrupted"), said
            assert "may have been" not in said
            outcomes.add("late" if "too late" in said else "nothing")
            assert changed == ("too late" in said), said
        daemon.ctl("cancel", check=False)
        daemon.ctl("push", "-", "--replace", input=f'<l2tpv3 xmlns="{L2TP}"/>')
    assert outcomes & {"nothing", "late"}, outcomes
