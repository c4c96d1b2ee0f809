"""Confirmed commits (RFC 6241 section 8.4): in time or not, by whose session, through kills and restarts."""
import itertools
import os
import random
import re
import sys
import threading
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

sys.path.insert(0, str(Path(__file__).resolve().parent))

from lib.agentx import column  # noqa: E402
from lib.built import need_built  # noqa: E402
from lib.daemons import L2TPV3CTL, L2TPV3D, RELAY, L2tpv3d, Sshd  # noqa: E402
from lib.here import Here  # noqa: E402
from lib.netconf import BASE, L2TP, Netconf, RpcError  # noqa: E402
from lib.snmp import SnmpError  # noqa: E402
from lib.waiting import wait_for  # noqa: E402
from test_snmp import Bench  # noqa: E402

need_built(L2TPV3D, L2TPV3CTL, RELAY)
CONFIRMED = "<commit><confirmed/>{}</commit>"


def tunnel(number):
    return (f'<l2tpv3 xmlns="{L2TP}"><tunnel><tunnel-id>{number}</tunnel-id><peer-tunnel-id>{number}</peer-tunnel-id>'
            "<local-address>127.0.0.1</local-address><remote-address>127.0.0.2</remote-address>"
            f"<local-port>{5000 + number}</local-port></tunnel></l2tpv3>")


def tunnels(client):
    return [int(entry.text) for entry in client.get_config().iter(f"{{{L2TP}}}tunnel-id")]


def in_kernel(client):
    shown = client.get('<filter type="subtree"><l2tpv3 xmlns="%s"><tunnel><tunnel-id/><oper-status/></tunnel></l2tpv3></filter>' % L2TP)
    return [int(entry.findtext(f"{{{L2TP}}}tunnel-id")) for entry in shown.iter(f"{{{L2TP}}}tunnel")]


def refused(call, *arguments):
    with pytest.raises(RpcError) as raised:
        call(*arguments)
    return raised.value


@pytest.fixture
def daemon(tmp_path):
    daemon = L2tpv3d(Here(), tmp_path, kernel="sim").start()
    with Netconf(daemon.socket) as client:
        client.edit_config(tunnel(1))
    yield daemon
    daemon.stop()


def ctl(daemon, *words):
    return Here().run(L2TPV3CTL, "-S", daemon.socket, *words, check=False)


def test_undone_in_time_or_confirmed(daemon):
    with Netconf(daemon.socket) as one, Netconf(daemon.socket) as two:
        assert "urn:ietf:params:netconf:capability:confirmed-commit:1.1" in one.capabilities
        one.edit_config(tunnel(2), "candidate")
        one.rpc(CONFIRMED.format("<confirm-timeout>1</confirm-timeout>"))
        assert tunnels(two) == [1, 2]
        wait_for(lambda: tunnels(two) == [1], "the commit to be undone")
        wait_for(lambda: in_kernel(two) == [1], "its tunnel to go")
        one.edit_config(tunnel(2), "candidate")
        one.rpc(CONFIRMED.format("<confirm-timeout>1</confirm-timeout>"))
        one.commit()
        assert refused(one.rpc, "<cancel-commit/>").app_tag == "no-confirmed-commit"
        assert tunnels(two) == [1, 2]
        history = ctl(daemon, "history").stdout
        assert "not confirmed: back to 1" in history and "confirms all since 3" in history


def test_what_others_may_do_meanwhile(daemon):
    with Netconf(daemon.socket) as one, Netconf(daemon.socket) as two:
        one.edit_config(tunnel(2), "candidate")
        one.rpc(CONFIRMED.format(""))
        assert f"unless it is confirmed by session {one.session_id} before\n" in shell(daemon, "show clients")
        denied = two.rpc_text("<lock><target><running/></target></lock>")
        assert "<error-tag>lock-denied<" in denied and f"<session-id>{one.session_id}</session-id>" in denied
        two.lock("candidate")
        two.edit_config(tunnel(3), "candidate")
        for body in ("<commit/>", CONFIRMED.format(""), "<cancel-commit/>"):
            assert refused(two.rpc, body).tag == "in-use", body
        assert refused(two.edit_config, tunnel(3)).tag == "in-use"
        two.unlock("candidate")
        done = ctl(daemon, "add", "tunnel", "tunnel_id", "4", "peer_tunnel_id", "4", "encap", "ip", "local", "127.0.0.1",
                   "remote", "127.0.0.2")
        assert done.returncode == 1 and "a confirmed commit is pending" in done.stderr
        one.lock()
        one.edit_config(tunnel(5))  # its own session's, undone with it
        assert tunnels(two) == [1, 2, 5]
        one.rpc("<cancel-commit/>")
        assert tunnels(two) == [1]


