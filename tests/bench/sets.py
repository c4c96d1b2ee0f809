"""Create N named sessions by SNMP SET, a row or 40 rows a PDU, beside ip -batch and a pass_persist script."""
from pathlib import Path

import population
from contestants import SNMPD_MODULES
from create import judged
from figures import alternate, milliseconds
from keepalive import run_ns
from lib.daemons import Snmpd
from lib.netns import inside
from lib.snmp import ROOT
from lib.snmp_wire import INTEGER, OCTETS, UNSIGNED, Wire
from population import PREFIX, TUNNEL

SESSION = f"{ROOT}.1.4.1"
SCRIPT, SCRIPT_OID, SCRIPT_PORT = Path(__file__).with_name("pass_l2tp"), "1.3.6.1.4.1.8072.9999.9999.1", 16171
PEER_SESSION_ID, INTERFACE_NAME, ROW_STATUS = 3, 6, 23
CREATE_AND_GO = 4
ROWS = 40


def row(entry, number):
    """What snmpset has to say of a session; the interface comes up by itself with us."""
    at = f"{TUNNEL}.{number}"
    return [(f"{entry}.{PEER_SESSION_ID}.{at}", (UNSIGNED, number)),
            (f"{entry}.{INTERFACE_NAME}.{at}", (OCTETS, f"{PREFIX}{number}".encode())),
            (f"{entry}.{ROW_STATUS}.{at}", (INTEGER, CREATE_AND_GO))]


def set_all(contest, snmpd, entry, count, rows):
    """So many rows a PDU, one PDU after the other; the time until the last answer."""
    with inside(contest.place.namespace.name):
        wire = Wire(int(snmpd.address.rpartition(":")[2]), seconds=600)
    pdus = [[varbind for number in range(first, min(first + rows, count + 1)) for varbind in row(entry, number)]
            for first in range(1, count + 1, rows)]

    def work():
        for pdu in pdus:
            status, at = wire.set(*pdu)
            if status != "noError":
                raise AssertionError(f"SET: {status} for {at}")
    took = milliseconds(work)
    wire.close()
    return took


def by_set(contest, count, rows, shares):
    contest.start(snmp=True)
    contest.edit(population.document(()))
    processes = {"daemon": contest.daemon.pid, "snmpd": contest.snmpd.pid}
    before = {name: run_ns(pid) for name, pid in processes.items()}
    took = set_all(contest, contest.snmpd, SESSION, count, rows)
    shares[rows] = {name: (run_ns(pid) - before[name]) / 1e6 for name, pid in processes.items()}
    contest.daemon.stop()
    return took


def add_tunnel(contest):
    contest.ip_batch(population.ip_batch(()))


def by_script(contest, snmpd, count, rows):
    add_tunnel(contest)
    return set_all(contest, snmpd, SCRIPT_OID, count, rows)


def by_ip(contest, count):
    add_tunnel(contest)
    lines = population.ip_batch(range(1, count + 1)).partition("\n")[2]
    return contest.ip_batch(lines)


def run(contest, figures, count, rounds):
    snmpd = Snmpd(contest.place.namespace, contest.folder / "pass", f"pass_persist .{SCRIPT_OID} {SCRIPT} .{SCRIPT_OID}",
                  port=SCRIPT_PORT, modules=SNMPD_MODULES).start()
    shares = {}
    contestants = {
        "SET, a row each": lambda: by_set(contest, count, 1, shares),
        f"SET, {ROWS} rows each": lambda: by_set(contest, count, ROWS, shares),
        "ip -batch": lambda: by_ip(contest, count),
        "pass_persist, a row each": lambda: by_script(contest, snmpd, count, 1),
        f"pass_persist, {ROWS} rows each": lambda: by_script(contest, snmpd, count, ROWS),
    }
    times = alternate({name: judged(contest, count, work) for name, work in contestants.items()}, rounds)
    snmpd.stop()
    contest.stop()
    figures.section(f"Create {count} named sessions in a tunnel, interfaces up, by SNMP SET")
    for ours, script in (("SET, a row each", "pass_persist, a row each"),
                         (f"SET, {ROWS} rows each", f"pass_persist, {ROWS} rows each")):
        figures.row(ours, count, times[ours], times["ip -batch"], "ip -batch", "")
        figures.row(ours, count, times[ours], times[script], "pass_persist", "< 1")
    for rows, cpu in sorted(shares.items()):
        figures.note(f"SET, rows a PDU {rows}: CPU of the daemon {cpu['daemon']:.0f} ms, of snmpd {cpu['snmpd']:.0f} ms")
    for name, took in times.items():
        figures.note(f"{name}: {count * 1000 / sorted(took)[len(took) // 2]:.0f} sessions a second")
