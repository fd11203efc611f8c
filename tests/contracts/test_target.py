"""How a provider is named: files, options, and the sentences for what is missing."""

import re
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

import contracts
from contracts import target
from contracts.cli import contract

HERE = Path(contracts.__file__).parent
KEYS = {"YEASTAR_API_KEY": "k1", "SMSLAB_SLOW_KEY": "k2", "SMSLAB_DISABLED_KEY": "k3"}
STAGING = {"SUSPENDED_KEY": "k4", "SLOW_KEY": "k5"}
LOCAL = {"send_url": "http://127.0.0.1:1/send"}


def _tables():
    blocks = re.findall(r"```toml\n(.*?)```", (HERE / "docs/target.md").read_text(), re.DOTALL)
    files = {path.name: path.read_text() for path in sorted((HERE / "targets").glob("*.toml"))}
    return {f"target.md-{number}": text for number, text in enumerate(blocks)} | files


@pytest.mark.parametrize("name", _tables())
def test_every_example_is_a_target(name):
    """The files in targets/ and the blocks of the documentation are read as they stand."""
    read = target.from_table(tomllib.loads(_tables()[name]), KEYS | STAGING, base=Path())
    assert read.key == "k1"
    assert "k1" not in repr(read)
    assert "k2" not in repr(read)


@pytest.mark.parametrize(
    ("table", "environ", "sentence"),
    [
        ({}, KEYS, "--send-url"),
        (LOCAL, {}, "set YEASTAR_API_KEY"),
        (LOCAL | {"key_env": "OTHER"}, KEYS, "set OTHER"),
        (LOCAL | {"key_file": "nowhere.key"}, KEYS, "nowhere.key cannot be read"),
        (LOCAL, {"YEASTAR_API_KEY": "a b"}, "without blanks"),
        (LOCAL | {"colour": 1}, KEYS, "unknown settings: colour"),
        ({"send_url": "https://sms.example/send"}, KEYS, "needs `to`"),
        (LOCAL | {"max_accepted": "many"}, KEYS, "max_accepted must be a whole number, not 'many'"),
        (LOCAL | {"max_accepted": True}, KEYS, "max_accepted must be a whole number, not True"),
        (LOCAL | {"max_accepted": -1}, KEYS, "max_accepted must be more than nothing"),
        (LOCAL | {"rate": 0}, KEYS, "rate must be more than nothing, not 0"),
        (LOCAL | {"timeout": "5 s"}, KEYS, "timeout must be a number, not '5 s'"),
        (LOCAL | {"timeout": float("nan")}, KEYS, "timeout must be more than nothing"),
        (LOCAL | {"to": 639171234567}, KEYS, "to must be a text"),
        (LOCAL | {"provoke": {"10005": "please"}}, KEYS, "provoke.10005 must be a table"),
        (
            LOCAL | {"provoke": {"10007": {"url": "127.0.0.1/x"}}},
            KEYS,
            "provoke.10007.url must be an http or https URL",
        ),
        (LOCAL | {"provoke": {"10007": {"clear": {"url": "http://x:y"}}}}, KEYS, "provoke.10007.clear.url must have"),
        (LOCAL | {"carrier": {"messages_url": "x"}}, KEYS, "carrier.messages_url must be an http or https URL"),
    ],
)
def test_what_cannot_be_used_is_said_in_one_sentence(table, environ, sentence):
    """A missing key, an unknown setting, a strange URL: each has its sentence."""
    with pytest.raises(ValueError, match=re.escape(sentence)):
        target.from_table(table, environ, base=Path())


