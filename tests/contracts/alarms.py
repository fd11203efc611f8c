"""False alarms: the judge against providers that are right, seed after seed. Whatever it finds is its own mistake.

    python -m tests.contracts.alarms --seeds 20 [granian] [gunicorn] [minimal]

The bundled gateway is held to every rule, behind two servers; the minimal provider to what the page says. Each run is
a whole one: all engines, all codes provoked, every cell of the contract to be reached. Exit 1 on a false alarm.
"""

import os
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from contracts import spec
from contracts.exits import Exit
from contracts.provider import Provider
from contracts.serving import serving
from contracts.target import Target, load
from contracts.verdict import Verdict
from contracts.verify import run
from simulator.handover import hand_over
from simulator.lab import running_lab
from tests.contracts.minimal_provider import Minimal
from tests.gateway.under_gunicorn import gunicorn_on


@contextmanager
def granian(directory: Path) -> Iterator[Target]:
    """The bundled gateway as it is delivered."""
    with running_lab(directory, rate=5000) as lab:
        yield load(hand_over(lab), os.environ)


@contextmanager
def gunicorn(directory: Path) -> Iterator[Target]:
    """The same app behind another server."""
    with running_lab(directory, rate=5000) as lab, gunicorn_on(lab.environ) as url:
        yield at(url, load(hand_over(lab), os.environ))


@contextmanager
def minimal(_directory: Path) -> Iterator[Target]:
    """A provider that does only what the page says."""
    keys, page = ("minimalKeyAbc123", "blockedKeyAbc123", "slowKeyAbc123"), spec.page_example()
    with serving(Minimal(keys[0], blocked_key=keys[1], slow_key=keys[2]).app) as url:
        target = Target(
            *("", "", keys[0], page["from"], page["to"]),
            max_accepted=5000,
            keys={"KEY_FOR_10005": keys[1], "KEY_FOR_10006": keys[2]},
            provoke={
                "10005": {},
                "10006": {"burst": 60},
                "10007": {"url": f"{url}/outage", "method": "POST", "clear": {"url": f"{url}/outage"}},
            },
            unprovokable={"verify 500/10007": "verify does not know of the outage"},
        )
        yield at(url, target)


Right = Callable[[Path], AbstractContextManager[Target]]
PROVIDERS: Mapping[str, tuple[Right, bool]] = {
    "granian": (granian, True),
    "gunicorn": (gunicorn, True),
    "minimal": (minimal, False),
}


def at(url: str, target: Target) -> Target:
    """The target at the contract's own paths below this URL."""
    return replace(target, send_url=url + spec.route("sendmessage").path, verify_url=url + spec.route("verify").path)


def alarms(name: str, seeds: Iterable[int], examples: int) -> Iterator[tuple[int, int, list[str]]]:
    """Judge the provider once per seed: the seed, how many requests it took, and what was wrongly held against it."""
    provider_of, strict = PROVIDERS[name]
    with TemporaryDirectory() as directory, provider_of(Path(directory) / "lab") as target:
        for seed in seeds:
            verdict = Verdict(strict=strict, require_all=True)
            run(provider := Provider(target), verdict, examples=examples, seed=seed)
            wrong = [f"{one.rule} {one.case}: {one.sentence}" for one in verdict.failing]
            wrong += [f"missed {cell.operation} {cell.outcome}" for cell in verdict.missed]
            wrong += [verdict.could_not] if verdict.could_not else []
            assert bool(wrong) == (verdict.exit != Exit.FINE)
            yield seed, len(provider.exchanges), wrong


def main() -> int:
    """Each provider, each seed, a line each."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="seeds 1 to this one")
    parser.add_argument("--examples", type=int, default=100, help="generated requests per operation")
    parser.add_argument("providers", nargs="*", choices=[*PROVIDERS, []], default=[], help="default: all")
    options, count = parser.parse_args(), 0
    for name in options.providers or PROVIDERS:
        start = monotonic()
        for seed, requests, wrong in alarms(name, range(1, options.seeds + 1), options.examples):
            count += len(wrong)
            sys.stdout.write(
                "\n  ".join([f"{name} seed {seed}: {requests} requests, {len(wrong)} alarms", *wrong]) + "\n"
            )
        sys.stdout.write(f"{name}: {monotonic() - start:.0f} s\n")
    sys.stdout.write(f"{count} false alarms\n")
    return int(count > 0)


if __name__ == "__main__":
    sys.exit(main())
