"""What the demo does and says, scene by scene.  Each notes what was not as it should be."""
import json
import re
import select
import signal
import subprocess
import time
import xml.etree.ElementTree as ET

from telling import bad, command, explain, good, heading, say, shown, summary

PICTURE = """
   r1, configured by SNMP                            r2, configured by NETCONF
  +---------------------------+                    +---------------------------+
  |  snmpset -> snmpd         |   notifications    |  snmptrapd                |
  |               | AgentX    | -----------------> |         sshd <- NETCONF   |
  |            l2tpv3d        |                    |        l2tpv3d            |
  |               | netlink   |                    |           | netlink       |
  |  office === kernel: L2TPv3|-- 10.0.0.1  .2 ----|kernel: L2TPv3 === office  |
  |  lab    ===               |   tunnel 1 <-> 2   |               === lab     |
  +---------------------------+                    +---------------------------+
   192.168.50.1        office: session 10 <-> 20                   192.168.50.2
                       lab:    session 11 <-> 21
"""
SNMPSET = """snmpset 127.0.0.1 \\
    l2tpv3TunnelPeerTunnelId.1       u 2 \\
    l2tpv3TunnelLocalAddressType.1   i ipv4   l2tpv3TunnelLocalAddress.1  d 10.0.0.1 \\
    l2tpv3TunnelRemoteAddressType.1  i ipv4   l2tpv3TunnelRemoteAddress.1 d 10.0.0.2 \\
    l2tpv3TunnelRowStatus.1          i createAndGo \\
    l2tpv3SessionPeerSessionId.1.10  u 20 \\
    l2tpv3SessionInterfaceName.1.10  s office \\
    l2tpv3SessionCookieTxCookie.1.10 x 0807f6e5d4c3b2a1 \\
    l2tpv3SessionCookieRxCookie.1.10 x a1b2c3d4e5f60708 \\
    l2tpv3SessionRowStatus.1.10      i createAndGo"""
CLASH = """snmpset 127.0.0.1 \\
    l2tpv3SessionPeerSessionId.1.12 u 22  l2tpv3SessionInterfaceName.1.12 s office \\
    l2tpv3SessionRowStatus.1.12 i createAndGo"""
REASON = 'interface "office" is that of session 10 of tunnel 1; choose another name, or leave it out'
# What r1 sends: L2TPv3 data over UDP, r2's session 20, the cookie that it requires, an empty sublayer.
ON_THE_WIRE = "00030000" "00000014" "0807f6e5d4c3b2a1" "00000000"
PINGS = 5
SECONDS = 60  # for what takes two at most, on a machine that has time


class Faults(list):
    """What was not as it should be."""

    def check(self, holds, what, otherwise=None):
        if holds:
            good(what)
        else:
            bad(otherwise or what)
            self.append(otherwise or what)


def run(stage, faults, router, text, fails=False):
    """Run a command at a router; its outcome, and a fault when its status is not the expected one."""
    done = stage.run(router, text)
    if bool(done.returncode) != fails:
        faults.check(False, f"status {done.returncode} from: {text.splitlines()[0]}")
    return done.stdout


def do(stage, faults, router, text, lines=None, fails=False):
    """Type a command at a router and show what it prints."""
    command(router, text)
    output = run(stage, faults, router, text, fails)
    shown(output, lines)
    return output


def do_until(stage, faults, router, text, pattern, what):
    """The same, as soon as it prints what it should."""
    deadline = time.monotonic() + SECONDS
    while not re.search(pattern, stage.run(router, text).stdout, re.S) and time.monotonic() < deadline:
        time.sleep(0.3)
    output = do(stage, faults, router, text)
    faults.check(re.search(pattern, output, re.S), what)
    return output


def provision_by_snmp(stage, faults):
    explain("One SET request makes a tunnel and a session in it. All its variables are one "
            "transaction: all of them are applied to the kernel and on the disk before the answer "
            "comes, or none is.")
    do(stage, faults, "r1", SNMPSET, lines=3)
    explain("The kernel has it, as its own tool says:")
    output = do(stage, faults, "r1", "ip l2tp show session")
    faults.check("Session 10 in tunnel 1" in output, "the session is in the kernel")


