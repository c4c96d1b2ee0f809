"""Remove 500 sessions one by one, and a tunnel with 500 sessions; until the reply and until gone."""
import population
from figures import Stopwatch, alternate
from lib.waiting import wait_for

COUNT = 500
ALL = range(1, COUNT + 1)


def until_gone(contest, what, work):
    """(until the answer, until nothing is left in the kernel), of the sessions or the tunnel."""
    def gone():
        left = contest.place.kernel.sessions() or contest.place.interfaces()
        return not left and (what == "sessions" or not contest.place.kernel.tunnels())

    with Stopwatch() as took:
        answer = work()
        wait_for(gone, f"the {what} to be gone", 600, pause=0.005)
    return answer, took.ms


def ours(contest, what, found):
    contest.start()
    contest.edit(population.document(ALL))
    numbers = ALL if what == "sessions" else None
    found.append(until_gone(contest, what, lambda: contest.edit(population.removal_xml(numbers))))
    contest.daemon.stop()
    contest.place.clear()
    return found[-1][0]


def ip(contest, what, found):
    contest.bare_loop(COUNT)
    numbers = ALL if what == "sessions" else None
    batch = population.ip_batch_removal(numbers)
    found.append(until_gone(contest, what, lambda: contest.ip_batch(batch)))
    contest.place.clear()
    return found[-1][0]


def run(contest, figures, rounds):
    figures.section(f"Remove {COUNT} sessions, and a tunnel that has {COUNT}")
    for what in ("sessions", "tunnel"):
        mine, theirs = [], []
        alternate({"ours": lambda: ours(contest, what, mine),
                   "ip": lambda: ip(contest, what, theirs)}, rounds)
        for place, until in enumerate(("until the answer", "until gone")):
            figures.row(f"{what}, {until}", COUNT, [run[place] for run in mine],
                        [run[place] for run in theirs], "ip -batch", "<= 1")
