"""Redaction: numbers and texts made unreadable, on pages and in exports, for screens that others will see.

Switched by a cookie; `?redact=1` in a link or an export outranks it.
"""

from typing import Any, Final

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from simulator.console.page import Page

COOKIE: Final = "redact"

page = Page("redaction")


def is_redacted() -> bool:
    """Whether what is shown now hides numbers and texts."""
    return request.args.get("redact", request.cookies.get(COOKIE, "")) == "1"


def masked(number: str) -> str:
    """`+639171234567` as `+6391******67`, the way the gateway's log has it."""
    return f"{number[:5]}{'*' * max(0, len(number) - 7)}{number[-2:]}"


def veiled(text: str) -> str:
    """A text as nothing but its length."""
    return f"[{len(text)} characters]"


def shown_number(number: str | None) -> str:
    """A number as this page may show it."""
    return "" if not number else masked(number) if is_redacted() else number


def shown_text(text: str | None) -> str:
    """A text as this page may show it."""
    return "" if not text else veiled(text) if is_redacted() else text


def keep_redacted(_endpoint: str, values: dict[str, Any]) -> None:
    """A page that was opened by a link that says what is hidden leads only to pages that hide the same."""
    if "redact" in request.args and request.method == "GET":
        values.setdefault("redact", request.args["redact"])


@page.post("/redaction")
def switch() -> Response:
    """Hide numbers and texts, or show them again."""
    response = redirect(url_for("timeline.index"))
    response.set_cookie(COOKIE, "1" if request.form.get("redact") == "1" else "0", samesite="Lax", httponly=True)
    return response
