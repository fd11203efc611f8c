"""What a tester sends without having to think of it: ready messages, naughty strings, numbers that decide their fate.

Pure tables. What becomes of a message is the contract's and the carrier's business; the words here only announce it.
"""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from contracts import cases, spec
from contracts.target import Target
from simulator.carrier import magic
from simulator.pbx.personas import BAD_INPUT

FILE: Final = "https://pbx.example/files/1.jpg"
BUNDLE: Final = 20  # naughty strings in one text
EMOJI: Final = "Salamat po! \U0001f64f\U0001f1f5\U0001f1ed See you \U0001f44d"
CURLY: Final = (
    "Good day! It\u2019s \u201cready for pick-up\u201d \u2013 we are here from 8 AM to 5 PM, Monday to Friday\u2026"
)
MARKUP: Final = '<script>alert(1)</script> <b>bold</b> &amp; "quoted" {{7*7}}'


class Ready(NamedTuple):
    """A message: what to expect of it, and what it sets in the form; None leaves a field as it is."""

    expect: str
    text: str
    to: str | None = None
    media: tuple[str, ...] = ()


class Recipient(NamedTuple):
    """A number and what happens to a message that goes there."""

    number: str
    meaning: str


def ready() -> Mapping[str, Ready]:
    """The ready messages by the words on their buttons."""
    most, example = spec.limits().text, spec.page_example()["text"]
    long = ("0123456789" * (most // 10 + 1))[:most]
    return MappingProxyType(
        {
            "plain": Ready("GSM-7, one segment", example),
            "emoji": Ready("UCS-2; an emoji takes two units", EMOJI),
            "curly quotes": Ready("what was pasted turns it all into UCS-2", CURLY),
            "escape at the edge": Ready("\u20ac takes two units and is never split", f"{'x' * 152}\u20ac{'y' * 20}"),
            f"{most:,} characters": Ready("accepted: as long as a text may be", long),
            f"{most + 1:,} characters": Ready("refused with 10002: one too long", f"{long}!"),
            "empty": Ready("refused with 10002", ""),
            "media": Ready("refused with 10003", example, media=(FILE,)),
            "bad number": Ready("refused with 10001", example, to="0917 123 4567"),
            "markup": Ready("arrives as it is", MARKUP),
        }
    )


def naughty() -> Mapping[str, str]:
    """The naughty strings of the contract's corpus by a label that shows their escapes; first, many to a text."""
    strings = cases.naughty_strings()
    bundles = {
        f"{start + 1} to {min(start + BUNDLE, len(strings))}": "\n".join(strings[start : start + BUNDLE])
        for start in range(0, len(strings), BUNDLE)
    }
    return MappingProxyType(bundles | {json.dumps(one): one for one in strings})


def recipients(target: Target, numbers: tuple[str, ...]) -> tuple[Recipient, ...]:
    """Numbers that may be written to: whoever the channel names, its own, and some that no PBX should send."""
    good = [Recipient(target.to_number, "receives tests"), *(Recipient(one, "the channel's own") for one in numbers)]
    bad = [row["to"] for row in BAD_INPUT if isinstance(row.get("to"), str)]
    return tuple(dict.fromkeys([*good, *(Recipient(one, "refused with 10001") for one in bad)]))


def magic_numbers() -> tuple[Recipient, ...]:
    """The fake carrier's numbers that decide their own fate."""
    return tuple(Recipient(one.number, one.meaning) for one in magic.numbers())
