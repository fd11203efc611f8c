"""The receiver guard: nothing leaves that anybody outside `only_to` could get, by whatever command."""

import json

import pytest
from click.testing import CliRunner

from contracts.target import receivers
from simulator.ledger.pbx import PbxLedger
from simulator.pbx.cli import pbx
from simulator.pbx.engine import Engine
from simulator.pbx.guard import narrowed, refusal
from simulator.pbx.live import play
from simulator.pbx.personas import PERSONAS
from simulator.pbx.plan import Plan, shots

ONLY = ("+63917*", "+639180000001")


@pytest.mark.parametrize(
    "to",
    ["+639171234567", "+63917", "+639180000001", "+63 917 123-4567", "639171234567", ["+639171234567"], None, "", [],
     True, 639171234567, "Reception", {"phone_number": "+639171234567"}],
    ids=repr,
)  # fmt: skip
def test_receivers_may_be_written_to(to):
    """Numbers that are named or begin as named, however they are written, and what nobody can dial."""
    assert refusal(ONLY, json.dumps({"from": "+630000000001", "to": to, "text": "+639990000000"}).encode()) == ""


@pytest.mark.parametrize(
    "to",
    ["+639190000000", "+6391", "+6391800000012", "0917 123 4567", "+639171234567,+639190000000",
     "+639171234567+639190000000", "+639171234567 639190000000", ["+639171234567", "+639190000000"],
     {"a": ["+639190000000"]}, 639190000000,
     "+\N{ARABIC-INDIC DIGIT SIX}\N{ARABIC-INDIC DIGIT THREE}919", "tel:+639190000000", "+6391712+4479111"],
    ids=ascii,
)  # fmt: skip
def test_strangers_may_not(to):
    """Any other number, also beside a good one, inside a list, without its +, or in other digits."""
    assert refusal(ONLY, json.dumps({"to": to}).encode()).endswith("nothing was sent.")


@pytest.mark.parametrize(
    "body",
    [b'{"to": "+639190000000", "to": "+639171234567"}', b'{"To ": "+639190000000"}', b'[{"to": "+639190000000"}]',
     b'{"to": "+639171234567"', b"to=%2B639171234567", b"", b"[" * 100_000],
    ids=lambda body: repr(body[:30]),
)  # fmt: skip
def test_guard_reads_the_bytes_that_leave(body):
    """A second `to`, one in other letters or deeper inside, and a body that is no JSON at all are stopped."""
    assert refusal(ONLY, body).endswith("nothing was sent.")
    assert refusal((), body) == ""


@pytest.mark.parametrize("patterns", [[], "+63917*", ["63917"], ["+63*17"], ["*"], [7], ["+63917 "], None])
def test_guard_that_cannot_be_is_a_sentence(patterns):
    """A list of numbers or beginnings, with a + and digits; an empty one is a mistake, not a free pass."""
    with pytest.raises(ValueError, match="only_to is a list"):
        receivers(patterns)


@pytest.mark.parametrize(("pattern", "allowed"), [("+639171*", True), ("+639180000001", True), ("+63918*", False)])
def test_command_line_only_narrows(target_at, pattern, allowed):
    """--only-to may name fewer receivers than the file, never more."""
    target = target_at("http://127.0.0.1:1", only_to=ONLY)
    if allowed:
        assert narrowed(target, [pattern]).only_to == (pattern,)
    else:
        with pytest.raises(ValueError, match="outside the target's own only_to"):
            narrowed(target, [pattern])
    assert narrowed(target, ()) is target


