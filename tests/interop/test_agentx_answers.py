"""What is answered to Get, GetNext and GetBulk, octet for octet, as tests/data/agentx/answers has it.

Its lines are a request, "> KIND OID ...", and one "OID TYPE VALUE" for each variable of the answer:

    > get OID ...                  > next OID[,END][,include] ...
    > bulk NON_REPEATERS REPETITIONS OID[,END] ...      > walk: by GetNext, all that there is

"> get@blue OID" asks in the context blue. An error is "error STATUS INDEX".
A value that differs from run to run is *. An OID begins with its module. L2TPV3D_RECORD=1 writes down
what is answered now; a column that is not in the file, because it is new, does not fail the walk.
"""
import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import agentx  # noqa: E402
from lib.agentx import INTEGER, OCTETS, UNSIGNED, Master, column  # noqa: E402
from lib.built import need_built  # noqa: E402
from lib.daemons import L2TPV3D, L2tpv3d  # noqa: E402
from lib.here import Here  # noqa: E402
from lib.netconf import BASE, L2TP  # noqa: E402
from lib.snmp import ROOT  # noqa: E402

need_built(L2TPV3D)
FILE = Path(__file__).resolve().parents[1] / "data/agentx/answers"
MODULES = {"l2tpv3": ROOT, "pw": agentx.PW, "enet": agentx.PW_ENET}
CREATE_AND_WAIT = 5
TYPES = {agentx.NULL: "", INTEGER: "integer", OCTETS: "octets", agentx.COUNTER: "counter", UNSIGNED: "unsigned",
         agentx.TIME_TICKS: "ticks", agentx.COUNTER64: "counter64", agentx.NO_SUCH_OBJECT: "noSuchObject",
         agentx.NO_SUCH_INSTANCE: "noSuchInstance", agentx.END_OF_VIEW: "endOfMibView"}
VARYING = {column(1, number, 0) for number in (1, 2, 10)}  # version, kernel release, spin lock

CONFIG = f"""<config xmlns="{BASE}"><l2tpv3 xmlns="{L2TP}">
<tunnel><tunnel-id>1</tunnel-id><peer-tunnel-id>101</peer-tunnel-id><description>to the east</description>
 <local-address>192.0.2.1</local-address><remote-address>192.0.2.2</remote-address>
 <local-port>5001</local-port><remote-port>5002</remote-port><udp-checksum>true</udp-checksum>
 <session><session-id>11</session-id><peer-session-id>111</peer-session-id><description>a</description>
  <interface-name>east0</interface-name><mtu>1400</mtu><mac-address>02:00:00:00:00:01</mac-address>
  <tx-cookie>0102030405060708</tx-cookie><rx-cookie>01020304</rx-cookie><sequencing>both</sequencing></session>
 <session><session-id>12</session-id><peer-session-id>112</peer-session-id><interface-name>east1</interface-name>
  <pseudowire-type>ethernet-vlan</pseudowire-type><vlan-id>100</vlan-id>
  <l2-specific-sublayer>none</l2-specific-sublayer></session>
 <session><session-id>13</session-id><peer-session-id>113</peer-session-id>
  <pseudowire-type>ppp</pseudowire-type></session>
</tunnel>
<tunnel><tunnel-id>2</tunnel-id><peer-tunnel-id>102</peer-tunnel-id><enabled>false</enabled>
 <encapsulation>ip</encapsulation><local-address>2001:db8::1</local-address>
 <remote-address>2001:db8::2</remote-address></tunnel>
<tunnel><tunnel-id>4294967295</tunnel-id><peer-tunnel-id>1</peer-tunnel-id><encapsulation>ip</encapsulation>
 <local-address>2001:db8:1::1</local-address><remote-address>2001:db8:1::2</remote-address>
 <session><session-id>5</session-id><peer-session-id>115</peer-session-id><interface-name>west0</interface-name>
  <enabled>false</enabled></session>
 <session><session-id>2147483648</session-id><peer-session-id>4294967295</peer-session-id>
  <interface-name>west1</interface-name></session>
 <session><session-id>4294967295</session-id><peer-session-id>2147483648</peer-session-id>
  <interface-name>west2</interface-name></session>
</tunnel></l2tpv3></config>"""

PENDING = [(column(2, 24, 7), INTEGER, CREATE_AND_WAIT), (column(2, 2, 7), OCTETS, b"half a row"),
           (column(2, 6, 7), OCTETS, b"\xc0\0\2\7"),
           (column(4, 23, 2, 21), INTEGER, CREATE_AND_WAIT), (column(4, 3, 2, 21), UNSIGNED, 121)]


