"""The judge of all messages (lib/judge.py) refuses what is wrong, or it would prove nothing."""
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import oracle  # noqa: E402
from lib.netconf import BASE, EVENTS, L2TP, Netconf  # noqa: E402

pytestmark = pytest.mark.skipif(bool(oracle.missing()), reason=oracle.missing() or "nothing is missing")
TUNNEL = f'<l2tpv3 xmlns="{L2TP}"><tunnel><tunnel-id>1</tunnel-id>{{}}</tunnel></l2tpv3>'
GOOD = ("<peer-tunnel-id>2</peer-tunnel-id><local-address>192.0.2.1</local-address>"
        "<remote-address>192.0.2.2</remote-address>")
ERROR = "<rpc-error><error-type>{}</error-type><error-tag>{}</error-tag><error-severity>error</error-severity></rpc-error>"


def reply(inner):
    return f'<rpc-reply xmlns="{BASE}" message-id="1">{inner}</rpc-reply>'


def changed(inner):
    return (f'<notification xmlns="{EVENTS}"><eventTime>2026-11-30T20:00:00Z</eventTime><tunnel-state-change xmlns="{L2TP}">'
            f"{inner}</tunnel-state-change></notification>")


@pytest.mark.parametrize("text", [
    reply("<bogus/>"), reply(ERROR.format("application", "bogus")), reply(ERROR.format("bogus", "in-use")),
    reply(f"<data>{TUNNEL.format('<bogus/>')}</data>"), reply(f"<data>{TUNNEL.format('<local-port>0</local-port>')}</data>"),
    reply(f"<data>{TUNNEL.format('').replace('<tunnel-id>1</tunnel-id>', '')}</data>"), changed("<bogus/>"),
    changed("<tunnel-id>0</tunnel-id>"),
])
def test_it_refuses(text):
    Netconf.judge.known.clear()
    with pytest.raises(AssertionError):
        Netconf.judge.message(text, {"1": "<get/>"})


def test_it_accepts():
    for text in (reply("<ok/>"), reply(ERROR.format("application", "in-use")), reply(f"<data>{TUNNEL.format(GOOD)}</data>"),
                 changed("<tunnel-id>1</tunnel-id><oper-status>up</oper-status><status-reason>none</status-reason>")):
        Netconf.judge.known.clear()
        Netconf.judge.message(text, {"1": "<get/>" if "<data>" in text else "<commit/>"})


def test_a_snapshot_is_whole():
    Netconf.judge.known.clear()
    Netconf.judge.snapshot(TUNNEL.format(GOOD))
    for text in (TUNNEL.format(""), TUNNEL.format(GOOD + "<oper-status>up</oper-status>")):
        Netconf.judge.known.clear()
        with pytest.raises(AssertionError):
            Netconf.judge.snapshot(text)
