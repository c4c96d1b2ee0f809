"""`l2tpv3ctl show --prometheus`: the text format, against NETCONF and promtool."""
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import table  # noqa: E402
from lib.built import need_built  # noqa: E402
from lib.daemons import CHECKOUT, L2TPV3CTL, L2TPV3D, L2tpv3d  # noqa: E402
from lib.here import Here  # noqa: E402
from lib.netconf import L2TP  # noqa: E402

need_built(L2TPV3D, L2TPV3CTL)
SAMPLE = re.compile(r'(\w+)\{((?:\w+="(?:[^"\\]|\\.)*",?)*)\} (\d+)')
ODD = 'a "b" \\ {c="d"} e, \u00e4'
CONFIG = f"""<l2tpv3 xmlns="{L2TP}">
<tunnel><tunnel-id>1</tunnel-id><peer-tunnel-id>2</peer-tunnel-id>
 <local-address>192.0.2.1</local-address><remote-address>192.0.2.2</remote-address><description>{ODD}</description>
 <session><session-id>11</session-id><peer-session-id>1</peer-session-id><interface-name>a"b\\c</interface-name></session>
 <session><session-id>12</session-id><peer-session-id>1</peer-session-id><description>{ODD}</description></session></tunnel>
<tunnel><tunnel-id>2</tunnel-id><peer-tunnel-id>2</peer-tunnel-id><local-port>2</local-port><enabled>false</enabled>
 <local-address>192.0.2.1</local-address><remote-address>192.0.2.9</remote-address>
 <session><session-id>21</session-id><peer-session-id>1</peer-session-id><pseudowire-type>ppp</pseudowire-type></session>
</tunnel></l2tpv3>"""


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    daemon = L2tpv3d(Here(), tmp_path_factory.mktemp("prometheus"), kernel="sim").start()
    daemon.ctl("push", "-", input=CONFIG)
    yield daemon
    daemon.stop()


def unescape(value):
    return re.sub(r"\\(.)", lambda match: "\n" if match[1] == "n" else match[1], value)


def samples(text):
    """[(name, {label: value}, number)] in their order; every line is one, or a comment."""
    found = []
    for line in text.splitlines():
        if not line.startswith("#"):
            name, labels, number = SAMPLE.fullmatch(line).groups()
            pairs = re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', labels)
            found.append((name, {label: unescape(value) for label, value in pairs}, int(number)))
    return found


def keyed(text):
    return {(name, labels["tunnel_id"], labels.get("session_id")): (labels, number)
            for name, labels, number in samples(text)}


def test_it_says_what_netconf_says(daemon):
    found = keyed(daemon.ctl("show", "--prometheus").stdout)
    with daemon.netconf() as client:
        data = client.get()
    words = {word["name"]: word["value"] for word in table.row_of("session", "oper-status").words}
    counted = 0
    for name in "tunnel", "session":
        counters = [row.leaf for row in table.rows() if row.type == "counter" and row.object == name]
        parents = {child: parent for parent in data.iter() for child in parent}
        for entry in data.iter(f"{{{L2TP}}}{name}"):
            keys = ((entry.findtext("{*}tunnel-id"), None) if name == "tunnel" else
                    (parents[entry].findtext("{*}tunnel-id"), entry.findtext("{*}session-id")))
            expected = {f"{leaf.replace('-', '_')}_total": entry.findtext(f"{{*}}statistics/{{*}}{leaf}") for leaf in counters}
            expected = {leaf: int(value) for leaf, value in expected.items() if value is not None}
            expected |= {"oper_status": words[entry.findtext("{*}oper-status")], "info": 1}
            for leaf, value in expected.items():
                labels, number = found.pop((f"l2tpv3_{name}_{leaf}", *keys))
                assert number == value, (leaf, keys)
                assert labels.get("interface_name") == (entry.findtext("{*}interface-name") if name == "session" else None)
                if leaf == "info":
                    assert labels.get("description") == entry.findtext("{*}description")
                    assert labels["status_reason"] == entry.findtext("{*}status-reason")
            counted += 1
    assert counted == 5 and not found


def test_samples_of_a_name_stand_together_behind_its_help_and_type(daemon):
    seen, kinds = [], {}
    lines = daemon.ctl("show", "--prometheus").stdout.splitlines()
    assert lines.pop() == "# EOF"
    for line in lines:
        if line.startswith("# TYPE"):
            seen.append(line.split()[2])
            kinds[seen[-1]] = line.split()[3]
            continue
        name = line.split()[2] if line.startswith("# HELP") else SAMPLE.fullmatch(line)[1]
        assert line.startswith("# HELP") and name not in seen or name == seen[-1]
    assert len(seen) == len(set(seen))
    assert all((kind == "counter") == name.endswith("_total") for name, kind in kinds.items())


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed (Debian: prometheus)")
@pytest.mark.parametrize("words", [[], ["session", "session_id", "99"]], ids=["all", "nothing"])
def test_promtool_has_nothing_to_say(daemon, words):
    text = daemon.ctl("show", "--prometheus", *words).stdout
    assert bool(samples(text)) != bool(words)
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("words, expected", [
    (["tunnel"], {("1", None), ("2", None)}),
    (["session", "tid", "1"], {("1", "11"), ("1", "12")}),
    (["session", "oper-status", "up", "sid", "12"], {("1", "12")}),
    (["tunnel", "sid", "21"], {("2", None)}),
])
def test_conditions_select(daemon, words, expected):
    found = samples(daemon.ctl("show", "--prometheus", *words).stdout)
    assert {(labels["tunnel_id"], labels.get("session_id")) for _, labels, _ in found} == expected


@pytest.mark.parametrize("words", [["get", "--prometheus"], ["show", "session", "-j", "--prometheus"],
                                   ["show", "session", "-s", "--prometheus"]])
def test_it_is_a_form_of_show_and_of_its_own(daemon, words):
    done = daemon.ctl(*words, check=False)
    assert done.returncode == 2 and not done.stdout and "--prometheus" in done.stderr


def test_the_unit_writes_a_whole_file_or_none(daemon, tmp_path):
    unit = (CHECKOUT / "docs/install/l2tpv3d-prometheus.service").read_text()
    command = re.search(r"^ExecStart=/bin/sh -c '(.*)'$", unit, re.M)[1]

    def write(socket):
        script = command.replace("@PREFIX@/bin/l2tpv3ctl", f"{L2TPV3CTL} -S {socket}")
        return subprocess.run(["sh", "-c", script], cwd=tmp_path, capture_output=True).returncode
    assert write(daemon.socket) == 0
    whole = (tmp_path / "l2tpv3.prom").read_text()
    assert whole.endswith("# EOF\n") and [path.name for path in tmp_path.glob("*")] == ["l2tpv3.prom"]
    assert write("/nonexistent") != 0
    assert (tmp_path / "l2tpv3.prom").read_text() == whole
