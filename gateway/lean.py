"""Flask without what no PBX needs: a seventh of a message's time in Python (`contracts/decisions/0005`)."""

from flask import Flask, Request
from flask.sessions import NullSession, SessionInterface
from werkzeug.routing import MapAdapter


class NoSessions(SessionInterface):
    """The same empty session for everybody; Flask makes one for each request."""

    _empty = NullSession()

    def open_session(self, app: Flask, request: Request) -> NullSession:  # noqa: ARG002  Flask's own signature
        """It can be read and not be written, so it can be shared."""
        return self._empty


class LeanFlask(Flask):
    """Answers under every host name, and builds no URLs: a name is taken apart twice for a request otherwise."""

    session_interface = NoSessions()

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """The routes, bound to the path and method of a request only."""
        if request is None:
            return None
        return MapAdapter(self.url_map, self.name, "/", "", "http", request.path, request.method)
