"""What XML is taken, and what it costs, on the simulated kernel. RFC 6241 section 3: well-formed, UTF-8, no DOCTYPE."""
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import oracle  # noqa: E402
from lib.built import need_built  # noqa: E402
from lib.daemons import L2TPV3CTL, L2TPV3D, L2tpv3d  # noqa: E402
from lib.here import Here  # noqa: E402
from lib.netconf import BASE, L2TP, Netconf  # noqa: E402

NS = f'xmlns="{L2TP}" xmlns:nc="{BASE}"'
GET_CONFIG = "<get-config><source><running/></source></get-config>"
EDIT = "<edit-config><target><running/></target>{}<config>{}</config></edit-config>"
TUNNEL = ("<tunnel><tunnel-id>1</tunnel-id><peer-tunnel-id>1</peer-tunnel-id><encapsulation>ip</encapsulation>"
          "<local-address>192.0.2.1</local-address><remote-address>192.0.2.2</remote-address>{}</tunnel>")
MB = 1 << 20


def rpc(body):
    return f'<rpc xmlns="{BASE}" message-id="1">{body}</rpc>'


def top(inner=""):
    return f"<l2tpv3 {NS}>{inner}</l2tpv3>"


def session(inner="", attributes=""):
    return (f"<session{attributes}><session-id>2</session-id><peer-session-id>2</peer-session-id>{inner}"
            "</session>")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    need_built(L2TPV3D, L2TPV3CTL)
    daemon = L2tpv3d(Here(), tmp_path_factory.mktemp("xml"), kernel="sim").start()
    yield daemon
    daemon.stop()


@pytest.fixture
def daemon(server):
    """With one tunnel and one session, alive before and after."""
    with Netconf(server.socket) as client:
        client.edit_config(f'<l2tpv3 {NS} nc:operation="replace">{TUNNEL.format(session())}</l2tpv3>')
    yield server
    assert server.running, server.log()


@pytest.fixture
def sanitized(server):
    """Under a sanitizer memory is kept and time is another."""
    return "asan" in Path(f"/proc/{server.pid}/maps").read_text()


def error_of(reply):
    """(error-tag, bad-element or bad-attribute) of it."""
    tag = re.search("<error-tag>([^<]*)", reply)
    bad = re.search("<bad-(?:attribute|element)>([^<]*)", reply)
    return tag and tag[1], bad and bad[1]


# What is taken

WELL_FORMED = {
    "byte order mark": "\ufeff" + rpc(GET_CONFIG),
    "lines before": "\n\n <?xml version='1.0'?>" + rpc(GET_CONFIG),
    "us-ascii": "<?xml version='1.0' encoding='us-ascii'?>" + rpc(GET_CONFIG),
    "ASCII, with UTF-8 inside": "<?xml version='1.0' encoding='ASCII'?>" + rpc(GET_CONFIG + "<!-- ü -->"),
    "utf8": "<?xml version='1.0' encoding='utf8'?>" + rpc(GET_CONFIG),
    "instruction first": "<?xml-stylesheet href='a.xsl'?>" + rpc(GET_CONFIG),
    "instruction inside": rpc("<?editor here?>" + GET_CONFIG),
    "instruction in a parameter": rpc(GET_CONFIG.replace("<running/>", "<?x?><running><?y?></running><?z?>")),
    "instruction last": rpc(GET_CONFIG) + "<?x?>",
    "comment of 20 MB": rpc("<!--" + "- words > " * (2 * MB) + "-->" + GET_CONFIG),
    "instruction of 20 MB": rpc("<?x " + "? words > " * (2 * MB) + "?>" + GET_CONFIG),
    "white space of 20 MB": rpc(" \n" * (10 * MB) + GET_CONFIG),
    "white space of 20 MB before": " \n" * (10 * MB) + rpc(GET_CONFIG),
}


@pytest.mark.parametrize("base", ["1.0", "1.1"])
@pytest.mark.parametrize("name", WELL_FORMED)
def test_well_formed_message_is_answered_and_the_session_goes_on(daemon, name, base):
    with Netconf(daemon.socket, base=base) as client:
        for message in (WELL_FORMED[name], rpc(GET_CONFIG)):
            client.send(message)
            assert "<session-id>2</session-id>" in client.receive()


