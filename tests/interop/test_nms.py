"""docs/nms: each part by the program that it is for, fed by a daemon on the simulated kernel through a real snmpd."""
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import nms, table  # noqa: E402
from lib.built import need_built  # noqa: E402
from lib.daemons import CHECKOUT, L2TPV3CTL, L2TPV3D, L2tpv3d, Snmpd, Snmptrapd, free_port  # noqa: E402
from lib.here import Here  # noqa: E402
from lib.netconf import L2TP  # noqa: E402
from lib.snmp import ROOT  # noqa: E402
from lib.waiting import wait_for  # noqa: E402

need_built(L2TPV3D, L2TPV3CTL)
NAME, DESCRIPTION = 'a"b\\c', 'to "Ulm" \\ ä'
CONFIG = f"""<l2tpv3 xmlns="{L2TP}">
<tunnel><tunnel-id>1</tunnel-id><peer-tunnel-id>2</peer-tunnel-id><description>{DESCRIPTION}</description>
 <local-address>192.0.2.1</local-address><remote-address>192.0.2.2</remote-address>
 <session><session-id>11</session-id><peer-session-id>1</peer-session-id><interface-name>{NAME}</interface-name></session>
 <session><session-id>12</session-id><peer-session-id>2</peer-session-id><interface-name>pw12</interface-name></session></tunnel>
<tunnel><tunnel-id>2</tunnel-id><peer-tunnel-id>2</peer-tunnel-id><local-port>2</local-port><enabled>false</enabled>
 <local-address>192.0.2.1</local-address><remote-address>192.0.2.3</remote-address>
 <session><session-id>21</session-id><peer-session-id>3</peer-session-id><interface-name>pw21</interface-name></session></tunnel>
</l2tpv3>"""
SECURE = yaml.safe_load(re.search(r"^    version: 3\n(?:    .*\n)+", (nms.DOCS / "README.md").read_text(), re.M)[0])
DASHBOARD = json.loads((nms.DOCS / "grafana.json").read_text())


MANY = f"""<l2tpv3 xmlns="{L2TP}"><tunnel><tunnel-id>3</tunnel-id><peer-tunnel-id>3</peer-tunnel-id><local-port>3</local-port>
 <local-address>192.0.2.1</local-address><remote-address>192.0.2.4</remote-address>{"".join(
    f"<session><session-id>{n}</session-id><peer-session-id>{n}</peer-session-id></session>" for n in range(31, 51))}
</tunnel></l2tpv3>"""


def need(*programs):
    missing = [name for name in programs if not shutil.which(name)]
    return pytest.mark.skipif(bool(missing), reason=f"{', '.join(missing)} not installed")


@pytest.fixture(scope="module")
def router(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nms")
    port = free_port()
    snmpd = Snmpd(Here(), folder / "snmpd", 'createUser {username} SHA-256 "{password}" AES "{priv_password}"'.format(**SECURE["auth"]),
                  "rouser l2tpv3read authpriv", port=port).start()
    daemon = L2tpv3d(Here(), folder, snmp_master=snmpd.master, kernel="sim").start()
    daemon.wait_for_log("connected to the AgentX master")
    daemon.ctl("push", "-", input=CONFIG)
    yield SimpleNamespace(folder=folder, snmpd=snmpd, daemon=daemon, target=f"127.0.0.1:{port}")
    daemon.stop()
    snmpd.stop()
    assert "ERROR: " not in daemon.log()  # a sanitizer's


# ---- Prometheus


@need("prometheus-snmp-generator")
def test_the_module_is_what_the_generator_makes_of_the_mib(tmp_path):
    done = subprocess.run([nms.DOCS / "generate", tmp_path / "snmp.yml"], capture_output=True, text=True)
    if done.returncode == 77:
        pytest.skip(done.stderr)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "snmp.yml").read_text() == (nms.DOCS / "snmp.yml").read_text(), "run `make docs`"


@need("prometheus-snmp-exporter")
def test_the_exporter_asks_by_version_3_as_the_page_says(router, tmp_path):
    modules = yaml.safe_load((nms.DOCS / "snmp.yml").read_text())
    modules["l2tpv3"].update(SECURE)
    (tmp_path / "snmp.yml").write_text(yaml.safe_dump(modules))
    exporter = nms.SnmpExporter(tmp_path, tmp_path / "snmp.yml").start()
    try:
        assert "l2tpv3SessionCount 3\n" in exporter.scrape(router.target)
        assert "l2tpv3SessionCount 3\n" in exporter.scrape(router.target, "l2tpv3_status")
    finally:
        exporter.stop()


