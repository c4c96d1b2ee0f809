"""A command line that works with `ip l2tp` works with l2tpv3ctl, and prints the same."""
import re

from lib.like_ip import both_clear, both_do, ctl, ip_l2tp, show_all
from lib.waiting import wait_for

ENDS4 = "local 10.0.0.1 remote 10.0.0.2"
ENDS6 = "local fd00::1 remote fd00::2"
PORTS = "udp_sport 5000 udp_dport 6000"
TUNNEL = f"add tunnel tunnel_id 3000 peer_tunnel_id 4000 encap udp {ENDS4} {PORTS}"

# Each line is tried on its own, because `ip l2tp show` lets values of one object leak into the
# next; one daemon does for many, because starting all this takes seconds under emulation.
TUNNELS = [
    TUNNEL,
    f"a tunnel tid 0x10 ptid 010 encap ip {ENDS4}",
    f"ad tid 4294967295 ptid 4294967295 {PORTS} {ENDS4} tunnel udp_csum on",
    f"add tunnel tid 1 ptid 2 {ENDS4} {PORTS} udp_csum off",
    f"add tunnel tid 1 ptid 2 encap udp {ENDS6} {PORTS}",
    f"add tunnel tid 1 ptid 2 encap udp {ENDS6} {PORTS} udp6_csum_tx off",
    f"add tunnel tid 1 ptid 2 encap udp {ENDS6} {PORTS} udp6_csum_rx off",
    f"add tunnel tid 1 ptid 2 encap udp {ENDS6} {PORTS} udp6_csum_tx off udp6_csum_rx off",
    f"add tunnel tid 1 ptid 2 encap ip {ENDS6}",
    f"add tunnel tid 1 ptid 2 encap ip {ENDS4} {PORTS} udp_csum on",
    f"add tunnel tid 1 ptid 2 encap udp {ENDS4} {PORTS} session_id 5 peer_session_id 6",
]
SESSIONS = [
    "add session tunnel_id 3000 session_id 1000 peer_session_id 2000",
    "add session name pw7 tid 3000 sid 0xffffffff psid 1",
    "add session tid 3000 sid 1 psid 1 cookie 0123abcd",
    "add session tid 3000 sid 1 psid 1 peer_cookie 0123456789ABCDEF",
    "add session tid 3000 sid 1 psid 1 cookie 0123456789abcdef peer_cookie 01234567 seq both",
    "add session tid 3000 sid 1 psid 1 seq send",
    "add session tid 3000 sid 1 psid 1 seq recv l2spec_type default",
    "add session tid 3000 sid 1 psid 1 seq none l2spec_type none",
    "add tid 3000 ptid 4000 session sid 1 psid 1 l2spec_type NONE",
]
# What `ip l2tp` refuses is refused here.
REFUSED = [
    "add tunnel",
    "add tunnel_id 1",
    f"add tunnel tid 0 ptid 1 {ENDS4} {PORTS}",
    f"add tunnel tid 4294967296 ptid 1 {ENDS4} {PORTS}",
    f"add tunnel tid 1 ptid 1 encap sctp {ENDS4} {PORTS}",
    f"add tunnel tid 1 ptid 1 local any remote 10.0.0.2 {PORTS}",
    f"add tunnel tid 1 ptid 1 {PORTS} remote 10.0.0.2",
    f"add tunnel tid 1 ptid 1 {ENDS4} {PORTS} udp_csum maybe",
    f"add tunnel tid 1 ptid 1 local 10.0.0.1 remote fd00::2 {PORTS}",
    "add session tid 3000 sid 1",
    "add session tid 3000 sid 1 psid 1 cookie 01234567a",
    "add session tid 3000 sid 1 psid 1 cookie 0123456x",
    "add session tid 3000 sid 1 psid 1 seq perhaps",
    "add session tid 3000 sid 1 psid 1 l2spec_type ethernet",
    "add session tid 3000 sid 1 psid 1 name a/b",
    "add session tid 3000 sid 1 psid 1 colour red",
    "add session tid 99 sid 1 psid 1",
    TUNNEL,
    "del tunnel tunnel_id 99",
    "del session tunnel_id 3000 session_id 99",
    "del session tunnel_id 3000",
    "show",
    "show tunnel colour red",
    "frobnicate",
]


def test_a_tunnel_line_does_the_same(daemon, r1, r2, k1, k2):
    for line in TUNNELS:
        both_do(r1, r2, daemon, line)
        both_clear(r1, r2, k1, k2, daemon)


def test_a_session_line_does_the_same(daemon, r1, r2, k1, k2):
    for line in SESSIONS:
        both_do(r1, r2, daemon, TUNNEL, line)
        both_clear(r1, r2, k1, k2, daemon)


def test_deleting_a_session_does_the_same(daemon, r1, r2, k1, k2):
    both_do(r1, r2, daemon, TUNNEL, SESSIONS[0])
    line = "del session tunnel_id 3000 session_id 1000"
    assert ip_l2tp(r2, line).returncode == 0
    done = ctl(daemon, line)
    assert (done.returncode, done.stdout) == (0, "")
    wait_for(lambda: not k1.sessions() and not k2.sessions(), "the sessions to go")
    both_do(r1, r2, daemon)
    assert ctl(daemon, "show session").stdout == ""


def test_what_ip_refuses_is_refused(daemon, r1):
    daemon.ctl(*TUNNEL.split())
    before = show_all(r1)
    for line in REFUSED:
        assert ip_l2tp(r1, line).returncode != 0, line
        ours = ctl(daemon, line)
        assert ours.returncode in (1, 2) and not ours.stdout, (line, ours.stdout)
        assert ours.stderr.startswith("l2tpv3ctl: "), (line, ours.stderr)
    assert show_all(r1) == before


def test_ports_may_be_left_out(daemon, r1):
    """ip insists on them; here they are the registered 1701."""
    daemon.ctl("add", "tunnel", "tunnel_id", 1, "peer_tunnel_id", 2, *ENDS4.split())
    assert "  UDP source / dest ports: 1701/1701\n" in ip_l2tp(r1, "show tunnel").stdout


def test_filters_filter(daemon):
    daemon.ctl(*TUNNEL.split())
    for session_id in (1, 2, 3):
        daemon.ctl(*f"add session tid 3000 sid {session_id} psid 9 name pw{session_id}".split())
    assert daemon.ctl("show", "session", "session_id", "2").stdout.count("Session ") == 1
    assert "interface name: pw3\n" in daemon.ctl("show", "session", "name", "pw3").stdout
    assert daemon.ctl("show", "session", "tunnel_id", "1").stdout == ""


def test_an_object_of_others_is_shown_as_foreign(daemon, r1):
    assert ip_l2tp(r1, TUNNEL).returncode == 0
    assert ip_l2tp(r1, SESSIONS[0]).returncode == 0
    shown = wait_for(lambda: daemon.ctl("show", "session").stdout, "the foreign session")
    assert re.match("  status: [a-z]+, foreign", shown.splitlines()[-1])
    refused = daemon.ctl("del", "tunnel", "tunnel_id", "3000", check=False)
    assert refused.returncode == 1
    assert refused.stderr.startswith("l2tpv3ctl: /l2tpv3/tunnel[tunnel-id='3000']")
    daemon.ctl("adopt", "tunnel_id", "3000")
    assert "foreign" not in daemon.ctl("show", "session").stdout
    assert daemon.ctl("show", "session").stdout.startswith(ip_l2tp(r1, "show session").stdout)
