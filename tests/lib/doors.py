"""The doors of the daemon behind one face: set one leaf of one entry, or read it back.

A door's set() returns an Outcome; what a door has no words for, unable() says, and why.
"""
import ipaddress
import json
import re
import subprocess
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from xml.sax.saxutils import escape

from .daemons import L2TPV3CTL, L2TPV3D
from .netconf import BASE, L2TP, RpcError
from .snmp import ROOT
from .snmp_wire import INTEGER, OCTETS, UNSIGNED
from .table import mib_arc, row_of

TUNNEL_ID, SESSION_ID = 1, 5
ACTIVE, NOT_IN_SERVICE, CREATE_AND_GO = 1, 2, 4
TABLES = {"tunnel": 2, "session": 4}
LAST_ERROR_MAX = 255  # octets: a SnmpAdminString
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
DECIMAL = re.compile(r"\s*\+?\d+\s*")


@dataclass
class Outcome:
    accepted: bool
    path: str = None
    text: str = None
    tag: str = None      # NETCONF error-tag and error-app-tag
    app_tag: str = None
    status: str = None   # SNMP error-status
    oid: str = None      # and the object it is for
    line: int = None     # of a file


ACCEPTED = Outcome(True)


def path_of(row):
    session = f"/session[session-id='{SESSION_ID}']" if row.object == "session" else ""
    return f"/l2tpv3/tunnel[tunnel-id='{TUNNEL_ID}']{session}/{row.leaf}"


def xml_text(text):
    return escape(text, {"\r": "&#13;", "\n": "&#10;", "\t": "&#9;"})


def leaf_xml(row, text):
    xml = f"<{row.leaf}>{xml_text(text)}</{row.leaf}>"
    return f"<statistics>{xml}</statistics>" if row.part == "statistics" else xml


def entry_xml(name, inner, operation=""):
    """An edit of the entry that the tests are about."""
    if name == "session":
        inner = f"<session><session-id>{SESSION_ID}</session-id>{inner}</session>"
    return (f'<l2tpv3 xmlns="{L2TP}" xmlns:nc="{BASE}"{operation}><tunnel><tunnel-id>{TUNNEL_ID}'
            f"</tunnel-id>{inner}</tunnel></l2tpv3>")


def is_text(value):
    """Text as XML can have it: neither octets that are no UTF-8 nor most control characters."""
    return isinstance(value, str) and not NOT_XML.search(value)


class NetconfDoor:
    name = "netconf"

    def __init__(self, client):
        self.client = client

    def unable(self, row, value):
        return None if is_text(value) else "no XML 1.0 document has such characters"

    def edit(self, config):
        try:
            self.client.edit_config(config)
        except RpcError as error:
            # An XPath, in which RFC 6241 wants the prefixes that people are spared elsewhere.
            path = (error.path or "").replace("l2tp:", "")
            return Outcome(False, path, error.message, error.tag, error.app_tag)
        return ACCEPTED

    def set(self, row, value):
        return self.edit(entry_xml(row.object, leaf_xml(row, value)))

    def clear(self, row):
        return self.edit(entry_xml(row.object, f'<{row.leaf} nc:operation="remove"/>'))

    def config(self):
        """All of the configuration, as text."""
        reply = self.client.rpc_text("<get-config><source><running/></source></get-config>")
        return re.search(r"<data.*", reply, re.S)[0]

    def read(self, row):
        """The leaf's text, or None when it is absent."""
        entry = ET.fromstring(self.config().removesuffix("</rpc-reply>")).find(".//{*}tunnel")
        if row.object == "session":
            entry = entry.find("{*}session")
        leaf = entry.find(f"{{*}}{row.leaf}")
        return leaf if leaf is None else leaf.text or ""


class ProgramDoor:
    """A program that says "PATH: TEXT" on standard error when it refuses."""

    def run(self, *argv):
        done = subprocess.run(argv, capture_output=True, check=False)
        error = done.stderr.decode()
        if done.returncode == 0:
            assert not error, error
            return ACCEPTED
        assert done.returncode == 1 and error.endswith("\n") and error.count("\n") == 1, error
        return self.refused(error.rstrip("\n").removeprefix(f"{argv[0].name}: "))

    def refused(self, error):
        path, _, text = error.partition(": ") if error.startswith("/l2tpv3") else ("", "", error)
        return Outcome(False, path, text)


