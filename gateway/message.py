"""What a message may be: usable numbers, a destination its sender may reach, text and nothing but text."""

import re
from typing import NamedTuple

from gateway.body import Message, bad
from gateway.contract import INVALID_NUMBER, MAX_TEXT, NO_PERMISSION, NUMBER, UNSUPPORTED_MEDIA, Refusal
from gateway.numbering import mobile_country
from gateway.parties import Integration
from gateway.segments import Segments, segments

STRICT = re.compile(NUMBER)


class Content(NamedTuple):
    """What is carried: the text unchanged, and how many SMS it makes."""

    text: str
    segments: Segments


def check_numbers(message: Message, integration: Integration) -> None:
    """10001 unless `from` and `to` are usable; then 10005 unless the sender may reach `to`.

    `from` is only matched and looked up: the page's own example is not valid to the library, which would even
    drop one of its digits.
    """
    allowed = integration.allowed_from
    if not STRICT.fullmatch(message.from_number) or (allowed and message.from_number not in allowed):
        raise Refusal(INVALID_NUMBER, "from is not a number of this integration")
    if not STRICT.fullmatch(message.to) or (country := mobile_country(message.to)) is None:
        raise Refusal(INVALID_NUMBER, "to is not a mobile number in E.164 format")
    if integration.allowed_countries and country not in integration.allowed_countries:
        raise Refusal(NO_PERMISSION, f"The sender may not send to country code {country}")


def check_content(message: Message) -> Content:
    """10003 if there is media; then 10002 unless there is text to send and it is at most `MAX_TEXT` code points."""
    if message.media_urls:
        raise Refusal(UNSUPPORTED_MEDIA, "This integration sends text only; media_urls must be empty")
    text = message.text
    if text is None or not text.strip():
        raise bad("text must not be empty")
    if len(text) > MAX_TEXT:
        raise bad(f"text must be at most {MAX_TEXT} characters")
    return Content(text, segments(text))
