"""What a refused message is told beyond its row: the detail, word for word, and the headers that go with it."""

import pytest

from gateway.body import Message
from gateway.contract import (
    INVALID_NUMBER,
    INVALID_PARAMETER,
    NO_PERMISSION,
    TOO_MANY,
    UNAVAILABLE,
    UNSUPPORTED_MEDIA,
    Refusal,
)
from gateway.envelope import refused
from gateway.message import check_content, check_numbers
from gateway.parties import Integration
from gateway.send import check_permission

FREE = Integration(1, 1, 50, True, True, "FUTURESMS", True, frozenset(), frozenset())


def _refusal(check, *given):
    with pytest.raises(Refusal) as fault:
        check(*given)
    return fault.value.row, fault.value.detail


PERMISSIONS = {
    "The integration is disabled": {"enabled": False},
    "The account is suspended": {"account_active": False},
    "The integration has no sender": {"sender": None},
    "The sender is not approved": {"sender_approved": False},
}
GOOD = Message("+630000000001", "+639171234567", "hi", [])
FROM, TO = "from is not a number of this integration", "to is not a mobile number in E.164 format"


def changed(row, **fields):
    """The integration with these fields."""
    return Integration(**{name: getattr(row, name) for name in Integration.__dataclass_fields__} | fields)


@pytest.mark.parametrize("detail", PERMISSIONS)
def test_who_may_not_send_is_told_why(detail):
    """10005 says which of the four it is."""
    assert _refusal(check_permission, changed(FREE, **PERMISSIONS[detail])) == (NO_PERMISSION, detail)


@pytest.mark.parametrize(
    ("given", "terms", "row", "detail"),
    [
        (GOOD._replace(from_number="630"), {}, INVALID_NUMBER, FROM),
        (GOOD, {"allowed_from": frozenset({"+630000000002"})}, INVALID_NUMBER, FROM),
        (GOOD._replace(to="+12"), {}, INVALID_NUMBER, TO),
        (GOOD._replace(to="+441212345678"), {}, INVALID_NUMBER, TO),
        (GOOD, {"allowed_countries": frozenset({44})}, NO_PERMISSION, "The sender may not send to country code 63"),
    ],
)
def test_a_number_that_cannot_be_used_is_told(given, terms, row, detail):
    """10001 for a number, 10005 for a destination out of reach."""
    assert _refusal(check_numbers, given, changed(FREE, **terms)) == (row, detail)


def test_a_number_on_the_lists_is_used():
    """Lists of the integration allow what is on them."""
    terms = {"allowed_from": frozenset({GOOD.from_number}), "allowed_countries": frozenset({63})}
    check_numbers(GOOD, changed(FREE, **terms))


@pytest.mark.parametrize(
    ("given", "row", "detail"),
    [
        (
            GOOD._replace(media_urls=["x"]),
            UNSUPPORTED_MEDIA,
            "This integration sends text only; media_urls must be empty",
        ),
        (GOOD._replace(text=None), INVALID_PARAMETER, "text must not be empty"),
        (GOOD._replace(text=" \n"), INVALID_PARAMETER, "text must not be empty"),
        (GOOD._replace(text="x" * 2001), INVALID_PARAMETER, "text must be at most 2000 characters"),
    ],
)
def test_content_that_cannot_be_sent_is_told(given, row, detail):
    """10003 for media, 10002 for the text."""
    assert _refusal(check_content, given) == (row, detail)


@pytest.mark.parametrize(
    ("row", "wait", "header"),
    [
        (TOO_MANY, None, "1"),
        (TOO_MANY, 0.0, "1"),
        (TOO_MANY, 1.2, "2"),
        (UNAVAILABLE, None, "5"),
        (UNAVAILABLE, 30.0, "30"),
        (INVALID_PARAMETER, None, None),
    ],
)
def test_when_to_try_again_is_told_in_whole_seconds(row, wait, header):
    """Rounded up, at least one; a default where nobody knows; nothing where trying again does not help."""
    assert refused(Refusal(row, "x", retry_after=wait)).headers.get("Retry-After") == header


def test_a_refusal_of_the_method_names_the_others():
    """What goes with 405 goes out with it."""
    assert refused(Refusal(INVALID_PARAMETER, "x", status=405, allow="GET, HEAD")).headers["Allow"] == "GET, HEAD"