@need("promtool")
def test_promtool_takes_configuration_and_alerts():
    for words in (["check", "config", "--lint=all", "--lint-fatal", nms.DOCS / "prometheus.yml"],
                  ["check", "rules", "--lint=all", "--lint-fatal", nms.DOCS / "alerts.yml"]):
        done = subprocess.run(["promtool", *words], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


@need("promtool")
def test_each_alert_fires_when_it_should_and_only_then():
    cases = CHECKOUT / "tests" / "data" / "nms" / "alerts-test.yml"
    done = subprocess.run(["promtool", "test", "rules", cases], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    tested = set(re.findall(r"alertname: (\w+), *$|alertname: (\w+)$", cases.read_text(), re.M))
    assert {one or other for one, other in tested} == \
        set(re.findall(r"alert: (\w+)", (nms.DOCS / "alerts.yml").read_text()))


@pytest.fixture(scope="module")
def prometheus(router):
    """Which scrapes the router through both exporters, and has done so since a commit and before one."""
    for name in nms.PROGRAMS:
        if not shutil.which(name):
            pytest.skip(f"{name} is not installed")
    textfiles = router.folder / "textfiles"
    textfiles.mkdir()
    (textfiles / "l2tpv3.prom").write_text(router.daemon.ctl("show", "--prometheus").stdout)
    started = [nms.SnmpExporter(router.folder).start(), nms.NodeExporter(router.folder, textfiles).start()]
    prometheus = nms.Prometheus(router.folder / "prometheus", router.target, *(one.address for one in started))
    started.append(prometheus.start())
    try:
        wait_for(lambda: prometheus.query("count_over_time(l2tpv3Generation[1m]) > 1"), "scrapes through snmp_exporter")
        router.daemon.ctl("set", "session", "tid", "1", "sid", "12", "description", "another")
        wait_for(lambda: prometheus.query("increase(l2tpv3Generation[1m]) > 0")
                 and prometheus.query("rate(l2tpv3_session_tx_bytes_total[1m])"), "the commit to be seen, and the file twice")
        yield prometheus
    finally:
        for process in reversed(started):
            process.stop()


def test_both_exporters_tell_the_same_under_the_same_labels(prometheus):
    pairs = [(f"{row.mib_prefix}{row.descriptor}", f"l2tpv3_{row.object}_{row.leaf.replace('-', '_')}_total")
             for row in table.rows() if row.type == "counter"]
    pairs += [(f"l2tpv3{name.capitalize()}OperStatus", f"l2tpv3_{name}_oper_status") for name in ("tunnel", "session")]

    def series(name):
        return {(labels["tunnel_id"], labels.get("session_id"), labels.get("interface_name")): value
                for labels, value in prometheus.query(name)}
    for snmp, text in pairs:
        told = series(text)
        # SNMP cannot leave a column out: what is disabled has counters of 0.
        absent = {("2", None if "tunnel" in text else "21", None if "tunnel" in text else "pw21"): 0} if text.endswith("_total") else {}
        assert series(snmp) == absent | told and told, snmp
    assert ("1", "11", NAME) in series("l2tpv3SessionOperStatus")
    for info in "l2tpv3_tunnel_info", "l2tpv3TunnelOperStatus":
        assert DESCRIPTION in {labels.get("description") for labels, _ in prometheus.query(info)}, info


def expressions():
    """(what it is for, the query with its variables filled in as Grafana does)"""
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            yield f"{panel['title']} {target['refId']}", target["expr"]


def test_there_is_every_metric_that_alerts_and_dashboard_ask_for(prometheus):
    alerts = yaml.safe_load((nms.DOCS / "alerts.yml").read_text())["groups"][0]["rules"]
    for expression in [rule["expr"] for rule in alerts] + [expression for _, expression in expressions()]:
        names = re.findall(r"\b(?:l2tpv3|snmp_|node_)\w*", re.sub(r'\b(?!__name__)\w+(?:=|!=|=~|!~)"[^"]*"', "", expression))
        assert names or "up" in expression or "scrape_duration" in expression
        assert set(names) <= set(prometheus.ask("label/__name__/values")), expression


@pytest.mark.parametrize("job, silent", [
    ("l2tpv3", {"What polling costs B": 0}),
    ("node", {"Commits A": 0, "What polling costs A": 0}),  # only snmp_exporter tells
])
def test_the_dashboard_shows_something_in_each_panel(prometheus, job, silent):
    for what, expression in expressions():
        for variable, value in (("$job", job), ("$instance", ".*"), ("$tunnel", ".*"), ("$__rate_interval", "1m"),
                                ("$__interval", "1m")):
            expression = expression.replace(variable, value)
        assert "$" not in expression
        if "Sessions by status" in what:
            continue  # of no status must there be a session
        assert bool(prometheus.query(expression)) or what in silent, (what, expression)


def test_the_dashboard_counts_what_is_there(prometheus):
    values = {}
    for what, expression in expressions():
        for variable, value in (("$job", "node"), ("$instance", ".*"), ("$tunnel", ".*"), ("$__rate_interval", "1m")):
            expression = expression.replace(variable, value)
        if "$" not in expression:
            values[what] = prometheus.query(expression)
    assert [values[name][0][1] for name in ("Sessions up A", "Sessions not up A", "Peers silent A", "Tunnels not up A")] \
        == [2, 1, 0, 1]
    (labels, status), = values["Not up, and why A"]
    assert (labels["session_id"], labels["status_reason"], status) == ("21", "tunnel-not-up", 2)
    assert {what: found[0][1] for what, found in values.items() if "by status" in what and found} == \
        {"Sessions by status A": 2, "Sessions by status B": 1}


def test_nobody_asks_for_a_counter_that_never_counts():
    """The kernel counts discards of sessions alone, and malformed packets of tunnels alone; the MIB says of each "always 0"."""
    texts = re.findall(r"^(l2tpv3\w+) OBJECT-TYPE(.*?)::=", table.MIB.read_text(), re.M | re.S)
    silent = {name for name, text in texts if re.search(r"always\s+0", text)}
    silent |= {f"l2tpv3_{row.object}_{row.leaf.replace('-', '_')}_total" for row in table.rows()
               if row.type == "counter" and f"{row.mib_prefix}{row.descriptor}" in silent}
    assert {"l2tpv3TunnelStatsRxErrors", "l2tpv3_session_rx_invalid_total"} <= silent
    alerts = yaml.safe_load((nms.DOCS / "alerts.yml").read_text())["groups"][0]["rules"]
    for what, expression in [(rule["alert"], rule["expr"]) for rule in alerts] + list(expressions()):
        assert not silent & set(re.findall(r"\w+", expression)), what


def test_the_dashboards_variables_have_values(prometheus):
    for variable in DASHBOARD["templating"]["list"][1:]:
        selector, label = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]["query"]).groups()
        selector = selector.replace("$job", "node").replace("$instance", ".*")
        assert prometheus.query(f"count by ({label}) ({selector})"), variable["name"]


