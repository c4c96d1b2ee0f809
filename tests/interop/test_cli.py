"""l2tpv3ctl against a daemon on the simulated kernel."""
import json
import re
import shutil
import socket
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.built import need_built  # noqa: E402
from lib.daemons import L2TPV3CTL, L2TPV3D  # noqa: E402
from lib.waiting import wait_for  # noqa: E402

CHECKOUT = Path(__file__).resolve().parents[2]
MODULE = next((CHECKOUT / "yang").glob("linux-l2tpv3@*.yang"))
IETF = "/usr/share/yuma/modules/ietf"
TUNNEL = "tunnel_id 1 peer_tunnel_id 2 local 10.0.0.1 remote 10.0.0.2"


def ok(daemon, line, **kwargs):
    return daemon.ctl(*line.split(), **kwargs).stdout


def refused(daemon, line, status=1, **kwargs):
    done = daemon.ctl(*line.split(), check=False, **kwargs)
    assert (done.returncode, done.stdout) == (status, ""), done.stderr
    return done.stderr


def sessions(first, last, **leaves):
    more = "".join(f"<{name}>{text}</{name}>" for name, text in leaves.items())
    return "".join(f"<session><session-id>{i}</session-id><peer-session-id>{i}</peer-session-id>"
                   f"{more}</session>" for i in range(first, last + 1))


def tunnel(content):
    return ("<l2tpv3 xmlns='urn:l2tpv3d:yang:linux-l2tpv3'><tunnel><tunnel-id>1</tunnel-id>"
            "<peer-tunnel-id>2</peer-tunnel-id><local-address>10.0.0.1</local-address>"
            f"<remote-address>10.0.0.2</remote-address>{content}</tunnel></l2tpv3>")


