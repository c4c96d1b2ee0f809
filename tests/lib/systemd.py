"""A systemd of its own in a test guest: process 1 of new namespaces but for the network, with real control
groups, filters of system calls and limits. Only in a guest (tests/vm), for it is given /run and control groups.

    with Systemd(tmp_path) as systemd:
        systemd.unit("x.service", text)
        systemd.ctl("start", "x")
"""
import os
import shutil
import signal
import subprocess
from pathlib import Path

from .waiting import wait_for

PROGRAM = Path("/lib/systemd/systemd")
CGROUPS = Path("/sys/fs/cgroup")
# What units depend on by themselves, and nothing of the machine's.
TARGETS = ("basic", "sysinit", "shutdown", "sockets", "paths", "timers", "slices", "umount", "final",
           "local-fs", "network")
START = """
mount -t tmpfs -o mode=755 tmpfs /run
exec env -i container=test PATH="$PATH" SYSTEMD_UNIT_PATH={path} \
	{program} --system --unit=test.target --log-target=console --show-status=no
"""


def missing():
    """Why there can be none here, or None."""
    return None if PROGRAM.exists() else "systemd is not installed"


class Systemd:
    def __init__(self, folder, *more_units):
        """@more_units: folders to look for units in, besides its own."""
        self.folder, self.units = Path(folder), Path(folder) / "units"
        self.path = ":".join(map(str, (self.units, *more_units)))
        self.units.mkdir(parents=True)
        self.log = self.folder / "systemd.log"

    def __enter__(self):
        if not os.path.ismount(CGROUPS):
            subprocess.run(["mount", "-t", "cgroup2", "cgroup2", CGROUPS], check=True)
        for name in TARGETS:
            shutil.copy(f"/lib/systemd/system/{name}.target", self.units)
        self.unit("test.target", "[Unit]\nRequires=basic.target\nAfter=basic.target\nAllowIsolate=yes\n")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                ["unshare", "--fork", "--kill-child", "--pid", "--mount-proc", "--mount", "--uts", "--ipc",
                 "--cgroup", "sh", "-c", START.format(path=self.path, program=PROGRAM)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        self.pid = wait_for(self.child, "systemd to be started")
        wait_for(self.runs, "systemd to run", seconds=180)
        return self

    def runs(self):
        state = self.ctl("is-system-running", check=False).stdout.strip()
        assert state == "running", f"{state}; {self.log.read_text(errors='replace')}"
        return True

    def child(self):
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return children and os.readlink(f"/proc/{children[0]}/exe") == str(PROGRAM.resolve()) and children[0]

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGKILL)  # and with it all that is inside
        self.process.wait()

    def unit(self, name, text):
        path = self.units / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    def run(self, *command, check=True, **kwargs):
        """A command inside."""
        done = subprocess.run(["nsenter", "-t", self.pid, "-p", "-m", "-C", "-i", "-u", *map(str, command)],
                              text=True, capture_output=True, **kwargs)
        assert not check or done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done

    def ctl(self, *words, check=True):
        return self.run("systemctl", "--no-pager", *words, check=check)

    def property(self, unit, name):
        return self.ctl("show", "-P", name, unit).stdout.strip()
