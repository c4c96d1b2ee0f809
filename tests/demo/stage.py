"""Two routers in throw-away network namespaces, with everything that the demo and its shell need.

Each has a command of its name: `r1 COMMAND...` runs a command there, `r1` alone is a shell there.
In a router `l2tpv3ctl` finds its daemon, the SNMP tools know version, community and our MIB, and
`netconf` is a client that logs in over ssh.
"""
import contextlib
import os
import shlex
import subprocess
import tempfile
from pathlib import Path

from lib import daemons
from lib.daemons import L2tpv3d, Snmpd, Sshd
from lib.netns import two_routers

HERE = Path(__file__).resolve().parent
MIBS = daemons.CHECKOUT / "mibs"
SNMP_CONF = """defVersion 2c
defCommunity private
timeout 30
retries 0
oidOutputFormat {format}
mibdirs {texts}
mibs {modules}
"""
ENTER = """#!/bin/sh
export ROUTER={label} L2TPV3D_SOCKET={socket} SNMPCONFPATH={snmp} SNMP_PERSISTENT_DIR={snmp} NETCONF_KEY={key}
export PATH={bin}:$PATH PS1='{label}# '
[ $# -gt 0 ] || set -- bash --norc --noprofile -i
cd {files} && exec ip netns exec {name} "$@"
"""
CTL = '#!/bin/sh\nexec {ctl} -S "$L2TPV3D_SOCKET" "$@"\n'


def mib_texts():
    """The folder of the MIB texts that ours imports, or None: then the demo uses numbers."""
    found = subprocess.run([MIBS / "texts"], text=True, capture_output=True)
    return None if found.returncode else found.stdout.strip()


class Stage:
    def __init__(self, folder, routers):
        self.folder = Path(folder)
        self.routers = {router.label: router for router in routers}
        self.bin, self.snmp = self.folder / "bin", self.folder / "snmp"
        self.started = []
        self.texts = mib_texts()

    def start(self, process):
        process.start()
        self.started.append(process)
        return process

    def start_all(self):
        r1, r2 = self.routers["r1"], self.routers["r2"]
        for router in (r1, r2):
            # Or the kernel's own IPv6 packets would be among those we count.
            router.run("sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1")
        self.snmpd = self.start(Snmpd(r1, self.folder / "snmpd", port=161))
        self.daemons = {
            "r1": self.start(L2tpv3d(r1, self.folder / "r1", snmp_master=self.snmpd.master)),
            "r2": self.start(L2tpv3d(r2, self.folder / "r2"))}
        self.sshd = self.start(Sshd(r2, self.folder / "sshd", self.daemons["r2"].socket, port=830))
        self.write_commands()

    def command_line(self, process):
        """How a process was started, for a person."""
        words = " ".join(map(str, process.process.args[4:]))  # without `ip netns exec NAME`
        return words.replace(f"{daemons.BUILD}/", "").replace(f"{self.folder}/", "") + " &"

    def stop(self):
        for process in reversed(self.started):
            process.stop()

    def script(self, name, text):
        path = self.bin / name
        path.write_text(text)
        path.chmod(0o755)

    def configure_snmp_tools(self):
        (self.snmp / "cert_indexes").mkdir(parents=True)  # or they say that they made it
        names = self.texts is not None
        (self.snmp / "snmp.conf").write_text(SNMP_CONF.format(
            texts=f"{self.texts}:{MIBS}", modules="LINUX-L2TPV3-MIB" if names else ":",
            format=1 if names else 4))

    def write_commands(self):
        self.bin.mkdir()
        self.configure_snmp_tools()
        for label, router in self.routers.items():
            self.script(label, ENTER.format(
                label=label, socket=self.daemons[label].socket, snmp=self.snmp, bin=self.bin,
                key=self.sshd.key, name=router.name, files=shlex.quote(str(HERE))))
        self.script("l2tpv3ctl", CTL.format(ctl=daemons.L2TPV3CTL))
        for tool in ("netconf", "kernel-counters"):
            (self.bin / tool).symlink_to(HERE / tool)

    def run(self, router, command):
        """Run what a person would type at a router."""
        return subprocess.run([self.bin / router, "sh", "-c", command], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def shell(self):
        environment = {**os.environ, "PATH": f"{self.bin}:{os.environ['PATH']}", "PS1": "demo$ "}
        subprocess.run(["bash", "--norc", "--noprofile", "-i"], env=environment, cwd=HERE)


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
