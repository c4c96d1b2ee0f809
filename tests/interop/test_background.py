"""The daemon without -f: in the background once it is ready, with what went wrong on the terminal."""
import os
import signal
import socket
import struct
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.agentx import Master  # noqa: E402
from lib.built import need_built  # noqa: E402
from lib.daemons import L2TPV3CTL, L2TPV3D, L2tpv3d  # noqa: E402
from lib.here import Here  # noqa: E402
from lib.waiting import wait_for  # noqa: E402

need_built(L2TPV3D, L2TPV3CTL)


def start(folder, *options):
    return subprocess.run([L2TPV3D, "--kernel", "sim", *options], cwd=folder, text=True, timeout=30,
                          stdin=subprocess.DEVNULL, capture_output=True, check=False)


def served_by(path):
    """The process that listens on a socket."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        peer = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return struct.unpack("3i", peer)[0]


def stop(folder):
    os.kill(served_by(folder / "sock"), signal.SIGTERM)
    wait_for(lambda: not (folder / "sock").exists(), "its socket to go")


@pytest.fixture
def folder(tmp_path):
    """Where a daemon may be started with the socket "sock"."""
    yield tmp_path
    if (tmp_path / "sock").exists():
        stop(tmp_path)


def test_paths_are_taken_from_where_it_was_started(folder):
    done = start(folder, "-s", "state", "-S", "sock", "-x", "unix:master")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (folder / "state").is_dir()
    subprocess.run([L2TPV3CTL, "-S", folder / "sock", "show", "tunnel"], check=True)
    with Master(folder / "master") as master:  # connected to long after the start
        master.open().close()
    stop(folder)


def test_it_serves_though_its_standard_files_were_closed(folder):
    subprocess.run(["sh", "-c", 'exec "$0" --kernel sim --no-snmp -s "$1/state" -S "$1/sock" '
                                "<&- >&- 2>&-", L2TPV3D, folder], timeout=30, check=True)
    subprocess.run([L2TPV3CTL, "-S", folder / "sock", "show", "tunnel"], check=True)


def test_it_leaves_the_directory_when_no_path_needs_it(folder):
    done = start(folder, "-s", folder / "state", "-S", folder / "sock", "--no-snmp")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    if os.getuid() != 0:
        pytest.skip("must be root, to look at a process that lets nobody look at it")
    assert os.readlink(f"/proc/{served_by(folder / 'sock')}/cwd") == "/"


def test_on_hangup_it_reads_the_kernel_again(tmp_path):
    daemon = L2tpv3d(Here(), tmp_path, kernel="sim").start()
    daemon.send_signal(signal.SIGHUP)
    daemon.wait_for_log("reading the kernel again")
    daemon.ctl("show", "tunnel")
    assert daemon.stop() == 0


@pytest.mark.parametrize("options, why", [
    (["-s", "file", "-S", "sock"], "state directory file"),
    (["-s", "state", "-S", "none/sock"], "none/sock"),
    (["-s", "state", "-S", "sock", "--kernel", "other"], "--kernel other"),
])
def test_a_start_that_fails_says_why(folder, options, why):
    (folder / "file").write_text("")
    done = start(folder, "--no-snmp", *options)
    assert done.returncode == 1
    assert why in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr


@pytest.mark.parametrize("options, said", [
    (["-d", "netconf,netcnf"], "--debug netcnf: the topics are engine,netconf,snmp,all"),
    (["--counter-age", "0"], "give a number from 1"),
    (["more"], "more: only options are accepted"),
])
def test_options_that_are_not_understood_are_refused(folder, options, said):
    done = start(folder, "-s", "state", "-S", "sock", *options)
    assert done.returncode == 2
    assert said in done.stderr, done.stderr
    assert not (folder / "state").exists()
