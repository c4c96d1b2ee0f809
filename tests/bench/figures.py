"""Measure, keep and print figures: always both numbers, the ratio, and beside them the target.

Nothing here passes or fails.  On an emulated processor only ratios inside one run mean anything.
"""
import json
import statistics
import time

COLUMNS = "{:<38} {:>6} {:>11} {:>11}  {:<14} {:>7}  {}"


class Stopwatch:
    """with Stopwatch() as took: ...; took.ms"""

    def __enter__(self):
        self.begun = time.perf_counter()
        return self

    def __exit__(self, *_):
        self.ms = (time.perf_counter() - self.begun) * 1000


def milliseconds(work):
    with Stopwatch() as took:
        work()
    return took.ms


def alternate(contestants, rounds):
    """{name: [ms, ...]} of {name: function that returns ms}, who take turns, each going first once."""
    names = list(contestants)
    times = {name: [] for name in names}
    for turn in range(rounds):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            times[name].append(contestants[name]())
    return times


def percentile(values, percent):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def number(value):
    return "-" if value is None else f"{value:.{0 if abs(value) >= 100 else 2}f}"


class Figures:
    """The figures of one run, printed as they come and written as JSON after each section."""

    def __init__(self, path, **about):
        self.path, self.about, self.rows = path, about, []

    def section(self, title):
        self.title = title
        print(f"\n{title}", flush=True)
        print(COLUMNS.format("", "N", "ours", "peer", "", "ratio", "target"), flush=True)

    def row(self, what, n, ours, peer=None, peer_name="", target="", unit="ms"):
        """Numbers, or lists of runs, of which the median counts."""
        runs = {key: value for key, value in (("ours", ours), ("peer", peer))
                if isinstance(value, list)}
        ours, peer = (statistics.median(v) if isinstance(v, list) else v for v in (ours, peer))
        ratio = ours / peer if peer else None
        self.rows.append({"section": self.title, "what": what, "n": n, "ours": ours, "peer": peer,
                          "peer_name": peer_name, "ratio": ratio, "unit": unit, "target": target,
                          "runs": runs})
        print(COLUMNS.format(f"{what}, {unit}" if unit else what, n, number(ours), number(peer),
                             peer_name, f"{ratio:.3f}" if ratio else "-", target), flush=True)
        self.write()

    def note(self, text):
        self.rows.append({"section": self.title, "note": text})
        print(f"  {text}", flush=True)
        self.write()

    def growth(self, what, target):
        """How what was measured as `what` grew from the smallest N to the largest."""
        found = sorted((row["n"], row["ours"]) for row in self.rows if row.get("what") == what)
        if len(found) > 1:
            (n1, t1), (n2, t2) = found[0], found[-1]
            self.note(f"{what}: N x {n2 / n1:g}, time x {t2 / t1:.2f} (target: {target})")

    def write(self):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(json.dumps({**self.about, "figures": self.rows}, indent=1) + "\n")
