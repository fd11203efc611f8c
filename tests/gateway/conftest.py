"""What the gateway's tests share: desks with other settings, the envelope's rule, and a second server to judge by."""

import json
import shutil

import pytest

from contracts import spec
from contracts.judge import Answer, judge_answer
from gateway.database import initialise
from gateway.settings import Settings
from tests.conftest import open_desk
from tests.gateway.delivery import World
from tests.gateway.disk import mounted
from tests.gateway.under_gunicorn import gunicorn_on


def assert_envelope(response, status, code):
    """The answer is the refusal `code` with this status, and the contract's judge finds nothing wrong with it."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    body = getattr(response, "data", None) or response.content
    assert (response.status_code, headers["content-type"]) == (status, "application/json")
    [error] = json.loads(body)["errors"]
    assert error | {"detail": ""} == {"code": code, "title": spec.error_codes()[code].title, "detail": ""}
    assert error["detail"].strip()
    operation = "sendmessage" if status not in {404, 405} else ""
    findings = judge_answer(operation, "POST", Answer(status, headers, body))
    assert [finding for finding in findings if status not in {404, 405}] == []
    return error["detail"]


@pytest.fixture
def refused():
    """The one check of a refusal: `refused(response, status, code)` gives its detail."""
    return assert_envelope


@pytest.fixture(scope="session")
def blank(tmp_path_factory):
    """A migrated database that nobody has used: copying it is faster than migrating anew."""
    path = tmp_path_factory.mktemp("blank") / "gateway.sqlite"
    initialise(f"sqlite:///{path}")
    return path


@pytest.fixture
def desks(tmp_path, blank):
    """Desks with settings of their own, on a database in the test's directory: `desks(backlog_cap=1)`."""
    opened = []

    def desk(**settings):
        if "database_url" not in settings:
            settings["database_url"] = f"sqlite:///{shutil.copy(blank, tmp_path)}"
        opened.append(open_desk(Settings(**settings)))
        return opened[-1]

    yield desk
    for one in opened:
        one.gateway.close()


@pytest.fixture
def desk(desks):
    """A desk with the default settings."""
    return desks()


@pytest.fixture
def worlds(desks, tmp_path):
    """Worlds with settings of their own."""
    made = []

    def world(**settings):
        made.append(World(desks(**settings), tmp_path))
        return made[-1]

    yield world
    for one in made:
        one.close()


@pytest.fixture(scope="session")
def gunicorn(lab):
    """The lab's gateway once more, on the same database, under gunicorn: its URL."""
    with gunicorn_on(lab.environ) as url:
        yield url


@pytest.fixture(params=["granian", "gunicorn"])
def server(request, lab):
    """The gateway's URL under each of the two servers."""
    return lab.gateway_url if request.param == "granian" else request.getfixturevalue("gunicorn")


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 1 MB of its own."""
    with mounted(tmp_path / "disk") as disk:
        yield disk
