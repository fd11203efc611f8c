"""People and texts: valid, varied, and the same for the same seed."""

from itertools import islice

import phonenumbers
import pytest
import smsutil

from contracts import spec
from simulator.people import ABROAD, KINDS, PHILIPPINES, People


def test_page_example_comes_first():
    """The first note is the provider's own example; whoever watches recognises it."""
    page = spec.page_example()
    first = next(People(1).notes())
    assert (first.to, first.text, first.kind) == (page["to"], page["text"], "page")


def test_same_seed_same_notes():
    """Two people with one seed write the same; another seed writes something else."""
    once, again, other = (list(islice(People(seed).notes(), 200)) for seed in (7, 7, 8))
    assert once == again
    assert once[1:] != other[1:]


@pytest.mark.parametrize(("prefix", "digits"), PHILIPPINES + ABROAD)
def test_every_range_is_a_valid_mobile_range(prefix, digits):
    """Lowest and highest number of each range are valid, may be mobile, and format back to themselves."""
    for digit in "0159":
        number = prefix + digit * digits
        parsed = phonenumbers.parse(number)
        assert phonenumbers.is_valid_number(parsed), number
        assert phonenumbers.number_type(parsed) in {1, 2}
        assert phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164) == number


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_what_it_says(kind):
    """Kinds have the encoding and size they are named for, and never pass the contract's limit."""
    people = People(3)
    for n in range(100):
        text = people.text(kind, n)
        split = smsutil.split(text)
        assert 0 < len(text) <= spec.limits().text
        assert smsutil.is_valid_gsm(text) == (kind not in {"ucs2", "emoji"})
        assert (len(split.parts) > 1) or kind != "long"


def test_notes_of_one_run_differ_from_each_other():
    """Each text carries its number, so a mix-up on the way shows."""
    notes = list(islice(People(7).notes(), 2000))
    assert len({note.text for note in notes}) == len(notes)
    assert {note.kind for note in notes} == {"page", *KINDS}
