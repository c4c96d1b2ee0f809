"""What l2tpv3ctl tells an operator, on the simulated kernel: status, tables, monitor, top, and what they come from."""
import json
import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.built import need_built  # noqa: E402
from lib.daemons import L2TPV3CTL, L2TPV3D, L2tpv3d  # noqa: E402
from lib.here import Here  # noqa: E402
from lib.waiting import wait_for  # noqa: E402

HERE = "peer_tunnel_id 2 local 10.0.0.1 remote 10.0.0.2"    # the simulated kernel has this address
AWAY = "peer_tunnel_id 2 local 10.9.9.9 remote 10.0.0.2"   # and not this one
CLIENTS = "urn:l2tpv3d:yang:linux-l2tpv3-netconf"
MONITORING = "urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"


@pytest.fixture
def daemon(tmp_path):
    need_built(L2TPV3D, L2TPV3CTL)
    daemon = L2tpv3d(Here(), tmp_path, kernel="sim").start()
    yield daemon
    daemon.stop()


def ok(daemon, line, **kwargs):
    return daemon.ctl(*line.split(), **kwargs).stdout


def plugin(daemon):
    done = daemon.ctl("status", "--plugin", check=False)
    assert done.stderr == "" and done.stdout.count("\n") == 1 and done.stdout.count("|") == 1
    return done.returncode, done.stdout


def many(count):
    """A file of one tunnel and so many sessions."""
    sessions = "".join(f"<session><session-id>{i}</session-id><peer-session-id>{i}</peer-session-id></session>"
                       for i in range(1, count + 1))
    return ("<l2tpv3 xmlns='urn:l2tpv3d:yang:linux-l2tpv3'><tunnel><tunnel-id>1</tunnel-id>"
            "<peer-tunnel-id>2</peer-tunnel-id><local-address>10.0.0.1</local-address>"
            f"<remote-address>10.0.0.2</remote-address>{sessions}</tunnel></l2tpv3>")


def cpu_ms(daemon):
    return int(Path(f"/proc/{daemon.pid}/schedstat").read_text().split()[0]) / 1e6


def test_status_names_the_worst_first_and_since_when(daemon):
    shown = ok(daemon, "status")
    assert re.match(r"l2tpv3d \S+, up \d+ s, Linux simulated 6\.12, commit 0\n"
                    r"SNMP: off; 0 NETCONF sessions, 1 shell \(this one\)\n"
                    r"0 tunnels\n0 sessions\nWhat should be up is up\.\n$", shown), shown
    ok(daemon, f"add tunnel tid 1 {HERE}")
    ok(daemon, "add session tid 1 sid 1 psid 1")
    ok(daemon, "add session tid 1 sid 2 psid 2 bridge br-none")
    ok(daemon, "add session tid 1 sid 3 psid 3 link_enabled off")
    ok(daemon, "add session tid 1 sid 4 psid 4 enabled off")
    ok(daemon, f"add tunnel session tid 5 sid 5 psid 5 {AWAY}")
    shown = ok(daemon, "status")
    assert re.search(r"^2 tunnels: 1 up, 1 waiting\n5 sessions: 1 up, 2 down, 2 waiting; 1 disabled\n"
                     r"Not up and should be, the worst first:\n"
                     r"  session 3 in tunnel 1: down, link-down\n    .+\n"
                     r"  tunnel 5: waiting, no-local-address since [-0-9]+T[:0-9]+Z \(\d+ s\)\n    .*10\.9\.9\.9.*\n"
                     r"  session 2 in tunnel 1: waiting, no-bridge since .*\n    .+\n"
                     r"  1 session only waits for its tunnel\n$", shown, re.M), shown


def test_status_is_one_screen_however_much_is_wrong(daemon):
    for tunnel in range(1, 20):
        ok(daemon, f"add tunnel tid {tunnel} udp_sport {tunnel} {AWAY}")
    shown = ok(daemon, "status")
    assert shown.count("\n") <= 24 and "and 11 more: see \"l2tpv3ctl show problem\"" in shown, shown
    assert ok(daemon, "show problem").count("status: waiting") == 19


