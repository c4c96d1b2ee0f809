"""Start and stop the programs a test needs, each in a network namespace and a folder of its own."""
import os
import pwd
import re
import signal
import socket
import subprocess
from pathlib import Path

from . import netconf, snmp
from .netns import inside
from .waiting import wait_for

CHECKOUT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("L2TPV3D_BUILD") or CHECKOUT / "build")
L2TPV3D, L2TPV3CTL, RELAY = (BUILD / name for name in ("l2tpv3d", "l2tpv3ctl", "l2tpv3-netconf"))


def free_port():
    """A UDP port of 127.0.0.1 that nobody uses."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def accepts(path):
    """Does anybody listen on the unix socket?  A program makes it a moment before it listens, or may have left it."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


class Process:
    """A program in the foreground with its output in a log file."""

    def __init__(self, namespace, folder, name, env=None):
        self.namespace, self.folder, self.name = namespace, Path(folder), name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log_path = self.folder / f"{name}.log"
        self.env = {**os.environ, **(env or {})}
        self.process = None
        self.log_begin = 0

    def launch(self, argv, until):
        """Start it and wait until the condition holds."""
        with open(self.log_path, "ab") as log:
            self.log_begin = log.tell()
            self.process = self.namespace.popen(*argv, stdin=subprocess.DEVNULL, stdout=log,
                                                stderr=log, env=self.env)

        def ready():
            if self.process.poll() is not None:
                return True
            return until()

        wait_for(ready, f"{self.name} to be ready; its log:\n{self.log()}")
        if self.process.poll() is not None:
            raise AssertionError(f"{self.name} ended with {self.process.returncode}:\n{self.log()}")

    def log(self):
        """What it has written since its last start."""
        with open(self.log_path, "rb") as log:
            log.seek(self.log_begin)
            return log.read().decode(errors="replace")

    def logged(self, pattern):
        return re.search(pattern, self.log())

    def wait_for_log(self, pattern):
        return wait_for(lambda: self.logged(pattern), f"{self.name} to log {pattern!r}")

    @property
    def pid(self):
        return self.process.pid

    @property
    def running(self):
        return self.process is not None and self.process.poll() is None

    def send_signal(self, number):
        self.process.send_signal(number)

    def stop(self, number=signal.SIGTERM, seconds=60):
        """End it and return its status; it is killed, and that is an error, if it does not end."""
        if not self.process:
            return None
        if self.running:
            self.send_signal(signal.SIGCONT)
            self.send_signal(number)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} did not end in {seconds} s:\n{self.log()}") from None

    def kill(self):
        """As a crash: no time to write anything."""
        if self.running:
            self.send_signal(signal.SIGKILL)
            self.process.wait()


class L2tpv3d(Process):
    """Our daemon.  `options` are further words of its command line."""

    def __init__(self, namespace, folder, *options, snmp_master=None, kernel="real", env=None):
        super().__init__(namespace, folder, "l2tpv3d", env)
        self.state, self.socket = self.folder / "state", self.folder / "l2tpv3d.sock"
        self.state.mkdir(exist_ok=True)
        agentx = ["-x", f"unix:{snmp_master}"] if snmp_master else ["--no-snmp"]
        self.argv = [L2TPV3D, "-f", "-s", self.state, "-S", self.socket, "--kernel", kernel,
                     *agentx, *options]

    def start(self):
        self.launch(self.argv, lambda: self.logged(r"\bready\b"))
        return self

    def stop(self, *arguments, **named):
        """What it leaves is judged, as what it said."""
        status, snapshot = super().stop(*arguments, **named), self.state / "config.xml"
        if netconf.Netconf.judge and status == 0 and snapshot.exists():
            netconf.Netconf.judge.snapshot(snapshot.read_text())
        return status

    def restart(self):
        self.stop()
        return self.start()

    def netconf(self, base="1.1"):
        return netconf.Netconf(self.socket, base)

    def ctl(self, *words, check=True, **kwargs):
        """Run l2tpv3ctl on this daemon's socket."""
        return self.namespace.run(L2TPV3CTL, "-S", self.socket, *words, check=check, **kwargs)


