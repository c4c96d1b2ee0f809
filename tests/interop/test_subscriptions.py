"""NETCONF notifications (RFC 5277, RFC 6470) on the simulated kernel: who is told what, and what a restart keeps."""
import contextlib
import os
import re
import sys
import time
import xml.etree.ElementTree as ET
from datetime import datetime, timedelta, timezone
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from lib import oracle, users  # noqa: E402
from lib.agentx import column  # noqa: E402
from lib.built import need_built  # noqa: E402
from lib.daemons import L2TPV3CTL, L2TPV3D, L2tpv3d  # noqa: E402
from lib.here import Here  # noqa: E402
from lib.netconf import BASE, BASE_1_0, EVENTS, L2TP, Netconf, RpcError, local_name, subtree  # noqa: E402
from lib.waiting import wait_for  # noqa: E402
from test_snmp import Bench  # noqa: E402

need_built(L2TPV3D, L2TPV3CTL)
NETCONF_EVENTS = "urn:ietf:params:xml:ns:yang:ietf-netconf-notifications"
STREAMS = "urn:ietf:params:xml:ns:netmod:notification"


def container(inner):
    return f'<l2tpv3 xmlns="{L2TP}" xmlns:nc="{BASE}">{inner}</l2tpv3>'


def tunnel(number, inner=""):
    return container(f"<tunnel><tunnel-id>{number}</tunnel-id><peer-tunnel-id>{number}</peer-tunnel-id>"
                     "<local-address>192.0.2.1</local-address><remote-address>192.0.2.2</remote-address>"
                     f"<local-port>{2000 + number}</local-port>{inner}</tunnel>")


def sessions(first, last, leaves=""):
    return "".join(f"<session><session-id>{n}</session-id><peer-session-id>{n}</peer-session-id>{leaves}</session>"
                   for n in range(first, last + 1))


def mtu(value):
    return container(f"<tunnel><tunnel-id>1</tunnel-id><session><session-id>5</session-id><mtu>{value}</mtu></session></tunnel>")


class Subscriber(Netconf):
    """Keeps the text of what comes, for yanglint."""

    def __init__(self, daemon, inner=None, **kwargs):
        super().__init__(daemon.socket, **kwargs)
        self.texts = []
        if inner is not None:
            self.subscribe(inner)

    def subscribe(self, inner=""):
        return self.rpc(f'<create-subscription xmlns="{EVENTS}">{inner}</create-subscription>')

    def receive(self, seconds=None):
        text = super().receive(seconds)
        if "<notification" in text:
            self.texts.append(text)
        return text

    def until(self, name, seconds=None):
        """The next one of that name; those before it are passed over."""
        while True:
            content = self.notification(seconds)[1]
            if local_name(content) == name:
                return content

    def rest(self, moment=0.3):
        """What comes until nothing does for a moment."""
        found = []
        try:
            while True:
                found.append(self.notification(moment)[1])
        except TimeoutError:
            return found


def leaves(element):
    """Its leaves by name; a list `edit` as pairs of target and operation."""
    found = {local_name(leaf): leaf.text for leaf in element.iter() if len(leaf) == 0}
    edits = [(edit.findtext("{*}target").replace("l2tp:", ""), edit.findtext("{*}operation"))
             for edit in element.iterfind("{*}edit")]
    return {**found, "edits": edits} if edits else found


def shown(moment):
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def now(seconds=0):
    return datetime.now(timezone.utc) + timedelta(seconds=seconds)


def refused(call, *arguments):
    with pytest.raises(RpcError) as raised:
        call(*arguments)
    return raised.value


@pytest.fixture
def daemon(tmp_path):
    daemon = L2tpv3d(Here(), tmp_path, kernel="sim").start()
    with Subscriber(daemon, "") as client:
        client.edit_config(tunnel(1, sessions(5, 5)))
        client.until("session-state-change")
    yield daemon
    if daemon.running:
        daemon.stop()


