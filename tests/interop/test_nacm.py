"""Access control (RFC 8341): users of different rights, over the real socket, and what becomes of the rules."""
import contextlib
import os
import socket
import sys
from datetime import datetime, timezone
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.built import need_built  # noqa: E402
from lib.daemons import L2TPV3CTL, L2TPV3D, L2tpv3d  # noqa: E402
from lib.here import Here  # noqa: E402
from lib.netconf import BASE, EVENTS, L2TP, Netconf, RpcError, local_name, subtree  # noqa: E402
from lib.oracle import yanglint  # noqa: E402
from lib.users import (  # noqa: E402
    ACM, GAMES, NEWS, As, group, nacm, open_to_all, operations, path, rule, rules)
from lib.waiting import wait_for  # noqa: E402

need_built(L2TPV3D, L2TPV3CTL)
YANG = "urn:ietf:params:xml:ns:yang:1"

if os.geteuid():
    pytest.skip("needs root, to be somebody else", allow_module_level=True)


def tunnel(number, inner=""):
    return (f"<tunnel><tunnel-id>{number}</tunnel-id><peer-tunnel-id>{number}</peer-tunnel-id>"
            f"<local-address>127.0.0.1</local-address><remote-address>127.0.0.2</remote-address>"
            f"<local-port>{5000 + number}</local-port>{inner}</tunnel>")


def session(number, inner=""):
    return f"<session><session-id>{number}</session-id><peer-session-id>1</peer-session-id>{inner}</session>"


def change(inner):
    return f'<l2tpv3 xmlns="{L2TP}" xmlns:nc="{BASE}">{inner}</l2tpv3>'


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    daemon = L2tpv3d(Here(), tmp_path_factory.mktemp("nacm"), kernel="sim").start()
    open_to_all(daemon)
    yield daemon
    daemon.stop()


@pytest.fixture
def daemon(server):
    with Netconf(server.socket) as client:
        client.rpc("<discard-changes/>")
        client.edit_config(nacm("<write-default>permit</write-default>", ' nc:operation="replace"') +
                           change(tunnel(1, session(1, "<tx-cookie>0011aabb</tx-cookie>")) +
                                  tunnel(2, session(2))),
                           options="<default-operation>replace</default-operation>")
        wait_for(lambda: "removing" not in client.rpc_text("<get/>"), "what the test before left to be gone")
    return server


def configure(daemon, inner):
    with Netconf(daemon.socket) as client:
        client.edit_config(nacm(inner, ' nc:operation="replace"'))


def refused(call, *arguments, **named):
    with pytest.raises(RpcError) as raised:
        call(*arguments, **named)
    assert raised.value.tag == "access-denied", raised.value
    return raised.value


def test_out_of_the_box_who_may_connect_may_change_all_but_what_is_secret(daemon):
    with As(daemon, GAMES) as client:
        shown = client.rpc_text("<get/>")
        assert "<tunnel-id>1<" in shown and "tx-cookie" not in shown and "<nacm" not in shown
        client.edit_config(change(tunnel(3)))
        assert refused(client.edit_config, nacm("<enable-nacm>false</enable-nacm>")).path == "/acm:nacm"
        refused(client.rpc, "<delete-config><target><candidate/></target></delete-config>")
    with Netconf(daemon.socket) as client:
        config = client.rpc_text("<get-config><source><running/></source>" + subtree(f'<nacm xmlns="{ACM}"/>') +
                                 "</get-config>")
        assert "<write-default>permit</write-default>" in config


def test_the_history_does_not_tell_of_leaves_that_are_hidden(daemon):
    def cookie(value, more=""):
        return change(f"<tunnel><tunnel-id>1</tunnel-id>{session(1, f'<tx-cookie>{value}</tx-cookie>{more}')}</tunnel>")
    with Netconf(daemon.socket) as root, As(daemon, GAMES) as client:
        for edit, told in ((cookie("01020304"), []), (cookie("05060708", "<mtu>1400</mtu>"), ["~ session 1/1 mtu (unset) -> 1400"])):
            root.edit_config(edit)
            number = root.rpc_text(f'<history xmlns="{L2TP}"/>').split("<number>")[1].split("<")[0]
            shown = f'<commit-changes xmlns="{L2TP}"><number>{number}</number></commit-changes>'
            assert [line.text for line in client.rpc(shown).iter(f"{{{L2TP}}}change")] == told
            assert "tx-cookie (hidden) -> (hidden)" in root.rpc(shown)[0].text


