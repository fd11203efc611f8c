"""The answers that no request causes by itself: 10005, 10006 and 10007, each provoked as the target file says.

`contracts/docs/target.md` documents the settings. What is not provoked is said, never guessed.
"""

import functools
import json
import math
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Protocol

from contracts import cases, wire
from contracts.cases import Case
from contracts.judge import judge_answer
from contracts.provider import Provider
from contracts.target import is_loopback, key_name
from contracts.trial import try_case
from contracts.verdict import Broken, Verdict, outcome
from contracts.wire import Call, Exchange

BURST = 400  # requests at most, when the target file does not say how many
_AT_ONCE = 8
_PAUSE = 0.15  # seconds between two looks at whether an outage has begun or ended


class Generate(Protocol):
    """What sends generated requests."""

    def __call__(self, *, healthy: bool) -> None:
        """Send them to a provider that is healthy, or that is not."""


def run(provider: Provider, verdict: Verdict, generate: Generate) -> None:
    """Provoke what the target says can be provoked; note what could not be. `generate` is used during an outage."""
    outage = functools.partial(_outage, generate=generate)
    for code, way in (("10005", _permission), ("10006", _rate), ("10007", outage)):
        how = provider.target.provoke.get(code)
        if how is None and code != "10006":
            continue
        if not _is_allowed(provider, how or {}, code):
            verdict.untested.append(f"{code}: provoking it beyond loopback needs --i-own-this-target")
            continue
        way(provider, verdict, how or {})


def _is_allowed(provider: Provider, how: Mapping[str, Any], code: str) -> bool:
    """Bursts and outages go only to loopback or to what the user says is theirs."""
    if provider.target.owned or (code != "10006" and "url" not in how):
        return True
    return provider.target.may_be_stressed and is_loopback(how.get("url", provider.target.send_url))


def _special(provider: Provider, code: str, case: Case) -> Case:
    """The case with the key that provokes the code, if the target has one."""
    if key_name(code) in provider.target.keys:
        case = cases.with_key(case, f"Bearer ${{{key_name(code)}}}")
    return case


def _permission(provider: Provider, verdict: Verdict, how: Mapping[str, Any]) -> None:
    numbers = {name: how[name] for name in ("from", "to") if name in how}
    message = _special(provider, "10005", cases.send(provider.target, "blocked", **numbers))
    try_case(provider, verdict, "provoke", replace(message, expect={"YS-PERM-01": ("403/10005",)}))
    if provider.target.verify_url and key_name("10005") in provider.target.keys:
        asked = _special(provider, "10005", cases.verify(provider.target))
        expect = {"YS-PERM-02": ("403/10005",)}
        try_case(provider, verdict, "provoke", replace(asked, name="blocked-verify", expect=expect))


def _rate(provider: Provider, verdict: Verdict, how: Mapping[str, Any]) -> None:
    """A burst of messages that cost nothing (they have media), then one of verify, each until the first 429."""
    media = cases.send(provider.target, "burst", media_urls=["https://pbx.example/a.png"])
    asked = [(replace(media, expect={"YS-MED-01": ("400/10003",)}), "YS-RATE-01")]
    if provider.target.verify_url:
        asked.append((replace(cases.verify(provider.target), name="burst-verify"), "YS-RATE-03"))
    size, was_limited = int(how.get("burst", BURST)), False
    for plain, rule in asked:
        case = _special(provider, "10006", plain)
        if not _is_free(provider, case):
            verdict.untested.append(f"{case.call.operation} 429/10006: a burst could cost real messages")
        elif _burst(provider, verdict, case, size):
            verdict.checked[rule], was_limited = 1, True
        elif was_limited:
            sentence = f"{size} requests were not too many, for messages they were"
            _broken(provider, verdict, rule, sentence, case.name)
        else:
            verdict.untested.append(f"{case.call.operation} 429/10006: {size} requests were not too many")
    provider.ask(asked[-1][0])  # waits, as long as the provider asks for


def _is_free(provider: Provider, case: Case) -> bool:
    """Whether the case costs no message: one of it was refused, or it is verify."""
    if case.call.operation == "verify":
        return True
    done = provider.ask(case) if provider.allows(case) else None
    return done is not None and done.answer is not None and done.answer.status >= 400


