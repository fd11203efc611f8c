"""The door: who may ask (Host, token), who may change something (Origin, CSRF), what a browser may do with an answer.

Every request passes here before any page sees it, and every answer, errors too, on its way out.
"""

import hmac
import ipaddress
import secrets
import socket
from typing import Final
from urllib.parse import urlsplit

from flask import Flask, Response, abort, g, make_response, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response as AnyResponse

from contracts.target import is_loopback
from simulator.console.page import Page, console

SERVER: Final = "Yeastar SMS Lab console (simulator)"
CSP: Final = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
HEADERS: Final = (
    ("Server", SERVER),
    ("Content-Security-Policy", CSP),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),  # with no-referrer, browsers call the origin of our own forms "null"
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
WILDCARDS: Final = ("0.0.0.0", "::")  # noqa: S104 - compared with, not bound
OPEN: Final = {"door.login", "door.healthz", "static"}  # what a visitor without the token may see

page = Page("door")


def guard(app: Flask) -> None:
    """Put the door in front of every view of the app."""
    app.config.update(SESSION_COOKIE_SAMESITE="Strict", SESSION_COOKIE_HTTPONLY=True, SESSION_COOKIE_NAME="console")
    app.before_request(check)
    app.after_request(sign)
    app.jinja_env.globals["csrf_token"] = csrf_token


def check() -> AnyResponse | None:
    """The first refusal that applies, as an error page; None lets the request in."""
    g.outside = True
    if not _is_our_name(request.host):
        abort(421, "This console does not answer to that name.")
    if _is_foreign_fetch():
        abort(403, "Another site asked for this; the console answers its own pages only.")
    if _is_foreign_link():
        return make_response(render_template("arrive.html", address=request.full_path.rstrip("?")))
    if not _has_token():
        return None if request.endpoint in OPEN else _to_the_door()
    g.outside = False
    if request.method not in {"GET", "HEAD", "OPTIONS"}:
        _check_change()
    return None


def sign(response: Response) -> Response:
    """What goes out with every answer."""
    for name, value in HEADERS:
        response.headers.setdefault(name, value)  # a view may set a stricter policy
    if request.endpoint != "static":
        response.headers["Cache-Control"] = "no-store"
    return response


def csrf_token() -> str:
    """The token of this session, for the hidden field of a form."""
    return str(session.setdefault("csrf", secrets.token_urlsafe(24)))


@page.route("/login", methods=["GET", "POST"])
def login() -> AnyResponse:
    """Take the token once; the session remembers that it was right."""
    token = console().settings.token
    if request.method == "POST":
        _check_change()
        if token and hmac.compare_digest(request.form.get("token", "").strip().encode(), token.encode()):
            session["admitted"] = True
            return redirect(url_for("timeline.index"), 303)
        abort(403, "That is not the token.")
    return make_response(render_template("login.html"))


@page.get("/healthz")
def healthz() -> dict[str, str]:
    """For whoever starts the console and waits for it."""
    return {"status": "up"}


def _is_our_name(host: str) -> bool:
    bound = console().settings.host
    name = urlsplit(f"//{host}").hostname or ""
    if is_loopback(f"//{host}") or name == bound:
        return True
    return bound in WILDCARDS and (
        _is_address(name) or name in {socket.gethostname().lower(), socket.getfqdn().lower()}
    )


def _is_address(name: str) -> bool:
    """An address cannot be pointed elsewhere by somebody's DNS, as a name can."""
    try:
        return bool(ipaddress.ip_address(name))
    except ValueError:
        return False


def _is_foreign_fetch() -> bool:
    return _site() in {"cross-site", "same-site"} and not _is_visit()


def _is_foreign_link() -> bool:
    """A link from elsewhere comes without our strict cookies: one step inside, and the browser sends them."""
    return _site() == "cross-site" and _is_visit() and request.endpoint != "static"


def _is_visit() -> bool:
    return request.method == "GET" and request.headers.get("Sec-Fetch-Mode") == "navigate"


def _site() -> str:
    return request.headers.get("Sec-Fetch-Site", "")


def _has_token() -> bool:
    token = console().settings.token
    if not token or session.get("admitted"):
        return True
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    return scheme == "Bearer" and hmac.compare_digest(given.strip().encode(), token.encode())


def _to_the_door() -> AnyResponse:
    if request.method != "GET" or "text/html" not in request.headers.get("Accept", ""):
        abort(401, "This console wants its token: log in, or send it as Authorization: Bearer.")
    return redirect(url_for("door.login"), 303)


def _check_change() -> None:
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.host:
        abort(403, "Another site sent this form; nothing was changed.")
    known, given = session.get("csrf", ""), request.form.get("csrf_token", "")
    if not known or not hmac.compare_digest(str(known).encode(), given.encode()):
        abort(403, "This form is out of date; nothing was changed. Go back, reload the page and send it again.")
