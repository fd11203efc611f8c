"""One case, tried: sent, judged, and each shortcoming tied to its rule. Also the triage of a 5xx and of silence."""

from collections.abc import Iterable, Iterator

from contracts import cases
from contracts.cases import Case
from contracts.judge import judge_answer, tested_rules
from contracts.provider import BudgetSpentError, Provider
from contracts.verdict import Broken, Verdict, matches, outcome
from contracts.wire import Exchange

# Requests that a server may cut off half-read: silence breaks their own rule, not the one about silence.
_CUT_OFF = {"YS-HTTP-01", "YS-HTTP-02", "YS-HTTP-03", "YS-HTTP-05", "YS-TRAN-01", "YS-AUTH-09"}


class UnavailableError(Exception):
    """The provider answers 5xx to good requests too: nothing more can be told about it."""


def try_all(provider: Provider, verdict: Verdict, engine: str, table: Iterable[Case]) -> None:
    """Try each case in turn. Raises `UnavailableError` if the provider stops working."""
    for case in table:
        try_case(provider, verdict, engine, case)


def try_case(provider: Provider, verdict: Verdict, engine: str, case: Case, *, healthy: bool = True) -> Exchange | None:
    """Send one case and note what it breaks. None if the budget does not allow it (noted as untested).

    While an outage is provoked the provider is not `healthy`: then a 5xx is judged like any other answer.
    """
    try:
        done = provider.ask(case)
    except BudgetSpentError:
        verdict.untested.append(f"{case.name}: the budget of {provider.budget} messages is spent")
        return None
    note(provider, verdict, engine, case, done, healthy=healthy)
    return done


def note(
    provider: Provider, verdict: Verdict, engine: str, case: Case, done: Exchange, *, healthy: bool = True
) -> None:
    """Judge the case's exchange, which was the provider's latest, and note what it breaks."""
    index = len(provider.exchanges) - 1
    found = list(judge_exchange(case, done, healthy=healthy))
    rules = {rule for rule, _ in found}
    if rules & {"YS-ROB-01", "YS-ROB-02"} and not _is_crash(provider, case, again="YS-ROB-01" in rules):
        verdict.untested.append(f"{case.name}: answered {outcome_of(done)} once, and not again")
        return
    for rule in dict.fromkeys((*case.expect, *_tested(case, done), *(rule for rule, _ in found))):
        verdict.checked[rule] = verdict.checked.get(rule, 0) + 1
    verdict.broken += [Broken(rule, sentence, engine, case.name, index) for rule, sentence in found]


def judge_exchange(case: Case, done: Exchange, *, healthy: bool = True) -> Iterator[tuple[str, str]]:
    """The rules that this exchange breaks, and how. Pure."""
    if done.answer is None:
        own = [rule for rule in case.expect if rule in _CUT_OFF]
        yield from ((rule, done.failure) for rule in own or ["YS-ROB-02"])
        return
    answer = done.answer
    broken = [rule for rule, outcomes in case.expect.items() if not matches(answer, outcomes)]
    if healthy and answer.status >= 500 and len(broken) == len(case.expect):
        yield "YS-ROB-01", f"{outcome(answer)} while good requests are served"
        return
    yield from ((rule, f"answered {outcome(answer)}, not {_either(case.expect[rule])}") for rule in broken)
    # An outcome without a code ("4*") allows an answer from the server below the application.
    codeless = tuple(one for outcomes in case.expect.values() for one in outcomes if "/" not in one and one != "200")
    below = not broken and matches(answer, codeless)
    for rule, sentence in judge_answer(case.call.operation, case.call.method, answer):
        if rule == "YS-LEAK-01" or not below:
            yield rule, sentence
    if case.challenge is not None and answer.status == 200:
        yield from _echo(case.challenge, done)


def outcome_of(done: Exchange) -> str:
    """The answer in short, or why there is none."""
    return outcome(done.answer) if done.answer else done.failure


def _is_crash(provider: Provider, case: Case, *, again: bool) -> bool:
    """Whether the provider serves good requests and fails this one each time: a crash, whatever code it shows.

    Without `again` once is enough: nobody waits three times for silence.
    Raises `UnavailableError` if a good request fails as well.
    """
    control = cases.send(provider.target, "control")
    if not provider.allows(control):
        if not provider.target.verify_url:
            return True
        control = cases.verify(provider.target)
    done = provider.ask(control)
    if done.answer is None or done.answer.status >= 500:
        raise UnavailableError(f"good requests are answered with {outcome_of(done)}")
    tries = [provider.ask(case) for _ in range(2) if again and provider.allows(case)]
    return all(one.answer is None or one.answer.status >= 500 for one in tries)


def _tested(case: Case, done: Exchange) -> tuple[str, ...]:
    """The rules that any exchange of this kind puts to the test, whatever the case is about."""
    if done.answer is None:
        return ("YS-ROB-01", "YS-ROB-02")
    echo = ("YS-VER-02", "YS-VER-03") if case.challenge is not None and done.answer.status == 200 else ()
    return ("YS-ROB-01", "YS-ROB-02", *tested_rules(case.call.operation, case.call.method, done.answer), *echo)


def _echo(challenge: str, done: Exchange) -> Iterator[tuple[str, str]]:
    assert done.answer is not None  # noqa: S101 - only called with one
    kind = done.answer.headers.get("content-type", "")
    if done.answer.body != challenge.encode() or not kind.startswith("text/plain"):
        yield "YS-VER-02", f"the challenge came back as {kind}: {done.answer.body[:60]!r}"
    elif done.answer.headers.get("x-content-type-options", "").lower() != "nosniff":
        yield "YS-VER-03", "the challenge came back without X-Content-Type-Options: nosniff"


def _either(outcomes: tuple[str, ...]) -> str:
    return " or ".join(outcomes)
