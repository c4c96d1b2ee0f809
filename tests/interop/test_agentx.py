"""The AgentX door against a master that is played by hand: what snmpd does rarely, or wrongly."""
import os
import platform
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import agentx  # noqa: E402
from lib.agentx import INTEGER, OCTETS, UNSIGNED, Master, column  # noqa: E402
from lib.built import need_built  # noqa: E402
from lib.daemons import BUILD, CHECKOUT, L2TPV3D, L2tpv3d, Snmpd, free_port  # noqa: E402
from lib.here import Here  # noqa: E402
from lib.netconf import BASE, L2TP, RpcError  # noqa: E402
from lib.snmp import ROOT  # noqa: E402
from lib.waiting import stays_true, wait_for  # noqa: E402

need_built(L2TPV3D)
TURN_WATCH = BUILD / "tests/turn_watch.so"
CREATE_AND_GO, DESTROY = 4, 6
LAST_CHANGE = 8  # l2tpv3LastChange, a scalar
INCONSISTENT_VALUE, GEN_ERR, WRONG_LENGTH, RESOURCE_UNAVAILABLE, TOO_BIG, UNDO_FAILED = 12, 5, 8, 13, 1, 15


@pytest.fixture
def master(tmp_path):
    with Master(tmp_path / "master") as master:
        yield master


@pytest.fixture
def daemon(tmp_path, master):
    daemon = L2tpv3d(Here(), tmp_path, snmp_master=master.path, kernel="sim")
    yield daemon
    if daemon.running:
        master.close()
        assert daemon.stop() == 0, daemon.log()
        assert "ERROR: " not in daemon.log()  # a sanitizer's


def begin(daemon):
    """Without waiting until it is ready: it wants its Open and Register answered first."""
    with open(daemon.log_path, "ab") as log:
        daemon.process = daemon.namespace.popen(*daemon.argv, stdout=log, stderr=log,
                                                env=daemon.env)


@pytest.fixture
def session(master, daemon):
    """Connected and registered; Open and Register are answered while the daemon starts."""
    begin(daemon)
    session = master.open()
    daemon.wait_for_log(r"\bready\b")
    return session


def tunnel(number, port=None):
    return [(column(2, 24, number), INTEGER, CREATE_AND_GO), (column(2, 3, number), UNSIGNED, 7),
            (column(2, 5, number), INTEGER, 1), (column(2, 6, number), OCTETS, b"\xc0\0\2\1"),
            (column(2, 8, number), INTEGER, 1), (column(2, 9, number), OCTETS, b"\xc0\0\2\2"),
            (column(2, 10, number), UNSIGNED, port or 5000 + number)]


def tunnels(daemon):
    """Their ids, as another door tells."""
    return [line.split()[1].rstrip(",") for line in
            daemon.ctl("show", "tunnel").stdout.splitlines() if line.startswith("Tunnel ")]


# ---- connecting


def test_registered_are_the_roots_each_before_its_tables(session):
    assert [oid for oid, _ in session.registered] == agentx.REGISTERED
    assert all(flags & 0x09 == 0 for _, flags in session.registered)  # neither an instance nor a context
    assert session.capabilities == [f"{ROOT}.2.3.1"]


def test_a_table_that_cannot_be_registered_by_itself_is_served_all_the_same(master, daemon):
    begin(daemon)
    session = master.accept()
    session.serve_until(agentx.OPEN)
    session.serve_until(agentx.REGISTER)
    session.refused = {oid: agentx.DUPLICATE_REGISTRATION for oid in agentx.REGISTERED
                       if oid not in agentx.REGIONS}
    for _ in agentx.REGISTERED[1:]:
        session.serve_until(agentx.REGISTER)
    assert session.test_set(1, *tunnel(1)).error == session.commit_set(1).error == 0
    assert session.get(column(2, 24, 1))[0][2] == 1
    assert "another subagent" not in daemon.log()


def serve_all_but_pw(session, expected, daemon):
    """Another subagent has PW-STD-MIB: nothing below its root may be registered."""
    session.refused = {agentx.PW: agentx.DUPLICATE_REGISTRATION}
    expected = [oid for oid in expected if not oid.startswith(agentx.PW + ".")]
    for _ in expected:
        session.serve_until(agentx.REGISTER)
    assert [oid for oid, _ in session.registered] == expected
    daemon.wait_for_log("refuses to register PW-STD-MIB for us: another subagent has registered it")


def test_a_standard_module_that_another_subagent_has_stays_its(master, daemon):
    begin(daemon)
    session = master.accept()
    session.serve_until(agentx.OPEN)
    serve_all_but_pw(session, agentx.REGISTERED, daemon)
    assert session.get(column(1, 4, 0))[0][2] == 0


def test_time_stamps_begin_again_when_sysUpTime_wraps(master, daemon, monkeypatch):
    """After 497 days.  What happened before reads as 0 from then on (RFC 2579, TimeStamp)."""
    begun, before_wrap = time.monotonic(), 500

    def up_time():
        return (2**32 - before_wrap + int((time.monotonic() - begun) * 100)) % 2**32

    def last_change():
        return session.get(column(1, LAST_CHANGE, 0))[0][2]

    monkeypatch.setattr(agentx, "up_time", up_time)
    begin(daemon)
    session = master.open()
    assert session.test_set(1, *tunnel(1)).error == session.commit_set(1).error == 0
    assert last_change() >= 2**32 - before_wrap - 1  # of two clocks that are cut to hundredths
    wait_for(lambda: last_change() == 0 and 1 < up_time() < 2**31, "sysUpTime to wrap", 10)
    assert session.test_set(2, *tunnel(2)).error == session.commit_set(2).error == 0
    assert 0 < last_change() <= up_time() + 50 < 2**31
    assert session.get(column(2, 21, 1), column(2, 21, 2))[0][2] == 0  # TunnelLastChange
    session.close()
    session = master.open()  # the master tells the time again
    assert 0 < last_change() <= up_time() + 50 < 2**31


@pytest.mark.parametrize("order", "<>")
def test_both_byte_orders(master, daemon, order, request):
    master.order = order
    session = request.getfixturevalue("session")
    (oid, kind, value), = session.get(column(1, 1, 0))
    assert (oid, kind) == (column(1, 1, 0), OCTETS) and value
    assert session.get_next(ROOT)[0] == column(1, 1, 0)
    assert session.test_set(1, *tunnel(1)).error == 0


