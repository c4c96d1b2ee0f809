"""PW-STD-MIB and PW-ENET-STD-MIB through a real snmpd: what a management system that knows only them sees,
read back against NETCONF."""
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import observium  # noqa: E402
from lib.built import need_built  # noqa: E402
from lib.daemons import L2TPV3D  # noqa: E402
from lib.netconf import L2TP  # noqa: E402
from lib.snmp import SnmpError  # noqa: E402
from lib.waiting import wait_for  # noqa: E402
from test_snmp import Bench  # noqa: E402

need_built(L2TPV3D)
PW, PW_ENET = "1.3.6.1.2.1.10.246", "1.3.6.1.2.1.180"
PW_ENTRY, ENET_ENTRY = f"{PW}.1.2.1", f"{PW_ENET}.1.1.1"
TYPES = {"ethernet-vlan": 4, "ethernet": 5, "ppp": 7}

CONFIG = f"""<l2tpv3 xmlns="{L2TP}">
<tunnel><tunnel-id>1</tunnel-id><peer-tunnel-id>2</peer-tunnel-id>
 <local-address>192.0.2.1</local-address><remote-address>192.0.2.2</remote-address>
 <session><session-id>11</session-id><peer-session-id>4294967295</peer-session-id>
  <interface-name>one</interface-name><description>to Bern</description>
  <pseudowire-id>7001</pseudowire-id></session>
 <session><session-id>4294967295</session-id><peer-session-id>1</peer-session-id>
  <pseudowire-type>ethernet-vlan</pseudowire-type><vlan-id>7</vlan-id></session></tunnel>
<tunnel><tunnel-id>2</tunnel-id><peer-tunnel-id>2</peer-tunnel-id>
 <encapsulation>ip</encapsulation><local-address>192.0.2.1</local-address>
 <remote-address>192.0.2.9</remote-address><enabled>false</enabled>
 <session><session-id>12</session-id><peer-session-id>3</peer-session-id></session></tunnel>
<tunnel><tunnel-id>3</tunnel-id><peer-tunnel-id>1</peer-tunnel-id>
 <local-address>2001:db8::1</local-address><remote-address>2001:db8::2</remote-address>
 <session><session-id>2147483648</session-id><peer-session-id>3</peer-session-id>
  <pseudowire-type>ppp</pseudowire-type></session>
 <session><session-id>1</session-id><peer-session-id>3</peer-session-id>
  <enabled>false</enabled></session></tunnel>
</l2tpv3>"""


class Site(Bench):
    def sessions(self):
        """{session id: {leaf: text}} as NETCONF tells them, with their tunnel's remote-address."""
        with self.daemon.netconf() as client:
            data = client.get()
        return {int(session.findtext("{*}session-id")):
                {"remote-address": tunnel.findtext("{*}remote-address"), "pseudowire-type": "ethernet",
                 **{leaf.tag.split("}")[1]: leaf.text for leaf in session}}
                for tunnel in data.iter(f"{{{L2TP}}}tunnel")
                for session in tunnel.iter(f"{{{L2TP}}}session")}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    site = Site(tmp_path_factory.mktemp("pseudowires")).start()
    site.push(CONFIG)
    wait_for(lambda: site.snmp.get(f"{PW_ENET}.1.2.1.2.11") is not None, "the last of the tables")
    yield site
    site.stop()


def test_observium_discovers_what_netconf_tells(site):
    found, sessions = observium.discover(site.snmp), site.sessions()
    assert len(sessions) == 5
    assert list(found) == sorted(i for i, s in sessions.items() if s.get("enabled") != "false")
    for index, row in found.items():
        session = sessions[index]
        assert row["pwID"] == int(session.get("pseudowire-id", 0))
        assert row["pwName"].decode() == session.get("interface-name", "")
        assert row["pwDescr"].decode() == session.get("description", "")
        assert (row["pwType"], row["pwPsnType"]) == (TYPES[session["pseudowire-type"]], 2)
        assert row["peer"] == session["remote-address"]
        assert row["pwOutboundLabel"] == int(session["peer-session-id"])
        assert row["pwInboundLabel"] == index
        assert row["pwRemoteIfString"] == b""


def test_observium_polls_status_and_up_time(site):
    discovered = observium.discover(site.snmp)
    polled, sessions = observium.poll(site.snmp, discovered), site.sessions()
    events = {"up": "ok", "down": "alert"}
    assert set(polled) == set(discovered)
    for index, row in polled.items():
        assert row["event"] == events[sessions[index]["oper-status"]]
        assert (row["pwUpTime"] > 0) == (row["event"] == "ok")
        assert row["pwLocalStatus"] == (b"\0" if row["event"] == "ok" else b"\x80")
        assert row["pwRemoteStatus"] == b"\0"
    assert polled[12]["pwOperStatus"] == 6  # its tunnel is disabled: lowerLayerDown


def test_disabled_sessions_have_rows(site):
    """Else Observium, which counts rows, would discover again at each poll."""
    assert site.snmp.get(*(f"{PW_ENTRY}.{n}.1" for n in (37, 38, 44, 45))) == [2, 2, 2, 3]


def test_walks_are_in_order_and_end_with_the_module(site):
    for root in (PW, PW_ENET):
        seen = list(site.snmp.walk(root))
        assert seen == list(site.snmp.bulk_walk(root))
        numbers = [tuple(map(int, oid.split("."))) for oid in seen]
        assert numbers == sorted(numbers)
        assert all(oid.startswith(root + ".") for oid in seen)
    assert len(site.snmp.walk(f"{PW_ENTRY}.38")) == 5
    assert list(site.snmp.walk(f"{ENET_ENTRY}.2").values()) == [4095, 4095, 4095, 7]
    assert not site.snmp.get_next(f"{PW_ENET}.1.2.1.2.4294967295")[0].startswith(PW_ENET)


def test_standard_columns_are_read_only(site):
    for oid, kind, value in ((f"{PW_ENTRY}.33.11", "s", "x"), (f"{PW_ENTRY}.44.11", "i", 6),
                             (f"{PW}.1.9.0", "i", 1), (f"{ENET_ENTRY}.2.11.1", "i", 5)):
        with pytest.raises(SnmpError) as refused:
            site.snmp.set((oid, kind, value))
        assert refused.value.status == "notWritable"
