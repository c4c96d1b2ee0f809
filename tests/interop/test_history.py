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


# ---- revert

def revert(daemon, number, *options):
    return daemon.ctl(*options, "revert", number).stdout


@pytest.fixture
def story(start):
    """Commits by their names: number 1 made tunnel 1, and so on."""
    daemon, numbers = start(), {}

    def commit(name, *words):
        daemon.ctl(*" ".join(words).split())
        numbers[name] = newest(daemon)

    commit("tunnel", "add tunnel", TUNNEL.format(1))
    commit("seven", "add session tid 1 sid 7 psid 7 mtu 1400 description seven")
    commit("eight", "add session tid 1 sid 8 psid 8")
    daemon.commit, daemon.numbers = commit, numbers
    return daemon


def test_one_commit_among_others_is_undone_and_the_others_stay(story):
    story.commit("mtu", "set session tid 1 sid 7 mtu 1450 sequencing both")
    story.commit("words", "set session tid 1 sid 7 description other")
    story.commit("nine", "add session tid 1 sid 9 psid 9")
    before = ok(story, "get-config")
    revert(story, story.numbers["mtu"])
    now = ok(story, "get-config")
    assert "<mtu>1400<" in now and "sequencing" not in now and "<description>other<" in now and "<session-id>9<" in now
    line = ok(story, "history last 1").strip()
    assert line.endswith(f": revert of commit {story.numbers['mtu']}") and " cli " in line, line
    assert ok(story, f"history show {newest(story)}").count("~ ") >= 1
    revert(story, newest(story))
    assert ok(story, "get-config") == before, "a revert can be reverted"
    revert(story, story.numbers["eight"], "-m", "wrong customer")
    assert "<session-id>8<" not in ok(story, "get-config")
    assert ok(story, "history last 1").strip().endswith(f": revert of commit {story.numbers['eight']}: wrong customer")
    revert(story, newest(story))
    assert ok(story, "get-config") == before, "what was created and deleted is there again"


@pytest.mark.parametrize("reverted, later, place, words", [
    ("seven", ["set session tid 1 sid 7 mtu 1500"], "session[session-id='7']/mtu", "changed"),
    ("seven", ["set session tid 1 sid 7 bridge br0"], "session[session-id='7']/bridge", "changed"),
    ("seven", ["delete session tid 1 sid 7"], "session[session-id='7']", "deleted"),
    ("mtu", ["set session tid 1 sid 7 mtu 1500"], "session[session-id='7']/mtu", "changed"),
    ("mtu", ["set session tid 1 sid 7 no-mtu"], "session[session-id='7']/mtu", "changed"),
    ("mtu", ["delete session tid 1 sid 7"], "session[session-id='7']", "deleted"),
    ("gone", ["add session tid 1 sid 8 psid 80"], "session[session-id='8']", "created"),
    ("gone", ["delete tunnel tunnel_id 1"], "tunnel[tunnel-id='1']", "deleted"),
    ("tunnel", ["delete session tid 1 sid 7"], "session[session-id='9']", "created"),
])
def test_a_later_commit_that_changed_the_same_place_is_named(story, reverted, later, place, words):
    story.commit("mtu", "set session tid 1 sid 7 mtu 1450")
    story.commit("gone", "delete session tid 1 sid 8")
    story.commit("nine", "add session tid 1 sid 9 psid 9")
    for command in later:
        ok(story, command)
    culprit = story.numbers["nine"] if reverted == "tunnel" else newest(story)
    ok(story, f"add tunnel {TUNNEL.format(3)}")
    before, number = ok(story, "get-config"), newest(story)
    told = refused(story, "revert", str(story.numbers[reverted]))
    assert f"{place}: commit {story.numbers[reverted]} cannot be reverted, for this was {words} since by commit " \
           f"{culprit} (root, cli); revert that one first" in told, told
    assert (ok(story, "get-config"), newest(story)) == (before, number)
    with story.netconf() as client:
        said = client.rpc_text(f"<revert {NS}><number>{story.numbers[reverted]}</number></revert>")
        assert "<error-app-tag>changed-since<" in said and "operation-failed" in said and "<error-path" in said


