"""Network namespaces for tests: run in them, read their links, join two of them."""
import contextlib
import ctypes
import itertools
import json
import os
import signal
import socket
import subprocess
from pathlib import Path

CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)
counter = itertools.count(1)


def enter(fd):
    if libc.setns(fd, CLONE_NEWNET):
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


@contextlib.contextmanager
def inside(name):
    """Be in a named network namespace, e.g. to open a socket, which then stays there."""
    if name is None:
        yield
        return
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{name}", os.O_RDONLY)
    try:
        enter(there)
        yield
    finally:
        enter(home)
        os.close(home)
        os.close(there)


class Namespace:
    """A network namespace of this test run alone: several runs can share a guest."""

    def __init__(self, label):
        self.label = label
        self.name = f"{label}-{os.getpid()}-{next(counter)}"

    def create(self):
        ip("netns", "add", self.name)
        self.ip("link", "set", "lo", "up")
        return self

    def __enter__(self):
        return self.create()

    def __exit__(self, *_):
        self.close()

    def argv(self, *command):
        return ["ip", "netns", "exec", self.name, *map(str, command)]

    def run(self, *command, check=True, **kwargs):
        """Run a command inside; its output is text.  With check, failure is an exception.
        Without `ip netns exec`, whose process and mounts are what takes the time under emulation."""
        with inside(self.name):
            done = subprocess.run(list(map(str, command)), text=True, capture_output=True, **kwargs)
        if check and done.returncode:
            raise AssertionError(f"{' '.join(map(str, command))}: status {done.returncode}\n"
                                 f"{done.stdout}{done.stderr}")
        return done

    def popen(self, *command, **kwargs):
        with inside(self.name):
            return subprocess.Popen(list(map(str, command)), **kwargs)

    def ip(self, *words):
        return ip("-n", self.name, *words)

    def ip_batch(self, *lines):
        ip_batch(*lines, options=("-n", self.name))

    def links(self):
        """{name: link}; a link has ifname, ifindex, mtu, address, flags, operstate, maybe master
        and linkinfo."""
        shown = self.ip("-j", "-d", "-s", "link", "show")
        return {link["ifname"]: link for link in json.loads(shown or "[]")}

    def link(self, name):
        """One link, or None."""
        if name not in self.interfaces():
            return None
        return json.loads(self.ip("-j", "-d", "-s", "link", "show", "dev", name))[0]

    def interfaces(self):
        """The names alone, which is much faster."""
        with inside(self.name):
            return {name for _, name in socket.if_nameindex()}

    def pids(self):
        """The processes inside."""
        here = os.stat(f"/run/netns/{self.name}")
        for path in Path("/proc").glob("[0-9]*/ns/net"):
            with contextlib.suppress(OSError):
                if os.path.samestat(path.stat(), here):
                    yield int(path.parts[2])

    def kill_all(self):
        for pid in self.pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def close(self):
        self.kill_all()
        ip("netns", "del", self.name)


def vlan_id(link):
    """The 802.1Q id of a link as Namespace.links gives it, or None."""
    info = link.get("linkinfo", {})
    return info.get("info_data", {}).get("id") if info.get("info_kind") == "vlan" else None


def ip(*words, **kwargs):
    done = subprocess.run(["ip", *map(str, words)], text=True, capture_output=True, **kwargs)
    if done.returncode:
        raise AssertionError(f"ip {' '.join(map(str, words))}: {done.stderr.strip()}")
    return done.stdout


def ip_batch(*lines, options=()):
    """Several `ip` commands in one process, for under emulation each one takes long."""
    ip(*options, "-batch", "-", input="\n".join(lines))


class Router(Namespace):
    """A namespace with one interface to its peer."""

    def __init__(self, label, number):
        super().__init__(label)
        self.number = number
        self.ip4, self.ip6 = f"10.0.0.{number}", f"fd00::{number}"
        self.interface = "wan"
        self.peer = None

    def configure(self):
        self.ip_batch("link set lo up",
                      f"address add {self.ip4}/24 dev {self.interface}",
                      # Not a tentative address, for from one of those no tunnel can be made.
                      f"address add {self.ip6}/64 dev {self.interface} nodad",
                      f"link set {self.interface} up")


@contextlib.contextmanager
def two_routers():
    """Two routers, 10.0.0.1 fd00::1 and 10.0.0.2 fd00::2, each with interface `wan`."""
    one, two = Router("r1", 1), Router("r2", 2)
    one.peer, two.peer = two, one
    try:
        ip_batch(f"netns add {one.name}", f"netns add {two.name}",
                 f"link add wan netns {one.name} type veth peer name wan netns {two.name}")
        one.configure()
        two.configure()
        yield one, two
    finally:
        one.kill_all()
        two.kill_all()
        ip_batch(f"netns del {one.name}", f"netns del {two.name}", options=("-force",))