def test_a_refused_registration_is_tried_again(master, daemon):
    begin(daemon)
    session = master.open(register_error=agentx.DUPLICATE_REGISTRATION)
    daemon.wait_for_log("another subagent has registered it")
    session.serve_until(agentx.REGISTER, register_error=agentx.DUPLICATE_REGISTRATION)
    session.serve_until(agentx.REGISTER)
    daemon.wait_for_log("connected to the AgentX master")
    assert len(daemon.log().split("another subagent")) == 2  # said once
    assert session.get(column(1, 4, 0))[0][2] == 0
    # It is 4 s since Open, and a TimeStamp is of the master's time by now.
    begun = agentx.up_time()
    assert session.test_set(1, *tunnel(1)).error == session.commit_set(1).error == 0
    assert begun - 100 <= session.get(column(1, LAST_CHANGE, 0))[0][2] <= agentx.up_time() + 100


def test_each_master_that_refuses_is_told_of(master, daemon):
    begin(daemon)
    for number in 1, 2:
        session = master.open(register_error=agentx.DUPLICATE_REGISTRATION)
        wait_for(lambda: daemon.log().count("another subagent has registered it") == number, "it to be logged")
        session.close()


def test_an_answer_to_a_registration_that_comes_late_counts(master, daemon):
    begin(daemon)
    session = master.accept()
    session.serve_until(agentx.OPEN)
    first = session.receive()
    second = session.receive()  # after net-snmp gave up waiting
    assert (first.kind, second.kind) == (agentx.REGISTER, agentx.REGISTER)
    session.answer(first)
    session.answer(second, agentx.DUPLICATE_REGISTRATION)
    daemon.wait_for_log("connected to the AgentX master")
    assert "another subagent" not in daemon.log()
    serve_all_but_pw(session, agentx.REGISTERED[1:], daemon)  # each answer is known to be its own


def test_it_never_pings_a_unix_socket(session):
    assert session.get(column(1, 4, 0))
    session.socket.settimeout(4)
    with pytest.raises(TimeoutError):
        session.receive()


# The numbers of poll, select, pselect6 and ppoll; the event loop itself waits in epoll.
WAITS = {"x86_64": {7, 23, 270, 271}, "aarch64": {72, 73}}
FEW_ATTEMPTS = 0.1  # seconds in 6: a few of 10 ms; it was a third of one each


def seconds_waiting_beside_the_loop(daemon, seconds):
    """For so long of this time the daemon stood still: it waited for one thing and served nobody."""
    waits = WAITS.get(platform.machine()) or pytest.skip("the numbers of system calls here are not known")
    path = Path(f"/proc/{daemon.pid}/syscall")
    waited, last = 0, time.monotonic()
    end = last + seconds
    while last < end:
        number = path.read_text().split()[0]
        time.sleep(0.001)
        now = time.monotonic()
        if number.isdigit() and int(number) in waits:
            waited += now - last
        last = now
    return waited


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to see what the daemon waits in")
@pytest.mark.parametrize("kind", ["unix", "unix, its queue is full", "tcp", "tcp, its queue is full",
                                  "unix, stopped after Open"])
def test_a_silent_master_holds_up_nobody(tmp_path, kind):
    with Master("tcp:" if "tcp" in kind else tmp_path / "master", backlog=0 if "full" in kind else 5) as master:
        queue = []
        if "tcp" in kind:  # where connecting neither succeeds nor fails when the queue is full
            address, host, port = master.path, *master.path.split(":")[1:]
            queue = [socket.socket() for _ in range(3 if "full" in kind else 0)]
        else:
            address = f"unix:{master.path}"
            queue = [socket.socket(socket.AF_UNIX) for _ in range(3 if "full" in kind else 0)]
        for waiting in queue:
            waiting.setblocking(False)
            waiting.connect_ex((host, int(port)) if "tcp" in kind else master.path)
        daemon = L2tpv3d(Here(), tmp_path, snmp_master="none", kernel="sim")
        daemon.argv[daemon.argv.index("unix:none")] = address
        daemon.start()
        if "Open" in kind:
            master.accept().serve_until(agentx.OPEN)
        waited = seconds_waiting_beside_the_loop(daemon, 6)
        print(f"waited {waited:.3f} s")
        assert waited < FEW_ATTEMPTS
        assert daemon.logged("accepts the connection but does not answer|Connection timed out|temporarily unavailable")
        daemon.kill()


need_snmpd = pytest.mark.skipif(not shutil.which("snmpd"), reason="snmpd is not installed")


@need_snmpd
def test_a_set_that_takes_longer_than_snmpd_waits_at_a_time_succeeds_with_its_defaults(tmp_path):
    """It asks again each second, five times; so the drop-in leaves these to other subagents."""
    snmpd = Snmpd(Here(), tmp_path / "snmpd", "agentXTimeout 1", "agentXRetries 5", port=free_port()).start()
    daemon = L2tpv3d(Here(), tmp_path, snmp_master=snmpd.master, kernel="sim").start()
    try:
        daemon.wait_for_log("connected to the AgentX master")
        for count in (1500, 3000, 6000, 12000):  # the faster the machine, the more
            push_sessions(daemon, tmp_path, count)
            begun = time.monotonic()
            snmpd.manager().set((RECREATE_ALL[0], "u", count))
            took = time.monotonic() - begun
            if took > 1.2:
                break
        print(f"{took:.2f} s")
        assert took > 1.2
        assert snmpd.manager().get(RECREATE_ALL[0]) == count
        daemon.wait_for_log("repeats a set request")
        assert "lost the AgentX master" not in daemon.log()
    finally:
        daemon.kill()
        snmpd.stop()


@need_snmpd
def test_snmpd_that_is_stopped_while_the_daemon_starts_is_used_when_it_goes_on(tmp_path):
    snmpd = Snmpd(Here(), tmp_path / "snmpd", port=free_port()).start()
    try:
        snmpd.send_signal(signal.SIGSTOP)
        daemon = L2tpv3d(Here(), tmp_path, snmp_master=snmpd.master, kernel="sim").start()
        daemon.wait_for_log("accepts the connection but does not answer")
        snmpd.send_signal(signal.SIGCONT)
        daemon.wait_for_log("connected to the AgentX master")
        wait_for(lambda: snmpd.manager().get(column(1, 6, 0)) == 0, "a manager to be answered")
        snmpd.send_signal(signal.SIGSTOP)
        begun = time.monotonic()
        assert daemon.stop() == 0  # says good-bye, and does not wait for an answer
        assert time.monotonic() - begun < 2
    finally:
        snmpd.stop()


