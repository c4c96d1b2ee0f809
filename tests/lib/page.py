"""The commands of a document, as they stand there, and what they are said to print.

A block ```sh has commands; one ```text after it has lines, or parts of lines, of what they print, with any
white space. A word after `sh` names the way that it belongs to, where a page has several.
"""
import re
from dataclasses import dataclass

from .daemons import CHECKOUT

BLOCK = re.compile(r"^##+ (?P<section>[^\n]*)$|^```(?P<kind>sh|text)(?: (?P<way>\w+))?\n(?P<text>.*?)^```$", re.M | re.S)
MARK = "=== block"


@dataclass
class Block:
    section: str
    kind: str
    text: str


def blocks(name, way=None, sections=None):
    """Those of docs/@name, of one way where it has several, and of these sections or all."""
    section, found = "", []
    for match in BLOCK.finditer((CHECKOUT / "docs" / name).read_text()):
        if match["section"]:
            section = match["section"]
        elif (not match["way"] or match["way"] == way) and (sections is None or section in sections):
            found.append(Block(section, match["kind"], match["text"]))
    return found


def script(page):
    """All commands, with a mark before each block; to be run with both streams as one, and `set -e`."""
    return "".join(f"echo '{MARK}' >&2\n{block.text}" for block in page if block.kind == "sh") + f"\necho '{MARK}'\n"


def printed(output):
    """What each block printed, and what came after the last."""
    return output.split(f"{MARK}\n")[1:]


def check(page, outputs):
    """Each line that the page shows is in what the commands before it printed."""
    left, said = iter(outputs), ""
    for block in page:
        if block.kind == "sh":
            said = next(left)
            continue
        lines = [" ".join(line.split()) for line in said.splitlines()]
        for line in block.text.splitlines():
            assert any(" ".join(line.split()) in one for one in lines), f"{line!r} is not in:\n{said}"
