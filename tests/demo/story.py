"""What the demo does and says, scene by scene.  Each returns what was not as it should be."""
import json
import re
import time
import xml.etree.ElementTree as ET

import snmp_words
from telling import bad, command, explain, good, heading, say, shown

PICTURE = """
   r1, configured by SNMP                            r2, configured by XML over ssh
  +---------------------------+                    +---------------------------+
  |  snmpset -> snmpd         |                    |         sshd <- NETCONF   |
  |               | AgentX    |                    |           |               |
  |            l2tpv3d        |                    |        l2tpv3d            |
  |               | netlink   |                    |           | netlink       |
  |  office === kernel: L2TPv3|-- 10.0.0.1  .2 ----|kernel: L2TPv3 === office  |
  +---------------------------+   tunnel 1 <-> 2   +---------------------------+
   192.168.50.1                 session 10 <-> 20                  192.168.50.2
"""
PINGS = 5
SETTLE_SECONDS = 15  # the daemons serve counters up to a second old


class Faults(list):
    def check(self, holds, what, otherwise=None):
        if holds:
            good(what)
        else:
            bad(otherwise or what)
            self.append(otherwise or what)


def do(stage, faults, router, text, lines=None):
    """Type a command at a router and show what it prints."""
    command(router, text)
    done = stage.run(router, text)
    shown(done.stdout, lines)
    if done.returncode:
        faults.check(False, f"status {done.returncode} from: {text.splitlines()[0]}")
    return done.stdout


def provision_by_snmp(stage, faults):
    heading("1. Configure router r1 by SNMP")
    explain("One SET request makes a tunnel and a session in it. All its variables are one "
            "transaction: all of them are applied to the kernel and on the disk before the answer "
            "comes, or none is.")
    if not stage.texts:
        explain("(The texts of the standard MIBs are not installed, hence numbers, not names.)")
    do(stage, faults, "r1", snmp_words.snmpset(bool(stage.texts)))


def provision_by_xml(stage, faults):
    heading("2. Configure router r2 by XML")
    explain("The same model as YANG, so as an XML document. Identifiers and cookies mirror r1's: "
            "what one end sends, the other requires.")
    do(stage, faults, "r2", "cat r2.xml")
    explain("A NETCONF client logs in over ssh and pushes it. Again one transaction.")
    do(stage, faults, "r2", "netconf push r2.xml")


def ping(stage, faults):
    heading("3. Send packets through")
    explain("Each session is an Ethernet interface, here called office. It gets an address as any "
            "other.")
    for router, host in (("r1", 1), ("r2", 2)):
        do(stage, faults, router, f"ip address add 192.168.50.{host}/24 dev office")
    output = do(stage, faults, "r1", f"ping -c {PINGS} -i 0.2 192.168.50.2")
    faults.check(f" {PINGS} received" in output, f"{PINGS} pings went through the pseudowire",
                 "the ping does not go through")


def look(stage, faults):
    heading("4. Look at it through each door")
    explain("By SNMP: the whole MIB, tables of tunnels and sessions, their state and their "
            "counters.")
    whole, stats = (("l2tpv3MIB", "l2tpv3SessionStatsTable") if stage.texts
                    else (snmp_words.ROOT, snmp_words.oid("5")))
    walk = do(stage, faults, "r1", f"snmpwalk localhost {whole}", lines=14)
    faults.check(len(walk.splitlines()) > 60, "the MIB can be walked")
    do(stage, faults, "r1", f"snmpwalk localhost {stats}")
    explain("By XML:")
    got = do(stage, faults, "r2", "netconf get", lines=16)
    faults.check("<oper-status>up</oper-status>" in got, "r2 says that the tunnel is up")
    explain("In a shell: l2tpv3ctl takes the words of `ip l2tp` and prints as it does, and more.")
    do(stage, faults, "r1", "l2tpv3ctl show tunnel")
    do(stage, faults, "r1", "l2tpv3ctl -s show session")
    explain("And the kernel's own tool finds the same session:")
    do(stage, faults, "r1", "ip l2tp show session")


def numbers_of(text, pattern):
    found = re.search(pattern, text, re.S)
    return tuple(map(int, found.groups())) if found else None


def by_snmp(stage):
    place = f"{snmp_words.ROOT}.5.1.{{}}.{snmp_words.SESSION}"
    return numbers_of(stage.run("r1", f"snmpget -Oqv localhost {place.format(1)} {place.format(4)}")
                      .stdout, r"(\d+)\D+(\d+)")


def by_kernel(router):
    def read(stage):
        return numbers_of(stage.run(router, "kernel-counters").stdout,
                          r"tx_packets (\d+).*rx_packets (\d+)")
    return read


