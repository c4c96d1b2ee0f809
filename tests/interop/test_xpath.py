"""xpath:1.0 in get, get-config and get-data: what is selected is what libxml2 selects from the same data."""
import sys
import time
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

pytest.importorskip("lxml.etree", reason="python3-lxml is not installed")

from lib.built import need_built  # noqa: E402
from lib.daemons import L2TPV3D, L2tpv3d  # noqa: E402
from lib.here import Here  # noqa: E402
from lib.netconf import BASE, L2TP, RpcError  # noqa: E402
from lib.selection import canonical, data_of, selected_by_libxml2  # noqa: E402
from lib.waiting import wait_for  # noqa: E402

ACM = "urn:ietf:params:xml:ns:yang:ietf-netconf-acm"
NMDA = "urn:ietf:params:xml:ns:yang:ietf-netconf-nmda"
DATASTORES = "urn:ietf:params:xml:ns:yang:ietf-datastores"
MONITORING = "urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"
LIBRARY = "urn:ietf:params:xml:ns:yang:ietf-yang-library"
DECLARED = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in {"l": L2TP, "m": MONITORING, "y": LIBRARY}.items())

need_built(L2TPV3D)


def session(number, more=""):
    return (f"<session><session-id>{number}</session-id><peer-session-id>{number % 7 + 1}</peer-session-id>"
            f"<interface-name>pw{number}</interface-name>{more}</session>")


def tunnel(number, inner):
    return (f"<tunnel><tunnel-id>{number}</tunnel-id><peer-tunnel-id>{number + 1}</peer-tunnel-id>"
            f"<local-address>127.0.0.1</local-address><remote-address>127.0.0.{number + 1}</remote-address>"
            f"<local-port>{5000 + number}</local-port>{inner}</tunnel>")


SMALL = (tunnel(1, session(11, "<mtu>1400</mtu>") + session(12) + session(13, "<sequencing>both</sequencing>"))
         + tunnel(2, "") + tunnel(3, session(31, "<mtu>1500</mtu><description> x </description>") + session(32)))


def load(client, config):
    """Without NACM's configuration: one container is to be searched."""
    client.edit_config(f'<l2tpv3 xmlns="{L2TP}">{config}</l2tpv3><nacm xmlns="{ACM}"/>',
                       options="<default-operation>replace</default-operation>")


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    daemon = L2tpv3d(Here(), tmp_path_factory.mktemp("xpath"), kernel="sim").start()
    with daemon.netconf() as client:
        load(client, SMALL)
    yield daemon
    assert daemon.running, daemon.log()
    daemon.stop()


@pytest.fixture
def client(daemon):
    with daemon.netconf() as client:
        yield client


def get_config(client, xpath=None, more=""):
    select = f'<filter type="xpath" {DECLARED} select={quoteattr(xpath)}/>' if xpath else ""
    return client.rpc_text(f"<get-config><source><running/></source>{select}{more}</get-config>")


def get(client, xpath):
    return client.rpc_text(f'<get><filter type="xpath" {DECLARED} select={quoteattr(xpath)}/></get>')


