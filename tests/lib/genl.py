"""The kernel's L2TP generic netlink family, spoken byte by byte.

An independent reader and writer for tests: nothing here comes from the project's own C code, so
that what our door says can be compared with what the kernel says.  Errors are OSError.

    l2tp = L2tp("r1")                     # in network namespace r1
    l2tp.tunnel_create(conn_id=1, peer_conn_id=2, proto_version=3, encap_type=ENCAP_UDP,
                       ip_saddr="10.0.0.1", ip_daddr="10.0.0.2", udp_sport=1701, udp_dport=1701)
    l2tp.tunnel_get(conn_id=1)["stats"]["tx_packets"]

A value given as bytes is sent as it is, whatever the attribute; an attribute may also be given by
its number in `extra`.  Addresses are text; flags are True.
"""
import errno
import os
import select
import socket
import struct
import time

from .netns import inside

NETLINK_GENERIC, GENL_ID_CTRL, CTRL_CMD_GETFAMILY = 16, 16, 3
CTRL_FAMILY_ID, CTRL_FAMILY_NAME, CTRL_MCAST_GROUPS = 1, 2, 7
CTRL_GROUP_NAME, CTRL_GROUP_ID = 1, 2
SOL_NETLINK, NETLINK_ADD_MEMBERSHIP = 270, 1
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLM_F_REQUEST, NLM_F_MULTI, NLM_F_ACK, NLM_F_DUMP = 1, 2, 4, 0x300
NLM_F_DUMP_INTR = 0x10
# Dumps come in what the largest buffer ever offered can hold, up to 32 kB: offer no less.
BUFFER = 65536

NLMSG = struct.Struct("=IHHII")
GENL = struct.Struct("=BBH")
ATTR = struct.Struct("=HH")
TYPE_MASK = 0x3FFF  # without NLA_F_NESTED and NLA_F_NET_BYTEORDER

COMMANDS = ("noop", "tunnel_create", "tunnel_delete", "tunnel_modify", "tunnel_get",
            "session_create", "session_delete", "session_modify", "session_get")
ENCAP_UDP, ENCAP_IP = 0, 1
PW_ETH_VLAN, PW_ETH, PW_PPP = 4, 5, 7
L2SPEC_NONE, L2SPEC_DEFAULT = 0, 1

ATTRIBUTES = {
    "pw_type": (1, "H"), "encap_type": (2, "H"), "offset": (3, "H"), "data_seq": (4, "B"),
    "l2spec_type": (5, "B"), "l2spec_len": (6, "B"), "proto_version": (7, "B"),
    "ifname": (8, "name"), "conn_id": (9, "I"), "peer_conn_id": (10, "I"),
    "session_id": (11, "I"), "peer_session_id": (12, "I"), "udp_csum": (13, "B"),
    "vlan_id": (14, "H"), "cookie": (15, "bytes"), "peer_cookie": (16, "bytes"),
    "debug": (17, "I"), "recv_seq": (18, "B"), "send_seq": (19, "B"), "lns_mode": (20, "B"),
    "using_ipsec": (21, "B"), "recv_timeout": (22, "Q"), "fd": (23, "I"),
    "ip_saddr": (24, "ip4"), "ip_daddr": (25, "ip4"), "udp_sport": (26, "H"),
    "udp_dport": (27, "H"), "mtu": (28, "H"), "mru": (29, "H"), "stats": (30, "stats"),
    "ip6_saddr": (31, "ip6"), "ip6_daddr": (32, "ip6"),
    "udp_zero_csum6_tx": (33, "flag"), "udp_zero_csum6_rx": (34, "flag"),
}
STATS = {
    "tx_packets": (1, "Q"), "tx_bytes": (2, "Q"), "tx_errors": (3, "Q"), "rx_packets": (4, "Q"),
    "rx_bytes": (5, "Q"), "rx_seq_discards": (6, "Q"), "rx_oos_packets": (7, "Q"),
    "rx_errors": (8, "Q"), "rx_cookie_discards": (10, "Q"), "rx_invalid": (11, "Q"),
}