def test_who_waits_for_a_reply_holds_up_no_other_subscriber(tmp_path):
    """Not even with a search that takes seconds, while it lags behind by all that happens."""
    count = 3000
    daemon = L2tpv3d(Here(), tmp_path, kernel="sim").start()
    try:
        with daemon.netconf() as client, Subscriber(daemon) as waiting, Subscriber(daemon) as other:
            client.edit_config(tunnel(1, sessions(1, count)))
            wait_for(lambda: client.rpc_text(f"<get>{subtree(container('<tunnel><session><session-id/><oper-status>up</oper-status></session></tunnel>'))}</get>")
                     .count("<session-id>") == count, "the sessions", pause=0.2)
            for one in (waiting, other):
                one.subscribe()
            waiting.send(f'<rpc xmlns="{BASE}" message-id="1"><get-config><source><running/></source><filter type="xpath" '
                         f'xmlns:l="{L2TP}" select="//*[contains(string(/), string(//l:session))]"/></get-config></rpc>')
            wait_for(Path(f"/proc/{daemon.pid}/task/{daemon.pid}/children").read_text, "the search")
            client.edit_config(container("<tunnel><tunnel-id>1</tunnel-id><enabled>false</enabled></tunnel>"))
            heard = set()
            while len(heard) < count:
                heard.add(other.notification().findtext(f".//{{{L2TP}}}session-id"))
            assert Path(f"/proc/{daemon.pid}/task/{daemon.pid}/children").read_text()
    finally:
        daemon.stop()


def test_what_there_is_to_subscribe_to(daemon):
    with Subscriber(daemon) as client:
        for name in ("notification:1.0", "interleave:1.0"):
            assert f"urn:ietf:params:netconf:capability:{name}" in client.capabilities
        stream = client.get(subtree(f'<netconf xmlns="{STREAMS}"><streams/></netconf>')).find(".//{*}stream")
        assert leaves(stream)["name"] == "NETCONF" and leaves(stream)["replaySupport"] == "true"
        assert datetime.fromisoformat(leaves(stream)["replayLogCreationTime"].replace("Z", "+00:00")) < now()


def test_what_is_refused_by_rfc_5277(daemon):
    with Subscriber(daemon) as client:
        def error(inner):
            raised = refused(client.subscribe, inner)
            return raised.tag, raised.errors[0].get("error-type"), raised.errors[0].get("error-info"), \
                raised.reply.findtext(".//{*}bad-element")

        start, end = (f"<startTime>{shown(now(-60))}</startTime>", f"<stopTime>{shown(now(-120))}</stopTime>")
        assert error("<stream>other</stream>")[0] == "invalid-value"
        assert error(end) == ("missing-element", "protocol", "", "startTime")
        assert error(start + end) == ("bad-element", "protocol", "", "stopTime")
        assert error(f"<startTime>{shown(now(60))}</startTime>") == ("bad-element", "protocol", "", "startTime")
        for bad in ("yesterday", "2026-02-30T00:00:00Z", "2026-11-30T00:00:00", "2026-11-30 00:00:00Z", "",
                    "2026-11-30T24:00:00Z", "2026-11-30T00:00:00.Z"):
            assert error(f"<startTime>{bad}</startTime>") == ("bad-element", "protocol", "", "startTime"), bad
        assert error("<period/>")[0] == "unknown-element"
        assert error(subtree("<a/>" * 300))[0] == "too-big"
        assert error(subtree(f"<a>{'x' * 30000}</a>" * 3))[0] == "too-big"
        client.subscribe()
        assert refused(client.subscribe).tag == "in-use"
        assert client.rest() == []


def test_who_changed_what(daemon):
    with Subscriber(daemon, "") as subscriber, Netconf(daemon.socket) as editor:
        def edit(config, **kwargs):
            editor.edit_config(config, **kwargs)
            return leaves(subscriber.until("netconf-config-change"))

        session = "/l2tpv3/tunnel[tunnel-id='1']/session[session-id='5']"
        change = edit(mtu(1400))
        assert change == {"username": "root", "session-id": editor.session_id, "datastore": "running",
                          "target": change["target"], "operation": "create", "edits": [(session + "/mtu", "create")]}
        assert edit(mtu(1401))["edits"] == [(session + "/mtu", "replace")]
        assert edit(tunnel(1, sessions(5, 5, "<mtu nc:operation='delete'/>") + sessions(6, 6)))["edits"] == [
            (session + "/mtu", "delete"), ("/l2tpv3/tunnel[tunnel-id='1']/session[session-id='6']", "create")]
        assert edit(tunnel(2, sessions(100, 150)))["edits"] == [("/l2tpv3/tunnel[tunnel-id='2']", "create")]
        assert edit(tunnel(2, sessions(100, 120, "<mtu>1300</mtu>")))["edits"] == [("/l2tpv3/tunnel[tunnel-id='2']", "merge")]
        many = container("".join(re.search("<tunnel>.*</tunnel>", tunnel(n))[0] for n in range(10, 80)))
        assert edit(many)["edits"] == [("/l2tpv3", "merge")]
        assert edit(container(""), options="<default-operation>replace</default-operation>")["edits"] == [("/l2tpv3", "merge")]


