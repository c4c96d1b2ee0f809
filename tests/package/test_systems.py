"""The packages in fresh systems of Debian 12 and 13: installed, used, downgraded, purged. Run by `make check-package`."""
import re
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import debian  # noqa: E402
from lib.debian import CHECKOUT  # noqa: E402
from lib.packages import DEBS, SOURCE, package, repacked, version  # noqa: E402

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
