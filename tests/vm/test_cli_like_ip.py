"""A command line that works with `ip l2tp` works with l2tpv3ctl, and prints the same."""
import pytest

from lib.waiting import wait_for

ENDS4 = "local 10.0.0.1 remote 10.0.0.2"
ENDS6 = "local fd00::1 remote fd00::2"
PORTS = "udp_sport 5000 udp_dport 6000"
TUNNEL = f"add tunnel tunnel_id 3000 peer_tunnel_id 4000 encap udp {ENDS4} {PORTS}"

# Each line on its own, because `ip l2tp show` lets values of one object leak into the next.
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


def blocks(text):
    """What is printed of each object; kernels before 6.12 dump in no order."""
    found = []
    for line in text.splitlines():
        if line.startswith(("Tunnel", "Session")):
            found.append([])
        found[-1].append(line)
    return sorted(found)


def ip_l2tp(router, line):
    return router.run("ip", "l2tp", *line.split(), check=False)


def show_both(router, what):
    return blocks(ip_l2tp(router, f"show {what}").stdout)


def clear(router, tunnel_id):
    router.run("ip", "l2tp", "del", "tunnel", "tunnel_id", str(tunnel_id))
    wait_for(lambda: not show_both(router, "tunnel"), "the tunnel to go")
    wait_for(lambda: router.interfaces() == {"lo", "wan"}, "its interfaces to go")


def both_do(r1, r2, daemon, lines):
    """r2 by ip, r1 by l2tpv3ctl: same status, same output, same in the kernel, same shown."""
    for line in lines:
        # r2 has the addresses of the other end.
        swapped = line.replace("10.0.0.1 ", "10.0.0.X ").replace("fd00::1 ", "fd00::X ")
        swapped = swapped.replace("10.0.0.2", "10.0.0.1").replace("fd00::2", "fd00::1")
        swapped = swapped.replace("10.0.0.X", "10.0.0.2").replace("fd00::X", "fd00::2")
        theirs = ip_l2tp(r2, swapped)
        ours = daemon.ctl(*line.split(), check=False)
        assert theirs.returncode == 0, theirs.stderr
        assert (ours.returncode, ours.stdout) == (0, theirs.stdout), ours.stderr
    for what in ("tunnel", "session"):
        expected = show_both(r2, what)
        for block in expected:
            block[1] = block[1].replace("From 10.0.0.2 to 10.0.0.1", "From 10.0.0.1 to 10.0.0.2")
            block[1] = block[1].replace("From fd00::2 to fd00::1", "From fd00::1 to fd00::2")
        assert show_both(r1, what) == expected
        assert blocks(daemon.ctl("show", what).stdout) == expected


@pytest.mark.parametrize("line", TUNNELS)
def test_a_tunnel_line_does_the_same(daemon, r1, r2, line):
    both_do(r1, r2, daemon, [line])


@pytest.mark.parametrize("line", SESSIONS)
def test_a_session_line_does_the_same(daemon, r1, r2, line):
    both_do(r1, r2, daemon, [TUNNEL, line])


def test_deleting_does_the_same(daemon, r1, r2):
    session = SESSIONS[0]
    both_do(r1, r2, daemon, [TUNNEL, session, "del session tunnel_id 3000 session_id 1000"])
    wait_for(lambda: not show_both(r2, "session"), "the session to go")
    both_do(r1, r2, daemon, [session])
    for router, delete in ((r2, lambda: ip_l2tp(r2, "del tunnel tunnel_id 3000")),
                           (r1, lambda: daemon.ctl("del", "tunnel", "tunnel_id", "3000"))):
        assert delete().returncode == 0
        wait_for(lambda: not show_both(router, "tunnel") and not show_both(router, "session"),
                 "tunnel and session to go")
    assert daemon.ctl("show", "tunnel").stdout == ""


@pytest.mark.parametrize("line", REFUSED)
def test_what_ip_refuses_is_refused(daemon, r1, line):
    daemon.ctl(*TUNNEL.split())
    before = show_both(r1, "tunnel"), show_both(r1, "session")
    assert ip_l2tp(r1, line).returncode != 0
    ours = daemon.ctl(*line.split(), check=False)
    assert ours.returncode in (1, 2), ours.stdout
    assert ours.stderr.startswith("l2tpv3ctl: ")
    assert (show_both(r1, "tunnel"), show_both(r1, "session")) == before


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
    assert shown.splitlines()[-1] == "  status: up, foreign"
    refused = daemon.ctl("del", "tunnel", "tunnel_id", "3000", check=False)
    assert refused.returncode == 1
    assert refused.stderr.startswith("l2tpv3ctl: /l2tpv3/tunnel[tunnel-id='3000']")
    daemon.ctl("adopt", "tunnel_id", "3000")
    assert blocks(daemon.ctl("show", "session").stdout) == show_both(r1, "session")
