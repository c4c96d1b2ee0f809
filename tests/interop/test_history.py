"""The history of commits, on the simulated kernel: how much is kept, pages, going back, reverting one of many."""
import json
import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.built import need_built  # noqa: E402
from lib.daemons import L2TPV3CTL, L2TPV3D, L2tpv3d  # noqa: E402
from lib.here import Here  # noqa: E402

NS = 'xmlns="urn:l2tpv3d:yang:linux-l2tpv3"'
TUNNEL = "tunnel_id {0} peer_tunnel_id {0} local 10.0.0.1 remote 10.0.0.2 udp_sport 500{0} udp_dport 500{0}"


def ok(daemon, line, **kwargs):
    return daemon.ctl(*line.split(), **kwargs).stdout


def refused(daemon, *words, status=1):
    done = daemon.ctl(*words, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stderr


def numbers(text):
    return [int(line.split()[0]) for line in text.splitlines()]


def newest(daemon):
    return numbers(ok(daemon, "history last 1"))[0]


@pytest.fixture
def start(tmp_path):
    need_built(L2TPV3D, L2TPV3CTL)
    daemons = []

    def start(*options):
        while daemons:
            daemons.pop().stop()
        daemons.append(L2tpv3d(Here(), tmp_path, *options, kernel="sim").start())
        return daemons[-1]

    yield start
    while daemons:
        daemons.pop().stop()


def commits(daemon, count, sessions=1):
    """As many commits of a leaf in each of the sessions, which the first makes if they are not there."""
    with daemon.netconf() as client:
        for i in range(count):
            inner = "".join(f"<session><session-id>{n}</session-id><peer-session-id>{n}</peer-session-id>"
                            f"<mtu>{1000 + i}</mtu></session>" for n in range(1, sessions + 1))
            client.edit_config(f"<l2tpv3 {NS}><tunnel><tunnel-id>1</tunnel-id>{inner}</tunnel></l2tpv3>")


def test_the_history_is_longer_than_a_page_and_read_in_pages(start):
    daemon = start()
    ok(daemon, f"add tunnel session {TUNNEL.format(1)} sid 1 psid 1")
    commits(daemon, 1100)
    assert numbers(ok(daemon, "history")) == list(range(1101, 1051, -1))
    assert numbers(ok(daemon, "history all")) == list(range(1101, 0, -1)), "two pages"
    assert numbers(ok(daemon, "history last 3 before 20")) == [19, 18, 17]
    assert numbers(ok(daemon, "history before 3")) == [2, 1] and ok(daemon, "history before 1") == ""
    assert [int(commit["number"]) for commit in json.loads(ok(daemon, "-j history all"))] == list(range(1101, 0, -1))
    assert json.loads(ok(daemon, "-j history before 1")) == []
    for words, told in [(("history", "last", "0"), "counted from 1"), (("history", "last"), 'unexpected "last"'),
                        (("history", "before", "x"), '"x" is not a number')]:
        assert told in refused(daemon, *words, status=2)
    with daemon.netconf() as client:
        said = client.rpc_text(f"<history {NS}><last>2</last><before>5</before></history>")
        assert re.findall(r"<number>(\d+)<", said) == ["4", "3"]
        said = client.rpc_text(f"<history {NS}><last>0</last></history>")
        assert "invalid-value" in said and "last is a number from 1 on, not 0" in said
    daemon = start()
    assert numbers(ok(daemon, "history all")) == list(range(1101, 0, -1))
    ok(daemon, "rollback 1")
    assert "mtu" not in ok(daemon, "get-config"), "1,100 commits back"


def test_what_is_pruned_by_size_stays_gone_and_the_refusal_says_so(start):
    daemon = start("--history-size", "1")
    ok(daemon, f"add tunnel {TUNNEL.format(1)}")
    commits(daemon, 300, sessions=40)
    kept = numbers(ok(daemon, "history all"))
    assert kept[0] == 301 and 50 < len(kept) < 280, len(kept)
    oldest = kept[-1]
    told = refused(daemon, "history", "show", "1")
    assert f"commit 1 is not in the history, which holds {oldest} to 301" in told
    told = refused(daemon, "rollback", "1")
    assert f"only to those from {oldest - 1} to 301; the record of commit {oldest - 1} is not kept" in told
    daemon = start("--history-size", "1")
    assert numbers(ok(daemon, "history all")) == kept, "a stop and a start keep what was kept"
    daemon = start("--history-size", "8")
    assert numbers(ok(daemon, "history all")) == kept, "the stop took the others off the disk"
    ok(daemon, f"rollback {oldest}")
    assert numbers(ok(daemon, "history"))[0] == 302


def test_an_option_of_the_daemon_that_makes_no_sense_is_refused(start, tmp_path):
    for words in (["--history-size", "0"], ["--history-age", "-1"], ["--history-size", "much"]):
        done = Here().run(L2TPV3D, *words, check=False)
        assert done.returncode == 2 or done.returncode == 1, done
        assert words[0] in done.stderr and "give a number from" in done.stderr
