"""The candidate datastore (RFC 6241 sections 8.3 and 8.6): by other people's client, by several at once, at random."""
import os
import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.built import need_built  # noqa: E402
from lib.daemons import L2TPV3CTL, L2TPV3D, RELAY, L2tpv3d, Sshd  # noqa: E402
from lib.here import Here  # noqa: E402
from lib.netconf import BASE, L2TP, Netconf, RpcError, subtree  # noqa: E402
from lib.waiting import wait_for  # noqa: E402

need_built(L2TPV3D, L2TPV3CTL, RELAY)


def tunnel(number, inner="", attribute=""):
    return (f"<tunnel{attribute}><tunnel-id>{number}</tunnel-id><peer-tunnel-id>{number}</peer-tunnel-id>"
            f"<local-address>127.0.0.1</local-address><remote-address>127.0.0.2</remote-address>"
            f"<local-port>{5000 + number}</local-port>{inner}</tunnel>")


def sessions(numbers):
    return "".join(f"<session><session-id>{i}</session-id><peer-session-id>{i}</peer-session-id></session>"
                   for i in numbers)


def config(*tunnels):
    return f'<l2tpv3 xmlns="{L2TP}" xmlns:nc="{BASE}">{"".join(tunnels)}</l2tpv3>'


def leaves(reply, name="tunnel-id"):
    return [element.text for element in reply.iter(f"{{{L2TP}}}{name}")]


def copy_config(client, target, source):
    return client.rpc(f"<copy-config><target><{target}/></target><source>{source}</source></copy-config>")


def refused(call, *arguments):
    with pytest.raises(RpcError) as raised:
        call(*arguments)
    return raised.value


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    daemon = L2tpv3d(Here(), tmp_path_factory.mktemp("candidate"), kernel="sim").start()
    yield daemon
    daemon.stop()


@pytest.fixture
def daemon(server):
    with Netconf(server.socket) as client:
        client.rpc("<discard-changes/>")
        client.rpc(f"<copy-config><target><running/></target><source><config>{config()}</config></source></copy-config>")
    return server


@pytest.fixture
def pair(daemon):
    with Netconf(daemon.socket) as one, Netconf(daemon.socket) as two:
        yield one, two


def test_capabilities(pair):
    names = [uri.partition("capability:")[2] for uri in pair[0].capabilities]
    assert {"candidate:1.0", "validate:1.1", "writable-running:1.0", "rollback-on-error:1.0"} <= set(names)


def test_staged_until_committed(pair):
    one, two = pair
    one.edit_config(config(tunnel(1, sessions((10, 11)))), "candidate")
    assert leaves(two.get_config("candidate"), "session-id") == ["10", "11"]
    assert leaves(two.get_config()) == []
    two.commit()  # one candidate for all
    assert leaves(one.get_config(), "session-id") == ["10", "11"]
    one.commit()  # nothing is left to do


def test_discard(pair):
    one, two = pair
    one.edit_config(config(tunnel(1)), "candidate")
    two.rpc("<discard-changes/>")
    assert leaves(one.get_config("candidate")) == []


def test_a_filter_reads_the_candidate(pair):
    one, _ = pair
    one.edit_config(config(tunnel(1, sessions(range(10, 40)))), "candidate")
    wanted = config("<tunnel><tunnel-id>1</tunnel-id><session><session-id>33</session-id></session></tunnel>")
    assert leaves(one.get_config("candidate", subtree(wanted)), "peer-session-id") == ["33"]


def test_a_commit_that_fails_gives_the_candidate_back(pair):
    one, _ = pair
    one.edit_config(config(tunnel(1), "<tunnel><tunnel-id>2</tunnel-id></tunnel>"), "candidate")
    error = refused(one.commit)
    assert (error.tag, error.path) == ("data-missing", "/l2tp:l2tpv3/l2tp:tunnel[l2tp:tunnel-id='2']/l2tp:peer-tunnel-id")
    assert leaves(one.get_config()) == []
    assert leaves(one.get_config("candidate")) == ["1", "2"]
    one.edit_config(config(tunnel(2)), "candidate")
    one.commit()
    assert leaves(one.get_config()) == ["1", "2"]


