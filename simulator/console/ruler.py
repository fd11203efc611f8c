"""The ruler under a text: its segments, what each letter costs, what forces UCS-2, and what that costs.

Pure. Where segments end is told by `simulator/ledger/segments.py`; here it is made visible.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Final, NamedTuple

from simulator.ledger.segments import EXTENSION, GSM_7, Alphabet, alphabet, segments, split

# What a word processor puts in, by what stands for it in GSM-7. Letters with accents lose them (`_plain`).
FAMILIES: Final[Mapping[str, str]] = {
    "'": "\u2018\u2019\u201a\u201b\u2032\u00b4\u02bc`",
    '"': "\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb",
    "-": "\u2010\u2011\u2012\u2013\u2014\u2015\u2212",
    "*": "\u2022\u00b7\u25cf",
    "/": "\u2044",
    "\n": "\u0085\u2028\u2029",
    " ": "\t",
    "": "\u00ad\u200b\u200c\u200d\u2060\ufeff\ufe0e\ufe0f",
}
INSTEAD: Final[Mapping[str, str]] = {odd: plain for plain, family in FAMILIES.items() for odd in family}
UNSEEN: Final = {"Cc", "Cf", "Cn", "Cs", "Zs", "Zl", "Zp"}  # categories of what leaves no mark on a screen


class Piece(NamedTuple):
    """Letters of one kind: "" is plain, `wide` takes two units of GSM-7, `odd` is not in GSM-7."""

    text: str
    kind: str
    unseen: str  # their code points, if nothing of them can be seen


class Part(NamedTuple):
    """One segment: its letters, and how many of its `room` units they fill."""

    pieces: tuple[Piece, ...]
    units: int
    room: int


class Culprit(NamedTuple):
    """A letter that forces UCS-2, and what could stand for it: None is nothing, "" is that it could be left out."""

    letter: str
    point: str
    name: str
    times: int
    instead: str | None


@dataclass(frozen=True, slots=True)
class Ruler:
    """A text measured. `smart` is the text with its culprits replaced, None if that would not make it GSM-7."""

    text: str
    encoding: str
    parts: tuple[Part, ...]
    culprits: tuple[Culprit, ...]
    smart: str | None

    @property
    def left(self) -> int:
        """Units left in the segment that is being written."""
        return self.parts[-1].room - self.parts[-1].units

    @property
    def smart_count(self) -> int:
        """The segments that the text would take with its culprits replaced."""
        return segments(self.smart or "")[1]

    @property
    def edges(self) -> list[int]:
        """After how many characters a new segment begins."""
        ends, end = [], 0
        for part in self.parts[:-1]:
            end += sum(len(piece.text) for piece in part.pieces)
            ends.append(end)
        return ends


def measure(text: str) -> Ruler:
    """The text on the ruler."""
    used, parts = alphabet(text), split(text)
    room = used.whole if len(parts) == 1 else used.part
    shown = tuple(Part(tuple(_pieces(part)), used.units(part), room) for part in parts)
    return Ruler(text, used.encoding, shown, tuple(_culprits(text)), _smart(text, used))


def _pieces(text: str) -> Iterable[Piece]:
    for kind, letters in groupby(text, _kind):
        run = "".join(letters)
        hidden = kind == "odd" and all(unicodedata.category(letter) in UNSEEN for letter in run)
        yield Piece(run, kind, " ".join(map(_point, run)) if hidden else "")


def _kind(letter: str) -> str:
    return "odd" if letter not in GSM_7 else "wide" if letter in EXTENSION else ""


def _culprits(text: str) -> Iterable[Culprit]:
    for letter, times in Counter(letter for letter in text if letter not in GSM_7).most_common():
        seen = "" if unicodedata.category(letter) in UNSEEN else letter
        plain = _plain(letter)
        fits = frozenset(plain) <= GSM_7
        yield Culprit(seen, _point(letter), _name(letter), times, plain if fits else None)


def _smart(text: str, used: Alphabet) -> str | None:
    if used.encoding == "GSM-7":
        return None
    plain = "".join(map(_plain, text))
    return plain if frozenset(plain) <= GSM_7 else None


def _plain(letter: str) -> str:
    """What can stand for a letter in GSM-7; the letter itself if nothing can."""
    if letter in GSM_7:
        return letter
    if letter in INSTEAD:
        return INSTEAD[letter]
    apart = unicodedata.normalize("NFKD", letter)
    plain = "".join(INSTEAD.get(part, part) for part in apart if not unicodedata.combining(part))
    return plain if frozenset(plain) <= GSM_7 and (plain or unicodedata.combining(letter)) else letter


def _point(letter: str) -> str:
    return f"U+{ord(letter):04X}"


def _name(letter: str) -> str:
    return unicodedata.name(letter, "control character" if ord(letter) < 0xA0 else "no name").lower()
