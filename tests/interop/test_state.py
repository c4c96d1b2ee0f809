"""The state directory as the daemon finds it: full, read-only, torn, damaged, edited by hand."""
import contextlib
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.built import need_built  # noqa: E402
from lib.daemons import L2TPV3D, L2tpv3d  # noqa: E402
from lib.here import Here  # noqa: E402
from lib.netconf import L2TP, RpcError  # noqa: E402
from lib.waiting import wait_for  # noqa: E402

NAMESPACE = {"l2tp": L2TP}


class Disk(Here):
    """A small file system on a folder, seen only by what is run here."""

    def __init__(self, folder, size="512k"):
        self.folder = folder
        folder.mkdir()
        self.holder = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c",
             f"mount -t tmpfs -o size={size},mode=700 none '{folder}' && echo mounted && exec cat"],
            text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if self.holder.stdout.readline() != "mounted\n":
            pytest.skip(f"a file system cannot be mounted here: {self.holder.stderr.read()}")

    def argv(self, command):
        return ["nsenter", f"--mount=/proc/{self.holder.pid}/ns/mnt", "--", *command]

    def run(self, *command, **kwargs):
        return super().run(*self.argv(command), **kwargs)

    def popen(self, *command, **kwargs):
        return super().popen(*self.argv(command), **kwargs)

    def fill(self):
        self.run("sh", "-c", f"cat /dev/zero >'{self.folder}/filler'", check=False)

    def make_room(self):
        self.run("rm", self.folder / "filler")

    def remount(self, how):
        self.run("mount", "-o", f"remount,{how}", self.folder)

    def close(self):
        self.holder.kill()
        self.holder.communicate()


class Daemon(L2tpv3d):
    """On the simulated kernel, with its own way of saying what is there."""

    def __init__(self, here, folder, state):
        super().__init__(here, folder, kernel="sim")
        self.argv[self.argv.index("-s") + 1] = state
        self.state = state

    def add(self, *ids):
        with self.netconf() as client:
            client.edit_config(tunnel("".join(session(i) for i in ids)))

    def refused(self, *ids):
        with pytest.raises(RpcError) as caught:
            self.add(*ids)
        return caught.value

    def sessions(self):
        """{id: operational status} of the sessions configured."""
        with self.netconf() as client:
            configured = {e.text for e in client.get_config().iterfind(".//l2tp:session-id", NAMESPACE)}
            found = {e.findtext("l2tp:session-id", None, NAMESPACE):
                     e.findtext("l2tp:oper-status", None, NAMESPACE)
                     for e in client.get().iterfind(".//l2tp:session", NAMESPACE)}
        assert configured == set(found)
        return {int(i): status for i, status in found.items()}

    def fails_to_start(self):
        """What it says."""
        done = self.namespace.run("timeout", "20", *self.argv, check=False)
        assert done.returncode == 1, done.stderr
        *warnings, error = done.stderr.splitlines()
        assert " error: " in error and all(" warning: " in line for line in warnings), done.stderr
        return error


def session(number, leaves=""):
    return (f"<session><session-id>{number}</session-id>"
            f"<peer-session-id>{number}</peer-session-id>{leaves}</session>")


def tunnel(content):
    return (f"<l2tpv3 xmlns='{L2TP}'><tunnel><tunnel-id>1</tunnel-id>"
            "<peer-tunnel-id>2</peer-tunnel-id><local-address>192.0.2.1</local-address>"
            f"<remote-address>192.0.2.2</remote-address>{content}</tunnel></l2tpv3>")


@pytest.fixture(autouse=True)
def built():
    need_built(L2TPV3D)


@pytest.fixture
def disk(tmp_path):
    disk = Disk(tmp_path / "disk")
    yield disk
    disk.close()


@pytest.fixture
def daemon(tmp_path):
    """One whose state directory is an ordinary folder; it is not running."""
    daemon = Daemon(Here(), tmp_path, tmp_path / "state")
    yield daemon
    daemon.kill()


