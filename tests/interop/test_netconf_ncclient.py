"""Other people's clients through a real sshd: ncclient, and yangcli if it is installed."""
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.built import need_built  # noqa: E402
from lib.daemons import L2TPV3D, RELAY, L2tpv3d, Sshd  # noqa: E402
from lib.here import Here  # noqa: E402
from lib.netconf import BASE, L2TP, Netconf  # noqa: E402
from lib.waiting import wait_for  # noqa: E402

need_built(L2TPV3D, RELAY)
pytestmark = [
    pytest.mark.skipif(not Path("/usr/sbin/sshd").exists(), reason="openssh-server is not installed"),
    pytest.mark.skipif(os.getuid() != 0, reason="sshd needs root to log somebody in"),
]

RUNNING = f"""<l2tpv3 xmlns="{L2TP}">
  <tunnel>
    <tunnel-id>1</tunnel-id>
    <description>Z\u00fcrich &lt;-&gt; Bern &amp; back ]]&gt;]]&gt;</description>
    <peer-tunnel-id>2</peer-tunnel-id>
    <local-address>2001:DB8::0:1</local-address>
    <remote-address>2001:db8::2</remote-address>
    <session>
      <session-id>10</session-id>
      <peer-session-id>20</peer-session-id>
      <mtu>1400</mtu>
      <rx-cookie>0123456789ABCDEF</rx-cookie>
    </session>
  </tunnel>
</l2tpv3>"""


