"""Routers for the playbooks of docs/fleet: an l2tpv3d and an sshd each, and an Ansible that has them in its inventory."""
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from .daemons import CHECKOUT, L2tpv3d, Sshd

DOCS = CHECKOUT / "docs" / "fleet"
GUEST_NET = "10.0.2"  # of the guest's routers, and of QEMU
SECRET = "a secret of this test, and of no router"


def missing():
    """Why there can be no fleet here, or None."""
    if not shutil.which("ansible-playbook"):
        return "ansible is not installed"
    return "sshd needs root to log somebody in" if os.getuid() else None


class Member:
    """One router: its daemon, and an sshd that leads to it."""

    def __init__(self, number, namespace, folder, wan, listen="127.0.0.1", port=830, kernel="real"):
        folder.mkdir(exist_ok=True)
        self.name = f"r{number}"
        self.daemon = L2tpv3d(namespace, folder, kernel=kernel)
        self.sshd = Sshd(namespace, folder / "sshd", self.daemon.socket, port, listen)
        self.row = {"number": number, "wan": wan, "ansible_host": listen, "ansible_port": port,
                    "ansible_ssh_private_key_file": str(self.sshd.key)}

    def start(self):
        self.daemon.start()
        self.sshd.start()
        return self

    def stop(self):
        self.sshd.stop()
        self.daemon.stop()

    def config(self):
        return self.daemon.ctl("get-config").stdout


# The processes that hold the connections leave Ansible, and stay for a while when it has ended. This one ends them, and
# prints what Ansible has taken of the processor, and they, in seconds.
METER = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(36, 1)  # PR_SET_CHILD_SUBREAPER
pid = os.spawnvp(os.P_NOWAIT, sys.argv[1], sys.argv[1:])
seconds = {True: 0, False: 0}
while True:
    try:
        found, ended, used = os.wait4(-1, 0)
    except ChildProcessError:
        break
    seconds[found == pid] += used.ru_utime + used.ru_stime
    if found == pid:
        status = os.waitstatus_to_exitcode(ended)
        for child in open(f"/proc/self/task/{os.getpid()}/children").read().split():
            os.kill(int(child), signal.SIGKILL)
print(f"cpu: ansible {seconds[True]:.1f} s, connections {seconds[False]:.1f} s")
sys.exit(status)
"""


class Fleet:
    """docs/fleet with an inventory of these rows, {router: its variables}."""

    options = ()  # of every ansible-playbook

    def __init__(self, folder, rows):
        self.folder, self.rows = Path(folder), rows
        shutil.copytree(DOCS, self.folder, ignore=shutil.ignore_patterns("inventory.yml"))
        self.secret(SECRET)
        self.inventory()

    def inventory(self, **other):
        """Write it; @other are variables of some routers that differ."""
        # The vars of an inventory's group give way to those of group_vars, and those of a host do not.
        rows = {name: {"ansible_user": "root", "ansible_host_key_checking": False, **row, **other.get(name, {})}
                for name, row in self.rows.items()}
        (self.folder / "inventory.yml").write_text(json.dumps({"routers": {"hosts": rows}}))

    def secret(self, text):
        path = self.folder / "secret.yml"
        path.write_text(f"mesh_secret: {text}\n")
        path.chmod(0o600)

    def play(self, *words, succeeds=True, book="mesh.yml"):
        """Run a playbook. Returns what it said, and {router: {changed: 1, failed: 0 ...}}."""
        done = subprocess.run(
            [sys.executable, "-c", METER, "ansible-playbook", *self.options, "-e", "@secret.yml", *words, book], cwd=self.folder,
            text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
            env={**os.environ, "HOME": str(self.folder), "ANSIBLE_NOCOLOR": "1",
                 "ANSIBLE_CALLBACKS_ENABLED": "ansible.posix.profile_tasks",
                 # On a busy machine everything takes long.
                 "ANSIBLE_PERSISTENT_COMMAND_TIMEOUT": "120"})
        assert (done.returncode == 0) == succeeds, done.stdout
        assert SECRET not in done.stdout
        recap = {name: {word: int(count) for word, count in re.findall(r"(\w+)=(\d+)", counts)}
                 for name, counts in re.findall(r"^(r\d+) +: (.*)$", done.stdout, re.M)}
        return done.stdout, recap

    def changed(self, *words):
        """The routers that a run says to have changed."""
        return {name for name, counts in self.play(*words)[1].items() if counts["changed"]}