def test_only_a_commit_confirms(daemon):
    copy = "<copy-config><target><running/></target><source><candidate/></source></copy-config>"
    with Netconf(daemon.socket) as one, Netconf(daemon.socket) as two:
        one.edit_config(tunnel(2), "candidate")
        one.rpc(CONFIRMED.format(""))
        one.edit_config(tunnel(3), "candidate")
        one.rpc(copy)
        assert tunnels(two) == [1, 2, 3]
        assert refused(two.rpc, copy).tag == "in-use"
        one.rpc("<cancel-commit/>")
        assert tunnels(two) == [1]


@pytest.mark.parametrize("body, tag, text", [
    ("<commit><confirm-timeout>5</confirm-timeout></commit>", "missing-element", "<bad-element>confirmed<"),
    ("<commit><persist>x</persist></commit>", "missing-element", "<bad-element>confirmed<"),
    ("<commit><confirmed>x</confirmed></commit>", "bad-element", "<bad-element>confirmed<"),
    (CONFIRMED.format("<confirm-timeout>0</confirm-timeout>"), "invalid-value", ""),
    (CONFIRMED.format("<confirm-timeout>-1</confirm-timeout>"), "invalid-value", ""),
    (CONFIRMED.format("<confirm-timeout>4294967296</confirm-timeout>"), "invalid-value", ""),
    ("<commit><persist-id>x</persist-id></commit>", "invalid-value", "no confirmed commit is pending"),
    ("<cancel-commit><persist-id>x</persist-id></cancel-commit>", "invalid-value", "no confirmed commit is pending"),
    ("<cancel-commit/>", "operation-failed", "<error-app-tag>no-confirmed-commit<"),
    ("<commit><no-such/></commit>", "unknown-element", "<bad-element>no-such<"),
])
def test_refusals(daemon, body, tag, text):
    with Netconf(daemon.socket) as one:
        reply = one.rpc_text(body)
        assert f"<error-tag>{tag}<" in reply and "<error-type>protocol<" in reply and text in reply, reply
        assert tunnels(one) == [1]


@pytest.mark.parametrize("persist", [False, True])
def test_its_session_ends(daemon, persist):
    with Netconf(daemon.socket) as two:
        with Netconf(daemon.socket) as one:
            one.edit_config(tunnel(2), "candidate")
            one.rpc(CONFIRMED.format("<persist>a &amp; b</persist>" if persist else ""))
        if not persist:
            wait_for(lambda: tunnels(two) == [1], "the commit to be undone")
            return
        assert refused(two.rpc, "<commit><persist-id>a</persist-id></commit>").tag == "invalid-value"
        assert refused(two.commit).tag == "in-use"
        two.edit_config(tunnel(3), "candidate")
        two.rpc(CONFIRMED.format("<persist-id>a &amp; b</persist-id><persist>c</persist>"))
        assert refused(two.rpc, "<commit><persist-id>a &amp; b</persist-id></commit>").tag == "invalid-value"
        two.rpc("<commit><persist-id>c</persist-id></commit>")
        assert tunnels(two) == [1, 2, 3]


def test_who_kills_its_session_finds_it_undone(daemon):
    """RFC 6241 section 7.9: not in a moment, but with the reply."""
    with Netconf(daemon.socket) as two:
        for _ in range(3):
            one = Netconf(daemon.socket)
            one.edit_config(tunnel(2), "candidate")
            one.rpc(CONFIRMED.format(""))
            replies = two.rpc_texts(f"<kill-session><session-id>{one.session_id}</session-id></kill-session>",
                                    "<get-config><source><running/></source></get-config>",
                                    "<lock><target><running/></target></lock>",
                                    "<unlock><target><running/></target></unlock>")
            assert ["<ok/>" in reply for reply in replies] == [True, False, True, True], replies
            assert "<tunnel-id>1<" in replies[1] and "<tunnel-id>2<" not in replies[1]
            one.close()


def test_an_idle_session_is_not_ended_before_the_time_it_has(tmp_path):
    daemon = L2tpv3d(Here(), tmp_path, "--idle-timeout", "1", "--lock-timeout", "1", kernel="sim").start()
    try:
        with Netconf(daemon.socket) as one:
            one.lock()
            one.edit_config(tunnel(2), "candidate")
            one.rpc(CONFIRMED.format("<confirm-timeout>4</confirm-timeout>"))
            with pytest.raises(TimeoutError):
                one.receive(seconds=2.5)
            one.commit()
    finally:
        daemon.stop()


def test_a_restart_undoes_it(daemon):
    with Netconf(daemon.socket) as one:
        one.edit_config(tunnel(2), "candidate")
        one.rpc(CONFIRMED.format("<persist>x</persist>"))
    daemon.stop()  # which writes config.xml anew, the tentative state in it
    assert "<tunnel-id>2<" in (daemon.folder / "state" / "config.xml").read_text()
    daemon.start()
    with Netconf(daemon.socket) as one:
        assert tunnels(one) == [1]
        assert in_kernel(one) == [1]
        one.edit_config(tunnel(3))
    daemon.stop()
    daemon.start()
    with Netconf(daemon.socket) as one:
        assert tunnels(one) == [1, 3]


def shell(daemon, line, status=0):
    done = ctl(daemon, *line.split())
    assert done.returncode == status, (line, done.stderr)
    return done.stderr if status else done.stdout


def test_from_the_shell(daemon, tmp_path):
    """Whatever changes something, kept by another l2tpv3ctl, cancelled, or undone in time."""
    file = tmp_path / "config.xml"
    file.write_text(tunnel(2))
    add = "add tunnel tunnel_id {0} peer_tunnel_id {0} encap ip local 127.0.0.1 remote 127.0.0.2"
    with Netconf(daemon.socket) as client:
        said = shell(daemon, f"push {file} --replace --confirm 300")
        assert "within 300 s" in said and tunnels(client) == [2]
        assert re.search(r"pending: back to commit 1 in (300|29\d) s, unless it is confirmed before$",
                         shell(daemon, "show clients"), re.M)
        assert "a confirmed commit is pending" in shell(daemon, add.format(3), 1)
        # A further one joins it.
        file.write_text(tunnel(4))
        assert "with what was to be confirmed already" in shell(daemon, f"push {file} --confirm 600")
        assert tunnels(client) == [2, 4] and re.search("back to commit 1 in (600|59.) s", shell(daemon, "show clients"))
        assert shell(daemon, "cancel") == "" and tunnels(client) == [1]
        shell(daemon, "delete tunnel tunnel_id 1 --confirm 300"), shell(daemon, add.format(2) + " --confirm 300")
        assert shell(daemon, "confirm") == "" and tunnels(client) == [2]
        assert "already" not in shell(daemon, add.format(3) + " --confirm 300")
        assert shell(daemon, "cancel") == "" and tunnels(client) == [2]
        shell(daemon, "set tunnel tunnel_id 2 description x --confirm 1")
        wait_for(lambda: "description" not in ctl(daemon, "get-config").stdout, "the change to be undone")
        shell(daemon, "delete tunnel tunnel_id 2 --confirm 1")
        wait_for(lambda: tunnels(client) == [2], "the tunnel to come back")
        for line in ("confirm", "cancel"):
            assert "no confirmed commit is pending" in shell(daemon, line, 1)
        client.lock("candidate")  # which no call has left locked, or dirty


def test_the_shell_and_the_candidate_of_others(daemon):
    with Netconf(daemon.socket) as client:
        client.edit_config(tunnel(2), "candidate")
        for line in ("delete tunnel tunnel_id 1 --confirm 300", "confirm"):
            assert "the candidate has changes that are not committed" in shell(daemon, line, 1)
        client.rpc(CONFIRMED.format("<persist>a &amp; b</persist>"))
        assert "not the persist-id" in shell(daemon, "confirm", 1)
        assert "give its persist-id" in shell(daemon, "delete tunnel tunnel_id 1 --confirm 300", 1)
        assert ctl(daemon, "confirm", "a & b").returncode == 0 and tunnels(client) == [1, 2]
        # a change that fails stages nothing
        assert "/l2tpv3/tunnel[tunnel-id='9']" in shell(daemon, "delete tunnel tunnel_id 9 --confirm 300", 1)
        client.lock("candidate")
        assert f"session {client.session_id}" in shell(daemon, "delete tunnel tunnel_id 1 --confirm 300", 1)


@pytest.mark.parametrize("line, why", [
    ("push x --confirm soon", "seconds"), ("push x --confirm 0", "seconds"), ("push x --confirm -1", "seconds"),
    ("push x --confirm 4294967296", "seconds"), ("push x --confirm", "needs a value"),
    ("push x --confirm 5 --check", "changes nothing"), ("validate x --confirm 5", "does not go with validate"),
    ("show tunnel --confirm 5", "does not go with show"), ("confirm one two", "unexpected"),
])
def test_what_makes_no_sense_in_the_shell(daemon, line, why):
    assert why in shell(daemon, line, 2)