class CtlDoor(ProgramDoor):
    """l2tpv3ctl set."""
    name = "l2tpv3ctl"

    def __init__(self, path):
        self.argv = [L2TPV3CTL, "-S", path]

    def unable(self, row, value):
        text = value.encode() if isinstance(value, str) else value
        return "an argument ends at the first NUL" if b"\0" in text else None

    def entry(self, row):
        session = ["session_id", str(SESSION_ID)] if row.object == "session" else []
        return [row.object, "tunnel_id", str(TUNNEL_ID), *session]

    def set(self, row, value):
        # Behind "--" a value may begin with "-".
        keyword = row.keywords[0] if row.keywords else row.leaf
        return self.run(*self.argv, "--", "set", *self.entry(row), keyword, value)

    def clear(self, row):
        return self.run(*self.argv, "set", *self.entry(row), f"no-{row.keywords[0]}")

    def read(self, row):
        shown = subprocess.run([*self.argv, "-j", "get-config", row.object], capture_output=True,
                               check=True).stdout
        entry, = json.loads(shown)["linux-l2tpv3:l2tpv3"]["tunnel"]
        if row.object == "session":
            entry, = entry["session"]
        value = entry.get(row.leaf)
        return str(value).lower() if isinstance(value, (bool, int)) else value

    def add(self, row, key, leaves):
        """Make an entry."""
        words = [word for leaf, text in leaves.items()
                 for word in (row_of(row.object, leaf).keywords[0], text)]
        above = ["tunnel_id", str(TUNNEL_ID)] if row.object == "session" else []
        return self.run(*self.argv, "--", "add", row.object, *above, row.keywords[0], key, *words)

    def shows(self, row, key):
        return subprocess.run([*self.argv, "show", row.object, row.keywords[0], str(key)],
                              capture_output=True, check=True).stdout


class PushDoor(ProgramDoor):
    """l2tpv3ctl push, of a file with the leaf alone."""
    name = "push"
    unable = NetconfDoor.unable

    def __init__(self, path, folder):
        self.argv, self.file = [L2TPV3CTL, "-S", path, "push"], folder / "push.xml"

    def push(self, config):
        self.file.write_text(config)
        return self.run(*self.argv, self.file)

    def set(self, row, value):
        return self.push(entry_xml(row.object, leaf_xml(row, value)))

    def clear(self, row):
        return self.push(entry_xml(row.object, f'<{row.leaf} nc:operation="remove"/>'))


class CheckDoor(ProgramDoor):
    """l2tpv3d -n, of a file with the whole configuration, a leaf a line."""
    name = "l2tpv3d -n"
    unable = NetconfDoor.unable

    def __init__(self, folder):
        self.file, self.baseline = folder / "check.xml", {}

    def set(self, row, value):
        entry = {"tunnel": {"tunnel-id": str(TUNNEL_ID), **self.baseline["tunnel"]},
                 "session": {"session-id": str(SESSION_ID), **self.baseline.get("session", {})}}
        entry[row.object].pop(row.leaf, None)
        inner = "\n".join(self.leaves("tunnel", entry["tunnel"], row, value))
        if "session" in self.baseline:
            inner += "\n<session>{}</session>".format("\n".join(
                self.leaves("session", entry["session"], row, value)))
        return self.check(f'<l2tpv3 xmlns="{L2TP}">\n<tunnel>\n{inner}\n</tunnel>\n</l2tpv3>\n')

    def check(self, config):
        self.file.write_text(config)
        return self.run(L2TPV3D, "-n", self.file)

    def leaves(self, name, entry, row, value):
        found = [leaf_xml(row_of(name, leaf), text) for leaf, text in entry.items()]
        return found + [leaf_xml(row, value)] if row.object == name else found

    def line(self, row):
        """Where the leaf ends."""
        lines = self.file.read_text().split("\n")
        return max(n for n, line in enumerate(lines, 1) if f"</{row.leaf}>" in line)

    def refused(self, error):
        """FILE: PATH: TEXT, or of what was read by itself
        FILE:LINE: TEXT; correct the file there (at PATH)."""
        found = re.fullmatch(rf"{re.escape(str(self.file))}:(\d+): (.*); correct the file there "
                             r"\(at (/.*)\)", error)
        if not found:
            return super().refused(error.removeprefix(f"{self.file}: "))
        return Outcome(False, found[3], found[2], line=int(found[1]))


