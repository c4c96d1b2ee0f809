"""The NETCONF server byte by byte, on the simulated kernel: what a library client cannot send."""
import os
import re
import resource
import shutil
import socket
import stat
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import oracle  # noqa: E402
from lib.built import need_built  # noqa: E402
from lib.daemons import L2TPV3D, RELAY, L2tpv3d  # noqa: E402
from lib.here import Here  # noqa: E402
from lib.netconf import BASE, BASE_1_0, BASE_1_1, L2TP, Netconf, RpcError, errors_of, subtree  # noqa: E402
from lib.waiting import wait_for  # noqa: E402

END = b"]]>]]>"
NS = f'xmlns="{L2TP}"'
ENDPOINTS = "<local-address>192.0.2.1</local-address><remote-address>192.0.2.2</remote-address>"
MONITORING = "urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"
GET_CONFIG = "<get-config><source><running/></source></get-config>"


def hello(*capabilities, extra="", xmlns=BASE, prefix=""):
    p = f"{prefix}:" if prefix else ""
    declaration = f"xmlns:{prefix}" if prefix else "xmlns"
    inner = "".join(f"<{p}capability>{uri}</{p}capability>" for uri in capabilities)
    return (f'<{p}hello {declaration}="{xmlns}"><{p}capabilities>{inner}</{p}capabilities>{extra}'
            f"</{p}hello>").encode()


HELLO = hello(BASE_1_0, BASE_1_1)


def chunks(text, size=None):
    data = text.encode() if isinstance(text, str) else text
    size = size or len(data)
    return b"".join(b"\n#%d\n%s" % (len(data[i:i + size]), data[i:i + size])
                    for i in range(0, len(data), size)) + b"\n##\n"


def rpc(body, message_id="1"):
    return f'<rpc xmlns="{BASE}" message-id="{message_id}">{body}</rpc>'


def tunnel(number, inner="", attributes=""):
    return (f"<tunnel{attributes}><tunnel-id>{number}</tunnel-id><peer-tunnel-id>{number}</peer-tunnel-id>"
            f"<encapsulation>ip</encapsulation>{ENDPOINTS}{inner}</tunnel>")


def sessions(first, last, inner=""):
    return "".join(f"<session><session-id>{i}</session-id><peer-session-id>{i}</peer-session-id>"
                   f"{inner}</session>" for i in range(first, last + 1))


def top(inner="", attributes=""):
    return f'<l2tpv3 {NS} xmlns:nc="{BASE}"{attributes}>{inner}</l2tpv3>'


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    need_built(L2TPV3D, RELAY)
    daemon = L2tpv3d(Here(), tmp_path_factory.mktemp("netconf"), kernel="sim").start()
    yield daemon
    daemon.stop()


@pytest.fixture
def daemon(server):
    """The daemon, alive before and after, and with an empty configuration."""
    with Netconf(server.socket) as client:
        client.edit_config(top(attributes=' nc:operation="replace"'))
    yield server
    assert server.running, server.log()
    with Netconf(server.socket) as client:
        client.get_config()


@pytest.fixture
def client(daemon):
    reason = oracle.missing()
    if reason:
        pytest.skip(reason)
    with oracle.CheckedNetconf(daemon.socket) as client:
        yield client


class Wire:
    """A connection and nothing more."""

    def __init__(self, daemon, send=b""):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(daemon.socket))
        self.socket.settimeout(60)
        self.socket.sendall(send)

    def send(self, data):
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused early; what it said is there to read

    def everything(self):
        """All until the server closes."""
        data = b""
        try:
            while piece := self.socket.recv(1 << 20):
                data += piece
        except ConnectionResetError:
            pass
        return data

    def until(self, end):
        data = b""
        while end not in data:
            piece = self.socket.recv(1 << 16)
            assert piece, data
            data += piece
        return data

    def after_hello(self):
        """All the server says after its hello."""
        return self.everything().partition(END)[2]

    def close(self):
        self.socket.close()


def resident(daemon):
    """Kilobytes of memory in use; 0 under a sanitizer, which keeps what was freed."""
    if b"__asan_init" in L2TPV3D.read_bytes():
        return 0
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{daemon.pid}/status").read_text())[1])


# Hello

def test_server_says_hello_first(daemon):
    said = Wire(daemon).until(END).decode()
    assert said.startswith(f'<hello xmlns="{BASE}">') and said.endswith("</hello>]]>]]>")
    for uri in (BASE_1_0, BASE_1_1, "urn:ietf:params:netconf:capability:writable-running:1.0"):
        assert f"<capability>{uri}</capability>" in said
    assert re.search(r"<session-id>[1-9]\d*</session-id>", said)


def test_module_capability_has_the_revision_of_the_module(daemon):
    said = Wire(daemon).until(END).decode()
    revision = re.search(r"revision (\S+) {", oracle.MODULE.read_text())[1]
    assert f"<capability>{L2TP}?module=linux-l2tpv3&amp;revision={revision}</capability>" in said


def test_session_ids_differ(daemon):
    wires = [Wire(daemon) for _ in range(5)]
    assert len({wire.until(END) for wire in wires}) == 5


@pytest.mark.parametrize("piece", [1, 7, 10000])
def test_hello_and_first_chunk_in_one_write(daemon, piece):
    data = HELLO + END + chunks(rpc("<get/>"), 5) + chunks(rpc("<close-session/>", "2"))
    wire = Wire(daemon)
    for i in range(0, len(data), piece):
        wire.send(data[i:i + piece])
    said = wire.after_hello()
    assert said.count(b"\n##\n") == 2 and b'message-id="2"><ok/>' in said


