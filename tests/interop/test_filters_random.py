"""Random subtree filters and XPaths, for root and for a user from whom much is hidden: libxml2 selects the same from all
that the user is shown.

L2TPV3D_FILTERS=n: so many of each, instead of the sample; L2TPV3D_SEED=n: others.
"""
import os
import random
import sys
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

pytest.importorskip("lxml.etree", reason="python3-lxml is not installed")

from lib.built import need_built  # noqa: E402
from lib.daemons import L2TPV3D, L2tpv3d  # noqa: E402
from lib.here import Here  # noqa: E402
from lib.netconf import L2TP, subtree  # noqa: E402
from lib.selection import canonical, data_of, selected_by_libxml2  # noqa: E402
from lib.users import GAMES, As, group, nacm, open_to_all, path, rule, rules  # noqa: E402
from lib.waiting import wait_for  # noqa: E402

need_built(L2TPV3D)
SEED = int(os.environ.get("L2TPV3D_SEED") or 10)
COUNT = int(os.environ.get("L2TPV3D_FILTERS") or 0)
SUBTREES, XPATHS = COUNT or 400, COUNT or 120  # each XPath is searched by a process
USERS = ("root", "games") if os.geteuid() == 0 else ("root",)


def session(number, more=""):
    return (f"<session><session-id>{number}</session-id><peer-session-id>{number % 7 + 1}</peer-session-id>"
            f"<interface-name>pw{number}</interface-name>{more}</session>")


def tunnel(number, inner):
    return (f"<tunnel><tunnel-id>{number}</tunnel-id><peer-tunnel-id>{number + 1}</peer-tunnel-id>"
            f"<local-address>127.0.0.1</local-address><remote-address>127.0.0.{number + 1}</remote-address>"
            f"<local-port>{5000 + number}</local-port>{inner}</tunnel>")


DATA = (tunnel(1, session(11, "<mtu>1400</mtu><tx-cookie>00112233</tx-cookie>") + session(12)
               + session(13, "<sequencing>both</sequencing>"))
        + tunnel(2, "") + tunnel(3, session(31, "<mtu>1500</mtu><description> x </description>") + session(32))
        + tunnel(4, session(41, "<mtu>1400</mtu>")))
HIDDEN = nacm("<groups>" + group("g", "games") + "</groups>" + rules(
    "r", "g", rule("tunnel", "deny", path("/x:l2tpv3/x:tunnel[x:tunnel-id='3']")),
    rule("session", "deny", path("/x:l2tpv3/x:tunnel[x:tunnel-id='1']/x:session[x:session-id='12']")),
    rule("mtu", "deny", path("/x:l2tpv3/x:tunnel[x:tunnel-id='4']/x:session/x:mtu")),
    rule("status", "deny", path("/x:l2tpv3/x:tunnel/x:oper-status"))))


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    daemon = L2tpv3d(Here(), tmp_path_factory.mktemp("filters"), kernel="sim").start()
    with daemon.netconf() as client:
        client.edit_config(f'<l2tpv3 xmlns="{L2TP}">{DATA}</l2tpv3>')
        ours = f'<get><filter><l2tpv3 xmlns="{L2TP}"/></filter></get>'
        wait_for(lambda: client.rpc_text(ours).count("<oper-status>up<") == 10, "all to be up")
    open_to_all(daemon)
    yield daemon
    assert daemon.running, daemon.log()
    daemon.stop()


@pytest.fixture(params=USERS)
def client(daemon, request):
    """With nothing but our container to be seen: NACM's configuration is as it came, or hidden."""
    with daemon.netconf() as root:
        root.edit_config(nacm("", ' nc:operation="replace"') if request.param == "root" else HIDDEN)
    with daemon.netconf() if request.param == "root" else As(daemon, GAMES) as client:
        yield client


def get_config(client, filter=""):
    return data_of(client.rpc_text(f"<get-config><source><running/></source>{filter}</get-config>"))


def get(client, filter):
    return data_of(client.rpc_text(f"<get>{filter}</get>"))


