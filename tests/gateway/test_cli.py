"""`smslab gateway`: each command does what its help says, and whatever goes wrong is one sentence and an exit code."""

import json
import re
import socket

import click
import pytest
from click.testing import CliRunner

from contracts import spec
from gateway.cli import gateway

KEY = re.compile(r"ysk_[0-9A-Za-z]{43}")


@pytest.fixture
def smslab(tmp_path):
    """Run `smslab gateway ...` on a database of the test's own: the result."""
    environ = {"SMSLAB_DATABASE_URL": f"sqlite:///{tmp_path / 'gateway.sqlite'}"}

    def run(*arguments, **variables):
        return CliRunner(env=environ | variables).invoke(gateway, arguments)

    return run


@pytest.fixture
def manila(smslab):
    """The same, with an integration named Manila."""
    done = smslab("integration", "add", "Manila", "--sender", "FUTURESMS", "--json")
    assert done.exit_code == 0, done.output
    return smslab


def said(done, code):
    """The command failed with this exit code and one sentence, no traceback: the sentence."""
    assert done.exit_code == code, done.output
    assert "Traceback" not in done.output
    return done.output.strip().splitlines()[-1]


def commands(group=gateway, words=()):
    """Every command with the words that call it."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*words, name))
        else:
            yield (*words, name)


@pytest.mark.parametrize("words", list(commands()), ids=" ".join)
def test_each_command_shows_an_example(smslab, words):
    """`--help` says what it does and how it is typed."""
    done = smslab(*words, "--help")
    assert done.exit_code == 0
    assert re.search(rf"Example: (\S+=\S+ )*smslab gateway {' '.join(words)}", " ".join(done.output.split()))


def test_init_makes_the_database_and_may_be_repeated(smslab, tmp_path):
    """The second time nothing is left to do."""
    assert [smslab("init").output for _ in range(2)] == ["The database is ready.\n"] * 2
    assert (tmp_path / "gateway.sqlite").stat().st_size > 0


def test_a_key_is_shown_when_it_is_made_and_never_again(smslab):
    """By `integration add` and `key issue`, and by nothing else."""
    first = smslab("integration", "add", "Manila", "--sender", "FUTURESMS")
    second = smslab("key", "issue", "Manila")
    assert [len(KEY.findall(done.output)) for done in (first, second)] == [1, 1]
    for words in (["integration", "list"], ["integration", "show", "Manila"], ["key", "list", "Manila"]):
        assert not KEY.search(smslab(*words).output)


def test_json_is_for_programs(manila):
    """One object a line, with the same facts."""
    [row] = map(json.loads, manila("integration", "list", "--json").output.splitlines())
    assert (row["name"], row["sender"], row["rate"], row["enabled"]) == ("Manila", "FUTURESMS", 50, True)
    issued = json.loads(manila("key", "issue", "Manila", "--json").output)
    assert KEY.fullmatch(issued["key"])
    assert [json.loads(line)["id"] for line in manila("key", "list", "Manila", "--json").output.splitlines()] == [1, 2]


def test_show_prints_what_a_pbx_administrator_types(manila):
    """Both addresses in full, the rate and the sender."""
    shown = manila("integration", "show", "Manila", "--base-url", "https://sms.example.com/").output
    for route in spec.routes():
        assert f"https://sms.example.com{route.path}\n" in shown
    assert "FUTURESMS" in shown
    assert "50 per second" in shown


@pytest.mark.parametrize(
    ("options", "column", "value"),
    [
        (["--disabled"], "enabled", False),
        (["--account-suspended"], "account_active", False),
        (["--sender-blocked"], "sender_approved", False),
        (["--rate", "7"], "rate", 7),
        (["--from", "+630000000001", "--from", "+630000000002"], "allowed_from", "+630000000001 +630000000002"),
        (["--country", "63", "--country", "44"], "allowed_countries", "63 44"),
    ],
)
def test_set_changes_what_it_is_told_to_and_nothing_else(manila, options, column, value):
    """One switch, limit or list at a time."""
    before = json.loads(manila("integration", "list", "--json").output)
    assert manila("integration", "set", "Manila", *options).exit_code == 0
    assert json.loads(manila("integration", "list", "--json").output) == before | {column: value}


def test_a_revoked_key_is_listed_as_such(manila):
    """Live and revoked keys are told apart."""
    manila("key", "issue", "Manila")
    assert manila("key", "revoke", "1").exit_code == 0
    assert manila("key", "list", "Manila").output.splitlines() == ["1  revoked", "2  live"]


def test_orders_are_listed_filtered_and_shown(smslab, desk):
    """Oldest first; by state or number; one of them with everything that is known."""
    first, second = desk.send().json["data"]["id"], desk.send(to="+447911123456").json["data"]["id"]
    rows = [json.loads(line) for line in smslab("orders", "list", "--json").output.splitlines()]
    assert [(row["id"], row["to"], row["state"]) for row in rows] == [
        (first, "+639171234567", "queued"),
        (second, "+447911123456", "queued"),
    ]
    assert first in smslab("orders", "list", "--to", "+639171234567").output
    assert smslab("orders", "list", "--state", "submitted").output == ""
    assert json.loads(smslab("orders", "show", second).output)["id"] == second


def test_check_config_prints_every_setting_and_no_secret(smslab):
    """Secrets only as whether they are set; passwords in addresses never."""
    secrets = {"SMSLAB_CARRIER_KEY": "canary", "SMSLAB_RECEIPT_SECRET": "canary", "SMSLAB_METRICS_TOKEN": "canary"}
    addresses = {"SMSLAB_DATABASE_URL": "postgresql+psycopg://me:canary@db/x", "SMSLAB_REDIS_URL": "redis://:canary@r"}
    done = smslab("serve", "--check-config", **secrets, **addresses)
    assert done.exit_code == 0
    assert "canary" not in done.output
    assert all(re.search(rf"^{name}=", done.output, re.MULTILINE) for name in {**secrets, **addresses})


def test_durability_is_given_up_by_name_only(smslab):
    """By the option or by its variable; nothing else turns the fsync off."""
    printed = [smslab("serve", "--check-config", *options).output for options in ([], ["--unsafe-durability"])]
    assert ["SMSLAB_UNSAFE_DURABILITY=True " in one for one in printed] == [False, True]


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["integration", "add", "Manila", "--sender", "FUTURESMS"], 1, "already"),
        (["integration", "add", "Other", "--sender", "much too long"], 1, "no sender"),
        (["integration", "add", "Other", "--sender", "X", "--from", "63"], 1, "not a number"),
        (["integration", "add", "Other"], 2, "--sender"),
        (["integration", "add", "Other", "--sender", "X", "--rate", "0"], 2, "--rate"),
        (["integration", "show", "Nowhere"], 1, "no integration named 'Nowhere'"),
        (["integration", "set", "Nowhere", "--disabled"], 1, "no integration named 'Nowhere'"),
        (["integration", "set", "Manila", "--from", "x"], 1, "not a number"),
        (["key", "issue", "Nowhere"], 1, "no integration named 'Nowhere'"),
        (["key", "list", "Nowhere"], 1, "no integration named 'Nowhere'"),
        (["key", "revoke", "99"], 1, "no live key 99"),
        (["key", "revoke", "x"], 2, "not a valid integer"),
        (["orders", "show", "SDPS"], 1, "no order SDPS"),
        (["orders", "list", "--state", "lost"], 2, "--state"),
        (["serve", "--workers", "0"], 2, "--workers"),
        (["nonsense"], 2, "nonsense"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_one_sentence(manila, words, code, sentence):
    """What was asked for cannot be done, and why; 2 for a wrong call, 1 for a wrong thing."""
    assert sentence in said(manila(*words), code)


@pytest.mark.parametrize("words", [["init"], ["serve"], ["deliver"], ["orders", "list"], ["key", "list", "x"]])
@pytest.mark.parametrize(
    ("variable", "value", "code"),
    [
        ("SMSLAB_VALIDITY", "soon", 2),
        ("SMSLAB_DATABASE_URL", "nonsense", 1),
        ("SMSLAB_DATABASE_URL", "sqlite:////nowhere/at/all.sqlite", 1),
        ("SMSLAB_DATABASE_URL", "postgresql+psycopg://me:canary@127.0.0.1:1/x", 1),
        ("SMSLAB_DATABASE_URL", "nosuch://x", 1),
    ],
)
def test_a_wrong_environment_is_one_sentence(smslab, words, variable, value, code):
    """Whatever the command, a bad setting or an unreachable database ends it before it begins."""
    assert "canary" not in said(smslab(*words, **{variable: value}), code)


def test_a_damaged_database_is_one_sentence(smslab, tmp_path):
    """It is left as it is."""
    (tmp_path / "gateway.sqlite").write_bytes(b"never a database\n" * 500)
    assert "left as it is" in said(smslab("init"), 1)
    assert "left as it is" in said(smslab("serve"), 1)


def test_a_busy_port_is_one_sentence(smslab):
    """Usage, because another port has to be chosen."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"Cannot listen on 127.0.0.1:{port}" in said(smslab("serve", "--port", str(port)), 2)


def test_a_wrong_address_to_listen_on_is_one_sentence(smslab):
    """A name that does not exist, too."""
    assert "Cannot listen on nowhere.invalid:8080" in said(smslab("serve", "--host", "nowhere.invalid"), 2)
