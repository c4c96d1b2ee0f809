"""The mapping table as the library has it: every row as an object, in the table's order."""
import functools
import json
import re
import subprocess
from types import SimpleNamespace

from .daemons import BUILD, CHECKOUT

TOOL = BUILD / "attributes"
MIB = CHECKOUT / "mibs" / "LINUX-L2TPV3-MIB"
ERRORS = CHECKOUT / "src" / "model" / "error.c"
KIND = re.compile(r'\[ERROR_\w+\] = \{ "[\w-]+", "\w+", "([\w-]+)", (?:NULL|"([\w-]+)"),\s*SNMP_(\w+),')


class Row(SimpleNamespace):
    """object, leaf, part, type, access, when, min, max, words, fallback ... of docs/attributes.c."""

    def __str__(self):
        return f"{self.object}/{self.leaf}"


@functools.cache
def rows():
    if not TOOL.exists():
        subprocess.run(["make", "-s", TOOL.relative_to(CHECKOUT)], cwd=CHECKOUT, check=True)
    shown = subprocess.run([TOOL, "json"], capture_output=True, text=True, check=True).stdout
    return [Row(**row) for row in json.loads(shown)]


def row_of(name, leaf):
    return next(row for row in rows() if (row.object, row.leaf) == (name, leaf))


@functools.cache
def mib_arc(descriptor):
    """The last sub-identifier of a MIB object that is no row, such as a RowStatus."""
    return int(re.search(rf"^ *{descriptor} OBJECT-TYPE.*?::= \{{ *\w+ (\d+) *\}}", MIB.read_text(),
                         re.M | re.S)[1])


@functools.cache
def snmp_statuses(tag, app_tag):
    """The SNMP error-status names for a NETCONF error-tag and error-app-tag, by the error table.
    An app-tag of one rule alone is not there: then those of the tag."""
    found = KIND.findall(ERRORS.read_text())
    exact = [status for *tags, status in found if tags == [tag, app_tag or ""]]
    return {re.sub("_(.)", lambda m: m[1].upper(), status.lower())
            for status in exact or [status for other, _, status in found if other == tag]}
