"""rpc-errors: several in one reply, to the letter of the RFCs; and what the options of edit-config make of them."""
import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.built import need_built  # noqa: E402
from lib.daemons import L2TPV3CTL, L2TPV3D, L2tpv3d  # noqa: E402
from lib.here import Here  # noqa: E402
from lib.netconf import BASE, L2TP, Netconf, RpcError, errors_of  # noqa: E402

need_built(L2TPV3D, L2TPV3CTL)
YANG = "urn:ietf:params:xml:ns:yang:1"
CONTINUE = "<error-option>continue-on-error</error-option>"


def session(number, inner=""):
    return f"<session><session-id>{number}</session-id><peer-session-id>{number}</peer-session-id>{inner}</session>"


def tunnel(number, inner="", attributes=""):
    return (f"<tunnel{attributes}><tunnel-id>{number}</tunnel-id><peer-tunnel-id>{number}</peer-tunnel-id>"
            f"<local-address>127.0.0.1</local-address><remote-address>127.0.0.2</remote-address>"
            f"<local-port>{5000 + number}</local-port>{inner}</tunnel>")


def top(*tunnels, attributes=""):
    return f'<l2tpv3 xmlns="{L2TP}" xmlns:nc="{BASE}"{attributes}>{"".join(tunnels)}</l2tpv3>'


def entries(client, source="running"):
    """[(tunnel, sessions)]"""
    found = client.get_config(source).iter(f"{{{L2TP}}}tunnel")
    return [(int(at.findtext(f"{{{L2TP}}}tunnel-id")), [int(s.text) for s in at.iter(f"{{{L2TP}}}session-id")])
            for at in found]


def edit_errors(client, config, target="running", options=""):
    with pytest.raises(RpcError) as raised:
        client.edit_config(config, target, options)
    return raised.value.errors


def told(errors):
    return [(e["error-tag"], e.get("error-path", "").replace("l2tp:", "").replace("/l2tpv3/tunnel", "")) for e in errors]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    daemon = L2tpv3d(Here(), tmp_path_factory.mktemp("errors"), kernel="sim").start()
    yield daemon
    daemon.stop()


@pytest.fixture
def client(server):
    with Netconf(server.socket) as client:
        client.rpc("<discard-changes/>")
        client.edit_config("", options="<default-operation>replace</default-operation>")
        yield client


MANY_WRONG = top(
    tunnel(1, "<bogus/>" + session(1, "<mtu>67</mtu><vlan-id>0</vlan-id>") + session(2)),
    "<tunnel><description>no key</description></tunnel>",
    tunnel(3, '<session nc:operation="none"><session-id>3</session-id></session>' + "<session><session-id>x</session-id></session>"),
    tunnel(4, session(4)))
SAID_OF_IT = [
    ("unknown-element", "[tunnel-id='1']"),
    ("invalid-value", "[tunnel-id='1']/session[session-id='1']/mtu"),
    ("invalid-value", "[tunnel-id='1']/session[session-id='1']/vlan-id"),
    ("missing-element", ""),
    ("bad-attribute", "[tunnel-id='3']"),
    ("invalid-value", "[tunnel-id='3']/session/session-id"),
]


@pytest.mark.parametrize("options", ["", "<error-option>rollback-on-error</error-option>",
                                     "<error-option>stop-on-error</error-option>"])
def test_all_that_is_wrong_by_itself_is_in_one_reply_in_the_order_of_the_document(client, options):
    assert told(edit_errors(client, MANY_WRONG, options=options)) == SAID_OF_IT
    assert entries(client) == []


def test_all_that_cannot_be_applied(client):
    client.edit_config(top(tunnel(1, session(1))))
    wrong = top(tunnel(1, session(1), ' nc:operation="create"'),
                '<tunnel><tunnel-id>2</tunnel-id><session nc:operation="delete"><session-id>7</session-id></session></tunnel>',
                tunnel(3), '<tunnel nc:operation="delete"><tunnel-id>4</tunnel-id></tunnel>')
    said = [("data-exists", "[tunnel-id='1']"), ("data-exists", "[tunnel-id='1']/session[session-id='1']"),
            ("data-missing", "[tunnel-id='2']/session[session-id='7']"), ("data-missing", "[tunnel-id='4']")]
    assert told(edit_errors(client, wrong)) == said
    assert told(edit_errors(client, wrong, "candidate")) == said
    assert entries(client) == entries(client, "candidate") == [(1, [1])]
    assert set(told(edit_errors(client, wrong, options=CONTINUE))) >= set(said)
    assert entries(client) == [(1, [1]), (3, [])]


INVALID = top(
    tunnel(1, session(1, "<pseudowire-type>ethernet-vlan</pseudowire-type>") + session(2) +
           session(3, "<sequencing>send</sequencing><l2-specific-sublayer>none</l2-specific-sublayer>")),
    "<tunnel><tunnel-id>2</tunnel-id></tunnel>",
    tunnel(3, session(2)).replace("127.0.0.2", "::1"),
    tunnel(4, session(4)))