def test_the_shell_and_a_manager_are_named_too(tmp_path):
    bench = Bench(tmp_path).start()
    try:
        with Subscriber(bench.daemon, "") as subscriber:
            bench.daemon.ctl("add", "tunnel", "tunnel_id", "3", "peer_tunnel_id", "4", "local", "192.0.2.1",
                             "remote", "192.0.2.2")
            change = leaves(subscriber.until("netconf-config-change"))
            assert change["username"] == "root" and change["session-id"] != "0"
            assert change["edits"] == [("/l2tpv3/tunnel[tunnel-id='3']", "create")]
            bench.snmp.set((column(2, 2, 3), "s", "by SNMP"))
            change = leaves(subscriber.until("netconf-config-change"))
            assert change["edits"] == [("/l2tpv3/tunnel[tunnel-id='3']/description", "create")]
            assert (change["username"], change["session-id"]) == ("snmp", "0")
    finally:
        bench.stop()


def test_states_and_sessions(daemon):
    with Subscriber(daemon, "") as subscriber:
        with Netconf(daemon.socket) as other:
            assert leaves(subscriber.until("netconf-session-start")) == {"username": "root", "session-id": other.session_id}
            other.edit_config(tunnel(2, sessions(7, 7, "<interface-name>seven</interface-name>")))
            assert leaves(subscriber.until("tunnel-state-change"))["oper-status"] == "up"
            state = leaves(subscriber.until("session-state-change"))
            assert (state["tunnel-id"], state["session-id"], state["interface-name"], state["oper-status"],
                    state["status-reason"]) == ("2", "7", "seven", "up", "none")
            other.edit_config(tunnel(2, "<enabled>false</enabled>"))
            assert leaves(subscriber.until("tunnel-state-change"))["old-status"] == "up"
        assert leaves(subscriber.until("netconf-session-end"))["termination-reason"] == "dropped"
        with Netconf(daemon.socket) as other:
            other.rpc("<close-session/>")
        assert leaves(subscriber.until("netconf-session-end"))["termination-reason"] == "closed"
        with Subscriber(daemon, "") as other:
            subscriber.rpc(f"<kill-session><session-id>{other.session_id}</session-id></kill-session>")
            with pytest.raises(ConnectionResetError):
                while True:
                    other.receive()
        ended = leaves(subscriber.until("netconf-session-end"))
        assert (ended["termination-reason"], ended["killed-by"]) == ("killed", subscriber.session_id)
        with pytest.raises((KeyError, ConnectionResetError)):
            bad = Netconf.__new__(Netconf)
            bad.__dict__.update(socket=other.socket.__class__(1), buffer=bytearray(), chunked=False, seconds=10)
            bad.socket.connect(str(daemon.socket))
            bad.send(f'<hello xmlns="{BASE}"><capabilities/></hello>')
            while True:
                bad.receive()
        assert leaves(subscriber.until("netconf-session-end"))["termination-reason"] == "bad-hello"
        statistics = subscriber.get(subtree('<netconf-state xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring">'
                                            "<sessions/></netconf-state>"))
        counts = {e.findtext("{*}session-id"): int(e.findtext("{*}out-notifications")) for e in statistics.iter(
            "{urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring}session")}
        assert counts[subscriber.session_id] == len(subscriber.texts)
        check(subscriber.texts)


@pytest.mark.skipif(os.getuid() != 0, reason="must be root, to be another user too")
def test_who_connects_in_a_loop_leaves_the_log_to_others(daemon):
    users.open_to_all(daemon)
    began = now()
    hello = f'<hello xmlns="{BASE}"><capabilities><capability>{BASE_1_0}</capability></capabilities></hello>]]>]]>'
    for _ in range(650):
        with Netconf.connect(daemon.socket) as client:  # without a look at what comes, which takes longer
            client.sendall(hello.encode())
            client.recv(1)
    with Netconf(daemon.socket) as editor, Subscriber(daemon, f"<startTime>{shown(began)}</startTime>") as subscriber:
        editor.edit_config(mtu(1300))
        names = [local_name(one) for one in subscriber.rest()]
        assert 599 <= names.count("netconf-session-start") < 610  # the first was the fixture; one more in ten seconds
        assert "netconf-config-change" in names
        with users.As(daemon, users.GAMES).connect():
            assert leaves(subscriber.until("netconf-session-start"))["username"] == "games"
            assert int(leaves(subscriber.until("notifications-missed"))["count"]) >= 80
        check(subscriber.texts[-1:])