def random_xpath(rand):
    """An expression over the small data; most select something."""
    def leaf():
        return rand.choice(["l:tunnel-id", "l:session-id", "l:mtu", "l:peer-session-id", "l:interface-name",
                            "l:description", "l:sequencing", "l:local-port", "l:nothing", "*"])

    def operand():
        return rand.choice(["11", "12", "31", "1", "2", "1400", "'11'", "'1'", "'01'", "1.0", "'pw12'", "' x '", "'x'",
                            "'both'", "string(../l:tunnel-id)", "count(//l:session)", leaf(), "../*", ". + 1"])

    def condition():
        return rand.choice([
            lambda: f"{leaf()}{rand.choice(['=', ' = ', '!=', '<', '>='])}{operand()}",
            lambda: f"l:tunnel-id='{rand.choice([1, 2, 3, 9])}'", lambda: f"l:session-id={rand.choice([11, 12, 31, 99])}",
            lambda: f"l:interface-name = 'pw{rand.choice([11, 12, 31])}'",
            lambda: str(rand.randint(1, 3)), lambda: "last()", lambda: f"position() > {rand.randint(0, 2)}",
            leaf, lambda: f"not({leaf()})", lambda: f"contains({leaf()}, '1')", lambda: "../../l:tunnel[l:tunnel-id=3]",
            lambda: f"{leaf()} and {leaf()}", lambda: "l:session/l:mtu", lambda: "/l:l2tpv3/l:tunnel[3]",
            lambda: f"{leaf()}/../l:mtu = 1400", lambda: "starts-with(name(), 'tun')",
        ])()

    def step(name):
        return name + "".join(f"[{condition()}]" for _ in range(rand.choice([0, 0, 1, 1, 2])))

    def path():
        text = rand.choice(["/l:l2tpv3"] * 6 + ["/*", "//.", "/ l:l2tpv3 "])
        text += rand.choice(["/"] * 5 + ["//", " / "]) + step(rand.choice(["l:tunnel"] * 5 + ["*", "l:session"]))
        if rand.random() < 0.7:
            text += rand.choice(["/"] * 5 + ["//", "/descendant::", "/.."]).replace("/..", "/../") \
                + step(rand.choice(["l:session"] * 4 + ["*", "l:tunnel"]))
        if rand.random() < 0.5:
            text += "/" + rand.choice([leaf(), leaf(), "..", "text()", "node()", "ancestor::*", "preceding-sibling::*[1]"])
        return text
    return " | ".join(path() for _ in range(rand.choice([1, 1, 1, 2])))


def test_random_xpaths(client):
    rand, data, some = random.Random(SEED), get_config(client), 0
    for _ in range(XPATHS):
        xpath = random_xpath(rand)
        wanted = selected_by_libxml2(data, xpath)
        found = get_config(client, f'<filter type="xpath" xmlns:l="{L2TP}" select={quoteattr(xpath)}/>')
        assert [canonical(child) for child in found] == wanted, xpath
        some += bool(wanted)
    assert some > XPATHS / 4


# ---- subtrees

CONDITIONS = {
    "tunnel": {"tunnel-id": "12349", "peer-tunnel-id": "25", "local-port": ("5001", "5003", "7"),
               "remote-address": ("127.0.0.2", "127.0.0.9"), "oper-status": ("up", "failed")},
    "session": {"session-id": ("11", "12", "31", "41", "99"), "mtu": ("1400", "1500"), "peer-session-id": "456",
                "interface-name": ("pw11", "pw13", "nobody"), "sequencing": ("both",), "tx-cookie": ("00112233",),
                "oper-status": ("up",)}}
SELECTED = {"tunnel": ("tunnel-id", "description", "local-port", "session-count", "statistics", "oper-status"),
            "session": ("session-id", "mtu", "description", "interface-name", "sequencing", "tx-cookie", "statistics")}


class Subtree:
    """One list's filter: its XML, and the XPaths that select the same (RFC 6241 section 6.2)."""

    def __init__(self, rand, name):
        self.name = name
        leaves = rand.sample(list(CONDITIONS[name]), rand.choice((0, 0, 1, 1, 2)))
        self.conditions = {leaf: rand.choice(CONDITIONS[name][leaf]) for leaf in leaves}
        self.selected = [leaf for leaf in rand.sample(SELECTED[name], rand.choice((0, 0, 1, 2)))
                         if leaf not in self.conditions]
        self.below = [Subtree(rand, "session") for _ in range(rand.choice((0, 1, 1, 2)))] if name == "tunnel" else []
        self.order = rand.random()

    def xml(self):
        parts = [f"<{leaf}>{value}</{leaf}>" for leaf, value in self.conditions.items()]
        parts += [f"<{leaf}/>" for leaf in self.selected] + [one.xml() for one in self.below]
        random.Random(self.order).shuffle(parts)
        return f"<{self.name}>{''.join(parts)}</{self.name}>"

    def xpaths(self, parent):
        here = f"{parent}/l:{self.name}" + "".join(f"[l:{leaf}='{value}']" for leaf, value in self.conditions.items())
        if not self.selected and not self.below:
            return [here]
        return ([f"{here}/l:{leaf}" for leaf in [*self.conditions, *self.selected]]
                + [xpath for one in self.below for xpath in one.xpaths(here)])


def test_random_subtree_filters(client):
    """Of the configuration, and of the state with it: nothing but a request changes that here."""
    rand, some = random.Random(SEED), 0
    everything = subtree(f'<l2tpv3 xmlns="{L2TP}"/>')
    data = {read: read(client, everything) for read in (get_config, get)}
    for _ in range(SUBTREES):
        read = rand.choice((get_config, get))
        tunnels = [Subtree(rand, "tunnel") for _ in range(rand.choice((1, 1, 2, 3)))]
        text = f'<l2tpv3 xmlns="{L2TP}">{"".join(one.xml() for one in tunnels)}</l2tpv3>'
        xpath = " | ".join(xpath for one in tunnels for xpath in one.xpaths("/l:l2tpv3"))
        wanted = selected_by_libxml2(data[read], xpath)
        assert [canonical(child) for child in read(client, subtree(text))] == wanted, f"{read.__name__}: {text}"
        some += bool(wanted)
    assert some > SUBTREES / 4