@pytest.mark.parametrize("first", [
    hello(BASE_1_0),
    hello(BASE_1_0, "urn:example:other"),
    b"<?xml version='1.0' encoding='UTF-8'?>\n" + hello(f"\n  {BASE_1_0}\n "),
    hello(BASE_1_0, prefix="nc"),
])
def test_base_1_0(daemon, first):
    wire = Wire(daemon, first + END + rpc("<get/>").encode() + END + b"\n" +
                rpc("<close-session/>", "2").encode() + END)
    said = wire.after_hello().split(END)
    assert [b'message-id="1"' in said[0], b'message-id="2"' in said[1], said[2]] == [True, True, b""]


@pytest.mark.parametrize("first", [
    hello(BASE_1_1, extra="<session-id>4</session-id>"),
    hello("urn:example:other"),
    hello(),
    hello(BASE_1_1, xmlns="urn:example:other"),
    hello(BASE_1_1).replace(b"hello", b"helo"),
    f'<hello xmlns="{BASE}"/>'.encode(),
    rpc("<get/>").encode(),
    b"junk",
    b"<hello",
    b"<!DOCTYPE hello>" + hello(BASE_1_1),
])
def test_bad_hello_ends_the_session(daemon, first):
    wire = Wire(daemon, first + END)
    assert wire.after_hello() == b""


def test_second_hello_ends_the_session(daemon):
    assert b"<data>" not in Wire(daemon, HELLO + END + chunks(HELLO) + chunks(rpc("<get/>"))).after_hello()


def test_no_hello_in_time_ends_the_session(daemon):
    wire = Wire(daemon, b"<hello")
    began = time.monotonic()
    assert wire.after_hello() == b"" and time.monotonic() - began > 5


# Framing

@pytest.mark.parametrize("bad", [b"x", b"\n#0\n", b"\n#01\nx", b"\n#+1\nx", b"\n##\n", b"\n#4294967296\n",
                                 b"\n#1\n<\n#", b"\n# 1\n", rpc("<get/>").encode() + END])
def test_framing_violation_ends_the_session_without_reply(daemon, bad):
    wire = Wire(daemon, HELLO + END + bad + b"\n##junk")
    assert wire.after_hello() == b""


def test_message_in_chunks_of_one_byte(daemon):
    wire = Wire(daemon, HELLO + END + chunks(rpc(GET_CONFIG), 1) + chunks(rpc("<close-session/>", "ü"), 1))
    assert 'message-id="ü"><ok/>'.encode() in wire.after_hello()


def test_pipelined_requests_are_answered_in_order(daemon):
    requests = [rpc(f"<edit-config><target><running/></target><config>{top(tunnel(i))}</config></edit-config>"
                    + "", f"e{i}") if j == 0 else rpc(GET_CONFIG, f"g{i}")
                for i in range(1, 30) for j in (0, 1)]
    wire = Wire(daemon, HELLO + END + b"".join(map(chunks, requests)) + chunks(rpc("<close-session/>", "c")))
    replies = re.sub(rb"\n#\d+\n", b"", wire.after_hello()).split(b"\n##\n")
    ids = [re.search(rb'message-id="(\w+)"', reply)[1].decode() for reply in replies if reply]
    assert ids == [f"{kind}{i}" for i in range(1, 30) for kind in "eg"] + ["c"]
    assert [reply.count(b"<tunnel>") for reply in replies[1:-1:2]] == list(range(1, 30))


def test_half_closed_client_gets_its_replies(daemon):
    wire = Wire(daemon, HELLO + END + chunks(rpc(
        f"<edit-config><target><running/></target><config>{top(tunnel(1))}</config></edit-config>")) +
        chunks(rpc(GET_CONFIG, "2")))
    wire.socket.shutdown(socket.SHUT_WR)
    said = wire.after_hello()
    assert b"<ok/>" in said and b"<tunnel-id>1</tunnel-id>" in said


# Hostile XML