def yanglint(text, kind, suffix, tmp_path):
    if not shutil.which("yanglint"):
        pytest.skip("yanglint is not installed")
    path = tmp_path / f"printed.{suffix}"
    path.write_text(text)
    done = subprocess.run(["yanglint", "-p", IETF, "-t", kind, MODULE, path], capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0 and not done.stderr, done.stdout + done.stderr


def test_add_show_set_delete(daemon):
    assert ok(daemon, f"add tunnel {TUNNEL}") == ""
    assert ok(daemon, "add session tid 1 sid 2 psid 3 cookie 01234567") == ""
    assert ok(daemon, "show tunnel") == (
        "Tunnel 1, encap UDP\n  From 10.0.0.1 to 10.0.0.2\n  Peer tunnel 2\n"
        "  UDP source / dest ports: 1701/1701\n  UDP checksum: disabled\n")
    assert ok(daemon, "show session") == (
        "Session 2 in tunnel 1\n  Peer session 3, tunnel 2\n  interface name: l2tpeth0\n"
        "  offset 0, peer offset 0\n  cookie 01234567\n")
    ok(daemon, "set session tid 1 sid 2 seq both no-cookie mtu 1400")
    shown = ok(daemon, "-d show session")
    assert "  sequence numbering: send recv\n" in shown and "  mtu 1400 octets\n" in shown
    assert "cookie" not in shown
    ok(daemon, "del session tid 1 sid 2")
    assert ok(daemon, "show session") == ""
    ok(daemon, "del tunnel tid 1")
    assert ok(daemon, "show tunnel") == ""


def test_disabled_and_waiting_objects_say_why(daemon):
    ok(daemon, f"add tunnel {TUNNEL}")
    ok(daemon, "set tunnel tid 1 enabled off")
    wait_for(lambda: re.search(r"^  status: down, disabled", ok(daemon, "show tunnel"), re.M),
             "the tunnel to be down")
    assert ok(daemon, "show tunnel oper-status up") == ""
    ok(daemon, "set tunnel tid 1 no-enabled")
    wait_for(lambda: "status:" not in ok(daemon, "show tunnel"), "the tunnel to be up")


def test_tunnel_with_its_first_session_in_one_transaction(daemon):
    refused(daemon, f"add tunnel session {TUNNEL} sid 5 psid 6 pw_type ethernet-vlan")
    assert ok(daemon, "show tunnel") == ""
    ok(daemon, f"add tunnel session {TUNNEL} sid 5 psid 6")
    assert ok(daemon, "show session").startswith("Session 5 in tunnel 1\n")


def test_a_refusal_is_one_line_with_the_path(daemon):
    ok(daemon, f"add tunnel {TUNNEL}")
    tunnel_path = r"/l2tpv3/tunnel\[tunnel-id='1'\]"
    for line, path in (
            (f"add tunnel {TUNNEL}", tunnel_path),
            ("add session tid 1 sid 2", rf"{tunnel_path}/session\[session-id='2'\]/peer-session-id"),
            ("add session tid 1 sid 2 psid 70000000000",
             rf"{tunnel_path}/session\[session-id='2'\]/peer-session-id"),
            ("add session tid 1 sid 2 psid 3 offset 4",
             rf"{tunnel_path}/session\[session-id='2'\]"),
            ("set tunnel tid 1 udp6_csum_tx on", rf"{tunnel_path}/udp6-checksum-tx"),
            ("del session tid 1 sid 2", rf"{tunnel_path}/session\[session-id='2'\]"),
            ("add tunnel tid 2 ptid 2 local 10.0.0.1", r"/l2tpv3/tunnel\[tunnel-id='2'\]/remote-address"),
            ("adopt tunnel_id 9", r"/l2tpv3/tunnel\[tunnel-id='9'\]")):
        said = refused(daemon, line)
        assert re.fullmatch(rf"l2tpv3ctl: {path}: [^\n]+\n", said), said


def test_refusals_name_no_operation_of_another_door(daemon):
    ok(daemon, f"add tunnel {TUNNEL}")
    ok(daemon, "add session tid 1 sid 2 psid 3")
    for line in (f"add tunnel {TUNNEL}", "add session tid 1 sid 2 psid 3", "set tunnel tid 9 udp_sport 5",
                 "del tunnel tid 9", "set session tid 1 sid 9 mtu 1400"):
        assert not re.search("merge|replace", refused(daemon, line)), line


def test_what_the_manual_says_is_refused_though_ip_takes_it(daemon):
    ok(daemon, f"add tunnel session {TUNNEL} sid 2 psid 3")
    ok(daemon, "add tunnel tid 2 ptid 2 local 10.0.0.3 remote 10.0.0.2")
    refused(daemon, "add session tid 1 sid 3 psid 3 psid 4", status=2)
    for name in ("pw%d", "\u00e9th"):
        refused(daemon, f"add session tid 1 sid 3 psid 3 name {name}")
    for local, remote in (("10.0.0.4", "0.0.0.0"), ("fd00::1", "::"), ("10.0.0.4", "224.0.0.1"),
                          ("fd00::1", "ff02::1"), ("0.0.0.0", "10.0.0.2"), ("::", "fd00::2"),
                          ("::ffff:10.0.0.4", "::ffff:10.0.0.2")):
        refused(daemon, f"add tunnel tid 3 ptid 3 local {local} remote {remote}")
    for seq in ("send", "both"):
        refused(daemon, f"add session tid 1 sid 3 psid 3 seq {seq} l2spec_type none")
    assert "session-id 2 is in use in tunnel 1" in refused(daemon, "add session tid 2 sid 2 psid 3")


def test_help_is_there_without_a_daemon(tmp_path):
    said = subprocess.run([L2TPV3CTL, "-S", tmp_path / "none", "help"], check=True, capture_output=True, text=True).stdout
    assert said == subprocess.run([L2TPV3CTL, "-h"], check=True, capture_output=True, text=True).stdout and "this text" in said


def test_misuse_is_told_apart_from_refusal(daemon):
    for line in ("add", "show", "frob", "add tunnel colour red", "set tunnel peer_tunnel_id 1",
                 "push", "push a b", "resync now", "--frob", "-S"):
        said = refused(daemon, line, status=2)
        assert said.startswith("l2tpv3ctl: "), said
        assert "help" in said


def test_what_ip_ignores_is_noted(daemon):
    done = daemon.ctl(*f"add tunnel encap ip {TUNNEL} udp_sport 5000".split())
    assert done.stderr == "l2tpv3ctl: note: ignored, as ip l2tp does: local-port\n"


def test_a_tunnels_cookie_is_noted_with_the_sessions_as_the_cure(daemon):
    done = daemon.ctl(*f"tunnel add {TUNNEL} cookie 01234567 peer_cookie 89abcdef".split())
    assert done.stderr == (
        "l2tpv3ctl: note: ignored, as ip l2tp does: cookie, peer_cookie\n"
        "l2tpv3ctl: note: a tunnel has no cookie, peer_cookie in the kernel, a session has: "
        "l2tpv3ctl set session tunnel_id 1 session_id ID cookie VALUE\n")
    ok(daemon, "add session tid 1 sid 2 psid 3")
    ok(daemon, "set session tunnel_id 1 session_id 2 cookie 01234567")
    assert "  cookie 01234567\n" in ok(daemon, "session show")


SECRETS = "  cookie 0123abcd  peer cookie 0011223344556677\n"


def test_a_secret_comes_from_a_file_or_from_standard_input(daemon, tmp_path):
    path = tmp_path / "cookie"
    path.write_text(" 0123ABCD \n")
    ok(daemon, f"add tunnel {TUNNEL}")
    # each - takes a line, in the order of the words
    for number, (line, given) in enumerate((
            (f"cookie @{path} peer_cookie 0011223344556677", ""),
            (f"peer_cookie - cookie @{path}", "0011223344556677"),
            ("cookie - peer_cookie -", "0123abcd\n0011223344556677\nnot read\n"),
            ("rx-cookie - tx_cookie -", "0011223344556677\n0123abcd\n"))):
        ok(daemon, f"add session tid 1 sid {number + 1} psid 1 {line}", input=given)
        assert SECRETS in ok(daemon, f"show session sid {number + 1}"), line
    assert ok(daemon, f"show session cookie @{path}").count("Session ") == 4
    assert ok(daemon, "show session peer_cookie -", input="0011223344556678") == ""
    ok(daemon, "set session tid 1 sid 1 cookie -", input="ffffffff")
    assert "  cookie ffffffff" in ok(daemon, "show session sid 1")


def test_a_secret_that_is_not_there_or_wrong_is_refused_and_not_shown(daemon, tmp_path):
    path = tmp_path / "cookie"
    ok(daemon, f"add tunnel session {TUNNEL} sid 2 psid 3")
    before = ok(daemon, "get-config")
    leaf = "/l2tpv3/tunnel[tunnel-id='1']/session[session-id='2']/tx-cookie: "
    for text, why in (("", "holds nothing; allowed one line"), ("\n", "holds nothing"),
                      ("01234567\n89abcdef\n", "holds more than one line"),
                      (64 * "a", "is too long"), ("secret!!", "8 characters, not shown here"),
                      ("01234567 89abcdef", "17 characters, not shown here")):
        path.write_text(text)
        said = refused(daemon, f"set session tid 1 sid 2 cookie @{path}")
        assert said.startswith(f"l2tpv3ctl: {leaf}") and why in said, said
        assert not text.strip() or text.strip() not in said
    for name in (tmp_path, tmp_path / "absent", ""):
        assert "cannot read" in refused(daemon, f"set session tid 1 sid 2 cookie @{name}")
    assert "standard input holds nothing" in refused(
        daemon, "set session tid 1 sid 2 cookie - peer_cookie -", input="01234567\n")
    assert ok(daemon, "get-config") == before


def test_vlan_of_ppp_and_vlan_without_its_number_are_refused_with_the_cure(daemon):
    ok(daemon, f"add tunnel {TUNNEL}")
    session = "session add tid 1 sid 2 psid 3"
    assert "pseudowire-type ethernet-vlan needs one, 1..4094" in refused(daemon, f"{session} pw_type vlan")
    assert "/vlan-id: given 5; allowed only when pseudowire-type is ethernet-vlan" in refused(
        daemon, f"{session} pw_type ppp vlan_id 5")
    ok(daemon, f"{session} pw_type ppp")
    assert "allowed only when" in refused(daemon, "set session tid 1 sid 2 vlan_id 5")
    ok(daemon, "set session tid 1 sid 2 pw_type eth vlan_id 5")
    assert "  pseudowire-type ethernet-vlan\n  vlan-id 5\n" in ok(daemon, "-d session show pw_type vlan")


def test_a_tunnel_waits_for_its_address_on_its_device(daemon):
    ok(daemon, f"tunnel add {TUNNEL} encap ip dev nosuch0")
    assert ("  status: waiting, no-interface-address: no address 10.0.0.1 on nosuch0 (No such device); "
            "retried when one appears\n") in ok(daemon, "tunnel show")
    assert "  local-interface nosuch0\n" in ok(daemon, "-d tunnel show")
    ok(daemon, "tunnel set tunnel_id 1 dev eth0")
    wait_for(lambda: "status:" not in ok(daemon, "tunnel show"), "the tunnel to be up")
    assert "  local-interface eth0\n" in ok(daemon, "-d tunnel show")
    ok(daemon, "tunnel set tunnel_id 1 no-src_addr")
    assert "<local-address>" not in ok(daemon, "get-config")
    assert "neither local-address nor local-interface" in refused(daemon, "tunnel set tunnel_id 1 no-dev")


def test_output_is_true_to_the_yang_module(daemon, tmp_path):
    ok(daemon, f"add tunnel {TUNNEL} description <&>\"'\\")
    ok(daemon, "add session tid 1 sid 2 psid 3 cookie 01234567")
    ok(daemon, "add session tid 1 sid 3 psid 3 pw_type ppp enabled off")
    ok(daemon, "add tunnel tid 4294967295 ptid 1 encap ip local fd00::1 remote fd00::2")
    yanglint(ok(daemon, "get-config"), "config", "xml", tmp_path)
    yanglint(ok(daemon, "-j get-config"), "config", "json", tmp_path)
    yanglint(ok(daemon, "get"), "get", "xml", tmp_path)
    yanglint(ok(daemon, "-j -p get"), "get", "json", tmp_path)
    listed = json.loads(ok(daemon, "-j show session"))
    assert [(one["tunnel-id"], one["session-id"]) for one in listed] == [(1, 2), (1, 3)]
    assert "statistics" not in listed[0]
    assert "statistics" in json.loads(ok(daemon, "-j -s show session"))[0]
    assert json.loads(ok(daemon, "-j show tunnel sid 3 tid 1"))[0]["description"] == "<&>\"'\\"


def test_what_is_printed_can_be_pushed_back(daemon, tmp_path):
    ok(daemon, f"add tunnel {TUNNEL} description <&>")
    ok(daemon, "add session tid 1 sid 2 psid 3 cookie 01234567")
    saved = ok(daemon, "get-config")
    path = tmp_path / "saved.xml"
    path.write_text(saved)
    ok(daemon, f"push {path} --replace")
    assert ok(daemon, "get-config") == saved
    ok(daemon, "del tunnel tid 1")
    ok(daemon, "push -", input=saved)
    assert ok(daemon, "get-config") == saved


def test_push_merges_or_replaces_and_check_changes_nothing(daemon, tmp_path):
    path = tmp_path / "new.xml"
    path.write_text(tunnel(sessions(1, 2)))
    ok(daemon, f"push --check {path}")
    ok(daemon, f"validate {path}")
    assert ok(daemon, "show tunnel") == ""
    ok(daemon, f"push {path}")
    path.write_text(f"<config xmlns='urn:ietf:params:xml:ns:netconf:base:1.0'>\n{tunnel(sessions(3, 3))}"
                    "\n</config>")
    ok(daemon, f"push {path}")
    assert ok(daemon, "show session").count("Session ") == 3
    ok(daemon, f"push --replace {path}")
    assert ok(daemon, "show session").count("Session ") == 1


def test_check_changes_nothing_or_is_refused(daemon):
    ok(daemon, f"add tunnel {TUNNEL}")
    before = ok(daemon, "get-config")
    for line in ("add session tid 1 sid 2 psid 3", "set tunnel tid 1 udp_sport 5", "del tunnel tid 1"):
        assert ok(daemon, f"{line} --check") != ""
        assert ok(daemon, "get-config") == before
    assert "session-id='9'" in refused(daemon, "--check del session tid 1 sid 9")
    newest = ok(daemon, "history").split()[0]
    for line, option in ((f"rollback {int(newest) - 1}", "--replace"), ("adopt tid 1", "--check"),
                         ("resync", "--check"), ("del tunnel tid 1", "--replace"),
                         ("show tunnel", "--check"), ("get", "-s"), ("set tunnel tid 1 no-enabled", "-j")):
        said = refused(daemon, f"{line} {option}", status=2)
        assert said.startswith(f"l2tpv3ctl: {option} does not go with "), said
    assert ok(daemon, "get-config") == before


def test_a_bad_file_is_refused_whole(daemon, tmp_path):
    path = tmp_path / "bad.xml"
    for text, where in (
            (tunnel(sessions(1, 1) + sessions(2, 2, mtu=5)), "/l2tpv3/tunnel.*session.*'2'.*/mtu: "),
            (tunnel(sessions(1, 1) + "<session>"), ""),
            (tunnel("<colour>red</colour>"), ".*colour"),
            ("<l2tpv3/>", ""),
            ("no XML", ""),
            ("", "")):
        path.write_text(text)
        for line in (f"push {path}", f"validate {path}"):
            said = refused(daemon, line)
            assert re.match(f"l2tpv3ctl: {where}", said), said
        assert ok(daemon, "show tunnel") == ""
    assert refused(daemon, f"push {tmp_path}/absent").count("No such file") == 1
    assert refused(daemon, f"push {tmp_path}").count("Is a directory") == 1


def test_a_broken_line_is_that_of_the_file(daemon):
    broken = "<l2tpv3 xmlns='urn:l2tpv3d:yang:linux-l2tpv3'>\n<tunnel></tunel>\n</l2tpv3>\n"
    before = "<?xml version='1.0'?>\n<!-- a\ncomment -->\n" + 40 * "\n"
    for text, line in ((broken, 2), (before + broken, 45), (f"{before}<config\n>\n{broken}</config>", 47)):
        # the daemon closes early, which can be noticed before what it says
        wait_for(lambda: f"line {line}: " in refused(daemon, "push -", input=text), f"line {line}")


def test_conditions_select(daemon):
    daemon.ctl("push", "-", input=tunnel(sessions(1, 4) + sessions(5, 6, mtu=1400)))
    assert ok(daemon, "show session mtu 1400").count("Session ") == 2
    assert ok(daemon, "show session sid 0x3").startswith("Session 3 ")
    assert ok(daemon, "show session remote 10.0.0.2 seq none").count("Session ") == 6
    assert ok(daemon, "show session remote 10.0.0.3") == ""
    got = ET.fromstring(ok(daemon, "get session session_id 5"))
    space = {"l": "urn:l2tpv3d:yang:linux-l2tpv3"}
    assert [node.text for node in got.findall("l:tunnel/l:session/l:session-id", space)] == ["5"]


def test_tunnels_are_selected_by_their_sessions(daemon):
    ok(daemon, "add tunnel session tid 1 ptid 1 local 10.0.0.1 remote 10.0.0.2 sid 1 psid 1 mtu 1400")
    ok(daemon, "add tunnel session tid 2 ptid 1 local 10.0.0.3 remote 10.0.0.2 sid 2 psid 1 mtu 1300")
    for line, expected in (("mtu 1400", "1"), ("sid 2", "2"), ("mtu 1300 remote 10.0.0.2", "2"),
                           ("mtu 1400 local 10.0.0.3", ""), ("link_enabled on", "12")):
        shown = ok(daemon, f"show tunnel {line}")
        assert "".join(re.findall(r"^Tunnel (\d+)", shown, re.M)) == expected, line
    space = {"l": "urn:l2tpv3d:yang:linux-l2tpv3"}
    for line in ("get session sid 2", "get-config session sid 2 l2spec_type default", "get mtu 1300"):
        got = ET.fromstring(ok(daemon, line))
        assert [node.text for node in got.findall("l:tunnel/l:tunnel-id", space)] == ["2"]
        assert [node.text for node in got.findall("l:tunnel/l:session/l:session-id", space)] == ["2"]


def test_defaults_select_where_they_hold(daemon):
    for line in ("encap ip local 10.0.0.1 remote 10.0.0.2", "encap udp local 10.0.0.1 remote 10.0.0.2",
                 "encap udp local fd00::1 remote fd00::2"):
        number = len(ok(daemon, "show tunnel").split("Tunnel "))
        ok(daemon, f"add tunnel session tid {number} ptid 1 {line} sid {number} psid 1")
    ok(daemon, "add session tid 1 sid 4 psid 1 pw_type ppp")
    for line, chosen in (("udp_sport 1701", "23"), ("udp_csum off", "2"), ("udp6_csum_tx on", "3"),
                         ("udp6_csum_rx off", ""), ("link_enabled on", "123"), ("seq none", "1423")):
        assert "".join(re.findall(r"Session (\d+)", ok(daemon, f"show session {line}"))) == chosen, line
    assert len(json.loads(ok(daemon, "-j show session udp6_csum_rx on"))) == 1


def test_history_lists_commits_and_rollback_goes_back(daemon):
    ok(daemon, f"add tunnel {TUNNEL}")
    before = ok(daemon, "get-config")
    ok(daemon, "add session tid 1 sid 2 psid 3")
    newest = ok(daemon, "history").splitlines()[0].split()
    listed = json.loads(ok(daemon, "-j history"))
    assert [newest[0], newest[2]] == [listed[0]["number"], listed[0]["door"]]
    assert listed[0]["sessions"] == 1
    shown = ok(daemon, f"history show {newest[0]}")
    assert "session 1/2" in shown
    assert json.loads(ok(daemon, f"-j history show {newest[0]}")) == shown.splitlines()
    ok(daemon, f"rollback {int(newest[0]) - 1}")
    assert ok(daemon, "get-config") == before
    assert "cannot return to commit 4711, only to those from " in refused(daemon, "rollback 4711")
    refused(daemon, "rollback yesterday", status=2)


def test_five_thousand_sessions_are_shown(daemon):
    daemon.ctl("push", "-", input=tunnel(sessions(1, 5000)))
    assert ok(daemon, "show session").count("Session ") == 5000
    assert len(json.loads(ok(daemon, "-j -s show session"))) == 5000


def test_a_closed_output_is_an_error(daemon):
    ok(daemon, f"add tunnel {TUNNEL}")
    with open("/dev/full", "w") as full:
        done = subprocess.run([L2TPV3CTL, "-S", daemon.socket, "get"], stdout=full,
                              stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "l2tpv3ctl: cannot write the output\n")


HELLO = ('<hello xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"><capabilities><capability>'
         "urn:ietf:params:netconf:base:1.1</capability></capabilities>"
         "<session-id>1</session-id></hello>]]>]]>")


@pytest.mark.parametrize("line, told", [("rollback 1", True), ("push -", True), ("push - --check", False),
                                        ("show tunnel", False)])
def test_a_change_whose_answer_is_lost_is_not_called_undone(tmp_path, line, told):
    need_built(L2TPV3CTL)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "sock"))
        listener.listen()
        listener.settimeout(20)
        with subprocess.Popen([L2TPV3CTL, "-S", tmp_path / "sock", *line.split()], text=True,
                              stdin=subprocess.PIPE, stderr=subprocess.PIPE) as ctl:
            ctl.stdin.write(tunnel(""))
            ctl.stdin.close()
            with listener.accept()[0] as daemon:
                daemon.sendall(HELLO.encode())
                received = b""
                while not received.endswith(b"\n##\n"):
                    received += daemon.recv(65536)
            said = ctl.stderr.read()
    assert ctl.returncode == 1
    assert "the daemon closed the connection" in said
    assert ("history" in said) == told, said


