"""SNMPv2c (RFC 3416) one PDU at a time, with types, error-status and error-index as they are sent.

For tests that ask hundreds of things, or what no tool will send; others use snmp.py. A value is
(type, content): an int, bytes, or an OID as text; a read one is its content alone, None for the
exceptions.
"""
import socket

INTEGER, OCTETS, NULL, OBJECT_ID, SEQUENCE = 0x02, 0x04, 0x05, 0x06, 0x30
IP_ADDRESS, COUNTER32, UNSIGNED, TIME_TICKS, OPAQUE, COUNTER64 = 0x40, 0x41, 0x42, 0x43, 0x44, 0x46
NUMBERS = (INTEGER, COUNTER32, UNSIGNED, TIME_TICKS, COUNTER64)
GET, GET_NEXT, RESPONSE, SET = 0xA0, 0xA1, 0xA2, 0xA3
STATUSES = ("noError tooBig noSuchName badValue readOnly genErr noAccess wrongType wrongLength "
            "wrongEncoding wrongValue noCreation inconsistentValue resourceUnavailable commitFailed "
            "undoFailed authorizationError notWritable inconsistentName").split()


def tlv(kind, content):
    length = len(content)
    if length < 128:
        return bytes([kind, length]) + content
    size = (length.bit_length() + 7) // 8
    return bytes([kind, 0x80 | size]) + length.to_bytes(size, "big") + content


def encode(kind, content):
    if kind in NUMBERS:
        content = content.to_bytes(content.bit_length() // 8 + 1, "big", signed=True)
    elif kind == OBJECT_ID:
        first, second, *rest = map(int, content.split("."))
        content = b"".join(map(base128, [first * 40 + second, *rest]))
    return tlv(kind, content)


def base128(number):
    assert 0 <= number < 1 << 64
    digits = [number & 127]
    while number := number >> 7:
        digits.insert(0, number & 127 | 128)
    return bytes(digits)


def split(data):
    """The (type, content) that stand one after the other."""
    found = []
    while data:
        kind, length, at = data[0], data[1], 2
        if length & 128:
            at += length & 127
            length = int.from_bytes(data[2:at], "big")
        found.append((kind, data[at:at + length]))
        data = data[at + length:]
    return found


def decode(kind, content):
    if kind in NUMBERS:
        return int.from_bytes(content, "big", signed=True)
    if kind == OBJECT_ID:
        subids = [0]
        for octet in content:
            subids[-1] = subids[-1] << 7 | octet & 127
            if not octet & 128:
                subids.append(0)
        return ".".join(map(str, [subids[0] // 40, subids[0] % 40, *subids[1:-1]]))
    return content if kind in (OCTETS, IP_ADDRESS, OPAQUE) else None


class Wire:
    def __init__(self, port, community="private", seconds=30):
        self.community = community.encode()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(("127.0.0.1", port))
        self.socket.settimeout(seconds)
        self.request = 0

    def close(self):
        self.socket.close()

    def ask(self, kind, varbinds):
        """(error-status by name, error-index, [(oid, value)])."""
        self.request += 1
        pairs = b"".join(tlv(SEQUENCE, encode(OBJECT_ID, oid) + encode(*value))
                         for oid, value in varbinds)
        pdu = tlv(kind, encode(INTEGER, self.request) + encode(INTEGER, 0) + encode(INTEGER, 0)
                  + tlv(SEQUENCE, pairs))
        self.socket.send(tlv(SEQUENCE, encode(INTEGER, 1) + tlv(OCTETS, self.community) + pdu))
        while True:
            (_, message), = split(self.socket.recv(65536))
            (_, _), (_, _), (_, pdu) = split(message)
            request, status, index, (_, pairs) = split(pdu)
            if decode(*request) == self.request:
                break
        found = [[decode(*part) for part in split(pair)] for _, pair in split(pairs)]
        return STATUSES[decode(*status)], decode(*index), found

    def get(self, *oids):
        status, index, found = self.ask(GET, [(oid, (NULL, b"")) for oid in oids])
        assert status == "noError", (status, index, oids)
        values = [value for _, value in found]
        return values[0] if len(oids) == 1 else values

    def set(self, *varbinds):
        """(error-status by name, the OID it is for or None) of one PDU of (oid, (type, content))."""
        status, index, _ = self.ask(SET, varbinds)
        return status, varbinds[index - 1][0] if index else None
