"""A tester's hand on the console's forms, without a browser."""

import html
import re

from tests.console.conftest import TO


def post(bench, path="/compose", status=200, **form):
    """What the console answers to a form, with the session's token."""
    csrf = re.search(r'name="csrf_token" value="([^"]+)"', bench.client.get("/login").text)[1]
    answer = bench.client.post(path, data={"csrf_token": csrf, "channel": "lab", "to": TO, **form})
    assert answer.status_code == status, answer.text
    return answer


def sent(bench, **form):
    """The page that a message leads to."""
    answer = post(bench, "/compose/send", 303, **form)
    return bench.get(answer.headers["Location"].partition("#")[0])


def words(page):
    """What can be read on a page, without its markup."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())
