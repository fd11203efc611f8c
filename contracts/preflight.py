"""Before anything is judged: there is a provider, it takes the key, it accepts one message.

A run with a wrong key would otherwise be green: every answer would be a correct 401.
"""

import json

from contracts import cases
from contracts.cases import Case
from contracts.provider import BudgetSpentError, Provider
from contracts.trial import note, outcome_of
from contracts.verdict import Verdict
from contracts.wire import Exchange

_REASONS = {
    401: "it refuses the key; is it the key of this provider?",
    403: "it says that this integration may not send",
    404: "there is nothing at this URL",
    429: "it is throttling; try again later, or slower with --rate",
    500: "the service is unavailable",
}


def preflight(provider: Provider, verdict: Verdict) -> bool:
    """Ask verify, send one message, and judge both answers. False: there is nothing that could be tested.

    Then `verdict.could_not` says why; or, if something answers but is no provider, the verdict is already wrong.
    """
    target = provider.target
    if target.verify_url and not _is_served(provider, verdict, _verify_form(provider)):
        return False
    message = cases.send(target, "first-message")
    return _is_served(provider, verdict, message) and _speaks_json(provider.exchanges[-1])


def _verify_form(provider: Provider) -> Case:
    """The plain form of verify, or, where a provider insists on it, the one with a challenge."""
    plain = cases.verify(provider.target)
    done = provider.ask(plain)
    return plain if done.answer is None or done.answer.status != 400 else cases.verify(provider.target, "7f3c9a")


def _is_served(provider: Provider, verdict: Verdict, case: Case) -> bool:
    try:
        done = provider.ask(case)
    except BudgetSpentError:
        verdict.could_not = "the budget does not allow a single message"
        return False
    if done.answer is not None and 200 <= done.answer.status < 300:
        note(provider, verdict, "preflight", case, done)
        return True
    what = "verify" if case.call.operation == "verify" else "a good message"
    reason = "" if done.answer is None else _REASONS.get(done.answer.status, "")
    verdict.could_not = f"{what}: {outcome_of(done)}" + (f": {reason}" if reason else "")
    return False


def _speaks_json(done: Exchange) -> bool:
    try:
        return done.answer is not None and isinstance(json.loads(done.answer.body), dict)
    except (ValueError, RecursionError):
        return False
