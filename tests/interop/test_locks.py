"""Locks of all of a datastore (RFC 6241 section 7.5) and of parts of running (RFC 5717), and what they bind."""
import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.built import need_built  # noqa: E402
from lib.daemons import L2TPV3CTL, L2TPV3D, L2tpv3d  # noqa: E402
from lib.here import Here  # noqa: E402
from lib.netconf import BASE, L2TP, Netconf, RpcError, subtree  # noqa: E402
from lib.waiting import wait_for  # noqa: E402

need_built(L2TPV3D, L2TPV3CTL)
PARTIAL = "urn:ietf:params:xml:ns:netconf:partial-lock:1.0"
MONITORING = "urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"
TUNNEL = "/l:l2tpv3/l:tunnel[l:tunnel-id='{}']"


def session(number, inner=""):
    return f"<session><session-id>{number}</session-id><peer-session-id>{number}</peer-session-id>{inner}</session>"


def tunnel(number, inner="", attributes=""):
    return (f"<tunnel{attributes}><tunnel-id>{number}</tunnel-id><peer-tunnel-id>{number}</peer-tunnel-id>"
            f"<local-address>127.0.0.1</local-address><remote-address>127.0.0.2</remote-address>"
            f"<local-port>{5000 + number}</local-port>{inner}</tunnel>")


def top(*tunnels):
    return f'<l2tpv3 xmlns="{L2TP}" xmlns:nc="{BASE}">{"".join(tunnels)}</l2tpv3>'


def mtu(value):
    return top(f"<tunnel><tunnel-id>1</tunnel-id><session><session-id>1</session-id><mtu>{value}</mtu></session></tunnel>")


def partial_lock(client, *selects):
    said = client.rpc(f'<partial-lock xmlns="{PARTIAL}" xmlns:l="{L2TP}">'
                      + "".join(f"<select>{select}</select>" for select in selects) + "</partial-lock>")
    return said.findtext(f"{{{PARTIAL}}}lock-id"), [e.text for e in said.iter(f"{{{PARTIAL}}}locked-node")]


def partial_unlock(client, number):
    client.rpc(f'<partial-unlock xmlns="{PARTIAL}"><lock-id>{number}</lock-id></partial-unlock>')


def refused(call, *arguments):
    with pytest.raises(RpcError) as raised:
        call(*arguments)
    return raised.value


@pytest.fixture
def daemon(tmp_path):
    daemon = L2tpv3d(Here(), tmp_path, kernel="sim").start()
    with Netconf(daemon.socket) as client:
        client.edit_config(top(tunnel(1, session(1, "<mtu>1400</mtu>") + session(2)), tunnel(2)))
    yield daemon
    daemon.stop()


@pytest.fixture
def pair(daemon):
    with Netconf(daemon.socket) as one, Netconf(daemon.socket) as two:
        yield one, two


def ctl(daemon, *words):
    return Here().run(L2TPV3CTL, "-S", daemon.socket, *words, check=False)


def test_a_part_is_locked_for_others_and_the_rest_is_free(pair, daemon):
    one, two = pair
    assert "urn:ietf:params:netconf:capability:partial-lock:1.0" in one.capabilities
    number, nodes = partial_lock(one, TUNNEL.format(1))
    assert nodes == ["/l2tp:l2tpv3/l2tp:tunnel[l2tp:tunnel-id='1']"]
    for edit in (mtu(1300), top("<tunnel><tunnel-id>1</tunnel-id><description>x</description></tunnel>"),
                 top("<tunnel><tunnel-id>1</tunnel-id>" + session(3) + "</tunnel>"),
                 top('<tunnel nc:operation="delete"><tunnel-id>1</tunnel-id></tunnel>')):
        error = refused(two.edit_config, edit)
        assert (error.tag, error.app_tag) == ("in-use", "locked") and f"session {one.session_id}" in error.message
        for client in pair:  # a lock prevents changes, and this is none (RFC 6241 section 7.5)
            client.edit_config(edit, options="<test-option>test-only</test-option>")
    two.edit_config(top("<tunnel><tunnel-id>2</tunnel-id><description>mine</description></tunnel>"))
    two.edit_config(mtu(1400))  # which changes nothing
    two.edit_config(mtu(1300), "candidate")  # it binds running only
    assert refused(two.commit).app_tag == "locked"
    two.rpc("<discard-changes/>")
    one.edit_config(mtu(1300))
    partial_unlock(one, number)
    two.edit_config(mtu(1200))


