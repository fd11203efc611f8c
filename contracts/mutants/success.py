"""Defects of success: status, id, shape, verify and its challenge."""

import json
from dataclasses import replace
from urllib.parse import unquote_to_bytes

from contracts.judge import Answer, order_id
from contracts.mutants.front import Front, Request, document, mutant, refusal, without


@mutant("YS-OK-01", wfc=200)
def created(front: Front, request: Request) -> Answer:
    """An accepted message is answered 201."""
    answer = front.ask(request)
    return replace(answer, status=201) if order_id(answer) else answer


@mutant("YS-OK-01", wfc=200)
def accepted_202(front: Front, request: Request) -> Answer:
    """An accepted message is answered 202, because it is not sent yet."""
    answer = front.ask(request)
    return replace(answer, status=202) if order_id(answer) else answer


@mutant("YS-OK-02", wfc=200)
def id_a_number(front: Front, request: Request) -> Answer:
    """The id is a number."""
    answer = front.ask(request)
    front.state["last"] = front.state.get("last", 0) + 1
    return document(answer, {"data": {"id": front.state["last"]}}) if order_id(answer) else answer


@mutant("YS-OK-02", wfc=200)
def id_at_the_top(front: Front, request: Request) -> Answer:
    """The id is not under data."""
    answer = front.ask(request)
    return document(answer, json.loads(answer.body)["data"]) if order_id(answer) else answer


@mutant("YS-OK-02", wfc=200)
def id_empty(front: Front, request: Request) -> Answer:
    """The id is empty, because the order is numbered later."""
    answer = front.ask(request)
    return document(answer, {"data": {"id": ""}}) if order_id(answer) else answer


@mutant("YS-OK-03", wfc=200)
def price_beside_id(front: Front, request: Request) -> Answer:
    """Success tells the price too."""
    answer = front.ask(request)
    return document(answer, {"data": {"id": order_id(answer), "price": "0.35"}}) if order_id(answer) else answer


@mutant("YS-OK-04", wfc=200)
def success_declared_text(front: Front, request: Request) -> Answer:
    """Success is declared as text."""
    answer = front.ask(request)
    text = {**answer.headers, "content-type": "text/plain"}
    return replace(answer, headers=text) if order_id(answer) else answer


@mutant("YS-OK-05")
def one_id_for_all(front: Front, request: Request) -> Answer:
    """The id has the resolution of a day."""
    answer = front.ask(request)
    return document(answer, {"data": {"id": "SDPS261122"}}) if order_id(answer) else answer


@mutant("YS-OK-05")
def same_text_same_id(front: Front, request: Request) -> Answer:
    """The id is a digest of the message: the same text again has the same id."""
    answer = front.ask(request)
    message = request.message or {}
    identity = f"{message.get('to')}-{str(message.get('text'))[:20]}"
    return document(answer, {"data": {"id": identity}}) if order_id(answer) else answer


@mutant("YS-OK-06", wfc=204)
def spam_filter(front: Front, request: Request) -> Answer:
    """A spam filter does not like the page's own example."""
    if (request.message or {}).get("text") == "Hello from Yeastar":
        return refusal("10002", "This looks like spam")
    return front.ask(request)


@mutant("YS-VER-01", wfc=200)
def verify_without_content(front: Front, request: Request) -> Answer:
    """Verify answers 204."""
    answer = front.ask(request)
    if request.method == "GET" and answer.status == 200:
        return replace(answer, status=204, body=b"")
    return answer


@mutant("YS-VER-02")
def challenge_ignored(front: Front, request: Request) -> Answer:
    """Verify says yes and does not echo."""
    answer = front.ask(request)
    if request.method == "GET" and answer.status == 200:
        return document(answer, {"data": {"verified": True}}, content_type="application/json")
    return answer


@mutant("YS-VER-02")
def challenge_in_quotes(front: Front, request: Request) -> Answer:
    """The challenge comes back as a JSON string."""
    answer = front.ask(request)
    if answer.status == 200 and "challenge=" in request.path:
        return document(answer, answer.body.decode(), content_type="application/json")
    return answer


@mutant("YS-VER-02", wfc=301)
def challenge_as_html(front: Front, request: Request) -> Answer:
    """The challenge comes back as HTML."""
    answer = front.ask(request)
    html = {**answer.headers, "content-type": "text/html"}
    return replace(answer, headers=html) if answer.status == 200 and "challenge=" in request.path else answer


@mutant("YS-VER-02")
def challenge_still_escaped(front: Front, request: Request) -> Answer:
    """The challenge comes back as it stood in the URL."""
    answer = front.ask(request)
    escaped = request.path.partition("challenge=")[2].encode()
    return replace(answer, body=escaped) if answer.status == 200 and escaped else answer


@mutant("YS-VER-03")
def challenge_sniffable(front: Front, request: Request) -> Answer:
    """The challenge comes back without nosniff."""
    return without(front.ask(request), "x-content-type-options")


@mutant("YS-VER-04", wfc=206)
def challenge_of_any_length(front: Front, request: Request) -> Answer:
    """A challenge of any length is echoed."""
    answer = front.ask(request)
    challenge = unquote_to_bytes(request.path.partition("challenge=")[2])
    if answer.status == 400 and len(challenge) > 1024:
        return Answer(200, {"content-type": "text/plain", "x-content-type-options": "nosniff"}, challenge)
    return answer
