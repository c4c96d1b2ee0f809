"""The unit, under a real systemd: its user, filters and limits let the daemon do all its work, and hold."""
import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import systemd  # noqa: E402
from lib.agentx import column  # noqa: E402
from lib.built import need_built  # noqa: E402
from lib.daemons import BUILD, CHECKOUT, L2TPV3CTL, L2TPV3D, Snmpd, free_port  # noqa: E402
from lib.genl import L2tp  # noqa: E402
from lib.here import Here  # noqa: E402
from lib.netconf import BASE, L2TP  # noqa: E402
from lib.waiting import wait_for  # noqa: E402

need_built(L2TPV3D, L2TPV3CTL)
if reason := systemd.missing():
    pytest.skip(reason, allow_module_level=True)

PREFIX = Path("/opt/l2tpv3d")  # /tmp is hidden from the daemon
STATE, LOG = Path("/var/lib/l2tpv3d"), Path("/var/log/l2tpv3d.test")
CONTROL_GROUP = systemd.CGROUPS / "system.slice/l2tpv3d.service"
KERNEL_BYTES_A_SESSION = 40_000  # what the comment beside MemoryMax counts on, and a quarter more

# What is forbidden kills, so that it is seen. Only owners: that it cannot give files away is borne.
STRICT = f"""[Service]
SystemCallFilter=@chown
SystemCallErrorNumber=kill
WatchdogSec=5
StandardError=append:{LOG}
"""


@pytest.fixture(scope="module")
def installed():
    """As `make install` and systemd-sysusers leave it."""
    subprocess.run([CHECKOUT / "docs/install/install", BUILD], check=True, capture_output=True,
                   env={**os.environ, "PREFIX": str(PREFIX), "SYSCONFDIR": "/opt/etc"})
    try:
        pwd.getpwnam("l2tpv3d")
    except KeyError:
        subprocess.run(["systemd-sysusers", PREFIX / "lib/sysusers.d/l2tpv3d.conf"], check=True)
    shutil.rmtree(STATE, ignore_errors=True)


@pytest.fixture(scope="module")
def manager(installed, tmp_path_factory):
    with systemd.Systemd(tmp_path_factory.mktemp("systemd")) as manager:
        shutil.copy(PREFIX / "lib/systemd/system/l2tpv3d.service", manager.units)
        manager.unit("l2tpv3d.service.d/strict.conf", STRICT)
        manager.ctl("daemon-reload")
        yield manager
        manager.ctl("stop", "l2tpv3d", check=False)
        with L2tp() as kernel:
            for tunnel in kernel.tunnels():
                kernel.tunnel_delete(tunnel["conn_id"])


@pytest.fixture(scope="module", autouse=True)
def wan():
    """An address to send from, in the guest's own network."""
    for command in ("link add unit0 type veth peer name unit1", "address add 10.77.0.1/24 dev unit0",
                    "link set unit0 up", "link set unit1 up"):
        subprocess.run(["ip", *command.split()], check=True)
    yield
    subprocess.run(["ip", "link", "del", "unit0"], check=True)


@pytest.fixture
def daemon(manager):
    """The unit, running; everything that it logs is a fault but what a test expects."""
    LOG.unlink(missing_ok=True)
    manager.ctl("reset-failed", check=False)
    manager.ctl("start", "l2tpv3d")
    return manager


def ctl(manager, *words, **kwargs):
    return manager.run(PREFIX / "bin/l2tpv3ctl", *words, **kwargs).stdout


def log():
    return LOG.read_text(errors="replace") if LOG.exists() else ""


def if_index(name):
    return int(Path(f"/sys/class/net/{name}/ifindex").read_text())


def configure(manager, first, count, description=""):
    sessions = "".join(f"<session><session-id>{i}</session-id><peer-session-id>{i}</peer-session-id>"
                       f"<interface-name>u{i}</interface-name><description>{description}</description>"
                       "</session>" for i in range(first, first + count))
    ctl(manager, "push", "-", input=(
        f'<config xmlns="{BASE}"><l2tpv3 xmlns="{L2TP}"><tunnel><tunnel-id>77</tunnel-id><peer-tunnel-id>77'
        "</peer-tunnel-id><local-address>10.77.0.1</local-address><remote-address>10.77.0.2</remote-address>"
        f"{sessions}</tunnel></l2tpv3></config>"))


def main_pid(manager):
    """As this namespace numbers it."""
    return int((CONTROL_GROUP / "cgroup.procs").read_text().split()[0])


