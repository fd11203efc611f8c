"""The fake carrier over HTTP: the submission path for everybody, the simulator API for the local machine.

Rules of the simulator API: the Host must be local, an Origin too, bodies are JSON; otherwise any web page
could break the carrier of whoever looks at it.
"""

from collections.abc import Callable
from itertools import islice
from random import Random
from sqlite3 import ProgrammingError
from time import sleep as really_sleep
from time import time

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from contracts.target import is_loopback
from simulator.carrier.board import Board
from simulator.carrier.desk import Desk
from simulator.carrier.lifecycle import PROFILES, Profile
from simulator.carrier.postman import Postman
from simulator.carrier.wire import SERVER, answer
from simulator.ledger.carrier import CarrierLedger

PAGE = 1000


def create_app(
    ledger: CarrierLedger,
    *,
    clock: Callable[[], float] = time,
    sleep: Callable[[float], None] = really_sleep,
    rng: Random | None = None,
    window: float = 86_400.0,
    profile: Profile = PROFILES["delivered"],
    postman: Postman | None = None,
    schedule: object = None,
) -> Flask:
    """A carrier on its ledger. `window` is how long a key is remembered (s); without a postman no receipts.

    `schedule` is a fault, or phases of faults, armed from the start; ValueError if it cannot be.
    """
    app = Flask(__name__)
    board = Board(clock)
    if schedule is not None:
        board.arm(schedule)
    dice = rng or Random()
    desk = Desk(ledger, board, clock, sleep, dice, window, profile, postman)
    app.add_url_rule("/v1/messages", "submit", lambda: _submit(desk), methods=["POST"])
    app.add_url_rule("/healthz", "healthz", lambda: answer(200, {"status": "up"}))
    app.add_url_rule("/faults", "faults", lambda: answer(200, {**board.report()}))
    app.add_url_rule("/faults", "arm", lambda: _arm(board), methods=["POST"])
    app.add_url_rule("/faults", "clear", lambda: answer(200, {"cleared": board.clear()}), methods=["DELETE"])
    app.add_url_rule(
        "/faults/<int:identity>", "clear_one", lambda identity: _clear(board, identity), methods=["DELETE"]
    )
    app.add_url_rule("/reset", "reset", lambda: answer(200, {"cleared": board.clear()}), methods=["POST"])
    app.add_url_rule("/messages", "messages", lambda: _messages(ledger))
    app.add_url_rule("/receipts", "receipts", lambda: _receipts(ledger))
    app.before_request(_only_local)
    app.after_request(_sign)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(ProgrammingError, lambda _: answer(503, {"error": "The carrier is stopping."}))
    return app


def _submit(desk: Desk) -> Response:
    return desk.submit(request.get_data(), request.headers.get("Idempotency-Key"))


def _arm(board: Board) -> Response:
    spec = request.get_json()
    try:
        armed = board.arm(spec)
    except ValueError as error:
        return answer(400, {"error": str(error)})
    views = [one.view(one.starts) for one in armed]
    return answer(201, {"faults": views} if "phases" in spec else views[0])


def _clear(board: Board, identity: int) -> Response:
    if board.clear(identity):
        return answer(200, {"cleared": 1})
    return answer(404, {"error": f"No fault {identity} is armed."})


def _span() -> tuple[int, int]:
    """After which row, and how many rows at most, the caller wants to see."""
    after, limit = request.args.get("after", 0, int), request.args.get("limit", 100, int)
    return max(after, 0), max(1, min(limit, PAGE))


def _receipts(ledger: CarrierLedger) -> Response:
    after, limit = _span()
    return answer(200, {"receipts": [one._asdict() for one in islice(ledger.handovers(after), limit)]})


def _messages(ledger: CarrierLedger) -> Response:
    after, limit = _span()
    page = ledger.page(after, limit)
    rows = [
        {**delivery._asdict(), "from": delivery.from_number, "from_number": delivery.from_number} for delivery in page
    ]
    return answer(200, {"messages": rows, "last": page[-1].seq if page else after})


def _only_local() -> Response | None:
    if request.path.startswith("/v1/"):
        return None
    origin = request.headers.get("Origin")
    for url in (f"//{request.host}", *([origin] if origin else [])):
        if not is_loopback(url):
            return answer(403, {"error": "The simulator API is for this machine only."})
    return None


def _sign(response: Response) -> Response:
    response.headers["Server"] = SERVER
    return response


def _http_error(error: HTTPException) -> Response:
    response = answer(error.code or 500, {"error": error.description or error.name})
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After"):
            response.headers[name] = value
    return response