def test_validate(pair):
    one, _ = pair
    source = "<validate><source>{}</source></validate>"
    one.rpc(source.format("<running/>"))
    one.rpc(source.format("<candidate/>"))
    one.edit_config(config("<tunnel><tunnel-id>2</tunnel-id></tunnel>"), "candidate")
    assert refused(one.rpc, source.format("<candidate/>")).tag == "data-missing"
    one.rpc(source.format(f"<config>{config(tunnel(1))}</config>"))
    error = refused(one.rpc, source.format(f"<config>{config(tunnel(1), tunnel(1))}</config>"))
    assert error.tag == "bad-element"
    error = refused(one.rpc, source.format(f"<config>{config(tunnel(3, '<udp-checksum>7</udp-checksum>'))}</config>"))
    assert (error.tag, error.path) == ("invalid-value", "/l2tp:l2tpv3/l2tp:tunnel[l2tp:tunnel-id='3']/l2tp:udp-checksum")
    assert leaves(one.get_config("candidate")) == ["2"] and leaves(one.get_config()) == []


def test_to_validate_is_not_to_write(pair):
    one, two = pair
    whole = f"<validate><source><config>{config(tunnel(3))}</config></source></validate>"
    one.edit_config(config(tunnel(1)))
    lock = f'<partial-lock xmlns="urn:ietf:params:xml:ns:netconf:partial-lock:1.0"><select xmlns:l="{L2TP}">/l:l2tpv3</select></partial-lock>'
    for taken, given_back in ((lambda: one.lock(), lambda: one.unlock()),
                              (lambda: one.rpc("<commit><confirmed/></commit>"), lambda: one.rpc("<cancel-commit/>")),
                              (lambda: one.rpc(lock), lambda: one.rpc("<close-session/>"))):
        taken()
        assert refused(two.edit_config, config(tunnel(3)), "running", "<default-operation>replace</default-operation>").tag == "in-use"
        two.rpc(whole)
        given_back()


def test_options_of_an_edit(pair):
    one, _ = pair
    option = "<test-option>{}</test-option>"
    incomplete = config("<tunnel><tunnel-id>2</tunnel-id></tunnel>")
    assert refused(one.edit_config, incomplete, "candidate", option.format("test-only")).tag == "data-missing"
    assert leaves(one.get_config("candidate")) == []
    one.edit_config(config(tunnel(1)), "candidate", option.format("test-only"))
    assert leaves(one.get_config("candidate")) == []
    one.edit_config(config(tunnel(1)), "candidate", option.format("test-then-set"))
    assert refused(one.edit_config, incomplete, "candidate", option.format("test-then-set")).tag == "data-missing"
    one.edit_config(incomplete, "candidate", option.format("set"))
    assert leaves(one.get_config("candidate")) == ["1", "2"]
    error = refused(one.edit_config, config(tunnel(3), tunnel(1, attribute=' nc:operation="create"')), "candidate",
                    "<error-option>rollback-on-error</error-option>")
    assert error.tag == "data-exists"
    assert leaves(one.get_config("candidate")) == ["1", "2"]


def test_copies(pair):
    one, _ = pair
    inline = "<config>{}</config>"
    copy_config(one, "candidate", inline.format(config(tunnel(1), tunnel(2))))
    assert leaves(one.get_config()) == []
    copy_config(one, "running", "<candidate/>")
    assert leaves(one.get_config()) == ["1", "2"]
    copy_config(one, "running", inline.format(config(tunnel(2), tunnel(3))))
    assert leaves(one.get_config()) == leaves(one.get_config("candidate")) == ["2", "3"]
    one.rpc("<delete-config><target><candidate/></target></delete-config>")
    assert leaves(one.get_config("candidate")) == [] and leaves(one.get_config()) == ["2", "3"]
    copy_config(one, "candidate", "<running/>")
    assert leaves(one.get_config("candidate")) == ["2", "3"]


@pytest.mark.parametrize("body, tag, type, text", [
    ("<copy-config><target><running/></target><source><running/></source></copy-config>", "invalid-value", "protocol", ""),
    ("<copy-config><target><candidate/></target><source><candidate/></source></copy-config>", "invalid-value", "protocol", ""),
    ("<copy-config><target><config/></target><source><running/></source></copy-config>", "unknown-element",  # RFC 7950 8.3.1
     "protocol", "<bad-element>config</bad-element>"),
    ("<copy-config><source><running/></source></copy-config>", "missing-element", "protocol",
     "<bad-element>target</bad-element>"),
    (f'<copy-config><target><running/></target><source><config><l2tpv3 xmlns="{L2TP}" xmlns:nc="{BASE}" '
     'nc:operation="merge"/></config></source></copy-config>', "unknown-attribute", "protocol",
     "<bad-attribute>operation</bad-attribute>"),
    ("<copy-config><target><running/></target><source><config/><config/></source></copy-config>", "bad-element",
     "protocol", ""),
    ("<copy-config><target><running/></target><source>x<config/></source></copy-config>", "bad-element", "protocol", ""),
    ("<delete-config><target><running/></target></delete-config>", "operation-not-supported", "protocol", ""),
    ("<delete-config><target><startup/></target></delete-config>", "operation-not-supported", "protocol", ""),
    ("<validate/>", "missing-element", "protocol", "<bad-element>source</bad-element>"),
    ("<discard-changes><x/></discard-changes>", "unknown-element", "protocol", "<bad-element>x</bad-element>"),
    ("<get-config><source><candidate>x</candidate></source></get-config>", "bad-element", "protocol",
     "<bad-element>candidate</bad-element>"),
])
def test_refusals(pair, body, tag, type, text):
    one, _ = pair
    reply = one.rpc_text(body)
    assert f"<error-tag>{tag}</error-tag>" in reply and f"<error-type>{type}</error-type>" in reply and text in reply, reply
    assert leaves(one.get_config()) == []


def test_lock(pair, daemon):
    one, two = pair
    one.edit_config(config(tunnel(1)), "candidate")
    for client in pair:  # not even who made the changes
        error = refused(client.lock, "candidate")
        assert error.tag == "lock-denied" and "<session-id>0</session-id>" in two.rpc_text(
            "<lock><target><candidate/></target></lock>")
    one.commit()
    one.lock("candidate")
    assert f"<session-id>{one.session_id}</session-id>" in two.rpc_text("<lock><target><candidate/></target></lock>")
    for body in (f"<edit-config><target><candidate/></target><config>{config()}</config></edit-config>", "<commit/>",
                 "<discard-changes/>", "<copy-config><target><candidate/></target><source><running/></source></copy-config>"):
        assert refused(two.rpc, body).tag == "in-use", body
    two.edit_config(config(tunnel(4)), "candidate", "<test-option>test-only</test-option>")  # which changes nothing
    two.edit_config(config(tunnel(2)))  # running is not locked
    one.edit_config(config(tunnel(3)), "candidate")
    assert leaves(two.get_config("candidate")) == ["1", "2", "3"]
    one.unlock("candidate")
    assert leaves(two.get_config("candidate")) == ["1", "2"]
    assert refused(two.unlock, "candidate").app_tag == "not-locked"


def test_a_lock_of_running_refuses_the_commit(pair):
    one, two = pair
    one.lock()
    two.edit_config(config(tunnel(1)), options="<test-option>test-only</test-option>")
    two.edit_config(config(tunnel(1)), "candidate")
    assert refused(two.commit).tag == "in-use"
    assert refused(copy_config, two, "running", "<candidate/>").tag == "in-use"
    one.commit()
    assert leaves(two.get_config()) == ["1"]


@pytest.mark.parametrize("how", ["close", "close-session", "kill-session"])
def test_a_lock_ends_with_its_session_and_so_does_what_it_staged(daemon, pair, how):
    one, _ = pair
    with Netconf(daemon.socket) as holder:
        holder.lock("candidate")
        holder.lock("running")
        holder.edit_config(config(tunnel(9)), "candidate")
        if how == "close-session":
            holder.rpc("<close-session/>")
        elif how == "kill-session":
            one.rpc(f"<kill-session><session-id>{holder.session_id}</session-id></kill-session>")
    wait_for(lambda: "<ok/>" in one.rpc_text("<lock><target><candidate/></target></lock>"), "the lock")
    one.lock()
    assert leaves(one.get_config("candidate")) == []
    one.unlock("candidate")
    one.unlock()


