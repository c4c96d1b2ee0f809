"""What a client learns of the server: its modules, their texts, and who is connected (RFC 6022, RFC 8525, RFC 7895)."""
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import oracle  # noqa: E402
from lib.built import need_built  # noqa: E402
from lib.daemons import L2TPV3D, RELAY, L2tpv3d, Sshd  # noqa: E402
from lib.here import Here  # noqa: E402
from lib.netconf import L2TP, Netconf, RpcError, subtree  # noqa: E402

MONITORING = "urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"
LIBRARY = "urn:ietf:params:xml:ns:yang:ietf-yang-library"
DATASTORES = "urn:ietf:params:xml:ns:yang:ietf-datastores"
OURS = {path.name: path for path in (oracle.CHECKOUT / "yang").glob("*.yang")}
FOLDERS = (oracle.LIBYANG, oracle.IETF, oracle.DERIVED, oracle.NETCONFCENTRAL)
TUNNEL = (f'<l2tpv3 xmlns="{L2TP}"><tunnel><tunnel-id>1</tunnel-id><peer-tunnel-id>2</peer-tunnel-id>'
          "<local-address>127.0.0.1</local-address><remote-address>127.0.0.2</remote-address></tunnel></l2tpv3>")

need_built(L2TPV3D, RELAY)
pytestmark = pytest.mark.skipif(bool(oracle.missing()), reason=oracle.missing() or "nothing is missing")
needs_sshd = pytest.mark.skipif(os.getuid() != 0 or not Path("/usr/sbin/sshd").exists(),
                                reason="sshd, which needs root to log somebody in, is not there")


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    daemon = L2tpv3d(Here(), tmp_path_factory.mktemp("schema"), kernel="sim").start()
    with daemon.netconf() as client:
        client.edit_config(TUNNEL)
    yield daemon
    assert daemon.running, daemon.log()
    daemon.stop()


@pytest.fixture
def client(daemon):
    with daemon.netconf() as client:
        yield client


@pytest.fixture(scope="module")
def sshd(daemon):
    sshd = Sshd(Here(), daemon.folder, daemon.socket, port=18320).start()
    yield sshd
    sshd.stop()


def state(client, inner=""):
    return client.get(subtree(f'<netconf-state xmlns="{MONITORING}">{inner}</netconf-state>'))


def library(client, inner=""):
    return client.get(subtree(f'<yang-library xmlns="{LIBRARY}">{inner}</yang-library>'))


def schemas(client):
    """(identifier, version, namespace) of those that can be had."""
    found = state(client, "<schemas/>").iter(f"{{{MONITORING}}}schema")
    return [tuple(entry.findtext(f"{{{MONITORING}}}{leaf}") for leaf in ("identifier", "version", "namespace"))
            for entry in found]


def get_schema(client, identifier, version="", format=""):
    version = version and f"<version>{version}</version>"
    format = format and f"<format>{format}</format>"
    reply = client.rpc(f'<get-schema xmlns="{MONITORING}"><identifier>{identifier}</identifier>{version}{format}'
                       "</get-schema>")
    return reply.findtext(f"{{{MONITORING}}}data")


def file_of(identifier, version):
    name = f"{identifier}@{version}.yang"
    return OURS.get(name) or next(folder / file for folder in FOLDERS for file in (name, f"{identifier}.yang")
                                  if (folder / file).exists())


def announced(client):
    """The modules in the hello, by name, with their revision."""
    return dict(re.search(r"[?&]module=([^&]*)&revision=(.*)", uri).groups()
                for uri in client.capabilities if "module=" in uri)


def library_capability(client, version):
    return next(uri for uri in client.capabilities if f":yang-library:{version}?" in uri)


# get-schema