def test_defaults_deny_writes_and_operations(daemon):
    configure(daemon, "<exec-default>deny</exec-default>" + group("g", "nobody").join(["<groups>", "</groups>"]))
    with As(daemon, GAMES) as client:
        assert refused(client.rpc, "<get/>").message == "you may not call get"
    configure(daemon, "")
    with As(daemon, GAMES) as client:
        assert "<tunnel-id>1<" in client.rpc_text("<get/>")
        refused(client.edit_config, change(tunnel(3)))
        refused(client.edit_config, change("<tunnel><tunnel-id>1</tunnel-id><description>x</description></tunnel>"))
    with Netconf(daemon.socket) as client:
        state = client.rpc_text("<get>" + subtree(f'<nacm xmlns="{ACM}"/>') + "</get>")
        assert "<denied-operations>2<" in state or "<denied-operations>1<" in state
        assert "<denied-data-writes>" in state and "<denied-data-writes>0<" not in state
        client.edit_config(change(tunnel(3)))  # the superuser recovers


def test_rules_by_path_are_of_instances_and_leaves(daemon):
    configure(daemon, "<groups>" + group("players", "games") + "</groups>" +
              rules("r", "players",
                    rule("own", "permit", path("/x:l2tpv3/x:tunnel[x:tunnel-id='2']") + operations("read update create")),
                    rule("mtu", "deny", path("/x:l2tpv3/x:tunnel/x:session/x:mtu")),
                    rule("hide", "deny", path("/x:l2tpv3/x:tunnel[x:tunnel-id='1']")),
                    rule("too", "deny", path("/x:l2tpv3/x:tunnel[x:tunnel-id='88']")),
                    rule("cookies", "permit", path("/x:l2tpv3/x:tunnel/x:session/x:tx-cookie") + operations("read"))))
    with As(daemon, GAMES) as client:
        shown = client.rpc_text("<get/>")
        assert "<tunnel-id>2<" in shown and "<tunnel-id>1<" not in shown
        client.edit_config(change("<tunnel><tunnel-id>2</tunnel-id><description>mine</description></tunnel>"))
        client.edit_config(change(f"<tunnel><tunnel-id>2</tunnel-id>{session(22, '<mtu>1400</mtu>')}</tunnel>"))
        # what is there and cannot be seen, and what is not there: the same answer
        errors = [refused(client.edit_config, change(
            f'<tunnel nc:operation="{operation}"><tunnel-id>{number}</tunnel-id></tunnel>')).errors
            for number in (1, 88) for operation in ("delete", "remove", "create", "merge")]
        assert str(errors[:4]).replace("'1'", "'88'") == str(errors[4:])
        refused(client.edit_config, change('<tunnel nc:operation="delete"><tunnel-id>2</tunnel-id></tunnel>'))
        filtered = subtree(change("<tunnel><local-port>5001</local-port></tunnel>"))
        assert "<data></data>" in client.rpc_text(f"<get-config><source><running/></source>{filtered}</get-config>")
    with As(daemon, NEWS) as client:  # in no group
        assert "<tunnel-id>1<" in client.rpc_text("<get/>")
        refused(client.edit_config, change("<tunnel><tunnel-id>2</tunnel-id><description>x</description></tunnel>"))


def test_a_rule_opens_cookies(daemon):
    configure(daemon, "<groups>" + group("keepers", "games") + "</groups>" +
              rules("r", "keepers", rule("all", "permit", "<module-name>linux-l2tpv3</module-name>")))
    with As(daemon, GAMES) as client:
        assert "0011aabb" in client.rpc_text("<get/>")
        client.edit_config(change("<tunnel><tunnel-id>1</tunnel-id>" + session(1, "<rx-cookie>01020304</rx-cookie>") +
                                  "</tunnel>"))
        assert "<nacm" not in client.rpc_text("<get/>")


def test_groups_of_the_system_count_unless_they_are_switched_off(daemon):
    allow = rules("r", "games", rule("all", "permit"))
    edit = change("<tunnel><tunnel-id>1</tunnel-id><description>x</description></tunnel>")
    configure(daemon, allow)
    with As(daemon, GAMES) as client:
        client.edit_config(edit)
        configure(daemon, "<enable-external-groups>false</enable-external-groups>" + allow)
        refused(client.edit_config, edit.replace("x<", "y<"))  # the same session, from its next request on


def test_no_group_of_many_is_left_out(daemon):
    configure(daemon, rules("r", "news", rule("no", "deny")) + rules("s", "games", rule("all", "permit")))
    for others, may in ((range(3000, 3100), True), ([*range(3000, 3100), NEWS[1]], False)):
        with As(daemon, GAMES, others) as client:
            assert ("<tunnel>" in client.rpc_text("<get/>")) == may


def test_operations_and_sessions_of_others(daemon):
    configure(daemon, "<groups>" + group("g", "games") + "</groups>" +
              rules("r", "g", rule("kill", "permit", "<rpc-name>kill-session</rpc-name>"),
                    rule("no", "deny", "<rpc-name>lock</rpc-name>")))
    with As(daemon, GAMES) as games, As(daemon, NEWS) as news, Netconf(daemon.socket) as root:
        refused(games.lock)
        news.lock()
        refused(news.rpc, f"<kill-session><session-id>{root.session_id}</session-id></kill-session>")
        games.rpc(f"<kill-session><session-id>{news.session_id}</session-id></kill-session>")
        games.rpc("<close-session/>")