URLS = {
    "127.0.0.1:8080/send": "http or https",
    "ftp://x/y": "http or https",
    "//x/y": "http or https",
    "https://key@x/y": "without credentials",
    "https://key:word@x/y": "without credentials",
    "http://": "a host and a port",
    "http:///send": "a host and a port",
    "http://:8080/send": "a host and a port",
    "http://x:0/send": "a host and a port",
    "http://x:/send": "a host and a port",
    "http://x:65536/send": "a host and a port",
    "http://x:80a/send": "a host and a port",
    "http://x:-1/send": "a host and a port",
    "http://[::1/send": "a host and a port",
    "http://[nonsense]/send": "a host and a port",
    "http://a..b/send": "a name or an address",
    "http://-a/send": "a name or an address",
    "http://a,b/send": "a name or an address",
    "http://a%41/send": "a name or an address",
    f"http://{'a' * 64}/send": "a name or an address",
    " http://x/send": "without blanks",
    "http://x/send ": "without blanks",
    "http://x /send": "without blanks",
    "http://x/se nd": "without blanks",
    "http://x/send\n": "without blanks",
    "http://x\t/send": "without blanks",
    "http://bücher.example/send": "xn--",
    "http://x/größe": "printable ASCII",
    "http://x/send#here": "a fragment",
}


@pytest.mark.parametrize("option", ["--send-url", "--verify-url"])
@pytest.mark.parametrize("url", URLS)
def test_a_url_that_cannot_be_asked_is_a_usage_error(option, url):
    """One sentence that names the setting, says what it must be and shows what it is; exit 2, nothing sent."""
    plain = {"--send-url": "http://127.0.0.1:1/send", "--verify-url": "http://127.0.0.1:1/verify"}
    words = [word for pair in (plain | {option: url}).items() for word in pair]
    done = CliRunner(env=KEYS).invoke(contract, ["verify", *words, "--to", "+639171234567"])
    assert done.exit_code == 2
    said = done.stderr.strip().splitlines()[-1]
    assert said.startswith(f"Error: {option[2:].replace('-', '_')} must ")
    assert URLS[url] in said
    assert repr(url) in said


@pytest.mark.parametrize(
    "url",
    ["http://x/s", "https://a-b.example.:65535/", "http://[::1]:8080/s?x=1", "http://10.0.0.1:1", "http://sms_gw/%20"],
)
def test_a_url_that_can_be_asked_is_taken_as_it_is(url):
    """Names, addresses, ports, queries and escapes stay what they are."""
    assert target.from_table({"send_url": url, "to": "+639171234567"}, KEYS, base=Path()).send_url == url


def test_options_win_over_the_file(tmp_path):
    """The command's own options replace what the file says; a key file is read beside it."""
    file, key = tmp_path / "t.toml", tmp_path / "t.key"
    file.write_text('send_url = "http://127.0.0.1:1/file"\nfrom = "+631"\nkey_file = "t.key"\n')
    key.write_text("fromTheFile\n")
    seen = []

    @target.target_options
    def command(*, target):
        seen.append(target)

    command(
        target=file,
        key_file=None,
        i_own_this_target=False,
        send_url=None,
        verify_url=None,
        **{"from": "+632", "to": None},
    )
    assert (seen[0].send_url, seen[0].from_number, seen[0].key) == ("http://127.0.0.1:1/file", "+632", "fromTheFile")


@pytest.mark.parametrize(
    ("url", "local"),
    [("http://127.0.0.1:1/", True), ("http://[::1]/", True), ("http://localhost/", True), ("http://10.0.0.1/", False)],
)
def test_loopback_is_known_by_its_address(url, local):
    """Load and faults may go to this machine; anything else has to be owned."""
    assert target.is_loopback(url) is local
    named = target.from_table({"send_url": url, "to": "+639171234567"}, KEYS, base=Path())
    assert named.may_be_stressed is local


def test_a_missing_key_is_a_usage_error():
    """Without a key the command says what to set, and exits 2."""
    done = CliRunner(env={"YEASTAR_API_KEY": ""}).invoke(contract, ["verify", "--send-url", "http://127.0.0.1:1/s"])
    assert done.exit_code == 2
    assert "set YEASTAR_API_KEY" in done.stderr
