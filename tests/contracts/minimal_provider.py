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
from collections import Counter

from flask import Flask, Response, jsonify, request
from werkzeug.serving import make_server

ROWS = {
    "10001": (400, "Invalid phone number"),
    "10002": (400, "Invalid parameter"),
    "10003": (400, "Unsupported media"),
    "10004": (401, "Authentication failed"),
    "10005": (403, "No permission"),
    "10006": (429, "Too many requests"),
    "10007": (500, "Service unavailable"),
}
PATH = "/api/v1/integration/yeastar/sms/"
NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")


def refusal(code: str, detail: str) -> tuple[Response, int]:
    """The envelope of the page."""
    status, title = ROWS[code]
    return jsonify(errors=[{"code": code, "title": title, "detail": detail}]), status


class Minimal:
    """The provider. The blocked key may not send, the slow one little; POST to /outage begins one, DELETE ends it."""

    def __init__(self, key: str, *, blocked_key: str = "", slow_key: str = "", per_second: int = 10_000) -> None:
        self.key, self.blocked_key, self.slow_key = key, blocked_key, slow_key
        self.limits = {f"Bearer {key}": per_second, f"Bearer {blocked_key}": per_second, f"Bearer {slow_key}": 5}
        self.numbers, self.lock = itertools.count(1), threading.Lock()
        self.second, self.counts, self.is_down = 0, Counter[str](), False
        self.app = Flask(__name__)
        self.app.add_url_rule(PATH + "verify", view_func=self.verify, methods=["GET"])
        self.app.add_url_rule(PATH + "sendmessage", view_func=self.send, methods=["POST"])
        self.app.add_url_rule("/outage", view_func=self.outage, methods=["POST", "DELETE"])

    def verify(self):
        """200 for a good key; the page gives no body."""
        return self.gate() or jsonify(ok=True)

    def send(self):
        """The page's request flow: key, rate, permission, message, service."""
        return self.gate() or self.fault(message := self.body()) or self.accept(message)

    def accept(self, _message):
        """An order id, unless the service is down."""
        if self.is_down:
            return refusal("10007", "Try later")
        return jsonify(data={"id": f"MIN{next(self.numbers):08d}"})

    def gate(self):
        """The key, the rate and the permission, or None."""
        given = request.headers.get("Authorization", "")
        if given not in self.limits or given == "Bearer ":
            return refusal("10004", "The key is missing or invalid")
        if self.is_too_fast(given):
            return refusal("10006", "Slow down")
        return refusal("10005", "No permission") if given == f"Bearer {self.blocked_key}" else None

    def is_too_fast(self, key):
        """More than so many of this key in one second of the clock."""
        with self.lock:
            second = int(time.time())
            if second != self.second:
                self.second, self.counts = second, Counter()
            self.counts[key] += 1
            return self.counts[key] > self.limits[key]

    def body(self):
        """The body as Flask reads it, or None."""
        try:
            return request.get_json(force=True, silent=True)
        except RecursionError:  # Flask's `silent` lets this one through
            return None

    def fault(self, message):
        """What is wrong with the message, or None."""
        if not isinstance(message, dict) or not {"from", "to"} <= set(message):
            return refusal("10002", "from and to are required")
        if not all(NUMBER.fullmatch(str(message[name])) for name in ("from", "to")):
            return refusal("10001", "Numbers are E.164")
        if message.get("media_urls") not in (None, []):
            return refusal("10003" if isinstance(message["media_urls"], list) else "10002", "No media")
        text = message.get("text")
        if text is not None and (not isinstance(text, str) or len(text) > 2000):
            return refusal("10002", "text has at most 2000 characters")
        return None

    def outage(self):
        """Begin or end an outage."""
        self.is_down = request.method == "POST"
        return "", 204


if __name__ == "__main__":
    keys = os.environ["MINIMAL_KEY"], os.environ.get("MINIMAL_BLOCKED_KEY", "")
    make_server("127.0.0.1", int(sys.argv[1]), Minimal(keys[0], blocked_key=keys[1]).app, threaded=True).serve_forever()
