"""Defects that show only while something is provoked, or behind the answer: permission, limit, outage, carrier."""

from dataclasses import replace

from contracts.judge import Answer, error_code, order_id
from contracts.mutants.front import Front, Request, document, mutant, refusal, without


@mutant("YS-PERM-01", provoked=True, wfc=305)
def blocked_is_a_wrong_key(front: Front, request: Request) -> Answer:
    """An integration that may not send is told that its key is wrong."""
    answer = front.ask(request)
    return refusal("10004") if answer.status == 403 and request.is_send else answer


@mutant("YS-PERM-01", provoked=True, wfc=306)
def blocked_may_send(front: Front, request: Request) -> Answer:
    """An integration that may not send is only told so by verify."""
    answer = front.ask(request)
    return front.let_in(request) if answer.status == 403 and request.is_send else answer


@mutant("YS-PERM-02", provoked=True)
def verify_does_not_look(front: Front, request: Request) -> Answer:
    """Verify looks at the key alone."""
    answer = front.ask(request)
    return front.let_in(request) if answer.status == 403 and request.method == "GET" else answer


@mutant("YS-RATE-01", provoked=True)
def throttled_is_unavailable(front: Front, request: Request) -> Answer:
    """429 carries 10007."""
    answer = front.ask(request)
    return replace(refusal("10007"), status=429) if answer.status == 429 else answer


@mutant("YS-RATE-02", provoked=True)
def no_retry_after_on_429(front: Front, request: Request) -> Answer:
    """429 does not say when to try again."""
    answer = front.ask(request)
    return without(answer, "retry-after") if answer.status == 429 else answer


@mutant("YS-RATE-02", provoked=True)
def retry_after_a_date(front: Front, request: Request) -> Answer:
    """429 says when to try again with a fraction of a second."""
    answer = front.ask(request)
    changed = {**answer.headers, "retry-after": "0.5"}
    return replace(answer, headers=changed) if answer.status == 429 else answer


@mutant("YS-RATE-03", provoked=True)
def verify_without_limit(front: Front, request: Request) -> Answer:
    """Verify may be called as often as one likes."""
    answer = front.ask(request)
    return front.let_in(request) if answer.status == 429 and request.method == "GET" else answer


@mutant("YS-DOWN-01", provoked=True)
def black_hole(front: Front, request: Request) -> Answer:
    """While the carrier is down messages are accepted and forgotten."""
    answer = front.ask(request)
    front.state["lost"] = front.state.get("lost", 0) + (answer.status == 500)
    lost = document(replace(answer, status=200), {"data": {"id": f"LOST{front.state['lost']}"}})
    return lost if answer.status == 500 else answer


@mutant("YS-DOWN-01", provoked=True)
def unavailable_is_throttled(front: Front, request: Request) -> Answer:
    """While the carrier is down messages are answered 10006."""
    answer = front.ask(request)
    return refusal("10006") if answer.status == 500 else answer


@mutant("YS-DOWN-02", provoked=True)
def no_retry_after_on_500(front: Front, request: Request) -> Answer:
    """500 does not say when to try again."""
    answer = front.ask(request)
    return without(answer, "retry-after") if answer.status == 500 else answer


@mutant("YS-DOWN-03", provoked=True)
def never_recovers(front: Front, request: Request) -> Answer:
    """After an outage the service stays unavailable until it is restarted."""
    answer = front.ask(request)
    front.state["down"] = front.state.get("down", False) or answer.status == 500
    return refusal("10007") if front.state["down"] and answer.status == 200 else answer


@mutant("YS-DOWN-04", provoked=True)
def outage_told_first(front: Front, request: Request) -> Answer:
    """While the carrier is down every message is answered 10007, whatever else is wrong with it."""
    answer = front.ask(request)
    if request.is_send and answer.status in {200, 500}:
        front.state["down"] = answer.status == 500
    return refusal("10007") if front.state.get("down") and answer.status == 400 else answer


@mutant("YS-INV-01")
def refused_and_sent(front: Front, request: Request) -> Answer:
    """A message with media is refused, and its text is sent all the same."""
    answer = front.ask(request)
    if error_code(answer) == "10003":
        front.ask(request.of(media_urls=None, text=f"{(request.message or {}).get('text')} "))
    return answer


@mutant("YS-INV-02")
def sent_twice(front: Front, request: Request) -> Answer:
    """Each message is sent twice, because the first try was slow."""
    answer = front.ask(request)
    if order_id(answer):
        front.ask(request)
    return answer


@mutant("YS-INV-02")
def accepted_and_forgotten(front: Front, request: Request) -> Answer:
    """The page's example is answered with an id, and nothing is sent."""
    if (request.message or {}).get("text") != "Hello from Yeastar":
        return front.ask(request)
    answer = front.ask(request.of(text=""))
    return replace(answer, status=200, body=b'{"data":{"id":"SDPSFORGOTTEN"}}') if answer.status == 400 else answer


@mutant("YS-INV-03")
def text_trimmed(front: Front, request: Request) -> Answer:
    """Blanks around the text are taken off."""
    return front.ask(request.fixed("text", lambda text: (text.strip() or text) if isinstance(text, str) else text))


@mutant("YS-INV-03")
def text_cut_at_160(front: Front, request: Request) -> Answer:
    """Only the first SMS of a text is sent."""
    good = len(str((request.message or {}).get("text"))) <= 2000
    return front.ask(request.fixed("text", lambda text: text[:160] if isinstance(text, str) and good else text))


@mutant("YS-INV-03")
def emoji_replaced(front: Front, request: Request) -> Answer:
    """What is not in the basic plane becomes a question mark."""

    def basic(text: object) -> object:
        if not isinstance(text, str) or len(text) > 2000:
            return text
        return "".join("?" if ord(character) > 0xFFFF else character for character in text)

    return front.ask(request.fixed("text", basic))
