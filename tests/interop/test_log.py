"""The log, as an operator reads it: on standard error, and in systemd's journal."""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.built import need_built  # noqa: E402
from lib.daemons import L2TPV3CTL, L2TPV3D, L2tpv3d, Snmpd  # noqa: E402
from lib.here import Here, free_port  # noqa: E402
from lib.netconf import BASE, L2TP, RpcError  # noqa: E402
from lib.snmp import ROOT  # noqa: E402
from lib.table import mib_arc  # noqa: E402
from lib.waiting import wait_for  # noqa: E402


def start(folder, *options, **kwargs):
    need_built(L2TPV3D, L2TPV3CTL)
    return L2tpv3d(Here(), folder, *options, kernel="sim", **kwargs)


@pytest.fixture
def daemon(tmp_path):
    daemon = start(tmp_path).start()
    yield daemon
    daemon.stop()


def tunnel(number, inner="", remote="192.0.2.2"):
    return (f'<l2tpv3 xmlns="{L2TP}" xmlns:nc="{BASE}"><tunnel><tunnel-id>{number}</tunnel-id><peer-tunnel-id>1'
            "</peer-tunnel-id><encapsulation>ip</encapsulation><local-address>192.0.2.1</local-address>"
            f"<remote-address>{remote}</remote-address>{inner}</tunnel></l2tpv3>")


def sessions(first, last):
    return "".join(f"<session><session-id>{i}</session-id><peer-session-id>{i}</peer-session-id></session>"
                   for i in range(first, last + 1))


def test_each_commit_is_a_line_with_number_door_user_and_what_it_touched(daemon):
    with daemon.netconf() as client:
        client.edit_config(tunnel(1, sessions(1, 2)))
        client.edit_config(tunnel(1, sessions(3, 3000)))
    daemon.ctl("set", "session", "tid", "1", "sid", "2", "mtu", "1400", "description", "x")
    daemon.ctl("delete", "session", "tid", "1", "sid", "2")
    daemon.ctl("rollback", "2")
    for line in (r"commit 1 by root \(netconf\): tunnel 1 created; sessions 1/1, 1/2 created",
                 r"commit 2 by root \(netconf\): 2,998 sessions of tunnel 1 created",
                 r"commit 3 by root \(cli\): session 1/2 changed \(description, mtu\)",
                 r"commit 4 by root \(cli\): session 1/2 deleted",
                 r"commit 5 by root \(cli\): session 1/2 created \[rollback to 2\]"):
        assert daemon.logged(f"^l2tpv3d: {line}$".replace("^", "(?m)^").replace("root", r"\S+")), line


def enabled(value):
    return f'<l2tpv3 xmlns="{L2TP}"><tunnel><tunnel-id>1</tunnel-id><enabled>{value}</enabled></tunnel></l2tpv3>'


def test_objects_that_go_down_and_up_again_are_told_and_many_in_one_line(daemon):
    with daemon.netconf() as client:
        client.edit_config(tunnel(1, sessions(1, 1300)))
        daemon.wait_for_log("1,300 sessions of tunnel 1 up\n")
        assert daemon.logged("l2tpv3d: tunnel 1 up\n")
        client.edit_config(enabled("false"))
        daemon.wait_for_log("tunnel 1 down: enabled is false; set it to true to create it")
        # The kernel lets go of them in its own time.
        wait_for(lambda: sum(int(n.replace(",", "")) for n in re.findall(
            "l2tpv3d: warning: ([0-9,]+) sessions of tunnel 1 down: tunnel-not-up\n", daemon.log())) == 1300,
            "all sessions to be told of")
        client.edit_config(enabled("true"))
    said = daemon.wait_for_log(r"(?s)tunnel-not-up.*1,300 sessions of tunnel 1 up\n")
    assert said[0].count("\n") < 10


def test_what_is_held_back_is_told_before_the_end(daemon):
    with daemon.netconf() as client:
        client.edit_config(tunnel(1, sessions(1, 1)))
    daemon.stop()
    assert "session 1/1 up\n" in daemon.log() and daemon.log().index("session 1/1 up") > 0


def test_what_is_not_up_is_told_at_the_next_start(daemon):
    with daemon.netconf() as client:
        client.edit_config(tunnel(1, sessions(1, 1), "198.51.100.1"))
        client.edit_config(enabled("false"))
    daemon.restart()
    daemon.wait_for_log("tunnel 1 down: enabled is false")


