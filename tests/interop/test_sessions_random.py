"""Sessions of two users with locks, partial locks and the candidate, at random and some at once, judged by a small model:
who holds what, what each operation must answer, and what both datastores then hold.

Requests sent at once may be carried out in either order: one of the two must explain all answers and what is found then.
L2TPV3D_STEPS=n: so many, instead of the sample; L2TPV3D_SEED=n: others.
"""
import copy
import os
import random
import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.built import need_built  # noqa: E402
from lib.daemons import L2TPV3D, L2tpv3d  # noqa: E402
from lib.here import Here  # noqa: E402
from lib.netconf import L2TP, errors_of, subtree  # noqa: E402
from lib.users import GAMES, As, group, nacm, open_to_all, path, rule, rules  # noqa: E402

need_built(L2TPV3D)
if os.geteuid():
    pytest.skip("needs root, to be somebody else", allow_module_level=True)

SEED = int(os.environ.get("L2TPV3D_SEED") or 1)
STEPS = int(os.environ.get("L2TPV3D_STEPS") or 1500)
PARTIAL = "urn:ietf:params:xml:ns:netconf:partial-lock:1.0"
MONITORING = "urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"
DENIED = 2  # the tunnel that the user games may read only
ENTRIES = [(tunnel, session) for tunnel in (1, DENIED) for session in (1, 2)]
USERS = {"root1": "root", "root2": "root", "games1": "games", "games2": "games"}
STORES = ("running", "candidate")
LOCKS = subtree(f'<netconf-state xmlns="{MONITORING}"><datastores/></netconf-state>')
READ = [f"<get-config><source><{store}/></source>{subtree(f'<l2tpv3 xmlns={chr(34)}{L2TP}{chr(34)}/>')}</get-config>"
        for store in STORES] + [f"<get>{LOCKS}</get>"]


def config(values):
    """Tunnels with sessions of these MTUs; None leaves it out."""
    made = ""
    for number in sorted({tunnel for tunnel, _ in values}):
        inner = "".join(f"<session><session-id>{10 * number + s}</session-id>" + (f"<mtu>{mtu}</mtu>" if mtu else "") + "</session>"
                        for (t, s), mtu in values.items() if t == number)
        made += f"<tunnel><tunnel-id>{number}</tunnel-id>{inner}</tunnel>"
    return f'<l2tpv3 xmlns="{L2TP}">{made}</l2tpv3>'


def select(part):
    """A tunnel with all in it, a session, or its MTU."""
    tunnel, session, leaf = part
    return (f"/l:l2tpv3/l:tunnel[l:tunnel-id='{tunnel}']"
            + (f"/l:session[l:session-id='{10 * tunnel + session}']" if session else "") + ("/l:mtu" if leaf else ""))


def overlap(one, two):
    return one[0] == two[0] and (not one[1] or not two[1] or one[1] == two[1])


class Model:
    def __init__(self):
        self.running = {entry: None for entry in ENTRIES}
        self.staged = {}
        self.holder = dict.fromkeys(STORES)
        self.partial = {}  # number of the request: session and part

    def candidate(self):
        return {**self.running, **self.staged}

    def differing(self):
        return {entry: value for entry, value in self.staged.items() if value != self.running[entry]}

    def follow(self):
        """With each edit the candidate follows running, and what differs no more is staged no more."""
        self.staged = self.differing()

    def locked(self, store, name):
        return self.holder[store] not in (None, name)

    def may_write_running(self, name, changes):
        """Error tags; none: it may."""
        tags = {"in-use"} if self.locked("running", name) else set()
        for entry in changes:
            if any(holder != name and overlap((*entry, True), part) for holder, part in self.partial.values()):
                tags.add("in-use")
            if USERS[name] == "games" and entry[0] == DENIED:
                tags.add("access-denied")
        return tags

    def edit(self, name, store, values, **_):
        if store == "candidate" and self.locked(store, name):
            return {"in-use"}
        if store == "candidate":
            self.follow()
        now = self.running if store == "running" else self.candidate()
        changes = {entry: value for entry, value in values.items() if now[entry] != value}
        if store == "running":
            if tags := self.may_write_running(name, changes):
                return tags
            self.running.update(changes)
            return {""}
        if USERS[name] == "games" and any(entry[0] == DENIED for entry in changes):
            return {"access-denied"}
        self.staged.update(changes)
        self.follow()
        return {""}

    def commit(self, name, **_):
        tags = self.may_write_running(name, self.differing())
        if self.locked("candidate", name):
            tags.add("in-use")
        if tags:
            return tags
        self.running.update(self.staged)
        self.staged = {}
        return {""}

    def discard(self, name, **_):
        if self.locked("candidate", name):
            return {"in-use"}
        self.staged = {}
        return {""}

    def lock(self, name, store, **_):
        taken = self.holder[store] or (self.partial if store == "running" else self.staged)
        if taken:
            return {"lock-denied"}
        self.holder[store] = name
        return {""}

    def unlock(self, name, store, **_):
        if self.holder[store] != name:
            return {"operation-failed"}
        self.holder[store] = None
        if store == "candidate":
            self.staged = {}
        return {""}

    def partial_lock(self, name, part, number, **_):
        if self.locked("running", name):
            return {"lock-denied"}
        if part[2] and self.running[part[:2]] is None:
            return {"operation-failed"}
        if any(holder != name and overlap(part, other) for holder, other in self.partial.values()):
            return {"lock-denied"}
        self.partial[number] = name, part
        return {""}

    def partial_unlock(self, name, which, **_):
        if which not in self.partial or self.partial[which][0] != name:
            return {"invalid-value"}
        del self.partial[which]
        return {""}

    def end(self, name, **_):
        self.partial = {number: held for number, held in self.partial.items() if held[0] != name}
        for store in STORES:
            if self.holder[store] == name:
                self.unlock(name, store)
        return {""}

    def kill(self, name, victim, **_):
        if USERS[name] == "games" and USERS[victim] == "root":
            return {"access-denied"}
        return self.end(victim)