def test_what_is_staged_without_a_lock_outlives_its_session(daemon, pair):
    one, _ = pair
    with Netconf(daemon.socket) as other:
        other.edit_config(config(tunnel(9)), "candidate")
        other.rpc("<close-session/>")
    assert leaves(one.get_config("candidate")) == ["9"]


def test_who_has_which_lock_is_shown(pair, daemon):
    one, two = pair
    one.lock("candidate")
    one.lock("running")
    shown = Here().run(L2TPV3CTL, "-S", daemon.socket, "show", "clients").stdout
    assert "holds the lock of running since" in shown and "of candidate since" in shown
    state = two.get(subtree('<netconf-state xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"><datastores/></netconf-state>'))
    held = {store[0].text: store.findtext(".//{*}locked-by-session") for store in state.findall(".//{*}datastore")}
    assert held == {"running": one.session_id, "candidate": one.session_id}


def test_reading_is_of_one_state_while_it_is_edited_and_committed(daemon, pair):
    """A reader that takes its reply slowly, of a candidate of thousands of entries."""
    one, two = pair
    one.edit_config(config(tunnel(1, sessions(range(1, 4001)))), "candidate")
    body = "<get-config><source><candidate/></source></get-config>"
    two.send(f'<rpc xmlns="{BASE}" message-id="1">{body}</rpc>')
    one.edit_config(config(tunnel(1, sessions(range(5001, 5101)))), "candidate")
    one.commit()
    one.edit_config(config('<tunnel nc:operation="delete"><tunnel-id>1</tunnel-id></tunnel>'), "candidate")
    one.commit()
    assert two.reply_text().count("<session>") == 4000
    assert leaves(two.get_config("candidate")) == []


def test_reading_waits_until_an_edit_under_way_is_whole(pair):
    """Whoever reads its first and its last session meanwhile has both or neither."""
    one, two = pair
    new = config(tunnel(1, sessions(range(1, 30001))))
    ends = "<session><session-id>1</session-id></session><session><session-id>30000</session-id></session>"
    ends = subtree(config(f"<tunnel><tunnel-id>1</tunnel-id>{ends}</tunnel>"))
    for _ in range(20):  # until a busy machine lets a read come in between
        one.rpc("<discard-changes/>")
        one.send(f'<rpc xmlns="{BASE}" message-id="1"><edit-config><target><candidate/></target><config>{new}</config>'
                 "</edit-config></rpc>")
        found = [0]
        while found[-1] == 0:
            found.append(len(leaves(two.get_config("candidate", ends), "session-id")))
        assert found[-1] == 2 and "<ok/>" in one.reply_text()
        if len(found) > 2:
            return
    pytest.fail("no read came in between")


class Model:
    """What should come of random operations: dicts of tunnels, and who holds what."""

    def __init__(self):
        self.running, self.staged, self.locks = {}, {}, {}

    @property
    def candidate(self):
        merged = {**self.running, **self.staged}
        return {number: text for number, text in merged.items() if text is not None}

    def settle(self):
        """What is staged and as running has it is staged no more; this is looked at when the candidate is edited."""
        self.staged = {number: text for number, text in self.staged.items() if self.running.get(number) != text}

    def in_use(self, who, *names):
        return any(self.locks.get(name, who) != who for name in names)

    def edit(self, who, target, number, text):
        if self.in_use(who, target):
            return "in-use"
        if target == "candidate":
            self.settle()
            self.staged[number] = text
            self.settle()
            return "ok"
        self.running[number] = text
        self.running = {key: value for key, value in self.running.items() if value is not None}
        return "ok"

    def commit(self, who):
        if self.in_use(who, "running", "candidate"):
            return "in-use"
        self.running, self.staged = self.candidate, {}
        return "ok"

    def discard(self, who):
        if self.in_use(who, "candidate"):
            return "in-use"
        self.staged = {}
        return "ok"

    def lock(self, who, name):
        if name in self.locks or (name == "candidate" and self.staged):
            return "lock-denied"
        self.locks[name] = who
        return "ok"

    def unlock(self, who, name):
        if self.locks.get(name) != who:
            return "operation-failed"
        del self.locks[name]
        if name == "candidate":
            self.staged = {}
        return "ok"

    def end(self, who):
        for name in [name for name, holder in self.locks.items() if holder == who]:
            self.unlock(who, name)


