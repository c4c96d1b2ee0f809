"""What l2tpv3ctl tells an operator, on the simulated kernel: status, tables, monitor, top, and what they come from."""
import json
import os
import re
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.daemons import CHECKOUT, L2TPV3CTL, L2tpv3d  # noqa: E402
from lib.here import Here  # noqa: E402
from lib.netconf import L2TP, subtree  # noqa: E402
from lib.waiting import wait_for  # noqa: E402

HERE = "peer_tunnel_id 2 local 10.0.0.1 remote 10.0.0.2"    # the simulated kernel has this address
AWAY = "peer_tunnel_id 2 local 10.9.9.9 remote 10.0.0.2"   # and not this one
CLIENTS = "urn:l2tpv3d:yang:linux-l2tpv3-netconf"
MONITORING = "urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"


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
                     r"  session 3 in tunnel 1: down, link-down since .*\n    .+\n"
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


def statistics(daemon, filter):
    """Those that a get has, as numbers by their leaf."""
    with daemon.netconf() as client:
        found = client.get(subtree(filter)).iterfind(".//{*}statistics/*")
        return {leaf.tag.partition("}")[2]: int(leaf.text) for leaf in found if leaf.tag.partition("}")[2] != "discontinuity-time"}


def test_totals_are_those_of_all_tunnels_and_stay_when_one_goes(daemon):
    """The simulated kernel counts 100 octets a keepalive."""
    for tunnel in (1, 2):
        ok(daemon, f"add tunnel session tid {tunnel} udp_sport {5000 + tunnel} sid {tunnel} psid 1 keepalive 1 {HERE}")
    totals = f'<netconf-state xmlns="{MONITORING}"><service xmlns="{CLIENTS}"><statistics/></service></netconf-state>'
    wait_for(lambda: statistics(daemon, totals).get("tx-packets", 0) > 3, "both to have sent")
    for tunnel in (1, 2):
        ok(daemon, f"set session tid {tunnel} sid {tunnel} keepalive 0")

    def agree():
        each = [statistics(daemon, f'<l2tpv3 xmlns="{L2TP}"><tunnel><tunnel-id>{tunnel}</tunnel-id><statistics/></tunnel></l2tpv3>')
                for tunnel in (1, 2)]
        return {leaf: each[0][leaf] + each[1][leaf] for leaf in each[0]} == statistics(daemon, totals)
    wait_for(agree, "the totals to be the sums")
    carried = statistics(daemon, totals)
    assert carried["tx-bytes"] == 100 * carried["tx-packets"] and carried["rx-packets"] == 0
    ok(daemon, "del tunnel tid 2")
    assert statistics(daemon, totals) == carried
    assert {leaf: int(value) for leaf, value in json.loads(ok(daemon, "-j status"))["statistics"].items()} == carried
    assert (f"Carried since it started: {carried['tx-packets']} packets ({carried['tx-bytes']:,} octets) sent, "
            "0 packets (0 octets) received\n") in ok(daemon, "status")


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

    def __init__(self, daemon, *options, words=()):
        self.process = subprocess.Popen([L2TPV3CTL, "-S", daemon.socket, *options, "monitor", *words], stdout=subprocess.PIPE)
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
        self.lines()
        self.process.stdout.close()
        return self.text


def test_monitor_tells_what_happens_and_who_did_it(daemon):
    ok(daemon, f"add tunnel tid 1 {HERE}")
    monitor, objects = Monitor(daemon), Monitor(daemon, "-j")
    ok(daemon, "add session tid 1 sid 7 psid 1")
    monitor.wait(r"^20\S+Z  session 7 in tunnel 1 down -> up: interface-name \S+$")
    objects.wait('"oper-status":"up"')
    ok(daemon, "set session tid 1 sid 7 bridge br-none")
    monitor.wait(r"^20\S+Z  session 7 in tunnel 1 up -> waiting: interface-name \S+, status-reason no-bridge, status-text .*br-none")
    monitor.wait(r"^20\S+Z  netconf-config-change: username \w+, (session-id \d+, )?datastore running, "
                 r"create /l2tpv3/tunnel\[tunnel-id='1'\]/session\[session-id='7'\]/bridge$")
    told = json.loads(objects.wait("session-state-change.*waiting"))
    assert told["time"] and (told["session-id"], told["old-status"], told["oper-status"]) == (7, "up", "waiting")
    told = json.loads(objects.wait("netconf-config-change.*bridge"))
    assert [edit["operation"] for edit in told["edit"]] == ["create"]
    daemon.stop()
    assert monitor.process.wait(10) == 1
    monitor.end()
    objects.end()
    daemon.start()