def test_an_output_that_was_never_open_is_an_error_and_not_the_daemons_socket(daemon):
    daemon.ctl("push", "-", input=tunnel(sessions(1, 3000)))
    for command in ("show session", "get"):
        done = subprocess.run(["sh", "-c", f'exec "$0" -S "$1" {command} >&-', L2TPV3CTL,
                               daemon.socket], stderr=subprocess.PIPE, text=True, timeout=20,
                              check=False)
        assert (done.returncode, done.stderr) == (1, "l2tpv3ctl: cannot write the output\n")
    assert not daemon.logged("ends: ")


def test_without_a_daemon_it_says_what_to_do(tmp_path):
    need_built(L2TPV3CTL)
    done = subprocess.run([L2TPV3CTL, "-S", tmp_path / "none", "show", "tunnel"], text=True,
                          capture_output=True, check=False)
    assert done.returncode == 1
    assert str(tmp_path / "none") in done.stderr and "systemctl start l2tpv3d" in done.stderr


def words_of(program):
    return subprocess.run([program, "-h"], text=True, capture_output=True, check=True).stdout


def test_the_manuals_know_every_option_and_command(daemon):
    manuals = {name: (CHECKOUT / "docs" / name).read_text() for name in ("l2tpv3d.8", "l2tpv3ctl.8")}
    for option in re.findall(r"--([a-z-]+)", words_of(L2TPV3D)):
        assert re.search(rf"Fl -{option}\b", manuals["l2tpv3d.8"]), option
    for command in re.findall(r"^  ([a-z-]+).*\n      ", words_of(L2TPV3CTL), re.M):
        assert command == "help" or re.search(rf"\bCm .*{command}\b", manuals["l2tpv3ctl.8"]), command
