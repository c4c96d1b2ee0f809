"""N named Ethernet sessions in tunnel 1, in every contestant's language, and back to nothing."""
from pathlib import Path

from lib.genl import L2tp
from lib.netconf import L2TP
from lib.netns import Namespace
from lib.waiting import wait_for

LOCAL, REMOTE, TUNNEL, PORT, PREFIX = "10.0.0.1", "10.0.0.2", 1, 1701, "l2"
RCU_EXPEDITED = Path("/sys/kernel/rcu_expedited")


def session_xml(number, leaves=""):
    return (f"<session><session-id>{number}</session-id><peer-session-id>{number}</peer-session-id>"
            f"<interface-name>{PREFIX}{number}</interface-name>{leaves.format(number)}</session>")


def document(numbers, leaves=""):
    """@leaves: more of each session, {} its number."""
    return (f'<l2tpv3 xmlns="{L2TP}"><tunnel><tunnel-id>{TUNNEL}</tunnel-id>'
            f"<peer-tunnel-id>{TUNNEL}</peer-tunnel-id><local-address>{LOCAL}</local-address>"
            f"<remote-address>{REMOTE}</remote-address>{''.join(session_xml(n, leaves) for n in numbers)}"
            "</tunnel></l2tpv3>")


def entry_xml(session, leaves=""):
    """A filter or an edit for one session."""
    return (f'<l2tpv3 xmlns="{L2TP}"><tunnel><tunnel-id>{TUNNEL}</tunnel-id><session>'
            f"<session-id>{session}</session-id>{leaves}</session></tunnel></l2tpv3>")


def removal_xml(numbers):
    """Remove these sessions, or with None the tunnel."""
    operation = 'xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0" nc:operation="delete"'
    if numbers is None:
        return (f'<l2tpv3 xmlns="{L2TP}"><tunnel {operation}><tunnel-id>{TUNNEL}</tunnel-id>'
                "</tunnel></l2tpv3>")
    sessions = "".join(f"<session {operation}><session-id>{n}</session-id></session>"
                       for n in numbers)
    return (f'<l2tpv3 xmlns="{L2TP}"><tunnel><tunnel-id>{TUNNEL}</tunnel-id>{sessions}'
            "</tunnel></l2tpv3>")


def ip_batch(numbers):
    lines = [f"l2tp add tunnel tunnel_id {TUNNEL} peer_tunnel_id {TUNNEL} encap udp local {LOCAL} "
             f"remote {REMOTE} udp_sport {PORT} udp_dport {PORT}"]
    for n in numbers:
        lines.append(f"l2tp add session name {PREFIX}{n} tunnel_id {TUNNEL} session_id {n} "
                     f"peer_session_id {n}")
        lines.append(f"link set {PREFIX}{n} up")
    return "\n".join(lines) + "\n"


def ip_batch_removal(numbers):
    if numbers is None:
        return f"l2tp del tunnel tunnel_id {TUNNEL}\n"
    return "".join(f"l2tp del session tunnel_id {TUNNEL} session_id {n}\n" for n in numbers)


class Place:
    """A router of its own for the contestants, and what the kernel says is there."""

    def __init__(self):
        self.namespace = Namespace("bench").create()
        self.namespace.ip("link", "add", "wan", "up", "type", "dummy")
        self.namespace.ip("address", "add", f"{LOCAL}/24", "dev", "wan")
        self.kernel = L2tp(self.namespace.name)

    def close(self):
        self.clear()
        self.kernel.close()
        self.namespace.close()

    def links(self):
        return {name: link for name, link in self.namespace.links().items()
                if name.startswith(PREFIX)}

    def empty(self):
        return not (self.kernel.tunnels() or self.kernel.sessions() or self.interfaces())

    def interfaces(self):
        return {name for name in self.namespace.interfaces() if name.startswith(PREFIX)}

    def check(self, count):
        """Every contestant must have reached the same state."""
        sessions, links = self.kernel.sessions(), self.links()
        up = [link for link in links.values() if "UP" in link["flags"]]
        found = len({s["session_id"] for s in sessions}), len(links), len(up)
        if found != (count, count, count):
            raise AssertionError(f"sessions, interfaces, up: {found}, not {count} of each")

    def clear(self):
        """Remove everything, without waiting for the grace periods that a removal is made of."""
        RCU_EXPEDITED.write_text("1")
        try:
            for tunnel in self.kernel.tunnels():
                self.kernel.tunnel_delete(tunnel["conn_id"])
            wait_for(self.empty, "the kernel to have removed everything", 600, pause=0.2)
        finally:
            RCU_EXPEDITED.write_text("0")
