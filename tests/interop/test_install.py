"""`make install` into a staging folder, and the programs that read what it installs."""
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

CHECKOUT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("L2TPV3D_BUILD") or CHECKOUT / "build")
PREFIX = "/opt/l2tpv3d"


def install(root, what=BUILD, **environment):
    env = {**os.environ, "DESTDIR": str(root), "PREFIX": PREFIX, **environment}
    return subprocess.run([CHECKOUT / "docs/install/install", what], env=env, check=True,
                          capture_output=True, text=True).stdout


def uninstall(root, **environment):
    return install(root, "--remove", **environment)


def tree(root):
    """Every file and folder below it."""
    return {str(path.relative_to(root)) for path in root.rglob("*")}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("root")
    install(root)
    return root


def need(program):
    if not shutil.which(program):
        pytest.skip(f"{program} is not installed")


def test_installs_every_kind_of_file_with_nothing_left_to_fill_in(root):
    files = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    for name in ("sbin/l2tpv3d", "bin/l2tpv3ctl", "libexec/l2tpv3-netconf",
                 "share/snmp/mibs/LINUX-L2TPV3-MIB.txt", "lib/systemd/system/l2tpv3d-prometheus.timer", "share/man/man8/l2tpv3d.8",
                 "share/bash-completion/completions/l2tpv3ctl", "share/zsh/vendor-completions/_l2tpv3ctl",
                 "share/man/man8/l2tpv3ctl.8", "share/man/man5/linux-l2tpv3.5",
                 "lib/systemd/system/l2tpv3d.service",
                 "lib/systemd/system/l2tpv3d-call-home@.service", "lib/sysusers.d/l2tpv3d.conf"):
        assert f"{PREFIX[1:]}/{name}" in files
    assert any(re.search(r"share/yang/modules/linux-l2tpv3@[-0-9]+\.yang$", name) for name in files)
    assert (root / "usr/share/snmp/mibs/LINUX-L2TPV3-MIB").readlink() == Path(PREFIX) / "share/snmp/mibs/LINUX-L2TPV3-MIB.txt"
    assert {"etc/snmp/snmpd.conf.d/l2tpv3d.conf", "etc/ssh/sshd_config.d/l2tpv3d.conf"} <= files
    for name in files:
        if not name.startswith((f"{PREFIX[1:]}/sbin", f"{PREFIX[1:]}/bin", f"{PREFIX[1:]}/libexec")):
            assert not re.search(r"@[A-Z]+@", (root / name).read_text()), name


def test_all_may_read_it_whatever_the_umask(tmp_path):
    before = os.umask(0o077)
    try:
        install(tmp_path)
    finally:
        os.umask(before)
    for path in (tmp_path / "opt").rglob("*"):
        wanted = 0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644
        assert path.stat().st_mode & 0o777 == wanted, path


def test_keeps_what_an_administrator_changed_and_tells_of_the_new_file(tmp_path):
    install(tmp_path)
    config = tmp_path / "etc/ssh/sshd_config.d/l2tpv3d.conf"
    assert "l2tpv3d.conf.new" not in install(tmp_path)
    config.write_text("# mine\n")
    said = install(tmp_path)
    assert f"Kept as you have changed it: {config}. Compare it with {config}.new" in said
    assert config.read_text() == "# mine\n" and (config.parent / "l2tpv3d.conf.new").exists()
    config.write_text((config.parent / "l2tpv3d.conf.new").read_text())
    install(tmp_path)
    assert not (config.parent / "l2tpv3d.conf.new").exists()


def test_uninstall_leaves_what_was_there_before(tmp_path):
    """Folders that somebody else made, empty or not, and nothing of ours."""
    (tmp_path / "opt/l2tpv3d/sbin").mkdir(parents=True)
    (tmp_path / "var/lib/misc").mkdir(parents=True)
    before = tree(tmp_path)
    install(tmp_path)
    install(tmp_path)
    uninstall(tmp_path)
    assert tree(tmp_path) == before


def test_uninstall_keeps_what_an_administrator_changed(tmp_path):
    install(tmp_path)
    config = tmp_path / "etc/snmp/snmpd.conf.d/l2tpv3d.conf"
    config.write_text("# mine\n")
    install(tmp_path)
    assert f"KEEP    {config}" in uninstall(tmp_path)
    assert [path for path in tree(tmp_path / "etc") if path.endswith((".conf", ".new"))] == [
        "snmp/snmpd.conf.d/l2tpv3d.conf"]


