"""What survives what, on a real kernel: the daemon's death and restart, a reboot, other writers."""
import pathlib
import signal
import socket
import subprocess
import time

import pytest

from lib.daemons import L2tpv3d
from lib.genl import Events
from lib.netconf import L2TP, subtree
from lib.netns import inside
from lib.waiting import stays_true, wait_for
from lib.wire import Tap, marked_frame

OPERATION = 'xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0" nc:operation'


def leaves(**values):
    return "".join(f"<{name.replace('_', '-')}>{value}</{name.replace('_', '-')}>"
                   for name, value in values.items())


def session(session_id, operation="merge", peer=7, **values):
    peer = f"<peer-session-id>{peer}</peer-session-id>" if peer else ""
    return (f"<session {OPERATION}='{operation}'><session-id>{session_id}</session-id>{peer}"
            f"{leaves(**values)}</session>")


def tunnel(tunnel_id, content="", remote="10.0.0.2", **values):
    return (f"<tunnel><tunnel-id>{tunnel_id}</tunnel-id>"
            f"<peer-tunnel-id>{tunnel_id}</peer-tunnel-id><encapsulation>ip</encapsulation>"
            f"<local-address>10.0.0.1</local-address><remote-address>{remote}</remote-address>"
            f"{leaves(**values)}{content}</tunnel>")


def without(tunnel_id):
    return f"<tunnel {OPERATION}='delete'><tunnel-id>{tunnel_id}</tunnel-id></tunnel>"


def document(content, operation="merge"):
    return f"<l2tpv3 xmlns='{L2TP}' {OPERATION}='{operation}'>{content}</l2tpv3>"


def push(daemon, content, operation="merge"):
    with daemon.netconf() as client:
        client.edit_config(document(content, operation))


def plain(element):
    """An element as nested tuples: text and children, white space and prefixes aside."""
    return (element.tag.rpartition("}")[2], (element.text or "").strip(),
            tuple(plain(child) for child in element))


def configuration(daemon):
    with daemon.netconf() as client:
        return plain(client.get_config().find(".//{*}data"))


def status(daemon, tunnel_id, session_id=None):
    """(oper-status, status-reason) of a tunnel or session, or None when there is none."""
    leaves = "<oper-status/><status-reason/>"
    if session_id:
        leaves = f"<session><session-id>{session_id}</session-id>{leaves}</session>"
    return statuses(daemon, f"<tunnel><tunnel-id>{tunnel_id}</tunnel-id>{leaves}</tunnel>").get(
        (tunnel_id, session_id))


def statuses(daemon, wanted=""):
    """{(tunnel id, session id or None): (oper-status, status-reason)}"""
    found = {}
    with daemon.netconf() as client:
        tree = client.get(subtree(f'<l2tpv3 xmlns="{L2TP}">{wanted}</l2tpv3>'))
    for tunnel_element in tree.iterfind(".//{*}tunnel"):
        tunnel_id = int(tunnel_element.findtext("{*}tunnel-id"))
        for element in (tunnel_element, *tunnel_element.iterfind("{*}session")):
            session_id = element.findtext("{*}session-id")
            found[tunnel_id, session_id and int(session_id)] = (
                element.findtext("{*}oper-status"), element.findtext("{*}status-reason"))
    return found


def wait_for_status(daemon, wanted, tunnel_id, session_id=None, **kwargs):
    def reached():
        found = status(daemon, tunnel_id, session_id)
        assert found and wanted in found, found
        return found
    return wait_for(reached, f"{tunnel_id}/{session_id} to be {wanted}", **kwargs)


def one_link(link):
    """What is ours to keep of a link: all that does not change when it is made anew."""
    info = link.get("linkinfo", {})
    return {"mtu": link["mtu"], "up": "UP" in link["flags"], "master": link.get("master"),
            "vlan": info.get("info_data", {}).get("id") if info.get("info_kind") == "vlan" else None}


