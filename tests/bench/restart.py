"""Restart the daemon over N sessions: nothing in the kernel may be written, nothing may change.

Two witnesses besides the state itself: a listener of our own on the kernel's L2TP and link events,
and strace, which counts what the daemon asks the kernel to do.
"""
import re
import shutil
import socket

from figures import Stopwatch
from lib.genl import COMMANDS, Events, messages
from lib.netns import inside

RTMGRP_LINK, RTM_NEWLINK, RTM_DELLINK = 1, 16, 17
WRITES = {n for n, name in enumerate(COMMANDS) if not name.endswith(("_get", "noop"))}
GENL_MESSAGE = re.compile(r'nlmsg_type=(?!nlctrl)(?:0x[0-9a-f]+|l2tp)\b[^"]*"\\x0?([0-9a-f]{1,2})')
ROUTE_WRITE = re.compile(r"nlmsg_type=RTM_(?:NEW|DEL|SET)\w+")


class Witness:
    """What the kernel tells everybody in the place."""

    def __init__(self, place):
        self.l2tp = Events(place.namespace.name)
        with inside(place.namespace.name):
            self.links = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        self.links.bind((0, RTMGRP_LINK))
        self.links.setblocking(False)

    def link_events(self):
        count = 0
        while True:
            try:
                data = self.links.recv(1 << 16)
            except BlockingIOError:
                return count
            count += sum(kind in (RTM_NEWLINK, RTM_DELLINK) for kind, *_ in messages(data))

    def count(self):
        """(L2TP events, link events) until now."""
        found = len(self.l2tp.all()), self.link_events()
        self.l2tp.close()
        self.links.close()
        return found


def state(place):
    """Interface index and all that L2TP says, of every session."""
    indexes = {name: link["ifindex"] for name, link in place.links().items()}
    return indexes, {s["session_id"]: s for s in place.kernel.sessions()}


def changes(before, after):
    """How many interfaces or sessions are not those of before; counters may have run on."""
    count = sum(after[0].get(name) != index for name, index in before[0].items())
    for number, was in before[1].items():
        now = after[1].get(number, {})
        same = all(now.get(key) == value for key, value in was.items() if key != "stats")
        count += not same or any(now["stats"][key] < value for key, value in was["stats"].items())
    return count


def writes_of(trace):
    """Requests in a strace of sendto and sendmsg which change something."""
    text = trace.read_text(errors="replace")
    return (sum(int(command, 16) in WRITES for command in GENL_MESSAGE.findall(text))
            + len(ROUTE_WRITE.findall(text)))


def traced(daemon, trace):
    """Have the daemon's next start run under strace; returns what undoes that."""
    argv = daemon.argv
    # -D: the process is the daemon, not strace, which would not pass our signals on.
    daemon.argv = ["strace", "-D", "-f", "-xx", "-s", "8", "-e", "trace=sendto,sendmsg,sendmmsg",
                   "-e", "abbrev=none", "-o", trace, *argv]
    return lambda: setattr(daemon, "argv", argv)


def run(contest, figures, count):
    """The sessions are there; the daemon, without SNMP, made them."""
    before, witness = state(contest.place), Witness(contest.place)
    contest.daemon.stop()
    with Stopwatch() as took:
        contest.daemon.start()
    figures.row("start over what is there, until ready", count, took.ms)
    if shutil.which("strace"):
        trace = contest.folder / "restart.strace"
        undo = traced(contest.daemon, trace)
        contest.daemon.restart()
        contest.daemon.stop()
        undo()
        contest.daemon.start()
        figures.row("requests that write, seen by strace", count, writes_of(trace), unit="",
                    target="0")
    l2tp, links = witness.count()
    figures.row("events of L2TP, of links", count, l2tp + links, unit="", target="0")
    changed = changes(before, state(contest.place))
    figures.row("interfaces or sessions changed", count, changed, unit="", target="0")
