"""Who is connected: places, refusals in words, idle time, and what is told of clients."""
import fcntl
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import oracle  # noqa: E402
from lib.built import need_built  # noqa: E402
from lib.daemons import L2TPV3CTL, L2TPV3D, RELAY, L2tpv3d, Sshd  # noqa: E402
from lib.here import Here, free_port  # noqa: E402
from lib.netconf import BASE, L2TP, Netconf, RpcError, subtree  # noqa: E402
from lib.waiting import wait_for  # noqa: E402

MONITORING = "urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"
OURS = "urn:l2tpv3d:yang:linux-l2tpv3-netconf"
PLACES, KEPT, OF_A_USER = 128, 8, 32
LOCK = "<lock><target><running/></target></lock>"
needs_root = pytest.mark.skipif(os.getuid() != 0, reason="must be root, to be other users")


def start(folder, *options, env=None):
    need_built(L2TPV3D, L2TPV3CTL, RELAY)
    return L2tpv3d(Here(), folder, *options, kernel="sim", env=env).start()


@pytest.fixture
def daemon(tmp_path):
    daemon = start(tmp_path)
    yield daemon
    assert daemon.running, daemon.log()
    daemon.stop()


@pytest.fixture
def open_to_all(daemon):
    """Whose socket everybody may use."""
    for parent in daemon.socket.parents:
        if parent.stat().st_uid == os.getuid() and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o055)
    os.chmod(daemon.socket, 0o666)
    return daemon


def state(client, inner=""):
    return client.get(subtree(f'<netconf-state xmlns="{MONITORING}">{inner}</netconf-state>'))


def entries(client):
    """The sessions by their number, each as a dict by name of leaf."""
    found = state(client, "<sessions/>").iter(f"{{{MONITORING}}}session")
    leaves = [{leaf.tag.partition("}")[2]: leaf.text for leaf in entry} for entry in found]
    return {entry["session-id"]: entry for entry in leaves}


def connect(daemon):
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(str(daemon.socket))
    return connection


