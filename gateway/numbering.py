"""Which numbers can receive SMS, by the world's numbering plans as libphonenumber knows them.

Asking the library takes 14 us, a tenth of a request. So its patterns for mobile numbers are compiled once into a table
by calling code; a number that the table takes for certain is not asked about again, every other one is. A test holds
the two equal.
"""

import re
from functools import cache, lru_cache

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumberFormat, PhoneNumberType
from phonenumbers.phonemetadata import PhoneNumberDesc

REACHABLE = {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE}
# The kinds that the library looks for before mobile: a number of one of them is no mobile number.
BEFORE_MOBILE = ("premium_rate", "toll_free", "shared_cost", "voip", "personal_number", "pager", "uan", "voicemail")


def mobile_country(number: str) -> int | None:
    """The calling code of a number that can receive SMS, or None. `number` is `+` and 7 to 15 digits.

    A number that is not in its one E.164 form (a national prefix left in, for instance) is None as well.
    """
    for length in (2, 3):  # codes of one digit belong to several countries
        code = int(number[1 : 1 + length])
        if (pattern := _certain(code)) and pattern.fullmatch(number, 1 + length):
            return code
    return _asked(number)


@lru_cache(maxsize=65536)
def _asked(number: str) -> int | None:
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return None
    # number_type is UNKNOWN for every number that is not valid.
    fits = phonenumbers.number_type(parsed) in REACHABLE
    same = fits and phonenumbers.format_number(parsed, PhoneNumberFormat.E164) == number
    return parsed.country_code if same else None


@cache
def _certain(code: int) -> re.Pattern[str] | None:
    """A pattern for national numbers that are mobile beyond doubt, or None if the code is no country's own."""
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(code, ())
    if len(regions) != 1 or regions[0] == "001":
        return None
    plan = PhoneMetadata.metadata_for_region(regions[0])
    if plan is None or not (mobile := _pattern(plan.mobile)) or not (general := _pattern(plan.general_desc)):
        return None
    doubts = [found for kind in BEFORE_MOBILE if (found := _pattern(getattr(plan, kind)))]
    not_a_kind = "".join(f"(?!(?:{doubt})$)" for doubt in doubts)
    no_prefix = f"(?!{plan.national_prefix_for_parsing})" if plan.national_prefix_for_parsing else ""
    return re.compile(f"{no_prefix}{not_a_kind}(?=(?:{general})$)(?:{mobile})", re.ASCII)


def _pattern(kind: PhoneNumberDesc | None) -> str | None:
    return kind.national_number_pattern if kind else None