def test_a_session_is_hidden_by_its_number(daemon):
    monitoring = "urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"
    with As(daemon, GAMES) as client, Netconf(daemon.socket) as other:
        hidden = f"/m:netconf-state/m:sessions/m:session[m:session-id='{other.session_id}']"
        configure(daemon, rules("games", "games", rule("one", "deny", f'<path xmlns:m="{monitoring}">{hidden}</path>')))
        shown = client.rpc_text("<get>" + subtree(f'<netconf-state xmlns="{monitoring}"><sessions/></netconf-state>') + "</get>")
        assert f"<session-id>{client.session_id}<" in shown and f"<session-id>{other.session_id}<" not in shown


def test_more_than_it_takes_is_refused_in_one_request_or_in_two(daemon):
    def users(first, last):
        return nacm(f"<groups>{group('many', *(f'u{n}' for n in range(first, last)))}</groups>")
    with Netconf(daemon.socket) as client:
        client.edit_config(users(0, 1500))
        for first, last in ((0, 2100), (1500, 2500)):
            with pytest.raises(RpcError) as raised:
                client.edit_config(users(first, last))
            assert raised.value.tag == "too-big"


def test_who_commits_or_rolls_back_answers_for_what_others_made(daemon):
    configure(daemon, "<groups>" + group("g", "games") + "</groups>" +
              rules("r", "g", rule("some", "permit", path("/x:l2tpv3/x:tunnel/x:description"))))
    with Netconf(daemon.socket) as root, As(daemon, GAMES) as games:
        root.edit_config(change(tunnel(3)), target="candidate")
        refused(games.rpc, "<commit/>")
        root.rpc("<discard-changes/>")
        root.edit_config(nacm("<exec-default>permit</exec-default>"), target="candidate")
        assert refused(games.rpc, "<commit/>").path == "/acm:nacm"
        root.rpc("<discard-changes/>")
        games.edit_config(change("<tunnel><tunnel-id>1</tunnel-id><description>x</description></tunnel>"))
        last = root.rpc_text(f'<history xmlns="{L2TP}"/>').split("<number>")[1].split("<")[0]
        root.edit_config(change(tunnel(4)))
        refused(games.rpc, f'<rollback xmlns="{L2TP}"><number>{last}</number></rollback>')
        assert "<user>games</user>" in root.rpc_text(f'<history xmlns="{L2TP}"/>')


def test_who_may_change_nothing_validates_what_he_has(daemon):
    configure(daemon, "<write-default>deny</write-default>")
    whole = "<validate><source><config>{}</config></source></validate>"
    with As(daemon, GAMES) as games:
        games.rpc(whole.format(change(tunnel(3, session(3, "<rx-cookie>01020304</rx-cookie>")))))
        games.rpc(whole.format(nacm("<read-default>deny</read-default>")))
        with pytest.raises(RpcError) as raised:
            games.rpc(whole.format(change(tunnel(3, session(3, "<interface-name>a</interface-name>") +
                                                 session(4, "<interface-name>a</interface-name>")))))
        assert raised.value.app_tag == "data-not-unique"
        refused(games.edit_config, change(tunnel(3)))


def test_no_persist_id_locks_out_root(daemon):
    note = change("<tunnel><tunnel-id>1</tunnel-id><description>x</description></tunnel>")
    with Netconf(daemon.socket) as root, As(daemon, GAMES) as games, As(daemon, NEWS) as news:
        games.edit_config(note, target="candidate")
        games.rpc("<commit><confirmed/><confirm-timeout>4294967295</confirm-timeout><persist>mine</persist></commit>")
        games.rpc("<close-session/>")
        for call in (lambda: root.edit_config(note), root.commit, lambda: news.rpc("<cancel-commit/>"),
                     lambda: root.rpc("<cancel-commit><persist-id>x</persist-id></cancel-commit>")):
            with pytest.raises(RpcError):
                call()
        daemon.ctl("cancel")
        root.edit_config(note)
        assert "no confirmed commit is pending" in daemon.ctl("cancel", check=False).stderr


def shown(client, source="running"):
    text = client.rpc_text(f"<get-config><source><{source}/></source>" + subtree(f'<nacm xmlns="{ACM}"/>') + "</get-config>")
    return text[text.index("<data"):text.index("</data>")]


NMDA = "urn:ietf:params:xml:ns:yang:ietf-netconf-nmda"
DATASTORES = "urn:ietf:params:xml:ns:yang:ietf-datastores"
PARTIAL = "urn:ietf:params:xml:ns:netconf:partial-lock:1.0"
MONITORING = "urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"
DECLARED = f'xmlns:x="{L2TP}" xmlns:a="{ACM}" xmlns:m="{MONITORING}"'