@contextlib.contextmanager
def running(daemon):
    daemon.start()
    try:
        yield daemon
        assert daemon.stop() == 0
    finally:
        daemon.kill()


@pytest.fixture
def on_disk(disk, tmp_path):
    with running(Daemon(disk, tmp_path, disk.folder)) as daemon:
        yield daemon


ALL_UP = {1: "up", 2: "up", 3: "up"}


def refuses_and_says(daemon, disk, reason, cure):
    """Changes are refused with the place, the reason and the cure; all else goes on."""
    for _ in range(2):
        error = daemon.refused(*range(4, 304))  # more than the journal has room reserved for
        assert error.tag in ("operation-failed", "resource-denied")
        assert f"{disk.folder}/journal" in error.message
        assert reason in error.message and cure in error.message
        assert "nothing was changed" in error.message
        assert daemon.sessions() == ALL_UP


def test_a_full_disk_refuses_changes_and_nothing_else(on_disk, disk):
    on_disk.add(1, 2, 3)
    disk.fill()
    refuses_and_says(on_disk, disk, "No space left on device", "free some space")
    disk.make_room()
    on_disk.add(4, 5)
    on_disk.kill()  # what was acknowledged is there, and what was refused has left nothing
    on_disk.start()
    assert on_disk.sessions() == {**ALL_UP, 4: "up", 5: "up"}
    assert not on_disk.logged("incomplete|damaged")


def test_stopping_on_a_full_disk_loses_nothing(on_disk, disk):
    on_disk.add(1, 2, 3)
    disk.fill()
    assert on_disk.stop() == 0
    on_disk.start()
    assert on_disk.sessions() == ALL_UP
    refuses_and_says(on_disk, disk, "No space left on device", "free some space")
    disk.make_room()
    on_disk.add(4)
    assert on_disk.sessions() == {**ALL_UP, 4: "up"}


def test_a_first_start_on_a_full_disk(disk, tmp_path):
    disk.fill()
    with running(Daemon(disk, tmp_path, disk.folder)) as daemon:
        assert "No space left on device" in daemon.refused(1).message
        assert daemon.sessions() == {}
        disk.make_room()
        daemon.add(1)
        daemon.restart()
        assert daemon.sessions() == {1: "up"}


@pytest.mark.parametrize("before, after", (("stop", "kill"), ("kill", "stop")))
def test_a_read_only_disk_refuses_changes_and_nothing_else(on_disk, disk, before, after):
    """After a clean stop, and with commits in the journal."""
    on_disk.add(1, 2, 3)
    getattr(on_disk, before)()
    disk.remount("ro")
    on_disk.start()
    assert on_disk.sessions() == ALL_UP
    refuses_and_says(on_disk, disk, "Read-only file system", "make the file system writable")
    disk.remount("rw")
    on_disk.add(4)
    getattr(on_disk, after)()
    on_disk.start()
    assert on_disk.sessions() == {**ALL_UP, 4: "up"}


def test_a_first_start_on_a_read_only_disk(disk, tmp_path):
    disk.remount("ro")
    with running(Daemon(disk, tmp_path, disk.folder)) as daemon:
        assert "Read-only file system" in daemon.refused(1).message
        disk.remount("rw")
        daemon.add(1)
        daemon.restart()
        assert daemon.sessions() == {1: "up"}


def killed_after_commits(daemon):
    """Three commits in the journal, none in config.xml."""
    daemon.start()
    for number in (1, 2, 3):
        daemon.add(number)
    daemon.kill()
    return daemon.state / "journal"