def test_a_master_that_accepts_and_never_answers_is_asked_less_and_less_often(master, daemon):
    begin(daemon)
    times = []
    for _ in range(3):
        master.accept()
        times.append(time.monotonic())
    gaps = [after - before for before, after in zip(times, times[1:])]
    assert all(gap > least - 0.1 for gap, least in zip(gaps, (1, 2))), gaps
    assert daemon.log().count("accepts the connection but does not answer") == 1
    session = master.open()
    daemon.wait_for_log("connected to the AgentX master")
    session.close()
    begun = time.monotonic()
    master.open()
    assert time.monotonic() - begun < 3  # it was heard, so all begins anew


def test_a_master_that_never_answers_a_registration_is_asked_less_and_less_often(master, daemon):
    begin(daemon)
    session = master.accept()
    session.serve_until(agentx.OPEN)
    times = []
    for _ in range(3):
        asked = session.receive()
        assert asked.kind == agentx.REGISTER
        times.append(time.monotonic())
    gaps = [after - before for before, after in zip(times, times[1:])]
    assert all(gap > least - 0.1 for gap, least in zip(gaps, (2, 4))), gaps
    assert daemon.log().count("accepts the connection but does not answer") == 1
    session.answer(asked)
    daemon.wait_for_log("connected to the AgentX master")


def test_without_a_master_it_sleeps_until_one_comes(tmp_path):
    daemon = L2tpv3d(Here(), tmp_path, snmp_master=tmp_path / "master", kernel="sim").start()

    def slept():
        text = Path(f"/proc/{daemon.pid}/status").read_text()
        return re.search(r"^voluntary_ctxt_switches:.*$", text, re.M)[0]

    def sleeps():
        begun = slept()
        return stays_true(lambda: slept() == begun, 4.5)

    wait_for(sleeps, "4.5 s without a wake-up")  # it tries after 1, 3, 7 and 15 seconds
    with Master(tmp_path / "master") as master:
        begun = time.monotonic()
        master.open()
        assert time.monotonic() - begun < 2
        daemon.wait_for_log("connected to the AgentX master")
    assert daemon.stop() == 0


def test_it_connects_again(master, daemon, session):
    session.close()
    daemon.wait_for_log("lost the AgentX master")
    again = master.open()
    assert again.get(column(1, 4, 0))[0][2] == 0


def test_many_reconnects_with_the_same_descriptor(master, daemon, session):
    for _ in range(3):
        session.close()
        session = master.open()
        assert session.get(column(1, 4, 0))[0][2] == 0


def test_tcp(tmp_path):
    with Master("tcp:") as master:
        daemon = L2tpv3d(Here(), tmp_path, snmp_master="none", kernel="sim")
        daemon.argv[daemon.argv.index("unix:none")] = master.path
        begin(daemon)
        session = master.open()
        assert session.test_set(1, *tunnel(1)).error == session.commit_set(1).error == 0
        session.close()
        assert master.open().get(column(2, 24, 1))[0][2] == 1
        master.close()
        assert daemon.stop() == 0


@pytest.mark.parametrize("address", ["tcp:snmpd.example:705", "udp:127.0.0.1:161", "unix:",
                                     "unix:" + 200 * "x", "master", "tcp:127.0.0.1:x"])
def test_addresses_that_cannot_be(tmp_path, address):
    daemon = L2tpv3d(Here(), tmp_path, snmp_master="none", kernel="sim")
    daemon.argv[daemon.argv.index("unix:none")] = address
    done = daemon.namespace.run(*daemon.argv, check=False, timeout=20)
    assert done.returncode != 0 and "allowed unix:PATH" in done.stderr


def test_pdus_in_pieces(session):
    request = session.encode(agentx.GET_NEXT, session.codec.oid(ROOT) + session.codec.oid(""))
    twice = request + session.encode(agentx.GET, session.codec.oid(column(1, 4, 0))
                                     + session.codec.oid(""))
    for byte in twice:
        session.socket.sendall(bytes([byte]))
        time.sleep(0.002)
    assert session.response().reader.varbinds()[0][0] == column(1, 1, 0)
    assert session.response().reader.varbinds()[0][2] == 0


def test_search_ranges(session):
    first = column(1, 1, 0)
    assert session.get_next(first, include=True)[0] == first
    assert session.get_next(first)[0] == column(1, 2, 0)
    assert session.get_next(first, end=column(1, 2))[1] == agentx.END_OF_VIEW
    assert session.get_next(column(1, 18, 0))[1] == agentx.END_OF_VIEW
    assert session.get(column(1, 19, 0))[0][1] == agentx.NO_SUCH_OBJECT
    assert session.get(column(1, 1, 1))[0][1] == agentx.NO_SUCH_INSTANCE


def test_ids_of_32_bits(session):
    """net-snmp reads sub-identifiers as signed numbers."""
    ids = [2147483647, 2147483648, 4294967294, 4294967295]
    varbinds = [varbind for place, number in enumerate(ids) for varbind in tunnel(number, 6000 + place)]
    assert session.test_set(1, *varbinds).error == session.commit_set(1).error == 0
    session.cleanup_set(1)
    assert [value for _, _, value in session.get(*(column(2, 24, i) for i in ids))] == [1, 1, 1, 1]
    oid = column(2, 24)
    for number in ids:
        oid, _, value = session.get_next(oid, end=column(2, 25))
        assert oid == column(2, 24, number)
    assert session.get_next(oid, end=column(2, 25))[1] == agentx.END_OF_VIEW


# ---- PDUs that are none

def oid_of(subids, claimed=None):
    """An OID in the session's order whose head may lie about how many sub-identifiers it has."""
    return lambda c: bytes([subids if claimed is None else claimed, 0, 0, 0]) + c.pack(f"{subids}I", *[1] * subids)


def varbind_of(kind, value):
    return lambda c: c.pack("HH", kind, 0) + c.oid(column(2, 2, 1)) + value(c)


