"""What a machine can check of docs/ without running it: what must be there, what points where, what parses."""
import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import page  # noqa: E402
from lib.daemons import CHECKOUT  # noqa: E402

LAB = CHECKOUT / "docs/lab"
PAGES = [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").rglob("*.md"))]


def anchor(heading):
    """As those who render Markdown make it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def anchors(path):
    return {anchor(heading) for heading in re.findall(r"^#+ (.*)$", path.read_text(), re.M)}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text()):
        if re.match(r"\w+:", target):
            continue
        file, _, heading = target.partition("#")
        other = path.parent / file if file else path
        assert other.exists(), target
        assert not heading or heading in anchors(other), target


def test_the_index_has_every_document():
    docs = CHECKOUT / "docs"
    linked = {(docs / target).resolve() for target in re.findall(r"\]\(([^)#\s]+)\)", (docs / "index.md").read_text())}
    pages = {path for path in PAGES if path.parent == docs or path.name == "README.md"}
    assert {path.resolve() for path in pages} - {(docs / "index.md").resolve()} == linked


def test_every_status_reason_has_its_section():
    model, = (CHECKOUT / "yang").glob("linux-l2tpv3@*.yang")
    reasons = re.search(r"typedef status-reason \{(.*?)\n  \}", model.read_text(), re.S)[1]
    sections = re.findall(r"^### (\S+)$", (CHECKOUT / "docs/troubleshooting.md").read_text(), re.M)
    assert not set(re.findall(r"enum ([\w-]+) \{", reasons)) - set(sections)
    assert len(sections) == len(set(sections))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_commands_are_shell(path):
    for text in re.findall(r"^```sh\b.*?\n(.*?)^```$", path.read_text(), re.M | re.S):
        done = subprocess.run(["bash", "-n"], input=text, text=True, capture_output=True)
        assert done.returncode == 0, done.stderr


# ---- docs/lab.  Of Debian's parsers of a Containerfile (buildah, podman) none parses without building.

def instructions():
    """(stage, word, arguments) of each line of the Containerfile."""
    lines = re.sub(r"^#.*\n", "", (LAB / "Containerfile").read_text(), flags=re.M).replace("\\\n", " ")
    stage = -1
    for line in filter(None, lines.splitlines()):
        word, _, arguments = line.partition(" ")
        stage += word == "FROM"
        yield stage, word, arguments


def copied(arguments):
    """(stage, sources, target) of a COPY."""
    words = shlex.split(arguments)
    stage = words.pop(0).partition("=")[2] if words[0].startswith("--from=") else None
    return stage, words[:-1], words[-1]


def test_the_containerfile_is_one():
    stages, made = [], set()
    for number, (stage, word, arguments) in enumerate(instructions()):
        assert stage >= 0 or word == "FROM"
        if word == "FROM":
            image, *name = arguments.split(" AS ")
            assert image == "docker.io/library/debian:12-slim"
            stages += name
        elif word == "RUN":
            done = subprocess.run(["sh", "-n"], input=arguments, text=True, capture_output=True)
            assert done.returncode == 0, done.stderr
        elif word == "COPY":
            origin, sources, target = copied(arguments)
            assert target.startswith("/")
            made.add(target)
            if origin:
                assert origin in stages
            else:
                assert all((CHECKOUT / source).exists() for source in sources)
        else:
            assert word == "CMD", f"{word} in line {number}"
            program, = json.loads(arguments)
            assert program in made and subprocess.run(["test", "-x", LAB / "start"]).returncode == 0


def test_what_the_containerfile_copies_is_enough_to_build(tmp_path):
    for stage, word, arguments in instructions():
        if stage != 0 or word != "COPY":
            continue
        _, sources, target = copied(arguments)
        for source in sources:
            there = tmp_path / target.removeprefix("/src").strip("/")
            if (CHECKOUT / source).is_dir():
                shutil.copytree(CHECKOUT / source, there)
            else:
                there = there / Path(source).name if target.endswith("/") else there
                there.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(CHECKOUT / source, there)
    done = subprocess.run(["make", "-n", "all"], cwd=tmp_path, text=True, capture_output=True)
    assert done.returncode == 0 and "build/l2tpv3d" in done.stdout, done.stderr
    for path in "docs/install/deb", "tests/deps", "CHANGELOG.md", *(
            line for name in ("l2tpv3d.docs",) for line in
            (CHECKOUT / "docs/install/debian" / name).read_text().split() if "*" not in line):
        assert (tmp_path / path).exists(), path


def test_the_topology_is_whole():
    yaml = pytest.importorskip("yaml", reason="python3-yaml is not installed")
    topology = yaml.safe_load((LAB / "l2tpv3.clab.yml").read_text())
    assert set(topology) == {"name", "topology"}
    topology = topology["topology"]
    assert set(topology) == {"defaults", "nodes", "links"} and set(topology["nodes"]) == {"r1", "r2", "nms"}
    ends = [end for link in topology["links"] for end in link["endpoints"]]
    assert len(ends) == len(set(ends)) == 6
    for name, node in topology["nodes"].items():
        assert set(node) <= {"exec", *topology["defaults"]}
        mine = {end.split(":")[1] for end in ends if end.startswith(f"{name}:")}
        used = {shlex.split(line)[-1] for line in node["exec"] if line.startswith("ip address add")}
        assert mine <= used <= mine | {"pw0"}
        assert not [line for line in node["exec"] if re.search(r"[|&;<>$]", line)], "no shell reads them"


def test_the_readme_of_the_lab_names_its_nodes():
    for block in page.blocks("lab/README.md"):
        if block.kind == "sh":
            assert set(re.findall(r"clab-l2tpv3-(\w+)", block.text)) <= {"r1", "r2", "nms"}