def in_kernel(router, l2tp):
    """All that the kernel has, as one comparable value; ids of others included."""
    def told(entry):
        return tuple(sorted((k, v) for k, v in entry.items() if k not in ("stats", "debug")))
    return {"tunnels": sorted(told(t) for t in l2tp.tunnels()),
            "sessions": sorted(told(s) for s in l2tp.sessions()),
            "links": {name: one_link(link) for name, link in router.links().items()}}


def settled(router, l2tp, daemon):
    """in_kernel() when everything that was deleted is gone."""
    def nothing_is_removed():
        return all("removing" not in s for s in statuses(daemon).values())
    wait_for(nothing_is_removed, "everything deleted to be gone")
    return in_kernel(router, l2tp)


# Death

BASELINE = (tunnel(1, "".join(session(1000 + i) for i in range(1, 11)))
            + tunnel(2, session(2001) + session(2002)) + tunnel(3, session(3001) + session(3002)))
MIXED = (
    tunnel(1, session(1001, "delete", peer=None) + session(1002, peer=99)
           + session(1003, sequencing="send") + session(1004, mtu=1280)
           + session(1005, enabled="false") + session(1006, link_enabled="false")
           + session(1007, bridge="br0") + session(1008, mac_address="02:00:00:00:00:08")
           + session(1009, tx_cookie="01020304", rx_cookie="05060708")
           + session(1010, pseudowire_type="ethernet-vlan", vlan_id=10) + session(1011))
    + tunnel(2, session(2001, sequencing="both"), remote="10.0.0.77")
    + without(3)
    + tunnel(4, session(4001, pseudowire_type="ethernet-vlan", vlan_id=7)
             + session(4002, interface_name="named0") + session(1001, mtu=1400, bridge="br0")))


class Story:
    """Before and after one commit, in the configuration and in the kernel."""

    def __init__(self, daemon, router, l2tp):
        self.daemon, self.router, self.l2tp = daemon, router, l2tp
        self.begin()
        self.old = self.now()
        push(daemon, MIXED)
        self.new = self.now()
        assert self.old != self.new

    def begin(self):
        push(self.daemon, BASELINE, "replace")

    def now(self):
        kernel = settled(self.router, self.l2tp, self.daemon)
        return configuration(self.daemon), kernel

    def start_to_die(self, at):
        """Start the daemon so that it dies at its n-th step; commit. Returns how far it came."""
        self.daemon.stop()
        self.daemon.env["L2TPV3D_DIE_AT"] = str(at)
        try:
            self.daemon.start()
            push(self.daemon, MIXED)
            return "acknowledged"
        except AssertionError:
            return "dead at start"
        except OSError:
            return "dead in the commit"
        finally:
            del self.daemon.env["L2TPV3D_DIE_AT"]

    def recover(self):
        """A new daemon makes it whole, all by itself."""
        self.daemon.kill()
        self.daemon.start()
        def whole():
            now = self.now()
            assert now in (self.old, self.new), f"neither old nor new: {now}"
            return now
        return wait_for(whole, "configuration and kernel to agree")


@pytest.fixture
def bridge(r1):
    r1.ip("link", "add", "br0", "type", "bridge")


def test_it_may_die_at_any_step_of_a_commit(daemon, bridge, r1, k1):
    story = Story(daemon, r1, k1)
    seen = []
    step = 1
    while not seen or seen[-1] != "acknowledged":
        story.begin()
        seen.append(story.start_to_die(step))
        found = story.recover()
        if seen[-1] == "acknowledged":
            assert found == story.new
        print(f"step {step}: {seen[-1]}, then {'old' if found == story.old else 'new'}")
        step += 5
    assert seen.count("dead in the commit") >= 5


# Restart


