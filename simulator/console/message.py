"""One message's whole life, on one axis of time."""

import sqlite3

from flask import abort, render_template

from simulator.console.page import Page, console
from simulator.console.search import one

page = Page("message")


@page.get("/messages/<int:number>")
def attempt(number: int) -> str:
    """The message of a PBX's attempt."""
    return _shown(one(console().projection, attempt=number))


@page.get("/orders/<order_id>")
def order(order_id: str) -> str:
    """The message of an order; the way to those that no PBX here has sent."""
    return _shown(one(console().projection, order_id=order_id))


def _shown(row: sqlite3.Row | None) -> str:
    if row is None:
        abort(404, "There is no such message, or not yet.")
    return render_template("message.html", row=row)
