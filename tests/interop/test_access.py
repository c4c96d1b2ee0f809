"""Who may read and set what through snmpd, by the drop-in as it is installed, with the real snmpd."""
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.agentx import column  # noqa: E402
from lib.built import need_built  # noqa: E402
from lib.daemons import BUILD, CHECKOUT, L2TPV3D, L2tpv3d, Snmpd, free_port  # noqa: E402
from lib.here import Here  # noqa: E402
from lib.snmp import Manager, SnmpError  # noqa: E402
from lib.waiting import wait_for  # noqa: E402

need_built(L2TPV3D)
DAEMON, MANAGER = 41000, 41001  # users: the daemon's, and one who is in its group
PASSWORD = "not-a-secret"
COOKIE = column(6, 1, 1, 11)
CREATE_AND_GO = 4
IN_BLUE_ALONE = "rouser l2tpv3blue authpriv -V l2tpv3cookies blue"  # as docs/snmp.md has it

if os.geteuid() or not shutil.which("snmpd"):
    pytest.skip("needs root and snmpd", allow_module_level=True)


def drop_in(folder):
    """The drop-in's lines as installed, with its examples in force and a number for the daemon's name."""
    subprocess.run([CHECKOUT / "docs/install/install", BUILD], check=True, capture_output=True,
                   env={**os.environ, "DESTDIR": str(folder), "PREFIX": "/opt/l2tpv3d"})
    lines = (folder / "etc/snmp/snmpd.conf.d/l2tpv3d.conf").read_text().splitlines()
    examples = ("#rouser", "#com2sec", "#group", "#access")
    lines = [line[1:].replace("192.0.2.0/24 COMMUNITY", "127.0.0.1 polls") if line.startswith(examples) else line
             for line in lines]
    return [line.replace(" l2tpv3d", f" {DAEMON}") if line.startswith("agentXPerms") else line
            for line in lines if line and not line.startswith("#")]