@pytest.fixture
def desk(provider, tmp_path):
    """`desk(*words)` runs a pbx command with `--only-to +63917*` against the provider, and names its files."""
    (tmp_path / "people.csv").write_text("number\n+639171234561\n+639181234562\n", encoding="utf-8")
    (tmp_path / "strangers.csv").write_text("number\n+639181234562\n", encoding="utf-8")
    (tmp_path / "story.yaml").write_text("about: x\nsteps:\n  - send: {to: '+639181234562'}\n", encoding="utf-8")
    (tmp_path / "burst.yaml").write_text(
        "about: x\nsteps:\n  - traffic: {rate: 100, duration: 0.5}\n    expect: {guarded: '> 0'}\n", encoding="utf-8"
    )
    shots = [{"at": n, "url": "u", "body": json.dumps({"to": to}), "status": 200, "code": None, "seconds": 0.1}
             for n, to in enumerate(["+639171234561", "+639181234562"])]  # fmt: skip
    (tmp_path / "day.jsonl").write_text("".join(json.dumps(shot) + "\n" for shot in shots), encoding="utf-8")
    (tmp_path / "channel.toml").write_text(
        f'name = "c"\nsend_url = "{provider.url}/send"\nkey_env = "YEASTAR_API_KEY"\nnumbers = ["+630000000001"]\n'
        'only_to = ["+63917*"]\n',
        encoding="utf-8",
    )

    (tmp_path / "target.toml").write_text(
        f'send_url = "{provider.url}/send"\nonly_to = ["+63917*"]\n', encoding="utf-8"
    )

    def runner(*words, place="option"):
        words = [str(tmp_path / word) if word.endswith((".csv", ".yaml", ".jsonl")) else word for word in words]
        named = {
            "option": ["--send-url", f"{provider.url}/send", "--only-to", "+63917*"],
            "channel": ["--channel", str(tmp_path / "channel.toml")],
            "target": ["--target", str(tmp_path / "target.toml")],
        }
        environ = {"YEASTAR_API_KEY": "ysk_test"}
        return CliRunner().invoke(pbx, [*words, *named[place], "--ledger", str(tmp_path / "pbx.sqlite")], env=environ)

    return runner


@pytest.mark.parametrize("place", ["option", "channel", "target"])
@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["send", "hi", "--to", "+639171234567"], 0, ""),
        (["send", "hi", "--to", "+639181234562"], 2, "+639181234562 is not among the receivers of only_to"),
        (["traffic", "--rate", "200", "--duration", "0.5", "--seed", "7", "--json"], 0, '"guarded": '),
        (["traffic", "--abroad", "1", "--rate", "20", "--duration", "0.5", "--seed", "8"], 0, "guarded"),
        (["campaign", "people.csv", "hi", "--json"], 0, '"state": "completed"'),
        (["campaign", "strangers.csv", "hi"], 2, "All 1 messages were addressed outside only_to; nothing was sent."),
        (["replay", "day.jsonl", "--speed", "0", "--json"], 0, '"guarded": 1'),
    ],
)
def test_every_command_that_sends_is_guarded(desk, provider, tmp_path, words, code, said, place):
    """From the command line, a channel or a target file: refused with a sentence and exit 2, or counted as guarded."""
    result = desk(*words, place=place)
    assert (result.exit_code, said in result.output) == (code, True), result.output
    assert all(message["to"].startswith("+63917") for message in provider.received)
    assert bool(provider.received) == (code == 0)
    if (tmp_path / "pbx.sqlite").exists():
        with PbxLedger(tmp_path / "pbx.sqlite") as ledger:
            assert all(attempt.to.startswith("+63917") for attempt in ledger.attempts())


@pytest.mark.parametrize(("story", "code"), [("story.yaml", 2), ("burst.yaml", 0)])
def test_scenarios_are_guarded(desk, provider, story, code):
    """A step that sends to a stranger stops the scenario; its traffic counts what was kept back."""
    result = desk("run", story)
    assert (result.exit_code, all(one["to"].startswith("+63917") for one in provider.received)) == (code, True)
    assert code == 0 or "step 1: +639181234562 is not among" in result.output


def test_no_persona_gets_around_it(provider, target_at, ledger):
    """Whatever mistake a persona makes, only receivers are written to; malformed input without digits still is sent."""
    target = target_at(provider.url, only_to=("+63917*",))
    weights = {name: 5.0 if name == "careless" else 1.0 for name in PERSONAS if name not in {"reboot", "impatient"}}
    plan = Plan(rate=300, duration=1, seed=3, weights=weights)
    tally = play(Engine(target, ledger, "t"), shots(plan))
    numbers = {"".join(filter(str.isdigit, json.dumps(json.loads(body)["to"]))) for _, body in provider.seen}
    assert all(number == "" or number.startswith("63917") for number in numbers)
    assert tally.guarded > 0
    assert "" in numbers
