"""What a NETCONF client reads, and how: with-defaults (RFC 6243), get-data and edit-data (RFC 8526)."""
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
from lib.netconf import BASE, L2TP, RpcError, errors_of, subtree  # noqa: E402
from lib.waiting import wait_for  # noqa: E402

WITH_DEFAULTS = "urn:ietf:params:xml:ns:yang:ietf-netconf-with-defaults"
NMDA = "urn:ietf:params:xml:ns:yang:ietf-netconf-nmda"
DATASTORES = "urn:ietf:params:xml:ns:yang:ietf-datastores"
ORIGIN = "urn:ietf:params:xml:ns:yang:ietf-origin"
MONITORING = "urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"
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


# NACM's configuration, which is another tree

ACM = "urn:ietf:params:xml:ns:yang:ietf-netconf-acm"
RULES = (f'<nacm xmlns="{ACM}"><enable-nacm>true</enable-nacm><rule-list><name>l</name><group>g</group>'
         "<rule><name>r</name><module-name>x</module-name><action>deny</action></rule></rule-list></nacm>")


def nacm(tree):
    """Its leaves by name but `name`: value, tag and origin."""
    found = tree.find(f".//{{{ACM}}}nacm")
    return {} if found is None else {
        name: (leaf.text, leaf.get(TAG), leaf.get(f"{{{ORIGIN}}}origin"))
        for leaf in found.iter() if len(leaf) == 0 and (name := leaf.tag.rpartition("}")[2]) != "name"}


@pytest.fixture
def ruled(client):
    def replace(inner):
        client.edit_config(inner.replace("<nacm ", f'<nacm xmlns:nc="{BASE}" nc:operation="replace" '))
    replace(RULES)
    yield client
    replace(f'<nacm xmlns="{ACM}"><write-default>permit</write-default></nacm>')


def test_each_mode_holds_for_nacm_too(ruled):
    def read(mode, filter=f'<filter><nacm xmlns="{ACM}"/></filter>'):
        return ruled.get_config(filter=filter + with_defaults(mode))
    given = {"enable-nacm": ("true", None, None), "group": ("g", None, None), "module-name": ("x", None, None),
             "action": ("deny", None, None)}
    unset = {"read-default": "permit", "write-default": "deny", "exec-default": "permit", "enable-external-groups": "true",
             "access-operations": "*"}
    assert nacm(read("explicit")) == given
    assert nacm(read("trim")) == {name: given[name] for name in given if name != "enable-nacm"}
    assert nacm(read("report-all")) == {**given, **{name: (value, None, None) for name, value in unset.items()}}
    tagged = {**given, **{name: (value, "true", None) for name, value in unset.items()}}
    assert nacm(read("report-all-tagged")) == tagged
    searched = nacm(read("report-all-tagged", f'<filter type="xpath" xmlns:a="{ACM}" select="//a:rule/a:*"/>'))
    assert searched == {name: tagged[name] for name in ("module-name", "action", "access-operations")}


def test_nacm_that_was_read_with_tags_is_written_back_as_it_was(ruled):
    def read(mode):
        reply = ruled.get_config(filter=f'<filter><nacm xmlns="{ACM}"/></filter>' + with_defaults(mode))
        return ET.tostring(reply.find(f".//{{{ACM}}}nacm")).decode()
    before, tagged = read("explicit"), read("report-all-tagged")
    for write in (tagged, tagged.replace("<ns0:nacm ", f'<ns0:nacm xmlns:nc="{BASE}" nc:operation="replace" ')):
        ruled.edit_config(write)
        assert read("explicit") == before
    ruled.edit_config(f'<nacm xmlns="{ACM}"><read-default>deny</read-default></nacm>')
    ruled.edit_config(tagged)  # back to its default
    assert read("explicit") == before
    for leaf in ("<read-default wd:default='true'>deny</read-default>",
                 "<rule-list><name>l</name><rule><name>r</name><action wd:default='1'>deny</action></rule></rule-list>"):
        with pytest.raises(RpcError) as refused:
            ruled.edit_config(f'<nacm xmlns="{ACM}" xmlns:wd="{DEFAULT}">{leaf}</nacm>')
        assert refused.value.tag == "invalid-value" and "tagged as a default" in refused.value.message


