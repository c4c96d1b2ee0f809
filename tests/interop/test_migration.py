"""The configuration in the words of systemd-networkd and VyOS, and back, on the simulated kernel."""
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from lib.daemons import CHECKOUT

NETWORKD = "/lib/systemd/systemd-networkd"


def ok(daemon, line, **kwargs):
    return daemon.ctl(*line.split(), **kwargs).stdout


def config(daemon):
    return json.loads(ok(daemon, "-j get-config")).get("linux-l2tpv3:l2tpv3", {}).get("tunnel", [])


def refusals(done, path):
    """What was not taken: number of the line, reason."""
    found = re.findall(rf"^{re.escape(str(path))}:(\d+): not taken: (.*)$", done.stderr, re.M)
    assert len(found) == len(done.stderr.splitlines()), done.stderr
    return [(int(number), reason) for number, reason in found]


# ---- networkd

EDGE = """\
# a site that has been there for long
[NetDev]
Name=l2tp-site-a
Kind=l2tp
Description=Site A; backhaul
MTUBytes=1500

[L2TP]
TunnelId=11
PeerTunnelId=12
Local=10.0.0.1
Remote=192.0.2.20
EncapsulationType=udp
UDPSourcePort=4000
UDPDestinationPort=5000
UDPChecksum=yes

[L2TPSession]
Name=site-a
SessionId=25
PeerSessionId=26

[L2TPSession]
Name=site-b
SessionId=28
PeerSessionId=29
Layer2SpecificHeader=none
"""

PORT = """\
[Match]
Name=site-a

[Link]
MTUBytes=1446
RequiredForOnline=no

[Network]
Bridge=br-core
Address=198.51.100.1/24
"""


def test_files_of_networkd_are_imported_and_what_is_not_taken_is_said(daemon, tmp_path):
    folder = tmp_path / "network"
    folder.mkdir()
    (folder / "90-site.netdev").write_text(EDGE)
    (folder / "20-site-a.network").write_text(PORT)
    (folder / "10-eth0.network").write_text("[Match]\nName=eth0\n\n[Network]\nDHCP=yes\n")
    (folder / "10-br.netdev").write_text("[NetDev]\nName=br-core\nKind=bridge\n[Bridge]\nSTP=yes\n")
    done = daemon.ctl("import", folder)
    assert done.stdout == "1 tunnel and 2 sessions taken in one commit, 4 lines not taken\n"
    told = [line.replace(f"{folder}/", "") for line in done.stderr.splitlines()]
    assert told == [
        "10-br.netdev:3: not taken: a netdev of kind bridge is not L2TP",
        "90-site.netdev:6: not taken: [NetDev] MTUBytes= is left to networkd: there is no leaf for it",
        "20-site-a.network:6: not taken: [Link] RequiredForOnline= is left to networkd: there is no leaf for it",
        "20-site-a.network:10: not taken: [Network] Address= is left to networkd: there is no leaf for it"]
    assert config(daemon) == [{
        "tunnel-id": 11, "description": "Site A; backhaul", "peer-tunnel-id": 12,
        "local-address": "10.0.0.1", "remote-address": "192.0.2.20", "local-port": 4000, "remote-port": 5000,
        "udp-checksum": True, "session": [
            {"session-id": 25, "peer-session-id": 26, "interface-name": "site-a", "mtu": 1446, "bridge": "br-core"},
            {"session-id": 28, "peer-session-id": 29, "interface-name": "site-b", "l2-specific-sublayer": "none"}]}]
    assert len(ok(daemon, "history").splitlines()) == 1


@pytest.mark.parametrize("change, number, reason", [
    (("Local=10.0.0.1", "Local=auto"), 11, "Local=auto: say which address it is, or of which interface"),
    (("TunnelId=11\n", "TunnelId=0\n"), 9, "TunnelId: given 0; allowed 1..4294967295"),
    (("Remote=192.0.2.20", "Remote=peer.example"), 12, "Remote: "),
    (("SessionId=28\n", ""), 26, "the [L2TPSession] before has no SessionId"),
    (("SessionId=28", "SessionId=x"), 25, 'SessionId: given "x"'),
    (("Name=site-b", "Naame=site-b"), 24, "[L2TPSession] Naame= is left to networkd"),
    (("[L2TPSession]\nName=site-b", "Session two"), 23, "this is no line of a .netdev or .network file"),
])
def test_a_line_that_is_wrong_is_said_with_its_number(daemon, tmp_path, change, number, reason):
    path = tmp_path / "a.netdev"
    assert change[0] in EDGE
    path.write_text(EDGE.replace("MTUBytes=1500\n", "\n").replace(*change, 1))
    done = daemon.ctl("import", path, check=False)
    assert (number, True) in [(n, told.startswith(reason)) for n, told in refusals(done, path)], done.stderr