def test_another_prefix_or_an_older_revision_leaves_nothing_behind(tmp_path):
    install(tmp_path, PREFIX="/usr/local")
    listed = tmp_path / "var/lib/misc/l2tpv3d.files"
    old = tmp_path / "usr/local/share/yang/modules/linux-l2tpv3@2001-01-01.yang"
    old.write_text("module of an older version")
    listed.write_text(f"{listed.read_text()}{'0' * 64}  /{old.relative_to(tmp_path)}\n")
    install(tmp_path, PREFIX="/usr/local")
    assert not old.exists()
    install(tmp_path)
    assert not (tmp_path / "usr/local").exists()
    # Nobody has changed it, so it follows too.
    drop_in = tmp_path / "etc/ssh/sshd_config.d/l2tpv3d.conf"
    assert f"Subsystem netconf {PREFIX}/libexec" in drop_in.read_text()
    assert not drop_in.with_name("l2tpv3d.conf.new").exists()


def test_systemd_takes_the_unit_and_rates_it_as_hardened(tmp_path):
    need("systemd-analyze")
    need("systemd-escape")
    # Without DESTDIR, so that the program is where the unit says.
    install("", PREFIX=str(tmp_path), SYSCONFDIR=str(tmp_path / "etc"),
            LOCALSTATEDIR=str(tmp_path / "var"), MIBDIR=str(tmp_path / "mibs"))
    unit = tmp_path / "lib/systemd/system/l2tpv3d.service"
    verify = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True,
                            text=True, check=False)
    complaints = [line for line in verify.stderr.splitlines() if "l2tpv3d" in line]
    assert verify.returncode == 0 and not complaints, verify.stderr
    home = subprocess.run(["systemd-escape", "--template=l2tpv3d-call-home@.service", "nms-1.example.net"],
                          capture_output=True, text=True, check=True).stdout.strip()
    verify = subprocess.run(["systemd-analyze", "verify", "--man=no", unit.parent / home], capture_output=True,
                            text=True, check=False)
    complaints = [line for line in verify.stderr.splitlines() if "l2tpv3d" in line]
    assert verify.returncode == 0 and not complaints, verify.stderr
    security = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=18",
                               unit], capture_output=True, text=True, check=False)
    assert security.returncode == 0, security.stdout + security.stderr


def test_the_unit_has_what_its_comments_promise(root):
    """What systemd makes of it: tests/vm/test_unit.py."""
    unit = (root / f"{PREFIX[1:]}/lib/systemd/system/l2tpv3d.service").read_text().splitlines()
    words = {line.partition("=")[0] for line in unit}
    # They hide the modules, filter the packets of tunnels, hide the boot id.
    assert not words & {"ProtectKernelModules", "IPAddressDeny", "IPAddressAllow", "ProcSubset"}
    for line in ("CapabilityBoundingSet=CAP_NET_ADMIN CAP_NET_RAW", "SystemCallFilter=@system-service",
                 "SystemCallFilter=~@privileged @resources", "LimitCORE=0", "StateDirectoryMode=0700",
                 "RuntimeDirectoryMode=0750", "UMask=0077"):
        assert line in unit
    assert {"WatchdogSec", "MemoryMax", "Type"} <= words


def test_sshd_takes_the_drop_in(root, tmp_path):
    need("sshd")
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    config = tmp_path / "sshd_config"
    config.write_text(f"HostKey {key}\nInclude {root}/etc/ssh/sshd_config.d/*.conf\n"
                      "Subsystem sftp internal-sftp\n")
    Path("/run/sshd").mkdir(exist_ok=True)
    test = subprocess.run([shutil.which("sshd"), "-T", "-f", config], capture_output=True,
                          text=True, check=False)
    assert test.returncode == 0, test.stderr
    assert f"subsystem netconf {PREFIX}/libexec/l2tpv3-netconf" in test.stdout


def test_snmpd_takes_the_drop_in_and_its_views_name_the_mib(root, tmp_path):
    need("snmpd")
    drop_in = (root / "etc/snmp/snmpd.conf.d/l2tpv3d.conf").read_text()
    mib_root = re.search(r"#define L2TPV3_MIB_ROOT (.*)",
                         (CHECKOUT / "agent/columns.h").read_text())[1].replace(", ", ".")
    assert re.search(rf"^view l2tpv3write +included \.{re.escape(mib_root)}$", drop_in, re.M)
    config = tmp_path / "snmpd.conf"
    # The user is made by systemd-sysusers, which does not run here.
    config.write_text(re.sub("#(rouser|group|access)", r"\1", drop_in.replace("agentXPerms 0600 0755 l2tpv3d", "agentXPerms 0600 0755 daemon")) +
                      f"agentXSocket unix:{tmp_path}/master\n")
    test = subprocess.run(["timeout", "3", "snmpd", "-f", "-Le", "-C", "-c", config, "-I", "-smux",
                           f"unix:{tmp_path}/snmp"], capture_output=True, text=True, check=False,
                          env={**os.environ, "SNMP_PERSISTENT_DIR": str(tmp_path), "MIBS": ""})
    assert test.returncode == 124, test.stderr
    assert not re.search(r"[Ww]arning|[Ee]rror|Unknown|Can't", test.stderr), test.stderr
