"""An upgrade and a downgrade by dpkg under a real systemd, on a real kernel, while packets flow.
test_upgrade.py runs this in a guest."""
import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.genl import L2tp  # noqa: E402
from lib.netconf import BASE, L2TP  # noqa: E402
from lib.netns import Namespace, ip_batch  # noqa: E402
from lib.packages import SOURCE, package, repacked, version  # noqa: E402
from lib.systemd import Systemd  # noqa: E402
from lib.waiting import wait_for  # noqa: E402

SESSIONS = int(os.environ.get("L2TPV3D_SESSIONS", "300"))  # 5,000 take minutes to make under emulation
PINGED = (1, SESSIONS // 2, SESSIONS)
LATER = "99.0"


def address(session, host):
    return f"10.{64 + session // 256}.{session % 256}.{host}"


@pytest.fixture(scope="module")
def far():
    """The other router, with those sessions through which packets go."""
    subprocess.run(["sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1"], check=True)  # nothing else is sent
    with Namespace("far") as far:
        ip_batch(f"link add wan0 type veth peer name wan netns {far.name}", "address add 10.77.0.1/24 dev wan0",
                 "link set wan0 up")
        far.ip_batch("address add 10.77.0.2/24 dev wan", "link set wan up",
                     "l2tp add tunnel tunnel_id 77 peer_tunnel_id 77 encap udp local 10.77.0.2 remote 10.77.0.1 "
                     "udp_sport 1701 udp_dport 1701",
                     *(f"l2tp add session tunnel_id 77 session_id {i} peer_session_id {i} name pw{i}" for i in PINGED),
                     *(f"address add {address(i, 2)}/24 dev pw{i}" for i in PINGED),
                     *(f"link set pw{i} mtu 1400 up" for i in PINGED))
        yield far


@pytest.fixture(scope="module")
def system(tmp_path_factory):
    """The package installed, its unit running."""
    # dpkg makes links to the unit below /etc; it is itself where the guest's own systemd would start much else.
    with Systemd(tmp_path_factory.mktemp("systemd"), "/etc/systemd/system") as system:
        Path("/usr/sbin/policy-rc.d").unlink(missing_ok=True)  # containers have one; routers do not
        # A router has few man pages; to index those of this machine takes minutes under emulation, at each dpkg.
        Path("/var/lib/man-db/auto-update").unlink(missing_ok=True)
        (system.units / "l2tpv3d.service").symlink_to("/lib/systemd/system/l2tpv3d.service")
        system.run("dpkg", "-i", package("l2tpv3d"))
        wait_for(lambda: system.property("l2tpv3d", "ActiveState") == "active", "the package to have started its unit")
        yield system


@pytest.fixture(scope="module")
def configured(system, far):
    """Thousands of sessions, some of them with addresses."""
    sessions = "".join(f"<session><session-id>{i}</session-id><peer-session-id>{i}</peer-session-id>"
                       f"<interface-name>pw{i}</interface-name><mtu>1400</mtu></session>"
                       for i in range(1, SESSIONS + 1))
    system.run("l2tpv3ctl", "push", "-", input=(
        f'<config xmlns="{BASE}"><l2tpv3 xmlns="{L2TP}"><tunnel><tunnel-id>77</tunnel-id><peer-tunnel-id>77'
        "</peer-tunnel-id><local-address>10.77.0.1</local-address><remote-address>10.77.0.2</remote-address>"
        f"{sessions}</tunnel></l2tpv3></config>"))
    ip_batch(*(f"address add {address(i, 1)}/24 dev pw{i}" for i in PINGED))
    return system


class Pings:
    """Packets through some sessions, all the time."""

    def __init__(self, far, folder):
        self.far, self.outputs = far, {i: folder / f"ping{i}" for i in PINGED}

    def __enter__(self):
        self.processes = []
        for i, path in self.outputs.items():
            with open(path, "wb") as output:
                self.processes.append(self.far.popen("ping", "-n", "-i", "0.05", address(i, 1), stdout=output))
        self.more()
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.send_signal(signal.SIGINT)
            process.wait()

    def answered(self):
        """{session: sequence numbers of the answers}"""
        return {i: [int(n) for n in re.findall(r"icmp_seq=(\d+)", path.read_text())]
                for i, path in self.outputs.items()}

    def more(self):
        """Wait for ten more answers through each."""
        before = {i: len(numbers) for i, numbers in self.answered().items()}
        wait_for(lambda: all(len(numbers) > before[i] + 10 for i, numbers in self.answered().items()), "answers")


def counters(kernel):
    return {s["session_id"]: (s["stats"]["rx_packets"], s["stats"]["tx_packets"]) for s in kernel.sessions()}


def is_up(system):
    return f'"session-up-count": {SESSIONS}' in system.run("l2tpv3ctl", "-j", "show", "tunnel").stdout


def install(system, deb, wanted):
    """By dpkg. Returns the seconds that it took."""
    pid = system.property("l2tpv3d", "MainPID")
    begun = time.monotonic()
    system.run("dpkg", "-i", deb)
    seconds = time.monotonic() - begun
    assert system.run("dpkg-query", "-W", "-f", "${Version}", "l2tpv3d").stdout == wanted
    assert system.property("l2tpv3d", "ActiveState") == "active"
    assert system.property("l2tpv3d", "MainPID") not in (pid, "0")
    return seconds


def test_an_upgrade_and_a_downgrade_lose_no_packet_of_thousands_of_sessions(configured, far, tmp_path):
    later = repacked(package("l2tpv3d"), LATER, tmp_path)
    with contextlib.closing(L2tp()) as kernel, Pings(far, tmp_path) as pings:
        indexes, before = socket.if_nameindex(), counters(kernel)
        assert len(before) == SESSIONS
        for deb, wanted in ((later, LATER), (package("l2tpv3d"), version())):
            seconds = install(configured, deb, wanted)
            pings.more()
            print(f"\n{wanted}: {seconds:.1f} s")
        after = counters(kernel)
        assert socket.if_nameindex() == indexes
        for i in before:
            if i in PINGED:
                assert all(now > then for now, then in zip(after[i], before[i]))
            else:
                assert after[i] == before[i]
    for i, numbers in pings.answered().items():
        assert numbers == list(range(1, len(numbers) + 1)), f"lost through session {i}"
    print(f"{sum(map(len, pings.answered().values()))} packets through {len(PINGED)} of {SESSIONS} sessions, none lost")


def test_the_packages_main_job_is_done_on_a_real_kernel(system):
    system.ctl("stop", "l2tpv3d")
    shutil.rmtree("/var/lib/l2tpv3d")  # so that no id is taken
    said = subprocess.run([SOURCE / "debian/tests/main-job"], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False)
    assert said.returncode == 0 and "with the kernel: real" in said.stdout, said.stdout