def pack_attribute(number, data):
    return ATTR.pack(ATTR.size + len(data), number) + data + b"\0" * (-len(data) % 4)


def unpack_attributes(data):
    """(number, bytes) of each attribute."""
    while len(data) >= ATTR.size:
        length, number = ATTR.unpack_from(data)
        if length < ATTR.size or length > len(data):
            raise ValueError(f"attribute {number} has length {length} of {len(data)}")
        yield number & TYPE_MASK, data[ATTR.size:length]
        data = data[(length + 3) & ~3:]


def pack_value(form, value):
    if isinstance(value, bytes):
        return value
    if form == "name":
        return value.encode() + b"\0"
    if form in ("ip4", "ip6"):
        return socket.inet_pton(socket.AF_INET if form == "ip4" else socket.AF_INET6, value)
    if form == "flag":
        return b""
    return struct.pack("=" + form, value)


def unpack_value(form, data):
    if form == "stats":
        return decode(data, STATS)
    if form == "name":
        return data.rstrip(b"\0").decode()
    if form in ("ip4", "ip6"):
        return socket.inet_ntop(socket.AF_INET if form == "ip4" else socket.AF_INET6, data)
    if form == "flag":
        return True
    if form == "bytes":
        return data
    return struct.unpack("=" + form, data)[0]


def encode(attributes):
    body = b""
    for name, value in attributes.items():
        if name == "extra":
            body += b"".join(pack_attribute(number, data) for number, data in value.items())
        else:
            number, form = ATTRIBUTES[name]
            body += pack_attribute(number, pack_value(form, value))
    return body


def decode(data, table=None):
    names = {number: (name, form) for name, (number, form) in (table or ATTRIBUTES).items()}
    return {names[number][0]: unpack_value(names[number][1], value)
            for number, value in unpack_attributes(data) if number in names}


def messages(data):
    """(type, flags, seq, pid, payload) of each netlink message in a datagram."""
    while len(data) >= NLMSG.size:
        length, kind, flags, seq, pid = NLMSG.unpack_from(data)
        if length < NLMSG.size or length > len(data):
            raise ValueError(f"netlink message of length {length} in {len(data)}")
        yield kind, flags, seq, pid, data[NLMSG.size:length]
        data = data[(length + 3) & ~3:]


class Genl:
    """A generic netlink socket, which stays in the network namespace it was made in."""

    def __init__(self, netns=None):
        with inside(netns):
            self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_GENERIC)
        self.socket.bind((0, 0))
        self.socket.settimeout(120)
        self.seq = 0
        self.received = []
        self.interrupted = False  # whether the last dump said that it may be inconsistent

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def pack_request(self, family, version, command, body, flags):
        self.seq += 1
        payload = GENL.pack(command, version, 0) + body
        return NLMSG.pack(NLMSG.size + len(payload), family, NLM_F_REQUEST | flags, self.seq,
                          0) + payload

    def answers(self, seq):
        """The payloads of the answers to a request, without the netlink and genl headers."""
        answers = []
        while True:
            if not self.received:
                self.received = list(messages(self.socket.recv(BUFFER)))
            kind, flags, answered, _, data = self.received.pop(0)
            if answered != seq:
                continue
            self.interrupted |= bool(flags & NLM_F_DUMP_INTR)
            if kind in (NLMSG_ERROR, NLMSG_DONE):
                error = -struct.unpack_from("=i", data)[0] if len(data) >= 4 else 0
                if error:
                    raise OSError(error, os.strerror(error))
                return answers
            answers.append(data[GENL.size:])

    def request(self, *request):
        self.interrupted = False
        self.socket.send(self.pack_request(*request))
        return self.answers(self.seq)

    def family(self, name):
        """(id, {group name: group id}); OSError ENOENT when there is no such family."""
        answer = self.request(GENL_ID_CTRL, 2, CTRL_CMD_GETFAMILY,
                              pack_attribute(CTRL_FAMILY_NAME, name.encode() + b"\0"), NLM_F_ACK)
        found = dict(unpack_attributes(answer[0]))
        groups = {}
        for _, group in unpack_attributes(found.get(CTRL_MCAST_GROUPS, b"")):
            parts = dict(unpack_attributes(group))
            group_name = parts[CTRL_GROUP_NAME].rstrip(b"\0").decode()
            groups[group_name] = struct.unpack("=I", parts[CTRL_GROUP_ID])[0]
        return struct.unpack("=H", found[CTRL_FAMILY_ID])[0], groups


