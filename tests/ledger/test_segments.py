"""Segments are counted as smsutil, an independent library, counts them."""

import pytest
import smsutil
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.ledger.segments import segments, split

UNHURRIED = settings(deadline=None)  # the machine is shared
EDGES = ["a" * 160, "a" * 161, "€" * 80, "€" * 81, "a" * 159 + "€", "a" * 152 + "€" + "a" * 20,
         "ж" * 70, "ж" * 71, "ж" * 66 + "😀" + "ж" * 10, "😀" * 1000, "a" * 2000, "“quoted”", "\r\n"]  # fmt: skip


def oracle(text):
    """What smsutil says."""
    split = smsutil.split(text)
    return ("GSM-7" if split.encoding == "gsm0338" else "UCS-2"), max(1, len(split.parts))


@pytest.mark.parametrize("text", EDGES, ids=range(len(EDGES)))
def test_edges_agree_with_an_independent_count(text):
    """At each known edge the two counts are the same."""
    assert segments(text) == oracle(text)


@pytest.mark.parametrize("text", EDGES, ids=range(len(EDGES)))
def test_the_parts_agree_with_an_independent_split(text):
    """What each segment carries is what smsutil puts into it; together they are the text."""
    assert split(text) == tuple(part.content for part in smsutil.split(text).parts)
    assert "".join(split(text)) == text


@UNHURRIED
@given(st.text(st.sampled_from("aZ0 €^{ñçжş😀👩\n"), min_size=1, max_size=400))
def test_any_mixture_agrees_with_an_independent_count(text):
    """Whatever the mixture of plain, extended, UCS-2 and surrogate letters."""
    assert segments(text) == oracle(text)
    assert (len(split(text)), "".join(split(text))) == (segments(text)[1], text)
