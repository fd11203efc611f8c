"""A whole run against one provider: preflight, the engines in turn, the provoked codes, the matrix."""

import time
from collections import Counter

from contracts import cases, provoke
from contracts.invariants import Carrier
from contracts.preflight import preflight
from contracts.provider import Provider
from contracts.trial import UnavailableError, try_all
from contracts.verdict import Broken, Verdict, settle

_FEW = 5  # generated requests per operation while an outage is provoked
TABLES = {
    "cases": (cases.scenarios, cases.near_misses),
    "raw": (cases.raw,),
    "corpora": (cases.documents, cases.naughty),
    "order": (cases.order,),
}


def run(
    provider: Provider,
    verdict: Verdict,
    *,
    examples: int = 100,
    seed: int = 1,
    written: bool = True,
    provoking: bool = True,
) -> Verdict:
    """Judge the provider and fill in the verdict.

    `examples` generated requests per operation, none for 0; the `written` ones; bursts and outages if `provoking`.
    """
    start = time.monotonic()
    carrier = Carrier(provider.target)
    try:
        if preflight(provider, verdict):
            if written:
                _tables(provider, verdict)
            generate = _generator(provider, verdict, examples, seed)
            generate(healthy=True)
            if provoking:
                provoke.run(provider, verdict, generate)
            carrier.judge(provider, verdict)
    except UnavailableError as error:
        verdict.could_not = str(error)
    _unique_ids(provider, verdict)
    has_verify = provider.target.verify_url is not None
    settle(verdict, provider.exchanges, provider.target.unprovokable, has_verify=has_verify)
    verdict.seconds = time.monotonic() - start
    return verdict


def _tables(provider: Provider, verdict: Verdict) -> None:
    for engine, tables in TABLES.items():
        for table in tables:
            try_all(provider, verdict, engine, table(provider.target))


def _generator(provider: Provider, verdict: Verdict, examples: int, seed: int) -> provoke.Generate:
    """What sends generated requests: all of them to a healthy provider, a few during an outage."""

    def generate(*, healthy: bool) -> None:
        if examples:
            from contracts import fuzz  # Schemathesis takes a second to import

            fuzz.run(provider, verdict, examples=examples if healthy else _FEW, seed=seed, healthy=healthy)

    return generate


def _unique_ids(provider: Provider, verdict: Verdict) -> None:
    if not provider.accepted:
        return
    verdict.checked["YS-OK-05"] = len(provider.accepted)
    for identity, count in Counter(one.id for one in provider.accepted).items():
        if count > 1:
            sentence = f"the id {identity!r} was given {count} times"
            verdict.broken.append(Broken("YS-OK-05", sentence, "cases", "ids"))
