"""The Debian packages that `make deb` has built."""
import subprocess

from .daemons import CHECKOUT

DEBS = CHECKOUT / "build/deb"


def version():
    return next(line.split()[1] for line in (CHECKOUT / "CHANGELOG.md").read_text().splitlines()
                if line.startswith("## "))


SOURCE = DEBS / f"l2tpv3d-{version()}"


def package(name):
    """The file of the package of this name."""
    found, = DEBS.glob(f"{name}_{version()}_*.deb")
    return found


def repacked(deb, as_version, folder):
    """The same package in @folder, under another version."""
    content = folder / "content"
    subprocess.run(["dpkg-deb", "-R", deb, content], check=True)
    control = content / "DEBIAN/control"
    control.write_text(control.read_text().replace(f"\nVersion: {version()}\n", f"\nVersion: {as_version}\n"))
    target = folder / deb.name.replace(version(), as_version)
    subprocess.run(["dpkg-deb", "--root-owner-group", "-b", content, target], check=True, stdout=subprocess.DEVNULL)
    return target