def test_a_torn_tail_is_dropped_with_a_word(daemon):
    journal = killed_after_commits(daemon)
    whole = journal.read_bytes()
    torn = whole.rindex(b"commit number=3") + 20
    journal.write_bytes(whole[:torn])
    with running(daemon):
        assert daemon.sessions() == {1: "up", 2: "up"}
        said = daemon.wait_for_log(r"warning: .*journal ended in an incomplete record of (\d+) bytes "
                                   r"at offset (\d+)")
        assert int(said[1]) + int(said[2]) == torn
        daemon.add(3)
        daemon.kill()
        daemon.start()
        assert daemon.sessions() == ALL_UP
        assert not daemon.logged("incomplete")


def test_a_damaged_middle_is_refused_with_its_offset_and_the_cure(daemon):
    journal = killed_after_commits(daemon)
    damaged = bytearray(journal.read_bytes())
    damaged[damaged.index(b"commit number=2") + 30] ^= 0x20
    journal.write_bytes(damaged)
    said = daemon.fails_to_start()
    assert f"{journal} is damaged at offset " in said
    assert journal.read_bytes() == damaged  # nothing made worse
    cure = re.search(r"truncate -s \d+ [^ )]+", said)
    subprocess.run(cure[0].split(), check=True)
    with running(daemon):
        assert daemon.sessions() == {1: "up"}


def test_a_journal_moved_away_leaves_config_xml(daemon):
    with running(daemon):
        daemon.add(1)
    journal = killed_after_commits(daemon)
    journal.write_bytes(b"something else\n" * 100)
    said = daemon.fails_to_start()
    assert "move the journal away" in said and str(journal) in said
    journal.rename(daemon.folder / "away")
    with running(daemon):
        assert daemon.sessions() == {1: "up"}


def test_a_journal_of_a_later_version_is_refused(daemon):
    journal = killed_after_commits(daemon)
    first, rest = journal.read_bytes().split(b"\n", 1)
    later = re.sub(rb"(\d+)$", lambda m: b"%d" % (int(m[1]) + 1), first)
    assert later != first
    journal.write_bytes(later + b"\n" + rest)
    assert "a later version" in daemon.fails_to_start()


def test_a_second_daemon_is_refused_and_told_of_the_first(daemon, tmp_path):
    with running(daemon):
        other = Daemon(Here(), tmp_path / "other", daemon.state)
        assert f"process {daemon.pid} uses the state directory" in other.fails_to_start()
        daemon.add(1)


# config.xml


def checked(path):
    return subprocess.run([L2TPV3D, "-n", path], text=True, capture_output=True, check=False)


def config_of(daemon):
    return ET.parse(daemon.state / "config.xml")


def test_config_xml_is_accepted_by_the_check_option(daemon):
    with running(daemon):
        daemon.add(1, 2, 3)
    done = checked(daemon.state / "config.xml")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert config_of(daemon).findtext(".//{*}session/{*}interface-name") == "l2tpeth0"


def test_config_xml_edited_by_hand_is_taken_over(daemon):
    with running(daemon):
        daemon.add(1, 2, 3)
    path = daemon.state / "config.xml"
    text = path.read_text()
    text = re.sub(r"\s*<session>\s*<session-id>2<.*?</session>", "", text, flags=re.S)
    text = text.replace("</tunnel>", session(9, "<mtu>1300</mtu>") + "</tunnel>")
    path.write_text(text)
    assert checked(path).returncode == 0
    with running(daemon):
        # the one without a name comes up when its name is recorded, which the disk may take long for
        wait_for(lambda: daemon.sessions() == {1: "up", 3: "up", 9: "up"}, "all sessions to be up")
        with daemon.netconf() as client:
            new = client.get().find(".//l2tp:session[l2tp:session-id='9']", NAMESPACE)
        assert new.findtext("l2tp:mtu", None, NAMESPACE) == "1300"
        name = new.findtext("l2tp:interface-name", None, NAMESPACE)
        assert name == "l2tpeth1"
        wait_for(lambda: "interface names chosen" in daemon.ctl("history").stdout, "the names to be recorded")
    assert config_of(daemon).find(".//{*}session[{*}session-id='9']").findtext(
        "{*}interface-name") == name


