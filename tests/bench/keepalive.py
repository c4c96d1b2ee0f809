"""What N keepalives a second take: the daemon's CPU, beside a bare loop that sends as many frames."""
import time

import population
from lib import daemons

SECONDS, SETTLE = 20, 5
FRAMES = 20000


def run_ns(pid):
    """The CPU that a process has had, in nanoseconds; the kernel's work for it is in it."""
    with open(f"/proc/{pid}/schedstat", encoding="ascii") as numbers:
        return int(numbers.read().split()[0])


def sent(contest):
    return contest.place.namespace.link("wan")["stats64"]["tx"]["packets"]


def for_a_while(contest):
    """(share of a core in percent, frames, microseconds of CPU a frame)"""
    time.sleep(SETTLE)
    frames, cpu, begun = sent(contest), run_ns(contest.daemon.pid), time.monotonic()
    time.sleep(SECONDS)
    cpu, took = run_ns(contest.daemon.pid) - cpu, time.monotonic() - begun
    frames = sent(contest) - frames
    return cpu / took / 1e7, frames, cpu / 1000 / max(frames, 1)


def run(contest, figures, count):
    contest.start()
    numbers = range(1, count + 1)
    contest.edit(population.document(numbers))
    contest.edit(population.document(numbers).replace("</session>", "<keepalive>1</keepalive></session>"))
    share, frames, each = for_a_while(contest)
    bare = int(contest.run(daemons.BUILD / "tests/bare_frames", population.PREFIX, FRAMES).stdout) / 1000
    contest.stop()
    contest.place.clear()
    figures.section(f"{count} sessions with a keepalive of 1 s")
    figures.row("CPU a frame", count, each, bare, "bare loop", "", "us")
    figures.row("of a core, at 2 ns an instruction", count, share, bare * frames / SECONDS / 1e4,
                "bare loop", "1 % at 0.33 ns", "%")
