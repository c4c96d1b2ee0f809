"""Who creates and removes sessions: the daemon through its doors, ip -batch, the bare loop."""
import subprocess
import tempfile
from pathlib import Path

from lib import daemons, snmp
from lib.daemons import L2tpv3d, Snmpd
from lib.netns import inside
from lib.waiting import wait_for

from figures import milliseconds
from population import LOCAL, PREFIX, REMOTE
from snmp_get import Poller

BARE_LOOP = daemons.BUILD / "tests/bare_loop"
SESSION_COUNT = f"{snmp.ROOT}.1.1.6.0"
PATIENCE = 900
# As docs/operating.md advises: else snmpd reads all interfaces every 3 s, and stops meanwhile.
SNMPD_MODULES = "-smux,ifTable"


class Contest:
    """A place, a folder for files, and one daemon at a time."""

    def __init__(self, place):
        self.place = place
        self.files = tempfile.TemporaryDirectory(prefix="bench-")
        self.folder = Path(self.files.name)
        self.daemon = self.snmpd = None
        self.started = 0

    def close(self):
        self.stop()
        self.files.cleanup()

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path

    def start(self, snmp=False, state=None):
        """A new daemon with an empty state, or again with the state of an old one."""
        self.started += 1
        if snmp and not self.snmpd:
            self.snmpd = Snmpd(self.place.namespace, self.folder / "snmpd", modules=SNMPD_MODULES).start()
        folder = state or self.folder / f"daemon{self.started}"
        self.daemon = L2tpv3d(self.place.namespace, folder,
                              snmp_master=self.snmpd.master if snmp else None)
        self.daemon.start()
        if snmp:
            wait_for(self.snmp_answers, "the daemon to answer SNMP", PATIENCE)
        return self.daemon

    def snmp_answers(self):
        # A request to a snmpd that does not listen yet is lost.
        return self.manager(seconds=2).get(SESSION_COUNT) is not None

    def stop(self):
        for process in (self.daemon, self.snmpd):
            if process:
                process.stop()
        self.daemon = self.snmpd = None

    def client(self):
        client = self.daemon.netconf()
        client.seconds = PATIENCE
        return client

    def edit(self, xml):
        """Send an edit as a NETCONF client does; the time until the reply."""
        with self.client() as client:
            return milliseconds(lambda: client.edit_config(xml))

    def run(self, *command, check=True, env=None):
        """Run a command in the place, without `ip netns exec`, which would count."""
        with inside(self.place.namespace.name):
            done = subprocess.run(list(map(str, command)), text=True, capture_output=True, env=env)
        if check and done.returncode:
            raise AssertionError(f"{command[0]}: status {done.returncode}\n{done.stderr}")
        return done

    def ctl(self, *words):
        return self.run(daemons.L2TPV3CTL, "-S", self.daemon.socket, *words).stdout

    def ip(self, *words):
        return self.run("ip", *words).stdout

    def ip_batch(self, text):
        path = self.write("ip.batch", text)
        return milliseconds(lambda: self.ip("-batch", path))

    def bare_loop(self, count):
        return float(self.run(BARE_LOOP, LOCAL, REMOTE, count, PREFIX).stdout)

    def poller(self):
        with inside(self.place.namespace.name):
            return Poller(int(self.snmpd.address.rpartition(":")[2]))

    def manager(self, seconds=PATIENCE):
        """An SNMP manager whose tools run in the place too."""
        return snmp.Manager(self, self.snmpd.address, "public", seconds)
