"""Defects of robustness and HTTP: crashes, silence, pages, sizes, types, methods."""

import threading
from dataclasses import replace

from contracts.judge import Answer
from contracts.mutants.front import Front, Request, mutant, page, refusal, without


@mutant("YS-ROB-01", wfc=100)
def crash_on_invalid_utf8(front: Front, request: Request) -> Answer:
    """Invalid UTF-8 crashes, neatly answered as 10007."""
    try:
        request.body.decode()
    except UnicodeDecodeError:
        return refusal("10007")
    return front.ask(request)


@mutant("YS-ROB-01", wfc=100)
def crash_on_depth(front: Front, request: Request) -> Answer:
    """Deep nesting crashes, neatly answered as 10007."""
    return refusal("10007") if b"[" * 1000 in request.body else front.ask(request)


@mutant("YS-ROB-01", wfc=100)
def crash_on_surrogate(front: Front, request: Request) -> Answer:
    """Half an emoji crashes when the text is encoded."""
    text = str((request.message or {}).get("text"))
    return refusal("10007") if any("\ud800" <= c <= "\udfff" for c in text) else front.ask(request)


@mutant("YS-ROB-01", wfc=100)
def crash_on_nul(front: Front, request: Request) -> Answer:
    """NUL crashes in the database, neatly answered as 10007."""
    return refusal("10007") if b"\\u0000" in request.body else front.ask(request)


@mutant("YS-ROB-01", wfc=100)
def crash_on_a_list(front: Front, request: Request) -> Answer:
    """A list crashes with the framework's page."""
    return page(500) if request.body.startswith(b"[") and request.is_send else front.ask(request)


@mutant("YS-ROB-01", wfc=100)
def crash_on_missing_field(front: Front, request: Request) -> Answer:
    """A missing `from` crashes, neatly answered as 10007."""
    return refusal("10007") if "from" not in (request.message or {"from": 1}) else front.ask(request)


@mutant("YS-ROB-01", wfc=100)
def crash_on_a_huge_integer(front: Front, request: Request) -> Answer:
    """An integer of 5000 digits crashes."""
    return refusal("10007") if b"7" * 4400 in request.body else front.ask(request)


@mutant("YS-ROB-02")
def silence_on_an_empty_body(front: Front, request: Request) -> Answer:
    """A request without a body is waited on for longer than anybody waits."""
    if request.is_send and not request.body and "content-length" in request.headers:
        threading.Event().wait(front.target.timeout + 0.5)
    return front.ask(request)


@mutant("YS-HTTP-01", wfc=200)
def page_404(front: Front, request: Request) -> Answer:
    """An unknown path gets the framework's page."""
    answer = front.ask(request)
    return page(404) if answer.status == 404 else answer


@mutant("YS-HTTP-01", wfc=310)
def trailing_slash_accepted(front: Front, request: Request) -> Answer:
    """A slash behind the path makes no difference."""
    return front.ask(replace(request, path=request.path.removesuffix("/")))


@mutant("YS-HTTP-02", wfc=200)
def page_405(front: Front, request: Request) -> Answer:
    """Another method gets the framework's page."""
    answer = front.ask(request)
    return page(405, allow="POST") if answer.status == 405 else answer


@mutant("YS-HTTP-02", wfc=110)
def no_allow_on_405(front: Front, request: Request) -> Answer:
    """405 comes without Allow."""
    return without(front.ask(request), "allow")


@mutant("YS-HTTP-02")
def put_is_post(front: Front, request: Request) -> Answer:
    """PUT sends as well."""
    return front.ask(replace(request, method="POST")) if request.method == "PUT" else front.ask(request)


@mutant("YS-HTTP-03", wfc=200)
def page_413(front: Front, request: Request) -> Answer:
    """A large body gets the framework's page."""
    answer = front.ask(request)
    return page(413) if answer.status == 413 else answer


@mutant("YS-HTTP-03")
def no_limit(front: Front, request: Request) -> Answer:
    """A body of any size is read, and refused for its text."""
    answer = front.ask(request)
    return refusal("10002") if answer.status == 413 else answer


@mutant("YS-HTTP-04", wfc=206)
def any_type(front: Front, request: Request) -> Answer:
    """Whatever is declared, JSON is read."""
    return front.ask(request.having(content_type="application/json")) if request.is_send else front.ask(request)


@mutant("YS-HTTP-04", wfc=200)
def page_415(front: Front, request: Request) -> Answer:
    """Another type gets the framework's page."""
    answer = front.ask(request)
    return page(415) if answer.status == 415 else answer


@mutant("YS-HTTP-05")
def chunked_cut(front: Front, request: Request) -> Answer:
    """A chunked body is cut at the limit without a word."""
    cut = "transfer-encoding" in request.headers
    return front.ask(replace(request, body=request.body[:32768])) if cut else front.ask(request)
