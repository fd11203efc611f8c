"""Defects of text, media, JSON and the order among them."""

import json
import re
from dataclasses import replace

from contracts.judge import Answer, error_code
from contracts.mutants.front import Front, Request, mutant, refusal


def _text(request: Request) -> str:
    text = (request.message or {}).get("text")
    return text if isinstance(text, str) else ""


@mutant("YS-TXT-01")
def text_of_1600(front: Front, request: Request) -> Answer:
    """A text has at most 1600 characters, as at another provider."""
    answer = front.ask(request)
    return refusal("10002") if answer.status == 200 and len(_text(request)) > 1600 else answer


@mutant("YS-TXT-01")
def text_counted_in_bytes(front: Front, request: Request) -> Answer:
    """The 2000 are bytes."""
    answer = front.ask(request)
    return refusal("10002") if answer.status == 200 and len(_text(request).encode()) > 2000 else answer


@mutant("YS-TXT-02", wfc=206)
def text_of_2001(front: Front, request: Request) -> Answer:
    """2001 characters pass."""
    return front.ask(request.fixed("text", lambda text: text[:2000] if len(_text(request)) == 2001 else text))


@mutant("YS-TXT-02", wfc=206)
def text_cut(front: Front, request: Request) -> Answer:
    """A long text is cut without a word."""
    return front.ask(request.fixed("text", lambda text: text[:2000] if isinstance(text, str) else text))


@mutant("YS-TXT-03", wfc=206)
def empty_text(front: Front, request: Request) -> Answer:
    """An empty text is sent."""
    return front.ask(request.fixed("text", lambda text: "." if text in (None, "") else text))


@mutant("YS-TXT-03", wfc=206)
def blank_text(front: Front, request: Request) -> Answer:
    """A blank text is sent."""
    return front.ask(request.fixed("text", lambda text: "." if isinstance(text, str) and text.isspace() else text))


@mutant("YS-TXT-04")
def text_counted_in_utf16(front: Front, request: Request) -> Answer:
    """Characters are counted as UTF-16 does."""
    answer = front.ask(request)
    units = len(_text(request).encode("utf-16-le", "surrogatepass")) // 2
    return refusal("10002") if answer.status == 200 and units > 2000 else answer


@mutant("YS-TXT-05")
def gsm_only(front: Front, request: Request) -> Answer:
    """A text must be ASCII."""
    answer = front.ask(request)
    return refusal("10002") if answer.status == 200 and not _text(request).isascii() else answer


@mutant("YS-TXT-05")
def one_line_only(front: Front, request: Request) -> Answer:
    """A text must not have line ends."""
    answer = front.ask(request)
    return refusal("10002") if answer.status == 200 and "\n" in _text(request) else answer


@mutant("YS-TXT-05")
def markup_refused(front: Front, request: Request) -> Answer:
    """A web application firewall sees an attack in a text."""
    answer = front.ask(request)
    return refusal("10002") if answer.status == 200 and re.search(r"<\w+>|\$\(", _text(request)) else answer


@mutant("YS-TXT-06", wfc=206)
def nul_taken_out(front: Front, request: Request) -> Answer:
    """NUL is taken out of the text."""
    return front.ask(request.fixed("text", lambda text: text.replace("\0", "?") if isinstance(text, str) else text))


@mutant("YS-TXT-06", wfc=206)
def surrogates_replaced(front: Front, request: Request) -> Answer:
    """Half an emoji becomes a question mark."""
    return front.ask(
        request.fixed("text", lambda text: re.sub("[\ud800-\udfff]", "?", text) if isinstance(text, str) else text)
    )


@mutant("YS-TXT-07", wfc=206)
def numbers_as_text(front: Front, request: Request) -> Answer:
    """A number is turned into a text."""
    return front.ask(request.fixed("text", lambda text: str(text) if type(text) is int else text))


@mutant("YS-MED-01", wfc=206)
def media_ignored(front: Front, request: Request) -> Answer:
    """Media are left out and the text is sent."""
    return front.ask(request.fixed("media_urls", lambda media: [] if isinstance(media, list) else media))


@mutant("YS-MED-01")
def media_a_parameter(front: Front, request: Request) -> Answer:
    """Media are answered 10002."""
    answer = front.ask(request)
    return refusal("10002") if error_code(answer) == "10003" else answer


@mutant("YS-MED-02")
def null_media_refused(front: Front, request: Request) -> Answer:
    """media_urls must be a list."""
    media = (request.message or {}).get("media_urls", ...)
    return refusal("10002") if media is None else front.ask(request)