def _burst(provider: Provider, verdict: Verdict, case: Case, size: int) -> bool:
    """Send at most `size` calls, several at once, until one is answered 429; judge every 429."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for start in range(0, size, 5 * _AT_ONCE):
            calls = [case.call] * min(5 * _AT_ONCE, size - start)
            for done in pool.map(lambda call: wire.exchange(call, provider.keys, provider.target.timeout), calls):
                provider.remember(done)
                _judge(provider, verdict, case, done)
            if any(done.answer and done.answer.status == 429 for done in provider.exchanges[-len(calls) :]):
                return True
    return False


def _judge(provider: Provider, verdict: Verdict, case: Case, done: Exchange) -> None:
    if done.answer is None or done.answer.status != 429:
        return
    if outcome(done.answer) not in {"429/10006", "429/-"}:
        _broken(provider, verdict, "YS-RATE-01", f"a burst is answered {outcome(done.answer)}", case.name)
    for rule, sentence in judge_answer(case.call.operation, case.call.method, done.answer):
        _broken(provider, verdict, rule, sentence, case.name)


def _outage(provider: Provider, verdict: Verdict, how: Mapping[str, Any], generate: Generate) -> None:
    if "url" not in how:
        numbers = {name: how[name] for name in ("from", "to") if name in how}
        message = _special(provider, "10007", cases.send(provider.target, "unavailable", **numbers))
        try_case(provider, verdict, "provoke", replace(message, expect={"YS-DOWN-01": ("500/10007",)}))
        return
    if not _tell(provider, how):
        verdict.untested.append("10007: the outage could not be started")
        return
    try:
        if _until(provider, verdict, how, down=True):
            _while_down(provider, verdict)
            generate(healthy=False)
        elif provider.allows(cases.send(provider.target)):
            _broken(provider, verdict, "YS-DOWN-01", "the outage has begun and messages are still accepted", "down")
    finally:
        _tell(provider, how.get("clear", {}))
    verdict.checked["YS-DOWN-03"] = 1
    if not _until(provider, verdict, how, down=False):
        _broken(provider, verdict, "YS-DOWN-03", "no message was accepted after the outage was over", "back")


def _while_down(provider: Provider, verdict: Verdict) -> None:
    """Now a good message must be 500/10007, and a message with a fault of its own must be told of that fault."""
    good = cases.send(provider.target, "down-good")
    faulty = (
        ("number", {"to": "12"}, "400/10001"),
        ("media", {"media_urls": ["https://a/b.png"]}, "400/10003"),
        ("text", {"text": "x" * 2001}, "400/10002"),
    )
    table = [replace(good, expect={"YS-DOWN-01": ("500/10007",)})]
    for name, message, expected in faulty:
        case = cases.send(provider.target, f"down-{name}", **message)
        table.append(replace(case, expect={"YS-DOWN-04": (expected,)}))
    wrong = cases.with_key(good, "Bearer wrong")
    table.append(replace(wrong, name="down-key", expect={"YS-DOWN-04": ("401/10004",)}))
    for case in table:
        try_case(provider, verdict, "provoke", case, healthy=False)


def _until(provider: Provider, verdict: Verdict, how: Mapping[str, Any], *, down: bool) -> bool:
    """Send good messages until one is refused (or accepted again), for the target's number of seconds."""
    case = cases.send(provider.target, "outage-probe")
    for number in range(math.ceil(float(how.get("within", 20)) / _PAUSE)):
        if not provider.allows(case):
            verdict.untested.append(f"10007: the budget of {provider.budget} messages is spent")
            return not down
        done = provider.call(case.call, case.message)
        if done.answer is not None and (done.answer.status >= 400) == down and done.answer.status != 401:
            return True
        provider.sleep(_PAUSE if number else 0.02)
    return False


def _broken(provider: Provider, verdict: Verdict, rule: str, sentence: str, case: str) -> None:
    verdict.broken.append(Broken(rule, sentence, "provoke", case, len(provider.exchanges) - 1))


def _tell(provider: Provider, how: Mapping[str, Any]) -> bool:
    """Make the HTTP call that begins or ends the fault. It is no exchange with the provider."""
    if "url" not in how:
        return False
    body = json.dumps(how["body"]).encode() if "body" in how else b""
    headers = (("Content-Type", "application/json"),) if body else ()
    method = how.get("method", "POST" if body else "DELETE")
    done = wire.exchange(Call("", method, how["url"], headers, body), {}, provider.target.timeout)
    return done.answer is not None and done.answer.status < 300
