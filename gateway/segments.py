"""How many SMS a text is: GSM-7 (3GPP TS 23.038) where every character allows it, UCS-2 otherwise.

A part never ends inside an escape sequence (GSM-7 extension) or a surrogate pair (UCS-2).
"""

from typing import NamedTuple

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = frozenset("\f^{}\\[~]|€")
GSM7 = BASIC | EXTENSION


class Segments(NamedTuple):
    """The encoding as the carrier calls it, and the number of SMS."""

    encoding: str
    parts: int


SHORT = Segments("GSM-7", 1)


def segments(text: str) -> Segments:
    """Count by packing: 160 septets or 70 code units alone, 153 or 67 each when joined by a header."""
    if len(text) <= 160 and BASIC.issuperset(text):  # what nearly everybody sends
        return SHORT
    if GSM7.issuperset(text):
        return Segments("GSM-7", _pack([2 if c in EXTENSION else 1 for c in text], 160, 153))
    return Segments("UCS-2", _pack([2 if ord(c) > 0xFFFF else 1 for c in text], 70, 67))


def _pack(widths: list[int], alone: int, joined: int) -> int:
    if sum(widths) <= alone:
        return 1
    count, room = 1, joined
    for width in widths:
        if width > room:
            count, room = count + 1, joined
        room -= width
    return count