def test_the_dashboard_is_laid_out_without_gaps_or_overlaps():
    cells = [(x, y) for panel in DASHBOARD["panels"] for at in [panel["gridPos"]]
             for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])]
    assert len(cells) == len(set(cells)) == 24 * (1 + max(y for _, y in cells))
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


# ---- traps


def texts():
    """The folders of all MIB texts, as MIBDIRS."""
    done = subprocess.run([CHECKOUT / "mibs" / "texts"], capture_output=True, text=True)
    return f"{CHECKOUT}/mibs:{done.stdout.strip()}" if done.returncode == 0 else pytest.skip(done.stderr)


class Snmptt(Snmptrapd):
    """snmptrapd with docs/nms/snmptrapd.conf, and snmptt behind it, both as the comments there say."""

    def __init__(self, folder):
        super().__init__(Here(), folder, port=free_port())
        self.words = folder / "snmptt.log"
        page = (nms.DOCS / "snmptt.conf").read_text()
        ini = Path("/etc/snmp/snmptt.ini").read_text()
        for name, value in {"snmptt_conf_files": f"<<END\n{nms.DOCS}/snmptt.conf\nEND", "log_file": self.words,
                            "syslog_enable": 0, "syslog_system_enable": 0, "spool_directory": folder,
                            **dict(re.findall(r"^#   (net_snmp_perl_enable|mibs_environment) = (.*)$", page, re.M))}.items():
            ini, count = re.subn(rf"(?m)^#?{name} *=.*(\n(?:.*\n)*?END$)?" if "files" in name else rf"(?m)^#?{name} *=.*$",
                                 lambda _: f"{name} = {value}", ini)
            assert count == 1, name
        (folder / "snmptt.ini").write_text(ini)
        config = (nms.DOCS / "snmptrapd.conf").read_text()
        config = config.replace("#authCommunity log,execute COMMUNITY", "authCommunity log,execute public")
        config = config.replace("#traphandle default /usr/sbin/snmptt", f"traphandle default /usr/sbin/snmptt --ini={folder}/snmptt.ini")
        self.config.write_text(config)
        self.env.update(MIBS="LINUX-L2TPV3-MIB", MIBDIRS=texts())

    def start(self):
        self.launch(["snmptrapd", "-f", "-Lo", "-C", "-c", self.config, self.address], self.listening)
        return self


