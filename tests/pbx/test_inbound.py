"""The PBX's webhook takes what is signed and right, and refuses the rest in words."""

import json
import os
import signal
import subprocess
import sys
import threading

import httpx
import pytest
from click.testing import CliRunner

from simulator.pbx.cli import pbx
from simulator.pbx.inbound import HEADER, LIMIT, PATH, example, sign, webhook

SECRET = "hush"


@pytest.fixture
def inbox():
    """A client of a real webhook application, and what it took."""
    taken = []
    transport = httpx.WSGITransport(app=webhook(SECRET, taken.append))
    with httpx.Client(transport=transport, base_url="http://pbx") as client:
        yield client, taken


def test_signature_is_the_documented_one():
    """The signature of a known body under a known secret, computed once with OpenSSL."""
    assert sign("key", b"The quick brown fox jumps over the lazy dog") == (
        "sha256=f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8"
    )


def test_signed_message_is_taken(inbox):
    """A right signature over the raw body is 204 and the payload is taken."""
    client, taken = inbox
    answer = client.post(PATH, content=example(), headers={HEADER: sign(SECRET, example())})
    assert (answer.status_code, answer.content) == (204, b"")
    assert taken[0]["text"] == "Is the office open?"


def _changed(**members):
    document = json.loads(example())
    document["data"]["payload"].update(members)
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("body", "signature", "words"),
    [
        (example(), None, "does not sign"),
        (example(), "sha256=" + "0" * 64, "does not sign"),
        (example(), sign("other", example()), "does not sign"),
        (example() + b" ", sign(SECRET, example()), "does not sign"),
        (example(), sign(SECRET, example()).upper(), "does not sign"),
        (b"{", True, "not JSON"),
        (b"[" * 100_000, True, "not JSON"),
        (b"{}", True, "message.received"),
        (_changed(text=None), True, "needs id, from, to and text"),
        (_changed(to=[]), True, "needs id, from, to and text"),
        (_changed(**{"from": {"phone_number": "0917"}}), True, "E.164"),
        (b" " * (LIMIT + 1), True, "up to"),
    ],
    ids=str,
)
def test_wrong_message_is_refused(inbox, body, signature, words):
    """Unsigned, badly signed, malformed or too long is 400 with a sentence, and nothing is taken."""
    client, taken = inbox
    signature = sign(SECRET, body) if signature is True else signature
    answer = client.post(PATH, content=body, headers={HEADER: signature} if signature else {})
    assert (answer.status_code, taken) == (400, [])
    assert words in answer.json()["simulator"]


def test_other_paths_and_methods_are_refused(inbox):
    """Only POST to the one path is a webhook."""
    client, _ = inbox
    assert client.get(PATH).status_code == 405
    assert client.post("/").status_code == 404


def test_command_receives_what_its_own_signer_signed(tmp_path):
    """`listen --sign` makes the header that a running `listen` accepts; Ctrl-C ends it."""
    environ = {**os.environ, "SMSLAB_WEBHOOK_SECRET": SECRET}
    body = tmp_path / "body.json"
    body.write_text(CliRunner().invoke(pbx, ["listen", "--example"]).output, encoding="utf-8")
    signed = CliRunner().invoke(pbx, ["listen", "--sign", str(body)], env=environ).output
    words = [sys.executable, "-m", "simulator", "pbx", "listen", "--port", "0"]
    with subprocess.Popen(words, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        guard = threading.Timer(20, process.kill)
        guard.start()
        url = process.stderr.readline().split()[1]
        name, value = signed.strip().split(": ")
        answer = httpx.post(url, content=body.read_bytes(), headers={name: value}, trust_env=False)
        process.send_signal(signal.SIGINT)
        printed, _ = process.communicate()
        guard.cancel()
    assert (answer.status_code, process.returncode, "simulator" in answer.headers["server"]) == (204, 0, True)
    assert "+639171234567: Is the office open?" in printed


def test_listening_needs_a_secret_and_a_free_port():
    """Without a secret, or on a port in use, the command says so."""
    assert "SMSLAB_WEBHOOK_SECRET" in CliRunner().invoke(pbx, ["listen"], env={"SMSLAB_WEBHOOK_SECRET": ""}).output
    environ = {"SMSLAB_WEBHOOK_SECRET": SECRET}
    result = CliRunner().invoke(pbx, ["listen", "--host", "203.0.113.1"], env=environ)
    assert (result.exit_code, "Cannot listen" in result.output) == (2, True)