@pytest.mark.parametrize("base", ["1.0", "1.1"])
def test_well_formed_hello_is_taken(daemon, base):
    class Client(Netconf):
        def send(self, text):
            super().send(("<?xml version='1.0' encoding='us-ascii'?><?x?>" + text) if "<hello" in text else text)
    with Client(daemon.socket, base=base) as client:
        assert "<data>" in client.rpc_text(GET_CONFIG)


def test_instructions_comments_and_blanks_in_an_edit(daemon):
    leaves = ("<?x?><mtu><?y?>\n" + " " * 70000 + "14<!-- " + "c" * 70000 + " -->00\t<?z?></mtu><!-- c -->"
              "<description><![CDATA[" + "d" * 30 + "]]><?x?>e</description>")
    with Netconf(daemon.socket) as client:
        client.edit_config(top(TUNNEL.format(session(leaves))))
        shown = client.rpc_text(GET_CONFIG)
    assert "<mtu>1400</mtu>" in shown and "<description>" + "d" * 30 + "e</description>" in shown


# Files

X = f'<l2tpv3 xmlns="{L2TP}">' + TUNNEL.format(session("<mtu>1400</mtu>")) + "</l2tpv3>"
DATA = f'<data xmlns="{BASE}">{X}</data>'
FILES = {
    "plain": X,
    "byte order mark": "\ufeff" + X,
    "us-ascii": "<?xml version='1.0' encoding='us-ascii'?>\n" + X,
    "ASCII": "<?xml version='1.0' encoding='ASCII'?>\n" + X,
    "utf8": "<?xml version='1.0' encoding='utf8'?>\n" + X,
    "lines before": "\n\n<?xml version='1.0'?>" + X,
    "comment of 70 kB": X.replace("<session>", "<!--" + "- c" * 25000 + " --><session>"),
    "stylesheet": '<?xml version="1.0"?>\n<?xml-stylesheet type="text/xsl" href="v.xsl"?>\n' + X,
    "instruction inside": X.replace("<session>", "<?editor here?><session>"),
    "instruction last": X + "\n<?editor end?>\n",
    "70 kB of white space": X.replace("<session>", "\n" + " " * 70000 + "<session>"),
    "blanks around values": re.sub("<(tunnel-id|mtu|encapsulation|local-address)>", r"<\1>\n\t ", X).replace("</", " </"),
    "config": f'<config xmlns="{BASE}">{X}</config>',
    "data": DATA,
    "rpc-reply": f'<rpc-reply xmlns="{BASE}" message-id="1">{DATA}</rpc-reply>',
    "rpc-reply with a prefix": f'<n:rpc-reply xmlns:n="{BASE}">{DATA.replace("data", "n:data")}</n:rpc-reply>',
    "prefixes from around": f'<data xmlns:l="{L2TP}" xmlns:n="{BASE}">' + re.sub(r"<(/?)(\w)", r"<\1l:\2", X) + "</data>",
}
NO_FILES = {
    "DOCTYPE": "<!DOCTYPE l2tpv3>" + X,
    "latin-1": "<?xml version='1.0' encoding='latin1'?>" + X,
    "two wrappers too many": f"<data><data><data>{X}</data></data></data>",
    "text around": f"<data>text{X}</data>",
    "text inside": X.replace("<session>", "text<session>"),
    "cut": X[:-3],
    "blanks around a name": X.replace("<mtu>", "<interface-name> a </interface-name><mtu>"),
    "unknown element": X.replace("<mtu>", "<foo/><mtu>"),
    "state": X.replace("<mtu>", "<oper-status>up</oper-status><mtu>"),
    "another container": X.replace("l2tpv3 ", "foo ").replace("/l2tpv3", "/foo"),
    "no XML": "text",
    "nothing": "",
}


