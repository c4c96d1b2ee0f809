"""What tests/data/cli/manual holds: commands, parameters, and what is refused, of `ip l2tp` and of its manual."""
import functools
from dataclasses import dataclass

from .daemons import CHECKOUT
from .table import rows

FILE = CHECKOUT / "tests" / "data" / "cli" / "manual"
# What an object needs, in words of `ip l2tp`, which wants the ports said.
NEEDS = {"tunnel": "tunnel_id 1 peer_tunnel_id 2 local 10.0.0.1 remote 10.0.0.2 udp_sport 5000 udp_dport 6000",
         "session": "tunnel_id 1 session_id 5 peer_session_id 6"}
# Of the environment of a test.
DEVICE, SECRET_FILE = "DEV", "FILE"


@dataclass
class Command:
    spellings: list
    objects: str
    arguments: str
    ip: str

    def __str__(self):
        return f"{self.spellings[-1]} {self.objects} {self.arguments}".strip()

    def lines(self):
        """In both orders, the one of iproute2 first."""
        for spelling in self.spellings:
            yield f"{spelling} {self.objects} {self.arguments}".strip()
            yield f"{self.objects} {spelling} {self.arguments}".strip()


@dataclass
class Parameter:
    object: str
    words: str
    leaf: str       # None: nothing becomes of it
    value: str      # of the leaf, as YANG writes it; what is said, when it is refused
    ip: str

    def __str__(self):
        return f"{self.object} {self.words}"

    def keywords(self):
        return [word for word in self.words.split() if not word.startswith("no-")][::2]

    def arguments(self):
        """All that the object needs, where these words do not say it."""
        words = self.words.split()
        taken = [word for word in words if word.startswith("no-")]
        given = [word for word in words if word not in taken]
        said = {leaf_of(self.object, word) for word in given[::2]}
        said |= {leaf_of(self.object, word.removeprefix("no-")) for word in taken}
        needs = NEEDS[self.object].split()
        left = [f"{word} {value}" for word, value in zip(needs[::2], needs[1::2])
                if (leaf_of(self.object, word) or word) not in said | set(given)]
        return " ".join([*left, *given])

    def lines(self):
        return f"add {self.object} {self.arguments()}", f"{self.object} add {self.arguments()}"


def leaf_of(name, word):
    """That the word names in the object; None when it names none."""
    return next((row.leaf for row in rows()
                 if row.object == name and (word in row.keywords or word.replace("_", "-") == row.leaf)), None)


def command(spellings, objects, arguments, ip):
    return Command(spellings.split(), objects, arguments, ip)


def parameter(name, words, outcome, ip):
    leaf, _, value = outcome.partition(" ")
    return Parameter(name, words, None if leaf == "-" else leaf, value, ip)


def refused(name, words, said, ip):
    return Parameter(name, words, None, said, ip)


@functools.cache
def lines_of(section):
    make = {"commands": command, "parameters": parameter, "refused": refused}[section]
    text = FILE.read_text().partition(f"%% {section}:")[2].partition("\n%%")[0]
    return [make(*(part.strip() for part in line.split("|"))) for line in text.splitlines()[1:] if line]