def test_confirmed_commits(daemon):
    with Subscriber(daemon, "") as subscriber:
        one = Netconf(daemon.socket)

        def told():
            return leaves(subscriber.until("netconf-confirmed-commit"))

        def stage(number):
            one.edit_config(tunnel(number), "candidate")

        by_one = {"username": "root", "session-id": one.session_id}
        stage(2)
        one.rpc("<commit><confirmed/><confirm-timeout>50</confirm-timeout></commit>")
        assert told() == {**by_one, "confirm-event": "start", "timeout": "50"}
        stage(3)
        one.rpc("<commit><confirmed/></commit>")
        assert told() == {**by_one, "confirm-event": "extend", "timeout": "600"}
        one.rpc("<commit/>")
        confirmation = {local_name(content): leaves(content) for content in subscriber.rest()}
        assert confirmation["netconf-confirmed-commit"] == {**by_one, "confirm-event": "complete"}
        assert "netconf-config-change" not in confirmation  # for running did not change (RFC 6470 section 2.2)
        stage(4)
        one.rpc("<commit><confirmed/></commit>")
        told()
        one.rpc("<cancel-commit/>")
        assert leaves(subscriber.until("netconf-config-change"))["username"] == "root"
        assert told() == {**by_one, "confirm-event": "cancel"}
        stage(5)
        one.rpc("<commit><confirmed/><confirm-timeout>1</confirm-timeout></commit>")
        assert told()["confirm-event"] == "start"
        change = leaves(subscriber.until("netconf-config-change"))
        assert "server" in change and change["edits"] == [("/l2tpv3/tunnel[tunnel-id='5']", "delete")]
        assert told() == {"confirm-event": "timeout"}
        stage(6)
        one.rpc("<commit><confirmed/></commit>")
        told()
        one.close()
        assert told() == {**by_one, "confirm-event": "cancel"}


def test_a_filter_passes_or_holds_back_the_whole(daemon):
    def wants(inner):
        return Subscriber(daemon, subtree(inner))

    with wants(f'<session-state-change xmlns="{L2TP}"><oper-status>waiting</oper-status></session-state-change>'
               f'<tunnel-state-change xmlns="{L2TP}"/>') as states, \
            wants(f'<netconf-config-change xmlns="{NETCONF_EVENTS}"><changed-by><username>root</username></changed-by>'
                  '</netconf-config-change>') as changes, \
            wants('<netconf-config-change xmlns="urn:other"/>') as others, wants("") as nothing, \
            Netconf(daemon.socket) as editor:
        # as ncclient sends it
        with Subscriber(daemon) as bare:
            bare.subscribe(f'<filter xmlns="{BASE}" type="subtree"><drift xmlns="{L2TP}"/></filter>')
            editor.edit_config(tunnel(2, sessions(7, 8)))
            assert bare.rest() == []
        found = changes.rest()
        assert [local_name(one) for one in found] == ["netconf-config-change"]
        assert found[0].find("{*}edit") is not None
        assert [local_name(one) for one in states.rest()] == ["tunnel-state-change"]
        assert others.rest() == nothing.rest() == []


DECLARED = f'xmlns:l="{L2TP}" xmlns:n="{NETCONF_EVENTS}"'
COSTLY = "//*[" * 30 + "1" + "]" * 30


def xpath(select, inner=""):
    return f'<filter type="xpath" {DECLARED} select={quoteattr(select)}>{inner}</filter>'


def test_an_xpath_passes_what_it_selects_something_of(daemon):
    created = "//n:edit[contains(n:target, \"session-id='9001'\")]/n:operation[. = 'create']"
    wanted = {
        "/l:session-state-change[l:oper-status = 'up']": ["session-state-change"],
        "/l:session-state-change[l:oper-status = 'waiting'] | /n:nothing": [],
        created: ["netconf-config-change"],
        created.replace("create", "delete"): [],
        "/*[starts-with(local-name(), 'netconf-c') or @x]": ["netconf-config-change"],
        "/*[count(n:edit) = 2 and substring-after(concat(., 'x'), 'root') != '']": ["netconf-config-change"],
        "//n:eventTime | //eventTime | //session-state-change": [],  # not in the content; in no namespace
        COSTLY: ["netconf-config-change", "session-state-change"],  # rather one too many
    }
    with contextlib.ExitStack() as stack:
        editor = stack.enter_context(Netconf(daemon.socket))
        clients = {select: [stack.enter_context(Subscriber(daemon, xpath(select))) for _ in range(2)] for select in wanted}
        for one, other in clients.values():
            one.rest(0.02), other.rest(0.02)  # of the sessions that began meanwhile
        editor.edit_config(tunnel(1, sessions(9001, 9001) + sessions(9002, 9002, "<enabled>false</enabled>")))
        found = {select: [[local_name(one) for one in client.rest(0.3 if select == created else 0.05)] for client in pair]
                 for select, pair in clients.items()}
        for select, (one, other) in found.items():
            assert one == other and sorted(set(one)) == wanted[select], select
        # Replayed, it is as it was.
        with Subscriber(daemon, xpath(created) + f"<startTime>{shown(now(-60))}</startTime>") as late:
            assert [local_name(one) for one in late.rest()] == ["netconf-config-change", "replayComplete"]


def test_what_an_xpath_is_refused_for(daemon):
    with Subscriber(daemon) as client:
        for select, tag in {
                "/l:a[": "invalid-value", "": "invalid-value", "count(/*)": "invalid-value", "/x:a": "invalid-value",
                "/*[$x]": "invalid-value", "/*[document('/etc/passwd')]": "invalid-value", "/*[current()]": "invalid-value",
                "/*[" * 65 + "1" + "]" * 65: "too-big", "(" * 100 + "/*" + ")" * 100: "too-big",
                "/*" + "[1]" * 1000: "too-big", "-" * 2000 + "1": "invalid-value", "/*[" + "-" * 2000 + "1]": "",
                "|".join(["/*"] * 600): "", "/*[" + " or ".join(["1"] * 400) + "]": "",
                "/*[translate('" + "a" * 900 + "', '" + "b" * 900 + "', '')]": ""}.items():
            began = time.monotonic()
            if tag:
                assert refused(client.subscribe, xpath(select)).tag == tag, select
            else:
                with Subscriber(daemon, xpath(select)):
                    pass
            assert time.monotonic() - began < 1
        assert refused(client.subscribe, xpath("/*", "<a/>")).tag == "bad-element"
        assert refused(client.subscribe, '<filter type="xpath"/>').tag == "missing-attribute"
        client.subscribe(xpath("//*"))
    with Subscriber(daemon) as client, pytest.raises((RpcError, ConnectionResetError)):
        client.rpc_text(f'<!DOCTYPE rpc [<!ENTITY e "//*">]><rpc xmlns="{BASE}" message-id="1"><create-subscription '
                        f'xmlns="{EVENTS}"><filter type="xpath" select="&e;"/></create-subscription></rpc>')
        client.receive()
    assert daemon.running


def test_replay_and_its_ends(daemon):
    with Netconf(daemon.socket) as editor, Subscriber(daemon) as client:
        middle = now()
        for value in range(1300, 1303):
            editor.edit_config(mtu(value))
        time.sleep(0.02)
        after = now()
        start, stop = (f"<{name}>{{}}</{name}>" for name in ("startTime", "stopTime"))
        client.subscribe(start.format(shown(middle)) + stop.format(shown(after)))
        names = [local_name(one) for one in client.rest()]
        assert [name for name in names if "session" not in name] == ["netconf-config-change"] * 3 + [
            "replayComplete", "notificationComplete"]
        # it has ended, so there can be another
        client.subscribe(start.format(middle.astimezone(timezone(timedelta(hours=-3))).isoformat())
                         + stop.format(shown(now(1.5))))
        client.until("replayComplete")
        editor.edit_config(mtu(1305))
        assert leaves(client.until("netconf-config-change"))["edits"][0][1] == "replace"
        client.until("notificationComplete")
        editor.edit_config(mtu(1306))
        assert client.rest() == []
        data = re.search("<data>(.*)</data>", client.rpc_text("<get>" + subtree(f'<l2tpv3 xmlns="{L2TP}"/>') + "</get>"))[1]
        check(client.texts[-3:], data)