def test_nacm_in_use_has_origins(ruled):
    def read(more):
        return nacm(ET.fromstring(f"<data>{get_data_text(ruled, more=more + subtree_filter(ONLY))}</data>"))
    ONLY = f'<nacm xmlns="{ACM}"/>'
    config = "<config-filter>true</config-filter>"
    shown = read(config + "<with-origin/>")
    assert "or:intended" in get_data_text(ruled, more="<with-origin/>" + subtree_filter(ONLY)).partition(">")[0]
    defaults = {name for name, (_, _, origin) in shown.items() if origin == "or:default"}
    assert defaults == {"read-default", "write-default", "exec-default", "enable-external-groups", "access-operations"}
    assert set(shown) - defaults == {"enable-nacm", "group", "module-name", "action"}
    assert set(read(config + "<origin-filter>or:default</origin-filter>")) == defaults
    assert set(read(config + "<negated-origin-filter>or:default</negated-origin-filter>")) == set(shown) - defaults
    assert read(config + "<origin-filter>or:system</origin-filter>") == {}
    assert set(read("<origin-filter>or:system</origin-filter>")) == {  # state has no origin
        "denied-operations", "denied-data-writes", "denied-notifications"}


# get-data

def get_data_text(client, datastore="operational", more=""):
    """What is in <data>."""
    text = client.rpc_text(f'<get-data xmlns="{NMDA}" xmlns:ds="{DATASTORES}" xmlns:or="{ORIGIN}">'
                           f"<datastore>ds:{datastore}</datastore>{more}</get-data>")
    if errors := errors_of(ET.fromstring(text)):
        raise RpcError(errors, text)
    return re.search(f'<data xmlns="{NMDA}">(.*)</data>', text)[1]


def get_data(client, datastore="operational", more="", filter=f'<l2tpv3 xmlns="{L2TP}"/>'):
    """Its container, or None."""
    return ET.fromstring(f"<data>{get_data_text(client, datastore, more + subtree_filter(filter))}</data>"
                         ).find(f"{{{L2TP}}}l2tpv3")


def subtree_filter(inner):
    return f"<subtree-filter>{inner}</subtree-filter>" if inner else ""


def entry_leaves(tree, name):
    """The leaves of the first entry of that list by name: value and origin, which may be inherited."""
    def walk(element, inherited):
        origin = element.get(f"{{{ORIGIN}}}origin", inherited)
        if element.tag == f"{{{L2TP}}}{name}":
            yield {leaf.tag.rpartition("}")[2]: (leaf.text, leaf.get(f"{{{ORIGIN}}}origin", origin))
                   for leaf in element if len(leaf) == 0}
        for child in element:
            yield from walk(child, origin)
    return next(walk(tree, None), {})


@pytest.fixture
def up(client):
    """With the session up."""
    wait_for(lambda: entry_leaves(get_data(client), "session").get("oper-status", ("",))[0] == "up", "the session")
    return client


def plain(leaves):
    return {name: value for name, (value, _) in leaves.items()}


def test_conventional_datastores_have_what_get_config_has(client):
    for datastore in ("running", "intended", "candidate"):
        for mode in ("", "report-all", "trim"):
            wanted = client.get_config("candidate" if datastore == "candidate" else "running", with_defaults(mode))
            found = get_data(client, datastore, mode and f"<with-defaults>{mode}</with-defaults>")
            assert ET.tostring(found) == ET.tostring(wanted.find(f".//{{{L2TP}}}l2tpv3"))