class Snmpd(Process):
    """A private snmpd: an AgentX master on a unix socket, SNMP at 127.0.0.1 in the namespace."""

    def __init__(self, namespace, folder, *config, port=16161, modules="-smux"):
        super().__init__(namespace, folder, "snmpd")
        self.modules = modules
        self.master = self.folder / "master"
        self.address = f"udp:127.0.0.1:{port}"
        self.config = self.folder / "snmpd.conf"
        self.config.write_text("\n".join([
            f"agentAddress {self.address}", "rocommunity public", "rwcommunity private",
            "master agentx", f"agentXSocket unix:{self.master}", "agentXTimeout 10",
            "agentXRetries 0", *config, ""]))
        self.env.update(SNMP_PERSISTENT_DIR=str(self.folder / "persistent"), MIBS="",
                        SNMPCONFPATH=str(self.folder / "none"))

    def start(self):
        self.launch(["snmpd", "-f", "-Lo", "-C", "-c", self.config, "-I", self.modules],
                    lambda: accepts(self.master))
        return self

    def manager(self, community="private"):
        return snmp.Manager(self.namespace, self.address, community)


class Snmptrapd(Process):
    """Receives notifications and keeps them as a list of {oid: value}."""

    def __init__(self, namespace, folder, port=16162):
        super().__init__(namespace, folder, "snmptrapd")
        self.port = port
        self.address = f"udp:127.0.0.1:{port}"
        self.sink = f"trap2sink 127.0.0.1:{port} public"  # a line for snmpd.conf
        self.config = self.folder / "snmptrapd.conf"
        self.config.write_text("disableAuthorization yes\nformat2 TRAP\\n%V\\n%v\\nEND\\n\n")
        self.env.update(SNMP_PERSISTENT_DIR=str(self.folder / "persistent"), MIBS="",
                        SNMPCONFPATH=str(self.folder / "none"))

    def listening(self):
        port = f":{self.port:04X} "
        with inside(self.namespace.name), open("/proc/thread-self/net/udp", encoding="ascii") as udp:
            return port in udp.read()

    def start(self):
        self.launch(["snmptrapd", "-f", "-Lo", "-C", "-c", self.config, "-On", "-Oe", "-Ox",
                     self.address], self.listening)
        return self

    def traps(self):
        found = []
        for block in re.findall(r"^TRAP\n\\?\n?(.*?)\nEND$", self.log(), re.M | re.S):
            found.append(snmp.parse(block.replace("\t", "\n")))
        return found

    def wait_for_trap(self, oid):
        """The first notification of this kind (its snmpTrapOID)."""
        trap_oid = "1.3.6.1.6.3.1.1.4.1.0"
        return wait_for(lambda: next((t for t in self.traps() if t.get(trap_oid) == oid), None),
                        f"notification {oid}")


class Sshd(Process):
    """A private sshd whose subsystem netconf is our relay; root logs in with a key made here."""

    def __init__(self, namespace, folder, control_socket, port=8300, listen="127.0.0.1"):
        super().__init__(namespace, folder, "sshd")
        self.port, self.user = port, pwd.getpwuid(os.getuid()).pw_name
        self.key, self.host_key = self.folder / "key", self.folder / "host_key"
        for path in (self.key, self.host_key):
            if not path.exists():
                # ECDSA, because yangcli reads no other.
                subprocess.run(["ssh-keygen", "-q", "-t", "ecdsa", "-m", "PEM", "-N", "", "-f", path],
                               check=True)
        self.config = self.folder / "sshd_config"
        self.config.write_text("\n".join([
            f"Port {port}", f"ListenAddress {listen}", f"HostKey {self.host_key}",
            f"PidFile {self.folder / 'sshd.pid'}", f"AuthorizedKeysFile {self.key}.pub",
            "StrictModes no", "UsePAM no", "PermitRootLogin yes", "PasswordAuthentication no",
            f"Subsystem netconf {RELAY} -S {control_socket}", ""]))

    def start(self):
        Path("/run/sshd").mkdir(exist_ok=True)
        self.launch(["/usr/sbin/sshd", "-D", "-e", "-f", self.config],
                    lambda: self.logged("Server listening"))
        return self

    def ncclient(self, **kwargs):
        """An ncclient manager, connected.  Never time anything through it: it ticks at 0.1 s."""
        from ncclient import manager  # slow to import, and only some tests need it
        with inside(self.namespace.name):
            return manager.connect(
                host="127.0.0.1", port=self.port, username=self.user, key_filename=str(self.key),
                hostkey_verify=False, allow_agent=False, look_for_keys=False, timeout=60, **kwargs)