MALFORMED = {
    "an OID cut short": (agentx.GET, oid_of(3, claimed=9)),
    "an OID with too many sub-identifiers": (agentx.GET, lambda c: oid_of(129)(c) + c.oid("")),
    "an OID that has too many with its prefix": (agentx.GET, lambda c: bytes([124, 2, 0, 0])
                                                 + c.pack("124I", *[1] * 124) + c.oid("")),
    "a search range without an end": (agentx.GET_NEXT, lambda c: c.oid(ROOT)),
    "octets after a search range": (agentx.GET_NEXT, lambda c: c.oid(ROOT) + c.oid("") + bytes(4)),
    "a length that is no multiple of 4": (agentx.GET, lambda c: c.oid(ROOT) + c.oid("") + bytes(3)),
    "half a GetBulk": (agentx.GET_BULK, lambda c: bytes(2)),
    "octet string that is longer than the PDU": (
        agentx.TEST_SET, varbind_of(OCTETS, lambda c: c.pack("I", 100) + b"abcd")),
    "octet string of nearly 4 GB": (agentx.TEST_SET, varbind_of(OCTETS, lambda c: c.pack("I", 0xfffffffd) + b"abcd")),
    "octet string without its padding": (agentx.TEST_SET, varbind_of(OCTETS, lambda c: c.pack("I", 5) + b"abcde")),
    "an integer cut short": (agentx.TEST_SET, varbind_of(INTEGER, lambda c: bytes(2))),
    "a value of unknown type": (agentx.TEST_SET, varbind_of(3, lambda c: bytes(4))),
    "a value of a type beyond all": (agentx.TEST_SET, varbind_of(0xffff, lambda c: bytes(4))),
    "a CommitSet with contents": (agentx.COMMIT_SET, lambda c: bytes(4)),
    "a type that only subagents send": (agentx.REGISTER, lambda c: bytes([0, 127, 0, 0]) + c.oid(ROOT)),
    "a Ping": (agentx.PING, lambda c: b""),
    "an unknown type": (19, lambda c: b""),
    "type 0": (0, lambda c: b""),
}


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("what", MALFORMED)
def test_a_malformed_pdu_is_answered_with_parse_error(master, daemon, order, what, request):
    master.order = order
    session = request.getfixturevalue("session")
    kind, payload = MALFORMED[what]
    answer = session.ask(kind, payload(session.codec), transaction=7)
    assert (answer.error, answer.index) == (agentx.PARSE_ERROR, 0)
    assert (answer.session, answer.transaction, answer.packet) == (1, 7, session.packet)
    assert session.get(column(1, 6, 0))[0][2] == 0  # and the session goes on
    assert f"a malformed PDU of type {kind}" in daemon.log()


@pytest.mark.parametrize("flags", [0x08, 0x20, 0x80])
def test_flags_that_do_not_fit_are_answered_with_parse_error(session, flags):
    """A context that is not there; flags of no version that we know."""
    pdu = bytearray(session.encode(agentx.GET, session.codec.oid(ROOT) + session.codec.oid("")))
    pdu[2] |= flags
    session.socket.sendall(pdu)
    assert session.response().error == agentx.PARSE_ERROR


def test_a_request_in_a_context_that_we_do_not_serve_is_answered(session):
    payload = session.codec.octets(b"blue") + session.codec.oid(column(1, 6, 0)) + session.codec.oid("")
    pdu = bytearray(session.encode(agentx.GET, payload))
    pdu[2] |= 0x08
    session.socket.sendall(pdu)
    answer = session.response()
    assert answer.error or answer.reader.varbinds()[0][1] == agentx.NO_SUCH_OBJECT


@pytest.mark.parametrize("kind", [agentx.GET, agentx.GET_NEXT, agentx.GET_BULK, agentx.TEST_SET])
def test_a_request_for_nothing_is_answered(session, kind):
    session.ask(kind, bytes(4) if kind == agentx.GET_BULK else b"", transaction=3)
    assert session.get(column(1, 6, 0))[0][2] == 0


ENDS = {
    "another version": (lambda s: b"\x02" + s.encode(agentx.GET, b"")[1:], "is not AgentX version 1"),
    "no AgentX at all": (lambda s: b"GET / HTTP/1.1\r\nHost: snmpd\r\n\r\n", "is not AgentX version 1"),
    "a length of 4 GB": (lambda s: s.encode(agentx.GET, b"")[:16] + b"\xff\xff\xff\xfc", "more octets than any PDU has"),
    "a long Response": (lambda s: s.encode(agentx.RESPONSE, bytes(70000)), "more octets than any PDU has"),
    "a Response that cannot be read": (lambda s: s.encode(agentx.RESPONSE, bytes(4)), "a response cannot be refused"),
    "a Response with half a variable": (lambda s: s.encode(agentx.RESPONSE, bytes(12)), "a response cannot be refused"),
    "half a header": (lambda s: s.encode(agentx.GET, b"")[:10], "never ends"),
    "a length that promises more": (
        lambda s: s.encode(agentx.GET, bytes(400))[:-396], "never ends"),
    "a long one that is not sent": (
        lambda s: s.encode(agentx.GET, bytes(70000))[:1000], "never ends"),
}


@pytest.mark.parametrize("what", ENDS)
def test_what_no_answer_can_mend_ends_the_session_and_a_new_one_is_opened(master, daemon, session, what):
    octets, reason = ENDS[what]
    session.socket.sendall(octets(session))
    with pytest.raises((EOFError, ConnectionError)):
        while True:
            session.receive()
    daemon.wait_for_log(reason)
    session.close()
    assert master.open().get(column(1, 6, 0))[0][2] == 0


def test_a_length_that_lies_by_less_ends_the_session(master, daemon, session):
    """What is too much of it is taken for the next header, which it is not."""
    request = bytearray(session.encode(agentx.GET, session.codec.oid(ROOT) + session.codec.oid("")))
    request[16:20] = session.codec.pack("I", 4)
    session.socket.sendall(request)
    with pytest.raises((EOFError, ConnectionError)):
        while True:
            session.receive()
    assert master.open().get(column(1, 6, 0))[0][2] == 0