SAID_OF_THAT = [
    ("operation-failed", "[tunnel-id='1']/session[session-id='1']"),
    ("operation-failed", "[tunnel-id='1']/session[session-id='3']/sequencing"),
    ("data-missing", "[tunnel-id='2']/peer-tunnel-id"),
    ("operation-failed", "[tunnel-id='3']/remote-address"),
    ("operation-failed", "[tunnel-id='3']/session[session-id='2']/session-id"),
]


def test_validation_reports_the_first_of_each_object_at_each_door_of_netconf(client):
    assert told(edit_errors(client, INVALID)) == SAID_OF_THAT
    assert told(edit_errors(client, INVALID, options="<test-option>test-only</test-option>")) == SAID_OF_THAT
    client.edit_config(INVALID, "candidate")
    for body in ("<validate><source><candidate/></source></validate>", "<commit/>",
                 f"<validate><source><config>{INVALID}</config></source></validate>"):
        assert told(errors_of(ET.fromstring(client.rpc_text(body)))) == SAID_OF_THAT
    assert entries(client) == [] and len(entries(client, "candidate")) == 4


def test_a_list_is_bounded_and_says_how_many_more(client):
    wrong = [session(i, "<mtu>1</mtu>") for i in range(1, 301)]
    for errors in (edit_errors(client, top(tunnel(1, "".join(wrong)))),
                   edit_errors(client, top(tunnel(1, "".join(wrong).replace("mtu", "vlan-id"))))):
        assert [e["error-path"].split("'")[3] for e in errors[:-1]] == [str(i) for i in range(1, 101)]
        assert errors[-1]["error-app-tag"] == "more-errors" and errors[-1]["error-message"].startswith("200 more ")


def test_continue_on_error_does_the_rest(client):
    orphan = ("data-missing", "[tunnel-id='1']/session[session-id='2']")
    assert told(edit_errors(client, MANY_WRONG, options=CONTINUE)) == SAID_OF_IT[:4] + [orphan] + SAID_OF_IT[4:]
    assert entries(client) == [(4, [4])]
    assert told(edit_errors(client, INVALID, options=CONTINUE)) == SAID_OF_THAT
    assert entries(client) == [(1, [2]), (4, [4])]
    client.edit_config(top(tunnel(5)), options=CONTINUE)
    assert entries(client) == [(1, [2]), (4, [4]), (5, [])]


def test_continue_on_error_with_replace_keeps_what_it_could_not_read(client):
    client.edit_config(top(tunnel(1, session(1)), tunnel(2), tunnel(3)))
    edit = top('<tunnel nc:operation="replace"><tunnel-id>1</tunnel-id><bogus/></tunnel>', tunnel(4))
    replace = CONTINUE + "<default-operation>replace</default-operation>"
    assert told(edit_errors(client, edit, options=replace)) == [("unknown-element", "[tunnel-id='1']")]
    assert entries(client) == [(1, [1]), (4, [])]
    unknown = top("<tunnel><bogus/></tunnel>", tunnel(5))
    edit_errors(client, unknown, options=replace)  # any tunnel could be meant
    assert entries(client) == [(1, [1]), (4, [])]


def test_continue_on_error_goes_on_without_what_meets_others_in_the_kernel(client):
    taken = top(tunnel(1, session(1, "<interface-name>lo</interface-name>") + session(2)))
    assert told(edit_errors(client, taken, options=CONTINUE)) == [("in-use", "[tunnel-id='1']/session[session-id='1']/interface-name")]
    assert entries(client) == [(1, [2])]


@pytest.mark.parametrize("target", ["running", "candidate"])
def test_test_options(client, target):
    good, invalid = top(tunnel(1)), top("<tunnel><tunnel-id>2</tunnel-id></tunnel>")
    for option in ("test-only", "test-then-set", "set"):
        options = f"<test-option>{option}</test-option>"
        client.edit_config(good, target, options)
        assert entries(client, target) == ([] if option == "test-only" else [(1, [])])
        client.edit_config(top('<tunnel nc:operation="remove"><tunnel-id>1</tunnel-id></tunnel>'), target)
        if option != "set" or target == "running":
            assert told(edit_errors(client, invalid, target, options)) == [("data-missing", "[tunnel-id='2']/peer-tunnel-id")]
        else:  # RFC 7950 section 8.3.3: the commit tests it
            client.edit_config(invalid, target, options)
            assert entries(client, target) == [(2, [])]
            client.rpc("<discard-changes/>")
        assert entries(client, target) == []


