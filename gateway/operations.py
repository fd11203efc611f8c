"""What operations and the carrier see: `/healthz`, `/readyz`, `/metrics`, and receipts. No administration over HTTP."""

import hmac
from typing import Any

from flask import Flask, Response, request
from sqlalchemy import func, select

from gateway.contract import NOT_AUTHENTICATED, Refusal
from gateway.gateway import Gateway
from gateway.receipts import read_receipt
from gateway.schema import QUEUED, orders

WAITING = select(func.count(), func.min(orders.c.accepted_at)).where(QUEUED)


def look_at_backlog(gateway: Gateway) -> None:
    """Set the gauges of what waits and for how long. Asked per scrape: requests do not pay, and it is never stale."""
    with gateway.database.read() as connection:
        waiting, accepted_at = connection.execute(WAITING).one()
    gateway.metrics.backlog.set(waiting)
    gateway.metrics.oldest.set(gateway.clock() - accepted_at / 1000 if accepted_at else 0)


def add_operations(app: Flask, gateway: Gateway) -> None:
    """Add the routes to the app."""

    @app.get("/healthz", provide_automatic_options=False)
    def healthz() -> dict[str, Any]:
        """The process answers."""
        return {"status": "ok"}

    @app.get("/readyz", provide_automatic_options=False)
    def readyz() -> dict[str, Any]:
        """An order would be admitted now; otherwise the refusal it would meet."""
        gateway.admission.check()
        return {"status": "ready"}

    @app.get("/metrics", provide_automatic_options=False)
    def metrics() -> Response:
        """Prometheus' text format, behind `SMSLAB_METRICS_TOKEN` if that is set."""
        token = gateway.settings.metrics_token
        given = request.headers.get("Authorization", "")
        if token and not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
            raise Refusal(NOT_AUTHENTICATED, "The metrics token is missing or wrong")
        look_at_backlog(gateway)
        return Response(gateway.metrics.text(), content_type="text/plain; version=0.0.4; charset=utf-8")

    @app.post("/carrier/receipts", provide_automatic_options=False)
    def receipts() -> Response:
        """A delivery receipt, signed by the carrier."""
        gateway.receipts.apply(read_receipt(request.environ, gateway.settings, gateway.clock()))
        return Response(status=204)