def test_operational_has_what_is_in_use_and_where_it_is_from(up):
    shown = get_data(up, more="<with-origin/>")
    tunnel, session = entry_leaves(shown, "tunnel"), entry_leaves(shown, "session")
    assert shown.get(f"{{{ORIGIN}}}origin") == "or:intended"
    for leaves, name, value, origin in (
            (tunnel, "tunnel-id", "1", "intended"), (tunnel, "remote-port", "1701", "intended"),
            (tunnel, "enabled", "true", "default"), (tunnel, "encapsulation", "udp", "default"),
            (session, "interface-name", "pw3", "intended"), (session, "sequencing", "none", "intended"),
            (session, "lns-mode", "false", "default"), (session, "link-enabled", "true", "default")):
        assert leaves[name] == (value, f"or:{origin}"), name
    # The kernel chose these.
    assert session["mtu"][1] == session["mac-address"][1] == "or:system"
    assert int(session["mtu"][0]) > 1000 and session["if-index"]
    assert "tx-cookie" not in session and "bridge" not in session


def test_what_the_kernel_does_not_have_is_not_in_use(client):
    client.edit_config(f'<l2tpv3 xmlns="{L2TP}"><tunnel><tunnel-id>1</tunnel-id><enabled>false</enabled>'
                       "<description>off</description></tunnel></l2tpv3>")

    def shown():
        return plain(entry_leaves(get_data(client, more="<config-filter>true</config-filter>"), "tunnel"))
    wait_for(lambda: shown() == {"tunnel-id": "1", "enabled": "false", "description": "off"}, f"it to go: {shown()}")


def test_filters_by_config_and_origin(up):
    def names(more, entry="session"):
        shown = get_data(up, more=more)
        return set() if shown is None else set(entry_leaves(shown, entry))
    config = names("<config-filter>true</config-filter>")
    state = names("<config-filter>false</config-filter>")
    everything = names("")
    assert config & state == {"session-id"} and config | state == everything
    assert {"oper-status", "if-index"} <= state and {"mtu", "lns-mode"} <= config
    by_origin = [names(f"<config-filter>true</config-filter><origin-filter>or:{origin}</origin-filter>")
                 for origin in ("intended", "system", "default", "unknown", "learned")]
    assert set.union(*by_origin) == config
    assert by_origin[1] == {"session-id", "mtu", "mac-address"} and by_origin[3] == by_origin[4] == set()
    negated = names("<config-filter>true</config-filter><negated-origin-filter>or:default</negated-origin-filter>"
                    "<negated-origin-filter>or:system</negated-origin-filter>")
    assert negated == by_origin[0]
    assert names("<origin-filter>or:system</origin-filter>") == by_origin[1] | state  # state has no origin
    assert names("<origin-filter>or:origin</origin-filter>") == everything
    # Conventional datastores have no state.
    assert get_data(up, "running", "<config-filter>false</config-filter>") is None
    assert entry_leaves(get_data(up, "running", "<config-filter>true</config-filter>"), "session")


def test_defaults_in_use_are_shown_as_asked_for(up):
    def tunnel(mode):
        return get_data(up, more=f"<with-defaults>{mode}</with-defaults>").find(f"{{{L2TP}}}tunnel")
    assert tunnel("report-all").findtext(f"{{{L2TP}}}enabled") == "true"
    assert tunnel("report-all-tagged").find(f"{{{L2TP}}}enabled").get(TAG) == "true"
    assert tunnel("report-all-tagged").find(f"{{{L2TP}}}remote-port").get(TAG) is None
    assert tunnel("explicit").find(f"{{{L2TP}}}enabled") is None
    assert tunnel("explicit").findtext(f"{{{L2TP}}}remote-port") == "1701"
    assert tunnel("trim").find(f"{{{L2TP}}}remote-port") is None
    assert tunnel("trim").findtext(f"{{{L2TP}}}local-port") == "5000"