@mutant("YS-MED-03")
def no_media_refused(front: Front, request: Request) -> Answer:
    """An empty list is media all the same."""
    return refusal("10003") if (request.message or {}).get("media_urls") == [] else front.ask(request)


@mutant("YS-MED-04", wfc=206)
def media_of_any_type(front: Front, request: Request) -> Answer:
    """media_urls that is no list is not looked at."""
    return front.ask(request.fixed("media_urls", lambda media: media if isinstance(media, list) else None))


@mutant("YS-ORD-02")
def text_before_numbers(front: Front, request: Request) -> Answer:
    """The text is judged before the numbers."""
    answer = front.ask(request)
    blank = "text" in (request.message or {}) and not _text(request).strip()
    return refusal("10002") if error_code(answer) == "10001" and blank else answer


@mutant("YS-ORD-02")
def numbers_before_types(front: Front, request: Request) -> Answer:
    """A bad recipient is told before a `from` of the wrong type."""
    answer = front.ask(request)
    short = len(str((request.message or {}).get("to", "+63917"))) < 4
    return refusal("10001") if error_code(answer) == "10002" and short else answer


@mutant("YS-ORD-03")
def text_before_media(front: Front, request: Request) -> Answer:
    """The text is judged before the media."""
    answer = front.ask(request)
    return refusal("10002") if error_code(answer) == "10003" and not _text(request) else answer


@mutant("YS-JSON-01", wfc=206)
def garbage_behind(front: Front, request: Request) -> Answer:
    """What follows the first document is not read."""
    try:
        _, end = json.JSONDecoder().raw_decode(request.body.decode())
    except (ValueError, RecursionError):
        return front.ask(request)
    return front.ask(replace(request, body=request.body[:end])) if request.is_send else front.ask(request)


@mutant("YS-JSON-01", wfc=206)
def trailing_commas(front: Front, request: Request) -> Answer:
    """A comma before a closing bracket passes."""
    return front.ask(replace(request, body=re.sub(rb",\s*([}\]])", rb"\1", request.body)))


@mutant("YS-JSON-01", wfc=206)
def control_characters_in_strings(front: Front, request: Request) -> Answer:
    """Line ends and tabs may stand in a string as they are."""
    try:
        parsed = json.loads(request.body, strict=False)
    except (ValueError, RecursionError):
        return front.ask(request)
    escaped = json.dumps(parsed).encode()
    return front.ask(replace(request, body=escaped)) if request.message is None else front.ask(request)


@mutant("YS-JSON-02", wfc=206)
def not_a_number(front: Front, request: Request) -> Answer:
    """NaN is a number."""
    return front.ask(replace(request, body=re.sub(rb"\bNaN\b", b"0", request.body)))


@mutant("YS-JSON-02", wfc=206)
def byte_order_mark(front: Front, request: Request) -> Answer:
    """A byte order mark is skipped."""
    return front.ask(replace(request, body=request.body.removeprefix(b"\xef\xbb\xbf")))


@mutant("YS-JSON-02", wfc=206)
def any_utf(front: Front, request: Request) -> Answer:
    """The encoding is guessed."""
    guessed = json.detect_encoding(request.body) if request.body else "utf-8"
    if guessed in {"utf-8", "utf-8-sig"}:
        return front.ask(request)
    return front.ask(replace(request, body=request.body.decode(guessed, "replace").encode()))


@mutant("YS-JSON-03")
def blanks_before_the_body(front: Front, request: Request) -> Answer:
    """A body must begin with a brace."""
    answer = front.ask(request)
    return refusal("10002") if answer.status == 200 and request.body[:1] in {b" ", b"\r"} else answer


@mutant("YS-JSON-04", wfc=206)
def latin1_instead(front: Front, request: Request) -> Answer:
    """What is not UTF-8 is read as Latin-1."""
    try:
        request.body.decode()
    except UnicodeDecodeError:
        return front.ask(replace(request, body=request.body.decode("latin-1").encode()))
    return front.ask(request)


@mutant("YS-TYPE-01")
def type_compared_exactly(front: Front, request: Request) -> Answer:
    """Content-Type must be application/json to the letter."""
    answer = front.ask(request)
    exact = request.headers.get("content-type") == "application/json"
    return answer if exact or answer.status != 200 or not request.is_send else refusal("10002", status=415)
