"""PW-STD-MIB and PW-ENET-STD-MIB through a real snmpd: what a management system that knows only them sees,
read back against NETCONF."""
import ipaddress
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import observium  # noqa: E402
from lib.built import need_built  # noqa: E402
from lib.daemons import CHECKOUT, L2TPV3D  # noqa: E402
from lib.netconf import L2TP  # noqa: E402
from lib.snmp import ROOT, SnmpError  # noqa: E402
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


def peer_index(session, *, by_id):
    """Of a row of pwIndexMappingTable or pwPeerMappingTable."""
    address = ipaddress.ip_address(session["remote-address"])
    peer = [{4: 1, 6: 2}[address.version], len(address.packed), *address.packed]
    pseudowire = [TYPES[session["pseudowire-type"]], int(session.get("pseudowire-id", 0))]
    return tuple(pseudowire + peer if by_id else peer + pseudowire)


def test_pseudowires_are_found_by_peer_and_by_id(site):
    sessions = site.sessions()
    by_peer = {peer_index(session, by_id=False): number for number, session in sorted(sessions.items(), reverse=True)}
    by_id = {peer_index(session, by_id=True): number for number, session in sessions.items()
             if "pseudowire-id" in session}
    for table, expected in ((7, by_id), (8, by_peer)):
        column = f"{PW}.1.{table}.1.5"
        walk = {tuple(map(int, oid.removeprefix(column + ".").split("."))): value
                for oid, value in site.snmp.bulk_walk(f"{PW}.1.{table}").items()}
        assert walk == expected and list(walk) == sorted(walk)
    assert len(by_id) == 1
    assert site.snmp.get(f"{PW}.1.8.1.5.1.4.192.0.2.2.5.7001") == 11
    assert site.snmp.get(f"{PW}.1.8.1.5.1.4.192.0.2.2.5.7002") is None


@pytest.fixture(scope="module")
def modules():
    """The texts of the modules that we serve, as smidump reads them."""
    found = subprocess.run([CHECKOUT / "mibs/texts", "PW-STD-MIB", "PW-ENET-STD-MIB", "PW-TC-STD-MIB", "IANA-PWE3-MIB",
                            "PerfHist-TC-MIB", "HC-PerfHist-TC-MIB"], text=True, capture_output=True, check=False)
    if found.returncode == 77:
        pytest.skip(found.stderr.strip())
    path = f"{found.stdout.strip()}:{CHECKOUT / 'mibs'}"
    return {name: ET.fromstring(subprocess.run(["smidump", "-k", "-c", "/dev/null", "-f", "xml", name], check=True, text=True,
                                               capture_output=True, env={**os.environ, "SMIPATH": path}).stdout)
            for name in ("LINUX-L2TPV3-MIB", "PW-STD-MIB", "PW-ENET-STD-MIB")}


def test_the_capabilities_are_what_is_served(site, modules):
    """All objects of each group that they name are served, but for those said not to be implemented, and no others."""
    text = (CHECKOUT / "mibs/L2TPV3D-CAPABILITIES-MIB").read_text()
    walked = [oid for root in (ROOT, PW, PW_ENET) for oid in site.snmp.bulk_walk(root)]
    for name, part in re.findall(r"SUPPORTS\s+(\S+)(.*?)(?=SUPPORTS|::=)", text.split("AGENT-CAPABILITIES")[2], re.S):
        module = modules[name]
        claimed = set(re.search(r"INCLUDES\s*{(.*?)}", part, re.S)[1].replace(",", " ").split())
        absent = set(re.findall(r"VARIATION\s+(\S+)\s+ACCESS\s+not-implemented", part))
        oids = {node.get("name"): node.get("oid") for kind in ("column", "scalar") for node in module.iter(kind)
                if node.findtext("access") != "notifyonly"}
        for group in module.iter("group"):
            for member in (m.get("name") for m in group.iter("member") if m.get("name") in oids):
                served = any(oid.startswith(oids[member] + ".") for oid in walked)
                assert served == (group.get("name") in claimed and member not in absent), member


def test_standard_columns_are_read_only(site):
    for oid, kind, value in ((f"{PW_ENTRY}.33.11", "s", "x"), (f"{PW_ENTRY}.44.11", "i", 6),
                             (f"{PW}.1.9.0", "i", 1), (f"{ENET_ENTRY}.2.11.1", "i", 5)):
        with pytest.raises(SnmpError) as refused:
            site.snmp.set((oid, kind, value))
        assert refused.value.status == "notWritable"