@pytest.fixture(scope="module")
def sshd(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ncclient")
    daemon = L2tpv3d(Here(), folder, kernel="sim").start()
    sshd = Sshd(Here(), folder, daemon.socket, port=18300).start()
    yield sshd
    sshd.stop()
    daemon.stop()


@pytest.fixture
def manager(sshd):
    pytest.importorskip("ncclient", reason="python3-ncclient is not installed")
    with sshd.ncclient() as manager:
        manager.edit_config(f'<config><l2tpv3 xmlns="{L2TP}"/></config>', target="running",
                            default_operation="replace")
        yield manager


def config(inner=RUNNING):
    """As most scripts write it: without the namespace of NETCONF."""
    return f'<config xmlns:nc="{BASE}">{inner}</config>'


def leaf(manager, name, operation="get_config", **kwargs):
    if operation == "get_config":
        kwargs["source"] = "running"
    data = getattr(manager, operation)(**kwargs).data_ele
    return [element.text for element in data.iter(f"{{{L2TP}}}{name}")]


def test_capabilities(manager):
    assert ":writable-running" in manager.server_capabilities
    assert ":rollback-on-error" in manager.server_capabilities
    assert ":candidate" in manager.server_capabilities and ":startup" not in manager.server_capabilities
    assert any(uri.startswith(f"{L2TP}?module=linux-l2tpv3") for uri in manager.server_capabilities)
    assert manager.session_id


def test_push_and_read_back(manager):
    assert manager.edit_config(config(), target="running", error_option="rollback-on-error").ok
    assert leaf(manager, "description") == ["Z\u00fcrich <-> Bern & back ]]>]]>"]
    assert leaf(manager, "local-address") == ["2001:db8::1"]
    assert leaf(manager, "rx-cookie") == ["0123456789abcdef"]
    assert leaf(manager, "oper-status", "get") == ["up", "up"]
    assert leaf(manager, "mtu", filter=("subtree", f'<l2tpv3 xmlns="{L2TP}"><tunnel><tunnel-id>1</tunnel-id>'
                                        "<session><session-id>10</session-id></session></tunnel></l2tpv3>")) == ["1400"]


def test_operations(manager):
    manager.edit_config(config(), target="running")
    manager.edit_config(config(f'<l2tpv3 xmlns="{L2TP}"><tunnel><tunnel-id>1</tunnel-id><session nc:operation="delete">'
                               "<session-id>10</session-id></session></tunnel></l2tpv3>"), target="running",
                        default_operation="none")
    assert leaf(manager, "session-id") == [] and leaf(manager, "tunnel-id") == ["1"]


def test_refusal(manager):
    from ncclient.operations import RPCError
    with pytest.raises(RPCError) as raised:
        manager.edit_config(config(RUNNING.replace(">1400<", ">7<")), target="running")
    error = raised.value
    assert (error.type, error.tag, error.severity) == ("application", "invalid-value", "error")
    assert error.path == ("/l2tp:l2tpv3/l2tp:tunnel[l2tp:tunnel-id='1']/l2tp:session[l2tp:session-id='10']"
                          "/l2tp:mtu")
    assert "68..65535" in error.message
    assert leaf(manager, "tunnel-id") == []


def test_lock_is_seen_by_the_other_session(manager, sshd):
    from ncclient.operations import RPCError
    with sshd.ncclient() as other:
        with manager.locked("running"):
            with pytest.raises(RPCError) as raised:
                other.lock("running")
            assert raised.value.tag == "lock-denied"
            assert manager.session_id in raised.value.info
            with pytest.raises(RPCError):
                other.edit_config(config(), target="running")
            manager.edit_config(config(), target="running")
        third = sshd.ncclient()
        assert other.kill_session(third.session_id).ok
        wait_for(lambda: not third.connected, "the killed session to end at its client")


def test_notifications(manager, sshd):
    with sshd.ncclient() as subscriber:
        subscriber.create_subscription(filter=("subtree", '<netconf-config-change xmlns="urn:ietf:params:xml:ns:yang:'
                                                          'ietf-netconf-notifications"/>'))
        manager.edit_config(config(), target="running")
        told = subscriber.take_notification(timeout=60)
        assert "/l2tp:l2tpv3/l2tp:tunnel[l2tp:tunnel-id='1']" in told.notification_xml
        assert f"<session-id>{manager.session_id}</session-id>" in told.notification_xml
        assert subscriber.get_config("running").ok  # interleaved


def test_large_push_and_reply(manager):
    sessions = "".join(f"<session><session-id>{i}</session-id><peer-session-id>{i}</peer-session-id></session>"
                       for i in range(11, 3011))
    manager.edit_config(config(RUNNING.replace("</tunnel>", sessions + "</tunnel>")), target="running")
    assert leaf(manager, "session-id") == [str(i) for i in range(10, 3011)]


def test_every_operation_of_ncclient(manager, sshd):
    """All that its manager has, but for notifications, and what only some vendors' devices do."""
    from ncclient.operations import RPCError
    from ncclient.xml_ import to_ele
    from ncclient.manager import OPERATIONS
    tried = set()

    def do(name, *words, refused=None, **kwargs):
        tried.add(name)
        try:
            reply = getattr(manager, name)(*words, **kwargs)
        except RPCError as error:
            assert error.tag == refused, f"{name}: {error}"
            return None
        assert refused is None and (name == "get_schema" or reply.ok), name
        return reply
    do("lock", "candidate")
    do("edit_config", config(), target="candidate")
    do("validate", "candidate")
    do("discard_changes")
    do("copy_config", source=to_ele(f'<source xmlns="{BASE}"><config>{RUNNING}</config></source>'), target="candidate")
    do("commit", confirmed=True, timeout="300", persist="token")
    do("cancel_commit", persist_id="token")
    assert leaf(manager, "tunnel-id") == []
    do("copy_config", source="running", target="candidate")
    do("delete_config", "candidate")
    do("delete_config", "running", refused="operation-not-supported")
    do("unlock", "candidate")
    do("edit_config", config(), target="running", test_option="test-then-set", error_option="rollback-on-error")
    assert leaf(manager, "tunnel-id") == ["1"]
    assert "<l2tpv3" in do("get", with_defaults="report-all").data_xml
    assert "<mtu>1400<" in do("get_config", "running", filter=("subtree", f'<l2tpv3 xmlns="{L2TP}"/>')).data_xml
    assert "module linux-l2tpv3 {" in do("get_schema", "linux-l2tpv3").data
    do("dispatch", to_ele(f'<history xmlns="{L2TP}"/>'))
    do("rpc", to_ele(f'<resync xmlns="{L2TP}"/>'))
    do("kill_session", sshd.ncclient().session_id)
    assert set(OPERATIONS) - tried <= {"create_subscription", "close_session", "poweroff_machine", "reboot_machine"}


def test_ncclient_without_waiting(manager):
    """async_mode: many requests on their way at once, each answered, in their order."""
    manager.async_mode = True
    try:
        edits = [manager.edit_config(config(f'<l2tpv3 xmlns="{L2TP}"><tunnel><tunnel-id>{i}</tunnel-id><peer-tunnel-id>{i}'
                                            f"</peer-tunnel-id><local-address>10.0.0.{i}</local-address><remote-address>"
                                            "10.1.0.1</remote-address></tunnel></l2tpv3>"), target="candidate")
                 for i in range(1, 41)]
        edits.append(manager.commit())
        read = manager.get_config("running")
        for request in [*edits, read]:
            assert request.event.wait(60) and request.error is None and request.reply.ok
    finally:
        manager.async_mode = False
    assert read.reply.xml.count("<tunnel>") == 40


def test_relay_says_nothing_unless_there_is_no_daemon(sshd, tmp_path):
    done = subprocess.run([RELAY, "-S", tmp_path / "nothing"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 1 and "no l2tpv3d at" in done.stderr and done.stdout == ""


@pytest.mark.parametrize("words", [["-x"], ["more"], ["-S"]])
def test_relay_says_how_it_is_called(words):
    done = subprocess.run([RELAY, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 2 and "usage: l2tpv3-netconf [-S PATH]" in done.stderr and done.stdout == ""


def test_relay_carries_both_ways_after_the_input_ended(sshd):
    hello = f'<hello xmlns="{BASE}"><capabilities><capability>urn:ietf:params:netconf:base:1.0</capability></capabilities></hello>'
    done = subprocess.run([RELAY, "-S", sshd.folder / "l2tpv3d.sock"], capture_output=True, text=True, timeout=60,
                          input=f'{hello}]]>]]><rpc xmlns="{BASE}" message-id="1"><get/></rpc>]]>]]>')
    assert (done.returncode, done.stderr) == (0, "")
    assert "<data>" in done.stdout and done.stdout.endswith("</rpc-reply>]]>]]>")


@pytest.mark.skipif(not shutil.which("yangcli"), reason="yangcli is not installed")
def test_yangcli(sshd, tmp_path):
    with Netconf(sshd.folder / "l2tpv3d.sock") as client:
        client.edit_config(RUNNING)
    done = subprocess.run(
        ["yangcli", "--server=127.0.0.1", f"--ncport={sshd.port}", f"--user={sshd.user}",
         f"--private-key={sshd.key}", f"--public-key={sshd.key}.pub", "--batch-mode",
         "--run-command=get-config source=running"],
        capture_output=True, text=True, timeout=60, env={**os.environ, "HOME": str(tmp_path)})
    assert "peer-tunnel-id 2" in done.stdout and "session-id 10" in done.stdout, done.stdout + done.stderr
