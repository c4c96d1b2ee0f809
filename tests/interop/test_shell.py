"""What l2tpv3ctl tells an operator, on the simulated kernel: status, tables, monitor, top, and what they come from."""
import json
import os
import re
import subprocess
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


def write(daemon, text):
    path = daemon.folder / "pushed.xml"
    path.write_text(text)
    return path


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


def table(daemon, line, **environment):
    """Lines of columns: what ctl prints, split where the heading's words begin."""
    done = daemon.ctl(*line.split(), env={**os.environ, **environment})
    return done.stdout.splitlines()


def test_a_table_is_aligned_by_what_a_terminal_shows(daemon):
    ok(daemon, f"add tunnel tid 1 {HERE}")
    daemon.ctl("add", "session", "tid", "1", "sid", "1", "psid", "1", "description", "日本語 Müller")
    ok(daemon, "add session tid 1 sid 22 psid 1 description plain bridge br-none")
    ok(daemon, f"add tunnel tid 5 udp_sport 5 {AWAY}")
    lines = table(daemon, "show session -t --columns session-id,description,oper-status")
    assert lines == ["SESSION  DESCRIPTION    STATE",
                     "      1  日本語 Müller  up",
                     "     22  plain          waiting"]
    lines = table(daemon, "-t show tunnel")
    assert lines[0].split() == "TUNNEL LOCAL REMOTE SESSIONS STATE REASON FOR DESCRIPTION".split()
    assert lines[2].split()[:6] == ["5", "-", "10.0.0.2", "0", "waiting", "no-local-address"]
    shown = "\n".join(table(daemon, "show problem -t"))
    assert re.search(r"^TUNNEL .*\n +5 .*\n\nTUNNEL  SESSION .*\n +1 +22 ", shown), shown


def test_a_table_fits_the_terminal(daemon):
    ok(daemon, f"add tunnel tid 1 {HERE} description {'x' * 60}")
    wide, narrow = table(daemon, "-t show tunnel"), table(daemon, "-t show tunnel", COLUMNS="80")
    assert len(wide[1]) > 100 and max(map(len, narrow)) == 80 and narrow[1].endswith("x…")


def test_rates_are_those_of_a_second(daemon):
    ok(daemon, f"add tunnel session tid 1 sid 1 psid 1 {HERE}")
    lines = table(daemon, "-ts show session")
    assert lines[0].split()[-4:] == "RX-BIT/S TX-BIT/S RX-PKT/S TX-PKT/S".split()
    assert lines[1].split()[-4:] == ["0"] * 4, lines


def test_brief_oneline_and_colours_are_as_ip_has_them(daemon):
    ok(daemon, f"add tunnel tid 1 {HERE}")
    ok(daemon, f"add tunnel tid 5 udp_sport 5 {AWAY}")
    assert [line.split() for line in table(daemon, "-br show tunnel")] \
        == [["1", "10.0.0.1", "10.0.0.2", "up", "-"], ["5", "-", "10.0.0.2", "waiting", "no-local-address"]]
    plain, lines = ok(daemon, "show tunnel"), table(daemon, "-o show tunnel")
    assert len(lines) == 2 and "\n".join(lines).replace("\\", "\n") == plain.rstrip("\n")
    assert "\033[32mup\033[0m" in ok(daemon, "-br -c show tunnel")
    assert "  status: \033[33mwaiting\033[0m, " in ok(daemon, "-color=always show tunnel")
    assert "\033" not in ok(daemon, "-br -c=auto show tunnel") + ok(daemon, "-color=never show tunnel")
    assert ok(daemon, "-json show tunnel tid 1") == ok(daemon, "-j show tunnel tid 1")


def test_a_column_that_there_is_not_is_refused_with_what_there_is(daemon):
    done = daemon.ctl("show", "tunnel", "--columns", "tid,colour", check=False)
    assert done.returncode == 2 and 'a tunnel has no column "colour"; columns are' in done.stderr
    assert daemon.ctl("-j", "-t", "show", "tunnel", check=False).returncode == 2