def test_the_end_of_a_broken_session_waits_for_a_set_under_way(master, daemon, session, tmp_path):
    push_sessions(daemon, tmp_path, 1000)
    assert session.test_set(1, RECREATE_ALL).error == 0
    session.socket.sendall(session.encode(agentx.COMMIT_SET, b"", transaction=1) + bytes(20))
    session.close()
    again = master.open()
    wait_for(lambda: again.get(column(2, 3, 1))[0][2] == 8, "the set to be carried out")


def test_a_master_that_closes_the_session_is_left_and_asked_again(master, daemon, session):
    session.socket.sendall(session.encode(agentx.CLOSE, bytes([5, 0, 0, 0])))
    with pytest.raises((EOFError, ConnectionError)):
        while True:
            session.receive()
    assert master.open().get(column(1, 6, 0))[0][2] == 0


@pytest.mark.parametrize("what", ["an error", "no PDU", "another packet", "more than an answer", "half an answer",
                                  "the end"])
def test_an_open_that_is_not_answered_well_is_tried_again(master, daemon, what):
    begin(daemon)
    session = master.accept()
    asked = session.receive()
    assert asked.kind == agentx.OPEN
    if what == "an error":
        session.answer(asked, 256)
    elif what == "no PDU":
        session.socket.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    elif what == "another packet":
        asked.packet += 1
        session.answer(asked)
    elif what == "more than an answer":
        session.socket.sendall(session.encode(agentx.RESPONSE, bytes(8), packet=asked.packet) + bytes(1))
    elif what == "half an answer":
        session.socket.sendall(session.encode(agentx.RESPONSE, bytes(8), packet=asked.packet)[:-2])
    if what not in ("half an answer", "the end"):
        with pytest.raises((EOFError, ConnectionError)):
            session.receive()
    session.close()
    assert master.open().get(column(1, 6, 0))[0][2] == 0


def test_what_the_master_is_told_to_wait_for_our_answers(master, daemon):
    """In Open and in each Register; net-snmp's own takes no notice."""
    begin(daemon)
    session = master.accept()
    for kind in [agentx.OPEN] + len(agentx.REGISTERED) * [agentx.REGISTER]:
        asked = session.receive()
        assert (asked.kind, asked.reader.data[0]) == (kind, 30)
        session.answer(asked)


# ---- set requests


def test_a_set_in_its_phases(daemon, session):
    assert session.test_set(5, *tunnel(1)).error == 0
    assert tunnels(daemon) == []
    assert session.commit_set(5).error == 0
    assert tunnels(daemon) == ["1"]
    session.cleanup_set(5)
    assert session.get(column(2, 24, 1))[0][2] == 1


def mapped(pid):
    """What a process has in memory by mmap(), as large buffers are: of its heap and stacks nothing."""
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            extent, rights, *_, inode, name = [*line.split(), ""][:6]
            if rights.startswith("rw") and inode == "0" and not name:
                begin, end = (int(address, 16) for address in extent.split("-"))
                memory.seek(begin)
                yield memory.read(end - begin)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to read the memory of the daemon")
def test_the_buffers_of_the_stream_keep_no_cookie(daemon, session):
    assert session.test_set(1, *tunnel(1)).error == session.commit_set(1).error == 0
    session.cleanup_set(1)
    cookie = bytes.fromhex("d15ea79c13f077e9")
    varbinds = [(column(4, 23, 1, 2), INTEGER, CREATE_AND_GO), (column(4, 3, 1, 2), UNSIGNED, 7),
                (column(6, 1, 1, 2), OCTETS, cookie)]
    assert session.test_set(2, *varbinds).error == session.commit_set(2).error == 0
    session.cleanup_set(2)
    assert session.get(column(6, 1, 1, 2))[0][2] == cookie
    wait_for(lambda: not any(cookie[1:] in memory for memory in mapped(daemon.pid)), "the buffers to be without the cookie")


def test_refused_with_index_and_dropped(daemon, session):
    answer = session.test_set(5, *tunnel(1), (column(2, 24, 2), INTEGER, CREATE_AND_GO))
    assert (answer.error, answer.index) == (INCONSISTENT_VALUE, 8)
    session.cleanup_set(5)
    assert session.test_set(6, *tunnel(1)).error == 0


def test_undo_takes_everything_back(daemon, session):
    assert session.test_set(1, *tunnel(1)).error == session.commit_set(1).error == 0
    session.cleanup_set(1)
    varbinds = [(column(2, 2, 1), OCTETS, b"changed"), *tunnel(2),
                (column(2, 24, 3), INTEGER, 5)]
    assert session.test_set(2, *varbinds).error == session.commit_set(2).error == 0
    assert session.get(column(2, 24, 3))[0][2] == 3
    assert session.undo_set(2).error == 0
    assert tunnels(daemon) == ["1"]
    assert session.get(column(2, 2, 1))[0][2] == b""
    assert session.get(column(2, 24, 3))[0][1] == agentx.NO_SUCH_INSTANCE


def test_undo_of_a_destroyed_tunnel_brings_its_sessions_back(daemon, session):
    varbinds = [*tunnel(1), (column(4, 23, 1, 11), INTEGER, CREATE_AND_GO),
                (column(4, 3, 1, 11), UNSIGNED, 9),
                (column(6, 1, 1, 11), OCTETS, b"12345678")]
    assert session.test_set(1, *varbinds).error == session.commit_set(1).error == 0
    session.cleanup_set(1)
    before = session.get(column(4, 6, 1, 11), column(6, 1, 1, 11))
    destroy = (column(2, 24, 1), INTEGER, DESTROY)
    assert session.test_set(2, destroy).error == session.commit_set(2).error == 0
    assert session.undo_set(2).error == 0
    assert session.get(column(4, 6, 1, 11), column(6, 1, 1, 11)) == before


def test_a_test_set_with_the_number_of_what_is_done_is_refused(daemon, session):
    assert session.test_set(1, *tunnel(1)).error == session.commit_set(1).error == 0
    assert session.test_set(1, *tunnel(2)).error == GEN_ERR
    assert session.undo_set(1).error == 0  # it can still be undone
    assert tunnels(daemon) == []


def test_an_undo_that_is_refused_is_told(daemon, session):
    assert session.test_set(1, *tunnel(1)).error == session.commit_set(1).error == 0
    with daemon.netconf() as other:
        other.lock()
        assert session.undo_set(1).error == UNDO_FAILED
    assert tunnels(daemon) == ["1"]
    daemon.wait_for_log("cannot undo a set request: .*NETCONF session")