def test_it_and_snmp_sets_at_once(tmp_path):
    """No SET that was acknowledged is undone: it comes before the commit, or after the end of it."""
    bench = Bench(tmp_path).start()
    kept, refusals, stopped = [], set(), threading.Event()

    def describe():
        for number in itertools.count():
            try:
                bench.snmp.set((column(2, 2, 1), "s", f"set {number}"))
                kept.append(number)
            except SnmpError as error:
                refusals.add(error.status)
            if stopped.is_set():
                return

    manager = threading.Thread(target=describe)
    try:
        bench.push(tunnel(1))
        manager.start()
        with bench.daemon.netconf() as one:
            for rounds in range(4):
                wait_for(lambda: len(kept) > 2 * rounds + 1, "SETs that are accepted")
                one.edit_config(tunnel(2 + rounds), "candidate")
                one.rpc(CONFIRMED.format(""))
                seen = one.get_config().findtext(f".//{{{L2TP}}}description")
                refusals.clear()
                wait_for(lambda: refusals, "a SET that is refused")
                assert one.get_config().findtext(f".//{{{L2TP}}}description") == seen == f"set {kept[-1]}"
                one.rpc("<cancel-commit/>" if rounds % 2 else "<commit/>")
                assert refusals == {"resourceUnavailable"}
            wait_for(lambda: len(kept) > 9, "SETs again")
            stopped.set()
            manager.join()
            assert one.get_config().findtext(f".//{{{L2TP}}}description") == f"set {kept[-1]}"
            assert tunnels(one) == [1, 2, 4]
    finally:
        stopped.set()
        bench.stop()


KILLS = int(os.environ.get("L2TPV3D_CONFIRMED_KILLS", "12"))


def test_a_kill_at_any_moment_leaves_the_old_or_what_was_confirmed(daemon):
    """Each round: a confirmed commit, perhaps its confirmation, and a kill at a random moment of all that."""
    chance, kept = random.Random(8), {1}
    for number in range(2, 2 + KILLS):
        one = Netconf(daemon.socket)
        confirm, acknowledged = chance.random() < 0.5, False
        one.edit_config(tunnel(number), "candidate")
        one.send(f'<rpc xmlns="{BASE}" message-id="c">{CONFIRMED.format("<persist>x</persist>")}</rpc>')
        if chance.random() < 0.8:
            assert "<ok/>" in one.reply_text()
            if confirm:
                one.send(f'<rpc xmlns="{BASE}" message-id="d"><commit><persist-id>x</persist-id></commit></rpc>')
                if chance.random() < 0.5:
                    acknowledged = "<ok/>" in one.reply_text()
        else:
            confirm = False
        daemon.process.kill()
        daemon.process.wait()
        daemon.start()
        with Netconf(daemon.socket) as other:
            seen = set(tunnels(other))
            assert seen in ([kept | {number}] if acknowledged else [kept, kept | {number}] if confirm else [kept])
            other.lock()  # and nothing is pending
            kept = seen
        one.close()


@pytest.fixture
def managers(daemon, tmp_path):
    pytest.importorskip("ncclient", reason="python3-ncclient is not installed")
    if os.getuid() != 0 or not Path("/usr/sbin/sshd").exists():
        pytest.skip("sshd needs root to log somebody in")
    sshd = Sshd(Here(), tmp_path / "sshd", daemon.socket, port=18320).start()
    with sshd.ncclient() as one, sshd.ncclient() as two:
        yield one, two
    sshd.stop()


def test_ncclient(managers):
    from ncclient.operations import RPCError
    one, two = managers

    def shown():
        return [int(entry.text) for entry in two.get_config("running").data_ele.iter(f"{{{L2TP}}}tunnel-id")]

    assert ":confirmed-commit" in one.server_capabilities
    one.edit_config(f"<config>{tunnel(2)}</config>", target="candidate")
    one.commit(confirmed=True, timeout="300")
    with pytest.raises(RPCError) as raised:
        two.lock("running")
    assert raised.value.tag == "lock-denied"
    one.commit()
    assert shown() == [1, 2]
    one.edit_config(f"<config>{tunnel(3)}</config>", target="candidate")
    one.commit(confirmed=True, timeout="1")
    wait_for(lambda: shown() == [1, 2], "the commit to be undone")
    one.edit_config(f"<config>{tunnel(3)}</config>", target="candidate")
    one.commit(confirmed=True, persist="token")
    two.commit(persist_id="token")
    assert shown() == [1, 2, 3]
