"""Call home (RFC 8071): the relay connects to managers that listen, ncclient among them, and sshd serves them."""
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.built import need_built  # noqa: E402
from lib.daemons import L2TPV3D, RELAY, L2tpv3d, Sshd  # noqa: E402
from lib.here import Here, free_port  # noqa: E402
from lib.netconf import L2TP  # noqa: E402
from lib.waiting import wait_for  # noqa: E402

need_built(L2TPV3D, RELAY)
needs_sshd = pytest.mark.skipif(os.getuid() != 0 or not Path("/usr/sbin/sshd").exists(),
                                reason="sshd needs root to log somebody in")


@needs_sshd
def test_ncclient_listens_and_sshd_serves_it(tmp_path):
    manager = pytest.importorskip("ncclient.manager", reason="python3-ncclient is not installed")
    daemon = L2tpv3d(Here(), tmp_path, kernel="sim").start()
    sshd = Sshd(Here(), tmp_path / "sshd", daemon.socket)  # its keys and configuration: it does not run
    Path("/run/sshd").mkdir(exist_ok=True)
    port, called = free_port(socket.SOCK_STREAM), []

    def listen():
        called.append(manager.call_home(host="127.0.0.1", port=port, username=sshd.user, key_filename=str(sshd.key),
                                        hostkey_verify=False, allow_agent=False, look_for_keys=False, timeout=60))
    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    calls = []

    def call():
        """As the unit does, until somebody answers."""
        if not calls or calls[-1].poll() not in (None, 0):
            calls.append(subprocess.Popen([RELAY, "--call-home", f"127.0.0.1:{port}", "--", "-f", sshd.config],
                                          stderr=subprocess.PIPE, text=True))
        return called
    try:
        client = wait_for(call, "the manager to be called")[0]
        client.edit_config(f'<config><l2tpv3 xmlns="{L2TP}"><tunnel><tunnel-id>1</tunnel-id><peer-tunnel-id>2'
                           "</peer-tunnel-id><local-address>10.0.0.1</local-address><remote-address>10.0.0.2"
                           "</remote-address></tunnel></l2tpv3></config>", target="running")
        assert "<tunnel-id>1<" in client.get_config("running").data_xml
        shown = daemon.ctl("show", "clients").stdout
        assert "netconf" in shown and "127.0.0.1" in shown
        client.close_session()
        calls[-1].wait(60)  # and the unit calls again
    finally:
        for process in calls:
            process.kill()
        daemon.stop()


@pytest.mark.parametrize("host, family", [("127.0.0.1:{}", socket.AF_INET), ("[::1]:{}", socket.AF_INET6),
                                          ("localhost:{}", socket.AF_INET)])
def test_where_it_calls(host, family, tmp_path):
    listener = socket.socket(family)
    try:
        listener.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
    except OSError:
        pytest.skip("this machine has no IPv6")
    listener.listen()
    # sshd itself refuses to run without a host key, and closes
    called = subprocess.Popen([RELAY, "--call-home", host.format(listener.getsockname()[1]), "--", "-f", "/dev/null",
                               "-h", tmp_path / "none"], stderr=subprocess.PIPE)
    listener.settimeout(60)
    listener.accept()[0].close()
    assert called.wait(60) not in (0, -signal.SIGSEGV)


@pytest.mark.parametrize("words, status, said", [
    (["--call-home", "127.0.0.1:1"], 1, "no manager listens at 127.0.0.1 port 1: Connection refused"),
    (["--call-home", "127.0.0.1"], 1, "port 4334"),
    (["--call-home", "::1"], 1, "::1 port 4334"),
    (["--call-home", "[::1]"], 1, "::1 port 4334"),
    (["--call-home", "[::1"], 2, "HOST:PORT"),
    (["--call-home", "[::1]x"], 2, "HOST:PORT"),
    (["--call-home", "host:"], 2, "HOST:PORT"),
    (["--call-home", ""], 2, "HOST:PORT"),
    (["--call-home", "127.0.0.1:no-such-service"], 1, "no manager listens"),
    (["--call-home"], 2, "usage:"),
])
def test_whom_it_does_not_reach(words, status, said):
    done = subprocess.run([RELAY, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    assert done.returncode == status and said in done.stderr and done.stdout == "", done.stderr
