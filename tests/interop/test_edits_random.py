"""Random edits, one after the other: the daemon against RFC 6241 section 7.2 worked out on libyang trees.

What an operation does to a tree is said here; types, "when", "must", mandatory and choices by libyang,
which takes everything that an edit gives for new. Whether data exists is asked of the configuration
before the edit, also within what the edit replaces. A name that nobody gave is the daemon's to choose, and
a session that is left without one keeps the one that it had.

L2TPV3D_EDITS=n: so many; L2TPV3D_SEED=n: one other course of them.
"""
import os
import random
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import oracle, table  # noqa: E402
from lib.daemons import L2TPV3D, L2tpv3d  # noqa: E402
from lib.here import Here  # noqa: E402
from lib.libyang import TOP, Refused, Tree, Yang  # noqa: E402
from lib.netconf import BASE, L2TP, errors_of, local_name, subtree  # noqa: E402
from lib.values import values_of  # noqa: E402

pytestmark = pytest.mark.skipif(not L2TPV3D.exists() or bool(oracle.missing()),
                                reason=oracle.missing() or "l2tpv3d is not built")

SEED = os.environ.get("L2TPV3D_SEED")
SEEDS = [int(SEED)] if SEED else range(1, 5)
EDITS = int(os.environ.get("L2TPV3D_EDITS", 10000)) // len(SEEDS)

OPERATION = f"{{{BASE}}}operation"
TOP_FILTER = subtree(f'<l2tpv3 xmlns="{L2TP}"/>')
REMOVAL = ("delete", "remove")
MASTERS = ("bridge", "vrf")  # the cases of a choice
OPERATIONS = ("merge", "create", "replace", "replace", "delete", "remove", "remove")
KEYS = {"tunnel": "tunnel-id", "session": "session-id"}

# Few, so that edits and entries meet.
POOLS = {"local-address": ["192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:DB8::0:1"],
         "remote-address": ["192.0.2.9", "192.0.2.10", "2001:db8::9"],
         "local-port": ["1701", "1702"], "interface-name": ["x0", "x1", "x2", "x3"]}
NEEDED = {"tunnel": ("peer-tunnel-id", "local-address", "remote-address"), "session": ("peer-session-id",)}


def writable(name):
    return [row for row in table.rows() if row.object == name and row.access == "write"]


def pool(row):
    return POOLS.get(row.leaf) or [value.text for value in values_of(row) if value.stored == value.text][:4]


class Generator:
    """Makes up edits."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.rows = {name: writable(name) for name in KEYS}
        self.pools = {str(row): pool(row) for rows in self.rows.values() for row in rows}

    def chance(self, percent):
        return self.random.randrange(100) < percent

    def attribute(self, percent):
        return f' nc:operation="{self.random.choice(OPERATIONS)}"' if self.chance(percent) else ""

    def leaf(self, row, percent):
        attribute = self.attribute(percent)
        if any(word in attribute for word in REMOVAL):
            return f"<{row.leaf}{attribute}/>"
        text = self.random.choice(self.pools[str(row)])
        if row.type != "string" and self.chance(1):
            text = "no such value"
        return f"<{row.leaf}{attribute}>{escape(text)}</{row.leaf}>"

    def leaves(self, name):
        rows = self.rows[name]
        chosen = self.random.sample(rows, self.random.choice((0, 1, 1, 2, 3)))
        chosen += [row for row in rows if row.leaf in POOLS and row not in chosen and self.chance(15)]
        if whole := self.chance(75):
            chosen = [row for row in rows if row.leaf in NEEDED[name] or row in chosen]
        if self.chance(1) and chosen:
            chosen.append(chosen[0])
        return [self.leaf(row, 3 if whole else 15) for row in chosen]

    def entry(self, name, number, below=()):
        inner = [*self.leaves(name), *below]
        self.random.shuffle(inner)
        key = f"<{KEYS[name]}>{number}</{KEYS[name]}>" if not self.chance(1) else ""
        return f"<{name}{self.attribute(25)}>{key}{''.join(inner)}</{name}>"

    def numbers(self, among, counts):
        """Different ones, but for a slip."""
        numbers = self.random.sample(among, self.random.choice(counts))
        return numbers + numbers[:1] if self.chance(1) else numbers

    def tunnel(self, number):
        sessions = [self.entry("session", other) for other in self.numbers(range(1, 6), (0, 0, 1, 2))]
        return self.entry("tunnel", number, sessions)

    def edit(self):
        """A default-operation, and what goes into <config>."""
        inner = "".join(map(self.tunnel, self.numbers(range(1, 4), (0, 1, 1, 1, 2, 2, 3))))
        default = self.random.choices(("merge", "none", "replace"), (70, 20, 10))[0]
        return default, f'<l2tpv3 xmlns="{L2TP}" xmlns:nc="{BASE}"{self.attribute(6)}>{inner}</l2tpv3>'


def fault_tag(refused):
    """RFC 7950 sections 8.3.2 and 15."""
    if "Mandatory" in refused.message:
        return "data-missing"
    return "unknown-element" if refused.message.startswith("When") else "operation-failed"


def as_dict(element):
    """Leaves as text, entries by their ids."""
    if not len(element):
        return element.text or ""
    shown = {}
    for child in element:
        name = local_name(child)
        if name in KEYS:
            shown[name, child[0].text] = as_dict(child)
        else:
            shown[name] = as_dict(child)
    return shown


def config_dict(text):
    shown = as_dict(ET.fromstring(text)) if text else ""
    return shown or {}


def entries(shown, name, path=TOP):
    return [(f"{path}/{name}[{KEYS[name]}='{key[1]}']", inner) for key, inner in shown.items()
            if key[0] == name]


def paths(config, path=TOP):
    """Of all that is set."""
    found = {path} if config else set()
    for name, inner in config.items():
        if isinstance(name, tuple):
            found |= paths(inner, f"{path}/{name[0]}[{KEYS[name[0]]}='{name[1]}']")
        else:
            found.add(f"{path}/{name}")
    return found


def all_sessions(config):
    return [session for path, tunnel in entries(config, "tunnel")
            for session in entries(tunnel, "session", path)]


class Edit:
    """An edit worked out: `after` is the configuration then, `tags` what it may be refused with."""

    def __init__(self, yang, before, default, text):
        self.yang, self.after = yang, before.copy()
        config = config_dict(before.text())
        self.there = paths(config)
        self.names = {path: session.get("interface-name") for path, session in all_sessions(config)}
        self.tags, self.named, self.two_masters = set(), set(), False
        self.container(ET.fromstring(text), default)
        if not self.tags:
            self.tags = self.faults()
        if not self.tags:
            self.keep_names()
            self.tags = self.clashes(config_dict(self.after.text()))

    def free(self):
        self.after.free()

    def operation(self, element, inherited):
        given = element.get(OPERATION, inherited)
        if inherited in REMOVAL and given != inherited:
            self.tags.add("bad-attribute")
        return given

    def name(self, path):
        """Once in an edit is enough."""
        if path in self.named:
            self.tags.add("bad-element")
        self.named.add(path)

    def check_existence(self, path, operation):
        if path in self.there and operation == "create":
            self.tags.add("data-exists")
        if path not in self.there and operation in ("delete", "none"):
            self.tags.add("data-missing")

    def check_value(self, path, text):
        tree = Tree(self.yang)
        try:
            tree.put(path, text)
        except Refused:
            self.tags.add("invalid-value")
        tree.free()

    def container(self, element, default):
        operation = self.operation(element, default)
        if operation != "none":
            self.check_existence(TOP, operation)
        if operation in ("replace", *REMOVAL):
            self.after.clear()
        for child in element:
            self.entry(child, TOP, operation)

    def entry(self, element, parent, inherited):
        name, operation = local_name(element), self.operation(element, inherited)
        key = element.findtext(f"{{{L2TP}}}{KEYS[name]}")
        path = f"{parent}/{name}[{KEYS[name]}='{key or 1}']"
        if key is None:
            self.tags.add("missing-element")
        if inherited not in REMOVAL:
            self.name(path)
            self.check_existence(path, operation)
        if operation in ("replace", *REMOVAL):
            self.after.drop(path)
        if operation not in REMOVAL and not self.after.find(path):
            self.after.put(path)
        self.children(element, path, operation)

    def children(self, element, path, operation):
        if operation in REMOVAL:
            self.deleted_leaves(element, path)
        elif sum(local_name(child) in MASTERS and child.get(OPERATION, operation) not in ("none", *REMOVAL)
                 for child in element) > 1:
            self.two_masters = True
        for child in element:
            name = local_name(child)
            if name in KEYS:
                self.entry(child, path, operation)
            elif name not in KEYS.values():
                self.leaf(child, f"{path}/{name}", operation)

    def deleted_leaves(self, element, path):
        """They are looked at as anywhere, although nothing comes of them."""
        leaves = [child for child in element if local_name(child) not in (*KEYS, *KEYS.values())]
        if len({leaf.tag for leaf in leaves}) < len(leaves):
            self.tags.add("bad-element")
        for leaf in leaves:
            if leaf.get(OPERATION) not in REMOVAL:
                self.check_value(f"{path}/{local_name(leaf)}", leaf.text or "")

    def leaf(self, element, path, inherited):
        operation = self.operation(element, inherited)
        if inherited in REMOVAL:
            return
        self.name(path)
        explicit = element.get(OPERATION)
        if explicit or operation == "none":
            self.check_existence(path, operation)
        if operation not in REMOVAL:
            self.check_value(path, element.text or "")
        if operation == "none":
            return
        self.after.drop(path)
        if operation not in REMOVAL and "invalid-value" not in self.tags:
            self.after.put(path, element.text or "")

    def faults(self):
        """What libyang has against the result, entry by entry, because it stops at the first."""
        config = config_dict(self.after.text())
        tunnels, tags = entries(config, "tunnel"), set()
        sessions = all_sessions(config)
        for path, entry in tunnels + sessions:
            part = self.after.copy()
            for other, _ in sessions + tunnels:
                if other != path and not path.startswith(f"{other}/"):
                    part.drop(other)
            tags |= self.faults_of(part)
            part.free()
            tags |= {"data-missing"} if self.lacking(entry) else set()
        if self.two_masters:
            tags.add("bad-element")  # RFC 7950 section 8.3.1; the tree has the last one
        if not tags:
            self.after.validate()
        return tags

    def lacking(self, entry):
        """libyang may have stopped at another fault of it."""
        name = "tunnel" if "tunnel-id" in entry else "session"
        return any(row.mandatory and row.leaf not in entry for row in writable(name))

    def faults_of(self, part):
        tags = set()
        while True:
            try:
                part.validate()
                return tags
            except Refused as refused:
                tags.add(fault_tag(refused))
                if not refused.path or refused.path.endswith("]"):
                    return tags
                part.drop(refused.path)

    def keep_names(self):
        for path, session in all_sessions(config_dict(self.after.text())):
            name = self.names.get(path)
            if name and "interface-name" not in session and session.get("pseudowire-type") != "ppp":
                self.after.put(f"{path}/interface-name", name)
        self.after.validate()

    def clashes(self, config):
        """What is there only once in the namespace."""
        sessions = all_sessions(config)
        claims = [session["session-id"] for _, session in sessions]
        claims += [session["interface-name"] for _, session in sessions if "interface-name" in session]
        claims += [(tunnel["local-address"], tunnel.get("local-port", "1701"))
                   for _, tunnel in entries(config, "tunnel")
                   if "local-address" in tunnel and tunnel.get("encapsulation") != "ip"]
        return {"operation-failed"} if len(claims) > len(set(claims)) else set()


class Bench:
    """The daemon and the tree that it should agree with."""

    def __init__(self, client):
        self.client, self.yang = client, Yang()
        self.tree = Tree(self.yang)
        self.accepted = self.refused = 0

    def send(self, default, text):
        """The error-tags ("" when it is accepted), and the configuration then: sent as one, for waiting is what costs."""
        edited, shown = self.client.rpc_texts(
            f"<edit-config><target><running/></target><default-operation>{default}</default-operation>"
            f"<config>{text}</config></edit-config>",
            f"<get-config><source><running/></source>{TOP_FILTER}</get-config>")
        errors = errors_of(ET.fromstring(edited))
        data = ET.fromstring(shown)[0]
        return {error["error-tag"] for error in errors} or {""}, as_dict(data[0]) if len(data) else {}

    def take_names(self, tree, shown):
        """The daemon's choice of what the tree says nothing of."""
        for path, session in all_sessions(shown):
            name, place = session.get("interface-name", ""), f"{path}/interface-name"
            if name.startswith("l2tpeth") and tree.find(path) and not tree.find(place):
                tree.put(place, name)
        tree.validate()

    def step(self, default, text):
        edit = Edit(self.yang, self.tree, default, text)
        tags, shown = self.send(default, text)
        allowed = edit.tags or {""}
        if not edit.tags and "<local-interface>" in edit.after.text():
            allowed.add("in-use")  # its address is not known here, and may be another tunnel's
        assert tags & allowed, (tags, allowed)  # of several errors libyang finds one
        if "" not in tags:
            self.refused += 1
            edit.free()
        else:
            self.accepted += 1
            self.tree.free()
            self.tree = edit.after
            self.take_names(self.tree, shown)
        assert shown == config_dict(self.tree.text())


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    daemon = L2tpv3d(Here(), tmp_path_factory.mktemp("random"), kernel="sim").start()
    yield daemon
    daemon.stop()
    assert "ERROR: " not in daemon.log()  # a sanitizer's


@pytest.mark.parametrize("seed", SEEDS)
def test_random_edits_do_what_rfc_6241_says(daemon, seed):
    generator = Generator(seed)
    with daemon.netconf() as client:
        client.edit_config(f'<l2tpv3 xmlns="{L2TP}" xmlns:nc="{BASE}" nc:operation="remove"/>')
        bench = Bench(client)
        for number in range(EDITS):
            default, text = generator.edit()
            before = bench.tree.text()
            try:
                bench.step(default, text)
            except AssertionError as error:
                pytest.fail(f"L2TPV3D_SEED={seed}, edit {number}, default-operation {default}:\n"
                            f"{text}\nbefore:\n{before}\n{error}")
    assert bench.accepted > EDITS // 10 and bench.refused > EDITS // 10