def test_what_networkd_can_have_comes_back_from_it_unchanged(daemon, tmp_path):
    ok(daemon, "add tunnel session tid 1 ptid 2 local 10.0.0.1 remote 10.0.0.2 udp_sport 5001 udp_dport 5002 udp_csum on "
               "sid 7 psid 8 name pw0 mtu 1400 bridge br0 description far")
    ok(daemon, "add session tid 1 sid 9 psid 10 name pw1 link_enabled off l2spec_type none mac_address 02:00:00:00:00:07")
    ok(daemon, "add tunnel session tid 3 ptid 4 encap ip local 10.0.0.1 local_interface eth0 remote 10.0.0.3 sid 30 psid 31")
    ok(daemon, "add tunnel tid 5 ptid 5 local fd00::1 remote fd00::2 udp6_csum_tx off")
    ok(daemon, "add tunnel tid 6 ptid 6 encap ip dev eth0 remote 10.0.0.6")
    before, folder = config(daemon), tmp_path / "network"
    folder.mkdir()
    printed, written = ok(daemon, "get-config --networkd"), ok(daemon, f"get-config --networkd={folder}")
    assert sorted(written.splitlines()) == sorted(map(str, folder.iterdir()))
    assert "".join(f"# /etc/systemd/network/{Path(path).name}\n{Path(path).read_text()}\n"
                   for path in written.splitlines()) == printed
    for source in (folder, "-"):
        for number in (1, 3, 5, 6):
            ok(daemon, f"del tunnel tid {number}")
        done = daemon.ctl("import", source, input=printed if source == "-" else None)
        assert done.stdout == "4 tunnels and 3 sessions taken in one commit, 0 lines not taken\n" and done.stderr == ""
        assert config(daemon) == before


def test_what_networkd_and_vyos_have_no_words_for_is_said(daemon):
    ok(daemon, "add tunnel session tid 1 ptid 2 local 10.0.0.1 remote 10.0.0.2 sid 7 psid 8 name pw0 cookie 01234567 "
               "dead_interval 30")
    ok(daemon, "add session tid 1 sid 8 psid 9 enabled off")
    ok(daemon, "add session tid 1 sid 9 psid 9 pw_type ppp")
    ok(daemon, "add tunnel session tid 3 ptid 4 enabled off encap ip local_interface eth0 remote 10.0.0.2 sid 10 psid 10")
    done = daemon.ctl("get-config", "--networkd")
    assert [line.removeprefix("l2tpv3ctl: note: ") for line in done.stderr.splitlines()] == [
        "networkd has no words for session 1/7: tx-cookie", "networkd has no words for session 1/7: dead-interval",
        "left out: session 1/8: networkd has nothing that is disabled",
        "left out: session 1/9: networkd makes Ethernet pseudowires only",
        "left out: tunnel 3: networkd has nothing that is disabled", "left out: session 3/10: networkd lacks its tunnel"]
    assert "01234567" not in done.stdout + done.stderr
    told = daemon.ctl("get-config", "--vyos").stderr
    assert "session 1/7: VyOS wants an interface-name of the form l2tpeth<number>" in told
    assert daemon.ctl("get-config", "--vyos", "-j", check=False).returncode == 2


def test_networkd_itself_reads_its_files_without_a_warning(daemon, tmp_path):
    if not Path(NETWORKD).exists() or not shutil.which("unshare"):
        pytest.skip("systemd-networkd is not installed")
    folder, script = tmp_path / "network", tmp_path / "read.sh"
    folder.mkdir(mode=0o755)
    ok(daemon, "add tunnel session tid 1 ptid 2 local 10.0.0.1 remote 10.0.0.2 udp_csum on sid 7 psid 8 name pw0 mtu 1400 "
               "description far")
    ok(daemon, "add session tid 1 sid 9 psid 10 name pw1 link_enabled off l2spec_type none mac_address 02:00:00:00:00:07")
    ok(daemon, "add tunnel tid 3 ptid 4 encap ip local_interface eth0 remote 10.0.0.3")
    ok(daemon, "add tunnel tid 5 ptid 5 local fd00::1 remote fd00::2 udp6_csum_tx off")
    ok(daemon, f"get-config --networkd={folder}")
    (folder / "99-wrong.netdev").write_text("[NetDev]\nName=x\nKind=l2tp\n[L2TP]\nColour=red\n")
    script.write_text(f"mount -t tmpfs t /run && mount -t tmpfs t /etc/systemd/network && chmod 755 /etc/systemd/network &&\n"
                      f"cp {folder}/* /etc/systemd/network && SYSTEMD_LOG_LEVEL=debug SYSTEMD_LOG_TARGET=console "
                      f"timeout 5 {NETWORKD}\n")
    done = subprocess.run(["unshare", "-nm", "bash", script], text=True, capture_output=True)
    said = done.stdout + done.stderr
    if "99-wrong.netdev" not in said:
        pytest.skip(f"systemd-networkd does not read files here: {said[:200]!r}")
    for name in ("l2tp1", "l2tp3", "l2tp5"):
        assert f'{name}: loaded "l2tp"' in said, said
    told = [line for line in said.splitlines() if "/etc/systemd/network/30-" in line and "Setting RequiredForOnline=no" not in line]
    assert told == [] and "Unknown key" in said, told