def test_test_then_set_and_continue_on_error_in_the_candidate(client):
    options = CONTINUE + "<test-option>test-then-set</test-option>"
    edit_errors(client, INVALID, "candidate", options)
    assert entries(client, "candidate") == [(1, [2]), (4, [4])]
    client.commit()
    assert entries(client) == [(1, [2]), (4, [4])]


# RFC 6241 appendix A: the error-types of each tag, and what error-info must have.
APPENDIX_A = {
    "in-use": ("protocol application", []), "invalid-value": ("protocol application", []),
    "too-big": ("transport rpc protocol application", []),
    "missing-attribute": ("rpc protocol application", ["bad-attribute", "bad-element"]),
    "bad-attribute": ("rpc protocol application", ["bad-attribute", "bad-element"]),
    "unknown-attribute": ("rpc protocol application", ["bad-attribute", "bad-element"]),
    "missing-element": ("protocol application", ["bad-element"]), "bad-element": ("protocol application", ["bad-element"]),
    "unknown-element": ("protocol application", ["bad-element"]),
    "unknown-namespace": ("protocol application", ["bad-element", "bad-namespace"]),
    "access-denied": ("protocol application", []), "lock-denied": ("protocol", ["session-id"]),
    "resource-denied": ("transport rpc protocol application", []), "rollback-failed": ("protocol application", []),
    "data-exists": ("application", []), "data-missing": ("application", []),
    "operation-not-supported": ("protocol application", []), "operation-failed": ("rpc protocol application", []),
    "malformed-message": ("rpc", []),
}
PARTS = ["error-type", "error-tag", "error-severity", "error-app-tag", "error-path", "error-message", "error-info"]


def check_error(error):
    """Its parts are those of the schema, in its order, and fit together."""
    names = [child.tag.rpartition("}")[2] for child in error]
    assert names == [name for name in PARTS if name in names] and {"error-type", "error-tag", "error-severity"} <= {*names}
    said = {child.tag.rpartition("}")[2]: child for child in error}
    types, info = APPENDIX_A[said["error-tag"].text]
    assert said["error-type"].text in types.split() and said["error-severity"].text == "error"
    given = [child.tag.rpartition("}")[2] for child in said.get("error-info", [])]
    assert given[:len(info)] == info, (said["error-tag"].text, given)
    assert all(child.text for child in said.get("error-info", []))
    assert len(said["error-message"].text) > 20 and not said["error-message"].text.endswith(".")