def provision_by_xml(stage, faults):
    explain("The same model as YANG, so as an XML document. Identifiers and cookies mirror r1's: "
            "what one end sends, the other requires.")
    do(stage, faults, "r2", "cat r2.xml")
    explain("A NETCONF client logs in over ssh and pushes it. Again one transaction.")
    output = do(stage, faults, "r2", "netconf push r2.xml")
    faults.check("<ok/>" in output, "the router has taken it")


def provision_by_shell(stage, faults):
    explain("A second pseudowire between the same two routers. l2tpv3ctl takes the words of `ip l2tp`, "
            "and more of its own.")
    do(stage, faults, "r1", "l2tpv3ctl add session tid 1 sid 11 psid 21 name lab description 'the lab'")
    do(stage, faults, "r2", "l2tpv3ctl add session tid 2 sid 21 psid 11 name lab")
    output = do(stage, faults, "r1", "l2tpv3ctl -t show session")
    faults.check(len(re.findall(r" up ", output)) == 2, "both sessions are up")


def ping(stage, faults):
    explain("Each session is an Ethernet interface. office gets an address as any other.")
    for router, host in (("r1", 1), ("r2", 2)):
        do(stage, faults, router, f"ip address add 192.168.50.{host}/24 dev office")
    output = do(stage, faults, "r1", f"ping -c {PINGS} -i 0.2 192.168.50.2")
    faults.check(f" {PINGS} received" in output, f"{PINGS} pings went through the pseudowire",
                 "the ping does not go through")


def capture(stage, faults):
    explain("The wire between the routers, while r1 pings. (tcpdump knows version 2 of L2TP only.)")
    output = do(stage, faults, "r1", "ping -i 0.3 192.168.50.2 >ping.log &\n"
                "timeout 60 tcpdump -c 1 -X -ni wan src host 10.0.0.1 and udp port 1701 2>/dev/null; kill $!")
    octets = "".join(re.findall(r"0x\w{4}:  ((?:[0-9a-f]+ )+)", output)).replace(" ", "")
    explain("IP and UDP; then 0003 0000, version 3 and a data message; session 20 in four octets; its "
            "cookie of eight; four of the sublayer; and the Ethernet frame.")
    faults.check(ON_THE_WIRE in octets, "session 20 and its cookie are on the wire")


def look(stage, faults):
    explain("By SNMP: the whole MIB, tables of tunnels and sessions, their state and counters.")
    walk = do(stage, faults, "r1", "snmpwalk 127.0.0.1 l2tpv3MIB", lines=6)
    faults.check(len(walk.splitlines()) > 60, "the MIB can be walked")
    explain("By NETCONF:")
    got = do(stage, faults, "r2", "netconf get", lines=12)
    faults.check("<oper-status>up</oper-status>" in got, "r2 says that the tunnel is up")
    explain("By shell:")
    do(stage, faults, "r1", "l2tpv3ctl status")
    explain("The same packets, asked of each door, and of the kernel without any of our code. "
            "What r1 sent r2 must have received.")
    deadline = time.monotonic() + SECONDS
    while not agree(found := [("r2", "XML: NETCONF get", by_xml(got)),
                              *((router, name, read(stage)) for router, name, read in READERS)]):
        if time.monotonic() > deadline:
            break
        got = stage.run("r2", "netconf get").stdout
    say()
    say(f"  {'':<32} {'sent':>8} {'received':>9}")
    for router, name, value in sorted(found):
        sent, received = value or ("-", "-")
        say(f"  {router + '  ' + name:<32} {sent:>8} {received:>9}")
    faults.check(agree(found), "all agree", "the counters disagree")


def numbers_of(text, pattern):
    found = re.search(pattern, text, re.S)
    return tuple(map(int, found.groups())) if found else None


def by_snmp(stage):
    return numbers_of(stage.run("r1", "snmpget -Oqv 127.0.0.1 l2tpv3SessionStatsTxPackets.1.10 "
                                "l2tpv3SessionStatsRxPackets.1.10").stdout, r"(\d+)\D+(\d+)")


def by_kernel(router, session):
    def read(stage):
        return numbers_of(stage.run(router, "kernel-counters").stdout,
                          rf"session {session} in[^\n]*tx_packets (\d+)[^\n]*rx_packets (\d+)")
    return read


def by_ctl(router, session):
    def read(stage):
        text = stage.run(router, f"l2tpv3ctl -j -s show session sid {session}").stdout
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


