"""The commands of the guides in docs/ on a real kernel, as they stand there."""
import os
import re
import shlex
import subprocess

import pytest
import yaml

from lib import fresh_root, page
from lib.daemons import BUILD, CHECKOUT, L2TPV3CTL, L2tpv3d, Snmpd
from lib.netns import Namespace, ip_batch
from lib.waiting import wait_for

# Of a machine where none has been used, with what `make` does there.
BARE = f"""
rm -rf /var/lib/snmp/* /etc/snmp/snmpd.conf.d/* /run/agentx /var/agentx /var/lib/l2tpv3d
make() {{ case ${{1:-}} in install) docs/install/install {BUILD} ;; esac; }}
cd "$(mktemp -d)"
ln -s {CHECKOUT}/docs docs
"""


@pytest.fixture(scope="module")
def first_minutes(tmp_path_factory):
    blocks = page.blocks("getting-started.md", way="checkout")
    done = fresh_root.run(tmp_path_factory.mktemp("root"), f"exec 2>&1\nset -e\n{BARE}{page.script(blocks)}echo '=== end'\n",
                          kernel="real")
    assert "=== end" in done.stdout, done.stdout + done.stderr
    return blocks, page.printed(done.stdout)


def test_the_first_quarter_of_an_hour_is_as_its_guide_says(first_minutes):
    page.check(*first_minutes)


# ---- troubleshooting.md: each state is brought about, and its commands are run

CTL = '#!/bin/sh\nexec {ctl} -S {socket} "$@"\n'
FAR = "198.51.100.1"
TUNNEL = ("<tunnel><tunnel-id>1</tunnel-id><peer-tunnel-id>2</peer-tunnel-id>{local}"
          f"<remote-address>{FAR}</remote-address>{{more}}<session><session-id>10</session-id>"
          "<peer-session-id>20</peer-session-id><interface-name>pw0</interface-name>{session}</session></tunnel>")
LOCAL = "<local-address>192.0.2.1</local-address>"


class Site:
    """A router as the page has it: 192.0.2.1 on `wan`, and the way to the peer."""

    def __init__(self, router, daemon, folder):
        self.router, self.daemon = router, daemon
        self.bin = folder / "bin"
        self.bin.mkdir()
        (self.bin / "l2tpv3ctl").write_text(CTL.format(ctl=L2TPV3CTL, socket=daemon.socket))
        (self.bin / "l2tpv3ctl").chmod(0o755)

    def sh(self, text):
        done = self.router.run("bash", "-e", "-c", text, check=False,
                               env={**os.environ, "PATH": f"{self.bin}:/usr/sbin:/usr/bin:/sbin:/bin"})
        assert done.returncode == 0, f"{text}{done.stdout}{done.stderr}"
        return done.stdout

    def configure(self, local=LOCAL, more="", session=""):
        with self.daemon.netconf() as client:
            client.edit_config('<l2tpv3 xmlns="urn:l2tpv3d:yang:linux-l2tpv3">'
                               + TUNNEL.format(local=local, more=more, session=session) + "</l2tpv3>")

    def reasons(self):
        with self.daemon.netconf() as client:
            found = client.get().iterfind(".//{*}status-reason")
            return [reason.text for reason in found]


def cause_disabled(site):
    site.configure(more="<enabled>false</enabled>")


def cause_no_local_address(site):
    site.sh("ip address del 192.0.2.1/24 dev wan")
    site.configure()
    site.sh("ip route replace 198.51.100.0/24 dev wan")


def cause_address_in_vrf(site):
    site.sh("ip link add red type vrf table 10; ip link set red up; ip link set wan master red")
    site.configure()


def cause_no_route(site, more=""):
    site.sh("ip route del 198.51.100.0/24")
    site.configure(more=more)


def cause_no_interface_address(site):
    site.sh("ip address del 192.0.2.1/24 dev wan")
    site.configure(local="<local-interface>wan</local-interface>")


def cause_tunnel_not_up(site):
    cause_disabled(site)


def cause_link_down(site):
    site.configure(session="<link-enabled>false</link-enabled>")


def cause_peer_silent(site):
    site.configure(session="<dead-interval>1</dead-interval>")


def cause_externally_modified(site):
    site.configure()
    wait_for(lambda: set(site.reasons()) == {"none"}, "both to be up")
    site.sh("ip l2tp del session tunnel_id 1 session_id 10")


HOLDER = """import socket, time
holder = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
holder.bind(("192.0.2.1", 5000))
print("bound", flush=True)
time.sleep(1000)"""


def cause_address_in_use(site):
    """A change would be refused; so the tunnel waits for something else first."""
    cause_no_route(site, "<local-port>5000</local-port><remote-port>5000</remote-port>")
    wait_for(lambda: "no-route" in site.reasons(), "the tunnel to wait")
    holder = site.router.popen("/usr/bin/python3", "-c", HOLDER, stdout=subprocess.PIPE)
    assert holder.stdout.readline() == b"bound\n"
    site.sh("ip route add 198.51.100.0/24 via 192.0.2.254")


