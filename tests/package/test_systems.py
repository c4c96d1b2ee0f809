"""The packages in fresh systems of Debian 12 and 13: installed, used, downgraded, purged. Run by `make check-package`."""
import re
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import debian, fresh_root, page  # noqa: E402
from lib.debian import CHECKOUT  # noqa: E402
from lib.packages import DEBS, SOURCE, package, repacked, version  # noqa: E402

DEMO_PACKAGES = 120  # that `make demo` gets besides what compiles and QEMU
WALK_SECONDS = 60  # from the end of the download to the first walk, of processor time: other tests run beside this


def times():
    """The wall's, and what the commands have taken of the processor, in seconds."""
    taken = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.monotonic(), taken.ru_utime + taken.ru_stime


def system(release):
    try:
        return debian.Fresh(release)
    except debian.CannotHave as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="module", params=["bookworm", "trixie"])
def fresh(request):
    with system(request.param) as fresh:
        yield fresh


@pytest.fixture(scope="module")
def installed(fresh):
    """With the package, as `apt install ./l2tpv3d_*.deb` leaves it."""
    fresh.files_before = fresh.files()
    deb, = fresh.copy(package("l2tpv3d"))
    said = fresh.apt("install", "--download-only", deb, "snmp")
    fresh.megabytes = float(re.search(r"Need to get (?:[\d.,]+ [kM]?B/)?([\d.,]+) MB", said)[1].replace(",", ""))
    fresh.begun = times()
    fresh.apt("install", deb, "snmp")
    return fresh


def test_from_nothing_to_the_first_walk(installed):
    main_job, = installed.copy(SOURCE / "debian/tests/main-job")
    said = installed.run(main_job).stdout
    assert re.search(r'\.3000\.1002 "pw2"$', said, re.M), said
    wall, seconds = (now - begun for now, begun in zip(times(), installed.begun))
    print(f"\n{installed.release}: {installed.megabytes:.0f} MB to download, then {seconds:.1f} s of processor time, "
          f"{wall:.1f} s in all, to the first walk (limit {WALK_SECONDS})")
    assert seconds < WALK_SECONDS


def names(fresh, packages):
    """Of what apt would install, with all that comes along."""
    said = fresh.run("apt-get", "install", "-s", "--no-install-recommends", *packages).stdout
    return set(re.findall(r"^Inst (\S+)", said, re.M))


def test_the_demo_needs_little_on_a_bare_system(fresh):
    fresh.run("mkdir", "-p", "/root/l2tpv3d/tests")
    deps, = fresh.copy(CHECKOUT / "tests/deps", to="/root/l2tpv3d/tests")
    build, demo = (names(fresh, fresh.run(deps, which, "--missing").stdout.split()) for which in ("build", "demo"))
    rest = demo - build - names(fresh, ["make", "git"]) - names(fresh, ["qemu-system-x86"])
    size = fresh.run(deps, "demo", "--size").stdout.strip()
    print(f"\n{fresh.release}: the demo needs {len(demo)} packages, {len(rest)} of them besides compiling and QEMU; {size}")
    assert not [name for name in demo if re.match("npm|node|clang|erlang|python3-pytest|libcmocka", name)]
    assert 0 < len(rest) <= DEMO_PACKAGES


NOTHING = "#!/bin/sh\n"
FIRST = ("Install", "The first tunnel", "The first walk")


def test_the_first_minutes_by_package(installed):
    """docs/getting-started.md as it stands, but for the build, on a simulated kernel."""
    blocks = [block for block in page.blocks("getting-started.md", "package", FIRST)
              if "far" not in block.text and "ping" not in block.text and "pw0 up" not in block.text and "3 packets" not in block.text]
    assert len([block for block in blocks if block.kind == "sh"]) == 5
    deb, = installed.copy(package("l2tpv3d"), to="/tmp")
    script = (f"exec 2>&1\nset -e\nip link set lo up\nip address add 198.51.100.1/24 dev lo\nexport PATH=/usr/local/sbin:$PATH\ncd /root\nmake() {{ :; }}\n"
              f"mkdir -p build/deb\nln -sf {deb} build/deb/\nexport L2TPV3D_KERNEL=sim\n"
              f"{fresh_root.stub('systemctl', fresh_root.SYSTEMCTL)}{fresh_root.stub('apt-get', NOTHING)}"
              f"systemctl start l2tpv3d\n{page.script(blocks)}echo '=== end'\n")
    (CHECKOUT / "build/first-minutes").write_text(script)
    run, = installed.copy(CHECKOUT / "build/first-minutes")
    done = installed.run("unshare", "--pid", "--fork", "--kill-child", "bash", run, check=False)
    installed.run("rm", "/usr/local/sbin/systemctl", "/usr/local/sbin/apt-get")
    assert "=== end" in done.stdout, done.stdout
    page.check(blocks, page.printed(done.stdout))