class Crowd:
    """Clients of another user, in a process of theirs, which sends each a request all the time."""

    def __init__(self, daemon, uid, count, busy=True):
        program = f"""
import sys, time
sys.path.insert(0, {str(Path(__file__).resolve().parents[1])!r})
from lib.netconf import Netconf
clients = [Netconf({str(daemon.socket)!r}) for _ in range({count})]
print("in", flush=True)
while True:
    for client in clients if {busy} else []:
        client.get_config()
    time.sleep(0.5)
"""
        self.process = subprocess.Popen([sys.executable, "-c", program], user=uid, group=uid, extra_groups=[],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "in\n", self.process.stderr.read()

    def leave(self):
        self.process.kill()
        self.process.communicate()


# Places

@needs_root
def test_other_users_keep_neither_root_nor_the_next_user_out(open_to_all):
    daemon = open_to_all
    crowds = [Crowd(daemon, 40000 + i, OF_A_USER) for i in range(3)]
    crowds.append(Crowd(daemon, 40003, OF_A_USER - KEPT))
    try:
        full = subprocess.run([L2TPV3CTL, "-S", daemon.socket, "show", "clients"], capture_output=True, text=True,
                              user=40004, group=40004, extra_groups=[])
        assert (full.returncode, full.stdout) == (1, "")
        assert full.stderr.startswith(f"l2tpv3ctl: all {PLACES} places for sessions with l2tpv3d are taken")
        mine = subprocess.run([L2TPV3CTL, "-S", daemon.socket, "show", "clients"], capture_output=True, text=True,
                              user=40000, group=40000, extra_groups=[])
        assert f"uid 40000 already has {OF_A_USER} sessions with l2tpv3d" in mine.stderr
        shown = daemon.ctl("show", "clients").stdout
        assert len(shown.splitlines()) == PLACES - KEPT + 1 and shown.count("uid 40000") == OF_A_USER
        with daemon.netconf() as client:
            client.lock()
            victim = next(line.split()[0] for line in shown.splitlines() if "uid 40003" in line)
            daemon.ctl("kill", victim)
            assert victim not in entries(client)
        subprocess.run([L2TPV3CTL, "-S", daemon.socket, "show", "clients"], capture_output=True, check=True,
                       user=40004, group=40004, extra_groups=[])
    finally:
        for crowd in crowds:
            crowd.leave()


@needs_root
def test_sessions_that_root_forgot_make_room_and_those_in_use_do_not(daemon):
    forgotten = [daemon.netconf() for _ in range(PLACES)]
    full = daemon.ctl("show", "tunnel", check=False)
    assert full.returncode == 1 and f"all {PLACES} places" in full.stderr and "show clients" in full.stderr
    assert daemon.logged("refused a NETCONF client of root: all")
    forgotten[5].lock()
    forgotten[6].send_raw(b"\n#1000\n<rpc")
    assert wait_for(lambda: daemon.ctl("show", "clients", check=False).stdout, "a place to become free")
    assert daemon.logged(r"ending NETCONF session \d+ of root, idle for 1\d s, to make room")
    forgotten[5].unlock()
    assert sum(is_closed(client.socket) for client in forgotten) == 1
    for client in forgotten:
        client.close()


def is_closed(connection):
    connection.setblocking(False)
    try:
        return not connection.recv(1)
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True
    finally:
        connection.setblocking(True)


@needs_root
def test_who_connects_in_a_loop_is_told_and_holds_up_nobody(daemon):
    """All are told why in NETCONF, beyond the first ones at once, in the framing of base:1.0."""
    places = [connect(daemon) for _ in range(PLACES)]
    wait_for(lambda: len(os.listdir(f"/proc/{daemon.pid}/fd")) > PLACES, "all places to be taken")
    crowd = [connect(daemon) for _ in range(500)]
    told = 0
    for client in crowd:
        client.settimeout(60)
        said = client.recv(1 << 16)
        told += b"resource-denied" in said and said.endswith(b"</rpc-reply>]]>]]>")
    assert told >= 500 - 64
    for client in places[:1]:
        client.close()

    def served():
        with daemon.netconf() as client:
            return client.get_config() is not None
    assert wait_for(served, "a place that became free")
    for client in places + crowd:
        client.close()
    assert daemon.log().count("refused: all") < 20  # the others are counted


@needs_root
def test_a_loop_of_connects_delays_nobody_much(open_to_all):
    daemon = open_to_all
    program = f"""
import socket
print("on", flush=True)
kept = []
while True:
    kept.append(socket.socket(socket.AF_UNIX))
    kept[-1].connect({str(daemon.socket)!r})
    if len(kept) > 900:
        for connection in kept:
            connection.close()
        kept = []
"""
    loop = subprocess.Popen([sys.executable, "-c", program], user=40000, group=40000, extra_groups=[],
                            stdout=subprocess.PIPE, text=True)
    try:
        assert loop.stdout.readline() == "on\n"
        daemon.wait_for_log("refused a NETCONF client of uid 40000")
        taken = []
        for _ in range(50):
            began = time.monotonic()
            with daemon.netconf() as client:
                client.get_config()
            taken.append(time.monotonic() - began)
        assert sorted(taken)[25] < 0.5, taken
        assert len([e for e in entries(daemon.netconf()).values() if e["username"] == "uid 40000"]) <= OF_A_USER
    finally:
        loop.kill()
        loop.communicate()


@needs_root
def test_out_of_descriptors_a_client_is_told_so_and_those_that_are_there_go_on(daemon):
    with daemon.netconf() as client:
        before = resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)
        used = len(os.listdir(f"/proc/{daemon.pid}/fd"))
        resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (used, before[1]))
        for _ in range(3):
            refused = daemon.ctl("show", "tunnel", check=False)
            assert refused.returncode == 1
            assert "cannot take more clients; raise its LimitNOFILE" in refused.stderr, refused.stderr
        client.get_config()
        assert daemon.log().count("cannot accept NETCONF clients: Too many open files") == 1
        resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, before)
        assert daemon.ctl("show", "tunnel").stdout == ""


