"""SNMP GET latency while N sessions are being pushed, beside the latency with nothing going on."""
import threading
import time

import population
from figures import percentile
from lib.snmp import ROOT

# What a manager would poll: a scalar, a tunnel's status, a tunnel's counter.
OBJECTS = (f"{ROOT}.1.1.6.0", f"{ROOT}.1.2.1.15.{population.TUNNEL}",
           f"{ROOT}.1.3.1.1.{population.TUNNEL}")
PAUSE = 0.02


def poll(contest, until):
    """Latencies of GETs until a condition holds."""
    poller = contest.poller()
    while not until():
        for oid in OBJECTS:
            poller.get(oid)
            time.sleep(PAUSE)
    return poller


def push_in_thread(contest, count):
    def push():
        took.append(contest.edit(population.document(range(1, count + 1))))
    took = []
    thread = threading.Thread(target=push)
    thread.start()
    return thread, took


def for_seconds(seconds):
    deadline = time.monotonic() + seconds
    return lambda: time.monotonic() > deadline


def polled_push(contest, count):
    """(push, latencies with nothing going on, latencies meanwhile)"""
    contest.start(snmp=True)
    idle = poll(contest, for_seconds(5))
    thread, took = push_in_thread(contest, count)
    busy = poll(contest, lambda: not thread.is_alive())
    thread.join()
    contest.place.check(count)
    contest.stop()
    contest.place.clear()
    return took[0], idle, busy


def run(contest, figures, count):
    polled_push(contest, 10)  # the first time of everything takes long
    took, idle, busy = polled_push(contest, count)
    figures.section(f"SNMP GET latency while {count} sessions are pushed")
    figures.row("push meanwhile", count, took)
    for percent in (50, 99, 100):
        figures.row(f"GET p{percent} (of {len(busy.ms)})", count, percentile(busy.ms, percent),
                    percentile(idle.ms, percent), "idle", "p99 < 100 ms" if percent == 99 else "")
    figures.row("GETs without answer in 10 s", count, busy.lost, unit="", target="0")