def test_a_terminal_shows_tables_when_the_user_wants_that(daemon):
    ok(daemon, f"add tunnel tid 1 {HERE}")
    assert ok(daemon, "show tunnel", env={**os.environ, "L2TPV3CTL_VIEW": "table"}).startswith("Tunnel 1,")
    master, slave = os.openpty()
    subprocess.run([L2TPV3CTL, "-S", daemon.socket, "show", "tunnel"], env={**os.environ, "L2TPV3CTL_VIEW": "table"},
                   stdout=slave, check=True)
    os.close(slave)
    assert os.read(master, 4096).startswith(b"TUNNEL ")
    os.close(master)


class Monitor:
    """A running `monitor`, and its lines as they come."""

    def __init__(self, daemon, *options):
        self.process = subprocess.Popen([L2TPV3CTL, "-S", daemon.socket, *options, "monitor"], stdout=subprocess.PIPE)
        os.set_blocking(self.process.stdout.fileno(), False)
        self.text = ""
        wait_for(lambda: self.is_subscribed(daemon), "the subscription")

    def is_subscribed(self, daemon):
        clients = json.loads(ok(daemon, "-j show clients"))
        return any(one["process-id"] == self.process.pid and one["in-rpcs"] == 1 and "idle-time" in one for one in clients)

    def lines(self):
        self.text += (self.process.stdout.read() or b"").decode()
        return self.text.splitlines()

    def wait(self, pattern):
        return wait_for(lambda: next((line for line in self.lines() if re.search(pattern, line)), None), pattern)

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def test_monitor_tells_what_happens_and_who_did_it(daemon):
    ok(daemon, f"add tunnel session tid 1 sid 7 psid 1 {HERE}")
    monitor, objects = Monitor(daemon), Monitor(daemon, "-j")
    ok(daemon, "set session tid 1 sid 7 bridge br-none")
    monitor.wait(r"^20\S+Z  session 7 in tunnel 1 up -> waiting: interface-name \S+, status-reason no-bridge, status-text .*br-none")
    monitor.wait(r"^20\S+Z  netconf-config-change: username \w+, (session-id \d+, )?datastore running, "
                 r"create /l2tpv3/tunnel\[tunnel-id='1'\]/session\[session-id='7'\]/bridge$")
    told = json.loads(objects.wait("session-state-change"))
    assert told["time"] and (told["session-id"], told["old-status"], told["oper-status"]) == (7, "up", "waiting")
    told = json.loads(objects.wait("netconf-config-change"))
    assert [edit["operation"] for edit in told["edit"]] == ["create"]
    daemon.stop()
    assert monitor.process.wait(10) == 1
    monitor.end()
    objects.end()
    daemon.start()


def test_top_works_where_there_is_no_screen(daemon):
    ok(daemon, f"add tunnel session tid 1 sid 7 psid 1 {HERE}")
    shown = ok(daemon, "top -b -n 2 -i 1")
    assert re.fullmatch(r"(\S+Z  1 sessions?\nTUNNEL  SESSION .*TX-PKT/S  DESCRIPTION\n +1 +7  l2tpeth0 .*\n\n){2}", shown), shown
    assert "\033" not in ok(daemon, "top -n 1 -i 1 tunnel", env={**os.environ, "TERM": "dumb"})
    assert ok(daemon, "t top -b -n 1 tid 1").splitlines()[1].startswith("TUNNEL  REMOTE")
    for line in ("top -n 0", "top -i x", "top --columns tid", "top -s"):
        assert daemon.ctl(*line.split(), check=False).returncode == 2, line


def test_top_shows_what_fits_the_screen(daemon):
    ok(daemon, f"push {write(daemon, many(50))}")
    master, slave = os.openpty()
    subprocess.run([L2TPV3CTL, "-S", daemon.socket, "top", "-n", "1", "-i", "1"], stdout=slave, check=True,
                   env={**os.environ, "TERM": "xterm", "LINES": "10", "COLUMNS": "80"})
    os.close(slave)
    shown = os.read(master, 65536).decode()
    os.close(master)
    assert shown.startswith("\033[H\033[J") and shown.count("\n") <= 9, shown


COSTS = ("What is re-created loses packets meanwhile, counts from 0 and has a new ifIndex. Addresses, MTU, MAC and bridge\n"
         "are put back; routes, neighbours, tc, XDP and sysctls of its interface are lost.\n")