def test_a_repeated_test_set_is_taken_once_and_complained_of_once(daemon, session):
    for _ in range(3):
        assert session.test_set(1, *tunnel(1)).error == 0
    assert session.commit_set(1).error == 0
    session.cleanup_set(1)
    assert tunnels(daemon) == ["1"]
    assert daemon.log().count("repeats a set request") == 1


def test_neither_cleanup_nor_undo(master, daemon, session):
    assert session.test_set(1, *tunnel(1)).error == session.commit_set(1).error == 0
    session.close()
    session = master.open()
    assert tunnels(daemon) == ["1"]  # acknowledged, so it stands
    wait_for(lambda: daemon.logged("abandoned a set request after it was carried out"), "it to be logged",
             seconds=20)  # at once, not when an old one is forgotten
    assert session.test_set(1, *tunnel(2)).error == session.commit_set(1).error == 0
    assert "repeats a set request" not in daemon.log()  # the same number is another master's


@pytest.mark.parametrize("phases", [1, 2])
def test_a_master_that_goes_in_the_middle_of_a_set(master, daemon, session, phases):
    for number in range(1, 6):
        if phases == 2:
            assert session.test_set(number, *tunnel(number)).error == 0
            session.socket.sendall(session.encode(agentx.COMMIT_SET, b"", transaction=number))
        else:
            session.socket.sendall(session.encode(
                agentx.TEST_SET, session.test_set_payload(*tunnel(number)), transaction=number))
        session.close()
        session = master.open()
        if phases == 2:
            wait_for(lambda: str(number) in tunnels(daemon), "the set to be carried out")
        else:
            assert tunnels(daemon) == []


def push_sessions(daemon, tmp_path, count, leaves=""):
    sessions = "".join(f"<session><session-id>{i}</session-id><peer-session-id>{i}"
                       f"</peer-session-id>{leaves}</session>" for i in range(1, count + 1))
    config = tmp_path / "config.xml"
    config.write_text(f'<config xmlns="{BASE}"><l2tpv3 xmlns="{L2TP}"><tunnel><tunnel-id>1'
                      "</tunnel-id><peer-tunnel-id>1</peer-tunnel-id><local-address>192.0.2.1"
                      "</local-address><remote-address>192.0.2.2</remote-address>"
                      f"{sessions}</tunnel></l2tpv3></config>")
    daemon.ctl("push", config)


def test_of_many_notifications_none_is_lost_or_sent_twice(tmp_path):
    """A master that comes late and answers no Notify."""
    daemon = L2tpv3d(Here(), tmp_path, "--notify", "--notify-each", "1000", snmp_master=tmp_path / "master",
                     kernel="sim").start()
    push_sessions(daemon, tmp_path, 500)
    daemon.wait_for_log("500 sessions of tunnel 1 up")
    with Master(tmp_path / "master") as master:
        session = master.open()
        end, packets = time.monotonic() + 1.5, []
        while time.monotonic() < end:
            pdu = session.receive()
            if pdu.kind == agentx.NOTIFY:
                packets.append(pdu.packet)
    assert len(packets) == len(set(packets)) > 100
    assert not daemon.logged(r"lost \d+ notifications")
    assert daemon.stop() == 0


RECREATE_ALL = (column(2, 3, 1), UNSIGNED, 8)  # when the old ones are gone


def test_a_set_that_takes_its_time(daemon, session, tmp_path):
    """Longer than any wait inside net-snmp but that of 30 s; others are served meanwhile."""
    count = 3000
    push_sessions(daemon, tmp_path, count)
    begun = time.monotonic()
    assert session.test_set(1, RECREATE_ALL).error == 0
    session.socket.sendall(session.encode(agentx.COMMIT_SET, b"", transaction=1))
    commit = session.packet
    assert session.get(column(1, 6, 0))[0][2] is not None
    while session.response().packet != commit:
        pass
    took = time.monotonic() - begun
    print(f"{took:.2f} s")
    assert took > 0.34
    session.cleanup_set(1)
    assert session.get(column(2, 3, 1), column(1, 7, 0))[1][2] == count


def test_a_phase_that_an_impatient_master_repeats_is_answered_once(daemon, session, tmp_path):
    """As snmpd does after a second, by default; net-snmp would answer at once, with an error."""
    push_sessions(daemon, tmp_path, 1000)
    assert session.test_set(1, RECREATE_ALL).error == 0
    for kind in (agentx.COMMIT_SET, agentx.UNDO_SET):
        session.socket.sendall(3 * session.encode(kind, b"", transaction=1))
        phase = session.packet
        answer = session.response()
        assert (answer.packet, answer.error) == (phase, 0)
        session.socket.sendall(session.encode(agentx.GET, session.codec.oid(column(2, 3, 1))
                                              + session.codec.oid("")))
        answer = session.response()
        assert answer.packet == session.packet
        assert answer.reader.varbinds()[0][2] == (8 if kind == agentx.COMMIT_SET else 1)
    assert daemon.log().count("repeats a set request") == 1


def octets_of(session, size):
    """A varbind that makes a TestSet PDU of this size."""
    empty = len(session.encode(agentx.TEST_SET, session.test_set_payload((column(2, 2, 1), OCTETS, b""))))
    return column(2, 2, 1), OCTETS, bytes(size - empty)


@pytest.mark.parametrize("order", "<>")
def test_a_set_request_too_long_for_net_snmp_is_refused_at_once(master, daemon, order, request):
    master.order = order
    session = request.getfixturevalue("session")
    answer = session.test_set(1, octets_of(session, 65536))
    assert (answer.error, answer.index) == (WRONG_LENGTH, 1)  # it was looked at
    session.cleanup_set(1)
    assert "refused" not in daemon.log()
    for size in (65540, 200000, 3000000):
        answer = session.test_set(2, octets_of(session, size))
        assert (answer.error, answer.index) == (RESOURCE_UNAVAILABLE, 1)
        assert (answer.session, answer.transaction, answer.packet) == (1, 2, session.packet)
        session.cleanup_set(2)
        reason = f"given a request of {size} octets in AgentX; allowed 65536"
        assert reason in session.get(column(1, 12, 0))[0][2].decode()
        assert f"refused a set request: {reason}" in daemon.log()
    assert session.test_set(3, *tunnel(1)).error == session.commit_set(3).error == 0