@pytest.mark.parametrize("name", [*FILES, *NO_FILES])
def test_push_check_and_start_take_the_same_files(daemon, tmp_path, name):
    path = tmp_path / "file.xml"
    path.write_text({**FILES, **NO_FILES}[name])

    def takes(*command):
        done = subprocess.run([*command], capture_output=True, text=True)
        assert "l2tpv3ctl: " in done.stderr or "l2tpv3d: " in done.stderr or not done.returncode, done
        return done.returncode == 0

    other = L2tpv3d(Here(), tmp_path / "other", kernel="sim")
    shutil.copy(path, other.state / "config.xml")
    try:
        other.start()
        with Netconf(other.socket) as client:
            starts = "<session-id>2</session-id>" in client.rpc_text(GET_CONFIG)
    except AssertionError:
        starts = False
    finally:
        other.stop()
    assert [takes(L2TPV3CTL, "-S", daemon.socket, "push", path, "--replace", "--check"),
            takes(L2TPV3D, "--check", path), starts] == [name in FILES] * 3


def test_what_a_client_saved_can_be_pushed(daemon, tmp_path):
    path = tmp_path / "saved.xml"
    with Netconf(daemon.socket) as client:
        path.write_text(client.rpc_text(GET_CONFIG))
        subprocess.run([L2TPV3CTL, "-S", daemon.socket, "push", path, "--replace"], check=True)
        assert path.read_text().partition("<data>")[2] == client.rpc_text(GET_CONFIG).partition("<data>")[2]


def test_blanks_are_part_of_a_text_and_of_nothing_else_at_every_door(daemon):
    values = {"mtu": " 1400\n", "enabled": "\tfalse ", "pseudowire-type": "\n ethernet ",
              "mac-address": " 02:00:00:00:00:01 ", "tx-cookie": " 0011aabb\n"}
    wanted = {**{name: value.strip() for name, value in values.items()}, "description": " two  words "}
    values["description"] = wanted["description"]

    def shown(client):
        reply = client.rpc_text(GET_CONFIG)
        return {name: (re.search(f"<{name}>([^<]*)", reply.partition("<session>")[2]) or [0, None])[1] for name in wanted}

    with Netconf(daemon.socket) as client:
        client.edit_config(top(TUNNEL.format(session("".join(f"<{n}>{v}</{n}>" for n, v in values.items())))))
        assert shown(client) == wanted
        client.edit_config(top(TUNNEL.format(session("", ' nc:operation="replace"'))))
        subprocess.run([L2TPV3CTL, "-S", daemon.socket, "set", "session", "tid", " 1", "sid", "2 ",
                        *(word for name, value in values.items() for word in (name.replace("-", "_"), value))], check=True)
        assert shown(client) == wanted
        for text in ("two  words", " two  words", "\ntwo  words\t "):
            assert "<session-id>2" in client.rpc_text(
                f'<get><filter>{top(f"<tunnel><session><description>{text}</description></session></tunnel>")}</filter></get>')


NONCHARACTERS = {"\ufdcf": True, "\ufdd0": True, "\ufdef": True, "\ufffd": True, "\ufffe": False, "\uffff": False,
                 "\U0001fffe": True, "\U0010ffff": True, "\x85": False, "\ud7ff": True, "\ue000": True}


@pytest.mark.parametrize("char", NONCHARACTERS)
def test_noncharacters_are_taken_as_libyang_takes_them(daemon, tmp_path, char):
    document = f'<l2tpv3 xmlns="{L2TP}">' + TUNNEL.format(session(f"<description>{char}</description>")) + "</l2tpv3>"
    if not oracle.missing():
        path = tmp_path / "data.xml"
        path.write_text(document)
        done = subprocess.run(["yanglint", "-p", oracle.IETF, "-t", "config", oracle.BASE_MODULE, oracle.MODULE, path],
                              capture_output=True)
        assert (done.returncode == 0 and not done.stderr) == NONCHARACTERS[char]
    with Netconf(daemon.socket) as client:
        assert ("<ok/>" in client.rpc_text(EDIT.format("", document))) == NONCHARACTERS[char]
        if NONCHARACTERS[char]:
            assert f"<description>{char}</description>" in client.rpc_text(GET_CONFIG)


