"""A provider that does what the provider's page says and nothing more: Flask's own pages for everything else.

It has no challenge, no Retry-After, no WWW-Authenticate, no limit on bodies. The suite must find it right without
`--strict`. `python minimal_provider.py PORT` serves it; the key is in MINIMAL_KEY.
"""

import itertools
import os
import re
import sys
import threading
import time

from flask import Flask, Response, jsonify, request
from werkzeug.serving import WSGIRequestHandler, make_server

ROWS = {
    "10001": (400, "Invalid phone number"),
    "10002": (400, "Invalid parameter"),
    "10003": (400, "Unsupported media"),
    "10004": (401, "Authentication failed"),
    "10005": (403, "No permission"),
    "10006": (429, "Too many requests"),
    "10007": (500, "Service unavailable"),
}
NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")


def refusal(code: str, detail: str) -> tuple[Response, int]:
    """The envelope of the page."""
    status, title = ROWS[code]
    return jsonify(errors=[{"code": code, "title": title, "detail": detail}]), status


def create(key: str, *, blocked_key: str = "", per_second: int = 10_000) -> Flask:
    """The provider's app. The blocked key may not send; POST and DELETE /outage begin and end an outage."""
    app = Flask(__name__)
    numbers, lock = itertools.count(1), threading.Lock()
    state = {"second": 0, "count": 0, "down": False}

    def is_too_fast() -> bool:
        with lock:
            second = int(time.time())
            state["count"] = state["count"] + 1 if state["second"] == second else 1
            state["second"] = second
            return state["count"] > per_second

    def gate():
        given = request.headers.get("Authorization", "")
        if given not in {f"Bearer {key}", f"Bearer {blocked_key}"} or given == "Bearer ":
            return refusal("10004", "The key is missing or invalid")
        if is_too_fast():
            return refusal("10006", "Slow down")
        if given != f"Bearer {key}":
            return refusal("10005", "No permission")
        return None

    @app.get("/api/v1/integration/yeastar/sms/verify")
    def verify():
        return gate() or jsonify(ok=True)

    @app.post("/api/v1/integration/yeastar/sms/sendmessage")
    def send():
        return gate() or accept(body())

    def body():
        try:
            return request.get_json(force=True, silent=True)
        except RecursionError:  # Flask's `silent` lets this one through
            return None

    def accept(message):
        if not isinstance(message, dict) or not {"from", "to"} <= set(message):
            return refusal("10002", "from and to are required")
        if not all(NUMBER.fullmatch(str(message[name])) for name in ("from", "to")):
            return refusal("10001", "Numbers are E.164")
        if message.get("media_urls") not in (None, []):
            return refusal("10003" if isinstance(message["media_urls"], list) else "10002", "No media")
        text = message.get("text")
        if text is not None and (not isinstance(text, str) or len(text) > 2000):
            return refusal("10002", "text has at most 2000 characters")
        if state["down"]:
            return refusal("10007", "Try later")
        return jsonify(data={"id": f"MIN{next(numbers):08d}"})

    @app.route("/outage", methods=["POST", "DELETE"])
    def outage():
        state["down"] = request.method == "POST"
        return "", 204

    return app


class Quiet(WSGIRequestHandler):
    """No line per request."""

    def log(self, *_):
        """Say nothing."""


if __name__ == "__main__":
    served = create(os.environ["MINIMAL_KEY"], blocked_key=os.environ.get("MINIMAL_BLOCKED_KEY", ""))
    make_server("127.0.0.1", int(sys.argv[1]), served, threaded=True, request_handler=Quiet).serve_forever()