def by_xpath(client, xpath):
    """What three operations say, each with where it looks; of them only what is selected."""
    select = f'<filter type="xpath" {DECLARED} select="{xpath}"/>'
    get_data = (f'<get-data xmlns="{NMDA}" xmlns:ds="{DATASTORES}"><datastore>ds:{{}}</datastore>'
                f"<xpath-filter {DECLARED}>{xpath}</xpath-filter></get-data>")
    found = []
    for rpc in (f"<get>{select}</get>", f"<get-config><source><running/></source>{select}</get-config>",
                f"<get-config><source><candidate/></source>{select}</get-config>",
                get_data.format("running"), get_data.format("operational")):
        text = client.rpc_text(rpc)
        if "<rpc-error>" in text:
            found.append(text[text.index("<rpc-error>"):])
        else:
            found.append(text[text.index(">", text.index("<data")) + 1:text.index("</data>")])
    return found


GUESSES = ["//x:tx-cookie", "//x:session[x:tx-cookie]", "//x:session[x:tx-cookie='0011aabb']",
           "//x:session[starts-with(x:tx-cookie, '0')]", "//x:l2tpv3[count(//x:tx-cookie) = 1]",
           "//x:l2tpv3[boolean(//x:tx-cookie)]", "//x:tunnel[contains(., '0011aabb')]", "//text()[. = '0011aabb']",
           "//*[local-name() = 'tx-cookie']", "//x:session[string-length(x:tx-cookie) > 0]/x:session-id",
           "/x:l2tpv3/x:tunnel[x:tunnel-id='1']/x:session[x:session-id='1']/x:tx-cookie",
           "/x:l2tpv3/x:tunnel/x:session[x:tx-cookie='0011aabb']", "//a:*", "/a:nacm/a:write-default",
           "//x:l2tpv3[/a:nacm]"]


def test_no_xpath_tells_a_member_of_cookies(daemon):
    with As(daemon, GAMES) as client, Netconf(daemon.socket) as root:
        for xpath in GUESSES:
            assert by_xpath(client, xpath) == 5 * [""], xpath
            assert any(by_xpath(root, xpath)), xpath
        # What it may see, it finds; nor is anything hidden in it.
        for found in by_xpath(client, "//x:session[x:session-id='1']") + \
                by_xpath(client, "//x:l2tpv3[count(//x:tx-cookie) = 0]"):
            assert "<session-id>1<" in found and "<tx-cookie" not in found and "0011aabb" not in found
        # An expression that fails with data that are hidden would tell, too.
        assert by_xpath(client, "//x:session[count(//x:tx-cookie)") == by_xpath(root, "//x:session[count(//x:tx-cookie)")
        for datastore in ("running", "operational"):
            for inner in ("<tx-cookie>0011aabb</tx-cookie>", "<tx-cookie/>", ""):
                text = client.rpc_text(
                    f'<get-data xmlns="{NMDA}" xmlns:ds="{DATASTORES}"><datastore>ds:{datastore}</datastore><subtree-filter>'
                    f"{change(f'<tunnel><session>{inner}</session></tunnel>')}</subtree-filter></get-data>")
                assert ("<session-id>1<" in text) == (not inner) and "0011aabb" not in text


def test_a_denied_tunnel_is_found_by_no_xpath_and_locked_by_nobody_else(daemon):
    configure(daemon, "<write-default>permit</write-default>" +
              rules("r", "*", rule("hide", "deny", path("/x:l2tpv3/x:tunnel[x:tunnel-id='1']")),
                    rule("no", "deny", "<module-name>ietf-netconf-nmda</module-name><rpc-name>edit-data</rpc-name>")))

    def lock(client, text):
        return client.rpc(f'<partial-lock xmlns="{PARTIAL}"><select {DECLARED}>{text}</select></partial-lock>')
    one, two, none = (f"/x:l2tpv3/x:tunnel[x:tunnel-id='{number}']" for number in (1, 2, 88))
    with As(daemon, GAMES) as client, Netconf(daemon.socket) as root:
        for xpath in (one, one + "/x:session", "//x:tunnel[x:tunnel-id=1]", "//x:tunnel[x:local-port=5001]",
                      "//x:l2tpv3[count(x:tunnel) = 2]", "//x:tunnel[x:tunnel-id=2]/preceding-sibling::*",
                      "//x:tunnel[2]", "//x:tunnel[position() != last()]"):
            assert by_xpath(client, xpath) == 5 * [""], xpath
            assert all(by_xpath(root, xpath)), xpath
        for found in by_xpath(client, "//x:tunnel[1]"):
            assert "<tunnel-id>2<" in found
        answers = []
        for path_of in (one, none, "//x:tunnel[x:local-port=5001]", "//x:tunnel[x:local-port=5088]"):
            with pytest.raises(RpcError) as error:
                lock(client, path_of)
            answers.append((error.value.tag, error.value.message))
        assert len(set(answers)) == 1
        locks = "//m:partial-lock"
        lock(root, one)
        assert by_xpath(root, locks)[0] and not by_xpath(client, locks)[0]
        lock(root, two)
        assert "tunnel-id='2'" in by_xpath(client, locks)[0].replace("&apos;", "'")
        assert refused(client.rpc, f'<edit-data xmlns="{NMDA}" xmlns:ds="{DATASTORES}"><datastore>ds:running</datastore>'
                       f"<config>{change('')}</config></edit-data>").message == "you may not call edit-data"
        refused(client.edit_config, change("<tunnel><tunnel-id>1</tunnel-id><description>x</description></tunnel>"))
    with Netconf(daemon.socket) as root:
        found = by_xpath(root, "/a:nacm/a:rule-list/a:rule[a:name='hide']/a:action")
        assert all("<name>hide</name><action>deny</action>" in text.replace("\n", "") for text in found), found


def told(client):
    """What comes until nothing does for a moment: the targets of each config-change, and (tunnel, session) of others."""
    changes, others = [], []
    try:
        while True:
            content = client.notification(0.2)[1]
            if local_name(content) == "netconf-config-change":
                changes.append([edit.findtext("{*}target").replace("l2tp:", "") for edit in content.iterfind("{*}edit")])
            elif content.find("{*}tunnel-id") is not None:
                others.append((content.findtext("{*}tunnel-id"), content.findtext("{*}session-id")))
    except TimeoutError:
        return changes, others


def test_a_subscriber_is_told_of_no_path_that_it_may_not_see(daemon):
    hidden = '/x:l2tpv3/x:tunnel[x:tunnel-id="1"]/x:session[x:session-id="3"]'
    configure(daemon, "<write-default>permit</write-default><groups>" + group("g", "games") + "</groups>" +
              rules("r", "g", rule("a", "deny", path('/x:l2tpv3/x:tunnel[x:tunnel-id="2"]')), rule("b", "deny", path(hidden)),
                    rule("c", "deny", path('/x:l2tpv3/x:tunnel/x:description'))))
    select = ('<filter type="xpath" xmlns:n="urn:ietf:params:xml:ns:yang:ietf-netconf-notifications" '
              "select=\"//n:target[contains(., &quot;tunnel-id='2'&quot;) or contains(., 'cookie')]\"/>")
    begin = f"<startTime>{datetime.now(timezone.utc).strftime('%Y-%m-%dT%H:%M:%S.%fZ')}</startTime>"
    one = "/l2tpv3/tunnel[tunnel-id='1']"
    with As(daemon, GAMES) as games, As(daemon, GAMES) as prying, Netconf(daemon.socket) as root, \
            Netconf(daemon.socket) as editor:
        for client, inner in ((games, ""), (prying, select), (root, "")):
            client.rpc(f'<create-subscription xmlns="{EVENTS}">{inner}</create-subscription>')
        told(games)
        secret = f"<tx-cookie>{'11' * 4}</tx-cookie>"
        editor.edit_config(change(tunnel(1, "<description>x</description>" + session(1, "<mtu>1300</mtu>" + secret) +
                                            session(3)) + tunnel(2, session(2, "<mtu>1301</mtu>"))))
        changes, others = told(games)
        assert changes == [[one + "/session[session-id='1']/mtu"]] and ("1", "3") not in others
        editor.edit_config(change(tunnel(1, session(1, "<tx-cookie>22222222</tx-cookie>")) + tunnel(2, session(9))))
        editor.edit_config(nacm("<enable-external-groups>false</enable-external-groups>"))
        assert told(games)[0] == []  # not even that, and by whom
        editor.edit_config(change(tunnel(1, session(1, "<mtu>1310</mtu>"))))
        assert told(games)[0] == [[one + "/session[session-id='1']/mtu"]]
        seen, others = told(root)
        assert ("1", "3") in others and ("2", "9") in others
        assert seen[0] == [one + "/description", one + "/session[session-id='1']/mtu", one + "/session[session-id='1']/tx-cookie",
                           one + "/session[session-id='3']", "/l2tpv3/tunnel[tunnel-id='2']/session[session-id='2']/mtu"]
        assert seen[2] == ["/acm:nacm"]
        assert told(prying) == ([], [])  # what it selects would tell it
    with As(daemon, GAMES) as games:
        games.rpc(f'<create-subscription xmlns="{EVENTS}">{begin}</create-subscription>')
        assert told(games)[0] == 2 * [[one + "/session[session-id='1']/mtu"]]


