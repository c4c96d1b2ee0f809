"""An AgentX master (RFC 2741) that a test plays by hand, PDU by PDU, in place of snmpd.

    with Master(path) as master:
        session = master.open()             # answers Open and Register
        session.get(oid)
        session.test_set(1, (oid, INTEGER, 4)); session.commit_set(1); session.undo_set(1)
"""
import socket
import struct
import time

from .snmp import ROOT

(OPEN, CLOSE, REGISTER, UNREGISTER, GET, GET_NEXT, GET_BULK, TEST_SET, COMMIT_SET, UNDO_SET,
 CLEANUP_SET, NOTIFY, PING, INDEX_ALLOCATE, INDEX_DEALLOCATE, ADD_AGENT_CAPS) = range(1, 17)
RESPONSE = 18
INTEGER, OCTETS, NULL, OBJECT_ID = 2, 4, 5, 6
IP_ADDRESS, COUNTER, UNSIGNED, TIME_TICKS, OPAQUE, COUNTER64 = 64, 65, 66, 67, 68, 70
NO_SUCH_OBJECT, NO_SUCH_INSTANCE, END_OF_VIEW = 128, 129, 130
DUPLICATE_REGISTRATION, PARSE_ERROR = 263, 266
NON_DEFAULT_CONTEXT, NETWORK_ORDER = 0x08, 0x10
PATIENCE = 30
# Roots of modules, each with its tables, whose entries are registered by themselves.
PW, PW_ENET = "1.3.6.1.2.1.10.246", "1.3.6.1.2.1.180"
REGIONS = {ROOT: range(2, 8), PW: [2, 7, 8], PW_ENET: [1, 2]}
REGISTERED = [oid for root, tables in REGIONS.items()
              for oid in (root, *(f"{root}.1.{n}.1" for n in tables))]


def up_time():
    """The master's sysUpTime, in hundredths of a second."""
    return int(time.monotonic() * 100) & 0xffffffff


def numbers(oid):
    return [int(part) for part in oid.strip(".").split(".")] if oid else []


class Codec:
    """RFC 2741 section 5, in one byte order."""

    def __init__(self, order):
        self.order = order  # ">" or "<"

    def pack(self, layout, *values):
        return struct.pack(self.order + layout, *values)

    def oid(self, oid, include=False):
        subids = numbers(oid)
        return bytes([len(subids), 0, include, 0]) + self.pack(f"{len(subids)}I", *subids)

    def octets(self, data):
        return self.pack("I", len(data)) + data + bytes(-len(data) % 4)

    def varbind(self, oid, kind, value):
        data = b""
        if kind in (INTEGER,):
            data = self.pack("i", value)
        elif kind in (UNSIGNED, COUNTER, TIME_TICKS):
            data = self.pack("I", value)
        elif kind == COUNTER64:
            data = self.pack("Q", value)
        elif kind in (OCTETS, OPAQUE, IP_ADDRESS):
            data = self.octets(value)
        elif kind == OBJECT_ID:
            data = self.oid(value)
        return self.pack("HH", kind, 0) + self.oid(oid) + data


class Reader:
    def __init__(self, data, order):
        self.data, self.order, self.at = data, order, 0

    def unpack(self, layout):
        values = struct.unpack_from(self.order + layout, self.data, self.at)
        self.at += struct.calcsize(self.order + layout)
        return values if len(values) > 1 else values[0]

    def oid(self):
        count, prefix, _, _ = self.unpack("4B")
        subids = [self.unpack("I") for _ in range(count)]
        return ".".join(map(str, ([1, 3, 6, 1, prefix] if prefix else []) + subids))

    def octets(self):
        length = self.unpack("I")
        data = self.data[self.at:self.at + length]
        self.at += length + -length % 4
        return data

    def varbinds(self):
        found = []
        while self.at < len(self.data):
            kind, _ = self.unpack("HH")
            oid, value = self.oid(), None
            if kind == INTEGER:
                value = self.unpack("i")
            elif kind in (UNSIGNED, COUNTER, TIME_TICKS):
                value = self.unpack("I")
            elif kind == COUNTER64:
                value = self.unpack("Q")
            elif kind in (OCTETS, OPAQUE, IP_ADDRESS):
                value = self.octets()
            elif kind == OBJECT_ID:
                value = self.oid()
            found.append((oid, kind, value))
        return found


class Pdu:
    def __init__(self, header, payload):
        _, self.kind, self.flags, _ = header[:4]
        self.order = ">" if self.flags & NETWORK_ORDER else "<"
        (self.session, self.transaction, self.packet,
         _) = struct.unpack(self.order + "4I", header[4:])
        self.reader = Reader(payload, self.order)
        self.error = self.index = None
        self.context = self.reader.octets() if self.flags & NON_DEFAULT_CONTEXT else b""
        self.up_time = None
        if self.kind == RESPONSE:
            self.up_time, self.error, self.index = self.reader.unpack("IHH")