@pytest.mark.parametrize("xpath", [
    "/l:l2tpv3/l:tunnel[l:tunnel-id='1']", "/l:l2tpv3/l:tunnel[l:tunnel-id=1]/l:session[ l:session-id = '12' ]/l:mtu",
    "/l:l2tpv3/l:tunnel[l:tunnel-id='1']/l:session[l:session-id='11']/l:mtu",
    "/l:l2tpv3/l:tunnel[l:tunnel-id='01']", "/l:l2tpv3/l:tunnel[l:tunnel-id='1'][l:tunnel-id='2']",
    "/l:l2tpv3/l:tunnel/l:session[l:description='x']", "/l:l2tpv3/l:tunnel/l:session[l:description=' x ']",
    "/l:l2tpv3/l:tunnel/l:session[l:mtu='1400'][l:interface-name='pw11']/l:session-id",
    "/l:l2tpv3/l:tunnel[l:tunnel-id='1']/l:session[2]", "/l:l2tpv3/l:tunnel[2][l:tunnel-id='2']",
    "/l:l2tpv3/l:tunnel[l:tunnel-id='3'][2]", "/l:l2tpv3/l:tunnel[l:tunnel-id='3']/l:session[/l:l2tpv3/l:tunnel[l:tunnel-id=1]]",
    "/l:l2tpv3/l:tunnel[l:tunnel-id='3']/l:session[../../l:tunnel[l:tunnel-id=1]]",
    "/l:l2tpv3/l:tunnel[l:tunnel-id='3']/following::l:session", "/l:l2tpv3/l:tunnel[l:tunnel-id='1'] | //l:session[1]",
    "/l:l2tpv3/l:tunnel[l:tunnel-id='1'] | /l:l2tpv3/l:tunnel[l:tunnel-id='3']/l:session", "/l2tpv3/tunnel", "/", "//*",
])
def test_expressions_with_keys(client, xpath):
    wanted = selected_by_libxml2(data_of(get_config(client)), xpath) if xpath != "/" \
        else [canonical(child) for child in data_of(get_config(client))]
    assert [canonical(child) for child in data_of(get_config(client, xpath))] == wanted


def names(text):
    return [element.tag.rpartition("}")[2] for element in data_of(text).iter()]


def test_state_of_all_modules_can_be_searched(client):
    assert names(get(client, f"//m:session[m:session-id='{client.session_id}']/m:username")) \
        == ["data", "netconf-state", "sessions", "session", "session-id", "username"]
    assert names(get(client, "/m:netconf-state/m:datastores/m:datastore/m:name")) \
        == ["data", "netconf-state", "datastores"] + 2 * ["datastore", "name"]
    # The keys of a schema are three.
    assert names(get(client, "/m:netconf-state/m:schemas/m:schema[m:identifier='linux-l2tpv3']/m:namespace")) \
        == ["data", "netconf-state", "schemas", "schema", "identifier", "version", "format", "namespace"]
    assert names(get(client, "//y:content-id"))[:3] == ["data", "yang-library", "content-id"]
    assert names(get(client, "//l:session[l:session-id=12]/l:origin")) \
        == ["data", "l2tpv3", "tunnel", "tunnel-id", "session", "session-id", "origin"]
    assert "statistics" in names(get(client, "//l:session[l:statistics/l:tx-packets >= 0]/l:statistics"))


def test_get_data_takes_an_xpath_and_all_else(client):
    def get_data(xpath, more="", datastore="operational"):
        return client.rpc_text(f'<get-data xmlns="{NMDA}" xmlns:ds="{DATASTORES}"><datastore>ds:{datastore}</datastore>'
                               f"<xpath-filter {DECLARED}>{xpath}</xpath-filter>{more}</get-data>")
    origin = "{urn:ietf:params:xml:ns:yang:ietf-origin}origin"
    for xpath in ("//l:session[l:session-id=12]", "/l:l2tpv3/l:tunnel[l:tunnel-id=1]/l:session[l:session-id=12]"):
        data = data_of(get_data(xpath, "<with-origin/>"))
        assert data[0].get(origin) == "or:intended"
        assert data.find(f".//{{{L2TP}}}lns-mode").get(origin) == "or:default"
        assert names(get_data(xpath, "<max-depth>1</max-depth>")) \
            == ["data", "l2tpv3", "tunnel", "tunnel-id", "session", "session-id"]
        assert names(get_data(xpath, datastore="running"))[-1] == "interface-name"
        assert "lns-mode" in names(get_data(xpath, "<with-defaults>report-all</with-defaults>", "running"))
    only = "<config-filter>true</config-filter>"
    assert "lns-mode" in names(get_data(xpath, only)) and "oper-status" not in names(get_data(xpath, only))
    assert "operation-not-supported" in get_data("//l:session", only)
    with pytest.raises(RpcError) as refused:
        client.rpc(f'<get-data xmlns="{NMDA}" xmlns:ds="{DATASTORES}"><datastore>ds:running</datastore>'
                   "<xpath-filter>/</xpath-filter><subtree-filter/></get-data>")
    assert refused.value.tag == "bad-element"


