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
    if target.verify_url:
        # Some providers insist on a challenge.
        forms = cases.verify(target), cases.verify(target, "7f3c9a")
        if not _is_served(provider, verdict, *forms):
            return False
    message = cases.send(target, "first-message")
    return _is_served(provider, verdict, message) and _speaks_json(provider.exchanges[-1])


def _is_served(provider: Provider, verdict: Verdict, case: Case, other_form: Case | None = None) -> bool:
    try:
        done = provider.ask(case)
    except BudgetSpentError:
        verdict.could_not = "a run needs a budget of at least two messages"
        return False
    if done.answer is not None and 200 <= done.answer.status < 300:
        note(provider, verdict, "preflight", case, done)
        return True
    if other_form is not None and done.answer is not None and done.answer.status == 400:
        return _is_served(provider, verdict, other_form)
    what = "verify" if case.call.operation == "verify" else "a good message"
    reason = "" if done.answer is None else _REASONS.get(done.answer.status, "")
    verdict.could_not = f"{what}: {outcome_of(done)}" + (f": {reason}" if reason else "")
    return False


def _speaks_json(done: Exchange) -> bool:
    try:
        return done.answer is not None and isinstance(json.loads(done.answer.body), dict)
    except (ValueError, RecursionError):
        return False
