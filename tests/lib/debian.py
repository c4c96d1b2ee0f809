"""Fresh Debian systems: what debootstrap makes, once for each release, below a layer that is thrown away.

    with Fresh("trixie") as system:
        system.apt("install", "snmpd")
        system.run("snmpd", "-v")

They share processes and network with nobody but for `apt`, which has the machine's network. They are kept
in build/roots, with the packages that they have got; remove that to have newer ones. The mirror is the
machine's own. Needs root; missing() says why there can be none.
"""
import contextlib
import fcntl
import os
import re
import shutil
import subprocess
from pathlib import Path

from .daemons import CHECKOUT
from .waiting import wait_for

CACHE = CHECKOUT / "build/roots"
MOUNT = """set -e
mount -t tmpfs -o mode=755 tmpfs {top}
mkdir {top}/changes {top}/work {top}/root
mount -t overlay -o lowerdir={base},upperdir={top}/changes,workdir={top}/work overlay {top}/root
mount -t proc proc {top}/root/proc
mount --rbind /dev {top}/root/dev
mount --rbind /sys {top}/root/sys
mount --bind {archives} {top}/root/var/cache/apt/archives
echo mounted
exec cat
"""


class CannotHave(Exception):
    """There can be no such system here; the text is the reason for the skip."""


def mirror():
    """Where this machine gets its Debian from."""
    release = re.search(r"^VERSION_CODENAME=(\w+)", Path("/etc/os-release").read_text(), re.M)
    found = release and subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", f"Release: {release[1]}"],
        text=True, capture_output=True, check=False).stdout.split()
    if not found:
        raise CannotHave("apt on this machine names no mirror for its own release (apt-get update?)")
    return found[0]


def make(release, folder):
    if not shutil.which("debootstrap") or os.geteuid():
        raise CannotHave("needs root and debootstrap")
    making = CACHE / f".{release}"
    shutil.rmtree(making, ignore_errors=True)
    made = subprocess.run(["debootstrap", "--variant=minbase", release, making, mirror()], text=True,
                          capture_output=True, check=False)
    if made.returncode:
        shutil.rmtree(making, ignore_errors=True)
        raise CannotHave(f"debootstrap of {release}: {made.stdout.strip().splitlines()[-1]}")
    # No package starts its daemon in a chroot.
    policy = making / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    making.rename(folder)


def base(release):
    """The folder of an untouched system; made when it is not there, by one of those who want it at once."""
    folder = CACHE / release
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / f".{release}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            make(release, folder)
    return folder


def link_debs(source, target):
    """What apt has got, for another system: apt locks the folder, so each has one of its own."""
    for folder in (source, target):
        folder.mkdir(exist_ok=True)
    for deb in source.glob("*.deb"):
        with contextlib.suppress(FileExistsError):
            (target / deb.name).hardlink_to(deb)


class Fresh:
    def __init__(self, release):
        self.release = release
        self.base = base(release)
        self.shared = CACHE / f"{release}.archives"
        self.top = CACHE / f"{release}.{os.getpid()}"
        self.archives = CACHE / f"{release}.{os.getpid()}.archives"
        self.root = self.top / "root"

    def __enter__(self):
        self.top.mkdir()
        link_debs(self.shared, self.archives)
        script = MOUNT.format(top=self.top, base=self.base, archives=self.archives)
        self.process = subprocess.Popen(["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", script],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "mounted\n":
            why = self.process.stderr.read().strip()
            self.__exit__()
            raise CannotHave(f"cannot mount here: {why}")
        self.apt("update")
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()  # and with it ends all that is inside
        self.top.rmdir()
        link_debs(self.archives, self.shared)
        shutil.rmtree(self.archives)

    def inside(self, *command):
        """A command line that runs this one in the system's mounts and processes, but not its root."""
        children = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        pid = wait_for(lambda: Path(children).read_text().split(), "the system's first process")[0]
        return ["nsenter", "-t", pid, "-m", "-p", *map(str, command)]

    def run(self, *command, check=True, alone=True, **environment):
        """A command as root, without network; its outcome with output and errors as one text."""
        network = ["unshare", "--net"] if alone else []
        done = subprocess.run(
            self.inside(*network, "chroot", self.root, *command), text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
            env={**os.environ, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C",
                 "DEBIAN_FRONTEND": "noninteractive", **environment})
        assert not check or done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}"
        return done

    def apt(self, *words):
        return self.run("apt-get", "-y", "-q", *words, alone=False).stdout

    def copy(self, *paths, to="/root"):
        """Copy files and folders into it; returns where they are, as it sees them."""
        # Its root is mounted for itself only.
        subprocess.run(self.inside("cp", "-r", *paths, f"{self.root}{to}"), check=True)
        return [f"{to}/{Path(path).name}" for path in paths]

    def files(self):
        """All files but those of the kernel, of apt and of dpkg, and logs."""
        listed = self.run("find", "/", "-xdev", "(", "-path", "/var/lib/apt", "-o", "-path", "/var/lib/dpkg", "-o", "-path",
                          "/var/log", "-o", "-path", "/var/cache", "-o", "-path", "/tmp", "-o", "-path", "/root",
                          ")", "-prune", "-o", "-print")
        return set(listed.stdout.splitlines())