def test_no_refusal_tells_what_others_have_staged_or_configured(daemon):
    """Whoever may not see tunnel 1, nor any local-address, learns no value of them from what is wrong with others."""
    configure(daemon, "<write-default>permit</write-default>" +
              rules("r", "*", rule("hide", "deny", path("/x:l2tpv3/x:tunnel[x:tunnel-id='1']") + operations("read")),
                    rule("address", "deny", path("/x:l2tpv3/x:tunnel/x:local-address") + operations("read"))))

    def wrong(number, leaf="<remote-address>2001:db8::1</remote-address>"):
        return change(f"<tunnel><tunnel-id>{number}</tunnel-id>{leaf}</tunnel>")
    with Netconf(daemon.socket) as root, As(daemon, GAMES) as client:
        root.edit_config(wrong(1, "<local-port>5001</local-port><encapsulation>ip</encapsulation>" + session(77).replace(
            "peer-session-id", "description")), target="candidate")
        answers = []
        for call in ("<validate><source><candidate/></source></validate>", "<commit/>"):
            answers += refused(client.rpc, call).errors
        root.rpc("<discard-changes/>")
        for edit in (wrong(1), wrong(2), wrong(2, "<local-port>5001</local-port>"), wrong(2, session(1))):
            answers += refused(client.edit_config, edit).errors
        assert not [hint for hint in ("5001", "port", "77", "127", "id='1'", "tunnel 1") if hint in str(answers)], answers
        for edit, told in ((wrong(2), "127.0.0.1"), (wrong(2, session(1)), "tunnel 1")):
            with pytest.raises(RpcError) as raised:
                root.edit_config(edit)
            assert told in raised.value.message


def searching(daemon):
    """The processes that look for what an XPath selects."""
    return Path(f"/proc/{daemon.pid}/task/{daemon.pid}/children").read_text().split()


def test_who_does_not_read_what_it_searched_for_leaves_places_to_others(daemon):
    with Netconf(daemon.socket) as root:
        root.edit_config(change(tunnel(3, "".join(session(n) for n in range(1000, 5000)))))
        search = (f'<get-config><source><running/></source><filter type="xpath" {DECLARED} '
                  'select="//x:session[{}]"/></get-config>').format
        with contextlib.ExitStack() as stack:
            for user, places in ((GAMES, 2), (NEWS, 1)):
                clients = [stack.enter_context(As(daemon, user)) for _ in range(places + 1)]
                for client in clients:
                    client.send(f'<rpc xmlns="{BASE}" message-id="1">{search("1 = 1")}</rpc>')
                    answered = "resource-denied" in client.receive() if client is clients[-1] else \
                        wait_for(lambda c=client: c.socket.recv(1, socket.MSG_PEEK), "a reply that begins")
                    assert answered
            assert len(searching(daemon)) == 3
            assert "<session-id>4999<" in root.rpc_text(search("x:session-id = 4999"))
        wait_for(lambda: not searching(daemon), "the searches to end with their clients")


def order_of(client, source="running"):
    """Names of the rule-lists, each with those of its rules."""
    config = client.get_config(source, subtree(f'<nacm xmlns="{ACM}"/>'))
    return [one.findtext("{*}name") + "".join(rule.findtext("{*}name") for rule in one.iterfind("{*}rule"))
            for one in config.iter(f"{{{ACM}}}rule-list")]


def put(attributes, name, inner="<action>permit</action>"):
    return (f'<rule-list><name>L</name><rule xmlns:y="{YANG}" xmlns:acm="{ACM}" {attributes}><name>{name}</name>{inner}</rule>'
            "</rule-list>")


