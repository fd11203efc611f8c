"""The door of the console: who may ask, who may change something, and that nothing stored ever becomes markup."""

import re

import pytest

from simulator.console.lab import LabView
from simulator.console.page import Page, refuse_foreign
from simulator.console.security import CSP, SERVER, WILDCARDS
from simulator.console.settings import Settings
from tests.console.conftest import KEY, open_bench, target

DOOR = "a token that is long"
ALL = WILDCARDS[0]
READABLE = (
    "/", "/?q=abc", "/timeline/rows", "/messages/1", "/messages/999", "/orders/A", "/nothing", "/export.json",
    "/export.csv", "/export.har", "/export.exe", "/messages/1/snippet.curl", "/api/wait?timeout=0", "/api/expect",
    "/compose", "/compose?text=abc", "/channels", "/carrier", "/carrier?kind=latency", "/runs", "/runs/of/nobody/none",
    "/ledger", "/login", "/healthz", "/static/style.css", "/static/nothing",
)  # fmt: skip


@pytest.fixture
def full(bench):
    """A console with one whole message."""
    bench.sends("A")
    bench.takes("A")
    bench.logs("accepted", "A", to="+6391******67")
    bench.rows()
    return bench


def token(client) -> str:
    """The CSRF token of the client's session."""
    return re.search(r'name="csrf_token" value="([^"]+)"', client.get("/login").text)[1]


@pytest.mark.parametrize("path", READABLE)
def test_every_answer_carries_the_headers(path, full):
    """Pages, files, errors: all say simulator, all have the policy, none may be kept, none shows the key."""
    with full.client.get(path) as answer:
        text = answer.text

    assert answer.headers["Server"] == SERVER
    assert "simulator" in SERVER
    assert answer.headers["Content-Security-Policy"] == CSP
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert path.startswith("/static/") or answer.headers["Cache-Control"] == "no-store"
    assert KEY not in text
    assert "unsafe" not in CSP


def test_the_policy_allows_nothing_from_elsewhere():
    """No inline script or style, no frame around it, no other base, no form to elsewhere."""
    assert CSP == "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"


@pytest.mark.parametrize("path", READABLE)
def test_every_page_says_simulator_and_every_error_is_a_sentence(path, full):
    """Whatever is HTML is in the frame; an error is one sentence and no traceback."""
    with full.client.get(path) as answer:
        text = answer.text

    assert answer.mimetype != "text/html" or path == "/timeline/rows" or "simulator" in text
    assert answer.status_code < 500
    assert "Traceback" not in text


HOSTS = [
    ("127.0.0.1:8070", 200), ("localhost:8070", 200), ("localhost", 200), ("[::1]:8070", 200),
    ("qa.localhost:8070", 200), ("evil.example", 421), ("127.0.0.1.evil.example", 421), ("192.168.1.7:8070", 421),
    ("localhost.evil.example:8070", 421),
]  # fmt: skip


@pytest.mark.parametrize(("host", "status"), HOSTS)
def test_only_its_own_names_are_answered(host, status, full):
    """A name that somebody's DNS points at this machine opens nothing, and learns nothing."""
    answer = full.client.get("/messages/1", headers={"Host": host})

    assert answer.status_code == status
    assert ("Hello" in answer.text) == (status == 200)


@pytest.mark.parametrize(
    ("host", "name", "status"),
    [
        (ALL, "192.168.1.7:8070", 200),
        (ALL, "[fe80::1]:8070", 200),
        (ALL, "evil.example:8070", 421),
        ("192.168.1.7", "192.168.1.7:8070", 200),
        ("192.168.1.7", "192.168.1.8:8070", 421),
        ("qa-box", "qa-box:8070", 200),
        ("qa-box", "evil.example", 421),
    ],
)
def test_bound_elsewhere_it_answers_to_what_it_is_bound_to(host, name, status, tmp_path):
    """Off loopback the bound name counts; on all interfaces any address does, which no DNS can forge."""
    with open_bench(LabView(target(), tmp_path / "lab.toml"), tmp_path / "i.sqlite", host=host, token=DOOR) as bench:
        headers = {"Host": name, "Authorization": f"Bearer {DOOR}"}

        assert bench.client.get("/", headers=headers).status_code == status


CHANGES = [
    ({}, True, 302),
    ({"Origin": "http://localhost"}, True, 302),
    ({"Sec-Fetch-Site": "same-origin"}, True, 302),
    ({}, False, 403),
    ({"Origin": "http://evil.example"}, True, 403),
    ({"Origin": "null"}, True, 403),
    ({"Origin": "http://localhost:8071"}, True, 403),
    ({"Sec-Fetch-Site": "cross-site"}, True, 403),
    ({"Sec-Fetch-Site": "same-site"}, True, 403),
    ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, True, 403),
]


