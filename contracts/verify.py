"""A whole run against one provider: preflight, the engines in turn, the provoked codes, the matrix."""

import time
from collections import Counter

from contracts import cases, provoke
from contracts.invariants import Carrier
from contracts.preflight import preflight
from contracts.provider import Provider
from contracts.trial import UnavailableError, try_all
from contracts.verdict import Broken, Verdict, settle

TABLES = {
    "cases": (cases.scenarios, cases.near_misses),
    "raw": (cases.raw, cases.documents),
    "order": (cases.order,),
}


def run(provider: Provider, verdict: Verdict, *, examples: int = 100, seed: int = 1, provoking: bool = True) -> Verdict:
    """Judge the provider; `examples` generated requests per operation, none at all for 0. Fills in the verdict."""
    start = time.monotonic()
    carrier = Carrier(provider.target)
    try:
        if preflight(provider, verdict):
            _engines(provider, verdict, examples, seed)
            if provoking:
                provoke.run(provider, verdict)
            carrier.judge(provider, verdict)
    except UnavailableError as error:
        verdict.could_not = str(error)
    _unique_ids(provider, verdict)
    has_verify = provider.target.verify_url is not None
    settle(verdict, provider.exchanges, provider.target.unprovokable, has_verify=has_verify)
    verdict.seconds = time.monotonic() - start
    return verdict


def _engines(provider: Provider, verdict: Verdict, examples: int, seed: int) -> None:
    for engine, tables in TABLES.items():
        for table in tables:
            try_all(provider, verdict, engine, table(provider.target))
    if examples:
        from contracts import fuzz  # Schemathesis takes a second to import

        fuzz.run(provider, verdict, examples=examples, seed=seed)


def _unique_ids(provider: Provider, verdict: Verdict) -> None:
    if not provider.accepted:
        return
    verdict.checked["YS-OK-05"] = len(provider.accepted)
    for identity, count in Counter(one.id for one in provider.accepted).items():
        if count > 1:
            sentence = f"the id {identity!r} was given {count} times"
            verdict.broken.append(Broken("YS-OK-05", sentence, "cases", "ids"))
