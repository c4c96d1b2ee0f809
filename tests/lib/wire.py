"""What is on the wire: send a frame into an interface, see what comes by on another."""
import socket
import struct
import time
from dataclasses import dataclass

from .netns import inside
from .waiting import PATIENCE

ETH_P_ALL, ETH_P_IP, ETH_P_IPV6, ETH_P_8021Q = 0x0003, 0x0800, 0x86DD, 0x8100
ETH_P_TEST = 0x88B5  # for local experiments; marks our frames among the kernel's own
IPPROTO_L2TP = 115
PACKET_OUTGOING = 4
SOL_PACKET, PACKET_AUXDATA, TP_STATUS_VLAN_VALID = 263, 8, 0x10


def marked_frame(destination=b"\xff" * 6, size=60):
    """An Ethernet frame that the kernel does not send by itself."""
    header = destination + b"\x02\0\0\0\0\x01" + struct.pack("!H", ETH_P_TEST)
    return header.ljust(size, b"\0")


@dataclass
class DataPacket:
    """An L2TPv3 data packet from its session id on."""
    outer: str  # "udp" or "ip"
    session_id: int
    rest: bytes  # cookie, sublayer, frame
    udp_checksum: int = 0
    ports: tuple = ()


class Tap:
    """Sees every frame of one interface, and can send some."""

    def __init__(self, namespace, interface):
        with inside(namespace.name):
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.socket.bind((interface, ETH_P_ALL))
        self.socket.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, frame):
        self.socket.send(frame)

    def receive(self):
        """(frame, whether it goes out).  A VLAN tag that the kernel took off is put back."""
        frame, ancillary, _, address = self.socket.recvmsg(65536, 256)
        for level, kind, data in ancillary:
            if (level, kind) == (SOL_PACKET, PACKET_AUXDATA):
                status, *_, tag, _ = struct.unpack("=IIIHHHH", data)
                if status & TP_STATUS_VLAN_VALID:
                    frame = frame[:12] + struct.pack("!HH", ETH_P_8021Q, tag) + frame[12:]
        return frame, address[2] == PACKET_OUTGOING

    def wait_for(self, wanted, seconds=PATIENCE):
        """The first arriving frame for which wanted(frame) is true, and what that returned."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                frame, outgoing = self.receive()
            except TimeoutError:
                break
            if not outgoing and (found := wanted(frame)):
                return found
        raise AssertionError(f"no such frame within {seconds} s")

    def arrives(self, frame, seconds):
        try:
            return self.wait_for(lambda seen: seen == frame, seconds)
        except AssertionError:
            return False

    def wait_for_data(self, containing=struct.pack("!H", ETH_P_TEST), seconds=PATIENCE):
        """The first arriving L2TPv3 data packet whose frame has these bytes."""
        def wanted(frame):
            packet = l2tp_data(frame)
            return packet if packet and containing in packet.rest else None
        return self.wait_for(wanted, seconds)


def l2tp_data(frame):
    """The L2TPv3 data packet in an Ethernet frame, or None."""
    kind, = struct.unpack_from("!H", frame, 12)
    if kind == ETH_P_IP:
        protocol, inner = frame[23], frame[14 + (frame[14] & 15) * 4:]
    elif kind == ETH_P_IPV6:
        protocol, inner = frame[20], frame[54:]
    else:
        return None
    if protocol == IPPROTO_L2TP:
        return DataPacket("ip", struct.unpack_from("!I", inner)[0], inner[4:])
    if protocol == socket.IPPROTO_UDP and inner[8:10] == b"\0\3":
        sport, dport, _, checksum = struct.unpack_from("!HHHH", inner)
        session_id, = struct.unpack_from("!I", inner, 12)
        return DataPacket("udp", session_id, inner[16:], checksum, (sport, dport))
    return None
