"""What our Flask leaves out: host names and sessions. What it keeps is every other test of the gateway."""

import pytest
from flask import session

from gateway.lean import LeanFlask


@pytest.fixture
def app():
    """One route that looks at its session, and one of another method."""
    app = LeanFlask("lean", static_folder=None)
    app.testing = True
    app.get("/read")(lambda: {"session": dict(session)})

    @app.post("/write")
    def write():
        session["who"] = "somebody"
        return {}

    return app


@pytest.mark.parametrize("host", ["pbx.example", "192.0.2.7:8443", "[::1]", "two words", "", "a" * 300])
def test_any_host_name_will_do(app, host):
    """A gateway behind proxies and addresses of all kinds is asked by path and method only."""
    client = app.test_client()
    assert client.get("/read", environ_overrides={"HTTP_HOST": host}).status_code == 200
    assert client.get("/gone", environ_overrides={"HTTP_HOST": host}).status_code == 404
    assert client.post("/read", environ_overrides={"HTTP_HOST": host}).status_code == 405


def test_nobody_can_leave_anything_in_the_shared_session(app):
    """It is everybody's, so it takes nothing."""
    with pytest.raises(RuntimeError, match="session is unavailable"):
        app.test_client().post("/write")
    assert app.test_client().get("/read").json == {"session": {}}
