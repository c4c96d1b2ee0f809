"""Two daemons, two contexts, one snmpd: each is read and set in its own, by SNMPv3 and by communities that stand for it."""
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import agentx  # noqa: E402
from lib.agentx import Master, column  # noqa: E402
from lib.built import need_built  # noqa: E402
from lib.daemons import L2TPV3D, L2tpv3d, Snmpd, free_port  # noqa: E402
from lib.here import Here  # noqa: E402
from lib.snmp import ROOT  # noqa: E402

need_built(L2TPV3D)
need_snmpd = pytest.mark.skipif(not shutil.which("snmpd"), reason="snmpd is not installed")
COLOURS = ("blue", "red")
PEER_ID = 3
VIEWS = ["view all included .1", "createUser joe", "rwuser joe noauth"] + [
    line for colour in COLOURS for line in (
        f"com2sec -Cn {colour} {colour} default {colour}", f"group {colour} v2c {colour}",
        f"access {colour} {colour} any noauth exact all all none", f'access grpjoe {colour} any noauth exact all all none')]
VIEWS += ["group grpjoe usm joe"]


def add_tunnel(daemon, peer_id):
    daemon.ctl("add", "tunnel", "tunnel_id", "1", "peer_tunnel_id", peer_id, "encap", "udp", "local", "192.0.2.1",
               "remote", "192.0.2.2", "udp_sport", "5000", "udp_dport", "5000")


@pytest.fixture
def snmpd(tmp_path):
    snmpd = Snmpd(Here(), tmp_path / "snmpd", *VIEWS, port=free_port()).start()
    yield snmpd
    snmpd.stop()


@pytest.fixture
def daemons(tmp_path, snmpd):
    found = {colour: L2tpv3d(Here(), tmp_path / colour, "--context", colour, snmp_master=snmpd.master, kernel="sim")
             for colour in COLOURS}
    for number, colour in enumerate(COLOURS):
        found[colour].start().wait_for_log("connected to the AgentX master")
        add_tunnel(found[colour], 100 + number)
    yield found
    for daemon in found.values():
        assert daemon.stop() == 0, daemon.log()


def v3(snmpd, tool, colour, *arguments):
    done = subprocess.run([tool, "-v3", "-u", "joe", "-l", "noAuthNoPriv", *(["-n", colour] if colour else []), "-On",
                           "-t", "10", "-r", "0", snmpd.address, *arguments], text=True, capture_output=True,
                          env={"PATH": "/usr/bin", "MIBS": "", "SNMPCONFPATH": "/nonexistent"})
    return done.stdout + done.stderr


@need_snmpd
def test_each_context_has_its_own_rows(snmpd, daemons):
    oid = column(2, PEER_ID, 1)
    for number, colour in enumerate(COLOURS):
        assert snmpd.manager(colour).get(oid) == 100 + number
        walked = snmpd.manager(colour).bulk_walk()
        assert walked[oid] == 100 + number and len(walked) > 30
        assert walked == snmpd.manager(colour).walk()
        assert f".{oid} = Gauge32: {100 + number}" in v3(snmpd, "snmpwalk", colour, ROOT)
    assert snmpd.manager("public").get(oid) is None  # in the default context there is none
    assert snmpd.manager("public").walk() == {}


@need_snmpd
def test_a_set_changes_one_context_alone(snmpd, daemons):
    oid = column(2, PEER_ID, 1)
    snmpd.manager("red").set((oid, "u", 7))
    assert "Gauge32: 8" in v3(snmpd, "snmpset", "blue", oid, "u", "8")
    assert [snmpd.manager(colour).get(oid) for colour in COLOURS] == [8, 7]
    for colour, peer_id in zip(COLOURS, ("8", "7")):
        assert re.search(r"[Pp]eer tunnel (\d+)", daemons[colour].ctl("show", "tunnel").stdout)[1] == peer_id


@need_snmpd
def test_one_that_goes_leaves_the_others_alone(snmpd, daemons):
    daemons["blue"].kill()
    assert snmpd.manager("red").get(column(2, PEER_ID, 1)) == 101
    assert snmpd.manager("blue").get(column(2, PEER_ID, 1)) is None
    daemons["blue"].start().wait_for_log("connected to the AgentX master")
    assert snmpd.manager("blue").get(column(2, PEER_ID, 1)) == 100


@need_snmpd
def test_a_notification_of_snmpv3_has_the_context(tmp_path):
    """It is neither authenticated nor encrypted, so its context can be read as it stands."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
        sink.bind(("127.0.0.1", 0))
        sink.settimeout(30)
        snmpd = Snmpd(Here(), tmp_path / "snmpd", *VIEWS, "trapsess -v3 -u joe -l noAuthNoPriv -e 0x8000000001020304 "
                      f"127.0.0.1:{sink.getsockname()[1]}", port=free_port()).start()
        daemon = L2tpv3d(Here(), tmp_path, "--context", "blue", "--notify", snmp_master=snmpd.master, kernel="sim")
        daemon.start().wait_for_log("connected to the AgentX master")
        add_tunnel(daemon, 100)
        ours = bytes([0x2b, 6, 1, 4, 1, 0xbf, 8])  # 1.3.6.1.4.1.8072
        while ours + b"\xce\x0f" not in (octets := sink.recv(65536)):
            pass
        assert b"\x04\x04blue" in octets
        assert daemon.stop() == 0
        snmpd.stop()


def test_what_the_master_hears_has_the_context(tmp_path):
    with Master(tmp_path / "master") as master:
        daemon = L2tpv3d(Here(), tmp_path, "--context", "blue", "--notify", snmp_master=master.path, kernel="sim")
        with open(daemon.log_path, "ab") as log:
            daemon.process = daemon.namespace.popen(*daemon.argv, stdout=log, stderr=log, env=daemon.env)
        session = master.accept()
        session.serve_until(agentx.OPEN)
        for _ in agentx.REGISTERED:
            assert session.serve_until(agentx.REGISTER).context == b"blue"
        daemon.wait_for_log(r"\bready\b")
        add_tunnel(daemon, 100)
        assert session.serve_until(agentx.NOTIFY).context == b"blue"
        master.close()
        assert daemon.stop() == 0


def test_a_name_that_is_too_long_is_refused(tmp_path):
    daemon = L2tpv3d(Here(), tmp_path, "--context", 33 * "x", snmp_master=tmp_path / "none", kernel="sim")
    done = daemon.namespace.run(*daemon.argv, check=False, timeout=20)
    assert done.returncode != 0 and "given an SNMP context of 33 octets; allowed 32" in done.stderr
