"""A daemon on the simulated kernel: it runs here, for that kernel needs no namespace."""
import os
import subprocess
import time
from pathlib import Path

from lib.netconf import L2TP
from lib.waiting import wait_for


class Host:
    """In place of a network namespace."""

    @staticmethod
    def popen(*command, **kwargs):
        return subprocess.Popen(list(map(str, command)), **kwargs)


RECORD = bytes(200)  # about what a commit appends


class Disk:
    """The disk's own fsync."""

    def __init__(self, folder):
        self.file = open(folder / "fsync", "ab", buffering=0)

    def append(self):
        self.file.write(RECORD)
        os.fsync(self.file.fileno())


def client_of(daemon):
    client = daemon.netconf()
    client.seconds = 600
    return client


def cpu_ms(daemon):
    """What it has computed so far: no busy machine and no slow disk shows in it."""
    return int(Path(f"/proc/{daemon.pid}/schedstat").read_text().split()[0]) / 1e6


def wait_idle(daemon):
    """Wait until what goes on after an answer has ended."""
    def idle():
        before = cpu_ms(daemon)
        time.sleep(0.2)
        return cpu_ms(daemon) - before < 5
    wait_for(idle, "the daemon to be idle", 600, pause=0)


def resident_mb(daemon, what="VmRSS"):
    for line in Path(f"/proc/{daemon.pid}/status").read_text().splitlines():
        if line.startswith(what):
            return int(line.split()[1]) / 1024
    return None


def settled(client, count):
    """Whether every session is up: after a start they are made in the background."""
    shown = client.rpc_text(
        f'<get><filter type="subtree"><l2tpv3 xmlns="{L2TP}"><tunnel><session>'
        "<session-id/><oper-status>up</oper-status></session></tunnel></l2tpv3></filter></get>")
    return shown.count("<session-id>") == count