def test_monitor_selects_as_show_does(daemon):
    ok(daemon, f"add tunnel tid 1 {HERE}")
    chosen = {line: Monitor(daemon, words=line.split()) for line in ("session tid 1 sid 7", "tunnel", "problem", "session name pw8")}
    ok(daemon, "add session tid 1 sid 7 psid 1")
    ok(daemon, "add session tid 1 sid 8 psid 2 name pw8")
    chosen["session tid 1 sid 7"].wait("session 7 in tunnel 1 down -> up")
    ok(daemon, "set session tid 1 sid 7 bridge br-none")
    ok(daemon, "set session tid 1 sid 8 enabled off")
    ok(daemon, f"add tunnel tid 3 {HERE} udp_sport 5000")
    ok(daemon, "set session tid 1 sid 8 enabled on")
    ok(daemon, "set session tid 1 sid 7 no-bridge")
    chosen["session tid 1 sid 7"].wait("session 7 in tunnel 1 waiting -> up")
    chosen["tunnel"].wait("tunnel 3 down -> up")
    chosen["problem"].wait("session 7 in tunnel 1 up -> waiting")
    chosen["session name pw8"].wait("session 8 in tunnel 1 down -> up")
    for line, monitor in chosen.items():
        said = monitor.end()
        assert "netconf-config-change" not in said and "netconf-session" not in said, line
        if line == "tunnel":
            assert "session" not in said
        elif line == "problem":
            assert all("waiting" in event for event in said.splitlines())
        else:
            assert len(set(re.findall(r"session \d+ in", said))) == 1
    for line in ("monitor session mtu 1400", "monitor tid 1", "monitor everything"):
        assert daemon.ctl(*line.split(), check=False).returncode == 2, line


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


COSTS = ("What is re-created loses packets meanwhile, counts from 0 and has a new ifIndex. Addresses, MTU, MAC, bridge\n"
         "and VRF are put back; routes, neighbours, tc, XDP and sysctls of its interface are lost.\n")


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


def test_explain_says_in_sentences_what_is_known(daemon):
    ok(daemon, f"add tunnel session tid 1 sid 7 psid 1 mtu 1480 {HERE}")
    shown = ok(daemon, "explain session sid 7")
    for sentence in (r"^Session 7 in tunnel 1 is up", r"^Tunnel 1 is up", r"^It goes to 10\.0\.0\.2 by eth0, from 10\.0\.0\.1\.$",
                     r"^That way carries packets of 1500 octets; encapsulation takes 54 of them, so the interface's MTU can be 1446\.$",
                     r"^  It is 1480: packets of more than 1446 octets are fragmented, or lost\.$",
                     r"^Its interface is l2tpeth0 \(ifIndex \d+\)\.$", r"^  tx-packets 0, 0 of them in the last second\.$",
                     r"^Nothing has come from the peer yet, for \d+ s: ", r"^  It has no dead-interval: "):
        assert re.search(sentence, shown, re.M), (sentence, shown)
    ok(daemon, f"add tunnel session tid 5 sid 8 psid 5 description far udp_sport 5 {AWAY}")
    shown = ok(daemon, "session explain sid 8")
    assert "Tunnel 5 (far) is waiting, no-local-address, for" in shown and "does not have the local address 10.9.9.9" in shown
    assert "and there is no way: Network is unreachable." in ok(daemon, "explain tunnel tid 5")
    for line, status, said in (("explain session sid 9", 1, "there is no such session"),
                               ("explain session tid 1", 2, '"session-id" is required'), ("explain", 2, "is required")):
        done = daemon.ctl(*line.split(), check=False)
        assert done.returncode == status and said in done.stderr, done.stderr