class Sessions:
    def __init__(self, daemon):
        self.daemon, self.observer = daemon, daemon.netconf()
        self.clients = {name: self.connect(name) for name in USERS}
        self.ids = {}  # of partial locks, by the request that took them

    def connect(self, name):
        return self.daemon.netconf() if USERS[name] == "root" else As(self.daemon, GAMES).connect()

    def body(self, what, store=None, values=None, part=None, which=None, victim=None, **_):
        return {
            "edit": lambda: f"<edit-config><target><{store}/></target><config>{config(values)}</config></edit-config>",
            "commit": lambda: "<commit/>", "discard": lambda: "<discard-changes/>",
            "lock": lambda: f"<lock><target><{store}/></target></lock>",
            "unlock": lambda: f"<unlock><target><{store}/></target></unlock>",
            "partial_lock": lambda: f'<partial-lock xmlns="{PARTIAL}" xmlns:l="{L2TP}"><select>{select(part)}</select></partial-lock>',
            "partial_unlock": lambda: f'<partial-unlock xmlns="{PARTIAL}"><lock-id>{self.ids.get(which, 4000000)}</lock-id></partial-unlock>',
            "end": lambda: "<close-session/>",
            "kill": lambda: f"<kill-session><session-id>{self.clients[victim].session_id}</session-id></kill-session>"}[what]()

    def carry_out(self, requests):
        """The error tags of each: all are sent before any answer is read."""
        for request in requests:
            client = self.clients[request["name"]]
            client.send_raw(client.rpc_message(self.body(**request)))
        return [self.answer(request) for request in requests]

    def answer(self, request):
        reply = ET.fromstring(self.clients[request["name"]].reply_text())
        tags = {error["error-tag"] for error in errors_of(reply)} or {""}
        if request["what"] == "partial_lock" and tags == {""}:
            self.ids[request["number"]] = reply.findtext(f"{{{PARTIAL}}}lock-id")
        gone = {"end": request["name"], "kill": request.get("victim")}.get(request["what"])
        if gone and tags == {""}:
            client = self.clients[gone]
            while client.socket.recv(1 << 16):
                pass
            client.close()
            self.clients[gone] = self.connect(gone)
        return tags

    def found(self):
        """Both datastores, who holds which lock, and which partial locks."""
        *configs, state = self.observer.rpc_texts(*READ)
        stores = [{(int(number) // 10, int(number) % 10): mtu and int(mtu)
                   for number, mtu in re.findall(r"<session-id>(\d+)</session-id>.*?(?:<mtu>(\d+)</mtu>.*?)?</session>", text)}
                  for text in configs]
        names = {client.session_id: name for name, client in self.clients.items()}
        holder, partial = dict.fromkeys(STORES), {}
        for store in ET.fromstring(state).iter(f"{{{MONITORING}}}datastore"):
            name = store.findtext(f"{{{MONITORING}}}name")
            for lock in store.iter(f"{{{MONITORING}}}global-lock"):
                holder[name] = names[lock.findtext(f"{{{MONITORING}}}locked-by-session")]
            for lock in store.iter(f"{{{MONITORING}}}partial-lock"):
                partial[lock.findtext(f"{{{MONITORING}}}lock-id")] = names[lock.findtext(f"{{{MONITORING}}}locked-by-session")]
        return [{entry: value or None for entry, value in store.items()} for store in stores], holder, partial

    def explains(self, model):
        partial = {self.ids.get(number): holder for number, (holder, _) in model.partial.items()}
        return self.found() == ([model.running, model.candidate()], model.holder, partial)


class Chooser:
    """Makes up requests."""

    def __init__(self, seed):
        self.random, self.number = random.Random(seed), 0

    def request(self, model, name):
        rand = self.random
        self.number += 1
        what = rand.choices(("edit", "commit", "discard", "lock", "unlock", "partial_lock", "partial_unlock", "end", "kill"),
                            (30, 12, 5, 12, 12, 12, 12, 2, 2))[0]
        made = {"what": what, "name": name, "number": self.number, "store": rand.choice(STORES)}
        if what == "edit":
            made["values"] = {entry: rand.choice((1300, 1400, 1500)) for entry in rand.sample(ENTRIES, rand.choice((1, 1, 2)))}
        if what == "partial_lock":
            made["part"] = (rand.choice((1, DENIED)), *rand.choice(((0, False), (1, False), (2, False), (1, True), (2, True))))
        if what == "partial_unlock":
            made["which"] = rand.choice([*model.partial, 0])
        if what == "kill":
            made["victim"] = rand.choice([other for other in USERS if other != name])
        return made

    def requests(self, model):
        """One, or two of different sessions at once; the end of a session is one alone."""
        names = self.random.sample(list(USERS), self.random.choice((1, 1, 1, 2)))
        made = [self.request(model, name) for name in names]
        return made if all(one["what"] not in ("end", "kill") for one in made) else made[:1]


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    daemon = L2tpv3d(Here(), tmp_path_factory.mktemp("sessions"), kernel="sim").start()
    sessions = {number: "".join(f"<session><session-id>{10 * number + s}</session-id><peer-session-id>1</peer-session-id></session>"
                                for s in (1, 2)) for number in (1, DENIED)}
    with daemon.netconf() as client:
        client.edit_config(f'<l2tpv3 xmlns="{L2TP}">' + "".join(
            f"<tunnel><tunnel-id>{number}</tunnel-id><peer-tunnel-id>1</peer-tunnel-id><local-address>127.0.0.1</local-address>"
            f"<remote-address>127.0.0.2</remote-address><local-port>{5000 + number}</local-port>{inner}</tunnel>"
            for number, inner in sessions.items()) + "</l2tpv3>" + nacm(
                "<write-default>permit</write-default><groups>" + group("g", "games") + "</groups>" + rules("r", "g", rule(
                    "read", "deny", path(f"/x:l2tpv3/x:tunnel[x:tunnel-id='{DENIED}']")
                    + "<access-operations>create update delete</access-operations>"))))
    open_to_all(daemon)
    yield daemon
    daemon.stop()
    assert "ERROR: " not in daemon.log()  # a sanitizer's


def outcomes(model, requests):
    """(tags that each may answer, the model then) of each order."""
    for order in (requests, requests[::-1])[:len(requests)]:
        after = copy.deepcopy(model)
        tags = {id(request): getattr(after, request["what"])(**request) for request in order}
        yield [tags[id(request)] for request in requests], after


def test_sessions_get_what_a_model_says(daemon):
    model, chooser, sessions = Model(), Chooser(SEED), Sessions(daemon)
    assert sessions.explains(model)
    counts = {}
    for step in range(STEPS):
        requests = chooser.requests(model)
        possible = list(outcomes(model, requests))
        answers = sessions.carry_out(requests)
        fitting = [after for tags, after in possible if all(got <= may for got, may in zip(answers, tags))]
        right = next((after for after in fitting if sessions.explains(after)), None)
        if right is None:
            pytest.fail(f"L2TPV3D_SEED={SEED}, step {step}:\n{requests}\nbefore: {vars(model)}\nanswers: {answers}\n"
                        f"possible: {[tags for tags, _ in possible]}\nfound: {sessions.found()}")
        model = right
        for request, tags in zip(requests, answers):
            key = request["what"], tags == {""}
            counts[key] = counts.get(key, 0) + 1
    assert min(counts.values()) > 0 and len(counts) >= 15, counts  # each was accepted and refused