class Listener:
    """All that changes in L2TP and in links of a namespace, told by the kernel and not by us."""

    def __init__(self, router, folder):
        self.router = router
        self.events = Events(router.name)
        self.path = folder / "monitor"
        with open(self.path, "wb") as output:
            self.process = router.popen("ip", "-o", "monitor", "link", "address", stdout=output)
        self.mark("begin0")
        self.events.all(quiet=0.1)

    def mark(self, name):
        """Wait until what happened before has been written: a link of this name comes and goes."""
        def heard():
            self.router.ip("link", "add", name, "type", "dummy")
            self.router.ip("link", "del", name)
            return name in self.path.read_text()
        wait_for(heard, f"the monitor to tell of {name}")

    def heard(self):
        """Lines about links other than the marks, and L2TP events, since the beginning."""
        self.mark("end0")
        self.process.kill()
        self.process.wait()
        lines = [line for line in self.path.read_text().splitlines()
                 if "begin0" not in line and "end0" not in line]
        found = lines + self.events.all(quiet=0.2)
        self.events.close()
        return found


def indexes_and_counters(router, l2tp):
    indexes = {name: link["ifindex"] for name, link in router.links().items()}
    return indexes, sorted((s["session_id"], sorted(s["stats"].items())) for s in l2tp.sessions())


@pytest.fixture
def no_ipv6(r1):
    """No packets but ours, and no address that comes late: counters and links stand still."""
    r1.run("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1")


MANY = 300


def push_many(daemon):
    push(daemon, tunnel(1, "".join(session(i, interface_name=f"pw{i}") for i in range(1, MANY + 1))))


def all_up(daemon):
    found = statuses(daemon)
    assert len(found) == MANY + 1
    return all(s[0] == "up" for s in found.values())


def test_a_restart_writes_nothing_and_every_interface_and_counter_goes_on(no_ipv6, daemon, r1, k1,
                                                                          tmp_path):
    push_many(daemon)
    for number in range(1, 20):
        with Tap(r1, f"pw{number}") as tap:
            tap.send(marked_frame())
    before = indexes_and_counters(r1, k1)
    assert sum(dict(stats)["tx_packets"] for _, stats in before[1]) == 19
    listener = Listener(r1, tmp_path)
    daemon.restart()
    wait_for(lambda: all_up(daemon), "all sessions to be up")
    daemon.kill()
    daemon.start()
    wait_for(lambda: all_up(daemon), "all sessions to be up")
    assert listener.heard() == []
    assert indexes_and_counters(r1, k1) == before


def test_after_a_reboot_everything_is_rebuilt(daemon, bridge, r1, k1):
    push(daemon, BASELINE)
    push(daemon, MIXED)
    before = settled(r1, k1, daemon)
    config = configuration(daemon)
    daemon.kill()
    r1.ip_batch(*(f"l2tp del tunnel tunnel_id {t['conn_id']}" for t in k1.tunnels()))
    wait_for(lambda: not k1.tunnels() and not any("l2tpeth" in i for i in r1.interfaces()),
             "the kernel to be empty")
    daemon.start()
    def rebuilt():
        assert in_kernel(r1, k1) == before
        return configuration(daemon) == config
    wait_for(rebuilt, "all to be there again")


# Others


ROUNDS, THEIRS = 23, 200  # 23 * (200 + 50 + 200) - 200 changes, the last round's stay


def their_changes(turns, stay=0):
    """For ip -batch: others' tunnels and sessions come and go; those of the last turns stay."""
    lines = []
    for turn in range(turns):
        ids = range(9000 + turn * THEIRS, 9000 + (turn + 1) * THEIRS)
        lines += [f"l2tp add tunnel tunnel_id {i} peer_tunnel_id {i} encap ip "
                  "local 10.0.0.1 remote 10.0.0.2" for i in ids]
        lines += [f"l2tp add session tunnel_id {ids[0]} session_id {10 * ids[0] + i} "
                  f"peer_session_id 1 name theirs{turn}x{i}" for i in range(50)]
        if turn < turns - stay:
            lines += [f"l2tp del tunnel tunnel_id {i}" for i in ids]
    return lines