def test_a_session_is_found_by_its_id_alone(daemon):
    ok(daemon, f"add tunnel session tid 1 sid 7 psid 1 {HERE}")
    assert ok(daemon, "set session sid 7 mtu 1400 --check").startswith("~ session 1/7 mtu (unset) -> 1400")
    ok(daemon, "set session sid 7 mtu 1400")
    assert json.loads(ok(daemon, "-j show session sid 7 mtu 1400")) != []
    done = daemon.ctl("set", "session", "sid", "8", "mtu", "1400", check=False)
    assert done.returncode == 1 and done.stderr == "l2tpv3ctl: there is no session 8\n"
    ok(daemon, "del session sid 7")
    assert ok(daemon, "show session") == ""


def test_what_is_misspelt_is_understood_enough_to_say_what_is_meant(daemon):
    def said(line):
        done = daemon.ctl(*line.split(), check=False)
        assert done.returncode == 2, line
        return done.stderr

    assert 'unknown command "psuh"; did you mean "push"?' in said("psuh x")
    assert 'unknown command "xyzzy"\n' in said("xyzzy")
    assert "no number here is negative, and a value that begins with \"-\" goes after \"--\"" in said("set session sid 7 mtu -5")


def test_help_of_a_command_has_its_keywords_and_no_others(daemon):
    shown = ok(daemon, "help add")
    assert shown.startswith("Usage: l2tpv3ctl [OPTIONS] add tunnel|session KEYWORD VALUE ...") and "  mtu NUMBER" in shown
    assert "remote" in shown and "push" not in shown
    assert "mtu" not in ok(daemon, "help push") and daemon.ctl("help", "frob", check=False).returncode == 2


SCRIPT = """#!/bin/sh
# site A
modprobe l2tp_eth
ip l2tp add tunnel tunnel_id 3000 peer_tunnel_id 4000 \\
\tencap udp local 10.0.0.1 remote 10.0.0.2 udp_sport 5000 udp_dport 6000
/sbin/ip l2tp add session name l2tpA tunnel_id 3000 session_id 1000 peer_session_id 2000 cookie "0123abcd"
ip link set l2tpA up mtu 1446
ip link set dev l2tpA master br0 address '02:00:00:00:00:01'   # the customer's
ip addr add 192.0.2.1/30 dev l2tpA
ip link set eth0 up
"""


def test_a_script_of_ip_l2tp_is_imported_and_what_is_not_taken_is_said(daemon, tmp_path):
    path = tmp_path / "l2tp.sh"
    path.write_text(SCRIPT)
    done = daemon.ctl("import", path)
    assert done.stdout == "2 lines taken in one commit, 3 not taken\n"
    assert [line.partition(": not taken: ")[0] for line in done.stderr.splitlines()] == [f"{path}:{n}" for n in (3, 9, 10)]
    [session] = json.loads(ok(daemon, "-j get-config"))["linux-l2tpv3:l2tpv3"]["tunnel"][0]["session"]
    assert session == {"session-id": 1000, "peer-session-id": 2000, "interface-name": "l2tpA", "mtu": 1446,
                       "mac-address": "02:00:00:00:00:01", "bridge": "br0", "tx-cookie": "0123abcd"}
    assert len(ok(daemon, "history").splitlines()) == 1


def test_a_thousand_lines_of_ip_l2tp_are_one_commit(daemon, tmp_path):
    path = tmp_path / "many.sh"
    path.write_text(f"ip l2tp add tunnel tunnel_id 1 {HERE}\n"
                    + "".join(f"ip l2tp add session tunnel_id 1 session_id {i} peer_session_id {i}\n" for i in range(1, 1000)))
    assert ok(daemon, f"import {path} --check").endswith("1000 created\n")
    assert ok(daemon, f"import {path}") == "1000 lines taken in one commit, 0 not taken\n"
    assert re.fullmatch(r" +1 .* 1 tunnels, 999 sessions\n", ok(daemon, "history"))


