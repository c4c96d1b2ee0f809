"""The examples of docs/netconf.md, as they stand there, by the clients they are for, through a real sshd."""
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.built import need_built  # noqa: E402
from lib.daemons import CHECKOUT, L2TPV3D, RELAY, L2tpv3d, Sshd  # noqa: E402
from lib.here import Here, free_port  # noqa: E402
from lib.netconf import BASE, EVENTS, L2TP, subtree  # noqa: E402

need_built(L2TPV3D, RELAY)
pytestmark = [
    pytest.mark.skipif(not Path("/usr/sbin/sshd").exists(), reason="openssh-server is not installed"),
    pytest.mark.skipif(os.getuid() != 0, reason="sshd needs root to log somebody in"),
]
PAGE = (CHECKOUT / "docs" / "netconf.md").read_text()


def example(language, which=0):
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.M | re.S)[which]


@pytest.fixture(scope="module")
def router(tmp_path_factory):
    folder = tmp_path_factory.mktemp("manual")
    daemon = L2tpv3d(Here(), folder, "-d", "netconf", kernel="sim").start()
    sshd = Sshd(Here(), folder / "sshd", daemon.socket, port=free_port(socket.SOCK_STREAM)).start()
    sshd.daemon = daemon
    yield sshd
    sshd.stop()
    daemon.stop()


@pytest.fixture(autouse=True)
def empty(router):
    with router.daemon.netconf() as client:
        client.edit_config(f'<l2tpv3 xmlns="{L2TP}"/>', options="<default-operation>replace</default-operation>")


def config(router):
    return router.daemon.ctl("get-config").stdout


def run(script, folder, **env):
    return subprocess.run(["sh", "-e", "-c", script], cwd=folder, capture_output=True, text=True, timeout=120,
                          env={**os.environ, "HOME": str(folder), **env})