@pytest.mark.parametrize("filter,first,levels", [
    ("", 1, 5), ("<tunnel/>", 3, 4), ("<tunnel><tunnel-id>1</tunnel-id></tunnel>", 3, 4),
    ("<tunnel><session/></tunnel>", 5, 3), ("<tunnel><session><mtu/></session></tunnel>", 6, 1),
])
def test_max_depth_counts_from_what_is_selected(up, filter, first, levels):
    def size(depth):
        return len(list(get_data(up, more=f"<max-depth>{depth}</max-depth>",
                                 filter=f'<l2tpv3 xmlns="{L2TP}">{filter}</l2tpv3>').iter()))
    sizes = [size(depth) for depth in range(1, levels + 1)]
    assert sizes[0] == first and sizes == sorted(set(sizes))
    assert sizes[-1] == size(65535) == size("unbounded")


def test_max_depth_of_other_modules(client):
    def depth_of(depth):
        text = get_data_text(client, more=f"<max-depth>{depth}</max-depth>"
                             + subtree_filter(f'<netconf-state xmlns="{MONITORING}"><datastores/></netconf-state>'))
        return [element.tag.rpartition("}")[2] for element in ET.fromstring(text).iter()]
    assert depth_of(1) == ["netconf-state", "datastores"]
    assert depth_of(2) == ["netconf-state", "datastores", "datastore", "name", "datastore", "name"]
    assert get_data_text(client, more="<config-filter>true</config-filter>"
                         + subtree_filter(f'<netconf-state xmlns="{MONITORING}"/>')) == ""


OPERATIONAL = "<datastore>ds:operational</datastore>"


@pytest.mark.parametrize("body,tag", [
    ("", "missing-element"), ("<datastore>ds:startup</datastore>", "invalid-value"),
    ("<datastore>or:running</datastore>", "invalid-value"), ("<datastore>x:running</datastore>", "invalid-value"),
    ("<datastore>ds:running</datastore><with-origin/>", "invalid-value"),
    ("<datastore>ds:running</datastore><origin-filter>or:system</origin-filter>", "invalid-value"),
    (OPERATIONAL + "<origin-filter>or:nobody</origin-filter>", "invalid-value"),
    (OPERATIONAL + "<origin-filter>or:system</origin-filter><negated-origin-filter>or:system</negated-origin-filter>",
     "bad-element"),
    (OPERATIONAL + "<max-depth>0</max-depth>", "invalid-value"),
    (OPERATIONAL + "<max-depth>65536</max-depth>", "invalid-value"),
    (OPERATIONAL + "<max-depth>many</max-depth>", "invalid-value"),
    (OPERATIONAL + "<config-filter>yes</config-filter>", "invalid-value"),
    (OPERATIONAL + "<with-origin>true</with-origin>", "bad-element"),
    (OPERATIONAL + "<with-defaults>all</with-defaults>", "invalid-value"),
    (OPERATIONAL + OPERATIONAL, "bad-element"), (OPERATIONAL + "<filter/>", "unknown-element"),
    (OPERATIONAL + with_defaults("trim"), "unknown-namespace"),
])
def test_get_data_refuses(client, body, tag):
    with pytest.raises(RpcError) as refused:
        client.rpc(f'<get-data xmlns="{NMDA}" xmlns:ds="{DATASTORES}" xmlns:or="{ORIGIN}">{body}</get-data>')
    assert (refused.value.tag, refused.value.errors[0]["error-type"]) == (tag, "protocol")


@pytest.mark.skipif(bool(oracle.missing()), reason=oracle.missing() or "nothing is missing")
def test_yanglint_accepts_operational_with_origins(up):
    oracle.yanglint("get", get_data_text(up, more="<with-origin/>"))