@pytest.mark.parametrize("order", "<>")
def test_an_answer_too_long_for_the_master_is_too_big(master, daemon, order, request):
    """net-snmp's would drop it, wait for it until its timeout, and then end the session."""
    master.order = order
    session = request.getfixturevalue("session")
    varbinds = [*tunnel(1), (column(2, 2, 1), OCTETS, 64 * b"d")]
    assert session.test_set(1, *varbinds).error == session.commit_set(1).error == 0
    session.cleanup_set(1)
    wanted = column(2, 2, 1)
    assert len(session.get(*[wanted] * 500)) == 500
    answer = session.ask(agentx.GET, 700 * (session.codec.oid(wanted) + session.codec.oid("")))
    assert (answer.error, answer.index, answer.reader.varbinds()) == (TOO_BIG, 1, [])
    assert (answer.session, answer.transaction, answer.packet) == (1, 1, session.packet)
    daemon.wait_for_log("refused a get request: asked for a reply of .* allowed 65536")
    assert session.get(wanted)[0][2] == 64 * b"d"


def test_a_long_request_in_pieces_and_what_follows_it(session):
    search = session.codec.oid(column(1, 4, 0)) + session.codec.oid("")
    stream = b"".join([session.encode(agentx.GET, search),
                       session.encode(agentx.TEST_SET, session.test_set_payload(octets_of(session, 65540))),
                       session.encode(agentx.GET, 2000 * search), session.encode(agentx.GET, search)])
    for at in range(0, len(stream), 19):
        session.socket.sendall(stream[at:at + 19])
    answers = sorted((session.response() for _ in range(4)), key=lambda answer: answer.packet)
    assert [answer.error for answer in answers] == [0, RESOURCE_UNAVAILABLE, GEN_ERR, 0]
    assert answers[3].reader.varbinds()[0][2] == 0


def test_a_set_request_cut_short_holds_up_nothing(master, daemon, session):
    request = session.encode(agentx.TEST_SET, session.test_set_payload(*tunnel(1)))
    begun = time.monotonic()
    for length in (10, 20, 28, len(request) - 1):
        session.socket.sendall(request[:length])
        session.close()
        session = master.open()
    assert time.monotonic() - begun < 15
    assert session.get(column(1, 4, 0))[0][2] == 0


def test_phases_out_of_order(daemon, session):
    assert session.commit_set(77).error != 0
    assert session.undo_set(77).error != 0
    assert session.test_set(1, *tunnel(1)).error == 0
    assert session.undo_set(1).error in (0, GEN_ERR)
    assert tunnels(daemon) == []
    assert session.get(column(1, 4, 0))[0][2] == 0


def test_requests_of_one_write_are_dealt_with_in_their_order(session):
    """What follows a phase of a set request in the stream sees what it did."""
    look = session.codec.oid(column(2, 24, 3)) + session.codec.oid("")
    row = session.test_set_payload((column(2, 24, 3), INTEGER, 5))
    session.socket.sendall(b"".join([
        session.encode(agentx.GET, look), session.encode(agentx.TEST_SET, row, transaction=1),
        session.encode(agentx.GET, look), session.encode(agentx.COMMIT_SET, b"", transaction=1),
        session.encode(agentx.GET, look), session.encode(agentx.UNDO_SET, b"", transaction=1),
        session.encode(agentx.GET, look)]))
    answers = [session.response() for _ in range(7)]
    assert [answer.packet for answer in answers] == list(range(session.packet - 6, session.packet + 1))
    assert [answer.error for answer in answers] == 7 * [0]
    found = [answers[place].reader.varbinds()[0][1:] for place in (0, 2, 4, 6)]
    missing = (agentx.NO_SUCH_INSTANCE, None)
    assert found == [missing, missing, (INTEGER, 3), missing]


def test_requests_of_one_write_are_answered_with_one(session):
    search = session.codec.oid(column(1, 4, 0)) + session.codec.oid("")
    session.socket.sendall(b"".join(session.encode(agentx.GET, search) for _ in range(100)))
    octets = session.socket.recv(1 << 20)  # what there is when the first are there
    assert len(octets) % 100 == 0 and len(octets) > 100 * 28


@pytest.mark.skipif(not TURN_WATCH.exists(), reason="turn_watch.so is not built: make tools")
@pytest.mark.parametrize("kind", [agentx.GET, agentx.GET_NEXT, agentx.GET_BULK])
def test_a_costly_request_is_answered_in_many_turns(tmp_path, master, daemon, kind):
    """Tables of Ethernet are searched in vain: all sessions are PPP. The longest turn is in CPU time."""
    if b"__asan_init" in L2TPV3D.read_bytes():
        pytest.skip("a sanitizer has its own pace")
    daemon.env.update(LD_PRELOAD=str(TURN_WATCH), TURN_WATCH=str(tmp_path / "turns"))
    begin(daemon)
    session = master.open()
    daemon.wait_for_log(r"\bready\b")
    push_sessions(daemon, tmp_path, 20000, "<pseudowire-type>ppp</pseudowire-type>")
    wait_for(lambda: session.get(column(1, 6, 0))[0][2] == 20000, "all sessions")
    enet, row = (session.codec.oid(oid) + session.codec.oid("") for oid in (f"{agentx.PW_ENET}.1", column(4, 3, 1, 7)))
    ranges, times = {agentx.GET: (900 * row, 30), agentx.GET_NEXT: (50 * enet, 1),
                     agentx.GET_BULK: (session.codec.pack("HH", 10, 30) + 60 * enet, 1)}[kind]
    with open(tmp_path / "turns", "r+b") as turns:  # in place: the daemon has it mapped
        turns.write(bytes(16))
    session.socket.sendall(b"".join(session.encode(kind, ranges) for _ in range(times)))
    for _ in range(times):
        assert session.response().error == 0
    longest, turns = struct.unpack("QQ", (tmp_path / "turns").read_bytes()[:16])
    print(f"{longest / 1e6:.1f} ms is the longest of {turns} turns")
    assert longest < 20e6 and turns > 3


