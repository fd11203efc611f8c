"""The compiled table of mobile numbers says what libphonenumber says, for every country."""

from random import Random

import phonenumbers
import pytest
from phonenumbers import PhoneMetadata

from gateway.numbering import _asked, _certain, mobile_country

KINDS = ("mobile", "fixed_line", "toll_free", "premium_rate", "voip", "personal_number", "pager", "uan", "shared_cost")
LONGEST = 15  # digits of an E.164 number


def near(example, rng):
    """A number that shares its beginning with an example, now and then with a national prefix or a digit short."""
    kept = rng.randrange(len(example))
    digits = example[:kept] + "".join(rng.choices("0123456789", k=len(example) - kept))
    return rng.choice(["", "", "", "0", "1", "15"]) + digits[: len(digits) - (rng.random() < 0.1)]


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_the_table_agrees_with_the_library(region):
    """Of numbers near each kind's example, exactly those are mobile that the library calls so."""
    plan, rng = PhoneMetadata.metadata_for_region(region), Random(region)
    code = phonenumbers.country_code_for_region(region)
    examples = [kind.example_number for name in KINDS if (kind := getattr(plan, name)) and kind.example_number]
    numbers = {f"+{code}{near(example, rng)}" for example in examples for _ in range(12)} | {
        f"+{code}{example}" for example in examples
    }

    for number in numbers:
        if 7 < len(number) <= LONGEST + 1:
            assert mobile_country(number) == _asked(number), number


@pytest.mark.parametrize("number", ["+639171234567", "+4915112345678", "+351912345678", "+380501234567"])
def test_what_the_table_knows_is_not_asked_about(number):
    """A common number costs no question to the library: that is what the table is for."""
    _certain.cache_clear()
    asked = _asked.cache_info()

    assert mobile_country(number)

    assert _asked.cache_info() == asked