def by_xml(got):
    statistics = next(session.find("{*}statistics") for session in ET.fromstring(got).iterfind(".//{*}session")
                      if session.findtext("{*}session-id") == "20")
    return tuple(int(statistics.findtext(f"{{*}}{way}-packets")) for way in ("tx", "rx"))


READERS = (
    ("r1", "SNMP: snmpget", by_snmp),
    ("r1", "shell: l2tpv3ctl", by_ctl("r1", 10)),
    ("r1", "kernel: generic netlink", by_kernel("r1", 10)),
    ("r2", "shell: l2tpv3ctl", by_ctl("r2", 20)),
    ("r2", "kernel: generic netlink", by_kernel("r2", 20)),
)


def agree(found):
    """All of one router say the same, and what one router sent the other received."""
    r1, r2 = ({value for router, _, value in found if router == name} for name in ("r1", "r2"))
    if len(r1) != 1 or len(r2) != 1 or None in r1 | r2:
        return False
    (tx1, rx1), (tx2, rx2) = r1.pop(), r2.pop()
    return (tx1, rx1) == (rx2, tx2) and tx1 >= PINGS


def refuse(stage, faults):
    explain("A session whose interface name is taken. What one door refuses every door refuses, and with "
            "the same reason: by SNMP, where it is read from a variable,")
    do(stage, faults, "r1", CLASH, fails=True)
    said = [do(stage, faults, "r1", "snmpget -Oqv 127.0.0.1 l2tpv3LastError.0")]
    explain("by NETCONF,")
    do(stage, faults, "r1", "cat clash.xml")
    said.append(do(stage, faults, "r1", "netconf push clash.xml", fails=True))
    explain("and by shell.")
    said.append(do(stage, faults, "r1", "l2tpv3ctl add session tid 1 sid 12 psid 22 name office", fails=True))
    faults.check(all(REASON in text for text in said), f"three times: {REASON}", "the reasons differ")


def wait_for_route(stage, faults):
    explain("There is no route to this peer. The tunnel is accepted all the same, and waits; the status "
            "says for what.")
    do(stage, faults, "r1", "l2tpv3ctl add tunnel tid 3 ptid 3 local 10.0.0.1 remote 203.0.113.9 \\\n"
       "    udp_sport 5000 udp_dport 5000")
    do_until(stage, faults, "r1", "l2tpv3ctl show problem", "waiting, no-route", "it waits for a route")
    explain("The route comes, from a routing daemon or, here, by hand; and the tunnel is made at once.")
    do(stage, faults, "r1", "ip route add 203.0.113.0/24 via 10.0.0.2")
    do_until(stage, faults, "r1", "l2tpv3ctl -t show tunnel", r"\n +3 [^\n]* up ", "the tunnel has come up by itself")


def receive_notification(stage, faults):
    explain("snmpd on r1 sends notifications to r2, where snmptrapd has received that one:")
    do_until(stage, faults, "r2", "tail -n 12 traps", r"TunnelOperStatus\.3 up\b", "the NMS knows that tunnel 3 is up")


def repair(stage, faults):
    explain("Somebody deletes a session of ours, past all doors.")
    do(stage, faults, "r1", "ip l2tp del session tunnel_id 1 session_id 11")
    explain("The daemon hears of it from the kernel, says so, and puts it back.")
    do_until(stage, faults, "r1", "tail -n 4 l2tpv3d.log", r"session 1/11 (vanished|down).*session 1/11 up", "it is repaired")
    output = do(stage, faults, "r1", "ip link show lab")
    faults.check("alias the lab" in output, "the interface is there again, with its description")


def mtu_of_office(stage):
    return (stage.routers["r1"].link("office") or {}).get("mtu")


def roll_back(stage, faults):
    explain("A change that turns out to be wrong, with words for the history:")
    before = mtu_of_office(stage)
    do(stage, faults, "r1", "l2tpv3ctl set session tid 1 sid 10 mtu 600 -m 'try a small MTU'")
    faults.check(mtu_of_office(stage) == 600, "the kernel has the small MTU")
    history = do(stage, faults, "r1", "l2tpv3ctl history")
    number = int(re.search(r"(\d+) ", history)[1])
    do(stage, faults, "r1", f"l2tpv3ctl history show {number}")
    do(stage, faults, "r1", f"l2tpv3ctl rollback {number - 1}")
    faults.check(mtu_of_office(stage) == before, f"the MTU is {before} again")


