"""What a message may be: two numbers in strict E.164, a recipient that can receive SMS, a text, and nothing else."""

import pytest

from contracts import spec

MAX = spec.limits().text
NO_NUMBER = {
    "empty": "",
    "a plus": "+",
    "no plus": "639171234567",
    "a leading zero": "+0639171234567",
    "six digits": "+639171",
    "sixteen digits": "+6391712345678901",
    "Arabic digits": "+٦٣٩١٧١٢٣٤٥٦٧",
    "full-width digits": "+\uff16\uff139171234567",
    "a full-width plus": "\uff0b639171234567",
    "a superscript": "+63917123456⁷",
    "a line end": "+639171234567\n",
    "a blank": "+639171234567 ",
    "inner blanks": "+63 917 123 4567",
    "a zero-width space": "+63917\u200b1234567",
    "a direction mark": "\u202a+639171234567",
    "an extension": "+639171234567;ext=1",
    "a URI": "tel:+639171234567",
    "letters": "+63917FLOWERS",
    "two numbers": "+639171234567,+639171234568",
    "an SQL fragment": "+639171234567'--",
}
NOT_REACHABLE = {
    "a landline": "+442079460000",
    "an unknown country": "+999123456789",
    "a premium number": "+19005550123",
    "a toll-free number": "+18005550123",
    "one digit short": "+63917123456",
    "one digit long": "+6391712345678",
    "the page's own sender": "+630000000001",
    "one that formats back to another": "+6309171234567",
}


@pytest.mark.parametrize("field", ["from", "to"])
@pytest.mark.parametrize("case", NO_NUMBER)
def test_a_number_is_strict_e164(desk, refused, field, case):
    """Anything but a plus and 7 to 15 ASCII digits is 10001 in either field, before any library sees it."""
    assert field in refused(desk.send(**{field: NO_NUMBER[case]}), 400, "10001")


@pytest.mark.parametrize("case", NOT_REACHABLE)
def test_a_recipient_can_receive_sms(desk, refused, case):
    """`to` is a valid number of a type that receives SMS, and is already written in its one form."""
    assert "to" in refused(desk.send(to=NOT_REACHABLE[case]), 400, "10001")


@pytest.mark.parametrize("to", ["+639171234567", "+14155552671", "+447911123456", "+8613812345678", "+4915112345678"])
def test_mobile_numbers_of_many_countries_are_accepted(desk, to):
    """Mobile numbers, and those that may be either, are reachable."""
    assert desk.send(to=to).status_code == 200


@pytest.mark.parametrize("number", ["+630000000001", "+1234567", "+999999999999999"])
def test_the_own_number_is_only_matched(desk, number):
    """`from` need not be a number the library knows: the page's own example is none."""
    assert desk.send(**{"from": number}).status_code == 200


def test_numbers_and_text_are_stored_as_they_came(desk):
    """Nothing is reformatted, trimmed or normalised on the way in."""
    text = "  e\u0301 \u00e9\r\n\t😀\u200d😀 "
    assert desk.send(text=text).status_code == 200
    with desk.gateway.database.read() as connection:
        row = connection.exec_driver_sql("SELECT from_number, to_number, text, sender FROM orders").one()
    assert row == ("+630000000001", "+639171234567", text, "FUTURESMS")


@pytest.mark.parametrize("text", ["x", "0", ".", "a" * MAX, "😀" * MAX, "é" * MAX, "\u0301", "\x01x"])
def test_a_text_of_one_to_2000_code_points_is_accepted(desk, text):
    """The limit counts code points: characters beyond the first plane are one each."""
    assert desk.send(text=text).status_code == 200


@pytest.mark.parametrize("text", [None, "", " ", "\n\t\r", "\u00a0\u2003\u3000", "a" * (MAX + 1), "😀" * (MAX + 1)])
def test_no_text_and_too_long_a_text_are_10002(desk, refused, text):
    """Null, empty, blank in any script, and one code point too many: nothing is sent, nothing is cut."""
    assert "text" in refused(desk.send(text=text), 400, "10002")


@pytest.mark.parametrize("media", [None, []])
def test_no_media_is_no_media(desk, media):
    """Null and an empty list say that there is none."""
    assert desk.send(media_urls=media).status_code == 200


@pytest.mark.parametrize("media", [["https://example.com/a.png"], [""], ["a", "b"]])
def test_media_is_10003(desk, refused, media):
    """Any string in the list is media, which this integration does not send."""
    refused(desk.send(media_urls=media), 400, "10003")


def test_a_refused_message_leaves_nothing_behind(desk):
    """A refusal is definite: there is no row that could ever reach the carrier."""
    for fields in ({"to": "+1"}, {"text": ""}, {"media_urls": ["x"]}, {"from": 5}):
        assert desk.send(**fields).status_code == 400
    with desk.gateway.database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM orders").scalar() == 0