def test_it_runs_as_its_user_with_one_capability_and_a_filter(daemon):
    status = Path(f"/proc/{main_pid(daemon)}/status").read_text()
    user = pwd.getpwnam("l2tpv3d")
    assert re.search(rf"^Uid:(\t{user.pw_uid}){{4}}$", status, re.M)
    assert re.search(r"^Groups:\s*(\d+)?\s*$", status, re.M)
    for kind in ("CapPrm", "CapEff", "CapInh", "CapAmb"):
        assert re.search(rf"^{kind}:\t0+1000$", status, re.M)  # CAP_NET_ADMIN; CAP_NET_RAW is given up
    assert re.search(r"^CapBnd:\t0+3000$", status, re.M)
    assert re.search(r"^Seccomp:\t2$", status, re.M) and re.search(r"^NoNewPrivs:\t1$", status, re.M)
    limits = Path(f"/proc/{main_pid(daemon)}/limits").read_text()
    assert re.search(r"^Max core file size\s+0\s+0", limits, re.M)
    assert int((CONTROL_GROUP / "memory.max").read_text()) == 4 << 30


def test_what_it_writes_is_its_own_alone(daemon):
    configure(daemon, 1, 3)
    daemon.ctl("restart", "l2tpv3d")
    assert stat.S_IMODE(STATE.stat().st_mode) == 0o700
    files = list(STATE.iterdir())
    assert {"config.xml", "journal"} <= {path.name for path in files}
    for path in files:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_everything_it_does_passes_the_filter(daemon, tmp_path):
    """Provisioning, every kind of reading, SNMP, a rollback, a resync, a clean stop and a start."""
    os.makedirs("/var/agentx", exist_ok=True)
    snmpd = Snmpd(Here(), tmp_path / "snmpd", "agentXPerms 0600 0755 l2tpv3d",
                  "agentXSocket unix:/var/agentx/master", port=free_port())
    snmpd.master = Path("/var/agentx/master")
    snmpd.master.unlink(missing_ok=True)
    snmpd.start()
    try:
        configure(daemon, 1, 5)
        ctl(daemon, "set", "session", "tid", "77", "sid", "1", "mtu", "1300")
        assert if_index("u1") and Path("/sys/class/net/u1/mtu").read_text().strip() == "1300"
        assert "Session 5 in tunnel 77" in ctl(daemon, "-s", "show", "session")
        assert "u1" in ctl(daemon, "-j", "show", "session", "interface-name", "u1")
        ctl(daemon, "history")
        ctl(daemon, "resync")
        manager = snmpd.manager()
        wait_for(lambda: manager.get(column(1, 6, 0)) == 5, "snmpd to serve the daemon's objects")
        manager.set((column(4, 2, 77, 1), "s", "by SNMP"))
        assert "by SNMP" in ctl(daemon, "get-config")
        newest = max(map(int, re.findall(r"^ *(\d+) ", ctl(daemon, "history"), re.M)))
        ctl(daemon, "rollback", str(newest - 1))
        for i in range(30):  # until the journal has outgrown config.xml, which a child writes anew
            configure(daemon, 1000, 200, f"{i}".rjust(64, "-"))
        wait_for(lambda: "------" in (STATE / "config.xml").read_text(), "the journal to be folded")
        index = if_index("u1")
        daemon.ctl("kill", "--signal=HUP", "l2tpv3d")
        daemon.ctl("reload", "l2tpv3d")
        daemon.ctl("restart", "l2tpv3d")
        assert if_index("u1") == index
        assert daemon.property("l2tpv3d", "NRestarts") == "0", log()
        assert daemon.property("l2tpv3d", "Result") == "success"
        assert "not permitted" not in log(), log()
    finally:
        snmpd.stop()


def test_a_loop_that_stands_still_is_noticed_and_tunnels_do_not_mind(daemon):
    configure(daemon, 1, 3)
    index, pid = if_index("u1"), main_pid(daemon)
    os.kill(pid, signal.SIGSTOP)
    wait_for(lambda: daemon.property("l2tpv3d", "NRestarts") != "0", "systemd to start it again")
    wait_for(lambda: daemon.property("l2tpv3d", "ActiveState") == "active", "it to be ready")
    assert main_pid(daemon) != pid and if_index("u1") == index
    assert "Session 3 in tunnel 77" in ctl(daemon, "show", "session")
    assert not list(STATE.glob("core*"))


def test_it_lives_as_long_as_its_loop_turns(daemon):
    """Longer than WatchdogSec."""
    pid = main_pid(daemon)
    begun = os.times().elapsed
    wait_for(lambda: os.times().elapsed - begun > 8, "more than the watchdog's time to pass")
    assert main_pid(daemon) == pid and daemon.property("l2tpv3d", "ActiveState") == "active"


def test_what_the_kernel_makes_for_it_counts_as_its_memory_as_stated(daemon):
    """Why MemoryMax is in gigabytes: 65,000 sessions have to fit."""
    configure(daemon, 1, 3)
    before = int((CONTROL_GROUP / "memory.current").read_text())
    configure(daemon, 2000, 300)
    a_session = (int((CONTROL_GROUP / "memory.current").read_text()) - before) / 300
    print(f"{a_session:.0f} bytes a session")
    assert a_session < KERNEL_BYTES_A_SESSION
    assert 65_000 * a_session + (600 << 20) < int((CONTROL_GROUP / "memory.max").read_text())
