"""docs/fleet on a real kernel: a full mesh of routers in a guest by an Ansible outside, all of it or nothing.

L2TPV3D_ROUTERS says how many, and runs it: 3 take six minutes of a processor, most of them Ansible's and sshd's; test_fleet.py
is the same on simulated kernels. L2TPV3D_FLEET_KERNEL for another kernel than 6.12.
"""
import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import fleet  # noqa: E402
from lib.built import need_built  # noqa: E402
from lib.daemons import CHECKOUT, L2TPV3D, RELAY  # noqa: E402
from lib.here import free_port  # noqa: E402
from lib.waiting import wait_for  # noqa: E402

need_built(L2TPV3D, RELAY)
ROUTERS = int(os.environ.get("L2TPV3D_ROUTERS", "0"))
KERNEL = os.environ.get("L2TPV3D_FLEET_KERNEL", "6.12")
FORKS = ["--forks", os.environ.get("L2TPV3D_FORKS", "2")]  # as many as the guest has processors: it does all their ssh
GUEST = CHECKOUT / "tests/vm/guest"
pytestmark = pytest.mark.skipif(not ROUTERS or fleet.missing() is not None,
                                reason=fleet.missing() or "takes minutes: L2TPV3D_ROUTERS=3 runs it")


def missing_kernel():
    found = subprocess.run([CHECKOUT / "tests/vm/kernels", KERNEL], text=True, capture_output=True)
    return found.stderr.strip().splitlines()[-1] if found.returncode else None


class Guest:
    """One with the routers; their sshds are at ports of this machine."""

    def __init__(self, folder):
        self.name, self.folder = f"fleet-{os.getpid()}", folder
        self.ports = {number: free_port(socket.SOCK_STREAM) for number in range(1, ROUTERS + 1)}
        forwarded = "".join(f",hostfwd=tcp:127.0.0.1:{port}-{self.wan(number)}:830" for number, port in self.ports.items())
        env = {**os.environ, "L2TPV3D_VM_QEMU": f"-netdev user,id=net,restrict=on{forwarded} -device virtio-net-pci,netdev=net"}
        subprocess.run([GUEST, "--kernel", KERNEL, "--out", folder, "--serve", self.name], check=True, env=env)
        with open(folder / "serve.log", "wb") as log:
            self.server = subprocess.Popen([GUEST, "--timeout", "0", "--exec", self.name, "--", "tests/vm/fleet", "serve", str(ROUTERS)],
                                           stdout=log, stderr=log)
        try:
            wait_for(lambda: b"ready" in (folder / "serve.log").read_bytes() or self.server.poll() is not None,
                     "the routers", seconds=120 + 60 * ROUTERS)
            assert self.server.poll() is None, (folder / "serve.log").read_text()
            (folder / "key").chmod(0o600)
            for port in self.ports.values():  # under emulation the first time takes longest
                wait_for(lambda port=port: self.answers(port), "NETCONF by ssh")
        except AssertionError:
            self.stop()
            raise

    def answers(self, port):
        hello = subprocess.run(["ssh", "-i", self.folder / "key", "-p", str(port), "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no",
                                "-o", "UserKnownHostsFile=/dev/null", "-s", "root@127.0.0.1", "netconf"],
                               stdin=subprocess.DEVNULL, text=True, capture_output=True)
        assert "<hello" in hello.stdout, hello.stderr
        return True

    @staticmethod
    def wan(number):
        return f"{fleet.GUEST_NET}.{100 + number}"

    def run(self, *words):
        done = subprocess.run([GUEST, "--exec", self.name, "--", "tests/vm/fleet", *map(str, words)], text=True, capture_output=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def kernel(self):
        """{router: what netlink shows in it to another reader than ours}"""
        return {int(number): {kind: {int(far): row for far, row in rows.items()} for kind, rows in found.items()}
                for number, found in json.loads(self.run("kernel", ROUTERS)).items()}

    def rows(self):
        return {f"r{number}": {"number": number, "wan": self.wan(number), "ansible_host": "127.0.0.1", "ansible_port": port,
                               "ansible_ssh_private_key_file": str(self.folder / "key")} for number, port in self.ports.items()}

    def stop(self):
        subprocess.run([GUEST, "--stop", self.name], check=False)
        self.server.wait(60)


def cookies(kernel):
    return {(number, far): (session["cookie"], session["peer_cookie"])
            for number, found in kernel.items() for far, session in found["sessions"].items()}


@pytest.fixture(scope="module")
def guest(tmp_path_factory):
    if reason := missing_kernel():
        pytest.skip(reason)
    guest = Guest(tmp_path_factory.mktemp("guest"))
    yield guest
    guest.stop()


@pytest.fixture(scope="module")
def mesh(guest):
    mesh = fleet.Fleet(guest.folder / "control", guest.rows())
    mesh.options = FORKS
    return mesh


@contextlib.contextmanager
def what_it_takes(guest):
    """By the wall, and in the routers."""
    begun, before = time.monotonic(), json.loads(guest.run("cpu"))
    yield
    after = json.loads(guest.run("cpu"))
    print(f"\n{ROUTERS} routers: {time.monotonic() - begun:.0f} s; of the guest's processor "
          + ", ".join(f"{name} {after[name] - before[name]:.1f} s" for name in after))


def test_one_run_makes_the_full_mesh(guest, mesh):
    with what_it_takes(guest):
        said, recap = mesh.play()
    print(said)
    assert all(counts["changed"] == 1 and not counts["failed"] for counts in recap.values())
    kernel = guest.kernel()
    pseudowires = 0
    for number, found in kernel.items():
        assert set(found["sessions"]) == set(found["tunnels"]) == set(range(1, ROUTERS + 1)) - {number}
        for far, session in found["sessions"].items():
            tunnel, back = found["tunnels"][far], kernel[far]["sessions"][number]
            assert (tunnel["ip_daddr"], tunnel["peer_conn_id"]) == (guest.wan(far), number)
            assert (session["session_id"], session["peer_session_id"], session["ifname"]) == (far, number, f"pw{far}")
            assert len(session["cookie"]) == 16 and session["cookie"] == back["peer_cookie"] != back["cookie"]
            pseudowires += number < far
    assert pseudowires == ROUTERS * (ROUTERS - 1) // 2
    print(f"{pseudowires} pseudowires in the kernel")


@pytest.mark.parametrize("near,far", sorted({(1, 2), (2, ROUTERS), (ROUTERS, 1)}))
def test_frames_pass(guest, near, far):
    guest.run("ping", near, far)


def test_a_second_run_changes_nothing(guest, mesh):
    with what_it_takes(guest):
        said, recap = mesh.play()
    print(said)
    assert len(recap) == ROUTERS and all(counts["changed"] == counts["failed"] == 0 for counts in recap.values()), said


def test_nothing_is_half_done_when_one_router_cannot_be_reached(guest, mesh):
    before = guest.kernel()
    mesh.secret("another secret, for other cookies, of this test")
    guest.run("wire", ROUTERS, "down")
    said, _ = mesh.play(succeeds=False)
    guest.run("wire", ROUTERS, "up")
    assert f"Nothing was changed, because of r{ROUTERS}\"" in said, said
    wait_for(lambda: cookies(guest.kernel()) == cookies(before), "all to be undone")
    assert all(f"r{number} " in said for number in range(1, ROUTERS + 1))
