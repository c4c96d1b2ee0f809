"""What a NETCONF client reads, and how: with-defaults (RFC 6243)."""
import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import oracle  # noqa: E402
from lib.built import need_built  # noqa: E402
from lib.daemons import L2TPV3D, L2tpv3d  # noqa: E402
from lib.here import Here  # noqa: E402
from lib.netconf import L2TP, RpcError, subtree  # noqa: E402

WITH_DEFAULTS = "urn:ietf:params:xml:ns:yang:ietf-netconf-with-defaults"
DEFAULT = "urn:ietf:params:xml:ns:netconf:default:1.0"
TAG = f"{{{DEFAULT}}}default"
# remote-port and sequencing are set to their defaults.
TUNNEL = ("<tunnel><tunnel-id>1</tunnel-id><peer-tunnel-id>2</peer-tunnel-id>"
          "<local-address>127.0.0.1</local-address><remote-address>127.0.0.2</remote-address>"
          "<local-port>5000</local-port><remote-port>1701</remote-port>"
          "<session><session-id>3</session-id><peer-session-id>4</peer-session-id><interface-name>pw3</interface-name>"
          "<sequencing>none</sequencing></session></tunnel>")
SET = {"remote-port": "1701", "sequencing": "none"}
UNSET = {"encapsulation": "udp", "udp-checksum": "false", "link-enabled": "true", "l2-specific-sublayer": "default",
         "reorder-timeout": "0", "lns-mode": "false", "pseudowire-type": "ethernet"}

need_built(L2TPV3D)


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    daemon = L2tpv3d(Here(), tmp_path_factory.mktemp("reads"), kernel="sim").start()
    yield daemon
    assert daemon.running, daemon.log()
    daemon.stop()


@pytest.fixture
def client(daemon):
    with daemon.netconf() as client:
        client.edit_config(f'<l2tpv3 xmlns="{L2TP}">{TUNNEL}</l2tpv3>', options="<default-operation>replace</default-operation>")
        yield client


def with_defaults(mode):
    return f'<with-defaults xmlns="{WITH_DEFAULTS}">{mode}</with-defaults>' if mode else ""


def get_config(client, mode, source="running"):
    return client.get_config(source, with_defaults(mode)).find(f".//{{{L2TP}}}l2tpv3")


def leaves(tree):
    """Name and value of each leaf, those of the session too, and whether it is tagged."""
    return {leaf.tag.rpartition("}")[2]: (leaf.text, leaf.get(TAG)) for leaf in tree.iter() if len(leaf) == 0}


def has(tree, wanted, tag=None):
    return {name: leaves(tree).get(name) for name in wanted} == {name: (value, tag) for name, value in wanted.items()}


def has_none(tree, names):
    return not leaves(tree).keys() & names


# with-defaults

def test_the_capability_says_all_modes(client):
    uri = next(uri for uri in client.capabilities if ":with-defaults:1.0" in uri)
    assert "basic-mode=explicit" in uri
    assert set(uri.partition("also-supported=")[2].split(",")) == {"report-all", "report-all-tagged", "trim"}


@pytest.mark.parametrize("read", [get_config, lambda client, mode: client.get(with_defaults(mode))])
def test_each_mode_shows_what_rfc_6243_says(client, read):
    for mode in ("", "explicit"):
        shown = read(client, mode)
        assert has(shown, SET) and has_none(shown, UNSET.keys())
    assert has(read(client, "report-all"), {**SET, **UNSET})
    tagged = read(client, "report-all-tagged")
    assert has(tagged, SET) and has(tagged, UNSET, "true")
    trimmed = read(client, "trim")
    assert has_none(trimmed, SET.keys() | UNSET.keys()) and has(trimmed, {"local-port": "5000", "peer-session-id": "4"})


def test_a_filter_matches_what_the_mode_shows(client):
    selects = subtree(f'<l2tpv3 xmlns="{L2TP}"><tunnel><encapsulation>udp</encapsulation></tunnel></l2tpv3>')
    assert client.get_config(filter=selects).find(f".//{{{L2TP}}}tunnel") is None
    assert client.get_config(filter=selects + with_defaults("report-all")).find(f".//{{{L2TP}}}tunnel") is not None


def test_what_was_read_with_tags_is_written_back_as_it_was(client):
    before = ET.tostring(get_config(client, ""))
    tagged = ET.tostring(get_config(client, "report-all-tagged")).decode()
    client.edit_config(tagged, options="<default-operation>replace</default-operation>")
    assert ET.tostring(get_config(client, "")) == before
    client.rpc(f"<copy-config><target><running/></target><source><config>{tagged}</config></source></copy-config>")
    assert ET.tostring(get_config(client, "")) == before
    client.edit_config(ET.tostring(get_config(client, "report-all")).decode())
    assert has(get_config(client, ""), {**SET, **UNSET})
    client.edit_config(tagged)
    assert ET.tostring(get_config(client, "")) == before


def test_a_copy_is_exact_whatever_the_mode(client):
    client.rpc(f"<copy-config><target><candidate/></target><source><running/></source>{with_defaults('trim')}"
               "</copy-config>")
    assert has(get_config(client, "", "candidate"), SET)


def test_a_tag_on_another_value_is_refused(client):
    with pytest.raises(RpcError) as refused:
        client.edit_config(f'<l2tpv3 xmlns="{L2TP}" xmlns:wd="{DEFAULT}"><tunnel><tunnel-id>1</tunnel-id>'
                           '<remote-port wd:default="true">1702</remote-port></tunnel></l2tpv3>')
    assert (refused.value.tag, refused.value.errors[0]["error-type"]) == ("invalid-value", "application")
    assert "1701" in refused.value.message


@pytest.mark.parametrize("body,tag", [
    (with_defaults("all"), "invalid-value"), (with_defaults(" "), "invalid-value"),
    ("<with-defaults>trim</with-defaults>", "unknown-element"),
    (2 * with_defaults("trim"), "bad-element"),
    ('<with-defaults xmlns="urn:x">trim</with-defaults>', "unknown-namespace"),
])
def test_a_mode_is_refused(client, body, tag):
    with pytest.raises(RpcError) as refused:
        client.get(body)
    assert (refused.value.tag, refused.value.errors[0]["error-type"]) == (tag, "protocol")


@pytest.mark.skipif(bool(oracle.missing()), reason=oracle.missing() or "nothing is missing")
def test_yanglint_accepts_what_each_mode_shows(daemon, client):
    with oracle.CheckedNetconf(daemon.socket) as checked:
        for mode in ("report-all", "trim"):
            checked.rpc(f"<get>{with_defaults(mode)}</get>")
            checked.rpc(f"<get-config><source><running/></source>{with_defaults(mode)}</get-config>")


def test_tagged_is_report_all_with_tags(client):
    """libyang has the attribute in another namespace than the RFC."""
    read = [client.rpc_text(f"<get-config><source><running/></source>{with_defaults(mode)}</get-config>")
            for mode in ("report-all", "report-all-tagged")]
    assert re.search(f'<l2tpv3 [^>]*xmlns:wd="{DEFAULT}"', read[1])
    plain = [re.sub(r' xmlns:wd="[^"]*"| wd:default="true"| message-id="[0-9]+"', "", text) for text in read]
    assert plain[0] == plain[1]