# What is answered with an error, and goes on

REFUSED = {
    "unknown operation": ("<no-such-operation>", "operation-not-supported", None),
    "operation of another namespace": ('<get xmlns="urn:x">', "unknown-namespace", "get"),
    "second operation": ("<get/><get>", "bad-element", "get"),
    "text in get": ("<get>text<a/>", "bad-element", "get"),
    "text in the rpc": ("text<a/>", "bad-element", "rpc"),
    "attribute of get": ('<get foo="1">', "unknown-attribute", "foo"),
    "attribute of get with a prefix": (f'<get xmlns:n="{BASE}" n:operation="merge">', "unknown-attribute", "operation"),
    "unknown parameter": ("<get><foo>", "unknown-element", "foo"),
    "parameter twice": ("<get><filter/><filter>", "bad-element", "filter"),
    "filter of another type": ('<get><filter type="regex">', "bad-attribute", "type"),
    "attribute of a parameter": ('<lock><target a="1">', "unknown-attribute", "a"),
    "attribute inside a parameter": ('<lock><target><running a="1">', "unknown-attribute", "a"),
    "text beside elements": ("<lock><target>x<running>", "bad-element", "target"),
    "text behind elements": ("<lock><target><running/>x<a/>", "bad-element", "target"),
    "target": (EDIT.partition("{")[0].replace("running", "startup") + "<config>", "operation-not-supported", None),
    "error-option": (EDIT.partition("<config>")[0].format("<error-option>x</error-option>") + "<config>",
                     "invalid-value", None),
    "element in config": (EDIT.partition("{")[0] + '<config><x xmlns="urn:x">', "unknown-namespace", "x"),
    "leaf in config": (EDIT.partition("{")[0] + f"<config><l2tpv3 {NS}>" + TUNNEL.partition("{")[0] + "<foo>",
                       "unknown-element", "foo"),
}
RESTS = {
    "no XML": "<<<&&& </a></b><!DOCTYPE \x01",
    "elements without end": "<a>" * 100000,
    "different names": "".join(f"<e{i:x}/>" for i in range(100000)),
}


@pytest.mark.parametrize("base", ["1.0", "1.1"])
@pytest.mark.parametrize("name", REFUSED)
def test_rest_of_a_refused_request_is_passed_over(daemon, name, base):
    start, *expected = REFUSED[name]
    with Netconf(daemon.socket, base=base) as client:
        for rest in RESTS.values():
            client.send(f'<rpc xmlns="{BASE}" message-id="1">{start}{rest}')
            assert list(error_of(client.receive())) == expected
            client.send(rpc(GET_CONFIG))
            assert "<data>" in client.receive()


def test_text_in_running_is_refused(daemon):
    with Netconf(daemon.socket) as client:
        for inner in ("<running>x</running>", "<running><x/></running>"):
            assert error_of(client.rpc_text(f"<lock><target>{inner}</target></lock>")) == ("bad-element", "running")


def test_rpc_may_have_any_attribute(daemon):
    with Netconf(daemon.socket) as client:
        client.send(f'<rpc xmlns="{BASE}" message-id="1" a="b" xmlns:x="urn:x" x:c="d"><get/></rpc>')
        assert 'x:c="d"' in client.receive().partition(">")[0]


@pytest.mark.parametrize("bad, tag", [
    ("<bogus/>", "unknown-element"), ('<foo xmlns="urn:x"/>', "unknown-namespace"), ("text", "bad-element"),
    ("<mtu>abc</mtu>", "invalid-value"), ("<oper-status>up</oper-status>", "unknown-element"),
])
@pytest.mark.parametrize("where", ["session", "tunnel", "top"])
def test_what_is_deleted_is_looked_at_as_anywhere(daemon, where, bad, tag):
    operation = ' nc:operation="delete"'
    edit = top(TUNNEL.format(session(bad, operation if where == "session" else "")))
    if where != "session":
        edit = edit.replace("<tunnel>" if where == "tunnel" else NS, {"tunnel": f"<tunnel{operation}>", "top": NS + operation}[where])
    with Netconf(daemon.socket) as client:
        assert error_of(client.rpc_text(EDIT.format("", edit)))[0] == tag
        assert "<session-id>2</session-id>" in client.rpc_text(GET_CONFIG)