@pytest.mark.parametrize("old, new", [
    ("<peer-session-id>2</peer-session-id>", "<peer-session-id>two</peer-session-id>"),
    ("<peer-session-id>2</peer-session-id>", ""),
    ("</session>", ""),
    ("<session-id>2<", "<session-id>1<"),
])
def test_a_wrong_config_xml_is_refused_with_its_place(daemon, old, new):
    with running(daemon):
        daemon.add(1, 2, 3)
    path = daemon.state / "config.xml"
    path.write_text(path.read_text().replace(old, new, 1))
    wrong = path.read_bytes()
    place = f"{path.parent.name}/{path.name}:"  # of a long path the end
    done = checked(path)
    assert done.returncode == 1 and place in done.stderr
    said = daemon.fails_to_start()
    assert place in said and ("session" in said or "line" in said or re.search(r":\d+: ", said))
    assert path.read_bytes() == wrong


def test_config_xml_with_its_last_line_can_be_pushed(daemon):
    """The comment by which a journal that is missing is noticed."""
    with running(daemon):
        daemon.add(1, 2, 3)
    path = daemon.state / "config.xml"
    assert re.search(r"</l2tpv3>\n<!-- commit \d+ checksum [0-9a-f]{8} -->\n$", path.read_text())
    with running(daemon):
        daemon.ctl("push", "--replace", path)
        assert daemon.sessions() == ALL_UP


def test_an_edit_after_a_kill_is_overridden_with_a_word(daemon):
    with running(daemon):
        daemon.add(1, 2)
    daemon.start()
    daemon.add(3)
    daemon.kill()
    path = daemon.state / "config.xml"
    path.write_text(path.read_text().replace("<remote-address>",
                                             "<description>by hand</description><remote-address>"))
    with running(daemon):
        assert daemon.wait_for_log(r"warning: .*config\.xml was changed, but it lacked commit")
        assert daemon.sessions() == ALL_UP


def test_an_edit_after_a_kill_that_cannot_be_is_refused(daemon):
    with running(daemon):
        daemon.add(1, 2)
    daemon.start()
    daemon.add(3)
    daemon.kill()
    path = daemon.state / "config.xml"
    path.write_text(re.sub(r"<tunnel>.*</tunnel>", "", path.read_text(), flags=re.S))
    said = daemon.fails_to_start()
    assert "to agree with commit" in said and "/journal, applied over it" in said


def test_a_stop_that_cannot_write_config_xml_says_so(daemon):
    with running(daemon):
        daemon.add(1, 2, 3)
        (daemon.state / "config.xml.new").mkdir()
    assert daemon.logged(r"error: .*config\.xml lacks commit")
    (daemon.state / "config.xml.new").rmdir()
    with running(daemon):
        assert daemon.sessions() == ALL_UP


def test_a_journal_removed_under_the_daemon_costs_nothing(daemon):
    with running(daemon):
        daemon.add(1)
        (daemon.state / "journal").unlink()
        daemon.add(2)
        assert daemon.wait_for_log("journal was removed while the daemon used it")
        daemon.add(3)
        daemon.kill()
        daemon.start()
        assert daemon.sessions() == ALL_UP


def test_config_xml_removed_under_the_daemon_costs_nothing(daemon):
    with running(daemon):
        daemon.add(1)
    with running(daemon):
        (daemon.state / "config.xml").unlink()
        assert daemon.wait_for_log("config.xml was removed while the daemon used it")
        daemon.add(2)
        daemon.kill()
        daemon.start()
        (daemon.state / "config.xml").unlink()
        daemon.add(3)
    with running(daemon):
        assert daemon.sessions() == ALL_UP


def test_a_journal_missing_at_start_is_told_of(daemon):
    with running(daemon):
        daemon.add(1, 2, 3)
    (daemon.state / "journal").unlink()
    with running(daemon):
        assert daemon.wait_for_log("warning: .*journal is missing")
        assert daemon.sessions() == ALL_UP
