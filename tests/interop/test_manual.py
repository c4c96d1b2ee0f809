"""Every line of the manual of `ip l2tp`, in both orders, on the simulated kernel: tests/data/cli/manual."""
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import doors, manual, table  # noqa: E402
from lib.built import need_built  # noqa: E402
from lib.daemons import CHECKOUT, L2TPV3CTL, L2TPV3D, L2tpv3d, Snmpd  # noqa: E402
from lib.here import Here  # noqa: E402
from lib.netconf import BASE, L2TP  # noqa: E402
from lib.snmp_wire import Wire  # noqa: E402
from lib.waiting import wait_for  # noqa: E402

need_built(L2TPV3D, L2TPV3CTL)
PORT = 16577
START = ("<tunnel><tunnel-id>1</tunnel-id><peer-tunnel-id>2</peer-tunnel-id><local-address>10.0.0.1"
         "</local-address><remote-address>10.0.0.2</remote-address>{}</tunnel>")
SESSION = "<session><session-id>5</session-id><peer-session-id>6</peer-session-id></session>"
PARAMETERS, REFUSED = manual.lines_of("parameters"), manual.lines_of("refused")
PAGE = CHECKOUT / "docs" / "ip-l2tp.md"
# Of iproute2 5.0 to 7.1, ip/ipl2tp.c parse_args(), whatever the command and the object.
IPROUTE2 = ("encap name remote local tunnel_id tid peer_tunnel_id ptid session_id sid peer_session_id psid "
            "udp_sport udp_dport udp_csum udp6_csum_rx udp6_csum_tx offset peer_offset cookie peer_cookie "
            "l2spec_type seq").split()


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    folder = tmp_path_factory.mktemp("manual")
    (folder / "cookie").write_text("0123abcd\n")
    snmpd = Snmpd(Here(), folder, port=PORT).start()
    daemon = L2tpv3d(Here(), folder, snmp_master=snmpd.master, kernel="sim").start()
    wire = Wire(PORT)
    netconf, snmp = doors.NetconfDoor(daemon.netconf()), doors.SnmpDoor(wire)
    wait_for(lambda: snmp.generation() is not None, "the AgentX session")
    yield SimpleNamespace(daemon=daemon, netconf=netconf, snmp=snmp, folder=folder)
    wire.close()
    daemon.stop()
    snmpd.stop()
    assert "ERROR: " not in daemon.log()  # a sanitizer's


def start_from(bench, content):
    config = f'<l2tpv3 xmlns="{L2TP}" xmlns:nc="{BASE}" nc:operation="replace">{content}</l2tpv3>'
    assert bench.netconf.edit(config).accepted


def here(bench, text):
    """With what DEV and FILE stand for."""
    return text.replace(manual.DEVICE, "eth0").replace(manual.SECRET_FILE, str(bench.folder / "cookie"))


def run(bench, line):
    return bench.daemon.ctl(*here(bench, line).split(), check=False)


@pytest.mark.parametrize("command", manual.lines_of("commands"), ids=str)
def test_a_command_means_the_same_in_both_orders_and_however_short(bench, command):
    found = {}
    for line in command.lines():
        start_from(bench, START.format(SESSION))
        done = run(bench, line)
        found[line] = done.returncode, done.stdout, done.stderr, bench.netconf.config()
    assert len(set(found.values())) == 1, found
    status, shown, said, config = next(iter(found.values()))
    assert (status, said) == (0, ""), said
    start_from(bench, START.format(SESSION))
    assert shown or config != bench.netconf.config(), "nothing was done"


@pytest.mark.parametrize("parameter", PARAMETERS, ids=str)
def test_a_parameter_is_taken_and_read_back(bench, parameter):
    configs, notes = [], []
    for line in parameter.lines():
        start_from(bench, START.format("") if parameter.object == "session" else "")
        done = run(bench, line)
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
        configs.append(bench.netconf.config())
        notes.append(done.stderr)
        if not parameter.leaf:
            continue
        row, value = table.row_of(parameter.object, parameter.leaf), here(bench, parameter.value)
        assert bench.netconf.read(row) == value
        if row.access == "key":
            assert bench.snmp.has_entry(row, value)
        else:
            assert bench.snmp.read(row) == value
    assert configs[0] == configs[1] and notes[0] == notes[1]
    assert bool(notes[0]) == (parameter.ip == "ignored" and "offset" not in parameter.words), notes[0]
    if not parameter.leaf:  # nothing became of it
        needs = f"add {parameter.object} {manual.NEEDS[parameter.object]}"
        if "fd00::" not in parameter.words:
            start_from(bench, START.format("") if parameter.object == "session" else "")
            assert run(bench, needs).returncode == 0
            assert bench.netconf.config() == configs[0]


@pytest.mark.parametrize("name", doors.TABLES)
def test_what_ip_takes_it_takes_to_show_and_to_delete_too(bench, name):
    """For each of the objects, whosever the word is."""
    start_from(bench, START.format(SESSION))
    for parameter in PARAMETERS:
        words = " ".join(word for word in parameter.words.split() if not word.startswith("no-"))
        if parameter.ip == "no":
            continue
        keys = "tunnel_id 1" if name == "tunnel" else "tunnel_id 1 session_id 5"
        for line in (f"show {name} {words}", f"{name} list {words}", f"del {name} {keys} {words} --check",
                     f"{name} d {words} {keys} --check"):
            done = run(bench, line)
            assert done.returncode == 0, (line, done.stderr)


@pytest.mark.parametrize("parameter", REFUSED, ids=str)
def test_what_cannot_be_is_refused_with_the_reason(bench, parameter):
    for line in parameter.lines():
        start_from(bench, START.format("") if parameter.object == "session" else "")
        before = bench.netconf.config()
        done = run(bench, line)
        assert done.returncode in (1, 2) and parameter.value in done.stderr, done.stderr
        assert bench.netconf.config() == before


def test_the_list_has_every_word_that_the_table_has_of_ip_l2tp():
    listed = {(parameter.object, word) for parameter in PARAMETERS for word in parameter.keywords()}
    for row in table.rows():
        for word in row.keywords if row.ip != "none" else ():
            assert (row.object, word) in listed, f"{row}: {word}"
    for word in IPROUTE2:  # which takes them for a tunnel and for a session
        for name in doors.TABLES:
            of = {keyword for keyword in listed if keyword[0] == name}
            alike = [row.keywords for row in table.rows() if word in row.keywords] or [[word]]
            assert any((name, other) in of for keywords in alike for other in keywords), (name, word)


def page_rows():
    return [[cell.strip() for cell in line.strip("|\n").split("|")]
            for line in PAGE.read_text().splitlines() if line.startswith("| `")]


def test_the_page_says_what_every_word_is():
    shown = {(word, cells[1]): cells for cells in page_rows() for word in re.findall("`([^`]+)`", cells[0])}
    for parameter in PARAMETERS:
        for word in parameter.keywords():
            leaf = manual.leaf_of(parameter.object, word)
            if leaf and table.row_of(parameter.object, leaf).ip != "none":
                row = table.row_of(parameter.object, leaf)
                cells = shown[word, leaf]
                assert cells[3] == row.mib_prefix + row.descriptor
            elif not leaf and not any(manual.leaf_of(name, word) for name in doors.TABLES):
                assert (word, "0") in shown, word