def test_a_batch_is_one_transaction_or_with_force_many(daemon, tmp_path):
    path = tmp_path / "batch"
    path.write_text(f"add tunnel tid 1 {HERE}\nadd session tid 1 sid 1 psid 1\nshow tunnel\nadd sesion tid 1\n")
    done = daemon.ctl("-batch", path, check=False)
    assert done.returncode == 1 and ok(daemon, "show tunnel") == ""
    assert f"{path}:3: show is no change" in done.stderr and f'{path}:4: unknown keyword "sesion"; did you mean "session"?' in done.stderr
    assert done.stderr.endswith("2 lines are wrong: nothing was changed\n")
    done = daemon.ctl("-batch", path, "-force", check=False)
    assert done.returncode == 1 and done.stdout.startswith("Tunnel 1,") and f"Command failed {path}:4\n" in done.stderr
    path.write_text("set session tid 1 sid 1 mtu 1400\n\n# nothing\ndel session tid 1 sid 9\n")
    assert daemon.ctl("-batch", path, check=False).returncode == 1 and ok(daemon, "show session mtu 1400") == ""
    assert daemon.ctl("-batch", "-", input="add session tid 1 sid 2 psid 2\nset session tid 1 sid 1 mtu 1400\n").stdout == ""
    assert ok(daemon, "show session").count("Session ") == 2
    assert len(ok(daemon, "history").splitlines()) == 3, "-force made two commits, the last batch one"
    for words in (["-batch", path, "show"], ["-batch", tmp_path / "none"]):
        assert daemon.ctl(*words, check=False).returncode in (1, 2)


def complete(daemon, line):
    """What the last word of a line may become."""
    return ok_words(daemon, "complete", "--", *line.split(" ")).split()


def ok_words(daemon, *words, **kwargs):
    return daemon.ctl(*words, **kwargs).stdout


def test_completion_knows_the_grammar_and_what_is_there(daemon):
    ok(daemon, f"add tunnel session tid 1 sid 70 psid 1 name pw0 {HERE}")
    ok(daemon, f"add tunnel session tid 20 sid 80 psid 1 udp_sport 5 {HERE}")
    for line, words in (("", {"add", "push", "monitor", "tunnel", "session"}), ("st", {"status"}), ("add ", {"tunnel", "session"}),
                        ("tunnel sho", {"show"}), ("set session sid ", {"70", "80"}), ("set session tid 20 session_id ", {"80"}),
                        ("del tunnel tid 2", {"20"}), ("show session name ", {"pw0", "l2tpeth0"}), ("show p", {"peer_tunnel_id", "problem"}),
                        ("show session oper-status wa", {"waiting"}), ("add session pw_type eth", {"ethernet", "ethernet-vlan"}),
                        ("set session tid 1 sid 70 link_enabled ", {"on", "off"}), ("set session tid 1 sid 70 no-mt", {"no-mtu"}),
                        ("adopt ", {"tunnel_id", "all"}), ("history ", {"last", "before"}), ("import x --from ", {"ip", "networkd", "vyos"}),
                        ("monitor ", {"tunnel_id", "name", "oper-status", "problem"}), ("help pu", {"push"}), ("show --col", {"--color", "--columns"}), (f"-S {daemon.socket} del tunnel tid ", {"1", "20"})):
        offered = set(complete(daemon, line))
        assert words <= offered and all(word.startswith(line.rpartition(" ")[2]) for word in offered), (line, offered)
    assert "mtu" not in complete(daemon, "del session ") and "remote" not in complete(daemon, "add session ")
    assert "tunnel_id" not in complete(daemon, "set session tid 1 ") and "no-peer_session_id" not in complete(daemon, "set session no")
    assert complete(daemon, "push ") == complete(daemon, "frob ") == complete(daemon, "-S ") == []
    daemon.stop()
    assert complete(daemon, "del tunnel tid ") == [] and "status" in complete(daemon, "")
    daemon.start()


def test_bash_completes_by_it(daemon):
    ok(daemon, f"add tunnel tid 77 {HERE}")
    script = (f"source {CHECKOUT}/docs/install/l2tpv3ctl.bash; complete -p l2tpv3ctl; "
              f"COMP_WORDS=({L2TPV3CTL} -S {daemon.socket} del tunnel tid ''); COMP_CWORD=6; _l2tpv3ctl; echo ${{COMPREPLY[*]}}")
    assert subprocess.run(["bash", "-c", script], check=True, capture_output=True, text=True).stdout \
        == "complete -o default -F _l2tpv3ctl l2tpv3ctl\n77\n"


