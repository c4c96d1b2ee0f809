"""Debian's netconfd with our module and nothing behind it: a datastore in memory, the peer of the NETCONF plane."""
import os
import shutil
import socket
import subprocess

from lib.daemons import CHECKOUT, Process
from lib.netconf import Netconf

MODULES = f"{CHECKOUT / 'yang'}:/usr/share/yuma/modules"


def missing():
    """Why it cannot be had, or nothing."""
    return "" if shutil.which("netconfd") else "netconfd is not installed (Debian: netconfd)"


class Client(Netconf):
    """Through netconf-subsystem, as sshd starts it: netconfd talks to nothing else."""

    @staticmethod
    def connect(path):
        ours, theirs = socket.socketpair()
        with theirs:
            subprocess.Popen(["netconf-subsystem", f"--ncxserver-sockname=830@{path}"], stdin=theirs, stdout=theirs,
                             env={**os.environ, "USER": "root", "SSH_CONNECTION": "127.0.0.1 5000 127.0.0.1 830"})
        return ours


class Netconfd(Process):
    def __init__(self, namespace, folder):
        super().__init__(namespace, folder, "netconfd")
        (self.folder / "data").mkdir(exist_ok=True)
        self.socket = self.folder / "netconfd.sock"
        self.argv = ["netconfd", "--no-startup", "--module=linux-l2tpv3", f"--modpath={MODULES}",
                     f"--ncxserver-sockname={self.socket}", f"--yuma-home={self.folder}", "--target=running",
                     "--access-control=off", "--log-level=error"]

    def start(self):
        self.launch(self.argv, self.socket.exists)
        return self

    def netconf(self):
        return Client(self.socket, seconds=600)