def by_ctl(router):
    def read(stage):
        text = stage.run(router, "l2tpv3ctl -j -s show session").stdout
        found = {}
        collect(json.loads(text), found)
        return int(found.get("tx-packets", -1)), int(found.get("rx-packets", -1))
    return read


def collect(node, found):
    """The leaves of the session's statistics, wherever the JSON has them."""
    children = node if isinstance(node, list) else node.values() if isinstance(node, dict) else ()
    if isinstance(node, dict) and "session-id" in node:
        found.update(node.get("statistics", {}))
    for child in children:
        collect(child, found)


def by_xml(stage):
    tree = ET.fromstring(stage.run("r2", "netconf get").stdout)
    statistics = tree.find(".//{*}session/{*}statistics")
    return tuple(int(statistics.findtext(f"{{*}}{way}-packets")) for way in ("tx", "rx"))


READERS = (
    ("r1", "SNMP: snmpget", by_snmp),
    ("r1", "shell: l2tpv3ctl", by_ctl("r1")),
    ("r1", "kernel: generic netlink", by_kernel("r1")),
    ("r2", "XML: NETCONF get", by_xml),
    ("r2", "shell: l2tpv3ctl", by_ctl("r2")),
    ("r2", "kernel: generic netlink", by_kernel("r2")),
)


def agree(found):
    """All of one router say the same, and what one router sent the other received."""
    r1, r2 = ({value for router, _, value in found if router == name} for name in ("r1", "r2"))
    if len(r1) != 1 or len(r2) != 1 or None in r1 | r2:
        return False
    (tx1, rx1), (tx2, rx2) = r1.pop(), r2.pop()
    return (tx1, rx1) == (rx2, tx2) and tx1 >= PINGS


def compare_counters(stage, faults):
    heading("5. Compare the counters")
    explain("The same packets, asked of each door, and of the kernel without any of our code. "
            "What r1 sent r2 must have received.")
    deadline = time.monotonic() + SETTLE_SECONDS
    while not agree(found := [(router, name, read(stage)) for router, name, read in READERS]):
        if time.monotonic() > deadline:
            break
        time.sleep(0.5)
    say()
    say(f"  {'':<32} {'sent':>8} {'received':>9}")
    for router, name, value in found:
        sent, received = value or ("-", "-")
        say(f"  {router + '  ' + name:<32} {sent:>8} {received:>9}")
    faults.check(agree(found), "all agree", "the counters disagree")


def interface_index(stage):
    return (stage.routers["r1"].link("office") or {}).get("ifindex")


def restart(stage, faults):
    heading("6. Kill the daemon")
    explain("The pseudowire is the kernel's: it works on without the daemon. Started again, the "
            "daemon finds its configuration on the disk, compares, and writes nothing.")
    daemon = stage.daemons["r1"]
    before = interface_index(stage)
    command("r1", f"kill -9 {daemon.pid}")
    daemon.kill()
    output = do(stage, faults, "r1", "ping -c 1 192.168.50.2")
    faults.check(" 1 received" in output, "packets flow without the daemon")
    command("r1", stage.command_line(daemon))
    daemon.start()
    after = interface_index(stage)
    faults.check(before and before == after, f"it is still the same interface, number {after}",
                 "the interface was made anew")
    output = do(stage, faults, "r1", "l2tpv3ctl -d show tunnel")
    faults.check("up" in output, "the daemon knows its tunnel again")


SCENES = (provision_by_snmp, provision_by_xml, ping, look, compare_counters, restart)


def tell(stage):
    faults = Faults()
    heading("l2tpv3d: the kernel's L2TPv3 tunnels, managed")
    explain("Two routers in network namespaces of their own, which nobody else sees and which "
            "are gone at the end. Each runs l2tpv3d; r1 also an snmpd, r2 also an sshd.")
    say(PICTURE)
    for process in stage.started:
        command(process.namespace.label, stage.command_line(process))
    for scene in SCENES:
        scene(stage, faults)
    say()
    faults.check(not faults, "that was the demo; all is as it should be",
                 f"{len(faults)} things were not as they should be")
    return faults


def introduce_shell():
    heading("Your turn")
    explain("r1 COMMAND... and r2 COMMAND... run a command at a router; r1 alone is a shell there. "
            "In a router: l2tpv3ctl, snmpwalk localhost l2tpv3MIB, snmpset, kernel-counters, and "
            "in r2: netconf get, netconf push FILE. The end of this shell takes everything down.")
    for line in ("r1 l2tpv3ctl help", "r1 snmpwalk localhost l2tpv3SessionTable",
                 "r2 l2tpv3ctl set session tid 2 sid 20 mtu 1400", "r2 tcpdump -ni wan"):
        say(f"  {line}")
    say()
