"""A recorded attempt becomes a test for other tools: the same bytes, no key, and it runs as it stands."""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from contracts.target import Target
from simulator.ledger.pbx import Attempt
from simulator.pbx.call import open_client
from simulator.pbx.pbx import Pbx, written
from simulator.pbx.snippets import FORMS, snippet

TEXT = "It's “ok” {{n}} ${HOME} $(id) `id` \\ 100 % 😀"
FAULT = {"kind": "refuse", "params": {"status": 503}, "scope": {"prefix": "+639"}, "ttl": 30, "id": 1, "hits": 2}


def recorded(lab, ledger, **more):
    """The attempt that a message to the lab leaves in a ledger."""
    with open_client() as client:
        pbx = Pbx(lab_target(lab), ledger, client, run="story-7")
        pbx.post({**written(pbx.habits, lab.from_number, "+639171234567", TEXT), **more})
    return list(ledger.attempts())[-1]


def lab_target(lab):
    """The lab as the PBX knows it."""
    return Target(lab.send_url, lab.verify_url, lab.key, lab.from_number, "+639171234567")


def executed(form, text, tmp_path, key):
    """Run a snippet with the tool it is for; exit code and output. Locust gets longer if it was too slow to begin."""
    file = tmp_path / {"curl": "again.sh", "pytest": "test_again.py", "locust": "locustfile.py"}[form]
    file.write_text(text, encoding="utf-8")
    words = {
        "curl": ["/bin/bash", file],
        "pytest": [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", file],
        "locust": [Path(sys.executable).parent / "locust", "-f", file, "--headless", "-u", "1", "-t"],
    }[form]
    environ = os.environ | {"YEASTAR_API_KEY": key}
    for more in [["5s"], ["40s"]] if form == "locust" else [[]]:
        done = subprocess.run(
            [*words, *more], env=environ, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=180
        )
        if form != "locust" or "attempt 1" in done.stdout + done.stderr:
            break
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("form", "more", "status"),
    [
        ("curl", {}, 200),
        ("curl", {"to": "+63 917"}, 400),
        ("pytest", {}, 200),
        ("pytest", {"text": None}, 400),
        ("locust", {"text": None}, 400),
    ],
)
def test_snippet_repeats_the_attempt(lab, ledger, tmp_path, form, more, status):
    """Curl, pytest and Locust send the same again to a real gateway and get what was recorded."""
    attempt = recorded(lab, ledger, **more)
    text = snippet(attempt, form, [FAULT])
    assert (attempt.status, lab.key in text) == (status, False)
    code, printed = executed(form, text, tmp_path, lab.key)
    assert code == 0, printed
    assert {"curl": f"HTTP/1.1 {status}", "pytest": "1 passed", "locust": "attempt 1"}[form] in printed


@pytest.mark.parametrize("form", ["pytest", "locust"])
def test_snippet_fails_when_the_answer_is_another(lab, ledger, tmp_path, form):
    """With a wrong key the answer is not the recorded one, and the snippet says so."""
    code, printed = executed(form, snippet(recorded(lab, ledger), form), tmp_path, "not-a-key")
    assert (code, "401" in printed) == (1, True), printed


def test_bytes_are_the_recorded_ones(lab, ledger):
    """What the produced pytest sends is byte for byte what the PBX sent, whatever is in the text."""
    attempt = recorded(lab, ledger)
    sent = attempt.exchange["request"]["body"]
    (line,) = [line for line in snippet(attempt, "pytest").splitlines() if line.startswith("BODY = ")]
    assert ast.literal_eval(line.removeprefix("BODY = ").removesuffix(".encode()")) == sent
    assert json.loads(sent)["text"] == TEXT


def test_bruno_gets_blocks_with_the_same_message(lab, ledger):
    """The .bru has Bruno's blocks; its text body is the same JSON with nothing that Bruno would fill in but the key."""
    text = snippet(recorded(lab, ledger), "bru", [FAULT])
    blocks = dict(re.findall(r"^([\w:]+) \{\n(.*?)^\}$", text, re.MULTILINE | re.DOTALL))
    assert list(blocks) == ["meta", "post", "headers", "body:text", "assert", "docs"]
    assert json.loads(blocks["body:text"])["text"] == TEXT
    assert re.findall(r"\{\{.*?\}\}", text) == ["{{process.env.YEASTAR_API_KEY}}"]
    assert "res.status: eq 200" in blocks["assert"]


def exchange(body="{}", **more):
    """An exchange as the ledger has it."""
    headers = {"User-Agent": "x", "authorization": "Bearer ysk_leaked"}
    return {"request": {"url": "http://127.0.0.1:1/send", "headers": headers, "body": body}, **more}


@pytest.mark.parametrize("form", FORMS)
def test_circumstances_are_comments(form):
    """Run, seed, persona and faults stand in every form, a fault as the command that arms it; no key does."""
    attempt = Attempt(3, "traffic-7", "+1", "+2", "x", 0.0, 1.0, 429, "10006", None, exchange(seed=7, persona="curl"))
    text = snippet(attempt, form, [FAULT])
    assert "run: traffic-7, seed: 7, persona: curl, at: 1970-01-01T00:00:00.000+00:00" in text
    assert "smslab carrier fault add refuse status=503 --scope prefix=+639 --ttl 30" in text
    assert "10006" in text
    assert "leaked" not in text


@pytest.mark.parametrize("form", ["pytest", "locust"])
def test_words_from_outside_never_become_code(form):
    """A provider's code or id, and a run's name, cannot leave the string or the comment they stand in."""
    nasty = '"""\nimport evil\n#\u2028import evil'
    attempt = Attempt(3, nasty, "+1", "+2", "x", 0.0, 1.0, 400, nasty, nasty, exchange(nasty))
    tree = ast.parse(snippet(attempt, form, [{**FAULT, "scope": {"to": nasty}}]))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert imported <= {"os", "httpx"}


def test_silence_becomes_a_test_that_wants_an_answer():
    """Where no answer came, any answer is what the snippet waits for."""
    attempt = Attempt(3, "r", "+1", "+2", "x", 0.0, 1.0, None, None, None, exchange())
    assert "assert answer.status_code, answer.text" in snippet(attempt, "pytest")
    assert "res.status: gte 200" in snippet(attempt, "bru")


def test_attempt_without_an_exchange_is_a_sentence():
    """What was never closed, or written in bulk, has no bytes to repeat."""
    with pytest.raises(ValueError, match="attempt 3 sent is not in the ledger"):
        snippet(Attempt(3, "r", "+1", "+2", "x", 0.0), "curl")
