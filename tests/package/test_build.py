"""The packages as built: without complaint, the same anywhere, and by Debian 13 too. Run by `make check-package`."""
import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import debian  # noqa: E402
from lib.debian import CHECKOUT  # noqa: E402
from lib.packages import DEBS, SOURCE, version  # noqa: E402


def copied(folder):
    """The checkout, as another one would get it at another time."""
    shutil.copytree(CHECKOUT, folder, ignore=shutil.ignore_patterns("build", ".git", "__pycache__"))
    for path in folder.rglob("*"):
        os.utime(path, (2e9, 2e9))
    return folder


def system(release):
    try:
        return debian.Fresh(release)
    except debian.CannotHave as reason:
        pytest.skip(str(reason))


def sums(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.deb")}


def test_lintian_has_nothing_to_say():
    # It warns of being root, on standard error.
    done = subprocess.run(["lintian", "--fail-on=error,warning", "--pedantic", *DEBS.glob("*.changes")], text=True,
                          stdout=subprocess.PIPE, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_same_source_makes_the_same_packages_anywhere(tmp_path):
    checkout = copied(tmp_path / "somewhere/else")
    before = os.umask(0o077)
    try:
        subprocess.run([checkout / "docs/install/deb", tmp_path / "out"], check=True, capture_output=True,
                       env={**os.environ, "TZ": "Pacific/Chatham", "LC_ALL": "C.UTF-8", "HOME": "/nonexistent",
                            "DEB_BUILD_OPTIONS": "parallel=1" if os.cpu_count() > 1 else "parallel=2"})
    finally:
        os.umask(before)
    built = sums(DEBS)
    assert len(built) == 3 and built == sums(tmp_path / "out")
    for name, checksum in sorted(built.items()):
        print(checksum, name)


def test_the_checkout_has_one_version():
    """What the programs say, and the packages, is the first heading of CHANGELOG.md."""
    assert re.fullmatch(r"\d+\.\d+\.\d+", version())
    said = subprocess.run([CHECKOUT / "build/l2tpv3d", "-V"], text=True, capture_output=True, check=True).stdout
    assert said == f"l2tpv3d {version()}\n"
    changelog = subprocess.run(["dpkg-parsechangelog", "-S", "Version"], cwd=SOURCE, text=True, capture_output=True,
                               check=True).stdout
    assert changelog == f"{version()}\n"


def test_debian_13_builds_it_from_what_it_says_it_needs(tmp_path):
    """With its newer compiler and libraries, and warnings as errors."""
    with system("trixie") as trixie:
        checkout, source = trixie.copy(copied(tmp_path / "l2tpv3d"), SOURCE)
        trixie.apt("build-dep", "--no-install-recommends", f"{source}/")
        trixie.run(f"{checkout}/docs/install/deb", "/root/out", WERROR="1")
        trixie.apt("install", "--no-install-recommends", f"/root/out/l2tpv3d_{version()}_amd64.deb")
        assert version() in trixie.run("l2tpv3d", "-V").stdout


def test_the_readmes_first_command_works_where_there_is_neither_make_nor_git():
    first = re.search(r"^## Try it$.*?^    (.*?)(?: +#.*)?$", (CHECKOUT / "README.md").read_text(), re.M | re.S)[1]
    with system("bookworm") as bare:
        bare.run("sh", "-c", "! command -v make && ! command -v git")
        bare.run("sh", "-c", first, alone=False)
        checkout, = bare.copy(CHECKOUT / "Makefile")
        bare.run("git", "--version")
        assert "make demo" in bare.run("make", "-f", checkout, "help").stdout