def test_two_masters_requests_do_not_wait_for_a_set(daemon, session):
    """A GET between the phases, and answers in any order."""
    assert session.test_set(1, *tunnel(1)).error == 0
    assert session.get(column(2, 24, 1))[0][1] == agentx.NO_SUCH_INSTANCE
    assert session.test_set(2, *tunnel(2)).error == 0
    assert session.commit_set(2).error == session.commit_set(1).error == 0
    assert tunnels(daemon) == ["1", "2"]


def test_sets_committed_in_another_order_than_tested_are_undone_each_by_itself(daemon, session):
    for number in (1, 2):
        assert session.test_set(number, *tunnel(number)).error == 0
    for number in (2, 1):  # both are with the engine at once
        session.socket.sendall(session.encode(agentx.COMMIT_SET, b"", transaction=number))
    assert [session.response().error for _ in range(2)] == [0, 0]
    assert tunnels(daemon) == ["1", "2"]
    assert session.undo_set(2).error == 0
    assert tunnels(daemon) == ["1"]
    assert session.undo_set(1).error == 0
    assert tunnels(daemon) == []


@pytest.mark.parametrize("first, second", ((1, 2), (2, 1)))
def test_two_commits_in_flight_learn_each_its_own_outcome(daemon, session, first, second):
    """Both pass the test; whichever is committed second finds its UDP port taken."""
    for number in (1, 2):
        assert session.test_set(number, *tunnel(number, port=5000)).error == 0
    packets = []
    for number in (first, second):
        session.socket.sendall(session.encode(agentx.COMMIT_SET, b"", transaction=number))
        packets.append(session.packet)
    answers = {answer.packet: answer.error for answer in (session.response(), session.response())}
    assert answers[packets[0]] == 0 and answers[packets[1]] != 0
    assert tunnels(daemon) == [str(first)]
    session.undo_set(second)
    assert tunnels(daemon) == [str(first)]  # of what was not done nothing is undone
    assert session.undo_set(first).error == 0
    assert tunnels(daemon) == []


NO_REQUEST = """
#include <unistd.h>
#include "engine/requests.h"

extern void *__libc_calloc(size_t count, size_t size);

void *calloc(size_t count, size_t size)
{
	if (size == sizeof(struct request) && access(FILE_THAT_SAYS_SO, F_OK) == 0)
		return NULL;
	return __libc_calloc(count, size);
}
"""


def test_a_request_that_cannot_be_made_is_refused_at_each_door(tmp_path, master, daemon):
    """For want of memory. What the requests asked for is not done, and all is well when there is memory."""
    if b"__asan_init" in L2TPV3D.read_bytes():
        pytest.skip("a sanitizer has the allocator")
    (tmp_path / "no_request.c").write_text(NO_REQUEST)
    subprocess.run(["cc", "-shared", "-fPIC", "-std=gnu11", f"-I{CHECKOUT / 'src'}",
                    f'-DFILE_THAT_SAYS_SO="{tmp_path}/full"', "-o", tmp_path / "no_request.so",
                    tmp_path / "no_request.c"], check=True)
    daemon.env["LD_PRELOAD"] = str(tmp_path / "no_request.so")
    begin(daemon)
    session = master.open()
    daemon.wait_for_log(r"\bready\b")
    assert session.test_set(1, *tunnel(1)).error == 0
    (tmp_path / "full").touch()
    assert session.commit_set(1).error == RESOURCE_UNAVAILABLE
    assert session.undo_set(1).error in (0, GEN_ERR)
    with daemon.netconf() as client:
        for operation in (f'<edit-config><target><running/></target><config><l2tpv3 xmlns="{L2TP}">'
                          "<tunnel><tunnel-id>3</tunnel-id><peer-tunnel-id>3</peer-tunnel-id>"
                          "<local-address>192.0.2.1</local-address><remote-address>192.0.2.2</remote-address>"
                          "<encapsulation>ip</encapsulation></tunnel></l2tpv3></config></edit-config>",
                          "<lock><target><running/></target></lock>", f'<resync xmlns="{L2TP}"/>'):
            with pytest.raises(RpcError) as refused:
                client.rpc(operation)
            assert refused.value.tag == "resource-denied"
        (tmp_path / "full").unlink()
        assert tunnels(daemon) == []
        client.rpc(f'<resync xmlns="{L2TP}"/>')
    assert session.test_set(2, *tunnel(2)).error == session.commit_set(2).error == 0
    assert tunnels(daemon) == ["2"]


def test_a_flood_of_requests_from_a_master_that_does_not_read(daemon, session):
    """Answers queue up here; nothing blocks, nothing is lost."""
    count = 3000
    request = session.codec.oid(column(1, 1, 0)) + session.codec.oid("")
    flood = b"".join(session.encode(agentx.GET, request * 20) for _ in range(count))
    session.socket.setblocking(False)
    at = 0
    deadline = time.monotonic() + 20
    while at < len(flood) and time.monotonic() < deadline:
        try:
            at += session.socket.send(flood[at:at + 65536])
        except BlockingIOError:
            time.sleep(0.01)
    assert at == len(flood)
    daemon.ctl("show", "tunnel")
    session.socket.settimeout(agentx.PATIENCE)
    for _ in range(count):
        assert len(session.response().reader.varbinds()) == 20


def test_stopping_while_connected(master, daemon, session):
    daemon.send_signal(15)
    assert session.receive().kind == agentx.CLOSE
    assert daemon.process.wait(10) == 0
    assert stays_true(lambda: not daemon.running, 0.1)


@pytest.mark.parametrize("last", ["part of a set", "a set that takes its time", "nothing"])
def test_stopping_after_the_master_has_gone(master, daemon, session, last):
    sessions = [varbind for number in range(1, 300) for varbind in
                [(column(4, 23, 1, number), INTEGER, CREATE_AND_GO), (column(4, 3, 1, number), UNSIGNED, 9)]]
    request = session.encode(agentx.TEST_SET, session.test_set_payload(*tunnel(1), *sessions), transaction=7)
    if last == "part of a set":
        session.socket.sendall(request[:-1])
    elif last != "nothing":
        session.socket.sendall(request)
        assert session.response().error == 0
        session.socket.sendall(session.encode(agentx.COMMIT_SET, b"", transaction=7))
    master.close()
    time.sleep(0.002 if last == "a set that takes its time" else 0.2)
    daemon.send_signal(15)
    assert daemon.process.wait(10) == 0