def is_ours(entry):
    return dict(entry)["conn_id"] < 9000


def ours(kernel):
    """Of in_kernel(), what is not theirs."""
    return ([t for t in kernel["tunnels"] if is_ours(t)],
            [s for s in kernel["sessions"] if is_ours(s)],
            {n: link for n, link in kernel["links"].items() if not n.startswith("theirs")})


def wait_until_ours_are(expected, r1, k1):
    def as_expected():
        kernel = in_kernel(r1, k1)
        assert ours(kernel) == expected
        return kernel
    return wait_for(as_expected, "ours to be as before")


def sees_theirs(daemon, tunnels, sessions):
    """Others' objects are shown, all that there are and no more."""
    def seen():
        theirs = [key for key in statuses(daemon) if key[0] >= 9000]
        found = len([k for k in theirs if not k[1]]), len([k for k in theirs if k[1]])
        assert found == (tunnels, sessions), found
        return True
    wait_for(seen, "others' to be shown")


def test_commits_while_another_writer_makes_ten_thousand_changes(daemon, r1, k1, tmp_path):
    push(daemon, BASELINE)
    expected = ours(settled(r1, k1, daemon))
    batch, said = tmp_path / "batch", tmp_path / "said"
    batch.write_text("\n".join(their_changes(ROUNDS, stay=1)) + "\n")
    with open(said, "w") as output:
        writer = r1.popen("ip", "-force", "-batch", batch, stdout=output, stderr=output)
    commits = 0
    while writer.poll() is None:
        push(daemon, tunnel(5, session(5001) + session(5002, mtu=1300)))
        push(daemon, tunnel(1, session(1001, mtu=1200 + commits) + session(1002, peer=commits + 1)))
        push(daemon, without(5))
        commits += 3
    assert said.read_text() == ""  # nobody was in their way
    push(daemon, BASELINE, "replace")
    wait_until_ours_are(expected, r1, k1)
    def theirs_are_whole():
        kernel = in_kernel(r1, k1)
        tunnels, sessions = ([e for e in kernel[kind] if not is_ours(e)]
                             for kind in ("tunnels", "sessions"))
        return (len(tunnels), len(sessions)) == (THEIRS, 50)
    wait_for(theirs_are_whole, "theirs to be those of the last turn")
    sees_theirs(daemon, THEIRS, 50)
    assert commits >= 30


def test_lost_events_cost_no_object(daemon, r1, k1, tmp_path):
    """The daemon is stopped while thousands of events come, more than its sockets can hold."""
    push(daemon, BASELINE)
    expected = ours(settled(r1, k1, daemon))
    indexes = indexes_and_counters(r1, k1)[0]
    daemon.send_signal(signal.SIGSTOP)
    r1.ip_batch(*their_changes(10, stay=2))
    k1.session_delete(conn_id=2, session_id=2001)
    daemon.send_signal(signal.SIGCONT)
    sees_theirs(daemon, 2 * THEIRS, 2 * 50)
    wait_until_ours_are(expected, r1, k1)
    wait_for_status(daemon, "up", 2, 2001)
    now = indexes_and_counters(r1, k1)[0]
    changed = {name for name in indexes if indexes[name] != now[name]}
    deleted = next(s["ifname"] for s in k1.sessions() if s["session_id"] == 2001)
    assert changed == {deleted}  # all others were not touched


def index_of(router, name):
    """ifindex, or None; much faster than Router.link()."""
    with inside(router.name):
        return next((index for index, found in socket.if_nameindex() if found == name), None)


def restored_in(router, *words, there):
    """Seconds until what another does with `ip` is undone."""
    begun = time.monotonic()
    router.ip(*words)
    wait_for(there, "what was ours to be back", pause=0.005)
    return time.monotonic() - begun


