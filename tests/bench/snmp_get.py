"""One SNMPv2c GET on a UDP socket of our own: snmpget's start would hide the agent's latency."""
import socket
import time

INTEGER, OCTET_STRING, NULL, OBJECT_IDENTIFIER, SEQUENCE, GET = 0x02, 0x04, 0x05, 0x06, 0x30, 0xA0


def element(tag, content):
    length = len(content)
    if length < 0x80:
        return bytes([tag, length]) + content
    return bytes([tag, 0x82]) + length.to_bytes(2, "big") + content


def base128(number):
    groups = [number & 0x7F]
    while number := number >> 7:
        groups.append(number & 0x7F | 0x80)
    return bytes(reversed(groups))


def object_identifier(text):
    first, second, *rest = map(int, text.split("."))
    return element(OBJECT_IDENTIFIER, b"".join(map(base128, [40 * first + second, *rest])))


def integer(number):
    return element(INTEGER, number.to_bytes(4, "big"))


def get_request(request_id, oid, community=b"public"):
    varbinds = element(SEQUENCE, element(SEQUENCE, object_identifier(oid) + element(NULL, b"")))
    pdu = element(GET, integer(request_id) + integer(0) + integer(0) + varbinds)
    return element(SEQUENCE, integer(1) + element(OCTET_STRING, community) + pdu)


class Poller:
    """Sends GETs one after the other and keeps how long each answer took."""

    def __init__(self, port, seconds=10):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(("127.0.0.1", port))
        self.socket.settimeout(seconds)
        self.request_id = 0x01000000  # always four octets
        self.ms = []
        self.lost = 0

    def get(self, oid):
        self.request_id += 1
        begun = time.perf_counter()
        self.socket.send(get_request(self.request_id, oid))
        try:
            while integer(self.request_id) not in (answer := self.socket.recv(65536)):
                pass  # an answer that came too late
        except TimeoutError:
            self.lost += 1
            return None
        self.ms.append((time.perf_counter() - begun) * 1000)
        return answer
