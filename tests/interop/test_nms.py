"""docs/nms: each part by the program that it is for, fed by a daemon on the simulated kernel through a real snmpd."""
import json
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
from lib.daemons import CHECKOUT, L2TPV3CTL, L2TPV3D, L2tpv3d, Snmpd, free_port  # noqa: E402
from lib.here import Here  # noqa: E402
from lib.netconf import L2TP  # noqa: E402
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
DASHBOARD = json.loads((nms.DOCS / "grafana.json").read_text())


def need(*programs):
    missing = [name for name in programs if not shutil.which(name)]
    return pytest.mark.skipif(bool(missing), reason=f"{', '.join(missing)} not installed")


@pytest.fixture(scope="module")
def router(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nms")
    port = free_port()
    snmpd = Snmpd(Here(), folder / "snmpd", port=port).start()
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


def test_the_dashboards_variables_have_values(prometheus):
    for variable in DASHBOARD["templating"]["list"][1:]:
        selector, label = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["definition"]).groups()
        selector = selector.replace("$job", "node").replace("$instance", ".*")
        assert prometheus.query(f"count by ({label}) ({selector})"), variable["name"]


def test_the_dashboard_is_laid_out_without_gaps_or_overlaps():
    cells = [(x, y) for panel in DASHBOARD["panels"] for at in [panel["gridPos"]]
             for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])]
    assert len(cells) == len(set(cells)) == 24 * (1 + max(y for _, y in cells))
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