def test_what_another_deletes_or_changes_is_back_within_two_seconds(daemon, r1, k1):
    push(daemon, BASELINE)
    expected = ours(settled(r1, k1, daemon))
    names = {s["session_id"]: s["ifname"] for s in k1.sessions()}
    indexes = {number: index_of(r1, name) for number, name in names.items()}
    def is_new(number):
        return index_of(r1, names[number]) not in (None, indexes[number])
    took = {
        "session": restored_in(r1, "l2tp", "del", "session", "tunnel_id", "1", "session_id", "1001",
                               there=lambda: is_new(1001)),
        "tunnel": restored_in(r1, "l2tp", "del", "tunnel", "tunnel_id", "2",
                              there=lambda: is_new(2001) and is_new(2002)),
        "link": restored_in(r1, "link", "set", names[1002], "down",
                            there=lambda: "UP" in r1.link(names[1002])["flags"])}
    print(took)
    assert max(took.values()) < 2
    assert daemon.logged("session 1/1001 vanished") and daemon.logged("tunnel 2 vanished")
    wait_until_ours_are(expected, r1, k1)


def test_no_repair_only_reports(need_daemon, start, r1, k1, tmp_path):
    daemon = start(L2tpv3d(r1, tmp_path / "r1", "--no-repair"))
    push(daemon, BASELINE)
    settled(r1, k1, daemon)
    r1.ip("l2tp", "del", "session", "tunnel_id", "1", "session_id", "1001")
    assert wait_for_status(daemon, "down", 1, 1001) == ("down", "externally-modified")
    daemon.wait_for_log("session 1/1001 vanished")
    assert stays_true(lambda: not k1.has_session(conn_id=1, session_id=1001), 3)
    push(daemon, tunnel(1, session(1001, description="touched")))  # who commits it wants it


# Waiting


def waits_and_comes(daemon, l2tp, reason, cause_goes, tunnel_id=1):
    """Waiting with that reason, and in the kernel soon after its cause is gone. Returns seconds."""
    assert status(daemon, tunnel_id) == ("waiting", reason)
    cause_goes()
    begun = time.monotonic()
    wait_for(lambda: l2tp.has_tunnel(tunnel_id), "the tunnel", pause=0.01)
    took = time.monotonic() - begun
    wait_for_status(daemon, "up", tunnel_id, 1001)
    print(f"{reason}: {took:.2f} s")
    return took


def test_it_waits_for_a_route(daemon, r1, k1):
    push(daemon, tunnel(1, session(1001), remote="192.0.2.9"))
    assert waits_and_comes(daemon, k1, "no-route", lambda: r1.ip(
        "route", "add", "192.0.2.0/24", "via", "10.0.0.2")) < 2


def test_it_waits_for_its_address(daemon, r1, k1):
    r1.ip("address", "del", "10.0.0.1/24", "dev", "wan")
    r1.ip("route", "add", "10.0.0.2", "dev", "wan")
    push(daemon, tunnel(1, session(1001)))
    assert waits_and_comes(daemon, k1, "no-local-address", lambda: r1.ip(
        "address", "add", "10.0.0.1/24", "dev", "wan")) < 2


def test_it_waits_while_its_address_is_tentative(daemon, r1, k1):
    r1.run("sysctl", "-qw", "net.ipv6.conf.wan.dad_transmits=5")  # five seconds
    r1.ip("address", "add", "fd00::5/64", "dev", "wan")
    push(daemon, tunnel(1, session(1001)).replace("10.0.0.1", "fd00::5").replace("10.0.0.2", "fd00::2"))
    def passes():
        wait_for(lambda: "tentative" not in r1.ip("address", "show", "dev", "wan"),
                 "duplicate address detection to end")
    assert waits_and_comes(daemon, k1, "address-tentative", passes) < 2


MODULES = ("l2tp_eth", "l2tp_ip6", "l2tp_ip", "l2tp_ppp", "l2tp_netlink", "l2tp_core")
BLACKLIST = "/etc/modprobe.d/no-l2tp.conf"