@pytest.mark.parametrize("journal", [True, False])
def test_under_journald_each_line_has_its_priority(tmp_path, journal):
    daemon = start(tmp_path)
    daemon.log_path.touch()
    status = daemon.log_path.stat()
    # As systemd sets it; whom stderr is not inherits it too.
    daemon.env["JOURNAL_STREAM"] = f"{status.st_dev}:{status.st_ino if journal else status.st_ino + 1}"
    daemon.start()
    try:
        with daemon.netconf() as client:
            client.edit_config(tunnel(1))
            client.send_raw(b"\n#x\n")
            daemon.wait_for_log("ends: ")
        daemon.wait_for_log("tunnel 1 up")
    finally:
        daemon.stop()
    lines = daemon.log().splitlines()
    if journal:
        assert all(re.match(r"<[3-7]>(?!l2tpv3d)", line) for line in lines), lines
        assert any(line == "<5>ready" for line in lines)
        assert any(line.startswith("<6>commit 1 by ") for line in lines)
    else:
        assert all(line.startswith("l2tpv3d: ") for line in lines), lines


@pytest.mark.parametrize("topic", ["engine", "netconf", "snmp"])
def test_every_debug_topic_logs_and_no_other(tmp_path, topic):
    if not shutil.which("snmpd"):
        pytest.skip("snmpd is not installed")
    snmpd = Snmpd(Here(), tmp_path / "snmpd", port=free_port(socket.SOCK_DGRAM)).start()
    daemon = start(tmp_path, "-d", topic, snmp_master=snmpd.master).start()
    try:
        daemon.wait_for_log("connected to the AgentX master")
        with daemon.netconf() as client:
            client.edit_config(tunnel(1, sessions(1, 1)))
            with pytest.raises(RpcError):
                client.edit_config(tunnel(1, "", "nowhere"))
            status = f"{ROOT}.1.2.1.{mib_arc('l2tpv3TunnelRowStatus')}.1"
            snmpd.manager().set((status, "i", 2))
            client.get()
        daemon.wait_for_log("by a manager whom the AgentX master does not name .snmp.: tunnel 1 changed .enabled.")
        assert daemon.ctl("history").stdout.splitlines()[0].split()[2:4] == ["snmp", "-"]
    finally:
        daemon.stop()
        snmpd.stop()
    expected = {
        "engine": [r"tunnel 1: \w+ to up, none", r"session 1/1: \w+ to up, none", r"\+ tunnel 1 ", r"~ tunnel 1 "],
        "netconf": [r"NETCONF session 1 of \S+ \(process \d+\) begins",
                    r"NETCONF session 1 of \S+: answered get after \d+ us",
                    r"NETCONF session 1 of \S+: refused: invalid-value: /l2tpv3/.*remote-address: ",
                    r"NETCONF session 1 of \S+ ends after 3 requests"],
        "snmp": [r"set request \d+: handing an edit of 1 entries to the engine", r"set request \d+: done"],
    }
    for name, lines in expected.items():
        for line in lines:
            assert bool(daemon.logged(f"l2tpv3d: debug: {line}")) == (name == topic), (line, daemon.log())


@pytest.mark.skipif(os.getuid() != 0, reason="must be root, to make a namespace and be somebody else")
def test_an_errno_is_said_once(tmp_path):
    name = f"test_log_{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.skip(f"no namespace can be made: {made.stderr}")
    try:
        program = shutil.copy(L2TPV3D, tmp_path)
        for parent in (tmp_path, *tmp_path.parents):
            if parent.stat().st_uid == 0 and parent != Path("/"):
                parent.chmod(parent.stat().st_mode | 0o055)
        done = subprocess.run([program, "-f", "-s", "/nonexistent", "-S", "/nonexistent/socket", "-N", name],
                              capture_output=True, text=True, user=65534, group=65534, extra_groups=[], check=False)
    finally:
        subprocess.run(["ip", "netns", "del", name], check=True)
    assert done.returncode == 1
    assert "cannot enter the network namespace: Operation not permitted\n" in done.stderr


def test_lines_that_are_alike_are_counted_after_the_first(daemon):
    for _ in range(40):
        with daemon.netconf() as client:
            client.send_raw(b"\n#x\n")
            with pytest.raises(ConnectionError):
                client.receive()
    daemon.wait_for_log(r"\d+ more like it, the last: NETCONF session 40 of \S+ ends: ")
    assert 5 <= len(re.findall(r"l2tpv3d: NETCONF session \d+ of \S+ ends: ", daemon.log())) < 20


def test_the_log_goes_on_when_nobody_reads_it(tmp_path):
    """A closed standard error, as of a terminal that is gone."""
    need_built(L2TPV3D)
    daemon = start(tmp_path)
    reader, writer = os.pipe()
    process = subprocess.Popen([*map(str, daemon.argv)], stdin=subprocess.DEVNULL, stdout=writer, stderr=writer)
    os.close(writer)
    said = b""
    while b"ready" not in said:
        said += os.read(reader, 4096)
    os.close(reader)
    with daemon.netconf() as client:
        client.edit_config(tunnel(1))
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
