"""Defects of numbers and fields: what is taken for a number, and what for a message."""

import json
import re
import unicodedata
from dataclasses import replace

from contracts.judge import Answer, error_code
from contracts.mutants.front import Front, Request, mutant, refusal


@mutant("YS-NUM-01", wfc=206)
def plus_optional(front: Front, request: Request) -> Answer:
    """The plus may be missing."""
    return front.ask(request.fixed("to", lambda to: re.sub("^(?=[1-9])", "+", to) if isinstance(to, str) else to))


@mutant("YS-NUM-01", wfc=206)
def double_zero_for_plus(front: Front, request: Request) -> Answer:
    """00 is a plus."""
    return front.ask(request.fixed("to", lambda to: re.sub(r"^00", "+", to) if isinstance(to, str) else to))


@mutant("YS-NUM-01", wfc=206)
def numbers_as_people_write_them(front: Front, request: Request) -> Answer:
    """Blanks, hyphens and parentheses are taken out of the recipient."""
    return front.ask(request.fixed("to", lambda to: re.sub(r"[-() ]", "", to) if isinstance(to, str) else to))


@mutant("YS-NUM-01", wfc=206)
def sixteen_digits(front: Front, request: Request) -> Answer:
    """Sixteen digits are a number, too."""
    return front.ask(request.fixed("to", lambda to: front.target.to_number if len(str(to)) == 17 else to))


@mutant("YS-NUM-01", wfc=206)
def tel_uri(front: Front, request: Request) -> Answer:
    """A tel URI is a number."""
    return front.ask(request.fixed("to", lambda to: str(to).removeprefix("tel:")))


@mutant("YS-NUM-01", wfc=200)
def bad_number_is_a_parameter(front: Front, request: Request) -> Answer:
    """Bad recipients are answered 10002."""
    answer = front.ask(request)
    return refusal("10002") if error_code(answer) == "10001" else answer


@mutant("YS-NUM-02", wfc=206)
def from_not_looked_at(front: Front, request: Request) -> Answer:
    """Any string is a `from`."""
    own = front.target.from_number
    return front.ask(request.fixed("from", lambda value: own if isinstance(value, str) else value))


@mutant("YS-NUM-02", wfc=206)
def from_may_be_a_name(front: Front, request: Request) -> Answer:
    """A name is a `from`."""
    own = front.target.from_number
    return front.ask(request.fixed("from", lambda value: own if str(value).isalpha() else value))


@mutant("YS-NUM-03", wfc=206)
def digits_of_any_script(front: Front, request: Request) -> Answer:
    """The expression says backslash d: digits of any script count."""

    def ascii_digits(value: object) -> object:
        if not isinstance(value, str):
            return value
        return "".join(str(unicodedata.decimal(c)) if unicodedata.category(c) == "Nd" else c for c in value)

    return front.ask(request.fixed("to", ascii_digits))


@mutant("YS-NUM-03", wfc=206)
def dollar_for_the_end(front: Front, request: Request) -> Answer:
    """The expression ends with a dollar: a line end behind the number passes."""
    return front.ask(request.fixed("to", lambda to: to.removesuffix("\n") if isinstance(to, str) else to))


@mutant("YS-NUM-03", wfc=206)
def numbers_stripped(front: Front, request: Request) -> Answer:
    """Blanks around the recipient are stripped."""
    return front.ask(request.fixed("to", lambda to: to.strip(" \u00a0") if isinstance(to, str) else to))


@mutant("YS-NUM-03", wfc=206)
def full_width_plus(front: Front, request: Request) -> Answer:
    """Compatibility characters are normalised first."""
    return front.ask(request.fixed("to", lambda to: unicodedata.normalize("NFKC", to) if isinstance(to, str) else to))


@mutant("YS-NUM-04", wfc=206)
def landline(front: Front, request: Request) -> Answer:
    """A landline gets a message."""
    answer = front.ask(request)
    to = str((request.message or {}).get("to"))
    return front.ask(request.of(to=front.target.to_number)) if to.startswith("+441632") else answer


@mutant("YS-FLD-01", wfc=200)
def missing_number_is_a_bad_number(front: Front, request: Request) -> Answer:
    """A missing recipient is answered 10001."""
    answer = front.ask(request)
    return refusal("10001") if answer.status == 400 and "to" not in (request.message or {"to": 1}) else answer


@mutant("YS-FLD-02", wfc=206)
def numbers_may_be_integers(front: Front, request: Request) -> Answer:
    """An integer is a recipient."""
    return front.ask(request.fixed("to", lambda to: f"+{to}" if type(to) is int else to))


@mutant("YS-FLD-02", wfc=206)
def first_of_a_list(front: Front, request: Request) -> Answer:
    """The first of a list of recipients gets the message."""
    return front.ask(request.fixed("to", lambda to: to[0] if isinstance(to, list) and to else to))


@mutant("YS-FLD-03", wfc=206)
def list_of_messages(front: Front, request: Request) -> Answer:
    """A list with one message is a message."""
    try:
        parsed = json.loads(request.body)
    except (ValueError, RecursionError):
        parsed = None
    if isinstance(parsed, list) and parsed and isinstance(parsed[0], dict):
        return front.ask(replace(request, body=json.dumps(parsed[0]).encode()))
    return front.ask(request)


@mutant("YS-FLD-03", wfc=200)
def list_is_a_bad_number(front: Front, request: Request) -> Answer:
    """A body that is no object is answered 10001."""
    answer = front.ask(request)
    return refusal("10001") if answer.status == 400 and request.body in {b"[]", b"null", b"42"} else answer


@mutant("YS-FLD-04")
def unknown_fields_refused(front: Front, request: Request) -> Answer:
    """A field that the contract does not know is refused."""
    answer = front.ask(request)
    unknown = set(request.message or {}) - {"from", "to", "text", "media_urls"}
    return refusal("10002", "unknown field") if unknown and answer.status == 200 else answer


@mutant("YS-FLD-05", wfc=206)
def last_duplicate_wins(front: Front, request: Request) -> Answer:
    """Of a field given twice the last one counts."""
    return front.ask(request.of()) if request.is_send and request.message else front.ask(request)


@mutant("YS-FLD-06")
def wrong_type_is_a_bad_number(front: Front, request: Request) -> Answer:
    """A recipient of another type is answered 10001."""
    answer = front.ask(request)
    to = (request.message or {}).get("to", "")
    return refusal("10001") if answer.status == 400 and not isinstance(to, str) else answer