@pytest.mark.parametrize("target", ["running", "candidate"])
def test_rules_are_put_where_the_user_wants_them(daemon, target):
    """RFC 7950 section 7.8.6; which rule is first decides."""
    configure(daemon, rules("K", "*") + rules("L", "*", *(rule(name, "permit") for name in "abc")) + rules("M", "*"))
    with Netconf(daemon.socket) as client:
        client.rpc("<discard-changes/>")

        def order(inner):
            client.edit_config(nacm(inner), target)
            return order_of(client, target)

        assert order(put('y:insert="first"', "d")) == ["K", "Ldabc", "M"]
        assert order(put('y:insert="last"', "d", "")) == ["K", "Labcd", "M"]
        assert order(put("y:insert='before' y:key=\"[acm:name='b']\"", "d", "")) == ["K", "Ladbc", "M"]
        assert order(put("nc:operation='create' y:key=' [ acm:name = &quot;a&quot; ] ' y:insert=' after '", "e")) == [
            "K", "Laedbc", "M"]
        assert order(put("nc:operation='replace' y:insert='after' y:key=\"[acm:name='c']\"", "a")) == ["K", "Ledbca", "M"]
        assert order(put("y:insert='before' y:key=\"[acm:name='c']\"", "c", "")) == ["K", "Ledbca", "M"]
        assert order(put("y:insert='after' y:key=\"[acm:name='b']\"", "c", "")) == ["K", "Ledbca", "M"]
        assert order(put("", "a")) == ["K", "Ledbca", "M"]  # stays where it is
        assert order(put("", "f")) == ["K", "Ledbcaf", "M"]
        assert order(f'<rule-list xmlns:y="{YANG}" y:insert="first"><name>M</name></rule-list>') == ["M", "K", "Ledbcaf"]
        assert order(f'<rule-list xmlns:y="{YANG}" xmlns:a="{ACM}" y:insert="after" y:key="[a:name=\'K\']"><name>N</name>'
                     "</rule-list>") == ["M", "K", "N", "Ledbcaf"]
        for attributes, tag, attribute, app_tag in (
                ("y:insert='middle'", "bad-attribute", "insert", None), ("insert='first'", "unknown-attribute", "insert", None),
                ("y:insert='before'", "missing-attribute", "key", None), ("y:insert='first' y:key=\"[acm:name='b']\"", "bad-attribute", "key", None),
                ("y:key=\"[acm:name='b']\"", "bad-attribute", "key", None), ("y:value='b'", "unknown-attribute", "value", None),
                ("nc:operation='delete' y:insert='first'", "bad-attribute", "insert", None),
                *((f"y:insert='after' y:key=\"{key}\"", "bad-attribute", "key", None) for key in (
                    "b", "[name='b']", "[x:name='b']", "[acm:name=b]", "[acm:name='b'", "[acm:names='b']", "[acm:name='b'][1]", "",
                    "[nc:name='b']", "[acm:name='" + "b" * 2000 + "']")),
                ("y:insert='after' y:key=\"[acm:name='x']\"", "bad-attribute", "key", "missing-instance"),
                ("y:insert='after' y:key=\"[acm:name='z']\"", "bad-attribute", "key", "missing-instance")):
            with pytest.raises(RpcError) as error:
                order(put(attributes, "z"))
            assert (error.value.tag, error.value.app_tag) == (tag, app_tag), attributes
            assert error.value.reply.findtext(".//{*}bad-attribute") == attribute, attributes
            assert error.value.reply.findtext(".//{*}bad-element") == "rule", attributes
        for inner in (f'<groups xmlns:y="{YANG}" y:insert="first"/>', f'<enable-nacm xmlns:y="{YANG}" y:insert="first">true</enable-nacm>'):
            with pytest.raises(RpcError) as error:
                order(inner)
            assert error.value.tag == "unknown-attribute"
        with pytest.raises(RpcError) as error:
            order("<what/>")
        assert error.value.reply.findtext(".//{*}bad-element") == "what"
        assert order_of(client, target) == ["M", "K", "N", "Ledbcaf"]
        if target == "candidate":
            assert order_of(client) == ["K", "Labc", "M"]
            client.rpc("<commit/>")
            assert order_of(client) == ["M", "K", "N", "Ledbcaf"]
            number = client.rpc(f'<history xmlns="{L2TP}"/>').findtext(".//{*}number")
            client.rpc(f'<rollback xmlns="{L2TP}"><number>{int(number) - 1}</number></rollback>')
            assert order_of(client) == ["K", "Labc", "M"]


def test_to_move_a_rule_takes_the_right_to_change_it(daemon):
    may, nothing = operations("create read"), "<module-name>none</module-name>"
    configure(daemon, "<groups>" + group("g", "games") + "</groups>" +
              rules("own", "g", rule("x", "permit", f"<module-name>ietf-netconf-acm</module-name>{may}"),
                    rule("y", "permit", "<module-name>linux-l2tpv3</module-name>")) +
              rules("L", "g", rule("a", "permit", nothing), rule("b", "deny", nothing)))
    with As(daemon, GAMES) as client:
        client.edit_config(nacm(put('y:insert="first"', "c", nothing + "<action>permit</action>")))  # what it makes it may put anywhere
        refused(client.edit_config, nacm(put('y:insert="first"', "b", "")))
        client.edit_config(nacm(put('y:insert="last"', "b", "")))  # where it is
        with Netconf(daemon.socket) as root:
            assert order_of(root) == ["ownxy", "Lcab"]
            root.edit_config(nacm(put('y:insert="first"', "b", "")), "candidate")
            refused(client.rpc, "<commit/>")
            root.rpc("<commit/>")
            assert order_of(root) == ["ownxy", "Lbca"]


def test_what_is_read_with_tags_is_written_back_by_who_may_not_delete(daemon):
    configure(daemon, "<groups>" + group("g", "games") + "</groups>" + rules("l", "g", rule(
        "r", "permit", f'<path xmlns:a="{ACM}">/a:nacm</path>' + operations("create read update"))))
    with As(daemon, GAMES) as client:
        filter = subtree(f'<nacm xmlns="{ACM}"/>') + (
            '<with-defaults xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-with-defaults">report-all-tagged</with-defaults>')
        text = client.rpc_text(f"<get-config><source><running/></source>{filter}</get-config>")
        assert text.count(':default="true"') == 5 + 1  # of the container, and of the rule
        client.edit_config(text[text.index("<nacm"):text.index("</nacm>") + 7])
        refused(client.edit_config, nacm('<groups nc:operation="remove"/>'))
    with As(daemon, NEWS) as client:  # who may not see it is not told that it is not there
        refused(client.edit_config, nacm('<read-default nc:operation="remove"/>'))


