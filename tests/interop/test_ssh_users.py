"""Users of different rights through a real sshd with keys and our relay: the kernel's word for who connects (SO_PEERCRED)
decides, and nothing that the client says.

The users exist for these programs alone: their passwd, group and shadow are mounted over the machine's in a namespace.
"""
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.built import need_built  # noqa: E402
from lib.daemons import L2TPV3D, RELAY, L2tpv3d, Sshd  # noqa: E402
from lib.here import Here, free_port  # noqa: E402
from lib.netconf import L2TP, Netconf, RpcError  # noqa: E402
from lib.users import group, nacm, open_to_all, path, rule, rules  # noqa: E402

need_built(L2TPV3D, RELAY)
pytestmark = [
    pytest.mark.skipif(not Path("/usr/sbin/sshd").exists(), reason="openssh-server is not installed"),
    pytest.mark.skipif(os.getuid() != 0, reason="sshd needs root to log somebody in"),
]
MEMBERS = 41200  # the number of the group l2tpv3d there
USERS = {"alice": 41101, "bob": 41102, "carol": 41103}  # two members, one of them bound by rules, and a stranger
FILES = {
    "passwd": "".join(f"{name}:x:{number}:{number}::/:/bin/sh\n" for name, number in USERS.items()),
    "group": "".join(f"{name}:x:{number}:\n" for name, number in USERS.items()) + f"l2tpv3d:x:{MEMBERS}:alice,bob\n",
    "shadow": "".join(f"{name}:*:19000:0:99999:7:::\n" for name in USERS),
}
STATE = ('<get><filter type="subtree"><netconf-state xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"><sessions/>'
         "</netconf-state></filter></get>")


class House(Here):
    """Where programs find these users beside the machine's own."""

    def __init__(self, folder):
        self.folder = folder
        for name, text in FILES.items():
            shutil.copy(f"/etc/{name}", folder / name)
            with open(folder / name, "a", encoding="ascii") as file:
                file.write(text)

    def popen(self, *command, **kwargs):
        mounts = "".join(f"mount --bind {self.folder / name} /etc/{name} && " for name in FILES)
        return super().popen("unshare", "--mount", "sh", "-c", mounts + 'exec "$@"', "sh", *command, **kwargs)


class Router:
    def __init__(self, folder):
        self.folder = folder
        self.house = House(folder)
        self.daemon = L2tpv3d(self.house, folder / "daemon", kernel="sim").start()
        open_to_all(self.daemon)
        os.chown(self.daemon.socket, 0, MEMBERS)
        os.chmod(self.daemon.socket, 0o660)
        self.sshd = Sshd(self.house, folder / "sshd", self.daemon.socket, port=free_port(socket.SOCK_STREAM))
        relay = shutil.copy(RELAY, folder / "l2tpv3-netconf")
        self.sshd.config.write_text(self.sshd.config.read_text().replace(str(RELAY), str(relay)).replace(
            f"{self.sshd.key}.pub", f"{folder}/%u.pub") + "AcceptEnv USER LOGNAME\n")
        for name in USERS:
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
        self.sshd.folder.chmod(0o755)
        self.sshd.start()

    def close(self):
        self.sshd.stop()
        self.daemon.stop()

    def ssh(self, name, key=None):
        """Whoever logs in claims to be root."""
        return ["ssh", "-F", "none", "-i", self.folder / (key or name), "-p", str(self.sshd.port), "-o", "BatchMode=yes",
                "-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
                "-o", "LogLevel=ERROR", "-o", "SetEnv=USER=root LOGNAME=root", "-s", f"{name}@127.0.0.1", "netconf"]

    def client(self, name):
        command = self.ssh(name)

        class Client(Netconf):
            @staticmethod
            def connect(path):
                ours, theirs = socket.socketpair()
                with theirs:
                    subprocess.Popen(command, stdin=theirs, stdout=theirs)
                return ours
        return Client(None)


@pytest.fixture(scope="module")
def router(tmp_path_factory):
    router = Router(tmp_path_factory.mktemp("users"))
    with router.daemon.netconf() as root:
        root.edit_config(nacm(
            "<write-default>permit</write-default><groups>" + group("readers", "bob") + "</groups>"
            + rules("readers", "readers", rule("hide", "deny", path("/x:l2tpv3/x:tunnel[x:tunnel-id='9']")),
                    rule("read", "deny", "<access-operations>create update delete</access-operations>"))) + tunnel(9))
    yield router
    router.close()


def tunnel(number):
    return (f'<l2tpv3 xmlns="{L2TP}"><tunnel><tunnel-id>{number}</tunnel-id><peer-tunnel-id>1</peer-tunnel-id>'
            f"<local-address>127.0.0.1</local-address><remote-address>127.0.0.2</remote-address>"
            f"<local-port>{5000 + number}</local-port><session><session-id>{number}</session-id>"
            f"<peer-session-id>1</peer-session-id></session></tunnel></l2tpv3>")


def test_each_may_what_the_rules_say_of_him(router):
    with router.client("alice") as alice, router.client("bob") as bob:
        alice.edit_config(tunnel(3))
        for number in (3, 4):
            with pytest.raises(RpcError) as refused:
                bob.edit_config(tunnel(number).replace("<peer-tunnel-id>1<", "<peer-tunnel-id>2<"))
            assert refused.value.tag == "access-denied"
        seen = {client: client.rpc_text("<get/>") for client in (alice, bob)}
        assert all("<tunnel-id>3<" in text and "<nacm" not in text for text in seen.values())
        assert "<tunnel-id>9<" in seen[alice] and "<tunnel-id>9<" not in seen[bob]
        with pytest.raises(RpcError) as refused:
            alice.edit_config(nacm("<enable-nacm>false</enable-nacm>"))
        assert refused.value.tag == "access-denied"
        names = [element.text for element in alice.rpc(STATE).iter() if element.tag.endswith("}username")]
        assert sorted(names) == ["alice", "bob"]
    with router.daemon.netconf() as root:
        assert "<user>alice</user>" in root.rpc_text(f'<history xmlns="{L2TP}"/>')


def test_who_is_not_in_the_group_gets_nowhere(router):
    done = subprocess.run(router.ssh("carol"), input="", capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and not done.stdout, done


def test_why_is_logged_for_sshd_drops_what_a_subsystem_says(router):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
        log.bind(str(router.folder / "log"))
        os.chmod(router.folder / "log", 0o666)
        done = subprocess.run(["unshare", "--mount", "sh", "-c",
                               f"mount -t tmpfs none /dev && ln -s {router.folder}/log /dev/log && exec setpriv "
                               f"--reuid={USERS['carol']} --regid={USERS['carol']} --clear-groups {router.folder}/l2tpv3-netconf "
                               f"-S {router.daemon.socket}"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        assert done.returncode == 1 and "membership" in done.stderr
        log.settimeout(10)
        said = log.recv(1000).decode()
    assert "l2tpv3-netconf[" in said and f"user {USERS['carol']}" in said and "membership in the group" in said


def test_the_key_of_another_user_opens_nothing(router):
    done = subprocess.run(router.ssh("alice", key="bob"), input="", capture_output=True, text=True, timeout=60)
    assert done.returncode == 255 and not done.stdout and "Permission denied (publickey" in done.stderr, done