class BackgroundPing:
    def __init__(self, router):
        self.process = router.popen("ping", "-i", "0.1", "192.168.50.2", stdout=subprocess.PIPE)
        self.output = b""

    def wait_for_more(self):
        """Until one more reply has come than those that have by now."""
        while select.select([self.process.stdout], [], [], 0)[0] and (more := self.process.stdout.read1()):
            self.output += more
        self.output += self.process.stdout.readline()

    def end(self):
        """Right after a reply, so that none is on its way."""
        self.wait_for_more()
        self.process.send_signal(signal.SIGINT)
        return (self.output + self.process.communicate()[0]).decode()


def restart(stage, faults):
    explain("The pseudowire is the kernel's: it works on without the daemon. Started again, the "
            "daemon finds its configuration on the disk, compares, and writes nothing.")
    daemon, before = stage.daemons["r1"], stage.routers["r1"].link("office")
    command("r1", "ping -i 0.1 192.168.50.2 &")
    pings = BackgroundPing(stage.routers["r1"])
    pings.wait_for_more()
    command("r1", f"kill -9 {daemon.pid}")
    daemon.kill()
    pings.wait_for_more()
    daemon.start()
    command("r1", stage.command_line(daemon))
    do_until(stage, faults, "r1", "l2tpv3ctl -t show session", r"\n +1 +10 [^\n]* up ", "the daemon knows its sessions again")
    command("r1", "kill -INT %1  # the ping")
    output = pings.end()
    shown("\n".join(output.splitlines()[-2:]))
    faults.check(re.search(r" 0% packet loss", output), "no ping was lost")
    after = stage.routers["r1"].link("office")
    faults.check(after and before["ifindex"] == after["ifindex"], f"it is still the same interface, number {before['ifindex']}",
                 "the interface was made anew")


SCENES = (
    ("Configure router r1 by SNMP", provision_by_snmp),
    ("Configure router r2 by NETCONF, over ssh", provision_by_xml),
    ("Add a pseudowire by shell", provision_by_shell),
    ("Send packets through", ping),
    ("Look at one of them on the wire", capture),
    ("Look through each door, and compare the counters", look),
    ("Ask for what cannot be", refuse),
    ("A tunnel that waits for its route", wait_for_route),
    ("A notification", receive_notification),
    ("A session deleted behind our back", repair),
    ("A change, and the way back", roll_back),
    ("Kill the daemon, and lose no packet", restart),
)


def tell(stage):
    faults = Faults()
    heading("l2tpv3d: the kernel's L2TPv3 tunnels, managed")
    explain("Two routers in network namespaces of their own, which nobody else sees and which are gone at the end.")
    say(PICTURE)
    for process in stage.started:
        command(process.namespace.label, stage.command_line(process))
    done = []
    for number, (title, scene) in enumerate(SCENES, 1):
        heading(f"{number}. {title}")
        begun, known = time.monotonic(), len(faults)
        scene(stage, faults)
        done.append((title, time.monotonic() - begun, len(faults) == known))
    heading("That was the demo")
    summary(done)
    say()
    faults.check(not faults, "all is as it should be", f"{len(faults)} things were not as they should be")
    return faults


def suggest():
    """What to try next."""
    say()
    say("Next:")
    for what, why in (("make demo-shell", "the same routers, and a shell in which you try things yourself"),
                      ("docs/getting-started.md", "your first tunnel on a router of yours, in a quarter of an hour"),
                      ("make deb", "the packages to install there, in build/deb"),
                      ("docs/lab/", "two routers and an NMS in containers"),
                      ("make check", "every test there is")):
        say(f"  {what:<26} {why}")


def introduce_shell():
    heading("Your turn")
    explain("r1 COMMAND... and r2 COMMAND... run a command at a router; r1 alone is a shell there. "
            "In a router: l2tpv3ctl, netconf get, netconf push FILE, kernel-counters, and in r1 "
            "snmpwalk 127.0.0.1 l2tpv3MIB, snmpset. The end of this shell takes everything down.")
    for line in ("r1 l2tpv3ctl help", "r1 snmpwalk 127.0.0.1 l2tpv3SessionTable",
                 "r2 l2tpv3ctl set session tid 2 sid 20 mtu 1400", "r2 tcpdump -ni wan"):
        say(f"  {line}")
    say()