class Session:
    """One subagent's connection."""

    def __init__(self, connection, order):
        self.socket, self.order, self.codec = connection, order, Codec(order)
        self.socket.settimeout(PATIENCE)
        self.packet = 1000
        self.registered = []  # (oid, flags) as they came
        self.refused = {}  # what it shall not have: the error by oid
        self.capabilities = []  # of AddAgentCaps
        self.pings = 0

    def close(self):
        self.socket.close()

    def read_exactly(self, count):
        data = b""
        while len(data) < count:
            more = self.socket.recv(count - len(data))
            if not more:
                raise EOFError("the subagent closed the connection")
            data += more
        return data

    def receive(self):
        """The next PDU but AddAgentCaps, which comes between Open and the first Register."""
        while True:
            header = self.read_exactly(20)
            order = ">" if header[2] & NETWORK_ORDER else "<"
            pdu = Pdu(header, self.read_exactly(struct.unpack(order + "I", header[16:])[0]))
            if pdu.kind != ADD_AGENT_CAPS:
                return pdu
            self.capabilities.append(pdu.reader.oid())
            self.answer(pdu)

    def encode(self, kind, payload, session=1, transaction=0, packet=None):
        if packet is None:
            self.packet += 1
            packet = self.packet
        flags = NETWORK_ORDER if self.order == ">" else 0
        return bytes([1, kind, flags, 0]) + self.codec.pack(
            "4I", session, transaction, packet, len(payload)) + payload

    def answer(self, pdu, error=0):
        payload = self.codec.pack("IHH", up_time(), error, 0)
        self.socket.sendall(self.encode(RESPONSE, payload, packet=pdu.packet))

    def serve(self, pdu, register_error=0):
        """Answer what the subagent asks by itself."""
        if pdu.kind == REGISTER:
            pdu.reader.unpack("4B")
            self.registered.append((pdu.reader.oid(), pdu.flags))
            self.answer(pdu, self.refused.get(self.registered[-1][0], register_error))
        elif pdu.kind != RESPONSE:
            self.pings += pdu.kind == PING
            self.answer(pdu)

    def serve_until(self, kind, **kwargs):
        while True:
            pdu = self.receive()
            self.serve(pdu, **kwargs)
            if pdu.kind == kind:
                return pdu

    def response(self, packet=None):
        """The next Response, or that to one packet."""
        while True:
            pdu = self.receive()
            if pdu.kind == RESPONSE and packet in (None, pdu.packet):
                return pdu
            self.serve(pdu)

    def ask(self, kind, payload=b"", transaction=1):
        self.socket.sendall(self.encode(kind, payload, transaction=transaction))
        return self.response(self.packet)

    def get(self, *oids):
        ranges = b"".join(self.codec.oid(oid) + self.codec.oid("") for oid in oids)
        return self.ask(GET, ranges).reader.varbinds()

    def get_next(self, oid, end="", include=False):
        search = self.codec.oid(oid, include) + self.codec.oid(end)
        return self.ask(GET_NEXT, search).reader.varbinds()[0]

    def test_set_payload(self, *varbinds):
        return b"".join(self.codec.varbind(*varbind) for varbind in varbinds)

    def test_set(self, transaction, *varbinds):
        return self.ask(TEST_SET, self.test_set_payload(*varbinds), transaction)

    def commit_set(self, transaction):
        return self.ask(COMMIT_SET, b"", transaction)

    def undo_set(self, transaction):
        return self.ask(UNDO_SET, b"", transaction)

    def cleanup_set(self, transaction):
        """Not to be answered (RFC 2741 section 7.2.4.4), though net-snmp does."""
        self.socket.sendall(self.encode(CLEANUP_SET, b"", transaction=transaction))


class Master:
    """Listens on a unix socket, or with "tcp:" for a path on a free port (then the path says it)."""

    def __init__(self, path, order=">", backlog=5):
        self.path, self.order, self.backlog = str(path), order, backlog
        self.listener = None
        self.sessions = []

    def __enter__(self):
        self.listen()
        return self

    def __exit__(self, *_):
        self.close()

    def listen(self):
        if self.path.startswith("tcp:"):
            self.listener = socket.socket()
            self.listener.bind(("127.0.0.1", 0))
            self.path = f"tcp:127.0.0.1:{self.listener.getsockname()[1]}"
        else:
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(self.path)
        self.listener.listen(self.backlog)
        self.listener.settimeout(PATIENCE)

    def accept(self):
        """A subagent's connection, with nothing answered yet."""
        session = Session(self.listener.accept()[0], self.order)
        self.sessions.append(session)
        return session

    def open(self, register_error=0):
        """A subagent that has all it registers; with an error, that has asked for the root."""
        session = self.accept()
        session.serve_until(OPEN)
        for _ in range(1 if register_error else len(REGISTERED)):
            session.serve_until(REGISTER, register_error=register_error)
        return session

    def close(self):
        for session in self.sessions:
            session.close()
        self.listener.close()


def column(table, number, *index):
    """The OID of an instance of LINUX-L2TPV3-MIB; of a scalar with table 1 and index 0."""
    entry = [] if table == 1 else [1]
    return ".".join(map(str, [ROOT, 1, table, *entry, number, *index]))