def test_the_labs_router_starts(installed):
    """docs/lab/start, as the Containerfile puts it into a system with the package."""
    start, = installed.copy(CHECKOUT / "docs/lab/start", to="/usr/local/sbin")
    installed.copy(CHECKOUT / "docs/lab/snmpd.conf", to="/root")
    script = (f"cp /root/snmpd.conf /etc/snmp/snmpd.conf.d/lab.conf; sed -i.lab 's/^agentaddress/#&/' /etc/snmp/snmpd.conf; "
              f"ip link set lo up; {start} 2>/root/start.log & "
              "for i in $(seq 300); do snmpget -v2c -c lab -Oqv 127.0.0.1 .1.3.6.1.4.1.8072.9999.9999.3931.1.1.1.0 2>/dev/null | "
              "grep '[0-9]' && l2tpv3ctl status && exit; sleep 0.2; done; cat /root/start.log; exit 1")
    try:
        said = installed.run("unshare", "--pid", "--fork", "--kill-child", "sh", "-c", script).stdout
        assert f'"{version()}"' in said and "SNMP: registered with its master" in said
    finally:
        installed.run("sh", "-c", "rm -rf /etc/snmp/snmpd.conf.d/lab.conf /usr/local/sbin/start /run/l2tpv3d; "
                                  "mv /etc/snmp/snmpd.conf.lab /etc/snmp/snmpd.conf")


def test_autopkgtest_passes(installed):
    done = subprocess.run(
        installed.inside("autopkgtest", "--no-built-binaries", package("l2tpv3d"), f"{SOURCE}/", "--", "chroot",
                         installed.root), text=True, capture_output=True, check=False)
    assert done.returncode == 0 and re.search(r"^main-job +PASS$", done.stdout, re.M), done.stdout + done.stderr


def test_everything_is_where_debian_looks_for_it(installed):
    for path in ("/usr/share/snmp/mibs/LINUX-L2TPV3-MIB.txt", "/usr/lib/systemd/system/l2tpv3d.service",
                 "/usr/lib/sysusers.d/l2tpv3d.conf", "/usr/share/man/man8/l2tpv3-netconf.8.gz",
                 "/etc/snmp/snmpd.conf.d/l2tpv3d.conf", "/etc/ssh/sshd_config.d/l2tpv3d.conf",
                 "/etc/systemd/system/multi-user.target.wants/l2tpv3d.service"):
        installed.run("test", "-e", path)
    conffiles = installed.run("dpkg-query", "-W", "-f", "${Conffiles}", "l2tpv3d").stdout
    assert re.findall(r"^ (\S+)", conffiles, re.M) == [
        "/etc/snmp/snmpd.conf.d/l2tpv3d.conf", "/etc/ssh/sshd_config.d/l2tpv3d.conf"]
    installed.run("sshd", "-t")
    assert version() in installed.run("l2tpv3ctl", "-V").stdout


def test_the_other_package_needs_nothing(installed):
    deb, = installed.copy(package("l2tpv3d-nms"))
    installed.run("dpkg", "-i", deb)
    listed = installed.run("dpkg", "-L", "l2tpv3d-nms").stdout
    for path in (CHECKOUT / "docs/nms").glob("*.*"):
        assert f"/usr/share/l2tpv3d-nms/{path.name}" in listed
    installed.run("dpkg", "--purge", "l2tpv3d-nms")


def test_it_says_when_another_one_is_installed_without_a_package(installed):
    listed = "/var/lib/misc/l2tpv3d.files"
    installed.run("touch", listed)
    said = installed.run("dpkg", "-i", *installed.copy(package("l2tpv3d"))).stdout
    assert 'also installed by "make install"' in said
    installed.run("rm", listed)


def test_a_downgrade_that_could_not_read_the_journal_is_refused_in_words(installed, tmp_path):
    later, = installed.copy(repacked(package("l2tpv3d"), "99.0", tmp_path))
    now, = installed.copy(package("l2tpv3d"))
    installed.run("dpkg", "-i", later)
    journal = "/var/lib/l2tpv3d/journal"
    installed.run("mkdir", "-p", "/var/lib/l2tpv3d")
    installed.run("sh", "-c", f"echo 'l2tpv3d-journal 99' >{journal}")
    refused = installed.run("dpkg", "-i", now, check=False)
    assert refused.returncode and re.search(
        r"cannot read the journal.* 99\.0,.*its\nformat is 99, and \d+ is the latest", refused.stdout, re.S), refused.stdout
    assert installed.run("dpkg-query", "-W", "-f", "${Version} ${db:Status-Status}", "l2tpv3d").stdout == "99.0 installed"
    installed.run("rm", journal)
    installed.run("dpkg", "-i", now)
    assert installed.run("dpkg-query", "-W", "-f", "${Version}", "l2tpv3d").stdout == version()


def test_a_purge_keeps_the_configuration_until_asked(installed):
    """The last of this file: the package is gone."""
    state = "/var/lib/l2tpv3d"
    installed.run("mkdir", "-p", state)
    said = installed.run("dpkg", "--purge", "l2tpv3d").stdout
    assert f'"rm -r {state}"' in said
    installed.run("test", "-d", state)
    installed.run("dpkg", "-i", *installed.copy(package("l2tpv3d")))
    installed.run("dpkg", "--purge", "l2tpv3d", L2TPV3D_PURGE="state")
    ours = {path for path in installed.files() - installed.files_before if "l2tpv3" in path and not path.startswith("/run/")}
    assert not ours