@pytest.mark.parametrize(("headers", "with_token", "status"), CHANGES)
@pytest.mark.parametrize("path", ["/room", "/redaction"])
def test_only_our_own_forms_change_something(path, headers, with_token, status, bench):
    """A change needs the token of the session, and an origin, if one is named, that is this console."""
    form = {"room": "anna", "redact": "1"} | ({"csrf_token": token(bench.client)} if with_token else {})

    answer = bench.client.post(path, data=form, headers=headers)

    assert answer.status_code == status
    assert bool(answer.headers.get("Set-Cookie", "").startswith(("room", "redact"))) == (status == 302)


@pytest.mark.parametrize("given", ["", "wrong", "x" * 5000, "\u00fc"])
def test_a_wrong_token_changes_nothing(given, bench):
    """Neither an empty, nor a wrong, nor a strange token passes, with a session and without."""
    assert bench.client.post("/room", data={"csrf_token": given}).status_code == 403
    token(bench.client)
    assert bench.client.post("/room", data={"csrf_token": given}).status_code == 403


def test_every_view_that_changes_something_is_behind_the_token(bench):
    """No page has forgotten it: each POST of the whole app is refused without one."""
    app = bench.client.application
    rules = [rule for rule in app.url_map.iter_rules() if {"POST", "PUT", "DELETE", "PATCH"} & rule.methods]

    for rule in rules:
        path = app.url_map.bind("localhost").build(rule.endpoint, dict.fromkeys(rule.arguments, "1"), method="POST")
        assert bench.client.post(path).status_code == 403, rule.rule
    assert len(rules) >= 3


def test_a_foreign_page_reads_nothing(full):
    """Images, scripts and fetches of another site are refused; a link from there takes one step inside first."""
    fetch = full.client.get("/", headers={"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"})
    link = full.client.get("/messages/1", headers={"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"})

    assert fetch.status_code == 403
    assert (link.status_code, "Set-Cookie" in link.headers, "Hello" in link.text) == (200, False, False)
    assert 'http-equiv="refresh"' in link.text


def test_cookies_are_strict(full):
    """The session's cookie goes to this site only and no script can read it."""
    cookie = full.client.get("/").headers["Set-Cookie"]

    assert "SameSite=Strict" in cookie
    assert "HttpOnly" in cookie


@pytest.mark.parametrize("host", [ALL, "::", "192.168.1.7", "qa-box"])
def test_it_does_not_stand_open(host, tmp_path):
    """Where other machines reach it, it does not start without a token."""
    with pytest.raises(ValueError, match="needs a token"):
        Settings(LabView(target(), tmp_path / "lab.toml"), host)


def test_a_token_to_be_guessed_is_refused(tmp_path):
    """A token of a few letters is none."""
    with pytest.raises(ValueError, match="short enough to be guessed"):
        Settings(LabView(target(), tmp_path / "lab.toml"), token="door")


def test_the_token_is_asked_once(tmp_path):
    """Without the token every page is the door; with it, in a form or a header, the console is open."""
    with open_bench(LabView(target(), tmp_path / "lab.toml"), tmp_path / "i.sqlite", token=DOOR) as bench:
        client = bench.client
        assert client.get("/", headers={"Accept": "text/html"}).headers["Location"] == "/login"
        assert client.get("/api/wait").status_code == 401
        assert client.post("/room", data={"room": "x"}).status_code == 401
        assert client.get("/", headers={"Authorization": "Bearer d"}).status_code == 401
        assert client.get("/", headers={"Authorization": f"Bearer {DOOR}"}).status_code == 200
        assert client.get("/healthz").status_code == 200

        wrong = client.post("/login", data={"token": "d\u00f6\u00f6r", "csrf_token": token(client)})
        assert wrong.status_code == 403
        assert client.get("/").status_code == 401
        right = client.post("/login", data={"token": DOOR, "csrf_token": token(client)})
        assert right.status_code == 303
        assert client.get("/").status_code == 200


def test_a_provider_elsewhere_is_only_looked_at(tmp_path):
    """Off loopback nothing is sent or broken unless the target is said to be owned."""
    shield = Page("shield")
    shield.add_url_rule("/shield", view_func=lambda: refuse_foreign() or "sent")
    for owned, status in ((False, 403), (True, 200)):
        lab = LabView(target("https://sms.example.com/send", owned=owned), tmp_path / "lab.toml")
        with open_bench(lab, tmp_path / "i.sqlite") as bench:
            bench.client.application.register_blueprint(shield)
            answer = bench.client.get("/shield")

            assert answer.status_code == status
            assert owned or "is not this machine" in answer.text
            assert ("sends or breaks nothing" in bench.get("/")) != owned


def test_a_carrier_elsewhere_is_never_asked(tmp_path):
    """The fault API of a carrier that is not on this machine is as if it were not there."""
    lab = LabView(target(carrier={"url": "http://carrier.example"}), tmp_path / "lab.toml")

    assert lab.carrier_url is None
