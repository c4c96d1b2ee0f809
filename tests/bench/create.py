"""(a) Create N named sessions and set their interfaces up."""
import population
from figures import alternate, milliseconds

TARGETS = {"bare loop": "<= 1.15", "ip -batch": "< 1"}
WARM_UP = 10


def by_push(contest, count, how):
    contest.start()
    took = how(population.document(range(1, count + 1)))
    contest.daemon.stop()
    return took


def by_file(contest, xml):
    path = contest.write("push.xml", xml)
    return milliseconds(lambda: contest.ctl("push", path))


def contestants(contest, count):
    return {
        "XML push": lambda: by_push(contest, count, contest.edit),
        "l2tpv3ctl push": lambda: by_push(contest, count, lambda xml: by_file(contest, xml)),
        "bare loop": lambda: contest.bare_loop(count),
        "ip -batch": lambda: contest.ip_batch(population.ip_batch(range(1, count + 1))),
    }


def judged(contest, count, work):
    """A run counts only if it ended in the state that all must reach."""
    def run():
        took = work()
        contest.place.check(count)
        contest.place.clear()
        return took
    return run


def warm_up(contest):
    """Load modules and programs, whose first use takes long and is nobody's fault."""
    for work in contestants(contest, WARM_UP).values():
        judged(contest, WARM_UP, work)()


def run(contest, figures, counts, rounds):
    figures.section("(a) create N named sessions, interfaces up, until the reply")
    for count in counts:
        turns = rounds if count <= 2000 else 1  # the large ones take long and vary little
        times = alternate({name: judged(contest, count, work) for name, work
                           in contestants(contest, count).items()}, turns)
        for ours in ("XML push", "l2tpv3ctl push"):
            for peer, target in TARGETS.items():
                figures.row(ours, count, times[ours], times[peer], peer, target)
