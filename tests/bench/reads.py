"""(b) Read one session among N; (c) read all counters.

Counters may be served from up to a second ago: for a fresh reading each time, (b) asks for another
session each time and (c) waits until what is there is old.
"""
import random
import time

from figures import alternate, milliseconds
from lib.netconf import L2TP, subtree
from lib.snmp import ROOT
from population import TUNNEL, entry_xml

STATS_TX_PACKETS = f"{ROOT}.1.5.1.1"
COUNTER64 = bytes([0x46])  # its tag in an answer
COUNTER_AGE = 1.1
NMDA = "urn:ietf:params:xml:ns:yang:ietf-netconf-nmda"
DATASTORES = "urn:ietf:params:xml:ns:yang:ietf-datastores"
ALL_COUNTERS = (f'<l2tpv3 xmlns="{L2TP}"><tunnel><tunnel-id/><session><session-id/><statistics/>'
                "</session></tunnel></l2tpv3>")


def need(text, word):
    """A contestant who did not get what was asked for has lost."""
    if word not in text:
        raise AssertionError(f"no {word} in {text[:200]!r}")


def one(contest, client, manager, count):
    """Contestants that read one session; each checks that it got it."""
    poller = contest.poller()
    numbers = list(range(1, count + 1))
    random.Random(1).shuffle(numbers)

    def netconf():
        n = numbers.pop()
        need(client.rpc_text(f"<get>{subtree(entry_xml(n))}</get>"), "<tx-packets>")

    def xpath():
        n = numbers.pop()
        path = f"/l:l2tpv3/l:tunnel[l:tunnel-id='{TUNNEL}']/l:session[l:session-id='{n}']"
        need(client.rpc_text(f'<get><filter type="xpath" xmlns:l="{L2TP}" select="{path}"/></get>'), "<tx-packets>")

    def get_data():
        n = numbers.pop()
        need(client.rpc_text(f'<get-data xmlns="{NMDA}" xmlns:ds="{DATASTORES}"><datastore>ds:operational</datastore>'
                             f"<subtree-filter>{entry_xml(n)}</subtree-filter></get-data>"), "<tx-packets>")

    def ctl():
        n = numbers.pop()
        need(contest.ctl("-s", "show", "session", "tunnel_id", TUNNEL, "session_id", n),
             f"Session {n} ")

    def snmp():
        need(poller.get(f"{STATS_TX_PACKETS}.{TUNNEL}.{numbers.pop()}") or b"", COUNTER64)

    def snmpget():
        need(manager.tool("snmpget", f"{STATS_TX_PACKETS}.{TUNNEL}.{numbers.pop()}"), "Counter64")

    def ip():
        n = numbers.pop()
        need(contest.ip("l2tp", "show", "session", "tunnel_id", TUNNEL, "session_id", n),
             f"Session {n} ")

    return {"NETCONF get": netconf, "NETCONF get by XPath": xpath, "NETCONF get-data": get_data, "SNMP GET": snmp, "l2tpv3ctl show": ctl, "snmpget": snmpget,
            "ip": ip}


def all_counters(contest, client, manager, count):
    def counted(text, word):
        if text.count(word) != count:
            raise AssertionError(f"{text.count(word)} of {count} sessions: {text[:200]!r}")

    return {
        "NETCONF get": lambda: counted(client.rpc_text(f"<get>{subtree(ALL_COUNTERS)}</get>"),
                                       "<tx-packets>"),
        "l2tpv3ctl -s show": lambda: counted(contest.ctl("-s", "show", "session"), "Session "),
        # Byte for byte what ip prints, and no counters either.
        "l2tpv3ctl show": lambda: counted(contest.ctl("show", "session"), "Session "),
        # One column: over AgentX each value is a round trip, so eleven take eleven times as long.
        "snmpbulkwalk, one counter": lambda: counted(
            manager.tool("snmpbulkwalk", "-Cr50", STATS_TX_PACKETS), "Counter64"),
        "ip": lambda: counted(contest.ip("l2tp", "show", "session"), "Session "),
    }


def timed(work, pause=0.0):
    def run():
        time.sleep(pause)
        return milliseconds(work)
    return run


def compare(figures, what, count, contestants, rounds, target, pause):
    times = alternate({name: timed(work, pause) for name, work in contestants.items()}, rounds)
    for name in contestants:
        if name != "ip":
            figures.row(f"{what}: {name}", count, times[name], times["ip"], "ip l2tp show",
                        "linear" if "walk" in name else target)


def run(contest, figures, count, rounds):
    """The sessions are there and the daemon serves SNMP."""
    manager = contest.manager()
    with contest.client() as client:
        compare(figures, "(b) one", count, one(contest, client, manager, count), 3 * rounds,
                "flat in N", 0.0)
        compare(figures, "(c) all", count, all_counters(contest, client, manager, count), rounds,
                "linear, <= 1", COUNTER_AGE)
