"""Net-SNMP's command line tools as a manager: numeric names, typed values, no MIB files.

A value is an int, bytes (OCTET STRING), or text (OBJECT IDENTIFIER, IpAddress); None stands for
noSuchObject, noSuchInstance and endOfMibView.
"""
import os
import re

ROOT = "1.3.6.1.4.1.8072.9999.9999.3931"
LINE = re.compile(r"^\.([0-9.]+) = (.*)$")


class SnmpError(Exception):
    """The agent answered with an error-status: `status` is its name, `oid` the object it is for."""

    def __init__(self, output):
        status = re.search(r"Reason: \(?(\w+)", output)
        failed = re.search(r"Failed object: \.?([0-9.]+)", output)
        self.status = status[1] if status else None
        self.oid = failed[1] if failed else None
        super().__init__(output.strip())


def parse_value(text):
    kind, _, value = text.partition(": ")
    if kind in ("INTEGER", "Counter32", "Counter64", "Gauge32", "UInteger32"):
        return int(re.search(r"-?\d+", value)[0])
    if kind == "Timeticks":
        return int(value[1:value.index(")")])
    if kind in ("Hex-STRING", "BITS", "Opaque"):
        return bytes.fromhex(value)
    if kind == "STRING":
        return value.strip('"').encode()
    if kind in ("OID", "IpAddress"):
        return value.removeprefix(".")
    if text == '""':
        return b""
    if text.startswith("No "):
        return None
    raise ValueError(f"not understood: {text}")


def parse(output):
    """{oid: value} of the tools' output, in its order.  A long hex string has several lines."""
    found = {}
    for line in output.splitlines():
        if match := LINE.match(line):
            oid, text = match.groups()
            found[oid] = text
        elif found and line.strip():
            found[oid] += " " + line
    return {oid: parse_value(text) for oid, text in found.items()}


class Manager:
    """A manager in a namespace, for an agent at an address there."""

    def __init__(self, namespace, address, community="private", seconds=30):
        self.namespace, self.address = namespace, address
        self.options = ["-v2c", "-c", community, "-On", "-Oe", "-Ox", "-t", str(seconds), "-r", "0"]

    def tool(self, name, *arguments):
        done = self.namespace.run(name, *self.options, self.address, *arguments, check=False,
                                  env={**os.environ, "MIBS": "", "SNMPCONFPATH": "/nonexistent"})
        if "Reason:" in done.stdout + done.stderr:
            raise SnmpError(done.stdout + done.stderr)
        # The tools' status is also 1 when the only fault is "No Such Instance".
        if done.returncode and not LINE.match(done.stdout):
            raise AssertionError(f"{name}: {done.stdout}{done.stderr}")
        return done.stdout

    def get(self, *oids):
        """The value of one object, or a list of the values of several in one PDU."""
        values = list(parse(self.tool("snmpget", *oids)).values())
        return values[0] if len(oids) == 1 else values

    def get_next(self, oid):
        """(oid, value) of what follows."""
        return next(iter(parse(self.tool("snmpgetnext", oid)).items()))

    def set(self, *varbinds):
        """One PDU of (oid, type letter of snmpset, value); SnmpError when it is refused."""
        words = [str(word) for varbind in varbinds for word in varbind]
        return parse(self.tool("snmpset", *words))

    def walk(self, oid=ROOT):
        return {k: v for k, v in parse(self.tool("snmpwalk", oid)).items() if v is not None}

    def bulk_walk(self, oid=ROOT, repetitions=25):
        shown = self.tool("snmpbulkwalk", f"-Cr{repetitions}", oid)
        return {k: v for k, v in parse(shown).items() if v is not None}
