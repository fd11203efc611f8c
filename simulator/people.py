"""People to write to and things they are told, from a seed: the same seed gives the same people and texts.

Faker supplies names, sentences and alphabets; the numbers are ours, because a provider judges them by the
numbering plans. Whether a message is sent, and how, is not decided here.
"""

from collections.abc import Iterator
from itertools import count
from random import Random
from types import MappingProxyType
from typing import NamedTuple

from faker import Faker

from contracts import spec

# Mobile ranges: what comes before the subscriber's digits, and how many of those there are.
PHILIPPINES = tuple((f"+63{prefix}", 7) for prefix in (905, 906, 915, 916, 917, 918, 919, 920, 921, 927, 928, 935))
ABROAD = (
    *(("+6591", 6), ("+6141234", 4), ("+4474009", 5), ("+491511", 7), ("+8190123", 5), ("+9198765", 5)),
    *(("+1212555", 4), ("+336123", 5), ("+55119912", 5), ("+2547123", 5)),
)
# The share of each kind of text in ordinary traffic, in percent.
KINDS = MappingProxyType({"gsm7": 62, "ucs2": 14, "emoji": 12, "long": 8, "extended": 4})
_EMOJI = ("😀", "👍🏽", "🎉", "👨‍👩‍👧‍👦", "🇵🇭", "🙏")
_EXTENDED = ("Total: €{n}", "[ref {n}] {{ok}} ~ see \\\\branch^2 | desk", "Codes: {n}^{n} [€]")
_LOCALES = ("ja_JP", "ru_RU", "ar_AA", "th_TH")
_POOL = 64  # sentences made by Faker per kind; messages are told apart by their number


class Person(NamedTuple):
    """Somebody with a mobile phone."""

    name: str
    number: str


class Note(NamedTuple):
    """One text and who gets it; `kind` is a key of `KINDS`, or "page" for the provider's own example."""

    to: str
    text: str
    kind: str


class People:
    """An endless supply of people and notes; `abroad` is the share (0 to 1) of numbers outside the Philippines."""

    def __init__(self, seed: int, abroad: float = 0.2) -> None:
        self._dice = Random(seed)
        self._abroad = abroad
        self._numbers = count(1)
        fake = Faker(["en_PH", "en_US"])
        fake.seed_instance(seed)
        foreign = Faker(list(_LOCALES))
        foreign.seed_instance(seed)
        self._names = [fake.name() for _ in range(_POOL)]
        self._plain = [_gsm7(fake.sentence(9)) for _ in range(_POOL)]
        self._foreign = [foreign.name() for _ in range(_POOL)]
        self._long = [_gsm7(fake.paragraph(25)) for _ in range(_POOL // 4)]

    def number(self) -> str:
        """A mobile number in E.164 that numbering plans call valid."""
        ranges = ABROAD if self._dice.random() < self._abroad else PHILIPPINES
        prefix, digits = self._dice.choice(ranges)
        return prefix + "".join(self._dice.choices("0123456789", k=digits))

    def person(self) -> Person:
        """Somebody new; names repeat, numbers practically never."""
        return Person(self._dice.choice(self._names), self.number())

    def text(self, kind: str, n: int = 0) -> str:
        """A text of a kind; `n` is worked in so that it can be told from its neighbours."""
        first = self._dice.choice(self._names).split()[0]
        plain = self._dice.choice(self._plain)
        match kind:
            case "ucs2":
                return f"{self._dice.choice(self._foreign)}: {plain} №{n}"
            case "emoji":
                return f"Hi {first} {self._dice.choice(_EMOJI)} {plain} #{n}"
            case "long":
                return f"#{n} {self._dice.choice(self._long)}"[: spec.limits().text]
            case "extended":
                return f"{self._dice.choice(_EXTENDED).format(n=n)} {plain}"
        return f"Hello {first}, {plain} #{n}"

    def notes(self) -> Iterator[Note]:
        """Endless notes, the provider's page example first, then kinds in the shares of `KINDS`."""
        page = spec.page_example()
        yield Note(page["to"], page["text"], "page")
        while True:
            yield self.note(self.number())

    def note(self, to: str) -> Note:
        """The next text, for somebody known."""
        kind = self._dice.choices(tuple(KINDS), tuple(KINDS.values()))[0]
        return Note(to, self.text(kind, next(self._numbers)), kind)


def _gsm7(text: str) -> str:
    """Faker's English is plain ASCII but for a few letters outside the GSM alphabet."""
    return text.encode("ascii", "ignore").decode().replace("`", "'")
