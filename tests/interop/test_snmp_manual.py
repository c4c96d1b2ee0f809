"""The commands of docs/snmp.md, as they stand there, in a root of their own; and what they are said to print."""
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import fresh_root  # noqa: E402
from lib.built import need_built  # noqa: E402
from lib.daemons import BUILD, CHECKOUT, L2TPV3CTL, L2TPV3D, RELAY  # noqa: E402

need_built(L2TPV3D, L2TPV3CTL, RELAY)
PAGE = (CHECKOUT / "docs" / "snmp.md").read_text()
BLOCKS = re.findall(r"^```(sh|text)\n(.*?)^```$", PAGE, re.M | re.S)

# Of a machine where neither has been used: as Debian installs it, and with our name for the router.
BARE = rf"""
rm -rf /root/.snmp /var/lib/snmp/* /etc/snmp/snmpd.conf.d/* /run/agentx /var/agentx /usr/local/share/snmp
rm -f /usr/share/snmp/mibs/LINUX-L2TPV3-MIB
ip addr add 192.0.2.1/32 dev lo
echo '192.0.2.1 router' >>/etc/hosts
make() {{ docs/install/install {BUILD}; }}  # what `make install` does when all is built
l2tpv3d() {{
	command l2tpv3d --kernel sim "$@"
	until l2tpv3ctl -S /run/l2tpv3d/blue.sock status | grep -q 'registered with its master'; do sleep 0.1; done
}}
cd {CHECKOUT}
"""
AFTER = """
for i in $(seq 200); do grep -q TunnelOperStatus.3000 /var/log/snmptrapd.log && break; sleep 0.1; done
cat /var/log/snmptrapd.log
echo '=== end'
grep -v '^# ' /var/lib/snmp/snmpd.conf
cat /var/log/l2tpv3d.log
ls -l /usr/share/snmp/mibs/LINUX-L2TPV3-MIB
"""


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """What each block prints, both streams; then what came of it all."""
    if os.geteuid() != 0:
        pytest.skip("needs root, for a root of its own")
    if reason := fresh_root.missing():
        pytest.skip(f"no overlay over / here: {reason}")
    for program in "snmpd", "snmptrapd", "snmpwalk":
        if not shutil.which(program, path="/usr/sbin:/usr/bin"):
            pytest.skip(f"{program} is not installed")
    texts = subprocess.run([CHECKOUT / "mibs" / "texts"], capture_output=True, text=True)
    if texts.returncode:
        pytest.skip(texts.stderr)
    script = BARE + "".join(f"echo '=== block' >&2\n{text}" for kind, text in BLOCKS if kind == "sh")
    done = fresh_root.run(tmp_path_factory.mktemp("root"), f"exec 2>&1\nset -e\n{script}\necho '=== block'\n{AFTER}")
    assert "=== end" in done.stdout, done.stdout + done.stderr
    before, *blocks = done.stdout.split("=== block\n")
    return blocks


def test_each_block_prints_what_the_page_shows(outputs):
    printed = ""
    left = iter(outputs)
    for kind, text in BLOCKS:
        if kind == "sh":
            printed = next(left)
            continue
        lines = [" ".join(line.split()) for line in printed.splitlines()]
        for line in text.splitlines():
            assert any(" ".join(line.split()) in one for one in lines), f"{line!r} is not in:\n{printed}"


def test_what_is_left_behind(outputs):
    received, left = outputs[-1].split("=== end\n")
    assert re.search(r"^\d{4}-\d\d-\d\d \S+ (router|192.0.2.1)\b.*l2tpv3Tunnel\w+\b.*TunnelOperStatus.3000 = INTEGER: removing",
                     received, re.M), received
    # snmpd has made keys of the passphrases.
    assert left.count("usmUser ") >= 3 and "createUser" not in left and "passphrase" not in left
    assert "ERROR: " not in left
    assert "-> /usr/local/share/snmp/mibs/LINUX-L2TPV3-MIB.txt" in left
