"""Users of different rights at the daemon's socket, and NACM's configuration (RFC 8341) for them.  Needs root."""
import os
from pathlib import Path

from .netconf import BASE, L2TP, Netconf

ACM = "urn:ietf:params:xml:ns:yang:ietf-netconf-acm"
GAMES, NEWS = (5, 60), (9, 9)  # users that every Debian has, of groups of the same names


def nacm(inner, attribute=""):
    return f'<nacm xmlns="{ACM}" xmlns:nc="{BASE}"{attribute}>{inner}</nacm>'


def group(name, *users):
    return f"<group><name>{name}</name>{''.join(f'<user-name>{user}</user-name>' for user in users)}</group>"


def rule(name, action, inner=""):
    return f"<rule><name>{name}</name>{inner}<action>{action}</action></rule>"


def rules(name, groups, *inner):
    return f"<rule-list><name>{name}</name><group>{groups}</group>{''.join(inner)}</rule-list>"


def path(text):
    return f'<path xmlns:x="{L2TP}">{text}</path>'


def operations(text):
    return f"<access-operations>{text}</access-operations>"


def open_to_all(daemon):
    """After each start: what the group l2tpv3d does on a router, for any user."""
    for parent in daemon.socket.parents:
        if parent != Path("/") and parent.stat().st_uid == os.getuid():
            parent.chmod(parent.stat().st_mode | 0o055)
    os.chmod(daemon.socket, 0o666)


class As:
    """A client of another user: only while it connects is this process that user."""

    def __init__(self, daemon, user, groups=()):
        self.daemon, self.user, self.groups = daemon, user, list(groups)

    def connect(self):
        groups = os.getgroups()
        os.setgroups(self.groups)
        os.setegid(self.user[1])
        os.seteuid(self.user[0])
        try:
            return Netconf(self.daemon.socket)
        finally:
            os.seteuid(0)
            os.setegid(0)
            os.setgroups(groups)

    def __enter__(self):
        self.client = self.connect()
        return self.client

    def __exit__(self, *_):
        self.client.close()
