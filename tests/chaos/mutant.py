"""`smslab gateway serve` with one breach built in: it answers 200 before it commits.

A program of its own, started by the kill test in the gateway's place to show that the test can fail. It is put
together from the real parts, as `gateway.serve` does it; only the class that keeps orders is another.
"""

import os
from dataclasses import replace
from threading import Timer

import click
from flask import Flask

from gateway.app import create_app
from gateway.gateway import open_gateway, start_delivery
from gateway.ids import Ids
from gateway.orders import Orders
from gateway.serve import serve as serve_app
from gateway.settings import Settings, from_env

LATER = 0.5  # seconds, so that a kill finds some of them however busy the machine is


class AnswersFirst(Orders):
    """Gives the id at once, and has the order written a moment later by a thread."""

    def create(self, integration, message, content):
        order_id = self._ids.draw()
        row = self._row(order_id, integration, message, content)
        Timer(LATER, self._baton.submit, (row,)).start()
        return order_id


def build(settings: Settings) -> Flask:
    """The gateway's app with the breach, and its dispatchers."""
    real = open_gateway(settings)
    orders = AnswersFirst(
        *(real.database, settings, real.admission, Ids(real.clock), real.clock, real.log, real.metrics, real.wake.set)
    )
    start_delivery(real)
    return create_app(replace(real, orders=orders))


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("words", nargs=2)
@click.option("--port", type=int, required=True)
def main(words: tuple[str, str], port: int) -> None:
    """Take the place of `smslab gateway serve --port N`."""
    assert words == ("gateway", "serve")
    settings = from_env(os.environ)
    serve_app(settings, "127.0.0.1", port, 1, lambda: build(settings))


if __name__ == "__main__":
    main()