def test_completion_among_20000_sessions_is_as_fast_as_a_reader(daemon):
    """Of many ids some are offered: nobody reads, or waits for, all."""
    ok(daemon, f"push {write(daemon, many(20000))}")
    before = cpu_ms(daemon)
    offered = complete(daemon, "set session sid ")
    assert 100 < len(offered) <= 500 and cpu_ms(daemon) - before < 50


def test_a_comment_is_in_the_history_by_whichever_door(daemon, tmp_path):
    ok_words(daemon, "add", "tunnel", "tid", "1", *HERE.split(), "-m", "for <A> & B")
    path = write(daemon, many(1))
    ok_words(daemon, "push", path, "-m", "pushed")
    ok_words(daemon, "set", "session", "sid", "1", "mtu", "1400", "--confirm", "60", "-m", "for a minute")
    ok(daemon, "confirm")
    (tmp_path / "batch").write_text("set session tid 1 sid 1 no-mtu\n")
    ok_words(daemon, "-batch", tmp_path / "batch", "-m", "batched")
    with daemon.netconf() as client:
        client.rpc_text("<edit-config><target><running/></target><config><l2tpv3 xmlns='urn:l2tpv3d:yang:linux-l2tpv3'><tunnel>"
                        "<tunnel-id>1</tunnel-id><description>x</description></tunnel></l2tpv3></config>"
                        f"<comment xmlns='{CLIENTS}'>from afar</comment></edit-config>")
    told = [commit.get("comment") for commit in json.loads(ok(daemon, "-j history"))]
    assert told[0] == "from afar" and told[1] == "batched" and told[-2:] == ["pushed", "for <A> & B"], told
    assert "for a minute" in told, told
    done = daemon.ctl("set", "tunnel", "tid", "1", "enabled", "on", "-m", "x" * 96, check=False)
    assert done.returncode == 1 and "comment has 96 octets; allowed: up to 95" in done.stderr
    assert daemon.ctl("show", "tunnel", "-m", "x", check=False).returncode == 2


def test_the_configuration_as_a_script_of_ip_l2tp_is_imported_again(daemon, tmp_path):
    script = tmp_path / "l2tp.sh"
    ok(daemon, "add tunnel session tid 1 ptid 2 local 10.0.0.1 remote 10.0.0.2 udp_csum on sid 7 psid 8 name pw0 mtu 1400 "
               "bridge br0 cookie 01234567 seq both dead_interval 30")
    ok(daemon, "add tunnel tid 3 ptid 4 encap ip dev eth0 remote 10.0.0.2 description far")
    assert ok(daemon, "get-config --ip") == (
        "ip l2tp add tunnel tunnel_id 1 peer_tunnel_id 2 local 10.0.0.1 remote 10.0.0.2 udp_sport 1701 udp_dport 1701 udp_csum on\n"
        "# ip l2tp has no words for this session's dead-interval 30\n"
        "ip l2tp add session tunnel_id 1 session_id 7 peer_session_id 8 name pw0 cookie 01234567 seq both\n"
        "ip link set dev pw0 mtu 1400 master br0 up\n"
        "# ip l2tp has no words for this tunnel's description far\n"
        "# ip l2tp has no words for this tunnel's local-interface eth0\n"
        "ip l2tp add tunnel tunnel_id 3 peer_tunnel_id 4 encap ip remote 10.0.0.2\n")
    ok(daemon, "del tunnel tid 3")
    saved = ok(daemon, "get-config --ip")
    script.write_text(saved)
    ok(daemon, "del tunnel tid 1")
    assert ok(daemon, f"import {script}") == "2 lines taken in one commit, 0 not taken\n"
    assert ok(daemon, "get-config --ip") == saved.replace("# ip l2tp has no words for this session's dead-interval 30\n", "")
    assert daemon.ctl("get-config", "--ip", "-j", check=False).returncode == 2