def test_every_schema_that_is_listed_can_be_had_as_it_is_in_its_file(client):
    listed = schemas(client)
    assert {"linux-l2tpv3", "ietf-netconf-monitoring", "ietf-yang-library", "ietf-yang-types"} < {s[0] for s in listed}
    for identifier, version, _ in listed:
        text = get_schema(client, identifier, version, "yang")
        assert text == file_of(identifier, version).read_text(), identifier
        assert get_schema(client, identifier) == text
        assert re.search(r"^\s*revision\s+\"?([-0-9]+)", text, re.M)[1] == version
        assert f"module {identifier}" in text


def test_every_module_of_the_hello_can_be_had(client):
    assert announced(client).items() <= {s[0]: s[1] for s in schemas(client)}.items()
    assert {"linux-l2tpv3", "linux-l2tpv3-netconf", "ietf-netconf", "ietf-netconf-monitoring",
            "ietf-yang-library", "ietf-datastores"} <= announced(client).keys()


def test_the_modules_that_can_be_had_need_no_others(client, tmp_path):
    """yanglint reads our own modules with what get-schema gives, and nothing else."""
    for identifier, version, _ in schemas(client):
        (tmp_path / f"{identifier}@{version}.yang").write_text(get_schema(client, identifier))
    names = {path.name.partition("@")[0] for path in tmp_path.iterdir()}
    for path in tmp_path.iterdir():
        assert set(re.findall(r"^\s*import\s+([-\w]+)", path.read_text(), re.M)) <= names, path.name
    done = subprocess.run(["yanglint", "-D", "-p", tmp_path, *tmp_path.glob("linux-*.yang")], capture_output=True,
                          text=True, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("body,tag", [
    ("<identifier>ietf-interfaces</identifier>", "invalid-value"),
    ("<identifier/>", "invalid-value"),
    (f"<identifier>{'x' * 1000}</identifier>", "invalid-value"),
    ("<identifier>../../../../etc/passwd</identifier>", "invalid-value"),
    ("<identifier>linux-l2tpv3</identifier><version>2001-01-01</version>", "invalid-value"),
    ("<identifier>linux-l2tpv3</identifier><version/>", "invalid-value"),
    ("<identifier>linux-l2tpv3</identifier><format>yin</format>", "invalid-value"),
    ("<identifier>linux-l2tpv3</identifier><format/>", "invalid-value"),
    ("<identifier>linux-l2tpv3</identifier><format>m:yang</format>", "invalid-value"),
    ('<identifier>linux-l2tpv3</identifier><format xmlns:m="urn:x">m:yang</format>', "invalid-value"),
    ("<version>2026-11-22</version>", "missing-element"),
    ("<identifier>linux-l2tpv3</identifier><identifier>linux-l2tpv3</identifier>", "bad-element"),
    ("<identifier>linux-l2tpv3</identifier><name/>", "unknown-element"),
    ('<identifier xmlns="urn:x">linux-l2tpv3</identifier>', "unknown-namespace"),
])
def test_get_schema_refuses(client, body, tag):
    with pytest.raises(RpcError) as refused:
        client.rpc(f'<get-schema xmlns="{MONITORING}">{body}</get-schema>')
    assert (refused.value.tag, refused.value.errors[0]["error-type"]) == (tag, "protocol")


@pytest.mark.parametrize("body", [
    "<identifier>\n  linux-l2tpv3\n</identifier>",
    '<identifier>linux-l2tpv3</identifier><format xmlns:m="' + MONITORING + '">m:yang</format>',
    "<identifier>linux-l2tpv3</identifier><format> yang </format>",
])
def test_get_schema_takes(client, body):
    reply = client.rpc(f'<get-schema xmlns="{MONITORING}">{body}</get-schema>')
    assert reply.findtext(f"{{{MONITORING}}}data").startswith("module linux-l2tpv3 {")


def test_the_format_may_have_a_prefix_that_is_declared_around_it(client):
    client.message_id += 1
    client.send(f'<rpc xmlns="urn:ietf:params:xml:ns:netconf:base:1.0" xmlns:m="{MONITORING}" message-id="1">'
                "<m:get-schema><m:identifier>linux-l2tpv3</m:identifier><m:format>m:yang</m:format></m:get-schema></rpc>")
    assert "module linux-l2tpv3 {" in client.reply_text()


def test_many_get_the_same_at_once_and_read_slowly(daemon):
    clients = [daemon.netconf() for _ in range(16)]
    expected = file_of("ietf-netconf-monitoring", "2010-10-04").read_text()
    body = f'<get-schema xmlns="{MONITORING}"><identifier>ietf-netconf-monitoring</identifier></get-schema>'
    for client in clients:
        for _ in range(20):
            client.send(f'<rpc xmlns="urn:ietf:params:xml:ns:netconf:base:1.0" message-id="1">{body}</rpc>')
    for client in clients:
        for _ in range(20):
            assert expected.count("\n") == client.reply_text().count("\n")
        client.close()


# The search path

def copy(folder, *names):
    folder.mkdir()
    for name in names:
        source = next(folder / name for folder in FOLDERS if (folder / name).exists())
        shutil.copy(source, folder / name)
    return folder


def test_what_is_not_found_is_said_at_start_and_not_announced(tmp_path):
    one = copy(tmp_path / "one", "ietf-yang-types@2013-07-15.yang", "ietf-netconf@2011-06-01.yang")
    two = copy(tmp_path / "two", "ietf-inet-types@2013-07-15.yang")
    (two / "ietf-datastores@2018-02-14.yang").mkdir()
    (two / "ietf-netconf-acm@2018-02-14.yang").touch()
    os.mkfifo(two / "ietf-netconf-monitoring@2010-10-04.yang")
    daemon = L2tpv3d(Here(), tmp_path / "daemon", "--yang-path", f"{tmp_path / 'none'}:{one}::{two}:",
                     kernel="sim").start()
    try:
        found = daemon.logged(r"not found in (\S+), so NETCONF clients cannot get these YANG modules here: (.*) \(see ")
        assert found and str(one) in found[1]
        missing = {"ietf-netconf-monitoring", "ietf-netconf-with-defaults", "ietf-netconf-nmda", "ietf-origin",
                   "ietf-yang-library", "ietf-yang-metadata", "ietf-datastores", "ietf-netconf-acm",
                   "ietf-netconf-notifications", "ietf-netconf-partial-lock", "notifications", "nc-notifications", "yuma-ncx"}
        assert {name.partition("@")[0] for name in found[2].split(", ")} == missing
        with daemon.netconf() as client:
            assert announced(client).keys() == {"linux-l2tpv3", "linux-l2tpv3-netconf", "ietf-netconf"}
            assert {s[0] for s in schemas(client)} == announced(client).keys() | {"ietf-yang-types", "ietf-inet-types"}
            for name in missing:
                with pytest.raises(RpcError) as refused:
                    get_schema(client, name)
                assert refused.value.tag == "invalid-value" and "--yang-path" in refused.value.message
            in_library = {e.text for e in library(client).iterfind(".//{*}module/{*}name")}
            assert "ietf-netconf-monitoring" in in_library  # it is implemented none the less
            # One that has gone since the start, and one that came back
            (one / "ietf-netconf@2011-06-01.yang").rename(tmp_path / "gone")
            with pytest.raises(RpcError) as refused:
                get_schema(client, "ietf-netconf")
            assert refused.value.tag == "invalid-value"
            (tmp_path / "gone").rename(one / "ietf-netconf@2011-06-01.yang")
            assert get_schema(client, "ietf-netconf")
    finally:
        daemon.stop()


def test_all_are_found_where_the_packages_put_them(daemon):
    if not all(folder.is_dir() for folder in FOLDERS):
        pytest.skip("libyang2 and libyuma-base are not both installed")
    assert "not found" not in daemon.log()
    manual = (oracle.CHECKOUT / "docs/l2tpv3d.8").read_text()
    for folder in FOLDERS:
        assert f"Pa {folder}" in manual


# yang-library

def test_yanglint_accepts_all_of_it(client):
    for inner in (f'<yang-library xmlns="{LIBRARY}"/>', f'<modules-state xmlns="{LIBRARY}"/>',
                  f'<netconf-state xmlns="{MONITORING}"/>', ""):
        body = f"<get>{subtree(inner)}</get>" if inner else "<get/>"
        data = re.search(r"<data>(.+)</data>", client.rpc_text(body), re.S)[1]
        oracle.yanglint("get", data)


def test_the_hello_has_the_ids_of_both_libraries(client):
    content_id = library(client, "<content-id/>").findtext(f".//{{{LIBRARY}}}content-id")
    older = client.get(subtree(f'<modules-state xmlns="{LIBRARY}"><module-set-id/></modules-state>'))
    module_set_id = older.findtext(f".//{{{LIBRARY}}}module-set-id")
    revision = file_of("ietf-yang-library", "2019-01-04").read_text()
    assert "revision 2019-01-04" in revision
    assert library_capability(client, "1.1").endswith(f"?revision=2019-01-04&content-id={content_id}")
    assert library_capability(client, "1.0").endswith(f"?revision=2019-01-04&module-set-id={module_set_id}")
    assert state(client, "<capabilities/>").findtext(f".//{{{MONITORING}}}capability") == client.capabilities[0]


def test_both_libraries_and_the_schemas_tell_the_same(client):
    def leaves(entry, *names):
        return tuple(entry.findtext(f"{{{LIBRARY}}}{name}") for name in names)
    listed = schemas(client)
    now = library(client)
    implemented = [leaves(e, "name", "revision", "namespace") for e in now.iter(f"{{{LIBRARY}}}module")]
    imported = [leaves(e, "name", "revision", "namespace") for e in now.iter(f"{{{LIBRARY}}}import-only-module")]
    older = client.get(subtree(f'<modules-state xmlns="{LIBRARY}"/>'))
    then = {leaves(e, "name", "revision", "namespace"): e.findtext(f"{{{LIBRARY}}}conformance-type")
            for e in older.iter(f"{{{LIBRARY}}}module")}
    assert sorted(implemented + imported) == sorted(listed) == sorted(then)
    assert then == {**dict.fromkeys(implemented, "implement"), **dict.fromkeys(imported, "import")}
    assert {name for name, *_ in implemented} == announced(client).keys()
    for name, revision, namespace in listed:
        assert re.search(rf'namespace\s+"?{re.escape(namespace)}"?;', file_of(name, revision).read_text())


def test_features_are_the_capabilities(client):
    """Those of ietf-netconf that the hello has, and no others."""
    text = file_of("ietf-netconf", "2011-06-01").read_text()
    known = set(re.findall(r"^\s*feature\s+([-\w]+)", text, re.M))
    said = {uri.split(":")[5] for uri in client.capabilities if uri.startswith("urn:ietf:params:netconf:capability:")}
    entry = library(client, "<module-set><module><name>ietf-netconf</name></module></module-set>")
    features = [e.text for e in entry.iter(f"{{{LIBRARY}}}feature")]
    assert set(features) == known & said and "writable-running" in features
    names = [e.text.partition(":")[2] for e in library(client, "<datastore/>").iterfind(".//{*}datastore/{*}name")]
    assert set(names) == {"running", "intended", "operational"} | ({"candidate"} & said)
    monitored = state(client, "<datastores><datastore><name/></datastore></datastores>")
    assert [e.text for e in monitored.iterfind(".//{*}datastore/{*}name")] == names[:2]


@pytest.mark.parametrize("filter,expected", [
    ("<content-id/>", r"<content-id>[0-9a-f]{16}</content-id>"),
    ("<module-set><module><name>linux-l2tpv3</name><revision/></module></module-set>",
     r"<module-set><name>all</name><module><name>linux-l2tpv3</name><revision>2026-11-22</revision></module></module-set>"),
    ("<module-set><import-only-module><namespace>urn:ietf:params:xml:ns:yang:ietf-yang-types</namespace><name/>"
     "</import-only-module></module-set>",
     "<module-set><name>all</name><import-only-module><name>ietf-yang-types</name><revision>2013-07-15</revision>"
     "<namespace>urn:ietf:params:xml:ns:yang:ietf-yang-types</namespace></import-only-module></module-set>"),
    ("<module-set><module><name>ietf-interfaces</name></module></module-set>", None),
    ("<datastore><schema/></datastore>",
     rf'(<datastore><name xmlns:ds="{DATASTORES}">ds:\w+</name><schema>all</schema></datastore>)+'),
    ("<schema><name>other</name></schema>", None),
])
def test_a_filter_selects_of_yang_library(client, filter, expected):
    reply = client.rpc_text("<get>" + subtree(f'<yang-library xmlns="{LIBRARY}">{filter}</yang-library>') + "</get>")
    whole = f'<yang-library xmlns="{LIBRARY}">{expected}</yang-library>' if expected else ""
    assert re.search(f"<data>{whole}</data>", reply), reply


def test_one_filter_selects_of_our_data_and_of_all_providers(client):
    filter = (f'<modules-state xmlns="{LIBRARY}"><module-set-id/></modules-state>'
              f'<l2tpv3 xmlns="{L2TP}"><tunnel><tunnel-id/></tunnel></l2tpv3>'
              f'<netconf-state xmlns="{MONITORING}"><statistics><in-bad-hellos/></statistics></netconf-state>'
              f'<yang-library xmlns="{LIBRARY}"><schema/></yang-library><none xmlns="urn:other"/>')
    reply = client.get(subtree(filter))
    assert [element.tag.partition("}")[2] for element in reply[0]] == ["l2tpv3", "netconf-state", "yang-library",
                                                                      "modules-state"]
    assert [element.tag.partition("}")[2] for element in reply[0].iter() if element.text and not len(element)] == [
        "tunnel-id", "in-bad-hellos", "name", "module-set", "module-set-id"]
    everything = client.get()
    assert [element.tag.partition("}")[2] for element in everything[0]] == ["l2tpv3", "nacm", "netconf-state",
                                                                            "yang-library", "modules-state", "netconf"]
    # They are no configuration, but for NACM's.
    assert [element.tag.partition("}")[2] for element in client.get_config()[0]] == ["l2tpv3", "nacm"]
    assert not len(client.get_config(filter=subtree(f'<yang-library xmlns="{LIBRARY}"/>'))[0])


# Counters

def test_what_is_counted_is_what_happened(tmp_path):
    daemon = L2tpv3d(Here(), tmp_path, kernel="sim").start()
    try:
        def sums(client):
            found = state(client, "<statistics/>").find(f".//{{{MONITORING}}}statistics")
            return {e.tag.partition("}")[2]: int(e.text) for e in found if e.text.isdigit()}
        hello = '<hello xmlns="{}"><capabilities><capability>urn:ietf:params:netconf:base:1.0</capability></capabilities>{}</hello>'
        base = "urn:ietf:params:xml:ns:netconf:base:1.0"
        with daemon.netconf() as client:
            assert sums(client) == {"in-bad-hellos": 0, "in-sessions": 1, "dropped-sessions": 0, "in-rpcs": 1,
                                    "in-bad-rpcs": 0, "out-rpc-errors": 0, "out-notifications": 0}
            for bad in (hello.format("urn:x", ""), hello.format(base, "<session-id>1</session-id>"), "<hello", "<rpc/>",
                        hello.format(base, "").replace("base:1.0<", "base:9<")):
                wire = Raw(daemon.socket)
                wire.send_raw(bad.encode() + b"]]>]]>")
                wire.read_to_end()
            assert sums(client)["in-bad-hellos"] == 5
            with daemon.netconf("1.0") as other:
                with pytest.raises(RpcError):
                    get_schema(other, "none")
                other.rpc("<close-session/>")
            with daemon.netconf() as other:
                other.send_raw(b"\n#4\n<<<<\n##\n")
                with pytest.raises(ConnectionError):
                    while True:
                        other.receive()
            found = sums(client)
            assert (found["in-sessions"], found["dropped-sessions"]) == (8, 6)
            assert (found["in-rpcs"], found["in-bad-rpcs"], found["out-rpc-errors"]) == (5, 1, 2)
    finally:
        daemon.stop()


class Raw(Netconf):
    """Before its hello."""

    def __init__(self, path):
        import socket
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))
        self.socket.settimeout(60)

    def read_to_end(self):
        try:
            while self.socket.recv(1 << 16):
                pass
        except ConnectionResetError:
            pass
        self.close()