def shown(client, source):
    return {int(entry.findtext(f"{{{L2TP}}}tunnel-id")): entry.findtext(f"{{{L2TP}}}description")
            for entry in client.get_config(source).iter(f"{{{L2TP}}}tunnel")}


STEPS = int(os.environ.get("L2TPV3D_CANDIDATE_STEPS", "1500"))


def test_random_operations_of_several_sessions_agree_with_a_model(daemon):
    chance, model = random.Random(4), Model()
    clients = [Netconf(daemon.socket) for _ in range(3)]
    reader = Netconf(daemon.socket)
    for step in range(STEPS):
        who, target, number = chance.randrange(3), chance.choice(("running", "candidate", "candidate")), chance.randrange(1, 5)
        client = clients[who]
        what = chance.choices(("put", "remove", "commit", "discard", "lock", "unlock", "end"), (30, 12, 12, 6, 12, 16, 2))[0]
        if what == "end":
            model.end(who)
            client.rpc("<close-session/>")
            client.close()
            clients[who] = Netconf(daemon.socket)
            continue
        if what in ("put", "remove"):
            text = f"step {step}" if what == "put" else None
            entry = (tunnel(number, f"<description>{text}</description>") if text else
                     f'<tunnel nc:operation="remove"><tunnel-id>{number}</tunnel-id></tunnel>')
            body = f"<edit-config><target><{target}/></target><config>{config(entry)}</config></edit-config>"
            expected = model.edit(who, target, number, text)
        elif what in ("lock", "unlock"):
            body = f"<{what}><target><{target}/></target></{what}>"
            expected = getattr(model, what)(who, target)
        else:
            body = "<commit/>" if what == "commit" else "<discard-changes/>"
            expected = getattr(model, what)(who)
        try:
            client.rpc(body)
            seen = "ok"
        except RpcError as error:
            seen = error.tag
        assert seen == expected, (step, who, body, model.__dict__)
        assert shown(reader, "candidate") == model.candidate, (step, body)
        assert shown(reader, "running") == model.running, (step, body)
    for client in (*clients, reader):
        client.close()


@pytest.fixture
def managers(daemon, tmp_path):
    pytest.importorskip("ncclient", reason="python3-ncclient is not installed")
    if os.getuid() != 0 or not Path("/usr/sbin/sshd").exists():
        pytest.skip("sshd needs root to log somebody in")
    sshd = Sshd(Here(), tmp_path, daemon.socket, port=18310).start()
    with sshd.ncclient() as one, sshd.ncclient() as two:
        yield one, two
    sshd.stop()


def test_ncclient(managers):
    from ncclient.operations import RPCError
    one, two = managers
    assert ":candidate" in one.server_capabilities and ":validate" in one.server_capabilities
    with one.locked("candidate"):
        one.discard_changes()
        one.edit_config(f"<config>{config(tunnel(1))}</config>", target="candidate", test_option="test-then-set",
                        error_option="rollback-on-error")
        one.validate("candidate")
        with pytest.raises(RPCError) as raised:
            two.edit_config(f"<config>{config(tunnel(2))}</config>", target="candidate")
        assert raised.value.tag == "in-use"
        one.commit()
    assert "tunnel-id" in str(two.get_config("running"))
    two.copy_config(source="running", target="candidate")
    two.edit_config(f"<config>{config(tunnel(2))}</config>", target="candidate")
    two.discard_changes()
    two.delete_config("candidate")
    two.commit()
    assert "tunnel-id" not in str(one.get_config("running"))
