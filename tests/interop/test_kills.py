"""The whole daemon, on the simulated kernel, ended by kill -9 at any moment: while it commits, while it starts, while it stops.
What was acknowledged is there when it starts again, the commit under way whole or not at all, and what was
refused, undone or deleted does not come back.

L2TPV3D_KILLS=n: so many kills instead of the sample; L2TPV3D_SEED=n: another course of events."""
import contextlib
import os
import random
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.built import need_built  # noqa: E402
from lib.daemons import L2TPV3D, L2tpv3d  # noqa: E402
from lib.here import Here  # noqa: E402
from lib.netconf import BASE, L2TP, RpcError  # noqa: E402
from lib.waiting import wait_for  # noqa: E402

KILLS = int(os.environ.get("L2TPV3D_KILLS") or 40)
SEED = int(os.environ.get("L2TPV3D_SEED") or 1)
TUNNELS = (1, 2, 3)


@pytest.fixture
def daemon(tmp_path):
    need_built(L2TPV3D)
    daemon = L2tpv3d(Here(), tmp_path, kernel="sim")
    yield daemon
    daemon.kill()


def tunnel(number, content="", operation="merge"):
    leaves = "" if operation == "remove" else (
        f"<peer-tunnel-id>{number}</peer-tunnel-id><local-address>192.0.2.1</local-address><remote-address>192.0.2.2"
        f"</remote-address><local-port>{2000 + number}</local-port>")
    return (f"<tunnel xmlns:nc='{BASE}' nc:operation='{operation}'><tunnel-id>{number}</tunnel-id>{leaves}{content}"
            "</tunnel>")


def session(number, text, more=""):
    return (f"<session><session-id>{number}</session-id><peer-session-id>1</peer-session-id>"
            f"<description>{text}</description>{more}</session>")


class Story:
    """What is configured, {tunnel: {session: description}}, as far as it was acknowledged, and what comes next."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.acknowledged, self.under_way = {}, None
        self.commits = self.refused = 0

    def next(self):
        """An edit, and what is configured then; None: it is to be refused."""
        r, number = self.random, self.random.choice(TUNNELS)
        new = {t: dict(sessions) for t, sessions in self.acknowledged.items()}
        if r.random() < 0.15:
            new.pop(number, None)
            return tunnel(number, operation="remove"), new
        text = f"commit {self.commits}"
        ids = [number * 1000 + r.randrange(300) for _ in range(r.choice((1, 2, 5, 60)))]
        if r.random() < 0.1:
            same = "<interface-name>same0</interface-name>"
            return tunnel(number, session(ids[0], text, same) + session(number * 1000 + 999, text, same)), None
        operation = r.choice(("merge", "merge", "merge", "replace"))
        if operation == "replace":
            new[number] = {}
        new.setdefault(number, {}).update({i: text for i in ids})
        return tunnel(number, "".join(session(i, text) for i in set(ids)), operation), new

    def commit(self, client):
        edit, new = self.next()
        self.under_way = new
        try:
            client.edit_config(f"<l2tpv3 xmlns='{L2TP}'>{edit}</l2tpv3>")
            assert new is not None, "an edit that gives a name twice was accepted"
            self.acknowledged = new
            self.commits += 1
        except RpcError:
            assert new is None
            self.refused += 1
        self.under_way = None

    def see(self, shown):
        """What a daemon shows that has started again is what counts from now on."""
        assert shown in (self.acknowledged, self.under_way)  # which may be the empty one
        self.acknowledged, self.under_way = shown, None


def configured(daemon):
    with daemon.netconf() as client:
        tunnels = client.get_config().iter(f"{{{L2TP}}}tunnel")
        return {int(t.findtext(f"{{{L2TP}}}tunnel-id")):
                {int(s.findtext(f"{{{L2TP}}}session-id")): s.findtext(f"{{{L2TP}}}description")
                 for s in t.iter(f"{{{L2TP}}}session")} for t in tunnels}


def work_until_killed(daemon, story):
    killer = threading.Timer(story.random.uniform(0.001, 0.08), daemon.kill)
    killer.start()
    with contextlib.suppress(OSError), daemon.netconf() as client:
        while True:
            story.commit(client)
    killer.join()


def die_while_starting(daemon, story):
    daemon.launch(daemon.argv, lambda: True)
    time.sleep(story.random.uniform(0, 0.04))
    daemon.kill()


def die_while_stopping(daemon, story):
    daemon.start()
    daemon.send_signal(signal.SIGTERM)
    time.sleep(story.random.uniform(0, 0.01))
    daemon.kill()


def test_a_kill_at_any_moment_loses_nothing_and_nothing_comes_back(daemon):
    story, begun = Story(SEED), time.monotonic()
    for kill in range(KILLS):
        daemon.start()
        wait_for(lambda: configured(daemon) in (story.acknowledged, story.under_way), "what was acknowledged")
        story.see(configured(daemon))
        assert not daemon.logged("damaged|no end mark|was changed")
        work_until_killed(daemon, story)
        if kill % 5 == 0:
            die_while_starting(daemon, story)
        if kill % 7 == 0:
            die_while_stopping(daemon, story)
    print(f"{KILLS} cycles of kill -9, {story.commits} commits acknowledged and {story.refused} refused: 0 lost, 0 came "
          f"back ({time.monotonic() - begun:.0f} s)")
    assert story.commits > KILLS and story.refused > 0
