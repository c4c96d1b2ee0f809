"""docs/migration.md on a real kernel, while packets flow."""
import re
import signal

from lib.daemons import CHECKOUT
from lib.waiting import wait_for

PAGE = (CHECKOUT / "docs" / "migration.md").read_text()
MADE = ("l2tp add tunnel tunnel_id 3000 peer_tunnel_id 3000 encap udp local {0} remote {1} udp_sport 1701 udp_dport 1701",
        "l2tp add session tunnel_id 3000 session_id 1 peer_session_id 1 name pw0 cookie 01234567 peer_cookie 01234567",
        "link set pw0 mtu 1400 up")


def commands(section):
    return re.findall(r"^    l2tpv3ctl (.*)$", PAGE.partition(f"## {section}\n")[2].partition("\n## ")[0], re.M)


def test_there_and_back_without_a_lost_packet(daemon, r1, r2, k1, tmp_path):
    for router in (r1, r2):
        router.ip_batch(*(line.format(router.ip4, router.peer.ip4) for line in MADE), f"address add 10.9.9.{router.number}/24 dev pw0")
    r1.run("ping", "-c", "1", "-W", "30", "10.9.9.2")
    index = r1.link("pw0")["ifindex"]
    output = tmp_path / "ping"
    with open(output, "wb") as file:
        ping = r1.popen("ping", "-n", "-i", "0.05", "10.9.9.2", stdout=file)
    foreign, adopt, ours = commands("A router that is up")
    shown = wait_for(lambda: daemon.ctl(*foreign.split()).stdout, "the tunnel to be seen")
    assert shown.startswith("Tunnel 3000,") and daemon.ctl(*ours.split()).stdout == ""
    daemon.ctl(*adopt.split())
    assert daemon.ctl(*ours.split()).stdout.startswith("Tunnel 3000,") and daemon.ctl(*foreign.split()).stdout == ""

    script = daemon.ctl(*commands("Back again")[0].split()[:2]).stdout
    daemon.stop()
    assert k1.has_tunnel(3000) and r1.link("pw0")["ifindex"] == index
    ping.send_signal(signal.SIGINT)
    ping.wait()
    numbers = [int(number) for number in re.findall(r"icmp_seq=(\d+)", output.read_text())]
    assert numbers == list(range(1, len(numbers) + 1)) and len(numbers) > 3

    r1.ip("l2tp", "del", "tunnel", "tunnel_id", "3000")
    wait_for(lambda: "pw0" not in r1.interfaces() and not k1.tunnels(), "it to go")
    r1.run("sh", "-e", "-c", script)
    r1.ip("address", "add", "10.9.9.1/24", "dev", "pw0")
    r1.run("ping", "-c", "1", "-W", "30", "10.9.9.2")


def test_a_script_is_tried_and_then_taken(daemon, r1, k1, tmp_path):
    lines = [f"ip {line}\n".format(r1.ip4, r1.peer.ip4) for line in MADE]
    (tmp_path / "l2tp.sh").write_text("".join([*lines, "ip route add default via 10.0.0.2\n"]))
    check, take = (line.replace("l2tp.sh", str(tmp_path / "l2tp.sh")).split() for line in commands("A script that has not run"))
    assert "2 created" in daemon.ctl(*check).stdout and not k1.tunnels()
    done = daemon.ctl(*take)
    assert ":4: not taken: " in done.stderr
    wait_for(lambda: k1.has_tunnel(3000) and r1.link("pw0"), "the session")
    assert r1.link("pw0")["mtu"] == 1400