def test_status_in_json_is_what_is_shown(daemon):
    ok(daemon, f"add tunnel session tid 5 sid 5 psid 5 {AWAY}")
    told = json.loads(ok(daemon, "-j status"))
    assert (told["tunnel"]["count"], told["tunnel"]["waiting"], told["tunnel"]["problems"]) == (1, 1, 1)
    assert (told["session"]["waiting"], told["session"]["problems"]) == (1, 0)
    assert [(one["tunnel-id"], one["status-reason"]) for one in told["worst"]] == [(5, "no-local-address")]


def test_a_plugin_line_has_the_exit_status_that_nagios_reads(daemon):
    ok(daemon, f"add tunnel session tid 1 sid 1 psid 1 {HERE}")
    status, line = plugin(daemon)
    assert status == 0 and line.startswith("L2TPV3 OK - 1 tunnel, 1 session, what should be up is up |"), line
    performance = dict(re.findall(r" ([\w-]+)=(\d+)", line))
    assert performance["sessions_up"] == performance["sessions"] == "1" and performance["tunnels_problem"] == "0"
    ok(daemon, "set session tid 1 sid 1 bridge br-none description a|b")
    status, line = plugin(daemon)
    assert status == 1 and "WARNING - 0 tunnels and 1 session not up, session 1 in tunnel 1 waiting (no-bridge)" in line
    ok(daemon, "set session tid 1 sid 1 no-bridge link_enabled off")
    status, line = plugin(daemon)
    assert status == 2 and line.startswith("L2TPV3 CRITICAL - "), line
    ok(daemon, "set session tid 1 sid 1 enabled off")
    assert plugin(daemon)[0] == 0
    daemon.stop()
    status, line = daemon.ctl("status", "--plugin", check=False).returncode, daemon.ctl("status", "--plugin", check=False).stdout
    assert status == 2 and line.startswith("L2TPV3 CRITICAL - ") and "not running" in line or "systemctl start" in line
    daemon.start()


def test_status_of_20000_sessions_costs_the_daemon_what_that_of_ten_does(daemon, tmp_path):
    def cost():
        before = cpu_ms(daemon)
        for _ in range(5):
            ok(daemon, "status")
        return (cpu_ms(daemon) - before) / 5

    path = tmp_path / "many.xml"
    path.write_text(many(10))
    ok(daemon, f"push {path}")
    few = min(cost() for _ in range(3))
    path.write_text(many(20000))
    ok(daemon, f"push {path}")
    wait_for(lambda: "20,000 sessions: 20,000 up" in ok(daemon, "status"), "all to be up")
    lots = min(cost() for _ in range(3))
    assert lots < 3 * few + 1, f"{few:.2f} ms for 10, {lots:.2f} ms for 20,000"


def test_netconf_tells_what_status_shows(daemon):
    ok(daemon, f"add tunnel session tid 5 sid 5 psid 5 {AWAY}")
    with daemon.netconf() as client:
        reply = client.rpc_text(f'<get><filter type="subtree"><netconf-state xmlns="{MONITORING}">'
                                f'<service xmlns="{CLIENTS}"><condition><object>session</object></condition>'
                                "</service></netconf-state></filter></get>")
    assert re.search("<condition><object>session</object><origin>configured</origin><oper-status>waiting</oper-status>"
                     "<status-reason>tunnel-not-up</status-reason><count>1</count></condition>", reply), reply


def test_an_empty_answer_says_so_on_stderr(daemon):
    def said(line):
        done = daemon.ctl(*line.split())
        assert done.stdout == "", done.stdout
        return done.stderr

    assert said("show tunnel") == "l2tpv3ctl: there is no tunnel\n"
    assert said("show session mtu 1400") == "l2tpv3ctl: no session matches\n"
    assert said("show problem") == "l2tpv3ctl: no problem: what should be up is up\n"
    done = daemon.ctl("-j", "show", "tunnel")
    assert (done.stdout, done.stderr) == ("[]\n", "")