@pytest.fixture(scope="module")
def place():
    """A folder that other users can go through."""
    folder = Path(tempfile.mkdtemp(prefix="access-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def snmpd(place):
    users = [f"createUser {name} SHA {PASSWORD} AES {PASSWORD}"
             for name in ("l2tpv3read", "l2tpv3admin", "l2tpv3audit", "l2tpv3blue")]
    snmpd = Snmpd(Here(), place / "snmpd", *drop_in(place / "root"), *users, IN_BLUE_ALONE, port=free_port())
    snmpd.folder.chmod(0o711)
    snmpd.start()
    yield snmpd
    snmpd.stop()


@pytest.fixture(scope="module")
def daemon(place, snmpd):
    """As the unit runs it: its own user, its own group, nothing else."""
    folder = place / "l2tpv3d"
    daemon = L2tpv3d(Here(), folder, snmp_master=snmpd.master, kernel="sim")
    shutil.copy(L2TPV3D, folder / "program")
    daemon.argv[0] = folder / "program"
    daemon.argv[:0] = ["setpriv", f"--reuid={DAEMON}", f"--regid={DAEMON}", "--clear-groups"]
    for path in (folder, daemon.state):
        os.chown(path, DAEMON, DAEMON)
    daemon.start()
    daemon.wait_for_log("connected to the AgentX master")
    yield daemon
    daemon.stop()


class User(Manager):
    """A manager by SNMPv3, authenticated and encrypted."""

    def __init__(self, snmpd, name):
        super().__init__(snmpd.namespace, snmpd.address)
        self.options = ["-v3", "-l", "authPriv", "-u", name, "-a", "SHA", "-A", PASSWORD, "-x", "AES",
                        "-X", PASSWORD, "-On", "-Oe", "-Ox", "-t", "30", "-r", "0"]


@pytest.fixture(scope="module")
def users(snmpd, daemon):
    read, admin, audit = (User(snmpd, name) for name in ("l2tpv3read", "l2tpv3admin", "l2tpv3audit"))
    wait_for(lambda: audit.get(column(1, 7, 0)) == 0, "all tables to be registered")
    admin.set((column(2, 24, 1), "i", CREATE_AND_GO), (column(2, 3, 1), "u", 7),
              (column(2, 5, 1), "i", 1), (column(2, 6, 1), "d", "192.0.2.1"),
              (column(2, 8, 1), "i", 1), (column(2, 9, 1), "d", "192.0.2.2"),
              (column(4, 23, 1, 11), "i", CREATE_AND_GO), (column(4, 3, 1, 11), "u", 9),
              (COOKIE, "x", "0123456789abcdef"))
    return read, admin, audit


def test_who_provisions_sets_cookies_and_does_not_read_them(users):
    read, admin, audit = users
    admin.set((COOKIE, "x", "1122334455667788"))
    assert admin.get(COOKIE) is None
    assert not any(oid.startswith(column(6, 1)) or oid.startswith(column(6, 2)) for oid in admin.walk())
    assert admin.get(column(4, 3, 1, 11)) == 9  # all else it reads
    assert audit.get(COOKIE) == bytes.fromhex("1122334455667788")


def test_a_cookie_that_is_refused_is_not_told_to_those_who_read_the_reason(users):
    read, admin, _ = users
    with pytest.raises(SnmpError):
        admin.set((COOKIE, "x", "deadbe"))
    reason = read.get(column(1, 12, 0)).decode()
    assert "tx-cookie" in reason and "deadbe" not in reason.lower()


def test_who_reads_reads_no_cookie_and_sets_nothing(users):
    read, _, audit = users
    assert read.get(column(4, 3, 1, 11)) == 9 and read.get(COOKIE) is None
    assert not any(oid.startswith(column(6, 1)) or oid.startswith(column(6, 2)) for oid in read.walk())
    for user in (read, audit):
        with pytest.raises(SnmpError) as refused:
            user.set((column(4, 2, 1, 11), "s", "mine"))
        assert refused.value.status in ("noAccess", "authorizationError")


def test_nobody_reaches_more_of_the_agent_than_our_subtree_and_the_system_group(users):
    for user in users:
        assert user.get("1.3.6.1.2.1.1.3.0") > 0
        assert user.get("1.3.6.1.2.1.11.1.0") is None  # snmpInPkts
        with pytest.raises(SnmpError):
            user.set(("1.3.6.1.2.1.1.4.0", "s", "nobody"))


def test_access_is_to_one_context_and_rouser_without_one_to_all(snmpd, daemon, users, tmp_path):
    """As docs/snmp.md says of several namespaces: whom a `rouser` admits reads the cookies of each."""
    assert IN_BLUE_ALONE.replace("blue auth", "audit auth") in (CHECKOUT / "docs/snmp.md").read_text()
    other = L2tpv3d(Here(), tmp_path, "--context", "blue", snmp_master=snmpd.master, kernel="sim").start()
    try:
        other.wait_for_log("connected to the AgentX master")
        for context, reads in (("", {"l2tpv3read", "l2tpv3admin", "l2tpv3audit"}),
                               ("blue", {"l2tpv3read", "l2tpv3audit", "l2tpv3blue"})):
            for name in ("l2tpv3read", "l2tpv3admin", "l2tpv3audit", "l2tpv3blue"):
                user = User(snmpd, name)
                user.options += ["-n", context] if context else []
                try:
                    count = user.get(column(1, 4, 0))
                except SnmpError as refused:
                    assert refused.status == "authorizationError"
                    count = None
                assert (count is not None) == (name in reads), (name, context)
    finally:
        other.stop()


def test_a_community_reads_by_version_2c_and_not_by_1(snmpd, users):
    """In version 1 a GETNEXT into Counter64 columns takes snmpd row by row through all of them."""
    poller, old = (snmpd.manager("polls") for _ in range(2))
    old.options[0] = "-v1"
    old.options[old.options.index("-t") + 1] = "1"
    assert poller.get(column(4, 3, 1, 11)) == 9 and poller.get(COOKIE) is None
    with pytest.raises((AssertionError, SnmpError)):
        old.get(column(4, 3, 1, 11))
    with pytest.raises(SnmpError):
        poller.set((column(4, 2, 1, 11), "s", "mine"))


def test_the_agentx_socket_is_for_the_user_of_the_daemon_alone(snmpd, daemon):
    """Who connects can register the cookies' columns at a better priority, and read what is set."""
    daemon_itself = [f"--reuid={DAEMON}", f"--regid={DAEMON}", "--clear-groups"]
    member = [f"--reuid={MANAGER}", f"--regid={MANAGER}", f"--groups={DAEMON}"]
    connect = f"import socket; socket.socket(socket.AF_UNIX).connect({str(snmpd.master)!r})"
    for who, may in ((daemon_itself, True), (member, False)):
        done = subprocess.run(["setpriv", *who, "/usr/bin/python3", "-c", connect], text=True,
                              capture_output=True, check=False)
        assert (done.returncode == 0) is may, done.stderr
        assert may or "Permission denied" in done.stderr