def test_the_yang_library_has_the_datastores(client):
    library = "urn:ietf:params:xml:ns:yang:ietf-yang-library"
    found = client.get(subtree(f'<yang-library xmlns="{library}"/>'))
    assert ({entry.findtext(f"{{{library}}}name") for entry in found.iter(f"{{{library}}}datastore")}
            == {"ds:running", "ds:candidate", "ds:intended", "ds:operational"})
    nmda = next(entry for entry in found.iter(f"{{{library}}}module")
                if entry.findtext(f"{{{library}}}name") == "ietf-netconf-nmda")
    assert {feature.text for feature in nmda.iter(f"{{{library}}}feature")} == {"origin", "with-defaults"}
    assert "urn:ietf:params:netconf:capability:with-operational-defaults:1.0" in client.capabilities


# edit-data

def edit_data(client, config, datastore="running", options=""):
    return client.rpc(f'<edit-data xmlns="{NMDA}" xmlns:ds="{DATASTORES}"><datastore>ds:{datastore}</datastore>{options}'
                      f'<config><l2tpv3 xmlns="{L2TP}">{config}</l2tpv3></config></edit-data>')


MTU = "<tunnel><tunnel-id>1</tunnel-id><session><session-id>3</session-id><mtu>1300</mtu></session></tunnel>"


def test_edit_data_edits_running_and_candidate(client):
    edit_data(client, MTU, "candidate")
    assert plain(entry_leaves(get_data(client, "candidate"), "session"))["mtu"] == "1300"
    assert "mtu" not in entry_leaves(get_data(client, "running"), "session")
    client.rpc("<discard-changes/>")
    edit_data(client, MTU)
    assert plain(entry_leaves(get_data(client, "running"), "session"))["mtu"] == "1300"
    edit_data(client, TUNNEL, options="<default-operation>replace</default-operation>")
    assert "mtu" not in entry_leaves(get_data(client, "running"), "session")
    with pytest.raises(RpcError) as refused:
        edit_data(client, MTU.replace("1300", "13"), options="<default-operation>none</default-operation>")
    assert refused.value.tag == "invalid-value" and refused.value.path.endswith("/l2tp:mtu")


@pytest.mark.parametrize("body,tag", [
    ("<datastore>ds:intended</datastore><config/>", "invalid-value"),
    ("<datastore>ds:operational</datastore><config/>", "invalid-value"),
    ("<config/>", "missing-element"), ("<datastore>ds:running</datastore>", "missing-element"),
    ("<datastore>ds:running</datastore><default-operation>create</default-operation><config/>", "invalid-value"),
    ("<datastore>ds:running</datastore><config/><default-operation>none</default-operation>", "bad-element"),
    ("<datastore>ds:running</datastore><url>file:///x</url>", "unknown-element"),
    ("<datastore>ds:running</datastore><test-option>set</test-option><config/>", "unknown-element"),
])
def test_edit_data_refuses(client, body, tag):
    with pytest.raises(RpcError) as refused:
        client.rpc(f'<edit-data xmlns="{NMDA}" xmlns:ds="{DATASTORES}">{body}</edit-data>')
    assert (refused.value.tag, refused.value.errors[0]["error-type"]) == (tag, "protocol")


def test_lock_unlock_and_validate_take_a_datastore_of_nmda(client, daemon):
    def target(name):
        return f'<datastore xmlns="{NMDA}" xmlns:ds="{DATASTORES}">ds:{name}</datastore>'
    client.rpc(f"<lock><target>{target('running')}</target></lock>")
    with daemon.netconf() as other, pytest.raises(RpcError) as denied:
        other.lock()
    assert denied.value.tag == "lock-denied"
    client.rpc(f"<unlock><target>{target('running')}</target></unlock>")
    client.rpc(f"<validate><source>{target('candidate')}</source></validate>")
    for body in (f"<lock><target>{target('operational')}</target></lock>",
                 f"<validate><source>{target('intended')}</source></validate>"):
        with pytest.raises(RpcError) as refused:
            client.rpc(body)
        assert refused.value.tag == "invalid-value"
    with pytest.raises(RpcError) as refused:
        client.rpc(f"<get-config><source>{target('running')}</source></get-config>")
    assert refused.value.tag == "unknown-namespace"