BOMB = ('<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' +
        "".join(f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">' for i in range(9)) + "]>")
CONFIG = "<edit-config><target><running/></target><config>{}</config></edit-config>"
HOSTILE = {
    "billion laughs": BOMB + rpc("<get>&j;</get>"),
    "external entity": '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>' + rpc("<get>&a;</get>"),
    "undefined entity": rpc("<get>&a;</get>"),
    "instruction not closed": rpc("<get><?x </get>"),
    "instruction named xml": rpc("<get><?XML x?></get>"),
    "comment with two hyphens": rpc(f"<get><!-- {'x' * 5000} -- --></get>"),
    "two roots": rpc("<get/>") + rpc("<get/>"),
    "no root": "   junk",
    "cut": rpc("<get/>")[:-3],
    "not closed": f'<rpc xmlns="{BASE}" message-id="1"><get>',
    "prefix not declared": rpc("<x:get/>"),
    "NUL": rpc("<get>\0</get>"),
    "control character": rpc("<get>\x01</get>"),
    "latin-1": '<?xml version="1.0" encoding="ISO-8859-1"?>' + rpc("<get/>"),
    "depth": rpc("<get><filter>" + "<a>" * 100000),
    "different names": rpc("<get><filter>" + "".join(f"<a{i}/>" for i in range(5000))),
    "namespaces around": rpc("<get><filter>" + "".join(
        "<a " + " ".join(f'xmlns:a{i}="u"' for i in range(30)) + ">" for _ in range(5))),
    "attributes": f'<rpc xmlns="{BASE}" ' + " ".join(f'a{i}="1"' for i in range(100000)) + "/>",
    "attributes in config": rpc(CONFIG.format("<l2tpv3 " + " ".join(f'a{i}="1"' for i in range(60)) + "/>")),
    "namespaces": f'<rpc xmlns="{BASE}" ' + " ".join(f'xmlns:a{i}="u{i}"' for i in range(100000)) + "/>",
    "long attribute": f'<rpc xmlns="{BASE}" message-id="{"1" * 100000}"><get/></rpc>',
    "long name": rpc(f"<{'a' * 100000}/>"),
    "long text": rpc(f"<get>{'a' * 100000}</get>"),
    "long text in config": rpc(CONFIG.format(top(f"<tunnel><description>{'a' * 100000}</description></tunnel>"))),
    "tree": rpc("<get><filter>" + "<a/>" * 1000000 + "</filter></get>"),
    "not an rpc": f'<notification xmlns="{BASE}"/>',
    "rpc of another namespace": '<rpc xmlns="urn:example:other" message-id="1"><get/></rpc>',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_message_is_answered_and_ends_the_session(daemon, name):
    before = time.monotonic()
    wire = Wire(daemon, HELLO + END)
    wire.send(chunks(HOSTILE[name], 60000) + chunks(rpc("<get/>", "after")))
    said = re.sub(rb"\n#\d+\n", b"", wire.after_hello()).decode()
    assert re.search("<error-tag>(malformed-message|too-big)</error-tag>", said), said
    assert "after" not in said and "hostname" not in said
    assert time.monotonic() - before < 10


@pytest.mark.parametrize("name", ["billion laughs", "cut", "no root", "latin-1"])
def test_base_1_0_knows_no_malformed_message(daemon, name):
    wire = Wire(daemon, hello(BASE_1_0) + END)
    wire.send(HOSTILE[name].encode() + END)
    assert wire.after_hello() == b""


def test_giant_message_is_refused_and_costs_no_memory(daemon):
    before = resident(daemon)
    wire = Wire(daemon, HELLO + END)
    wire.send(chunks(f'<rpc xmlns="{BASE}" message-id="1"><unknown>')[:-4])
    piece = chunks("<a>some text</a>" * 4000)[:-4]
    for _ in range((70 << 20) // len(piece)):
        wire.send(piece)
    assert b"<error-tag>too-big</error-tag>" in wire.after_hello()
    assert resident(daemon) - before < 20 << 10


def test_too_many_entries_are_refused(daemon):
    wire = Wire(daemon, HELLO + END)
    many = "<tunnel><tunnel-id>1</tunnel-id></tunnel>" * 300000
    wire.send(chunks(rpc(CONFIG.format(top(many))), 60000) + chunks(rpc("<close-session/>", "2")))
    assert b"<error-tag>too-big</error-tag>" in wire.after_hello()


def test_half_a_message_stops_nobody(daemon):
    wires = [Wire(daemon, HELLO + END + chunks(rpc(CONFIG.format(top(tunnel(1)))))[:cut])
             for cut in (1, 4, 50, 200, 300)]
    with Netconf(daemon.socket) as client:
        for i in range(20):
            client.edit_config(top(tunnel(i + 1)))
    for wire in wires:
        wire.close()
    with Netconf(daemon.socket) as client:
        assert client.rpc_text(GET_CONFIG).count("<tunnel>") == 20


# The envelope

def test_attributes_of_the_rpc_come_back(daemon):
    wire = Wire(daemon, HELLO + END + chunks(
        f'<nc:rpc xmlns:nc="{BASE}" xmlns="urn:example:default" xmlns:e="urn:e" nc:message-id="no" '
        'message-id="a&lt;&quot;&amp;>&#10;b" e:other="x" plain="y"><nc:get-config/></nc:rpc>') +
        chunks(f'<nc:rpc xmlns:nc="{BASE}" message-id="2"><nc:close-session/></nc:rpc>'))
    said = re.sub(rb"\n#\d+\n", b"", wire.after_hello()).decode().split("\n##\n")
    assert said[0].startswith(
        f'<nc:rpc-reply xmlns:nc="{BASE}" xmlns="urn:example:default" xmlns:e="urn:e" nc:message-id="no" '
        'message-id="a&lt;&quot;&amp;&gt;&#10;b" e:other="x" plain="y"><nc:rpc-error><nc:error-type>')
    assert said[1] == f'<nc:rpc-reply xmlns:nc="{BASE}" message-id="2"><nc:ok/></nc:rpc-reply>'


def test_declarations_of_the_rpc_come_back_as_they_were(daemon):
    declared = 'xmlns:a="urn:example:a?b&amp;c=&lt;&amp;amp;"'
    wire = Wire(daemon, HELLO + END + chunks(f'<rpc xmlns="{BASE}" {declared} message-id="1"><a:get/></rpc>') +
                chunks(rpc("<close-session/>", "2")))
    said = wire.after_hello().decode()
    assert f'<rpc-reply xmlns="{BASE}" {declared} message-id="1"><rpc-error>' in said
    assert "<bad-namespace>urn:example:a?b&amp;c=&lt;&amp;amp;</bad-namespace>" in said


def test_error_path_in_a_reply_with_the_prefix_of_the_module(daemon):
    edit = CONFIG.format(top("<tunnel><tunnel-id>1</tunnel-id></tunnel>"))
    for name in ("edit-config", "target", "running", "config"):
        edit = re.sub(rf"(</?)({name}[/>])", r"\1l2tp:\2", edit)
    wire = Wire(daemon, HELLO + END + chunks(f'<l2tp:rpc xmlns:l2tp="{BASE}" message-id="1">{edit}</l2tp:rpc>') +
                chunks(rpc("<close-session/>", "2")))
    said = re.sub(rb"\n#\d+\n", b"", wire.after_hello()).decode().partition("\n##\n")[0]
    assert errors_of(ET.fromstring(said))[0]["error-tag"] == "data-missing"
    path = ET.fromstring(said).find(f".//{{{BASE}}}error-path")
    assert path is not None and "[l2tpv3:tunnel-id='1']" in path.text


def test_data_keeps_its_namespace_in_a_prefixed_reply(daemon):
    with Netconf(daemon.socket) as client:
        client.edit_config(top(tunnel(1)))
    wire = Wire(daemon, HELLO + END + chunks(f'<nc:rpc xmlns:nc="{BASE}" message-id="1"><nc:get/></nc:rpc>'))
    said = re.sub(rb"\n#\d+\n", b"", wire.until(b"\n##\n")).decode()
    assert f"<nc:data><l2tpv3 {NS}><tunnel>" in said and said.endswith("</nc:data></nc:rpc-reply>\n##\n")


def test_missing_message_id(client):
    client.send(f'<rpc xmlns="{BASE}"><get/></rpc>')
    reply = client.reply_text()
    for part in ("<error-type>rpc<", "<error-tag>missing-attribute<", "<bad-attribute>message-id<", "<bad-element>rpc<"):
        assert part in reply


REFUSALS = [
    # body, tag, what else must be in the reply
    ("<unknown/>", "operation-not-supported", ""),
    ('<get xmlns="urn:example:other"/>', "unknown-namespace", "<bad-namespace>urn:example:other<"),
    ("<get/><get/>", "bad-element", "<bad-element>get<"),
    ("", "missing-element", ""),
    ("<get><bogus/></get>", "unknown-element", "<bad-element>bogus<"),
    ("<get><filter/><filter/></get>", "bad-element", "<bad-element>filter<"),
    ('<get><filter type="regex" select="/"/></get>', "bad-attribute", "<bad-attribute>type<"),
    ('<get><filter select="/"/></get>', "unknown-attribute", "<bad-attribute>select<"),
    ("<get-config/>", "missing-element", "<bad-element>source<"),
    ("<get-config><source/></get-config>", "missing-element", "<bad-element>running<"),
    ("<get-config><source><startup/></source></get-config>", "operation-not-supported", ""),
    ("<get-config><source><running/><startup/></source></get-config>", "bad-element", "<bad-element>startup<"),
    ("<lock><target><startup/></target></lock>", "operation-not-supported", ""),
    ("<get-config><source><bogus/></source></get-config>", "unknown-element", "<bad-element>bogus<"),
    ("<unlock><target><running/></target></unlock>", "operation-failed", "<error-app-tag>not-locked<"),
    ("<kill-session/>", "missing-element", "<bad-element>session-id<"),
    ("<kill-session><session-id>0</session-id></kill-session>", "invalid-value", ""),
    ("<kill-session><session-id>4000000000</session-id></kill-session>", "invalid-value", ""),
    ("<kill-session><session-id>x</session-id></kill-session>", "invalid-value", ""),
    ("<edit-config><target><running/></target></edit-config>", "missing-element", "<bad-element>config<"),
    ("<edit-config><config/></edit-config>", "missing-element", "<bad-element>target<"),
    (f'<edit-config><target><running/></target><config xmlns:nc="{BASE}" nc:operation="replace"/></edit-config>',
     "unknown-attribute", "<bad-attribute>operation</bad-attribute><bad-element>config<"),
    ("<edit-config><target><running/><running/></target><config/></edit-config>", "bad-element",
     "<bad-element>running<"),
    ("<edit-config><target><running/></target><default-operation>create</default-operation><config/>"
     "</edit-config>", "invalid-value", ""),
    ("<edit-config><target><running/></target><config/><default-operation>none</default-operation>"
     "</edit-config>", "bad-element", "<bad-element>default-operation<"),
    ("<edit-config><target><running/></target><test-option>try</test-option><config/></edit-config>",
     "invalid-value", ""),
    ("<edit-config><target><running/></target><error-option>ignore</error-option><config/></edit-config>",
     "invalid-value", ""),
    (f"<adopt {NS}/>", "missing-element", "<bad-element>tunnel-id<"),
    (f"<adopt {NS}><tunnel-id>0</tunnel-id></adopt>", "invalid-value", ""),
    (f"<adopt {NS}><tunnel-id>1</tunnel-id></adopt>", "data-missing", ""),
    (f"<resync {NS}><now/></resync>", "unknown-element", "<bad-element>now<"),
    ('<unlock><target><running xmlns="urn:other"/></target></unlock>', "unknown-namespace",
     "<bad-element>running</bad-element><bad-namespace>urn:other<"),
    ('<get-config><source><running xmlns=""/></source></get-config>', "unknown-namespace", "<bad-element>running<"),
    (f"<rollback {NS}/>", "missing-element", "<bad-element>number<"),
    (f"<rollback {NS}><number>x</number></rollback>", "invalid-value", ""),
    (f"<rollback {NS}><number>4000000000</number></rollback>", "data-missing", ""),
    (f"<resync {NS}/>", "ok", ""),
]


@pytest.mark.parametrize("body,tag,part", REFUSALS)
def test_refusals(client, body, tag, part):
    reply = client.rpc_text(body)
    if tag == "ok":
        assert "<ok/>" in reply
    else:
        # A fault of the operation is one of the protocol; that something is not there is none of it.
        kind = "application" if tag == "data-missing" else "protocol"
        assert f"<error-type>{kind}</error-type><error-tag>{tag}</error-tag>" in reply and part in reply, reply
        assert "internal-error" not in reply
    client.get_config()  # the session goes on


# Editing

def edit_error(client, config, **kwargs):
    with pytest.raises(RpcError) as raised:
        client.edit_config(config, **kwargs)
    return raised.value


@pytest.mark.parametrize("config,tag,path", [
    (top(tunnel(1, attributes=' nc:operation="create"')), "data-exists", "tunnel[l:tunnel-id='1']"),
    (top(tunnel(2), ' nc:operation="create"'), "data-exists", "l:l2tpv3"),
    (top('<tunnel nc:operation="delete"><tunnel-id>9</tunnel-id></tunnel>'), "data-missing",
     "tunnel[l:tunnel-id='9']"),
    (top("<tunnel><tunnel-id>1</tunnel-id>" + sessions(1, 1, "<mtu>67</mtu>") + "</tunnel>"), "invalid-value",
     "tunnel[l:tunnel-id='1']/l:session[l:session-id='1']/l:mtu"),
    (top("<tunnel><tunnel-id>1</tunnel-id><description nc:operation='delete'/></tunnel>"), "data-missing",
     "tunnel[l:tunnel-id='1']/l:description"),
    (top("<tunnel><tunnel-id>2</tunnel-id></tunnel>"), "data-missing", "tunnel[l:tunnel-id='2']"),
    (top("<tunnel><tunnel-id>1</tunnel-id><bogus/></tunnel>"), "unknown-element", "tunnel[l:tunnel-id='1']"),
    (top("<tunnel><tunnel-id>1</tunnel-id></tunnel><tunnel><tunnel-id>1</tunnel-id></tunnel>"), "bad-element",
     "tunnel[l:tunnel-id='1']"),
    (top("<tunnel><tunnel-id>1</tunnel-id><local-port>5</local-port></tunnel>"), "unknown-element",
     "tunnel[l:tunnel-id='1']/l:local-port"),
    (top("<tunnel><tunnel-id>1</tunnel-id><local-address nc:operation='delete'/></tunnel>"), "data-missing",
     "tunnel[l:tunnel-id='1']"),
    (top(tunnel(3, sessions(1, 1)) + tunnel(4, sessions(1, 1))), "operation-failed", "session-id='1'"),
    ('<l2tpv3 xmlns="urn:example:other"/>', "unknown-namespace", None),
])
def test_refused_edit_changes_nothing_and_says_where(client, config, tag, path):
    client.edit_config(top(tunnel(1)))
    before = client.rpc_text(GET_CONFIG).partition("<data>")[2]
    error = edit_error(client, config)
    assert (error.errors[0]["error-type"], error.tag) == ("application", tag), error
    if path:
        assert path.replace("l:", "l2tp:") in error.path
    assert client.rpc_text(GET_CONFIG).partition("<data>")[2] == before


def test_white_space_around_parameters(daemon):
    """Pretty printers put it there."""
    options = "".join(f"<{name}>\n    {value}\n  </{name}>" for name, value in [
        ("default-operation", "none"), ("test-option", "set"), ("error-option", "rollback-on-error")])
    with Netconf(daemon.socket) as client, Netconf(daemon.socket) as other:
        client.edit_config(top(tunnel(1, attributes=' nc:operation="create"')), options=options)
        client.rpc(f"<kill-session><session-id>\n  {other.session_id}\n</session-id></kill-session>")
        number = re.search(r"<number>(\d+)<", client.rpc_text(f"<history {NS}/>"))[1]
        client.rpc(f"<rollback {NS}><number> {number} </number></rollback>")


def test_the_container_is_created_where_there_is_nothing(client):
    client.edit_config(top(tunnel(1), ' nc:operation="create"'))
    assert "<tunnel>" in client.rpc_text(GET_CONFIG)


def test_edit_is_in_the_very_next_reply(client):
    client.edit_config(top(tunnel(1, sessions(5, 5, "<mtu>1400</mtu>"))))
    assert client.get_config().find(f".//{{{L2TP}}}mtu").text == "1400"
    client.edit_config(top("<tunnel><tunnel-id>1</tunnel-id><session><session-id>5</session-id>"
                           '<mtu nc:operation="delete"/></session></tunnel>'))
    assert client.get_config().find(f".//{{{L2TP}}}mtu") is None


def test_test_only_changes_nothing(client):
    options = "<test-option>test-only</test-option>"
    client.edit_config(top(tunnel(1)), options=options)
    assert "<tunnel>" not in client.rpc_text(GET_CONFIG)
    assert edit_error(client, top("<tunnel><tunnel-id>1</tunnel-id></tunnel>"), options=options).tag == "data-missing"


def test_default_operation_replace(client):
    client.edit_config(top(tunnel(1) + tunnel(2)))
    client.edit_config(top(tunnel(2) + tunnel(3)), options="<default-operation>replace</default-operation>")
    ids = [e.text for e in client.get_config().iter(f"{{{L2TP}}}tunnel-id")]
    assert ids == ["2", "3"]
    client.edit_config("", options="<default-operation>replace</default-operation>")
    assert "<l2tpv3" not in client.rpc_text(GET_CONFIG)


def test_state_of_what_was_configured(client):
    client.edit_config(top(tunnel(1, sessions(1, 2))))
    found = client.get(subtree(top("<tunnel><session><oper-status/><if-index/><statistics/></session></tunnel>")))
    for session in found.iter(f"{{{L2TP}}}session"):
        assert session.find(f"{{{L2TP}}}oper-status").text == "up"
        assert int(session.find(f"{{{L2TP}}}if-index").text) > 0
        assert len(session.find(f"{{{L2TP}}}statistics")) == 11


SAMPLES = sorted(path for path in (oracle.CHECKOUT / "tests/data/yang").glob("*.xml")
                 if not re.search("valid-(state|notif|rpc)", path.name))
STRICTER = {
    "valid-highest.xml": "the name of its 802.1Q link would be longer than a name may be",
}


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_what_yanglint_accepts_and_refuses(client, path):
    """The samples that prove the module are accepted and refused here as they are there."""
    config = re.sub(r"<!--.*?-->|<\?xml.*?\?>", "", path.read_text(), flags=re.S)
    reply = client.rpc_text(f"<edit-config><target><running/></target><test-option>test-only</test-option>"
                            f"<config>{config}</config></edit-config>")
    accepted = path.name.startswith("valid") and path.name not in STRICTER
    assert ("<ok/>" in reply) == accepted, reply


# Locks and sessions

def test_lock(daemon):
    with Netconf(daemon.socket) as one, Netconf(daemon.socket) as two:
        one.lock()
        with pytest.raises(RpcError) as raised:
            two.lock()
        holder = re.search(r"<session-id>(\d+)<", two.rpc_text("<lock><target><running/></target></lock>"))[1]
        assert raised.value.tag == "lock-denied"
        assert edit_error(two, top(tunnel(1))).tag == "in-use"
        one.edit_config(top(tunnel(1)))
        with pytest.raises(RpcError) as raised:
            two.unlock()
        assert raised.value.app_tag == "not-locked" and f"session {holder} holds the lock" in raised.value.message
        two.rpc(f"<kill-session><session-id>{holder}</session-id></kill-session>")
        two.lock()
        with pytest.raises(ConnectionError):
            one.rpc("<get/>")
    with Netconf(daemon.socket) as three:
        three.lock()
        three.unlock()
        three.lock()
        three.socket.close()
        with Netconf(daemon.socket) as four:
            wait_for(lambda: "<ok/>" in four.rpc_text("<lock><target><running/></target></lock>"), "the lock")


def test_close_session_answers_then_closes(daemon):
    wire = Wire(daemon, HELLO + END + chunks(rpc("<close-session/>")) + chunks(rpc("<get/>", "after")))
    said = wire.after_hello()
    assert said.count(b"<ok/>") == 1 and b"after" not in said


def test_kill_own_session_is_refused(client):
    with pytest.raises(RpcError) as raised:
        client.rpc(f"<kill-session><session-id>{client.session_id}</session-id></kill-session>")
    assert raised.value.tag == "invalid-value"


@pytest.mark.parametrize("how", ["kill-session", "close", "close by halves"])
def test_a_push_whose_session_ends_is_aborted(daemon, how):
    """RFC 6241 section 7.9; its record is not durable yet when most of it is still to be read."""
    def connected(number):
        sessions = subtree(f'<netconf-state xmlns="{MONITORING}"><sessions/></netconf-state>')
        state = other.rpc_text(f"<get>{sessions}</get>")
        return f"<session-id>{number}</session-id>" in state

    with Netconf(daemon.socket) as client, Netconf(daemon.socket) as other:
        assert connected(client.session_id)
        before = other.rpc_text(f"<history {NS}/>").count("<commit ")
        client.send(rpc(CONFIG.format(top(tunnel(1, sessions(1, 20000))))))
        if how == "kill-session":
            other.rpc(f"<kill-session><session-id>{client.session_id}</session-id></kill-session>")
        elif how == "close by halves":
            client.socket.shutdown(socket.SHUT_WR)
        client.close()
        wait_for(lambda: not connected(client.session_id), "its session to be gone")
        other.lock()  # granted when all that was asked for before is done
        assert "<tunnel>" not in other.rpc_text(GET_CONFIG)
        assert other.rpc_text(f"<history {NS}/>").count("<commit ") == before


# Output

def test_slow_reader_costs_little_and_delays_nobody(daemon):
    with Netconf(daemon.socket) as client:
        client.seconds = 120
        client.edit_config(top(tunnel(1, sessions(1, 5000, "<description>some words to fill it</description>"))))
        size = len(client.rpc_text("<get/>"))
    assert size > 3000000
    before = resident(daemon)
    wire = Wire(daemon, HELLO + END + b"".join(chunks(rpc("<get/>", str(i))) for i in range(10)) +
                chunks(rpc("<close-session/>", "c")))
    with Netconf(daemon.socket) as client:
        began = time.monotonic()
        for i in range(50):
            client.get_config(filter=subtree(top("<tunnel><tunnel-id>1</tunnel-id><description/></tunnel>")))
        assert time.monotonic() - began < 10
    assert resident(daemon) - before < 4 << 10
    replies = re.sub(rb"\n#\d+\n", b"", wire.after_hello()).split(b"\n##\n")
    assert [len(reply) > 3000000 for reply in replies[:10]] == [True] * 10
    assert replies[10:] == [f'<rpc-reply xmlns="{BASE}" message-id="c"><ok/></rpc-reply>'.encode(), b""]


def test_client_that_asks_on_and_does_not_read_is_not_read_either(daemon):
    """Small replies are not piled up; all come once it reads."""
    wire = Wire(daemon, HELLO + END)
    wire.socket.settimeout(2)
    request = chunks(rpc("<unknown/>", "1" * 7000))
    sent = 0
    with pytest.raises(TimeoutError):
        while sent < 64 << 20:
            sent += wire.socket.send(request[sent % len(request):])
    with Netconf(daemon.socket) as client:
        client.get_config()
    wire.socket.settimeout(60)
    rest = request[sent % len(request):] + chunks(rpc("<close-session/>", "c"))
    sender = threading.Thread(target=wire.send, args=(rest,))
    sender.start()
    said = wire.after_hello()
    sender.join()
    assert said.count(b"operation-not-supported") == sent // len(request) + 1
    assert b'message-id="c"><ok/>' in said


def test_get_config_shows_one_moment(daemon):
    """Commits while a slow client reads do not show in what it reads."""
    with Netconf(daemon.socket) as client:
        client.seconds = 120
        client.edit_config(top("".join(tunnel(t, sessions(1000 * t, 1000 * t + 799, "<mtu>1400</mtu>"))
                                       for t in range(1, 6))))
        expected = client.rpc_text(GET_CONFIG).partition("<data>")[2]
        wire = Wire(daemon, HELLO + END)
        wire.until(END)
        wire.send(chunks(rpc(GET_CONFIG)) + chunks(rpc("<close-session/>")))
        said = wire.socket.recv(1000)
        for t in (5, 4, 1):
            client.edit_config(top(f"<tunnel><tunnel-id>{t}</tunnel-id><session><session-id>{1000 * t}</session-id>"
                                   f"<mtu>1300</mtu></session></tunnel>"))
        client.edit_config(top('<tunnel nc:operation="delete"><tunnel-id>3</tunnel-id></tunnel>' +
                               tunnel(9, sessions(9000, 9010))))
        said = re.sub(rb"\n#\d+\n", b"", said + wire.everything()).decode()
    assert said.partition("<data>")[2].startswith(expected)


def test_client_that_dies_in_the_middle_of_a_reply(daemon):
    with Netconf(daemon.socket) as client:
        client.seconds = 120
        client.edit_config(top(tunnel(1, sessions(1, 2000))))
    for read in (0, 1, 100000):
        wire = Wire(daemon, HELLO + END + chunks(rpc("<get/>")) * 3)
        if read:
            wire.socket.recv(read)
        wire.close()


def ticks(pid):
    """Hundredths of a second that it has worked."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def test_idle_sessions_cost_no_time(daemon):
    wires = [Wire(daemon, HELLO + END) for _ in range(10)]
    for wire in wires:
        wire.until(END)
    time.sleep(1)
    before = ticks(daemon.pid)
    time.sleep(2)
    assert ticks(daemon.pid) - before <= 2  # of 200


def test_relay_waits_for_a_slow_reader_when_the_daemon_has_closed(tmp_path):
    sent = 0
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "sock"))
        listener.listen()
        relay = subprocess.Popen([RELAY, "-S", tmp_path / "sock"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        served = listener.accept()[0]
    served.settimeout(1)
    with pytest.raises(TimeoutError):
        while True:
            sent += served.send(b"some text " * 1000)
    served.close()
    before = ticks(relay.pid)
    time.sleep(2)
    assert ticks(relay.pid) - before < 40  # of 200
    assert len(relay.stdout.read()) == sent > 100000
    relay.stdin.close()
    assert relay.wait(60) == 0


# The socket

def test_socket_is_for_owner_and_group(daemon):
    assert stat.S_IMODE(os.stat(daemon.socket).st_mode) == 0o660


def test_socket_of_a_killed_daemon_is_taken_over_and_of_a_living_one_not(tmp_path):
    daemon = L2tpv3d(Here(), tmp_path, kernel="sim").start()
    try:
        daemon.kill()
        assert daemon.socket.exists()
        daemon.start()
        second = L2tpv3d(Here(), tmp_path / "second", kernel="sim")
        second.socket = daemon.socket
        second.argv[second.argv.index("-S") + 1] = daemon.socket
        with pytest.raises(AssertionError, match="already serves "):
            second.start()
        with Netconf(daemon.socket) as client:
            client.get_config()
    finally:
        daemon.stop()
    assert not daemon.socket.exists()


def as_nobody(function):
    """Run it in a child without privileges; returns its text."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.setgid(65534)
            os.setuid(65534)
            os.write(writer, function().encode())
        except BaseException as error:  # noqa: B902
            os.write(writer, f"failed: {error}".encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    return text


COOKIES = "<tx-cookie>0011aabb</tx-cookie><rx-cookie>0123456789abcdef</rx-cookie>"


@pytest.fixture
def open_to_all(daemon):
    """The daemon, which has a session with cookies, with a socket that everybody may use."""
    if os.getuid() != 0:
        pytest.skip("needs root, to be somebody else")
    with Netconf(daemon.socket) as client:
        client.edit_config(top(tunnel(1, sessions(1, 1, COOKIES))))
    os.chmod(daemon.socket.parent, 0o755)
    for parent in daemon.socket.parents:
        if parent.stat().st_uid == os.getuid() and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o055)
    os.chmod(daemon.socket, 0o666)
    yield daemon
    os.chmod(daemon.socket, 0o660)


def test_relay_of_who_is_not_in_the_group_says_what_to_ask_for(open_to_all):
    relay = shutil.copy(RELAY, open_to_all.socket.parent)
    os.chmod(open_to_all.socket, 0o660)
    done = subprocess.run([relay, "-S", open_to_all.socket], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          user=65534, group=65534, extra_groups=[])
    assert (done.returncode, done.stdout) == (1, "")
    assert "Permission denied; ask for membership in the group of that socket" in done.stderr


def test_cookies_are_for_the_superuser(open_to_all):
    daemon = open_to_all
    with Netconf(daemon.socket) as client:
        assert "0011aabb" in client.rpc_text("<get/>") and "0011aabb" in client.rpc_text(GET_CONFIG)

    def try_all():
        with Netconf(daemon.socket) as client:
            said = client.rpc_text("<get/>") + client.rpc_text(GET_CONFIG)
            said += client.rpc_text("<get>" + subtree(top(
                "<tunnel><session><tx-cookie>0011aabb</tx-cookie></session></tunnel>")) + "</get>")
            said += client.rpc_text(CONFIG.format(top(
                "<tunnel><tunnel-id>1</tunnel-id><session><session-id>1</session-id><tx-cookie>ffffffff</tx-cookie>"
                "</session></tunnel>")))
            return said
    said = as_nobody(try_all)
    assert "<session-id>1</session-id>" in said
    assert "0011aabb" not in said and "cookie>" not in said
    assert said.count("<data></data>") == 1  # the filter compares nothing it may not show
    assert "<error-tag>access-denied</error-tag>" in said
    with Netconf(daemon.socket) as client:
        assert "0011aabb" in client.rpc_text(GET_CONFIG)


def config_text(client, number=1):
    """What there is in the tunnel with that number."""
    found = client.rpc_text(GET_CONFIG)
    return re.search(rf"<tunnel><tunnel-id>{number}</tunnel-id>.*?</tunnel>", found)[0]


@pytest.mark.parametrize("place", ["default-operation", "container", "tunnel", "session"])
def test_replacing_keeps_cookies_that_were_not_shown(open_to_all, place):
    """Get, change, replace, by somebody who is not shown them."""
    options = "<default-operation>replace</default-operation>" if place == "default-operation" else ""
    replace = ' nc:operation="replace"'

    def edit():
        with Netconf(open_to_all.socket) as client:
            shown = config_text(client).replace("</session>", "<mtu>1300</mtu></session>")
            if place in ("tunnel", "session"):
                shown = shown.replace(f"<{place}>", f"<{place}{replace}>")
            client.edit_config(top(shown, replace if place == "container" else ""), options=options)
            return shown
    said = as_nobody(edit)
    assert "cookie" not in said and "failed" not in said
    with Netconf(open_to_all.socket) as client:
        shown = config_text(client)
        assert COOKIES in shown and "<mtu>1300</mtu>" in shown
        client.edit_config(top(said), options="<default-operation>replace</default-operation>")
        assert "cookie" not in config_text(client)  # whoever sees them means it


def test_rollback_does_not_touch_cookies_of_who_does_not_see_them(open_to_all):
    def last_commit(client):
        return int(re.search(r"<number>(\d+)<", client.rpc_text(f"<history {NS}/>"))[1])

    def rollback(number):
        def run():
            with Netconf(open_to_all.socket) as client:
                return client.rpc_text(f"<rollback {NS}><number>{number}</number></rollback>")
        return run
    with Netconf(open_to_all.socket) as client:
        first = last_commit(client)
        client.edit_config(top("<tunnel><tunnel-id>1</tunnel-id>" + sessions(1, 1, "<mtu>1300</mtu>") + "</tunnel>"))
        assert "<ok/>" in as_nobody(rollback(first))
        assert "mtu" not in config_text(client) and COOKIES in config_text(client)
        client.edit_config(top('<tunnel nc:operation="delete"><tunnel-id>1</tunnel-id></tunnel>'))
        assert "<ok/>" in as_nobody(rollback(first))
        assert COOKIES in config_text(client)
        client.edit_config(top("<tunnel><tunnel-id>1</tunnel-id>" +
                               sessions(1, 1, "<tx-cookie>ffffffff</tx-cookie>") + "</tunnel>"))
        said = as_nobody(rollback(first))
        assert "<error-tag>access-denied</error-tag>" in said and "ffffffff" not in said
        assert "ffffffff" in config_text(client)
        assert "<ok/>" in client.rpc_text(f"<rollback {NS}><number>{first}</number></rollback>")
        assert COOKIES in config_text(client)


def test_commits_are_told_without_cookies(open_to_all):
    with Netconf(open_to_all.socket) as client:
        said = client.rpc_text(f"<history {NS}/>")
        number = re.search(r"<number>(\d+)<", said)[1]
        said += client.rpc_text(f"<commit-changes {NS}><number>{number}</number></commit-changes>")
    assert "tx-cookie (hidden)" in said and "0011aabb" not in said and "0123456789abcdef" not in said


def test_many_clients_at_once(daemon):
    """Thirty clients edit and read their own tunnel; everyone finds its own."""
    failures = []

    def work(number):
        try:
            with Netconf(daemon.socket) as client:
                for i in range(10):
                    client.edit_config(top(tunnel(number, sessions(number * 100 + i, number * 100 + i))))
                found = client.get_config(filter=subtree(top(f"<tunnel><tunnel-id>{number}</tunnel-id></tunnel>")))
                assert len(list(found.iter(f"{{{L2TP}}}session"))) == 10
        except Exception as error:  # noqa: B902
            failures.append(error)
    threads = [threading.Thread(target=work, args=(n,)) for n in range(1, 31)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_an_operation_without_output_is_answered_with_an_ok_of_the_clients_prefix(tmp_path):
    """RFC 7950 section 7.14.4: there is nothing to show, such as a history without commits."""
    daemon = L2tpv3d(Here(), tmp_path, kernel="sim").start()
    wire = Wire(daemon, HELLO + END + chunks(f'<nc:rpc xmlns:nc="{BASE}" message-id="1"><history {NS}/></nc:rpc>') +
                chunks(f'<nc:rpc xmlns:nc="{BASE}" message-id="2"><nc:close-session/></nc:rpc>'))
    assert b'message-id="1"><nc:ok/></nc:rpc-reply>' in wire.after_hello()
    daemon.stop()