def test_plain_ssh(router, tmp_path):
    router.daemon.ctl("add", "tunnel", "tunnel_id", "7", "peer_tunnel_id", "8", "local", "192.0.2.1", "remote", "198.51.100.1")
    script = example("sh").replace("ssh -s -p 830 netconf@router",
                                   " ".join(map(str, ssh(router, "-s", f"{router.user}@127.0.0.1"))))
    done = run(script, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "<tunnel-id>7<" in done.stdout and done.stdout.count("<rpc-reply") == 2 and "<ok/>" in done.stdout


def ssh(router, *words):
    return ["ssh", "-i", router.key, "-p", str(router.port), "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no",
            "-o", "UserKnownHostsFile=/dev/null", *words]


def test_the_account_for_netconf_only(router, tmp_path):
    """The lines of l2tpv3d.sshd.conf, for the user that this test can be."""
    prepared = (CHECKOUT / "docs/install/l2tpv3d.sshd.conf").read_text()
    only = re.search(r"^#Match User netconf\n(#\t.*\n)+", prepared, re.M)[0].replace("#", "")
    only = only.replace("User netconf", f"User {router.user}").replace(
        "@PREFIX@/libexec/l2tpv3-netconf", f"{RELAY} -S {router.daemon.socket}")
    sshd = Sshd(Here(), tmp_path / "sshd", router.daemon.socket, port=free_port(socket.SOCK_STREAM))
    sshd.config.write_text(sshd.config.read_text() + only)
    sshd.start()
    try:
        hello = '<hello xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"><capabilities>'
        for words in (["-s", f"{sshd.user}@127.0.0.1", "netconf"], [f"{sshd.user}@127.0.0.1", "id"]):
            done = subprocess.run(ssh(sshd, *words), input="", capture_output=True, text=True, timeout=60)
            assert done.stdout.startswith('<?xml') or hello in done.stdout, done.stdout + done.stderr
            assert "uid=" not in done.stdout
        refused = subprocess.run(ssh(sshd, "-o", "ExitOnForwardFailure=yes", "-W", "127.0.0.1:1", f"{sshd.user}@127.0.0.1"),
                                 input="", capture_output=True, text=True, timeout=60)
        assert "administratively prohibited" in refused.stderr
    finally:
        sshd.stop()


def test_ncclient(router, tmp_path):
    pytest.importorskip("ncclient", reason="python3-ncclient is not installed")
    script = example("python").replace(
        'host="router", port=830, username="netconf"',
        f'host="127.0.0.1", port={router.port}, username={router.user!r}, key_filename={str(router.key)!r}, '
        "hostkey_verify=False, allow_agent=False, look_for_keys=False")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "<peer-tunnel-id>4000<" in done.stdout and "oper-status" in done.stdout
    assert "<session-id>1000<" in config(router)
    assert "confirms all since" in router.daemon.ctl("history").stdout


@pytest.mark.skipif(not shutil.which("yangcli"), reason="yangcli is not installed")
def test_yangcli(router, tmp_path):
    (tmp_path / "edit.yangcli").write_text(example("yangcli") + "show modules\n")
    script = example("sh", 1).replace("--server=router --ncport=830 --user=netconf --private-key=key --public-key=key.pub",
                                      f"--server=127.0.0.1 --ncport={router.port} --user={router.user} "
                                      f"--private-key={router.key} --public-key={router.key}.pub")
    done = run(script, tmp_path)
    assert done.stdout.count("RPC OK Reply") == 5 and "peer-tunnel-id 4000" in done.stdout, done.stdout + done.stderr
    assert "<peer-tunnel-id>4000<" in config(router)
    assert router.daemon.logged("answered get-schema")  # our modules are nowhere else
    with router.daemon.netconf() as client:
        state = '<netconf-state xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"><schemas/></netconf-state>'
        for name in re.findall("<identifier>([^<]+)<", client.rpc_text(f"<get><filter>{state}</filter></get>")):
            # yangcli has a variant of that one built in
            assert name in done.stdout or name == "ietf-netconf", name


@pytest.mark.skipif(not shutil.which("ansible-playbook"), reason="ansible is not installed")
def test_ansible(router, tmp_path):
    for name, which in (("tunnel.yml", 0), ("careful.yml", 1)):
        (tmp_path / name).write_text(example("yaml", which))
    (tmp_path / "inventory.ini").write_text(example("ini").replace(
        "router ansible_port=830 ansible_user=netconf",
        f"router ansible_host=127.0.0.1 ansible_port={router.port} ansible_user={router.user} "
        f"ansible_ssh_private_key_file={router.key} ansible_host_key_checking=false"))

    def play(*words):
        done = run(f"ansible-playbook -i inventory.ini {' '.join(words)}", tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout, re.search(r"changed=(\d+)", done.stdout)[1]
    said, changed = play("tunnel.yml", "--check", "--diff")
    assert changed == "1" and "+<nc:data" in said and "<tunnel-id>3000<" in said
    assert "3000" not in config(router)
    assert play("tunnel.yml")[1] == "1"
    assert "<remote-address>198.51.100.1<" in config(router)
    assert play("tunnel.yml")[1] == "0" and play("tunnel.yml", "--check")[1] == "0"
    assert play("careful.yml", "--check")[1] == "1"
    assert "<remote-address>198.51.100.1<" in config(router)
    play("careful.yml")
    assert "<remote-address>198.51.100.2<" in config(router)
    assert "confirms all since" in router.daemon.ctl("history").stdout
    assert play("careful.yml", "--check")[1] == "0"


# ---- managers that are not at hand: their documents, and the requests that they are known to send

MONITORING = "urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"
TUNNEL_3000 = f'<l2tpv3 xmlns="{L2TP}"><tunnel><tunnel-id>3000</tunnel-id></tunnel></l2tpv3>'
KEYED = "/l2tp:l2tpv3/l2tp:tunnel[l2tp:tunnel-id='3000']"


def ask(client, body, expected="<ok/>"):
    reply = client.rpc_text(body)
    assert expected in reply and "<rpc-error" not in reply, reply
    return reply


def modules_by_get_schema(client):
    """{name@revision: text} of all that the router lists, as a manager learns its modules."""
    listed = client.get(subtree(f'<netconf-state xmlns="{MONITORING}"><schemas/></netconf-state>'))
    found = {}
    for schema in listed.iter(f"{{{MONITORING}}}schema"):
        name, version, form = (schema.findtext(f"{{{MONITORING}}}{leaf}") for leaf in ("identifier", "version", "format"))
        if form.endswith("yang"):
            found[f"{name}@{version}"] = client.rpc(
                f'<get-schema xmlns="{MONITORING}"><identifier>{name}</identifier><version>{version}</version>'
                "<format>yang</format></get-schema>").findtext(f"{{{MONITORING}}}data")
    return found


def yanglint_of(folder, modules, *words):
    """With nothing but what the router gave."""
    for name, text in modules.items():
        (folder / f"{name}.yang").write_text(text)
    ours = next(folder.glob("linux-l2tpv3@*.yang"))
    done = subprocess.run(["yanglint", "-p", folder, *words[:-1], ours, words[-1]], capture_output=True, text=True)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return done.stdout


@pytest.mark.skipif(not shutil.which("yanglint"), reason="yanglint is not installed (Debian: libyang2-tools)")
def test_nso(router, tmp_path):
    template = example("xml")
    for name, value in {"device": "router", "id": "3000", "peer-id": "4000", "local": "192.0.2.1",
                        "remote": "198.51.100.1"}.items():
        template = template.replace(f"{{/{name}}}", value)
    device = ET.fromstring(template).find("{http://tail-f.com/ns/ncs}devices/{http://tail-f.com/ns/ncs}device")
    made = ET.tostring(device.find("{http://tail-f.com/ns/ncs}config")[0], "unicode")
    assert "{/" not in made
    with router.daemon.netconf() as client:
        (tmp_path / "config.xml").write_text(made)
        yanglint_of(tmp_path, modules_by_get_schema(client), "-t", "config", tmp_path / "config.xml")
        # sync-from
        ask(client, f"<get-config><source><running/></source>{subtree(f'<l2tpv3 xmlns={chr(34)}{L2TP}{chr(34)}/>')}</get-config>",
            "<data")
        # commit, by the candidate and with confirmation
        for store in ("running", "candidate"):
            ask(client, f"<lock><target><{store}/></target></lock>")
        ask(client, "<discard-changes/>")
        ask(client, "<edit-config><target><candidate/></target><default-operation>merge</default-operation>"
                    "<test-option>test-then-set</test-option><error-option>rollback-on-error</error-option>"
                    f"<config>{made}</config></edit-config>")
        ask(client, "<validate><source><candidate/></source></validate>")
        ask(client, "<commit><confirmed/><confirm-timeout>30</confirm-timeout></commit>")
        ask(client, "<commit/>")
        for store in ("candidate", "running"):
            ask(client, f"<unlock><target><{store}/></target></unlock>")
        # partial-sync-from and live-status of one entry
        for operation in ("get-config><source><running/></source>", "get>"):
            ask(client, f'<{operation}<filter type="xpath" xmlns:l2tp="{L2TP}" select="{KEYED}"/></{operation.split(">")[0]}>',
                "<peer-tunnel-id>4000<")
            ask(client, f"<{operation}{subtree(TUNNEL_3000)}</{operation.split('>')[0]}>", "<peer-tunnel-id>4000<")


@pytest.mark.skipif(not shutil.which("yanglint"), reason="yanglint is not installed (Debian: libyang2-tools)")
def test_opendaylight(router, tmp_path):
    node = json.loads(example("json"))["node"][0]
    assert node["netconf-node-topology:netconf-node"]["port"] == 830
    tunnels = json.loads(example("json", 1))["linux-l2tpv3:tunnel"]
    (tmp_path / "config.json").write_text(json.dumps({"linux-l2tpv3:l2tpv3": {"tunnel": tunnels}}))
    with router.daemon.netconf() as client:
        assert "urn:ietf:params:netconf:capability:candidate:1.0" in client.capabilities
        made = yanglint_of(tmp_path, modules_by_get_schema(client), "-t", "config", "-f", "xml", tmp_path / "config.json")
        # a PUT: nothing but that entry, replaced, by the candidate
        replaced = made.replace("<tunnel>", f'<tunnel xmlns:nc="{BASE}" nc:operation="replace">')
        for store in ("candidate", "running"):
            ask(client, f"<lock><target><{store}/></target></lock>")
        ask(client, "<edit-config><target><candidate/></target><default-operation>none</default-operation>"
                    f"<error-option>rollback-on-error</error-option><config>{replaced}</config></edit-config>")
        ask(client, "<commit/>")
        for store in ("candidate", "running"):
            ask(client, f"<unlock><target><{store}/></target></unlock>")
        ask(client, f"<get-config><source><running/></source>{subtree(TUNNEL_3000)}</get-config>", "<peer-session-id>2000<")
        ask(client, f"<get>{subtree(TUNNEL_3000)}</get>", "<oper-status>")
        # it hears when what the router can do changes
        ask(client, f'<create-subscription xmlns="{EVENTS}"><stream>NETCONF</stream></create-subscription>')