def test_without_a_descriptor_of_any_kind_it_refuses_and_tries_again(daemon):
    with daemon.netconf() as client, pytest.raises(RpcError) as refused:
        before = resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (4, before[1]))
        waiting = connect(daemon)
        daemon.wait_for_log("cannot accept NETCONF clients: Too many open files")
        client.get('<filter type="xpath" select="//*[text() = 1]"/>')
    assert refused.value.tag == "resource-denied"
    assert "cannot start a process to search" in refused.value.message
    resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, before)
    assert waiting.recv(1) == b"<"  # a hello, within a second
    assert daemon.log().count("cannot accept NETCONF clients") == 1


# Time

def test_a_lock_ends_with_who_forgot_it(tmp_path):
    daemon = start(tmp_path, "--lock-timeout", "1", "--idle-timeout", "0")
    try:
        with daemon.netconf() as idle, daemon.netconf() as holder:
            holder.lock()
            daemon.wait_for_log("ends: it holds the lock and asks for nothing")
            idle.lock()
            idle.unlock()
            with pytest.raises(ConnectionError):
                holder.get()
    finally:
        daemon.stop()


@pytest.mark.parametrize("options,said", [(["--idle-timeout", "-1"], "from 0 to 3600000"),
                                          (["--lock-timeout", "soon"], "from 0 to 3600000"),
                                          (["--counter-age", "0"], "from 1 to 3600000")])
