"""The playbooks of docs/fleet against routers on the simulated kernel: what they say and do when something is not as it
should be. tests/vm/test_fleet.py has them on a real kernel."""
import json
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import fleet  # noqa: E402
from lib.built import need_built  # noqa: E402
from lib.daemons import L2TPV3D, RELAY  # noqa: E402
from lib.here import Here, free_port  # noqa: E402
from lib.netconf import L2TP, RpcError  # noqa: E402
from lib.users import GAMES, As, open_to_all  # noqa: E402

need_built(L2TPV3D, RELAY)
pytestmark = pytest.mark.skipif(fleet.missing() is not None, reason=str(fleet.missing()))
OTHER = "another secret, for other cookies, of this test"
ADDRESSES = ("192.0.2.1", "198.51.100.1", "203.0.113.1")  # each simulated kernel has all of them


@pytest.fixture(scope="module")
def mesh(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fleet")
    members = [fleet.Member(number, Here(), folder / f"r{number}", wan, port=free_port(socket.SOCK_STREAM), kernel="sim").start()
               for number, wan in enumerate(ADDRESSES, 1)]
    mesh = fleet.Fleet(folder / "control", {member.name: member.row for member in members})
    mesh.members = members
    yield mesh
    for member in members:
        member.stop()


@pytest.fixture
def up(mesh):
    """The mesh, made; what a test breaks is put back."""
    if not all("<tunnel>" in config for config in configs(mesh)):
        mesh.play()
    yield mesh
    mesh.secret(fleet.SECRET)
    mesh.inventory()


def configs(mesh):
    return [member.config() for member in mesh.members]


def latest(member):
    return member.daemon.ctl("history").stdout.splitlines()[0]


def cookies(config):
    return set(re.findall("x-cookie>(.+?)<", config))


def test_a_run_in_check_mode_then_one_that_does_it_then_one_that_has_nothing_to_do(mesh):
    before = configs(mesh)
    said, recap = mesh.play("--check", "--diff")
    assert all(counts["changed"] for counts in recap.values()) and configs(mesh) == before
    assert said.count("<tunnel-id>") == 6 and "-cookie" not in said
    assert mesh.changed() == {"r1", "r2", "r3"}
    after = configs(mesh)
    assert all(config.count("<tunnel>") == 2 and config.count("<tx-cookie>") == 2 for config in after)
    assert mesh.changed() == set() and configs(mesh) == after


def test_other_cookies_are_a_change_and_nothing_else(up):
    before = configs(up)
    up.secret(OTHER)
    assert up.changed("--check") == {"r1", "r2", "r3"} and configs(up) == before
    assert up.changed("-e", "batch=1") == {"r1", "r2", "r3"}
    for old, new in zip(before, configs(up)):
        assert cookies(old).isdisjoint(cookies(new))
        assert re.sub("x-cookie>.+?<", "", old) == re.sub("x-cookie>.+?<", "", new)


def test_of_a_rolling_change_the_routers_after_the_one_that_fails_are_not_touched_and_those_before_are_undone(up):
    before, last = configs(up), latest(up.members[2])
    up.secret("a third secret, for other cookies, of this test")
    up.members[1].sshd.stop()
    try:
        said, _ = up.play("-e", "batch=1", succeeds=False)
    finally:
        up.members[1].sshd.start()
    assert "Nothing was changed, because of r2, r3" in said, said
    assert configs(up) == before and latest(up.members[2]) == last and "cancelled: back to" in latest(up.members[0])


def test_check_mode_fails_where_the_router_would_refuse(up):
    up.inventory(r3={"wan": "no address"})
    said, _ = up.play("--check", succeeds=False)
    assert re.search('Would the router take it: .*given ."no address."', said), said


def test_a_confirmation_that_is_not_heard_takes_back_the_others(up):
    before = configs(up)
    up.secret("a fourth secret, for other cookies, of this test")
    book, confirm = up.folder / "mesh.yml", "<persist-id>{{ hostvars.localhost.run_id }}"
    (up.folder / "spoiled.yml").write_text(book.read_text().replace(
        confirm, confirm + "{{ 'x' if inventory_hostname == 'r3' else '' }}", 1))
    said, _ = up.play(succeeds=False, book="spoiled.yml")
    assert "All others have what they had before; r3 too, once 600 seconds have passed" in said, said
    assert configs(up)[:2] == before[:2]
    with up.members[2].daemon.netconf() as client:  # instead of the timeout
        client.rpc("<cancel-commit/>")
    assert configs(up) == before


def test_the_account_may_set_cookies_once_nacm_lets_it(up):
    daemon = up.members[0].daemon
    open_to_all(daemon)
    cookie = (f'<l2tpv3 xmlns="{L2TP}"><tunnel><tunnel-id>2</tunnel-id><session><session-id>2</session-id>'
              "<tx-cookie>{}</tx-cookie></session></tunnel></l2tpv3>")
    mine = re.search("<tx-cookie>(.*?)<", up.members[0].config())[1]
    with As(daemon, GAMES) as client, pytest.raises(RpcError, match="access-denied"):
        client.edit_config(cookie.format("01234567"))
    daemon.ctl("push", "-", input=(fleet.DOCS / "nacm.xml").read_text().replace("netconf</user", "games</user"))
    with As(daemon, GAMES) as client:
        client.edit_config(cookie.format("01234567"))
        assert ">01234567<" in client.rpc_text("<get-config><source><running/></source></get-config>")
        client.edit_config(cookie.format(mine))


def test_prometheus_finds_the_same_routers(mesh, tmp_path):
    mesh.play("-e", f"targets={tmp_path}", book="monitoring.yml")
    for name, port in (("snmp", ""), ("node", ":9100")):
        found = json.loads((tmp_path / f"{name}.json").read_text())
        assert [(row["targets"], row["labels"]["router"]) for row in found] == [
            ([f"127.0.0.1{port}"], member.name) for member in mesh.members]
    config = (fleet.DOCS / "prometheus.yml").read_text().replace("/etc/prometheus/l2tpv3", str(tmp_path))
    (tmp_path / "prometheus.yml").write_text(config)
    shutil.copy(fleet.DOCS.parent / "nms/alerts.yml", tmp_path)
    if not shutil.which("promtool"):
        pytest.skip("prometheus is not installed")
    done = subprocess.run(["promtool", "check", "config", tmp_path / "prometheus.yml"], text=True, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr
