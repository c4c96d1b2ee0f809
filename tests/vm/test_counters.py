"""Counters of many sessions, read in order: by a dump where the kernel dumps in order (6.12), by GETs
where it does not (6.1).  Both tell what the kernel tells an independent reader.
"""
import json

import pytest

from lib.netconf import L2TP, subtree
from lib.waiting import wait_for
from lib.wire import Tap, marked_frame

MANY, FOREIGN = 400, 9
WHAT = "the counters to be the kernel's"  # what was read is served for a second
NAMES = {"tx_packets": "tx-packets", "tx_bytes": "tx-bytes", "rx_packets": "rx-packets"}
ALL = (f'<l2tpv3 xmlns="{L2TP}"><tunnel><tunnel-id/><session><session-id/><statistics/></session>'
       "</tunnel></l2tpv3>")


@pytest.fixture
def sessions(daemon, r1, k1):
    """Tunnel 1 with many sessions of ours, tunnel 2 with some of others; no packets but the tests'."""
    r1.run("sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1")
    content = "".join(f"<session><session-id>{n}</session-id><peer-session-id>{n}</peer-session-id>"
                      f"<interface-name>pw{n}</interface-name></session>"
                      for n in range(1, MANY + 1))
    with daemon.netconf() as client:
        client.edit_config(
            f'<l2tpv3 xmlns="{L2TP}"><tunnel><tunnel-id>1</tunnel-id>'
            "<peer-tunnel-id>1</peer-tunnel-id><encapsulation>ip</encapsulation>"
            "<local-address>10.0.0.1</local-address><remote-address>10.0.0.2</remote-address>"
            f"{content}</tunnel></l2tpv3>")
    r1.ip_batch("l2tp add tunnel tunnel_id 2 peer_tunnel_id 2 encap ip local 10.0.0.1 remote 10.0.0.2",
                *(f"l2tp add session tunnel_id 2 session_id {MANY + n} peer_session_id 1 name their{n}"
                  for n in range(1, FOREIGN + 1)),
                *(f"link set their{n} up" for n in range(1, FOREIGN + 1)))
    wait_for(lambda: len(netconf(daemon)) == MANY + FOREIGN, "all sessions to be shown")


def send(r1, frames):
    """frames: {interface: how many}"""
    for interface, count in frames.items():
        with Tap(r1, interface) as tap:
            for _ in range(count):
                tap.send(marked_frame())


def kernel(k1):
    return {s["session_id"]: {ours: s["stats"][theirs] for theirs, ours in NAMES.items()}
            for s in k1.sessions()}


def netconf(daemon):
    with daemon.netconf() as client:
        data = client.rpc(f"<get>{subtree(ALL)}</get>")
    return {int(s.findtext("{*}session-id")):
            {name: int(s.findtext(f"{{*}}statistics/{{*}}{name}")) for name in NAMES.values()}
            for s in data.iterfind(".//{*}session")}


def shell(daemon):
    shown = json.loads(daemon.ctl("-j", "-s", "show", "session").stdout)
    return {s["session-id"]: {name: int(s["statistics"][name]) for name in NAMES.values()}
            for s in shown}


def test_every_session_has_its_own_counters(sessions, daemon, r1, k1):
    for turn in range(1, 4):
        send(r1, {"pw1": turn, "pw8": 2, f"pw{MANY // 2}": turn + 3, f"pw{MANY}": 1, "their3": turn})
        expected = kernel(k1)
        assert len(expected) == MANY + FOREIGN
        assert expected[1]["tx-packets"] == sum(range(1, turn + 1))
        wait_for(lambda: netconf(daemon) == expected, WHAT)
        wait_for(lambda: shell(daemon) == expected, WHAT)


def test_a_reader_who_stops_in_the_middle_is_no_harm(sessions, daemon, r1, k1):
    """Its dump is left and begun anew, again and again."""
    middle = (f'<l2tpv3 xmlns="{L2TP}"><tunnel><tunnel-id>1</tunnel-id>'
              + "".join(f"<session><session-id>{n}</session-id><statistics/></session>"
                        for n in range(1, 40)) + "</tunnel></l2tpv3>")
    for turn in range(1, 4):
        with daemon.netconf() as client:
            client.rpc(f"<get>{subtree(middle)}</get>")
        send(r1, {"pw5": 1, f"pw{MANY}": 1})
        wait_for(lambda: netconf(daemon) == kernel(k1), WHAT)
    r1.ip("l2tp", "del", "tunnel", "tunnel_id", "2")
    wait_for(lambda: netconf(daemon).keys() == set(range(1, MANY + 1)), "theirs to be gone")