def test_check_says_what_would_change_and_what_each_change_costs(daemon):
    ok(daemon, f"add tunnel session tid 1 sid 1 psid 1 {HERE}")
    ok(daemon, "add session tid 1 sid 2 psid 2 enabled off")
    before, newest = ok(daemon, "get-config"), ok(daemon, "history").split()[0]
    for line, told in (
            ("add session tid 1 sid 3 psid 3 mtu 1400", "+ session 1/3 peer-session-id 3, mtu 1400\n1 created\n"),
            ("del session tid 1 sid 1", "- session 1/1\n1 deleted\n"),
            ("set session tid 1 sid 1 description x mtu 1400",
             '~ session 1/1 description (unset) -> "x", mtu (unset) -> 1400  (in place)\n1 changed in place\n'),
            ("set tunnel tid 1 description x",
             '~ tunnel 1 description (unset) -> "x"  (not in the kernel)\n1 changed but not in the kernel\n'),
            ("set session tid 1 sid 1 cookie 01234567",
             "~ session 1/1 tx-cookie (unset) -> (hidden)  (re-created)\n1 re-created\n" + COSTS),
            ("set tunnel tid 1 remote 10.0.0.9",
             "~ tunnel 1 remote-address 10.0.0.2 -> 10.0.0.9  (re-created with 1 session)\n"
             "1 re-created with 1 session\n" + COSTS),
            ("set session tid 1 sid 2 cookie 01234567",
             "~ session 1/2 tx-cookie (unset) -> (hidden)  (not in the kernel)\n1 changed but not in the kernel\n"),
            ("set session tid 1 sid 1 enabled off",
             "~ session 1/1 enabled (unset) -> false  (deleted in the kernel)\n1 changed in place\n"),
            ("set tunnel tid 1 remote 10.0.0.2", "nothing changes\n")):
        assert ok(daemon, f"{line} --check") == told, line
    assert (ok(daemon, "get-config"), ok(daemon, "history").split()[0]) == (before, newest)
    with daemon.netconf() as client:  # and the candidate is as if nobody had been there
        assert "mtu" not in client.rpc_text("<get-config><source><candidate/></source></get-config>")


def test_an_old_kernel_is_said_to_take_its_time(tmp_path):
    daemon = L2tpv3d(Here(), tmp_path, kernel="sim:6.1").start()
    ok(daemon, f"push {write(daemon, many(200))}")
    told = ok(daemon, "set tunnel tid 1 remote 10.0.0.9 --check")
    assert "1 re-created with 200 sessions\n" in told and "takes about 6.0 s to delete 200 sessions" in told, told
    daemon.stop()


def test_push_check_and_diff_compare_a_file(daemon, tmp_path):
    saved = tmp_path / "saved.xml"
    ok(daemon, f"push {write(daemon, many(3))}")
    ok(daemon, f"save {saved}")
    assert saved.read_text() == ok(daemon, "get-config") and saved.stat().st_mode & 0o777 == 0o600
    assert ok(daemon, f"diff {saved}") == "nothing changes\n"
    ok(daemon, "set session tid 1 sid 2 mtu 1400")
    ok(daemon, "add session tid 1 sid 9 psid 9")
    assert ok(daemon, f"diff {saved}") == ("~ session 1/2 mtu 1400 -> (unset)  (in place)\n- session 1/9\n"
                                           "1 deleted, 1 changed in place\n")
    assert ok(daemon, f"push {saved} --check") == ok(daemon, f"validate {saved}") == "nothing changes\n"
    assert ok(daemon, f"push {saved} --check --replace") == ok(daemon, f"diff {saved}")
    done = daemon.ctl("save", tmp_path / "none" / "x", check=False)
    assert done.returncode == 1 and "cannot write" in done.stderr
    assert not list(tmp_path.glob("*.new"))


def test_where_others_have_the_candidate_check_only_says_whether(daemon):
    ok(daemon, f"add tunnel tid 1 {HERE}")
    with daemon.netconf() as client:
        client.rpc_text("<lock><target><candidate/></target></lock>")
        done = daemon.ctl("set", "tunnel", "tid", "1", "remote", "10.0.0.9", "--check")
        assert done.stdout == "" and done.stderr.startswith("l2tpv3ctl: note: no difference is shown: ")
        assert daemon.ctl("del", "tunnel", "tid", "9", "--check", check=False).returncode == 1