def test_what_others_put_back_by_hand_still_applies(story):
    story.commit("mtu", "set session tid 1 sid 7 mtu 1450")
    story.commit("away", "set session tid 1 sid 7 mtu 1500")
    story.commit("again", "set session tid 1 sid 7 mtu 1450")
    revert(story, story.numbers["mtu"])
    assert "<mtu>1400<" in ok(story, "get-config")


def test_an_edit_of_config_xml_is_named_where_no_commit_is_to_blame(story):
    story.commit("mtu", "set session tid 1 sid 7 mtu 1450")
    story.stop()
    path = story.state / "config.xml"
    path.write_text(path.read_text().replace("<mtu>1450<", "<mtu>1460<"))
    story.start()
    told = refused(story, "revert", str(story.numbers["mtu"]))
    assert "/mtu: " in told and "changed since by an edit of config.xml" in told


def test_check_says_what_a_revert_or_a_rollback_would_change_and_changes_nothing(story):
    story.commit("peer", "set session tid 1 sid 7 peer_session_id 70")
    story.commit("words", "set session tid 1 sid 7 description other")
    before, number = ok(story, "get-config"), newest(story)
    for words in (["revert", str(story.numbers["peer"])], ["rollback", str(story.numbers["eight"])]):
        said = story.ctl(*words, "--check").stdout
        assert "peer-session-id 70 -> 7" in said and "re-created" in said, said
        assert ("description" in said) == (words[0] == "rollback")
    assert "cannot be reverted" in refused(story, "revert", str(story.numbers["seven"]), "--check")
    assert (ok(story, "get-config"), newest(story)) == (before, number)
    with story.netconf() as client:
        assert "<ok/>" in client.rpc_text(f"<revert {NS}><number>{story.numbers['peer']}</number><stage/></revert>")
        said = client.rpc_text(f"<revert {NS}><number>{story.numbers['peer']}</number><stage/></revert>")
        assert "in-use" in said and "commit or discard them first" in said
        assert "<ok/>" in client.rpc_text("<discard-changes/>")


def test_a_revert_may_be_tentative(story):
    story.commit("mtu", "set session tid 1 sid 7 mtu 1450")
    before = ok(story, "get-config")
    said = story.ctl("revert", str(story.numbers["mtu"]), "--confirm", "60", "-m", "try").stdout
    assert "Done for now" in said and "<mtu>1400<" in ok(story, "get-config")
    assert f"revert of commit {story.numbers['mtu']}: try" in ok(story, "history last 1")
    ok(story, "cancel")
    assert ok(story, "get-config") == before
    story.ctl("rollback", str(story.numbers["eight"]), "--confirm", "60")
    ok(story, "confirm")
    assert "<mtu>1400<" in ok(story, "get-config")


def test_rollback_and_adopt_take_words_for_the_history(story):
    story.ctl("-m", "as on Monday", "rollback", str(story.numbers["seven"]))
    assert ok(story, "history last 1").strip().endswith(f": rollback to {story.numbers['seven']}: as on Monday")
    told = refused(story, "-m", "x" * 90, "rollback", str(story.numbers["tunnel"]))
    assert "comment has 90 octets; allowed: up to 80" in told


def test_a_revert_of_thousands_is_as_whole_and_names_one_place_of_many(start):
    daemon = start()
    ok(daemon, f"add tunnel {TUNNEL.format(1)}")
    commits(daemon, 1, sessions=5000)
    made = newest(daemon)
    commits(daemon, 2, sessions=4999)
    last = newest(daemon)
    told = refused(daemon, "revert", str(made))
    assert f"session[session-id='1']/mtu: commit {made} cannot be reverted, for this was changed since by commit {last}" in told
    revert(daemon, last)
    revert(daemon, made)
    assert "session" not in ok(daemon, "get-config")
    ok(daemon, f"rollback {last}")
    assert ok(daemon, "get-config").count("<mtu>1001<") == 4999
