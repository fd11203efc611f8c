"""The one writer of the Yeastar error envelope, and of every other header an answer needs."""

import json
import math

from flask import Response

from gateway.contract import NOT_AUTHENTICATED, TOO_MANY, UNAVAILABLE, Refusal

JSON = "application/json"
# RFC 9110 wants these two beside 401, 429 and 503; a refusal that names no time still owes the client one.
DEFAULT_RETRY_AFTER = {TOO_MANY.code: 1.0, UNAVAILABLE.code: 5.0}


def refused(refusal: Refusal) -> Response:
    """The envelope: `{"errors": [{"code", "title", "detail"}]}`, exactly one error, strings only."""
    row = refusal.row
    body = {"errors": [{"code": row.code, "title": row.title, "detail": refusal.detail}]}
    response = Response(json.dumps(body), refusal.status, content_type=JSON)
    wait = refusal.retry_after if refusal.retry_after is not None else DEFAULT_RETRY_AFTER.get(row.code)
    if wait is not None:
        response.headers["Retry-After"] = str(max(1, math.ceil(wait)))
    if row is NOT_AUTHENTICATED:
        response.headers["WWW-Authenticate"] = 'Bearer realm="yeastar"'
    if refusal.allow:
        response.headers["Allow"] = refusal.allow
    return response


def accepted(order_id: str) -> Response:
    """The success of sendmessage. Order ids are plain ASCII, so nothing here needs escaping."""
    return Response(f'{{"data":{{"id":"{order_id}"}}}}', 200, content_type=JSON)


def verified(challenge: str | None) -> Response:
    """The success of verify: the challenge as it came, as text that no browser will sniff; or a small JSON object."""
    if challenge is None:
        return Response('{"data":{"verified":true}}', 200, content_type=JSON)
    response = Response(challenge, 200, content_type="text/plain; charset=utf-8")
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