@pytest.mark.parametrize("filter,tag,word", [
    ('type="xpath" select="count(//*)"', "invalid-value", "node-set"),
    ('type="xpath" select="1 + 1"', "invalid-value", "node-set"),
    ('type="xpath" select="//l:session["', "invalid-value", "character 13"),
    ('type="xpath" select=""', "invalid-value", "XPath"),
    ('type="xpath" select="//nobody:session"', "invalid-value", "prefix"),
    ('type="xpath" select="document(\'file:///etc/passwd\')"', "invalid-value", "function"),
    ('type="xpath" select="//*[$x]"', "invalid-value", "variable"),
    (f'type="xpath" select="{"(" * 100}/{")" * 100}"', "too-big", "levels"),
    (f'type="xpath" select="/*[{"1+" * 2000}1]"', "too-big", "bytes"),
    ('type="xpath"', "missing-attribute", "select"),
    ('type="subtree" select="/"', "unknown-attribute", "select"),
    ('type="xquery"', "bad-attribute", "xpath"),
])
def test_refused(client, filter, tag, word):
    with pytest.raises(RpcError) as refused:
        client.rpc(f"<get-config><source><running/></source><filter {DECLARED} {filter}/></get-config>")
    assert refused.value.tag == tag and refused.value.errors[0]["error-type"] in ("protocol", "rpc")
    assert word in refused.value.message


def test_the_attributes_may_be_in_the_namespace_of_netconf(client):
    def read(prefix):
        return client.get_config(filter=f'<filter xmlns:nc="{BASE}" {prefix}type="xpath" {prefix}select="/*"/>')
    assert [child.tag for child in read("nc:").iter()] == [child.tag for child in read("").iter()]


def test_the_capability_is_there(client):
    assert "urn:ietf:params:netconf:capability:xpath:1.0" in client.capabilities


def children(daemon):
    return Path(f"/proc/{daemon.pid}/task/{daemon.pid}/children").read_text().split()


def test_many_sessions(tmp_path):
    """Too much to search is refused, a path with keys is not, and who leaves takes the search along."""
    daemon = L2tpv3d(Here(), tmp_path, kernel="sim").start()
    try:
        with daemon.netconf() as client, daemon.netconf() as other:
            client.seconds = other.seconds = 300
            text = f"<description>{'x' * 64}</description>"
            load(client, tunnel(1, "".join(session(n, text) for n in range(100, 9600))) + tunnel(2, session(50)))
            wait_for(lambda: get(client, "/l:l2tpv3/l:tunnel[l:tunnel-id='1']/l:session[l:oper-status='up']").count(
                "<session-id>") == 9500, "the sessions", 300, pause=1)
            with pytest.raises(RpcError) as refused:
                client.rpc(f'<get><filter type="xpath" {DECLARED} select="//l:session[l:session-id=50]"/></get>')
            assert refused.value.tag == "too-big" and "tunnel-id" in refused.value.message
            assert get(client, "/l:l2tpv3/l:tunnel[l:tunnel-id='2']/l:session[last()]").count("<session-id>") == 1
            assert get_config(client, "//l:session[l:session-id=50]").count("<session-id>") == 1
            # Grows with the square of the data, and holds up nobody.
            client.send(f'<rpc xmlns="{BASE}" message-id="slow"><get-config><source><running/></source><filter type="xpath" '
                        f'{DECLARED} select="//*[//* &lt; -1 or //* &lt; -2 or count(//*[. = //*]) = -1]"/></get-config></rpc>')
            wait_for(lambda: children(daemon), "the search")
            began = time.monotonic()
            assert get(other, "/l:l2tpv3/l:tunnel[l:tunnel-id='2']/l:session[l:session-id='50']").count("<session-id>") == 1
            assert time.monotonic() - began < 2 and children(daemon)
            client.close()
            wait_for(lambda: not children(daemon), "the search to end with its client")
    finally:
        daemon.stop()
