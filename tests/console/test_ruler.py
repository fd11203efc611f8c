"""The ruler: where a text splits, what its letters cost, what forces UCS-2, and what stands for it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.console.ruler import measure
from simulator.ledger.segments import GSM_7, segments

UNHURRIED = settings(deadline=None)  # the machine is shared
MEASURED = [
    ("", "GSM-7", 1, 160, []),
    ("hello", "GSM-7", 1, 155, []),
    ("a" * 160, "GSM-7", 1, 0, []),
    ("a" * 161, "GSM-7", 2, 145, [153]),
    ("€", "GSM-7", 1, 158, []),
    ("x" * 152 + "€" + "y" * 20, "GSM-7", 2, 131, [152]),
    ("ж" * 70, "UCS-2", 1, 0, []),
    ("ж" * 71, "UCS-2", 2, 63, [67]),
    ("😀", "UCS-2", 1, 68, []),
    ("ж" * 66 + "😀" + "ж" * 10, "UCS-2", 2, 55, [66]),
]


@pytest.mark.parametrize(("text", "encoding", "parts", "left", "edges"), MEASURED, ids=range(len(MEASURED)))
def test_a_text_is_measured(text, encoding, parts, left, edges):
    """Encoding, segments, what is left of the last one, and after how many characters the others end."""
    ruler = measure(text)

    assert (ruler.encoding, len(ruler.parts), ruler.left, ruler.edges) == (encoding, parts, left, edges)


@UNHURRIED
@given(st.text(st.sampled_from("aZ0 €^{ñçжş😀👩\u200b“\n"), max_size=400))
def test_nothing_is_lost_on_the_ruler(text):
    """The pieces are the text, no segment holds more than its room, and its count is the ledger's."""
    ruler = measure(text)

    assert "".join(piece.text for part in ruler.parts for piece in part.pieces) == text
    assert all(part.units <= part.room for part in ruler.parts)
    assert (ruler.encoding, len(ruler.parts)) == segments(text)
    assert ruler.smart is None or (set(ruler.smart) <= GSM_7 and ruler.encoding == "UCS-2")


def test_letters_are_marked_by_what_they_do():
    """Plain, of two units, not in GSM-7; and what nobody can see is told by its code points."""
    (part,) = measure("a€\u2019\u200b\u200b b").parts

    assert [(piece.text, piece.kind) for piece in part.pieces] == [
        ("a", ""), ("€", "wide"), ("\u2019\u200b\u200b", "odd"), (" b", "")
    ]  # fmt: skip
    assert [piece.unseen for piece in measure("a\u200b\u200b").parts[0].pieces] == ["", "U+200B U+200B"]


INSTEAD = [
    ("\u2019", "right single quotation mark", "'"),
    ("\u2026", "horizontal ellipsis", "..."),
    ("\u00a0", "no-break space", " "),
    ("\u2003", "em space", " "),
    ("\u200b", "zero width space", ""),
    ("\u0301", "combining acute accent", ""),
    ("ê", "latin small letter e with circumflex", "e"),
    ("ﬁ", "latin small ligature fi", "fi"),
    ("½", "vulgar fraction one half", "1/2"),
    ("`", "grave accent", "'"),
    ("\t", "control character", " "),
    ("\x07", "control character", None),
    ("ж", "cyrillic small letter zhe", None),
    ("😀", "grinning face", None),
]


@pytest.mark.parametrize(("letter", "name", "instead"), INSTEAD, ids=[f"{ord(row[0]):04X}" for row in INSTEAD])
def test_each_culprit_is_named_with_what_could_stand_for_it(letter, name, instead):
    """By its code point and its Unicode name, how often it is there, and its stand-in if there is one."""
    (culprit,) = measure(f"{letter}a{letter}").culprits

    assert (culprit.point, culprit.name, culprit.times) == (f"U+{ord(letter):04X}", name, 2)
    assert culprit.instead == instead


@pytest.mark.parametrize(
    ("text", "smart", "before", "after"),
    [
        ("It\u2019s \u201cready\u201d \u2013 come" + "x" * 80, 'It\'s "ready" - come' + "x" * 80, 2, 1),
        ("\u2026" * 54, "." * 162, 1, 2),
        ("It\u2019s \U0001f600", None, 1, 1),
        ("plain", None, 1, 1),
    ],
)
def test_what_smart_encoding_would_save(text, smart, before, after):
    """The text with every culprit replaced and what it would take, or nothing if one of them cannot be."""
    ruler = measure(text)

    assert (ruler.smart, len(ruler.parts)) == (smart, before)
    assert ruler.smart_count == after