@pytest.fixture(params="<>")
def session(request, tmp_path):
    with Master(tmp_path / "master", request.param) as master:
        daemon = L2tpv3d(Here(), tmp_path, snmp_master=master.path, kernel="sim")
        with open(daemon.log_path, "ab") as log:
            daemon.process = daemon.namespace.popen(*daemon.argv, stdout=log, stderr=log, env=daemon.env)
        session = master.open()
        daemon.wait_for_log(r"\bready\b")
        (tmp_path / "config.xml").write_text(CONFIG)
        daemon.ctl("push", tmp_path / "config.xml")
        for phase in (session.test_set(1, *PENDING), session.commit_set(1)):
            assert phase.error == 0, phase.index
        session.cleanup_set(1)
        yield session
        master.close()
        assert daemon.stop() == 0, daemon.log()


def full(oid):
    if oid == "null":
        return ""
    module, _, rest = oid.partition(".")
    return MODULES[module] + (f".{rest}" if rest else "") if module in MODULES else oid


def short(oid):
    for module, root in MODULES.items():
        if oid == root or oid.startswith(f"{root}."):
            return module + oid[len(root):]
    return oid or "0.0"


def line(varbind):
    oid, kind, value = varbind
    if kind in (agentx.TIME_TICKS, agentx.COUNTER64) or oid in VARYING:
        value = "*"
    elif kind == OCTETS:
        value = f"'{value.hex()}'"
    return " ".join([short(oid), TYPES[kind]] + ([str(value)] if value is not None else [])).replace("  ", " ")


def oid_octets(codec, oid):
    """As net-snmp writes them: the prefix 1.3.6.1 in one octet, 0.0 and nothing as nothing."""
    subids, prefix = agentx.numbers(oid), 0
    if subids[:4] == [1, 3, 6, 1] and len(subids) > 4 and 0 < subids[4] < 256:
        prefix, subids = subids[4], subids[5:]
    return bytes([len(subids), prefix, 0, 0]) + codec.pack(f"{len(subids)}I", *subids)


def ask(session, kind, payload, context=""):
    """The variables of the answer, of which each octet is as it must be."""
    if context:
        payload = session.codec.octets(context.encode()) + payload
    pdu = bytearray(session.encode(kind, payload, transaction=77))
    pdu[2] |= agentx.NON_DEFAULT_CONTEXT if context else 0
    session.socket.sendall(pdu)
    answer = session.response(session.packet)
    assert (answer.session, answer.transaction, answer.packet) == (1, 77, session.packet)
    assert answer.flags == pdu[2]
    if answer.error:
        assert answer.reader.at == len(answer.reader.data)
        return [("error", agentx.NULL, f"{answer.error} {answer.index}")]
    assert answer.context.decode() == context
    codec, at = session.codec, answer.reader.at
    varbinds = answer.reader.varbinds()
    assert answer.reader.data[at - 4:] == bytes(4) + b"".join(
        codec.varbind("", kind, value)[:4] + oid_octets(codec, oid) + codec.varbind("", kind, value)[8:]
        for oid, kind, value in varbinds)
    return varbinds


def answered(session, request):
    """The lines of the answer to one request of the file."""
    kind, *words = request.split()
    kind, _, context = kind.partition("@")
    codec, numbers = session.codec, b""
    if kind == "walk":
        return walked(session)
    if kind == "bulk":
        numbers, words = codec.pack("HH", *map(int, words[:2])), words[2:]
    ranges = b""
    for word in words:
        oid, *rest = word.split(",")
        end = next((full(other) for other in rest if other != "include"), "")
        ranges += codec.oid(full(oid), "include" in rest) + codec.oid(end)
    kinds = {"get": agentx.GET, "next": agentx.GET_NEXT, "bulk": agentx.GET_BULK}
    return [line(varbind) for varbind in ask(session, kinds[kind], numbers + ranges, context)]


def walked(session):
    lines, oid = [], "1.3"
    while True:
        (oid, kind, value), = ask(session, agentx.GET_NEXT, session.codec.oid(oid) + session.codec.oid(""))
        lines.append(line((oid, kind, value)))
        if kind == agentx.END_OF_VIEW:
            return lines


def recorded():
    """[(request, [line])]"""
    found = []
    for text in FILE.read_text().splitlines():
        if text.startswith("> "):
            found.append((text[2:], []))
        elif text and not text.startswith("#"):
            found[-1][1].append(text)
    return found


def column_of(text):
    """Of a walk's line; a row's index may be longer."""
    parts = text.split()[0].split(".")
    return ".".join(parts[:5 if parts[:2] == ["l2tpv3", "1"] and parts[2] != "1" else 4 if parts[0] != "l2tpv3" else 4])


def test_every_answer_is_what_it_has_always_been(session):
    answers = [(request, answered(session, request)) for request, _ in recorded()]
    if os.environ.get("L2TPV3D_RECORD"):
        FILE.write_text("".join(f"> {request}\n" + "".join(f"{text}\n" for text in lines) + "\n"
                                for request, lines in answers))
    for (request, expected), (_, lines) in zip(recorded(), answers):
        if request == "walk":
            known = {column_of(text) for text in expected}
            lines = [text for text in lines if column_of(text) in known]
        assert lines == expected, request
