"""The Flask app: two routes for the PBX, some for operations, and handlers that make all else an envelope."""

from collections.abc import Callable
from functools import partial
from time import perf_counter
from typing import Any

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from gateway.body import bad
from gateway.contract import MAX_CHALLENGE, SEND_PATH, UNAVAILABLE, VERIFY_PATH, Refusal
from gateway.crash import go_on
from gateway.envelope import accepted, refused, verified
from gateway.gateway import Gateway
from gateway.lean import LeanFlask
from gateway.operations import add_operations
from gateway.send import send, verify

DETAILS = {404: "There is nothing at this path", 405: "This path does not take this method"}


def create_app(gateway: Gateway) -> Flask:
    """The WSGI application of one gateway process."""
    app = LeanFlask("gateway", static_folder=None)
    app.url_map.merge_slashes = False  # the redirect would be HTML, and to a path that is not the contract's
    _add_contract(app, gateway)
    _add_refusals(app, gateway)
    add_operations(app, gateway)
    if gateway.point is not go_on:  # only a process that is to be crashed pays for the hook
        app.after_request(_crashing(gateway))
    return app


def _add_contract(app: Flask, gateway: Gateway) -> None:
    @app.post(SEND_PATH, provide_automatic_options=False)
    def sendmessage() -> Response:
        start = perf_counter()
        try:
            return accepted(send(request.environ, gateway))
        finally:
            gateway.metrics.request.observe(perf_counter() - start)

    @app.get(VERIFY_PATH, provide_automatic_options=False)
    def verify_key() -> Response:
        verify(request.environ, gateway)
        challenge = request.args.get("challenge")
        if challenge is not None and not 1 <= len(challenge) <= MAX_CHALLENGE:
            raise bad(f"challenge must be 1 to {MAX_CHALLENGE} characters")
        return verified(challenge)


def _add_refusals(app: Flask, gateway: Gateway) -> None:
    @app.errorhandler(Refusal)
    def refusal(fault: Refusal) -> Response:
        gateway.metrics.refused[fault.row.code].inc()
        return refused(fault)

    @app.errorhandler(HTTPException)
    def http_exception(fault: HTTPException) -> Response:
        try:
            return refusal(_translated(fault, gateway, request.environ))
        except Exception as failure:  # noqa: BLE001  Flask would answer a fault in here with HTML
            return accident(failure)

    @app.errorhandler(Exception)
    def accident(fault: Exception) -> Response:
        gateway.log.error("accident", kind=type(fault).__name__, path=request.path, exc_info=fault)
        return refusal(Refusal(UNAVAILABLE, "The message could not be accepted"))


def _crashing(gateway: Gateway) -> Callable[[Response], Response]:
    def after(response: Response) -> Response:
        response.call_on_close(partial(gateway.point, "after-reply"))
        return response

    return after


def _translated(fault: HTTPException, gateway: Gateway, environ: dict[str, Any]) -> Refusal:
    """Werkzeug's own refusals in the contract's words. On the two paths the key is asked for first."""
    if environ.get("PATH_INFO") in {SEND_PATH, VERIFY_PATH}:
        try:
            gateway.keys.authenticate(environ)
        except Refusal as stranger:
            return stranger
    status = fault.code or 400
    allow = ", ".join(sorted(fault.valid_methods or ())) if isinstance(fault, MethodNotAllowed) else None
    refusal = bad(DETAILS.get(status, fault.name), status=status)
    refusal.allow = allow
    return refusal