# ---- VyOS

VYOS = """\
set interfaces bridge br0 member interface l2tpeth10
set interfaces ethernet eth0 address '10.0.0.1/24'
set interfaces l2tpv3 l2tpeth10 address '192.0.2.33/27'
set interfaces l2tpv3 l2tpeth10 description "Customer 10, rack 4"
set interfaces l2tpv3 l2tpeth10 encapsulation 'udp'
set interfaces l2tpv3 l2tpeth10 source-address '10.0.0.1'
set interfaces l2tpv3 l2tpeth10 remote '203.0.113.9'
set interfaces l2tpv3 l2tpeth10 tunnel-id '210'
set interfaces l2tpv3 l2tpeth10 peer-tunnel-id '10'
set interfaces l2tpv3 l2tpeth10 session-id '110'
set interfaces l2tpv3 l2tpeth10 peer-session-id '10'
set interfaces l2tpv3 l2tpeth11 encapsulation 'ip'
set interfaces l2tpv3 l2tpeth11 local-ip '10.0.0.1'
set interfaces l2tpv3 l2tpeth11 remote-ip '203.0.113.10'
set interfaces l2tpv3 l2tpeth11 tunnel-id '211'
set interfaces l2tpv3 l2tpeth11 peer-tunnel-id '11'
set interfaces l2tpv3 l2tpeth11 session-id '111'
set interfaces l2tpv3 l2tpeth11 peer-session-id '11'
set interfaces l2tpv3 l2tpeth11 mtu '1400'
set interfaces l2tpv3 l2tpeth11 disable
set interfaces l2tpv3 l2tpeth12 tunnel-id '12'
set protocols static route 198.51.100.0/24 interface l2tpeth10
set system host-name 'edge'
"""


def test_commands_of_vyos_are_imported_and_come_back(daemon, tmp_path):
    path = tmp_path / "vyos.txt"
    path.write_text(VYOS)
    done = daemon.ctl("import", path)
    assert done.stdout == "2 tunnels and 2 sessions taken in one commit, 3 lines not taken\n"
    assert refusals(done, path) == [(3, "address of l2tpeth10 is left to others: there is no leaf for it"),
                                    (22, "protocols static about l2tpeth10 is left to others"),
                                    (23, "l2tpeth12 has no peer-tunnel-id")]
    one, two = config(daemon)
    assert one == {"tunnel-id": 210, "peer-tunnel-id": 10, "local-address": "10.0.0.1",
                   "remote-address": "203.0.113.9", "local-port": 5000, "remote-port": 5000, "session": [
                       {"session-id": 110, "description": "Customer 10, rack 4", "peer-session-id": 10,
                        "interface-name": "l2tpeth10", "mtu": 1488, "bridge": "br0"}]}
    assert "local-port" not in two and two["session"][0]["link-enabled"] is False and two["session"][0]["mtu"] == 1400
    before, saved = config(daemon), ok(daemon, "get-config --vyos")
    assert "set interfaces bridge br0 member interface l2tpeth10\n" in saved and " l2tpeth11 disable\n" in saved
    ok(daemon, "del tunnel tid 210")
    ok(daemon, "del tunnel tid 211")
    assert daemon.ctl("import", "-", "--from", "vyos", input=saved).stderr == ""
    assert config(daemon) == before


@pytest.mark.parametrize("section, source", [("systemd-networkd", "/etc/systemd/network"), ("VyOS", "vyos.txt")])
def test_the_guide(daemon, tmp_path, section, source):
    path = tmp_path / "given"
    if section == "VyOS":
        path.write_text(VYOS)
    else:
        path.mkdir()
        (path / "90-site.netdev").write_text(EDGE)
    text = (CHECKOUT / "docs/migration.md").read_text().partition(f"## {section}\n")[2].partition("\n## ")[0]
    check, take, back = (line.replace(source, str(path)) for line in re.findall(r"^    l2tpv3ctl (.*)$", text, re.M))
    assert "created" in daemon.ctl(*check.split()).stdout
    assert config(daemon) == []
    assert "taken in one commit" in daemon.ctl(*take.split()).stdout
    assert "l2tp" in daemon.ctl(*back.split()).stdout.lower()


def test_what_a_file_is_may_be_said(daemon, tmp_path):
    path = tmp_path / "x"
    path.write_text(VYOS)
    assert daemon.ctl("import", path, "--from", "cisco", check=False).returncode == 2
    done = daemon.ctl("import", path, "--from", "ip")
    assert done.stdout == f"0 lines taken in one commit, {len(VYOS.splitlines())} not taken\n"
    done = daemon.ctl("import", tmp_path / "state", check=False)
    assert done.returncode == 1 and "has no .netdev and no .network files" in done.stderr
