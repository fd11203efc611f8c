"""How many SMS a text takes: counted here on its own, so that a ledger can catch a gateway that counts wrong."""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = frozenset("\f^{}\\[~]|€")
GSM_7 = BASIC | EXTENSION


class Alphabet(NamedTuple):
    """What a text is sent in: units of a lone segment and of one among several, and the letters that take two."""

    encoding: str
    whole: int
    part: int
    wide: frozenset[str]

    def units(self, text: str) -> int:
        """Septets of GSM-7, or 16-bit units of UCS-2."""
        return len(text) + sum(map(text.count, self.wide))


def alphabet(text: str) -> Alphabet:
    """GSM-7 if it has every letter of the text, else UCS-2."""
    letters = frozenset(text)
    if letters <= GSM_7:
        return Alphabet("GSM-7", 160, 153, letters & EXTENSION)
    return Alphabet("UCS-2", 70, 67, frozenset(letter for letter in letters if letter > "\uffff"))


def segments(text: str) -> tuple[str, int]:
    """The encoding (GSM-7 or UCS-2) and the number of segments; no pair is ever split between two (3GPP 23.038)."""
    used = alphabet(text)
    length = used.units(text)
    if length <= used.whole:
        return used.encoding, 1
    if not used.wide:
        return used.encoding, -(-length // used.part)
    return used.encoding, 1 + sum(1 for _ in _edges(text, used))


def split(text: str) -> tuple[str, ...]:
    """The text of each segment; an empty text is one empty segment."""
    used = alphabet(text)
    edges = _edges(text, used) if used.units(text) > used.whole else ()
    return tuple(text[start:end] for start, end in pairwise((0, *edges, len(text))))


def _edges(text: str, used: Alphabet) -> Iterator[int]:
    """Where each segment but the first begins."""
    left = used.part
    for at, letter in enumerate(text):
        size = 2 if letter in used.wide else 1
        if size > left:
            yield at
            left = used.part
        left -= size