class L2tp(Genl):
    """The commands of the family.  Attributes are keyword arguments named as in linux/l2tp.h."""

    def __init__(self, netns=None):
        super().__init__(netns)
        self.family_id, self.groups = self.family("l2tp")

    def command(self, name, flags=NLM_F_ACK, **attributes):
        answers = self.request(self.family_id, 1, COMMANDS.index(name), encode(attributes), flags)
        return [decode(answer) for answer in answers]

    def together(self, *commands):
        """Several (name, attributes) in one datagram, which the kernel does one after the other
        without a pause; a list of their answers, an OSError for one that failed."""
        first = self.seq + 1
        self.socket.send(b"".join(
            self.pack_request(self.family_id, 1, COMMANDS.index(name), encode(attributes), NLM_F_ACK)
            for name, attributes in commands))
        results = []
        for seq in range(first, self.seq + 1):
            try:
                results.append([decode(answer) for answer in self.answers(seq)])
            except OSError as error:
                results.append(error)
        return results

    def tunnel_create(self, **attributes):
        self.command("tunnel_create", **attributes)

    def tunnel_modify(self, **attributes):
        self.command("tunnel_modify", **attributes)

    def tunnel_delete(self, conn_id):
        self.command("tunnel_delete", conn_id=conn_id)

    def tunnel_get(self, conn_id):
        return self.command("tunnel_get", conn_id=conn_id)[0]

    def tunnels(self):
        return self.command("tunnel_get", NLM_F_DUMP)

    def session_create(self, **attributes):
        self.command("session_create", **attributes)

    def session_modify(self, **attributes):
        self.command("session_modify", **attributes)

    def session_delete(self, **selector):
        self.command("session_delete", **selector)

    def session_get(self, **selector):
        return self.command("session_get", **selector)[0]

    def sessions(self):
        return self.command("session_get", NLM_F_DUMP)

    def objects(self):
        """All tunnels and sessions, without counters."""
        return [{name: value for name, value in entry.items() if name != "stats"}
                for entry in self.tunnels() + self.sessions()]

    def has_tunnel(self, conn_id):
        return self._has(self.tunnel_get, conn_id=conn_id)

    def has_session(self, **selector):
        return self._has(self.session_get, **selector)

    @staticmethod
    def _has(get, **selector):
        try:
            get(**selector)
            return True
        except OSError as error:
            if error.errno != errno.ENODEV:
                raise
            return False


class Events(L2tp):
    """A socket of its own for events: on a command's socket its own event comes before the ACK."""

    def __init__(self, netns=None):
        super().__init__(netns)
        self.pending = []
        self.socket.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, self.groups["l2tp"])

    def next(self, seconds=10):
        """(command name, attributes) of the next event, or None when none came in that time."""
        if not self.pending and select.select([self.socket], [], [], seconds)[0]:
            for kind, _, _, _, data in messages(self.socket.recv(BUFFER)):
                if kind == self.family_id:
                    name = COMMANDS[GENL.unpack_from(data)[0]]
                    self.pending.append((name, decode(data[GENL.size:])))
        return self.pending.pop(0) if self.pending else None

    def all(self, quiet=0.5, seconds=10):
        """Every event until none comes for a while."""
        found, deadline = [], time.monotonic() + seconds
        while time.monotonic() < deadline and (event := self.next(quiet)):
            found.append(event)
        return found