LIST = "/acm:rule-list[acm:name={}]"
AROUND = rules("{}", "g", "<rule><name>r</name></rule>")  # lacks an action


@pytest.mark.parametrize("inner,place", [
    (rules("l", "g", rule("r", "no")), LIST.format("'l'") + "/acm:rule[acm:name='r']/acm:action"),
    (rules("l", "g", rule("r", "deny", "<bogus/>")), LIST.format("'l'") + "/acm:rule[acm:name='r']"),
    (rules("l", "g", 2 * rule("r", "deny")), LIST.format("'l'") + "/acm:rule[acm:name='r']"),
    ("<groups>text</groups>", "/acm:groups"),
    ("<groups><group><user-name>games</user-name></group></groups>", "/acm:groups"),
    ("<enable-nacm>1</enable-nacm>", "/acm:enable-nacm"),
    (AROUND.format("it's [/x"), LIST.format('"it\'s [/x"') + "/acm:rule[acm:name='r']/acm:action"),
    (AROUND.format("Z\u00fcrich"), LIST.format("'Z\u00fcrich'") + "/acm:rule[acm:name='r']/acm:action"),
    (AROUND.format("it's \"both\""), ""),  # XPath 1.0 cannot quote it ...
    (AROUND.format("x" * 1000), ""),  # ... nor has an error room for it
])
def test_an_error_says_where_by_a_path_that_is_an_xpath(daemon, inner, place):
    with Netconf(daemon.socket) as client:
        with pytest.raises(RpcError) as raised:
            client.edit_config(nacm(inner))
        assert raised.value.path == "/acm:nacm" + place


def test_its_configuration_is_configuration(daemon):
    """Every operation of edit-config, the candidate, confirmed commits, rollback, restart; yanglint takes it."""
    first = ("<groups>" + group("g", "games", "news") + "</groups>" +
             rules("r", "g", rule("a", "permit", path('/x:l2tpv3/x:tunnel[x:tunnel-id = "2"]') + operations("update read"))))
    with Netconf(daemon.socket) as client:
        before = shown(client)
        client.edit_config(nacm(first), target="candidate")
        assert shown(client) == before and "games" in shown(client, "candidate")
        client.rpc("<commit><confirmed/></commit>")
        assert "<user-name>games</user-name>" in shown(client)
        assert "<access-operations>read update</access-operations>" in shown(client)
        client.rpc("<cancel-commit/>")
        assert shown(client) == before
        client.edit_config(nacm(first))
        text = client.rpc_text("<get-config><source><running/></source></get-config>")
        yanglint("config", text[text.index("<nacm"):text.index("</nacm>") + 7])
        number = client.rpc_text(f'<history xmlns="{L2TP}"/>').split("<number>")[1].split("<")[0]
        made = shown(client)
        other = '<groups><group><name>g</name><user-name nc:operation="{}">news</user-name></group></groups>'
        client.edit_config(nacm(other.format("delete")))
        assert "news" not in shown(client)
        for operation, tag in (("delete", "data-missing"), ("remove", None), ("create", None), ("create", "data-exists")):
            try:
                client.edit_config(nacm(other.format(operation)))
                assert tag is None
            except RpcError as error:
                assert error.tag == tag and error.path.startswith("/acm:nacm/acm:groups/acm:group")
        client.edit_config(nacm('<rule-list nc:operation="replace"><name>r</name></rule-list>'))
        assert "<rule>" not in shown(client)
        client.rpc(f'<rollback xmlns="{L2TP}"><number>{number}</number></rollback>')
        assert shown(client) == made
        for wrong, tag in (("<enable-nacm>maybe</enable-nacm>", "invalid-value"), ("<what/>", "unknown-element"),
                           (rules("w", "g", "<rule><name>x</name></rule>"), "data-missing"),
                           (rules("w", "g", rule("x", "deny", path("/y:l2tpv3"))), "invalid-value"),
                           (rules("w", "g", rule("x", "deny", path("/x:l2tpv3[1]"))), "invalid-value"),
                           (rules("w", "g", rule("x", "deny", path("/x:l2tpv3/x:tunel"))), "invalid-value"),
                           ("<denied-operations>1</denied-operations>", None)):
            with pytest.raises(RpcError) as error:
                client.edit_config(nacm(wrong))
            assert tag is None or error.value.tag == tag, (wrong, error.value)
    daemon.kill()
    daemon.start()
    open_to_all(daemon)
    with Netconf(daemon.socket) as client:
        assert shown(client) == made
    daemon.stop()
    assert "<nacm" in (daemon.state / "config.xml").read_text()
    daemon.start()
    open_to_all(daemon)
    with Netconf(daemon.socket) as client:
        assert shown(client) == made
