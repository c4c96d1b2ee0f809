"""The snmpset that configures r1: with names when the MIB texts are there, with numbers if not."""

ROOT = "1.3.6.1.4.1.8072.9999.9999.3931.1"
TUNNEL, SESSION = "1", "1.10"

# name, its place in our MIB, type letter, value, what stands for that value without MIB texts
SETTINGS = (
    ("l2tpv3TunnelPeerTunnelId", "2.1.3", TUNNEL, "u", "2", None),
    ("l2tpv3TunnelLocalAddressType", "2.1.5", TUNNEL, "i", "ipv4", "1"),
    ("l2tpv3TunnelLocalAddress", "2.1.6", TUNNEL, "d", "10.0.0.1", None),
    ("l2tpv3TunnelRemoteAddressType", "2.1.8", TUNNEL, "i", "ipv4", "1"),
    ("l2tpv3TunnelRemoteAddress", "2.1.9", TUNNEL, "d", "10.0.0.2", None),
    ("l2tpv3TunnelRowStatus", "2.1.24", TUNNEL, "i", "createAndGo", "4"),
    ("l2tpv3SessionPeerSessionId", "4.1.3", SESSION, "u", "20", None),
    ("l2tpv3SessionInterfaceName", "4.1.6", SESSION, "s", "office", None),
    ("l2tpv3SessionCookieTxCookie", "6.1.1", SESSION, "x", "0807f6e5d4c3b2a1", None),
    ("l2tpv3SessionCookieRxCookie", "6.1.2", SESSION, "x", "a1b2c3d4e5f60708", None),
    ("l2tpv3SessionRowStatus", "4.1.23", SESSION, "i", "createAndGo", "4"),
)


def oid(place):
    return f"{ROOT}.{place}"


def snmpset(names):
    lines = ["snmpset localhost"]
    for name, place, index, letter, value, number in SETTINGS:
        if names:
            words = f"{name + '.' + index:<34} {letter} {value}"
        else:
            words = f"{oid(place) + '.' + index:<48} {letter} {number or value}"
        lines.append(words)
    return " \\\n    ".join(lines)