def test_times_that_are_none_are_refused(options, said):
    done = subprocess.run([L2TPV3D, *options], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and said in done.stderr


def test_the_manual_tells_the_times_that_hold():
    manual = (oracle.CHECKOUT / "docs" / "l2tpv3d.8").read_text()
    words = subprocess.run([L2TPV3D, "-h"], capture_output=True, text=True, check=True).stdout
    for option in ("idle-timeout", "lock-timeout"):
        default = re.search(rf"--{option} S .*\((\d+)\)", words)[1]
        assert re.search(rf"Fl -{option} Ar s\n(.*\n)*?.*\b{default}\b", manual)


# Who is who

def test_netconf_state_is_true_and_yanglint_accepts_it(daemon):
    if oracle.missing():
        pytest.skip(oracle.missing())
    with daemon.netconf() as one, daemon.netconf() as two, daemon.netconf("1.0") as old:
        one.lock()
        with pytest.raises(RpcError):
            two.lock()
        old.get_config()
        reply = two.rpc_text(f'<get><filter><netconf-state xmlns="{MONITORING}"/></filter></get>')
        data = re.search(r"<data>(.*)</data>", reply, re.S)[1]
        oracle.yanglint("get", data)
        found = entries(two)
        assert [found[c.session_id]["in-rpcs"] for c in (one, two, old)] == ["1", "3", "1"]
        assert found[two.session_id]["out-rpc-errors"] == "1"
        assert found[two.session_id]["operation"] == "get" and "idle-time" not in found[two.session_id]
        assert found[one.session_id]["idle-time"] == "0" and "operation" not in found[one.session_id]
        assert {entry["process-id"] for entry in found.values()} == {str(os.getpid())}
        one.edit_config(f'<l2tpv3 xmlns="{L2TP}"/>', "candidate")
        one.rpc("<commit><confirmed/></commit>")
        lock = state(two, "<datastores/>")
        assert lock.findtext(f".//{{{OURS}}}confirmed-commit/{{{OURS}}}session-id") == one.session_id
        assert lock.findtext(f".//{{{OURS}}}latest-change/{{{OURS}}}stage") == "done"
        oracle.yanglint("get", re.search(r"<data>(.*)</data>", two.rpc_text(
            f'<get><filter><netconf-state xmlns="{MONITORING}"/></filter></get>'), re.S)[1])
        assert lock.findtext(f".//{{{MONITORING}}}locked-by-session") == one.session_id
        said = [e.text for e in state(one, "<capabilities/>").iter(f"{{{MONITORING}}}capability")]
        assert said == two.capabilities
    with daemon.netconf() as client:
        sums = {e.tag.partition("}")[2]: e.text for e in
                state(client, "<statistics/>").find(f".//{{{MONITORING}}}statistics")}
    assert sums["in-sessions"] == "4" and sums["dropped-sessions"] == "3" and sums["out-rpc-errors"] == "1"
    assert sums["in-bad-hellos"] == "0"


@pytest.mark.parametrize("filter,expected", [
    ("<sessions><session><username/></session></sessions>",
     "<sessions><session><session-id>1</session-id><username>{user}</username></session>"
     "<session><session-id>2</session-id><username>{user}</username></session></sessions>"),
    ("<sessions><session><session-id> 2 </session-id><username/></session></sessions>",
     "<sessions><session><session-id>2</session-id><username>{user}</username></session></sessions>"),
    ("<sessions><session><session-id>2</session-id><username>nobody else</username></session></sessions>", ""),
    ("<sessions><session><session-id>9</session-id></session></sessions>", ""),
    ("<sessions><session><session-id>1</session-id><session-id/></session><session><session-id>2</session-id>"
     f'<door xmlns="{OURS}"/></session></sessions>',
     "<sessions><session><session-id>1</session-id></session><session><session-id>2</session-id>"
     '<door xmlns="urn:l2tpv3d:yang:linux-l2tpv3-netconf">netconf</door></session></sessions>'),
    ("<datastores><datastore><name/></datastore></datastores><sessions><none/></sessions>",
     "<datastores><datastore><name>running</name></datastore><datastore><name>candidate</name></datastore></datastores>"),
    ('<datastores x="1"/>', ""),
    ('<datastores xmlns="urn:other"/>', ""),
    ('<datastores xmlns=""/>', "<datastores><datastore><name>running</name></datastore><datastore><name>candidate</name></datastore></datastores>"),
    ("<schemas><schema><identifier>linux-l2tpv3</identifier><location/></schema></schemas>",
     "<schemas><schema><identifier>linux-l2tpv3</identifier><version>2026-11-22</version><format>yang</format>"
     "<location>NETCONF</location></schema></schemas>"),
])
def test_a_filter_selects_of_netconf_state(daemon, filter, expected):
    import getpass
    with daemon.netconf(), daemon.netconf() as client:
        reply = client.rpc_text("<get>" + subtree(f'<netconf-state xmlns="{MONITORING}">{filter}</netconf-state>')
                                + "</get>")
    selected = expected.format(user=getpass.getuser())
    whole = f'<netconf-state xmlns="{MONITORING}">{selected}</netconf-state>' if selected else ""
    assert f"<data>{whole}</data>" in reply


def test_a_filter_of_too_many_elements_is_refused(daemon):
    with daemon.netconf() as client:
        with pytest.raises(RpcError) as raised:
            state(client, "<sessions/>" * 256)
        assert raised.value.tag == "too-big"
        state(client, "<sessions/>" * 255)


def test_both_are_shown_when_both_are_asked_for(daemon):
    with daemon.netconf() as client:
        client.edit_config('<l2tpv3 xmlns="urn:l2tpv3d:yang:linux-l2tpv3"><tunnel><tunnel-id>1</tunnel-id>'
                           "<peer-tunnel-id>1</peer-tunnel-id><local-address>192.0.2.1</local-address>"
                           "<remote-address>192.0.2.2</remote-address></tunnel></l2tpv3>")
        reply = client.rpc_text("<get>" + subtree(
            f'<netconf-state xmlns="{MONITORING}"><datastores/></netconf-state>'
            '<l2tpv3 xmlns="urn:l2tpv3d:yang:linux-l2tpv3"/>') + "</get>")
        assert "<name>running</name>" in reply and "<tunnel-id>1</tunnel-id>" in reply
        assert "netconf-state" not in client.rpc_text("<get-config><source><running/></source>" + subtree(
            f'<netconf-state xmlns="{MONITORING}"/>') + "</get-config>")


def relay(daemon, ssh_connection):
    env = {**os.environ, "SSH_CONNECTION": ssh_connection}
    return subprocess.Popen([RELAY, "-S", daemon.socket], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env)


@pytest.mark.parametrize("told,shown", [
    ("198.51.100.7 50000 192.0.2.1 22", "198.51.100.7"),
    ("2001:db8::7 50000 2001:db8::1 830", "2001:db8::7"),
    ("fe80::1%eth0 50000 fe80::2%eth0 22", "fe80::1%eth0"),
    ("<evil/> 1 2 3", None),
    ("a" * 200, None),
    ("", None),
])
def test_the_relay_tells_where_its_user_came_from(daemon, told, shown):
    one, two = relay(daemon, told), relay(daemon, told)
    try:
        with daemon.netconf() as client:
            found = wait_for(lambda: len(entries(client)) == 3 and entries(client), "the relays' sessions")
            for process in (one, two):
                entry = next(e for e in found.values() if e["process-id"] == str(process.pid))
                assert entry.get("source-host") == shown
                assert entry["transport"] == ("netconf-ssh" if shown else "l2tpnc:netconf-unix")
    finally:
        for process in (one, two):
            process.kill()
            process.communicate()


def test_a_relay_ends_with_a_daemon_that_had_not_read_all(tmp_path):
    daemon = start(tmp_path)
    process = relay(daemon, "")
    try:
        assert b"<hello" in process.stdout.read1()
        daemon.send_signal(signal.SIGSTOP)
        process.stdin.write(b"<hello/>]]>]]>")
        process.stdin.flush()
        wait_for(lambda: not any(fcntl.ioctl(process.stdin, termios.FIONREAD, bytes(4))), "the relay to read it")
        daemon.kill()  # its unread input makes the relay's next read fail, with ECONNRESET
        process.wait(10)
    finally:
        daemon.kill()
        process.kill()
        process.communicate()


@pytest.mark.parametrize("name", [b"l2tpv3-netconf 1 <evil/>", b"l2tpv3-netconf 1 " + 90 * b"1", b"l2tpv3-netconf 1",
                                  b"l2tpv3-netconf 1 ", b"other 1 192.0.2.1", b"l2tpv3-netconf 1 ::1%",
                                  b"l2tpv3-netconf 1 ::1%a b", b"l2tpv3-netconf 1 ::1%\n  2 root", b"l2tpv3-netconf 1 ::1%\x1b[2J",
                                  b"l2tpv3-netconf 1 ::1%\xff"])
def test_what_is_no_address_is_not_shown_whoever_says_it(daemon, name):
    with socket.socket(socket.AF_UNIX) as liar, daemon.netconf() as client:
        liar.bind(b"\0" + name)
        liar.connect(str(daemon.socket))
        found = wait_for(lambda: len(entries(client)) == 2 and entries(client), "its session")
        assert not any("source-host" in entry for entry in found.values())


def test_the_lock_of_a_relay_that_dies_goes_with_it(daemon):
    """sshd that is killed ends the relay's input; the relay may be killed too."""
    hello = f'<hello xmlns="{BASE}"><capabilities><capability>urn:ietf:params:netconf:base:1.0</capability>' \
            "</capabilities></hello>]]>]]>"
    for end in (lambda process: process.stdin.close(), lambda process: process.kill(),
                lambda process: process.send_signal(signal.SIGTERM), lambda process: process.stdout.close()):
        process = relay(daemon, "")
        process.stdin.write(f'{hello}<rpc xmlns="{BASE}" message-id="1">{LOCK}</rpc>]]>]]>'.encode())
        process.stdin.flush()
        with daemon.netconf() as client:
            wait_for(lambda: state(client, "<datastores/>").findtext(f".//{{{MONITORING}}}locked-by-session"),
                     "the lock to be taken")
            end(process)
            wait_for(lambda: "<ok/>" in client.rpc_text(LOCK), "the lock to be free")
        process.kill()
        process.wait()


@needs_root
@pytest.mark.skipif(not Path("/usr/sbin/sshd").exists(), reason="openssh-server is not installed")
def test_over_ssh_the_source_is_shown_and_a_refusal_reaches_ncclient(daemon, tmp_path):
    pytest.importorskip("ncclient", reason="python3-ncclient is not installed")
    from ncclient.operations import RPCError
    sshd = Sshd(Here(), tmp_path / "sshd", daemon.socket, port=free_port(socket.SOCK_STREAM)).start()
    try:
        with sshd.ncclient() as manager:
            with daemon.netconf() as client:
                entry = entries(client)[manager.session_id]
                assert (entry["source-host"], entry["transport"], entry["username"]) == (
                    "127.0.0.1", "netconf-ssh", sshd.user)
        places = [daemon.netconf() for _ in range(PLACES)]
        with sshd.ncclient() as manager:
            with pytest.raises(RPCError) as raised:
                manager.get_config(source="running")
            assert raised.value.tag == "resource-denied" and "kept for root" in raised.value.message
        for client in places:
            client.close()
    finally:
        sshd.stop()


# The shell

def test_show_clients_and_kill(daemon):
    with daemon.netconf() as one, daemon.netconf() as two:
        one.lock()
        lines = daemon.ctl("show", "clients").stdout.splitlines()
        assert [re.search(r"holds the lock of running since 2", line) is not None for line in lines] == [
            True, False, False]
        assert lines[2].endswith("1 request, in get (this command)") and " cli " in lines[2]
        shown = json.loads(daemon.ctl("-j", "show", "clients").stdout)
        assert [entry["session-id"] for entry in shown[:2]] == [int(one.session_id), int(two.session_id)]
        assert [lock["datastore"] for lock in shown[0]["locks"]] == ["running"] and "locks" not in shown[1]
        assert shown[0]["locks"][0]["locked-time"].startswith("2")
        assert shown[0]["transport"] == "netconf-unix" and shown[0]["in-rpcs"] == 1
        assert daemon.ctl("kill", "session-id", one.session_id).stdout == ""
        two.lock()
        for words, status, said in ((["kill"], 2, "give the number of a session"),
                                    (["kill", "x"], 2, '"x" is not the number'),
                                    (["kill", "session-id", "1", "2"], 2, "give the number"),
                                    (["kill", one.session_id], 1, f"there is no session {one.session_id}"),
                                    (["kill", "4294967299"], 1, "there is no session 4294967299"),
                                    (["-s", "show", "clients"], 2, "-s does not go with show clients")):
            done = daemon.ctl(*words, check=False)
            assert (done.returncode, done.stdout) == (status, "") and said in done.stderr, done.stderr


@needs_root
def test_a_user_ends_sessions_of_his_own_alone(open_to_all):
    daemon = open_to_all
    crowd = Crowd(daemon, 40000, 2, busy=False)
    try:
        with daemon.netconf() as mine:
            his = [number for number, entry in entries(mine).items() if entry["username"] == "uid 40000"]

            def kill(number):
                return subprocess.run([L2TPV3CTL, "-S", daemon.socket, "kill", number], capture_output=True,
                                      text=True, user=40000, group=40000, extra_groups=[])
            refused = kill(mine.session_id)
            assert refused.returncode == 1 and "you may end only your own sessions" in refused.stderr
            assert kill(his[0]).returncode == 0
            assert his[0] not in entries(mine) and his[1] in entries(mine)
    finally:
        crowd.leave()


# Secrets in memory

COOKIE = "d1e2a3f4b5c69788"


def memory_of(pid):
    """All that the process can write to."""
    found = b""
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        begin, end, rights = re.match("([0-9a-f]+)-([0-9a-f]+) (..)", line).groups()
        if rights == "rw":
            with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
                try:
                    memory.seek(int(begin, 16))
                    found += memory.read(int(end, 16) - int(begin, 16)) or b""
                except (OSError, ValueError, OverflowError):
                    pass  # of the kernel's
    return found


@needs_root
def test_a_cookie_that_was_deleted_is_not_in_memory_any_more(daemon):
    if b"__asan_init" in L2TPV3D.read_bytes():
        pytest.skip("a sanitizer keeps what was freed")

    def sockets():
        return sum(os.readlink(fd).startswith("socket:") for fd in Path(f"/proc/{daemon.pid}/fd").iterdir())
    before = sockets()
    with daemon.netconf() as client:
        inner = "".join(f"<session><session-id>{i}</session-id><peer-session-id>{i}</peer-session-id>"
                        f"<tx-cookie>{COOKIE}</tx-cookie></session>" for i in range(1, 201))
        client.edit_config(
            '<l2tpv3 xmlns="urn:l2tpv3d:yang:linux-l2tpv3"><tunnel><tunnel-id>1</tunnel-id><peer-tunnel-id>1'
            "</peer-tunnel-id><local-address>192.0.2.1</local-address><remote-address>192.0.2.2</remote-address>"
            f"{inner}</tunnel></l2tpv3>")
        assert COOKIE in client.rpc_text("<get-config><source><running/></source></get-config>")
        assert bytes.fromhex(COOKIE) in memory_of(daemon.pid)
    wait_for(lambda: sockets() == before, "the session to end")
    # Of the 400 that went over the socket: what the stack and libxml2 have of the last ones.
    assert memory_of(daemon.pid).count(COOKIE.encode()) < 10
    daemon.ctl("delete", "tunnel", "tid", "1")
    wait_for(lambda: not daemon.ctl("-d", "show", "tunnel").stdout, "the tunnel to be gone")
    assert bytes.fromhex(COOKIE) not in memory_of(daemon.pid)


@needs_root
@pytest.mark.parametrize("program", ["daemon", "relay", "shell"])
def test_no_program_leaves_its_memory_to_others(daemon, program, tmp_path):
    """No core dump, and the same user's other processes cannot read it."""
    os.chmod(tmp_path, 0o777)
    for parent in tmp_path.parents:
        if parent.stat().st_uid == 0 and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o055)
    argv = {"daemon": [L2TPV3D, "-f", "-s", tmp_path / "theirs", "-S", tmp_path / "s", "--no-snmp", "--kernel", "sim"],
            "relay": [RELAY, "-S", daemon.socket], "shell": [L2TPV3CTL, "-S", daemon.socket, "push", "-"]}[program]
    os.chmod(daemon.socket, 0o666)
    argv[0] = shutil.copy(argv[0], tmp_path)
    process = subprocess.Popen([*map(str, argv)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, user=65534, group=65534,
                               extra_groups=[], preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (9, 9)))
    try:
        wait_for(lambda: re.search(r"Max core file size +0 +0 ", Path(f"/proc/{process.pid}/limits").read_text()),
                 "the limit of core dumps")
        wait_for(lambda: os.stat(f"/proc/{process.pid}/mem").st_uid == 0, "its memory to be root's")
        tried = subprocess.run([sys.executable, "-c", f"open('/proc/{process.pid}/mem', 'rb')"], user=65534,
                               group=65534, extra_groups=[], capture_output=True, text=True, check=False)
        assert "PermissionError" in tried.stderr
    finally:
        process.kill()
        process.communicate()
