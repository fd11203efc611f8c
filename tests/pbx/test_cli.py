"""`smslab pbx verify` and `send` say what happened in words, JSON and exit code."""

import json

import pytest
from click.testing import CliRunner

from simulator.ledger.pbx import PbxLedger
from simulator.pbx.cli import pbx


@pytest.fixture
def run():
    """`run(url, *words)` runs a pbx command against the provider at `url`."""

    def runner(url, *words, key="ysk_test"):
        urls = ["--send-url", f"{url}/send", "--verify-url", f"{url}/verify"]
        return CliRunner().invoke(pbx, [words[0], *urls, *words[1:]], env={"YEASTAR_API_KEY": key})

    return runner


def test_send_prints_the_event_and_writes_the_ledger(provider, run, tmp_path):
    """A sent message is exit 0, one JSON line in the words of event 30032, one ledger line."""
    path = tmp_path / "pbx.sqlite"
    result = run(provider.url, "send", "Hello", "--ledger", str(path), "--json")
    assert result.exit_code == 0, result.output
    event = json.loads(result.output)
    assert (event["delivery_status"], event["send_error"], event["id"]) == (1, None, "ID1")
    with PbxLedger(path) as ledger:
        assert [a.order_id for a in ledger.attempts()] == ["ID1"]


@pytest.mark.parametrize(("code", "exit_code"), [("10001", 1), ("10005", 1), ("10006", 3), ("10007", 3)])
def test_send_exit_code_says_whose_fault_it_is(provider, run, tmp_path, code, exit_code):
    """A refused message is 1; throttled or down is 3, because nothing is known then."""
    provider.script = [code]
    result = run(provider.url, "send", "Hello", "--ledger", str(tmp_path / "l"))
    assert (result.exit_code, f"why {code}" in result.output) == (exit_code, True)


def test_wrong_key_cannot_be_tested(provider, run):
    """A wrong key is exit 3 and a sentence that names the requirement."""
    result = run(provider.url, "verify", key="ysk_other")
    assert result.exit_code == 3
    assert "rejects the API key" in result.output


@pytest.mark.parametrize("words", [(), ("--no-challenge",), ("--challenge", "abc")])
def test_verify_in_both_forms(provider, run, words):
    """Verify sends a challenge, the given one, or none."""
    result = run(provider.url, "verify", "--json", *words)
    assert (result.exit_code, json.loads(result.output)["verified"]) == (0, True)
    query = provider.seen[0][0]["QUERY_STRING"]
    assert (query == "") == (words == ("--no-challenge",))
    assert query == "challenge=abc" or "--challenge" not in words


def test_verification_is_repeated_on_a_timer(provider, run):
    """--times and --every verify again and again; one failure is enough for a bad verdict."""
    words = ["verify", "--times", "3", "--every", "0.01", "--json"]
    result = run(provider.url, *words)
    assert (result.exit_code, len(result.output.splitlines()), len(provider.seen)) == (0, 3, 3)
    assert len({environ["QUERY_STRING"] for environ, _ in provider.seen}) == 3
    assert run(provider.url, *words, key="ysk_other").exit_code == 3


def test_channel_file_is_enough(provider, tmp_path):
    """A channel file replaces every other way of naming the provider."""
    path = tmp_path / "channel.toml"
    path.write_text(
        f'name = "c"\nsend_url = "{provider.url}/send"\nkey_env = "K"\nnumbers = ["+630000000002"]\n'
        '[habits]\nmedia_urls = "list"\n',
        encoding="utf-8",
    )
    words = ["send", "hi", "--channel", str(path), "--ledger", str(tmp_path / "l")]
    result = CliRunner().invoke(pbx, words, env={"K": "ysk_test"})
    assert result.exit_code == 0, result.output
    assert provider.received == [{"from": "+630000000002", "to": "+639171234567", "text": "hi", "media_urls": []}]
    other = CliRunner().invoke(pbx, [*words, "--from", "+630000000003"], env={"K": "ysk_test"})
    assert (other.exit_code, provider.received[-1]["from"]) == (0, "+630000000003")
    twice = CliRunner().invoke(pbx, [*words, "--send-url", "http://127.0.0.1:1"], env={"K": "ysk_test"})
    assert (twice.exit_code, "--channel already says" in twice.output) == (2, True)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [(["send", "x"], "needs --send-url"), (["send", "x", "--send-url", "http://127.0.0.1:1"], "key is missing")],
)
def test_usage_errors_are_sentences(words, sentence):
    """What is missing is said in a sentence with exit code 2."""
    result = CliRunner().invoke(pbx, words, env={"YEASTAR_API_KEY": ""})
    assert (result.exit_code, sentence in result.output) == (2, True)


@pytest.mark.parametrize("command", [["send", "x"], ["verify"], ["traffic"], ["run", "media-refused"]])
@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:99999/",
        "http://127.0.0.1:abc/",
        "http://a..b.localhost/",
        "http://127.0.0.1/a b",
        "http://[::1",
    ],
)
def test_malformed_urls_are_usage_errors(tmp_path, command, url):
    """A URL that cannot be called is refused in a sentence by every command, before anything is tried."""
    ledger = [] if command[0] == "verify" else ["--ledger", str(tmp_path / "l")]
    result = CliRunner().invoke(pbx, [*command, "--send-url", url, *ledger], env={"YEASTAR_API_KEY": "k"})
    assert (result.exit_code, "Traceback" in result.output) == (2, False), result.output


@pytest.mark.parametrize("path", ["missing/l", "text"])
def test_unusable_ledger_is_a_usage_error(tmp_path, provider, path):
    """A ledger that is no ledger, or nowhere, is said in a sentence, and nothing is sent."""
    (tmp_path / "text").write_text("no database " * 100, encoding="utf-8")
    words = ["send", "x", "--send-url", f"{provider.url}/send", "--ledger", str(tmp_path / path)]
    result = CliRunner().invoke(pbx, words, env={"YEASTAR_API_KEY": "ysk_test"})
    assert (result.exit_code, "cannot be used" in result.output, provider.seen) == (2, True, [])