def cause_no_bridge(site):
    site.configure(session="<bridge>br0</bridge>")


def cause_no_interface(site):
    site.configure()
    wait_for(lambda: set(site.reasons()) == {"none"}, "both to be up")
    site.sh("ip netns add elsewhere-$$; ip link set pw0 netns elsewhere-$$; ip netns del elsewhere-$$ || true")


CAUSES = {name.removeprefix("cause_").replace("_", "-"): cause for name, cause in globals().items()
          if name.startswith("cause_")}


@pytest.fixture
def site(request, tmp_path, start):
    options = ["--no-repair"] if request.node.callspec.params["reason"] == "externally-modified" else []
    with Namespace("r") as router, Namespace("gateway") as gateway:
        ip_batch(f"link add wan netns {router.name} type veth peer name lan netns {gateway.name}")
        router.ip_batch("address add 192.0.2.1/24 dev wan", "link set wan up", "route add 198.51.100.0/24 via 192.0.2.254")
        gateway.ip_batch("address add 192.0.2.254/24 dev lan", f"address add {FAR}/24 dev lan", "link set lan up")
        yield Site(router, start(L2tpv3d(router, tmp_path / "r", *options)), tmp_path)


@pytest.mark.parametrize("reason", CAUSES)
def test_the_commands_for_a_reason_find_it_and_cure_it(site, reason):
    look, *cure = [block.text for block in page.blocks("troubleshooting.md", sections=[reason])]
    CAUSES[reason](site)
    wait_for(lambda: reason in site.reasons(), f"the reason {reason}")
    assert reason in site.sh("l2tpv3ctl show problem; l2tpv3ctl -d show tunnel; l2tpv3ctl -d show session")
    site.sh(look)
    for text in cure:
        site.sh(text)
    assert cure
    wait_for(lambda: set(site.reasons()) == {"none"}, "the tunnel and the session to be up")
    site.sh(page.blocks("troubleshooting.md")[0].text)


def test_upgrade_compares_before_and_after(daemon, tmp_path):
    site = Site(daemon.namespace, daemon, tmp_path)
    before, after, shown = page.blocks("upgrade.md")
    site.sh("l2tpv3ctl add tunnel tunnel_id 1 peer_tunnel_id 2 local 10.0.0.1 remote 10.0.0.2")
    site.sh(f"cd {tmp_path}\n{before.text}")
    daemon.restart()
    said = site.sh(f"cd {tmp_path}\n{after.text}")
    page.check([after, shown], [said])
    assert "1 tunnel: 1 up" in said


# ---- docs/lab: the commands of the topology, and of its README, in namespaces

TOPOLOGY = CHECKOUT / "docs/lab/l2tpv3.clab.yml"


@pytest.fixture
def lab(tmp_path, start):
    """{node: Site}, wired as the topology says, each with what docs/lab/start starts there."""
    topology = yaml.safe_load(TOPOLOGY.read_text())["topology"]
    spaces = {name: Namespace(name).create() for name in topology["nodes"]}
    try:
        for link in topology["links"]:
            (one, here), (two, there) = (end.split(":") for end in link["endpoints"])
            ip_batch(f"link add {here} netns {spaces[one].name} type veth peer name {there} netns {spaces[two].name}")
            for name, interface in ((one, here), (two, there)):
                spaces[name].ip("link", "set", interface, "up")
        sites = {}
        for name, space in spaces.items():
            config = (CHECKOUT / "docs/lab/snmpd.conf").read_text().replace("-V l2tpv3", "").splitlines()
            snmpd = start(Snmpd(space, tmp_path / f"{name}-snmpd", *config, port=16161))
            folder = tmp_path / name
            sites[name] = Site(space, start(L2tpv3d(space, folder, "--notify", snmp_master=snmpd.master)), folder)
        for name, node in topology["nodes"].items():
            for line in node["exec"]:  # which no shell reads
                sites[name].sh(f"exec {shlex.join(shlex.split(line))}")
        yield sites
    finally:
        for space in spaces.values():
            space.close()


def test_the_lab_does_what_its_readme_says(lab):
    blocks, said = page.blocks("lab/README.md"), []
    wait_for(lambda: lab["r1"].daemon.logged("connected to the AgentX master") and
             lab["r2"].daemon.logged("connected to the AgentX master"), "both to be connected")
    for block in blocks:
        if block.kind == "sh":
            lines = re.findall(r"^docker exec clab-l2tpv3-(\w+) (.*)$", block.text, re.M)
            assert len(lines) == len(block.text.splitlines())
            said.append("".join(lab[name].sh(line) for name, line in lines))
    page.check(blocks, said)
    wait_for(lambda: "pw0" in lab["r2"].router.interfaces(), "the session to be repaired")