def test_a_kill_loses_nothing_that_a_subscriber_had(daemon):
    begin = now(-60)
    with Subscriber(daemon, "") as client, Netconf(daemon.socket) as editor:
        for value in range(1300, 1310):
            editor.edit_config(mtu(value))
        before = [leaves(client.until("netconf-config-change"))["edits"] for _ in range(10)]
        created = client.get(subtree(f'<netconf xmlns="{STREAMS}"/>')).findtext(".//{*}replayLogCreationTime")
    daemon.kill()
    state = daemon.folder / "state"
    path = next(state.glob("notifications"))
    assert path.stat().st_mode & 0o777 == 0o600
    with open(path, "ab") as file:
        file.write(b"@00000100 1234")
    daemon.start()
    assert daemon.logged("notifications: cut off an unreadable tail of 14 bytes")
    with Subscriber(daemon, f"<startTime>{shown(begin)}</startTime>") as client:
        changes = [leaves(client.until("netconf-config-change"))["edits"] for _ in range(11)]
        assert changes[1:] == before and changes[0] == [("/l2tpv3/tunnel[tunnel-id='1']", "create")]
        client.until("replayComplete")
        assert client.get(subtree(f'<netconf xmlns="{STREAMS}"/>')).findtext(".//{*}replayLogCreationTime") == created


def test_one_who_reads_too_slowly_is_told_what_it_missed(daemon):
    count = 19000
    with Subscriber(daemon, "") as slow, Netconf(daemon.socket, seconds=100) as editor:
        editor.edit_config(tunnel(2, sessions(1000, 1000 + count - 1)))
        with Subscriber(daemon, subtree(f'<tunnel-state-change xmlns="{L2TP}"/>')) as reader:
            wait_for(lambda: b"session-state" in all_of(daemon) and settled(daemon), "all to be told")
            editor.edit_config(tunnel(3))
            assert leaves(reader.until("tunnel-state-change"))["tunnel-id"] == "3"
        missed, states, order = None, {}, []
        while len(states) < count or missed is None:
            one = slow.notification()[1]
            if local_name(one) == "notifications-missed":
                assert missed is None
                missed = int(leaves(one)["count"])
            elif local_name(one) == "session-state-change" and leaves(one)["tunnel-id"] == "2":
                states[leaves(one)["session-id"]] = leaves(one)["oper-status"]
        assert 0 < missed < count and set(states.values()) == {"up"}
        # it goes on as if nothing had been
        editor.edit_config(mtu(1301))
        assert leaves(slow.until("netconf-config-change"))["edits"][0][1] == "create"
        check([text for text in slow.texts if "missed" in text] + slow.texts[-3:])


def all_of(daemon):
    state = daemon.folder / "state"
    return b"".join(path.read_bytes() for path in state.glob("notifications*"))


def settled(daemon):
    before = all_of(daemon)
    time.sleep(0.5)
    return all_of(daemon) == before


def test_64_subscribers_and_a_push_of_5000(daemon):
    subscribers = [Subscriber(daemon, "") for _ in range(64)]
    try:
        with Netconf(daemon.socket, seconds=100) as editor:
            editor.edit_config(tunnel(2, sessions(1000, 5999)))
        for one in (subscribers[0], subscribers[-1]):
            tunnels, states = [], {}
            while len(states) < 5000:
                content = one.notification()[1]
                if local_name(content) == "session-state-change":
                    assert tunnels == ["2"]  # tunnels before sessions
                    states[leaves(content)["session-id"]] = leaves(content)["oper-status"]
                elif local_name(content) == "tunnel-state-change":
                    tunnels.append(leaves(content)["tunnel-id"])
            assert set(states.values()) == {"up"}
    finally:
        for one in subscribers:
            one.close()


def test_a_subscriber_is_never_idle_and_goes_on_in_base_1_0(tmp_path):
    daemon = L2tpv3d(Here(), tmp_path, "--idle-timeout", "1", kernel="sim").start()
    try:
        with Subscriber(daemon, "", base="1.0") as subscriber:
            time.sleep(1.5)
            with Netconf(daemon.socket) as editor:
                editor.edit_config(tunnel(1))
            subscriber.until("netconf-config-change")
    finally:
        daemon.stop()


def check(texts, data=None):
    for text in texts if not oracle.missing() else []:
        oracle.notification(text, data)