# Other people's clients

@needs_sshd
def test_ncclient(sshd):
    pytest.importorskip("ncclient", reason="python3-ncclient is not installed")
    from ncclient.operations import RPCError
    with sshd.ncclient() as manager:
        for name in ("linux-l2tpv3", "ietf-yang-library"):
            version = {"linux-l2tpv3": "2026-11-22"}.get(name, "2019-01-04")
            assert manager.get_schema(name).data == file_of(name, version).read_text()
            assert manager.get_schema(name, version=version, format="yang").data == manager.get_schema(name).data
        with pytest.raises(RPCError) as refused:
            manager.get_schema("linux-l2tpv3", format="yin")
        assert refused.value.tag == "invalid-value"
        found = manager.get(filter=("subtree", f'<netconf-state xmlns="{MONITORING}"><sessions/></netconf-state>')).data_ele
        mine = next(e for e in found.iter(f"{{{MONITORING}}}session")
                    if e.findtext(f"{{{MONITORING}}}session-id") == manager.session_id)
        leaves = {e.tag.partition("}")[2]: e.text for e in mine}
        assert (leaves["transport"], leaves["username"], leaves["source-host"]) == ("netconf-ssh", sshd.user, "127.0.0.1")
        found = manager.get(filter=("subtree", f'<yang-library xmlns="{LIBRARY}"><content-id/></yang-library>')).data_ele
        content_id = found.findtext(f".//{{{LIBRARY}}}content-id")
        assert any(f"content-id={content_id}" in uri for uri in manager.server_capabilities)