def test_it_binds_all_doors_by_what_changes(pair, daemon):
    one, two = pair
    two.edit_config(mtu(1300))
    history = re.findall(r"<number>(\d+)<", two.rpc_text(f'<history xmlns="{L2TP}"/>'))
    partial_lock(one, TUNNEL.format(1) + "/l:session[l:session-id='1']/l:mtu")
    shell = ctl(daemon, "set", "session", "tunnel_id", "1", "session_id", "1", "mtu", "1200")
    assert shell.returncode == 1 and "locked this part" in shell.stderr
    assert ctl(daemon, "set", "session", "tunnel_id", "1", "session_id", "1", "description", "x").returncode == 0
    first = min(int(n) for n in history)
    assert refused(two.rpc, f'<rollback xmlns="{L2TP}"><number>{first}</number></rollback>').app_tag == "locked"
    assert refused(two.edit_config, "", "running", "<default-operation>replace</default-operation>").tag == "in-use"
    rest = "<error-option>continue-on-error</error-option>"
    both = mtu(1111).replace("</l2tpv3>", "<tunnel><tunnel-id>2</tunnel-id><description>both</description></tunnel></l2tpv3>")
    assert refused(two.edit_config, both, "running", rest).app_tag == "locked"
    said = two.rpc_text("<get-config><source><running/></source></get-config>")
    assert "both" in said and "1111" not in said


def test_locks_and_partial_locks_exclude_each_other(pair):
    one, two = pair
    number, _ = partial_lock(one, TUNNEL.format(1), TUNNEL.format(1) + "/l:description")
    again, nodes = partial_lock(one, TUNNEL.format(1) + "/l:session[l:session-id='2']")
    assert len(nodes) == 1 and again != number
    for select in (TUNNEL.format(1), "/l:l2tpv3", TUNNEL.format(1) + "/l:peer-tunnel-id"):
        error = refused(partial_lock, two, select)
        assert error.tag == "lock-denied" and f"<session-id>{one.session_id}<" in ascii_of(error)
    partial_lock(two, TUNNEL.format(2))
    assert refused(one.lock).tag == refused(two.lock).tag == "lock-denied"
    assert refused(partial_unlock, two, number).tag == "invalid-value"
    shown = two.rpc_text(f'<get>{subtree(f"<netconf-state xmlns={chr(34)}{MONITORING}{chr(34)}><datastores/></netconf-state>")}</get>')
    assert f"<lock-id>{number}</lock-id><locked-by-session>{one.session_id}<" in shown and "<locked-node" in shown
    one.close()
    wait_for(lambda: f"<lock-id>{number}<" not in two.rpc_text("<get/>"), "its locks to end with the session")
    partial_lock(two, TUNNEL.format(1))
    with Netconf(two.socket.getpeername()) as three:
        two.close()
        wait_for(lambda: "<ok/>" in three.rpc_text("<lock><target><running/></target></lock>"), "all to be free")
        with Netconf(three.socket.getpeername()) as four:
            assert refused(partial_lock, four, TUNNEL.format(1)).tag == "lock-denied"


def test_what_was_selected_is_shown_whole_with_what_its_prefixes_stand_for(pair):
    one, two = pair
    select = "/l:l2tpv3/l:tunnel[l:tunnel-id='1']" + "[true()]" * 40
    one.rpc(f'<partial-lock xmlns="{PARTIAL}" xmlns:l="urn:other"><select xmlns:l="{L2TP}">{select}</select></partial-lock>')
    shown = two.rpc_text(f'<get>{subtree(f"<netconf-state xmlns={chr(34)}{MONITORING}{chr(34)}><datastores/></netconf-state>")}</get>')
    said = re.search(r"<select([^>]*)>([^<]*)</select>", shown)
    assert said[2].replace("&apos;", "'") == select and f'xmlns:l="{L2TP}"' in said[1] and "urn:other" not in said[1]