class SnmpDoor:
    """SNMP: a column of numbers or octets, and no column is ever absent."""
    name = "snmp"

    def __init__(self, wire):
        self.wire = wire

    def oid(self, row):
        index = f"{TUNNEL_ID}.{SESSION_ID}" if row.object == "session" else f"{TUNNEL_ID}"
        if row.leaf == "enabled":
            return self.status_oid(row.object, index)
        return f"{ROOT}.1.{row.mib_table}.1.{row.mib_column}.{index}"

    def path_of(self, row):
        """What l2tpv3LastError names: a RowStatus is of the entry."""
        return path_of(row).removesuffix("/enabled")

    def type_oid(self, row):
        """Of the InetAddressType, which stands before the InetAddress."""
        head, _, index = self.oid(row).rpartition(f".{row.mib_column}.")
        return f"{head}.{row.mib_column - 1}.{index}"

    def unable(self, row, value):
        if self.content(row, value) is None:
            return f"a column of type {row.type} holds numbers or octets, not every text"
        if row.type in ("u16", "u32") and int(value) == 0 and row.min > 0 and (
                row.zero_is_absent or row.when != "always"):
            return "0 stands for absent, since no column of a row can be"
        if value == "" and row.zero_is_absent:
            return "zero length stands for absent, since no column of a row can be"
        return None

    def content(self, row, value):
        """(type, content) of the column that means the same as this text, or None."""
        if row.type in ("u16", "u32"):
            if isinstance(value, str) and value.isascii() and DECIMAL.fullmatch(value) \
                    and int(value) < 1 << 32:
                return UNSIGNED, int(value)
            return None
        if row.type in ("string", "ifname"):
            return OCTETS, value.encode() if isinstance(value, str) else value
        if not isinstance(value, str):
            return None
        return getattr(self, row.type)(row, value)

    def bool(self, row, text):
        return {"true": (INTEGER, 1), "false": (INTEGER, 2)}.get(text.strip())

    def enum(self, row, text):
        return next(((INTEGER, word["value"]) for word in row.words if word["name"] == text.strip()),
                    None)

    def address(self, row, text):
        try:
            return None if "%" in text else (OCTETS, ipaddress.ip_address(text).packed)
        except ValueError:
            return None

    def mac(self, row, text):
        return (OCTETS, bytes.fromhex(text.replace(":", ""))) \
            if re.fullmatch(r"([0-9A-Fa-f]{2}:)*[0-9A-Fa-f]{2}", text) else None

    def cookie(self, row, text):
        return (OCTETS, bytes.fromhex(text)) if re.fullmatch(r"([0-9A-Fa-f]{2})*", text) else None

    def send(self, *varbinds):
        status, oid = self.wire.set(*varbinds)
        if status == "noError":
            return ACCEPTED
        path, _, text = self.last_error().partition(": ")
        return Outcome(False, path, text, status=status, oid=oid)

    def set(self, row, value):
        kind, content = self.content(row, value)
        if row.leaf == "enabled":
            return self.send((self.oid(row), (INTEGER, ACTIVE if content == 1 else NOT_IN_SERVICE)))
        if row.type == "address":
            return self.send((self.type_oid(row), (INTEGER, 1 if len(content) == 4 else 2)),
                             (self.oid(row), (kind, content)))
        return self.send((self.oid(row), (kind, content)))

    def clear(self, row):
        if row.type == "address":
            return self.send((self.type_oid(row), (INTEGER, 0)), (self.oid(row), (OCTETS, b"")))
        zero = (UNSIGNED, 0) if row.type in ("u16", "u32") else (OCTETS, b"")
        return self.send((self.oid(row), zero))

    def last_error(self):
        return self.wire.get(f"{ROOT}.1.1.{mib_arc('l2tpv3LastError')}.0").decode()

    def generation(self):
        return self.wire.get(f"{ROOT}.1.1.{mib_arc('l2tpv3Generation')}.0")

    def read(self, row):
        """As the leaf's text; 0 or nothing where that stands for absent gives None."""
        value = self.wire.get(self.oid(row))
        if row.leaf == "enabled":
            return {ACTIVE: "true", NOT_IN_SERVICE: "false"}[value]
        if row.type == "bool":
            return {1: "true", 2: "false", 0: None}[value]
        if row.type == "enum":
            return next(word["name"] for word in row.words if word["value"] == value)
        if not value and (row.zero_is_absent or row.when != "always"):
            return None
        if row.type == "address":
            kind = self.wire.get(self.type_oid(row))
            assert kind == {4: 1, 16: 2}[len(value)]
            return str(ipaddress.ip_address(value))
        if row.type == "mac":
            return value.hex(":")
        if row.type == "cookie":
            return value.hex()
        return str(value) if isinstance(value, int) else value.decode()

    # ---- entries

    def status_oid(self, name, index):
        column = mib_arc(f"l2tpv3{name.capitalize()}RowStatus")
        return f"{ROOT}.1.{TABLES[name]}.1.{column}.{index}"

    def index(self, row, key):
        return f"{TUNNEL_ID}.{key}" if row.object == "session" else f"{key}"

    def create(self, row, key, leaves):
        """createAndGo of an entry with these leaves."""
        index = self.index(row, key)
        varbinds = [(self.status_oid(row.object, index), (INTEGER, CREATE_AND_GO))]
        for leaf, text in leaves.items():
            other = row_of(row.object, leaf)
            kind, content = self.content(other, text)
            prefix = f"{ROOT}.1.{other.mib_table}.1"
            if other.type == "address":
                varbinds.append((f"{prefix}.{other.mib_column - 1}.{index}",
                                 (INTEGER, 1 if len(content) == 4 else 2)))
            varbinds.append((f"{prefix}.{other.mib_column}.{index}", (kind, content)))
        return self.send(*varbinds)

    def has_entry(self, row, key):
        return self.wire.get(self.status_oid(row.object, self.index(row, key))) == ACTIVE
