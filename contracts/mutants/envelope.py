"""Defects of refusals: code, title, status, detail, type, shape, and what they let out."""

import json
from dataclasses import replace

from contracts.judge import Answer, error_code
from contracts.mutants.front import Front, Request, document, mutant, with_error


@mutant("YS-ENV-01", wfc=200)
def wrapped_in_detail(front: Front, request: Request) -> Answer:
    """401 is wrapped one level deeper, as a web framework does with its exceptions."""
    answer = front.ask(request)
    return document(answer, {"detail": json.loads(answer.body)}) if answer.status == 401 else answer


@mutant("YS-ENV-01", wfc=200)
def two_errors(front: Front, request: Request) -> Answer:
    """All that is wrong with a text is told at once."""
    answer = front.ask(request)
    if error_code(answer) != "10002":
        return answer
    return document(answer, {"errors": json.loads(answer.body)["errors"] * 2})


@mutant("YS-ENV-01", wfc=200)
def no_errors_in_errors(front: Front, request: Request) -> Answer:
    """The list of errors is empty when media are refused."""
    answer = front.ask(request)
    return document(answer, {"errors": []}) if error_code(answer) == "10003" else answer


@mutant("YS-ENV-01", wfc=200, provoked=True)
def errors_an_object_when_throttled(front: Front, request: Request) -> Answer:
    """`errors` is an object instead of a list, only on 429."""
    answer = front.ask(request)
    return document(answer, {"errors": json.loads(answer.body)["errors"][0]}) if answer.status == 429 else answer


@mutant("YS-ENV-01", wfc=200, provoked=True)
def merchant_envelope_when_blocked(front: Front, request: Request) -> Answer:
    """403 carries the error of the provider's other API."""
    answer = front.ask(request)
    return document(answer, {"message": "No permission"}) if answer.status == 403 else answer


@mutant("YS-ENV-02", wfc=200)
def code_a_number(front: Front, request: Request) -> Answer:
    """The code is a number."""
    answer = front.ask(request)
    return with_error(answer, code=int(error_code(answer) or 0)) if error_code(answer) else answer


@mutant("YS-ENV-02", wfc=200)
def code_of_another_table(front: Front, request: Request) -> Answer:
    """Wrong keys have the code of another provider's table."""
    answer = front.ask(request)
    return with_error(answer, code="10009") if error_code(answer) == "10004" else answer


@mutant("YS-ENV-03", wfc=200)
def title_wrong(front: Front, request: Request) -> Answer:
    """10002 has a title of its own."""
    return with_error(front.ask(request), "10002", title="Bad request")


@mutant("YS-ENV-03", wfc=200)
def title_in_lower_case(front: Front, request: Request) -> Answer:
    """The title of 10004 is in lower case."""
    return with_error(front.ask(request), "10004", title="authentication failed")


@mutant("YS-ENV-04", wfc=200)
def forbidden_instead_of_unauthorized(front: Front, request: Request) -> Answer:
    """A wrong key is answered 403."""
    answer = front.ask(request)
    return replace(answer, status=403) if answer.status == 401 else answer


@mutant("YS-ENV-04", wfc=200)
def unprocessable_entity(front: Front, request: Request) -> Answer:
    """10002 comes as 422."""
    answer = front.ask(request)
    return replace(answer, status=422) if error_code(answer) == "10002" else answer


@mutant("YS-ENV-04", wfc=200)
def errors_with_status_200(front: Front, request: Request) -> Answer:
    """Bad numbers are told with status 200."""
    answer = front.ask(request)
    return replace(answer, status=200) if error_code(answer) == "10001" else answer


@mutant("YS-ENV-04", wfc=200, provoked=True)
def service_unavailable_as_503(front: Front, request: Request) -> Answer:
    """10007 comes as 503."""
    answer = front.ask(request)
    return replace(answer, status=503) if answer.status == 500 else answer


@mutant("YS-ENV-05", wfc=200)
def detail_empty(front: Front, request: Request) -> Answer:
    """10003 has an empty detail."""
    return with_error(front.ask(request), "10003", detail="")


@mutant("YS-ENV-05", wfc=200)
def detail_absent(front: Front, request: Request) -> Answer:
    """10001 has no detail."""
    return with_error(front.ask(request), "10001", detail=...)


@mutant("YS-ENV-05", wfc=200)
def detail_an_object(front: Front, request: Request) -> Answer:
    """The detail of 10002 is an object."""
    return with_error(front.ask(request), "10002", detail={"field": "text"})


@mutant("YS-ENV-06", wfc=200)
def request_id_beside_errors(front: Front, request: Request) -> Answer:
    """Refusals carry a request id beside the errors."""
    answer = front.ask(request)
    if error_code(answer) is None:
        return answer
    return document(answer, {**json.loads(answer.body), "request_id": "r-1"})


@mutant("YS-ENV-06", wfc=200)
def meta_in_error(front: Front, request: Request) -> Answer:
    """The error has a member `meta`."""
    return with_error(front.ask(request), meta={})


@mutant("YS-ENV-07", wfc=200)
def refusals_declared_html(front: Front, request: Request) -> Answer:
    """400 is declared as HTML."""
    answer = front.ask(request)
    html = {**answer.headers, "content-type": "text/html"}
    return replace(answer, headers=html) if answer.status == 400 else answer


@mutant("YS-ENV-07", wfc=200)
def problem_json(front: Front, request: Request) -> Answer:
    """401 is declared as application/problem+json."""
    answer = front.ask(request)
    problem = {**answer.headers, "content-type": "application/problem+json"}
    return replace(answer, headers=problem) if answer.status == 401 else answer


@mutant("YS-LEAK-01", wfc=309)
def traceback_in_detail(front: Front, request: Request) -> Answer:
    """The detail of a broken body is the traceback."""
    answer = front.ask(request)
    shown = 'Traceback (most recent call last):\n  File "/app/send.py", line 3\njson.JSONDecodeError'
    return with_error(answer, "10002", detail=shown) if request.message is None else answer


@mutant("YS-LEAK-01", wfc=300)
def query_in_detail(front: Front, request: Request) -> Answer:
    """The detail of a wrong key shows the query that did not find it."""
    return with_error(front.ask(request), "10004", detail="SELECT id FROM api_keys WHERE digest = '...'")
