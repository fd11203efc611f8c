"""Defects of the key: who gets in without it, and what is judged before it."""

from contracts.judge import Answer
from contracts.mutants.front import Front, Request, mutant, refusal, without


@mutant("YS-AUTH-01", wfc=307)
def no_key_needed(front: Front, request: Request) -> Answer:
    """A request without a key is let in."""
    return front.ask(request) if request.key else front.let_in(request)


@mutant("YS-AUTH-02", wfc=308)
def any_key_does(front: Front, request: Request) -> Answer:
    """Any bearer token is a good key."""
    is_token = request.key.startswith("Bearer ") and len(request.key) > 12
    return front.let_in(request) if is_token else front.ask(request)


@mutant("YS-AUTH-02")
def wrong_key_is_a_parameter(front: Front, request: Request) -> Answer:
    """A wrong key is answered 10002."""
    answer = front.ask(request)
    return refusal("10002") if answer.status == 401 and request.key else answer


@mutant("YS-AUTH-03")
def key_compared_by_its_beginning(front: Front, request: Request) -> Answer:
    """What begins with the key is the key."""
    longer = request.key.startswith(f"Bearer {front.target.key}")
    return front.let_in(request) if longer else front.ask(request)


@mutant("YS-AUTH-03")
def beginning_of_the_key_is_enough(front: Front, request: Request) -> Answer:
    """Only the first 30 characters of a key are compared."""
    shorter = request.key[:20] == f"Bearer {front.target.key}"[:20]
    return front.let_in(request) if shorter else front.ask(request)


@mutant("YS-AUTH-03")
def last_character_not_compared(front: Front, request: Request) -> Answer:
    """A key must be as long as the right one, but its last character is not looked at."""
    right = f"Bearer {front.target.key}"
    near = len(request.key) == len(right) and request.key[:-1] == right[:-1]
    return front.let_in(request) if near else front.ask(request)


@mutant("YS-AUTH-03")
def key_in_any_case(front: Front, request: Request) -> Answer:
    """The database compares keys without regard to case."""
    same = request.key.lower() == f"bearer {front.target.key}".lower()
    return front.let_in(request) if same else front.ask(request)


@mutant("YS-AUTH-04")
def any_scheme(front: Front, request: Request) -> Answer:
    """Whatever stands before the key is not looked at."""
    named = request.key.endswith(f" {front.target.key}")
    return front.let_in(request) if named else front.ask(request)


@mutant("YS-AUTH-04")
def bare_key(front: Front, request: Request) -> Answer:
    """The key alone is enough."""
    return front.let_in(request) if request.key == front.target.key else front.ask(request)


@mutant("YS-AUTH-04")
def key_in_another_header(front: Front, request: Request) -> Answer:
    """X-Api-Key does as well."""
    good = request.headers.get("x-api-key") == front.target.key
    return front.let_in(request) if good else front.ask(request)


@mutant("YS-AUTH-05", wfc=307)
def verify_is_public(front: Front, request: Request) -> Answer:
    """Verify says yes to everybody."""
    return front.let_in(request) if request.method == "GET" and "verify" in request.path else front.ask(request)


@mutant("YS-AUTH-06", wfc=109)
def no_challenge_on_401(front: Front, request: Request) -> Answer:
    """401 comes without WWW-Authenticate."""
    return without(front.ask(request), "www-authenticate")


@mutant("YS-AUTH-07")
def first_header_wins(front: Front, request: Request) -> Answer:
    """Of two Authorization headers the first is taken."""
    first = request.key.split(",")[0].strip()
    return front.ask(request.having(authorization=first)) if "," in request.key else front.ask(request)


@mutant("YS-ORD-01")
def body_judged_first(front: Front, request: Request) -> Answer:
    """The message is judged before the key."""
    judged = front.let_in(request) if request.is_send and _is_broken(request) else None
    return judged if judged and judged.status == 400 else front.ask(request)


@mutant("YS-ORD-01")
def size_judged_first(front: Front, request: Request) -> Answer:
    """A large body is refused before the key is looked at."""
    return front.let_in(request) if len(request.body) > 40_000 else front.ask(request)


@mutant("YS-ORD-01")
def method_judged_first(front: Front, request: Request) -> Answer:
    """Another method is refused before the key is looked at."""
    return front.ask(request) if request.method == "POST" or "verify" in request.path else front.let_in(request)


def _is_broken(request: Request) -> bool:
    message = request.message or {}
    return not isinstance(message.get("from"), str) or len(str(message.get("to"))) < 8