def ascii_of(error):
    return re.sub(r"<(/?)\w+:", r"<\1", ET.tostring(error.reply, "unicode"))


def short(nodes):
    return [re.sub(r"/(tunnel|session)\[\1-id='(\d+)'\]", r"/\2", node.replace("l2tp:", "").replace("/l2tpv3", "")) for node in nodes]


@pytest.mark.parametrize("selects, expected", [
    (["//l:session[l:mtu = 1400]"], ["/1/1"]),
    (["//l:mtu/text()", "//l:tunnel[l:local-port &gt; 5001]"], ["/1/1/mtu", "/2"]),
    (["/l:l2tpv3/l:tunnel[1]/l:session[last()] | /l:l2tpv3/l:tunnel[2]/l:local-port"], ["/1/2", "/2/local-port"]),
    (["/l:l2tpv3/l:tunnel[l:local-port='5001']"], ["/1"]),  # found by index
    ([TUNNEL.format(1) + "/*[starts-with(local-name(), 'local-')]"], ["/1/local-address", "/1/local-port"]),
    ([TUNNEL.format(9), "//l:tunnel[count(l:session) = 0]", TUNNEL.format(1) + "/l:session[l:session-id='1']"], ["/1/1", "/2"]),
    (["//*[self::l:tunnel or self::l:l2tpv3]"], ["", "/1", "/2"]),
])
def test_an_xpath_says_what_is_locked(pair, selects, expected):
    assert short(partial_lock(pair[0], *selects)[1]) == expected


def test_an_xpath_is_evaluated_once(pair, daemon):
    one, two = pair
    partial_lock(one, "//l:session[l:mtu = 1400]/l:mtu")
    assert refused(two.edit_config, mtu(1300)).app_tag == "locked"
    two.edit_config(top(tunnel(2, session(3, "<mtu>1400</mtu>"))))
    two.edit_config(top(tunnel(2, session(3, "<mtu>1300</mtu>"))))
    one.edit_config(mtu(1200))
    assert refused(two.edit_config, mtu(1300)).app_tag == "locked"
    shown = two.rpc_text(f'<get>{subtree(f"<netconf-state xmlns={chr(34)}{MONITORING}{chr(34)}/>")}</get>')
    assert ">//l:session[l:mtu = 1400]/l:mtu</select>" in shown
    assert ctl(daemon, "set", "session", "tunnel_id", "1", "session_id", "1", "mtu", "1100").returncode == 1
    error = refused(partial_lock, two, "//l:mtu")
    assert error.tag == "lock-denied" and f"<session-id>{one.session_id}<" in ascii_of(error)


@pytest.mark.parametrize("select, tag, app_tag", [
    (TUNNEL.format(9), "operation-failed", "no-matches"),
    (TUNNEL.format(1) + "/l:session[l:session-id='1']/l:bridge", "operation-failed", "no-matches"),
    ("/l2tpv3", "operation-failed", "no-matches"),  # in no namespace
    (TUNNEL.format(1) + "/l:oper-status", "operation-failed", "no-matches"),  # no configuration
    (TUNNEL.format("x"), "operation-failed", "no-matches"),
    ("1 + 1", "invalid-value", "not-a-node-set"),
    ("/l:l2tpv3/l:tunnel[l:tunnel-id='1'", "invalid-value", None),
    ("", "invalid-value", None),
    ("//x:tunnel", "invalid-value", None),
    ("//l:tunnel[$x]", "invalid-value", None),
    ("//l:tunnel[document('/etc/passwd')]", "invalid-value", None),
    ("/*", "invalid-value", None),  # also of NACM
    ("/", "invalid-value", None),
    ("//l:tunnel[" * 70 + "1" + "]" * 70, "too-big", None),
    ("//l:tunnel" + "[1]" * 1000, "too-big", None),
])
def test_what_selects_nothing_or_cannot_be_locked(pair, select, tag, app_tag):
    pair[0].edit_config('<nacm xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-acm"><enable-nacm>true</enable-nacm></nacm>')
    error = refused(partial_lock, pair[0], select)
    assert (error.tag, error.app_tag) == (tag, app_tag)