EDIT = "<edit-config><target><running/></target>{}<config>{}</config></edit-config>"
WRONG = {
    # what: (operation, type, tag, app-tag, what error-info has, what the message says)
    "unknown operation": ("<bogus/>", "protocol", "operation-not-supported", None, [], "the hello lists"),
    "operation of another namespace": ('<get xmlns="urn:x"/>', "protocol", "unknown-namespace", None, ["get", "urn:x"], "urn:x"),
    "running of another namespace": ('<unlock><target><running xmlns="urn:x"/></target></unlock>', "protocol",
                                     "unknown-namespace", None, ["running", "urn:x"], f"in {BASE}"),
    "no such datastore": ("<get-config><source><bogus/></source></get-config>", "protocol", "unknown-element", None,
                          ["bogus"], "running and candidate"),
    "startup": ("<get-config><source><startup/></source></get-config>", "protocol", "operation-not-supported", None, [],
                "running and candidate"),
    "no target": (EDIT.replace("<target><running/></target>", "").format("", ""), "protocol", "missing-element", None,
                  ["target"], "<target><running/></target>"),
    "unlock without the lock": ("<unlock><target><running/></target></unlock>", "protocol", "operation-failed", "not-locked",
                                [], "not locked"),
    "confirm nothing": ("<cancel-commit/>", "protocol", "operation-failed", "no-confirmed-commit", [], "pending"),
    "error-option": (EDIT.format("<error-option>x</error-option>", ""), "protocol", "invalid-value", None, [],
                     "continue-on-error"),
    "test-option": (EDIT.format("<test-option>x</test-option>", ""), "protocol", "invalid-value", None, [], "test-only"),
    "attribute of an operation": ('<get x="1"/>', "protocol", "unknown-attribute", None, ["x", "get"], "no attributes"),
    "operation without a namespace": (EDIT.format("", top(tunnel(1, attributes=' operation="create"'))), "protocol",
                                      "unknown-attribute", None, ["operation", "tunnel"], "nc:operation"),
    "bad operation": (EDIT.format("", top(tunnel(1, attributes=' nc:operation="x"'))), "protocol", "bad-attribute", None,
                      ["operation", "tunnel"], "merge, replace"),
    "filter without select": ('<get><filter type="xpath"/></get>', "protocol", "missing-attribute", None, ["select", "filter"],
                              "select"),
    "text in config": (EDIT.format("", "x"), "application", "bad-element", None, ["config"], "only elements"),
    "text in the container": (EDIT.format("", top("x")), "application", "bad-element", None, ["l2tpv3"], "only elements"),
    "unknown leaf": (EDIT.format("", top(tunnel(1, "<bogus/>"))), "application", "unknown-element", None, ["bogus"], "no such"),
    "state": (EDIT.format("", top(tunnel(1, "<oper-status>up</oper-status>"))), "application", "unknown-element",
              "read-only", ["oper-status"], "state"),
    "value": (EDIT.format("", top(tunnel(1, session(1, "<mtu>1</mtu>")))), "application", "invalid-value", None, [], "68"),
    "no key": (EDIT.format("", top("<tunnel/>")), "application", "missing-element", None, ["tunnel-id"], "key"),
    "mandatory": (EDIT.format("", top("<tunnel><tunnel-id>1</tunnel-id></tunnel>")), "application", "data-missing", None, [],
                  "peer-tunnel-id"),
    "choice": (EDIT.format("", top(tunnel(1).replace("<local-address>127.0.0.1</local-address>", ""))), "application",
               "data-missing", "missing-choice", ["local"], "local-interface"),
    "when": (EDIT.format("", top(tunnel(1, session(1, "<vlan-id>5</vlan-id>")))), "application", "unknown-element", None,
             ["vlan-id"], "ethernet-vlan"),
    "must of a leaf": (EDIT.format("", top(tunnel(1).replace("127.0.0.2", "::1"))), "application", "operation-failed",
                       "address-family-mismatch", [], "both IPv4"),
    "unique": (EDIT.format("", top(tunnel(1, session(1)), tunnel(2, session(1)))), "application", "operation-failed",
               "data-not-unique",
               [f"/l2tp:l2tpv3/l2tp:tunnel[l2tp:tunnel-id='{i}']/l2tp:session[l2tp:session-id='1']/l2tp:session-id"
                for i in (2, 1)], "choose"),
    "create": (EDIT.format("", top(tunnel(9, attributes=' nc:operation="create"'))), "application", "data-exists", None, [],
               "choose another"),
    "delete": (EDIT.format("", top('<tunnel nc:operation="delete"><tunnel-id>8</tunnel-id></tunnel>')), "application",
               "data-missing", None, [], "nothing is left to delete"),
    "foreign": (EDIT.format("", top(tunnel(1, session(1, "<interface-name>lo</interface-name>")))), "application", "in-use",
                "foreign-object", [], "choose another"),
    "kill oneself": ("<kill-session><session-id>0</session-id></kill-session>", "protocol", "invalid-value", None, [], "session"),
}


@pytest.mark.parametrize("what", WRONG)
def test_each_error_is_told_to_the_letter(client, what):
    body, *expected, info, message = WRONG[what]
    client.edit_config(top(tunnel(9)))
    error = ET.fromstring(client.rpc_text(body)).find(f"{{{BASE}}}rpc-error")
    check_error(error)
    said = [error.findtext(f"{{{BASE}}}{name}") for name in ("error-type", "error-tag", "error-app-tag")]
    told_info = [child.text for child in error.find(f"{{{BASE}}}error-info") or []]
    assert said == expected and told_info == info, (said, told_info)
    assert message in error.findtext(f"{{{BASE}}}error-message")


def test_locked_and_denied(server, client):
    with Netconf(server.socket) as other:
        other.lock()
        for body, tag in (("<lock><target><running/></target></lock>", "lock-denied"),
                          (EDIT.format("", top(tunnel(1))), "in-use")):
            error = ET.fromstring(client.rpc_text(body)).find(f"{{{BASE}}}rpc-error")
            check_error(error)
            assert error.findtext(f"{{{BASE}}}error-tag") == tag and "kill-session" in error.findtext(f"{{{BASE}}}error-message")


def test_the_hello_says_what_is_there(client):
    for capability in ("rollback-on-error:1.0", "validate:1.1", "candidate:1.0", "writable-running:1.0"):
        assert f"urn:ietf:params:netconf:capability:{capability}" in client.capabilities
    assert not any(re.search(":(startup|url):", capability) for capability in client.capabilities)


def test_each_leaf_that_is_not_unique_is_named(client):
    reply = ET.fromstring(client.rpc_text(
        f"<edit-config><target><running/></target><config>{top(tunnel(1, session(1)), tunnel(2, session(1)))}"
        "</config></edit-config>"))
    error = reply.find(f"{{{BASE}}}rpc-error")
    assert error.findtext(f"{{{BASE}}}error-app-tag") == "data-not-unique"
    assert sorted(e.text for e in error.iter(f"{{{YANG}}}non-unique")) == [
        f"/l2tp:l2tpv3/l2tp:tunnel[l2tp:tunnel-id='{i}']/l2tp:session[l2tp:session-id='1']/l2tp:session-id" for i in (1, 2)]