@needs_sshd
@pytest.mark.skipif(not shutil.which("yangcli"), reason="yangcli is not installed")
def test_yangcli_loads_what_it_lacks(sshd, daemon):
    """It finds the modules in modules-state, gets those that Debian's yuma does not have, and parses the data by them."""
    with daemon.netconf() as client:
        before = int(state(client).findtext(f".//{{{MONITORING}}}statistics/{{{MONITORING}}}in-rpcs"))
    done = subprocess.run(
        ["yangcli", "--server=127.0.0.1", f"--ncport={sshd.port}", f"--user={sshd.user}", f"--private-key={sshd.key}",
         f"--public-key={sshd.key}.pub", "--batch-mode", "--autoload=true", "--log-level=debug",
         "--run-command=sget /l2tpv3"],
        capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    said = done.stdout + done.stderr
    for name, revision in (("linux-l2tpv3", "2026-11-22"), ("linux-l2tpv3-netconf", "2026-11-22"),
                           ("ietf-yang-library", "2019-01-04")):
        assert f"Got autoload reply for '{name}' r'{revision}'" in said, said
    assert "peer-tunnel-id 2" in said and "oper-status up" in said and "Error:" not in said, said
    with daemon.netconf() as client:
        after = int(state(client).findtext(f".//{{{MONITORING}}}statistics/{{{MONITORING}}}in-rpcs"))
    assert after - before >= 5