# What it costs

def cpu(daemon):
    """Milliseconds on a processor since it began."""
    return int(Path(f"/proc/{daemon.pid}/schedstat").read_text().split()[0]) / 1e6


def cost(daemon, head, make, size=8 * MB):
    """Milliseconds of CPU for a message of one chunk that goes on with make(i) and is never finished."""
    text = bytearray()
    for i in range(1 << 30):
        if len(text) >= size:
            break
        text += make(i)
    with Netconf(daemon.socket, seconds=5) as client:
        before = cpu(daemon)
        try:
            client.send_raw(b"\n#60000000\n" + head.encode() + text)
        except OSError:
            pass  # refused before its end
        while True:
            busy = cpu(daemon)
            time.sleep(0.1)
            if cpu(daemon) - busy < 1:
                return busy - before


OPEN = rpc("").replace("</rpc>", "")
HEADS = {"an operation that is not known": "<no-such-operation>", "get": "<get><x>", "a filter": "<get><filter>",
         "an edit": EDIT.partition("{")[0] + f"<config><l2tpv3 {NS}>" + TUNNEL.partition("{")[0],
         "what is refused in an edit": EDIT.partition("{")[0] + f"<config><l2tpv3 {NS}><tunnel><foo/>"}
SHAPES = {
    "names": lambda i: b"<e%x/>" % i,
    "prefixes": lambda i: b'<a xmlns:p%x="u%x"/>' % (i, i),
    "attributes": lambda i: b'<a b%x=""/>' % i,
    "instructions": lambda i: b"<?a%x?>" % i,
    "instructions for a catalog": lambda i: b"<?oasis-xml-catalog catalog='x'?>",
    "CDATA": lambda i: b"<![CDATA[]]>",
    "comments": lambda i: b"<!---->",
}


@pytest.mark.parametrize("head", HEADS)
def test_no_shape_of_a_message_costs_more_than_plain_elements(daemon, sanitized, head):
    plain = max(cost(daemon, OPEN + "<get><filter>", lambda i: b"<a>x</a>", MB) * 8, 40)
    for name, make in SHAPES.items():
        took = cost(daemon, OPEN + HEADS[head], make)
        assert took < 4 * plain, f"{name}: {took:.0f} ms, plain elements {plain:.0f}"


def resident(daemon):
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{daemon.pid}/status").read_text())[1]) >> 10


@pytest.mark.parametrize("head", HEADS)
def test_unfinished_requests_hold_little_and_leave_nothing(daemon, sanitized, head):
    if sanitized:
        pytest.skip("a sanitizer keeps what was freed")
    before = resident(daemon)
    clients = [Netconf(daemon.socket, seconds=5) for _ in range(30)]
    number = 0
    for client in clients:
        block = b"".join(b"<e%0*d/>" % (200, number + i) for i in range(3 * MB // 200))
        number += 3 * MB // 200
        try:
            client.send_raw(b"\n#60000000\n" + (OPEN + HEADS[head]).encode() + block)
        except OSError:
            pass
    assert resident(daemon) - before < 64
    for client in clients:
        client.close()
    deadline = time.monotonic() + 10
    while resident(daemon) - before > 8 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert resident(daemon) - before <= 8


def test_large_edits_leave_nothing(daemon, sanitized):
    """Nor do those that are taken, of which all was read."""
    if sanitized:
        pytest.skip("a sanitizer keeps what was freed")
    sessions = "".join(f"<session><session-id>{i}</session-id></session>" for i in range(1, 150000))
    edit = EDIT.format("", top("<tunnel><tunnel-id>9</tunnel-id>" + sessions + "<foo/></tunnel>"))
    with Netconf(daemon.socket, seconds=60) as client:
        assert error_of(client.rpc_text(edit)) == ("unknown-element", "foo")
        before = resident(daemon)
        for _ in range(5):
            client.rpc_text(edit)
        assert resident(daemon) - before <= 8
