"""`wait` and `expect` over HTTP: the words and the answers of `smslab pbx wait|expect`, asked of the index.

What a state is and what counts is decided in `simulator.ledger.watch`. 200 means yes; 409 not in time, 404 that
nothing of the kind was tried, 400 that the question is wrong, each with a sentence in `error`.
"""

from sqlite3 import Row
from threading import Event
from time import monotonic

from flask import Response, abort, jsonify, request

from simulator.carrier.fault import SMPP
from simulator.console.page import Page, console
from simulator.console.record import document, messages
from simulator.console.redaction import is_redacted
from simulator.ledger.watch import DUPLICATES, STATES, Message, arrived, unmet
from simulator.pbx.world import until

LONGEST = 60.0  # seconds that one question may take
CHOICE = {"to": "recipient = ?", "run": "run = ?", "text": "instr(text, ?)"}
NEWEST = "SELECT * FROM messages WHERE {} ORDER BY attempt DESC LIMIT 1"
ODD = "SELECT * FROM messages WHERE {} AND taken <> 1 ORDER BY attempt DESC LIMIT 100"
TOTALS = """
SELECT count(*) AS tried, total(status = 200 AND order_id IS NOT NULL) AS accepted,
  total(status IS NOT NULL AND NOT (status = 200 AND order_id IS NOT NULL)) AS refused,
  total(status IS NULL) AS indeterminate, total(taken > 0) AS delivered, total(taken > 1) AS duplicated,
  total(max(taken - 1, 0)) AS duplicates
FROM messages WHERE {}
"""
RECEIPTS = """
SELECT kind, count(DISTINCT number) AS messages FROM messages JOIN steps USING (order_id)
WHERE {} AND source = 'postman' AND json_extract(data, '$.answer') BETWEEN 200 AND 299 GROUP BY kind
"""

page = Page("api", prefix="/api")


@page.get("/wait")
def wait() -> tuple[Response, int]:
    """Wait until the newest message that fits is in a state: `?to=&run=&text=&after=&state=&timeout=`."""
    state, timeout = _state(), _number("timeout", 10.0)
    found: list[Message] = []
    for _ in until(Event(), timeout):
        found = messages(console(), _rows(NEWEST))
        if arrived(found, state):
            return jsonify(document(found[-1], redacted=is_redacted())), 200
    if not found:
        abort(404, f"No such message was tried within {timeout:g} s.")
    error = f"Attempt {found[-1].attempt.number} is not {state} after {timeout:g} s."
    return jsonify(error=error, message=document(found[-1], redacted=is_redacted())), 409


@page.get("/expect")
def expect() -> tuple[Response, int]:
    """Expect so many messages in a state, and so many duplicates: `?count=&dup=&state=&timeout=&settle=`."""
    timeout, settle = _number("timeout", 5.0), _number("settle", 0.0)
    wanted = ((_state(), "count"), (DUPLICATES, "dup"))
    expected = {name: int(_number(asked, 0)) for name, asked in wanted if asked in request.args}
    if not expected:
        abort(400, "Say what to expect: count, dup, or both.")
    counts: dict[str, int] = {}
    since = None
    for _ in until(Event(), min(timeout + settle, LONGEST)):
        counts = totals()
        since = None if unmet(counts, expected) else since or monotonic()
        if since and monotonic() - since >= settle:
            return jsonify(met=True, unmet=[], totals=counts), 200
    if not counts["tried"]:
        abort(404, f"No such message was tried within {timeout:g} s.")
    complaints = unmet(counts, expected)
    error = f"Not as expected after {timeout:g} s: {'; '.join(complaints)}."
    return jsonify(
        error=error,
        met=False,
        unmet=complaints,
        totals=counts,
        odd=[document(one, redacted=is_redacted()) for one in messages(console(), _rows(ODD))],
    ), 409


def totals() -> dict[str, int]:
    """How many of the messages chosen are in each state, as `watch.totals` counts them."""
    (row,) = _rows(TOTALS)
    return {name: int(row[name]) for name in (*STATES, DUPLICATES)} | {
        row["kind"]: row["messages"] for row in _rows(RECEIPTS)
    }


def _rows(query: str) -> list[Row]:
    """The answer to a query about the messages that the address chooses."""
    given = {name: value for name in CHOICE if (value := request.args.get(name))}
    where = " AND ".join(["attempt > ?", *(CHOICE[name] for name in given)])
    return console().projection.rows(query.format(where), (_number("after", 0), *given.values()))


def _state() -> str:
    state = request.args.get("state", "delivered")
    if state not in {*STATES, *SMPP}:
        abort(400, f"{state!r} is no state; known: {', '.join([*STATES, *SMPP])}.")
    return state


def _number(name: str, default: float) -> float:
    try:
        value = float(request.args.get(name) or default)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1e15 or (name in {"timeout", "settle"} and value > LONGEST):
        abort(400, f"{name} is a number from 0, and no wait is longer than {LONGEST:g} s.")
    return value
