"""Two routers in throw-away network namespaces, with everything that the demo and its shell need.

Each has a command of its name: `r1 COMMAND...` runs a command there, `r1` alone is a shell there.
In a router `l2tpv3ctl` finds its daemon, the SNMP tools know version, community and our MIB, and
`netconf` is a client that logs in over ssh. What is read and written there is in one folder: XML to
push, the log of the daemon of r1, and `traps`, what snmptrapd receives on r2.
"""
import contextlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from lib import daemons
from lib.daemons import L2tpv3d, Snmpd, Snmptrapd, Sshd
from lib.netns import two_routers

HERE = Path(__file__).resolve().parent
MIBS = daemons.CHECKOUT / "mibs"
SNMP_CONF = """defVersion 2c
defCommunity private
timeout 30
retries 0
mibdirs {texts}
mibs LINUX-L2TPV3-MIB
oidOutputFormat 1
"""
ENTER = """#!/bin/sh
export {exports} PS1='{label}# '
[ $# -gt 0 ] || set -- bash --norc --noprofile -i
cd {files} && exec nsenter --net=/run/netns/{name} "$@"
"""
CTL = '#!/bin/sh\nexec {ctl} -S "$L2TPV3D_SOCKET" "$@"\n'


def mib_texts():
    """The folder of the MIB texts that ours imports."""
    found = subprocess.run([MIBS / "texts"], text=True, capture_output=True)
    if found.returncode:
        sys.exit(f"demo: {found.stderr.strip()}")
    return found.stdout.strip()


class Nms(Snmptrapd):
    """Writes each notification with the names of our MIB, one variable a line."""

    def __init__(self, namespace, folder, texts):
        super().__init__(namespace, folder, port=162)
        self.address = "udp:0.0.0.0:162"
        self.config.write_text("disableAuthorization yes\nformat2 from %b:\\n  %V\\n  %v\\n\n")
        self.env.update(MIBS="SNMPv2-MIB:LINUX-L2TPV3-MIB", MIBDIRS=texts)

    def start(self):
        self.launch(["snmptrapd", "-f", "-Lo", "-C", "-c", self.config, "-OqsT", self.address], self.listening)
        return self


class Stage:
    def __init__(self, folder, routers):
        self.folder = Path(folder)
        self.routers = {router.label: router for router in routers}
        self.bin, self.snmp, self.files = (self.folder / name for name in ("bin", "snmp", "files"))
        self.started = []

    def start(self, process):
        process.start()
        self.started.append(process)
        return process

    def start_all(self):
        r1, r2 = self.routers["r1"], self.routers["r2"]
        for router in (r1, r2):
            # Or the kernel's own IPv6 packets would be among those we count.
            router.run("sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1")
        texts = f"{mib_texts()}:{MIBS}"
        self.configure_snmp_tools(texts)
        self.nms = self.start(Nms(r2, self.folder / "nms", texts))
        self.snmpd = self.start(Snmpd(r1, self.folder / "snmpd", f"trap2sink {r2.ip4} public", port=161))
        self.daemons = {
            "r1": self.start(L2tpv3d(r1, self.folder / "r1", "--notify", snmp_master=self.snmpd.master)),
            "r2": self.start(L2tpv3d(r2, self.folder / "r2"))}
        self.keys = {label: self.start(Sshd(self.routers[label], self.folder / f"sshd-{label}", daemon.socket,
                                            port=830)).key
                     for label, daemon in self.daemons.items()}
        self.write_commands()

    def command_line(self, process):
        """How a process was started, for a person."""
        words = " ".join(map(str, process.process.args))
        return words.replace(f"{daemons.BUILD}/", "").replace(f"{self.folder}/", "") + " &"

    def stop(self):
        for process in reversed(self.started):
            process.stop()

    def script(self, name, text):
        path = self.bin / name
        path.write_text(text)
        path.chmod(0o755)

    def configure_snmp_tools(self, texts):
        (self.snmp / "cert_indexes").mkdir(parents=True)  # or they say that they made it
        (self.snmp / "snmp.conf").write_text(SNMP_CONF.format(texts=texts))

    def write_commands(self):
        self.bin.mkdir()
        self.files.mkdir()
        for name, target in (("r2.xml", HERE / "r2.xml"), ("clash.xml", HERE / "clash.xml"),
                             ("traps", self.nms.log_path), ("l2tpv3d.log", self.daemons["r1"].log_path)):
            (self.files / name).symlink_to(target)
        for label, router in self.routers.items():
            exports = " ".join(f"{name}='{value}'" for name, value in self.environment(label).items())
            self.script(label, ENTER.format(label=label, exports=exports, name=router.name, files=self.files))
        self.script("l2tpv3ctl", CTL.format(ctl=daemons.L2TPV3CTL))
        for tool in ("netconf", "kernel-counters"):
            (self.bin / tool).symlink_to(HERE / tool)

    def environment(self, label):
        """What its commands find their way by."""
        return {"L2TPV3D_SOCKET": self.daemons[label].socket, "SNMPCONFPATH": self.snmp, "SNMP_PERSISTENT_DIR": self.snmp,
                "NETCONF_KEY": self.keys[label], "PATH": f"{self.bin}:{os.environ['PATH']}"}

    def run(self, label, command):
        """Run what a person would type at a router; its output has both streams."""
        process = self.routers[label].popen(
            "sh", "-c", command, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            cwd=self.files, env={**os.environ, **{name: str(value) for name, value in self.environment(label).items()}})
        return subprocess.CompletedProcess(command, stdout=process.communicate()[0], returncode=process.returncode)

    def shell(self):
        environment = {**os.environ, "PATH": f"{self.bin}:{os.environ['PATH']}", "PS1": "demo$ "}
        subprocess.run(["bash", "--norc", "--noprofile", "-i"], env=environment, cwd=self.files)


@contextlib.contextmanager
def set_up():
    """A stage with all programs running, taken down at the end whatever happens."""
    with tempfile.TemporaryDirectory(prefix="l2tp-demo-") as folder, two_routers() as routers:
        stage = Stage(folder, routers)
        try:
            stage.start_all()
            yield stage
        finally:
            stage.stop()