def unload():
    """False: the network namespaces of a test before may still be on their way out."""
    subprocess.run(["rmmod", *MODULES], capture_output=True)
    return "l2tp_netlink" not in open("/proc/modules").read()


@pytest.fixture
def no_module():
    with open(BLACKLIST, "w") as file:
        file.writelines(f"install {module} /bin/false\n" for module in MODULES)
    try:
        wait_for(unload, "the L2TP modules to be unloaded", 20, 0.5)
    except AssertionError:
        pathlib.Path(BLACKLIST).unlink()
        pytest.skip("another test uses the L2TP modules")
    yield
    pathlib.Path(BLACKLIST).unlink(missing_ok=True)
    subprocess.run(["modprobe", "l2tp_eth"])


def test_it_waits_for_the_module(no_module, daemon, r1):
    assert daemon.logged("l2tp")
    push(daemon, tunnel(1, session(1001)))
    assert status(daemon, 1) == ("waiting", "module-missing")
    assert stays_true(lambda: status(daemon, 1)[0] == "waiting", 5)
    pathlib.Path(BLACKLIST).unlink()
    begun = time.monotonic()
    wait_for_status(daemon, "up", 1, 1001)
    assert time.monotonic() - begun < 12  # it tries 1, 3, 7 and 15 s after the commit


def test_local_interface_follows_its_address(daemon, r1, k1):
    push(daemon, tunnel(1, session(1001)).replace(
        "<local-address>10.0.0.1</local-address>", "<local-interface>wan</local-interface>"))
    assert k1.tunnel_get(conn_id=1)["ip_saddr"] == "10.0.0.1"
    def followed(address):
        def there():
            return k1.has_tunnel(1) and k1.tunnel_get(1)["ip_saddr"] == address
        wait_for(there, f"the tunnel to be from {address}")
        wait_for_status(daemon, "up", 1, 1001)
    r1.ip_batch("address del 10.0.0.1/24 dev wan", "address add 10.0.0.9/24 dev wan")
    followed("10.0.0.9")
    r1.ip("address", "del", "10.0.0.9/24", "dev", "wan")
    assert stays_true(lambda: k1.has_tunnel(1), 1)  # until there is another
    r1.ip("address", "add", "10.0.0.11/24", "dev", "wan")
    followed("10.0.0.11")


def test_an_address_is_wanted_on_the_interface_beside_it(daemon, r1, k1):
    both = tunnel(1, session(1001)).replace(
        "</local-address>", "</local-address><local-interface>up0</local-interface>")
    push(daemon, both)
    wait_for_status(daemon, "waiting", 1)
    assert not k1.tunnels()
    shown = daemon.ctl("show", "tunnel").stdout
    assert "no-interface-address: no address 10.0.0.1 on up0 (No such device)" in shown
    r1.ip_batch("link add up0 type dummy", "link set up0 up", "address add 10.0.0.1/32 dev up0")
    wait_for_status(daemon, "up", 1, 1001)  # wan has it as well
    r1.ip("address", "del", "10.0.0.1/32", "dev", "up0")
    wait_for_status(daemon, "waiting", 1)
    assert k1.has_tunnel(1)  # until it is elsewhere or wanted elsewhere
    daemon.ctl("set", "tunnel", "tunnel_id", "1", "dev", "wan")
    wait_for_status(daemon, "up", 1, 1001)


def test_making_it_anew_keeps_what_no_leaf_says(daemon, bridge, r1, k1):
    push(daemon, BASELINE)
    name = next(s["ifname"] for s in k1.sessions() if s["session_id"] == 1001)
    r1.ip("link", "set", name, "mtu", "1234", "master", "br0")
    before = r1.link(name)
    push(daemon, tunnel(1, session(1001, peer=99)))
    push(daemon, tunnel(1, remote="10.0.0.77"))
    after = r1.link(name)
    assert after["ifindex"] != before["ifindex"]
    for what in ("address", "mtu", "master"):
        assert after[what] == before[what]
    assert one_link(after) == one_link(before)