def test_an_xpath_that_selects_too_many_or_takes_too_long(pair):
    one, two = pair
    one.edit_config(top(tunnel(3, "".join(session(n) for n in range(100, 4300)))))
    assert refused(partial_lock, one, "//l:session").tag == "too-big"
    assert refused(partial_lock, one, *["//l:tunnel[l:local-port = 1]"] * 65).tag == "too-big"
    assert short(partial_lock(one, "//l:tunnel[count(l:session) &gt; 4000]")[1]) == ["/3"]
    one.send(f'<rpc xmlns="{BASE}" message-id="9"><partial-lock xmlns="{PARTIAL}" xmlns:l="{L2TP}">'
             "<select>//*[//* &lt; -1 or //* &lt; -2 or count(//*[. = //*]) = -1]</select></partial-lock></rpc>")
    two.edit_config(mtu(1300))  # it holds up nobody
    one.close()
    with Netconf(two.socket.getpeername()) as three:
        wait_for(lambda: "<ok/>" in three.rpc_text("<lock><target><running/></target></lock>"), "its locks to be gone")


def test_no_partial_lock_while_a_confirmed_commit_is_pending(pair):
    one, two = pair
    one.edit_config(mtu(1300), "candidate")
    one.rpc("<commit><confirmed/></commit>")
    error = refused(partial_lock, two, TUNNEL.format(1))
    assert (error.tag, error.app_tag) == ("in-use", "outstanding-confirmed-commit")
    assert refused(two.lock).tag == "lock-denied"
    one.rpc("<cancel-commit/>")
    partial_lock(two, TUNNEL.format(1))


def test_a_follow_up_does_not_move_what_a_confirmed_commit_goes_back_to(pair):
    one, two = pair
    for value in (1300, 1200):
        one.edit_config(mtu(value), "candidate")
        one.rpc("<commit><confirmed/></commit>")
    one.rpc("<cancel-commit/>")
    assert two.get_config().find(f".//{{{L2TP}}}mtu").text == "1400"


def test_the_candidate_is_not_locked_while_dirty_and_discarded_while_others_commit(pair):
    one, two = pair
    one.edit_config(mtu(1300), "candidate")
    error = refused(two.lock, "candidate")
    assert error.tag == "lock-denied" and "<session-id>0<" in ascii_of(error)
    assert refused(one.lock, "candidate").tag == "lock-denied"
    two.send(f'<rpc xmlns="{BASE}" message-id="1"><commit/></rpc>')
    one.rpc("<discard-changes/>")
    assert "<ok/>" in two.receive()
    left = {s.get_config(source).find(f".//{{{L2TP}}}mtu").text for s in pair for source in ("running", "candidate")}
    assert left in ({"1300"}, {"1400"})  # before it or after it, and nothing in between
    two.lock("candidate")


@pytest.mark.parametrize("number,word", [("x", "is a number"), ("-1", "is a number"), ("4000000000", "4000000000")])
def test_a_lock_that_is_not_ones_own(pair, number, word):
    with pytest.raises(RpcError) as refused:
        pair[0].rpc(f'<partial-unlock xmlns="{PARTIAL}"><lock-id>{number}</lock-id></partial-unlock>')
    assert refused.value.tag == "invalid-value" and word in refused.value.message


def test_unlock_without_the_lock(pair):
    one, two = pair
    error = refused(one.unlock)
    assert (error.tag, error.app_tag) == ("operation-failed", "not-locked")
    two.lock()
    assert f"session {two.session_id}" in refused(one.unlock).message