@need("snmptrapd", "snmptt")
def test_a_notification_becomes_a_line_and_a_sentence(tmp_path):
    trapd = Snmptt(tmp_path / "trapd").start()
    snmpd = Snmpd(Here(), tmp_path / "snmpd", trapd.sink, port=free_port()).start()
    daemon = L2tpv3d(Here(), tmp_path, "--notify", "--notify-each", "2", snmp_master=snmpd.master, kernel="sim").start()
    try:
        daemon.wait_for_log("connected to the AgentX master")
        daemon.ctl("push", "-", input=CONFIG.replace("<enabled>false</enabled>", ""))
        wait_for(lambda: "Pseudowire pw21 up" in trapd.words.read_text(), "the sentence of one session")
        daemon.ctl("push", "-", input=MANY)
        wait_for(lambda: "Normal" in trapd.words.read_text() and "pseudowires up" in trapd.words.read_text(), "that of many")
        daemon.ctl("set", "tunnel", "tunnel_id", "2", "enabled", "off")
        sentences = ["Normal .* Tunnel up [(]l2tpv3TunnelOperStatus.1[)]", rf"Normal .* Pseudowire {re.escape(NAME)} up [(].*Name.1.11[)]",
                     "Critical .* Tunnel down, disabled [(].*Status.2[)]: enabled is false",
                     "Major .* Pseudowire pw21 (down|waiting), tunnelNotUp [(].*Name.2.21[)]: its tunnel is not up",
                     r"Normal .* \d+ pseudowires up: from .*Status.3.\d+ to .*Status.3.\d+"]
        wait_for(lambda: all(re.search(sentence, trapd.words.read_text()) for sentence in sentences), f"sentences in {trapd.words}")
        assert re.search(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \S+ .*l2tpv3TunnelStateChange.*l2tpv3TunnelOperStatus.1 = INTEGER: up",
                         trapd.log(), re.M), trapd.log()
    finally:
        daemon.stop()
        snmpd.stop()
        trapd.stop()


def test_snmptt_knows_every_notification():
    events = re.findall(r"^EVENT \w+ \.(\S+) ", (nms.DOCS / "snmptt.conf").read_text(), re.M)
    arcs = re.findall(r"^\w+ NOTIFICATION-TYPE.*?::= \{ l2tpv3Notifications (\d+) \}", table.MIB.read_text(), re.M | re.S)
    assert arcs and {f"{ROOT}.0.{arc}" for arc in arcs} <= set(events)


# ---- Zabbix

ZABBIX = yaml.safe_load((nms.DOCS / "zabbix.yaml").read_text())["zabbix_export"]


def everything(node):
    """Each mapping of the template."""
    if isinstance(node, dict):
        yield node
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else []:
        yield from everything(inner)


def test_zabbix_finds_a_value_at_each_oid_of_what_it_discovers(router):
    """As its low-level discovery does: a walk gives the instances, and each prototype becomes an item of each."""
    snmp, (template,) = router.snmpd.manager("public"), ZABBIX["templates"]
    assert all(snmp.get(item["snmp_oid"]) is not None for item in template["items"])
    found = {}
    for rule in template["discovery_rules"]:
        column = re.fullmatch(r"discovery\[\{#\w+\},([\d.]+)\]", rule["snmp_oid"])[1]
        instances = [oid.removeprefix(f"{column}.") for oid in snmp.walk(column)]
        oids = {item["snmp_oid"].replace("{#SNMPINDEX}", instance): (rule["key"], instance)
                for instance in instances for item in rule["item_prototypes"]}
        for oid, value in zip(oids, snmp.get(*oids)):
            assert value is not None, oid
            found.setdefault(oids[oid], []).append(value)
    assert {instance for _, instance in found} == {"1", "2", "1.11", "1.12", "2.21"}
    counters = len([row for row in table.rows() if row.type == "counter" and row.object == "session"])
    assert all(len(values) == counters + 2 for values in found.values())


def test_zabbixs_template_is_coherent():
    """It was imported into Zabbix 6.0.14, which then polled a router by it; this is what it checks first."""
    (template,) = ZABBIX["templates"]
    uuids = [node["uuid"] for node in everything(ZABBIX) if "uuid" in node]
    assert len(uuids) == len(set(uuids))
    assert all(re.fullmatch("[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}", uuid) for uuid in uuids)
    keys = {node["key"] for node in everything(template) if "key" in node}
    for node in everything(template):
        for host, key in re.findall(r"\w+\(/([^/]+)/([\w.-]+(?:\[[^]]*\])?)", node.get("expression", "")):
            assert host == template["template"] and key in keys, key
    maps = {one["name"]: {int(row["value"]): row["newvalue"] for row in one["mappings"]} for one in template["valuemaps"]}
    for leaf in "oper-status", "status-reason":
        words = {word["value"]: word["name"] for word in table.row_of("session", leaf).words}
        assert maps[f"L2TPv3 {leaf}"] == words
    assert {node["valuemap"]["name"] for node in everything(template) if "valuemap" in node} == set(maps)
    macros = set(re.findall(r"\{\$[\w.]+\}", str(template["discovery_rules"])))
    assert macros == {macro["macro"] for macro in template["macros"]}
