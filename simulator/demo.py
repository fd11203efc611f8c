"""`smslab demo`: the main job in one go: a PBX sends, the carrier receives, the judge judges, Locust loads.

Each step is a function from the running lab to a sentence, or raises `Wrong`. Load runs in labs of its own, because it
breaks its carrier on purpose and balances its own ledgers.
"""

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import click
import httpx
from rich.console import Console
from rich.markup import escape

from contracts.exits import Exit
from contracts.provider import Provider
from contracts.target import Target
from contracts.target import load as load_target
from contracts.verdict import Verdict
from contracts.verify import run as judge
from simulator.handover import hand_over
from simulator.lab import SMSLAB, Lab, LabFault, running_lab
from simulator.ledger.balance import balance
from simulator.ledger.carrier import CarrierLedger
from simulator.ledger.pbx import Attempt, PbxLedger
from simulator.pbx.call import open_client
from simulator.pbx.pbx import Pbx
from simulator.people import People
from simulator.up import stop_on_signals

MESSAGES: Final = 100
EXAMPLES: Final = 25  # generated requests per operation: a short fuzz
LOADS: Final = {"burst": 5, "outage": 10}  # profiles and how long each lasts, half of the outage's being calm
DRAINED_WITHIN: Final = 15.0  # seconds


class Wrong(Exception):
    """A step found what must not be; the sentence says what."""


class Step(NamedTuple):
    """One line of the report."""

    name: str
    ok: bool
    says: str
    seconds: float


class Scene(NamedTuple):
    """What the steps work with."""

    lab: Lab
    target: Target
    pbx: Pbx
    ledger: PbxLedger
    seed: int


@click.command()
@click.option("--directory", type=click.Path(file_okay=False, path_type=Path), help="Where everything is kept.")
@click.option("--seed", default=7, show_default=True, help="Same seed, same people and texts.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def demo(directory: Path | None, seed: int, as_json: bool) -> None:
    """Run gateway, carrier and PBX, verify, send, judge, load and reconcile; then say what came of it.

    Example: smslab demo
    """
    directory = directory or Path("var") / f"demo-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    console = Console(record=True, quiet=as_json, highlight=False)
    steps: list[Step] = []
    stop_on_signals()
    try:
        for step in play(directory, seed):
            steps.append(step)
            show(step, console)
    except (LabFault, OSError) as fault:
        click.echo(f"Error: {fault}", err=True)
        sys.exit(Exit.COULD_NOT_TEST)
    except KeyboardInterrupt:
        click.echo("Stopped; nothing is left running.", err=True)
        sys.exit(130)
    finish(directory, steps, console)
    if as_json:
        click.echo((directory / "report.json").read_text())
    sys.exit(Exit.FINE if all(step.ok for step in steps) else Exit.WRONG)


def play(directory: Path, seed: int) -> Iterator[Step]:
    """Start a lab in `directory`, take every step, stop the lab."""
    start = time.monotonic()
    with running_lab(directory / "lab", rate=5000) as lab, scene(lab, seed) as stage:
        yield Step("start", True, f"gateway {lab.gateway_url}, carrier {lab.carrier_url}", time.monotonic() - start)
        for name, act in STEPS.items():
            yield take(name, act, stage)
    yield from loads(directory)


@contextmanager
def scene(lab: Lab, seed: int) -> Iterator[Scene]:
    """A PBX with its ledger, pointed at the lab."""
    target = load_target(hand_over(lab), {})
    with PbxLedger(lab.pbx_ledger) as ledger, open_client() as client:
        yield Scene(lab, target, Pbx(target, ledger, client, run="demo"), ledger, seed)


def take(name: str, act: Callable[[Scene], str], stage: Scene) -> Step:
    """Act, and turn what comes of it into a line of the report."""
    start = time.monotonic()
    try:
        ok, says = True, act(stage)
    except Wrong as fault:
        ok, says = False, str(fault)
    return Step(name, ok, says, time.monotonic() - start)


def verify(stage: Scene) -> str:
    """Both forms in which PBXs verify a channel."""
    for challenge in (None, "7f3c9a"):
        done = stage.pbx.verify(challenge)
        if not done.verified:
            raise Wrong(done.requirement)
    return "the key is confirmed, with and without a challenge"


def send(stage: Scene) -> str:
    """The page's own example first, then people and texts from the seed."""
    notes = People(stage.seed).notes()
    sent = [(note, stage.pbx.send(note.to, note.text)) for note, _ in zip(notes, range(MESSAGES), strict=False)]
    failed = [done.send_error_msg for _, done in sent if not done.sent]
    if failed:
        raise Wrong(f"{len(failed)} of {MESSAGES} were not sent: {failed[0]}")
    kinds = Counter(note.kind for note, _ in sent)
    return f"{MESSAGES} messages, each answered with an order id ({', '.join(f'{n} {k}' for k, n in kinds.items())})"


def contract(stage: Scene) -> str:
    """Every kind of request, judged; what the provider accepted is added to the PBX's ledger, for the balance."""
    provider = Provider(stage.target)
    verdict = judge(provider, Verdict(), examples=EXAMPLES)
    stage.ledger.record_many(attempts(provider, stage.target))
    if verdict.could_not or verdict.failing:
        raise Wrong(verdict.could_not or f"{verdict.failing[0].rule}: {verdict.failing[0].sentence}")
    codes = {cell.outcome[-5:] for cell, (state, _) in verdict.matrix.items() if state == "reached"} - {"200"}
    return (
        f"conforms: {len(provider.exchanges)} requests, {len(verdict.checked)} rules, {len(codes)} of 7 codes reached"
    )


def attempts(provider: Provider, target: Target) -> Iterator[Attempt]:
    """The judge's accepted messages as attempts of a PBX."""
    for one in provider.accepted:
        exchange = provider.exchanges[one.index]
        message = one.message or json.loads(exchange.call.body)
        yield Attempt(
            number=0,
            run="contract",
            from_number=target.from_number,
            to=message["to"],
            text=message["text"],
            started_at=exchange.at,
            finished_at=exchange.at + exchange.seconds,
            status=200,
            code=None,
            order_id=one.id,
            exchange={},
        )


def reconcile(stage: Scene) -> str:
    """Wait until the gateway has delivered, then balance the PBX's ledger with the carrier's."""
    end = time.monotonic() + DRAINED_WITHIN
    while queued(stage.lab) and time.monotonic() < end:
        time.sleep(0.1)
    with CarrierLedger(stage.lab.carrier_ledger) as carrier:
        account = balance(stage.ledger.attempts(), carrier.deliveries(), stage.lab.orders())
    if not account.is_true or account.pending:
        raise Wrong(f"the ledgers do not balance: see {stage.lab.directory}")
    return f"{len(account.delivered)} delivered once and unchanged, 0 lost, 0 duplicated, 0 altered, 0 phantom"


def queued(lab: Lab) -> bool:
    """Whether the gateway still has orders for the carrier, by its own metric."""
    lines = httpx.get(f"{lab.gateway_url}/metrics", trust_env=False).text.splitlines()
    return any(float(line.split()[1]) > 0 for line in lines if line.startswith("smslab_backlog_orders "))


STEPS: Final = {
    "verify": verify,
    "send": send,
    "contract": contract,
    "reconcile": reconcile,
}


def loads(directory: Path) -> Iterator[Step]:
    """Locust drives the gateway into 429 and, with the carrier out, into 500; each run in a lab of its own."""
    for profile, seconds in LOADS.items():
        start = time.monotonic()
        command = [*SMSLAB, "load", "run", profile, "--seconds", str(seconds), "--json"]
        done = subprocess.run(
            [*command, "--directory", str(directory / profile)], capture_output=True, text=True, check=False
        )
        ok, says = summary(json.loads(done.stdout)) if done.stdout else (False, done.stderr.strip())
        yield Step(f"load {profile}", ok, says, time.monotonic() - start)


def summary(verdict: Mapping[str, Any]) -> tuple[bool, str]:
    """Whether the run held, the answers it rests on, and what failed.

    What speaks of this machine at this moment is said and not counted: a latency beyond the profile's limit, a
    generator that was late. Whether the right answers came is counted.
    """
    answers = ", ".join(f"{count} x {outcome}" for outcome, count in verdict["figures"]["total"]["outcomes"].items())
    failed = [check for check in verdict["checks"] if check["passed"] is False]
    says = [f"{answers}, every envelope right"] if not failed else [answers, *(c["sentence"] for c in failed)]
    wrong = [check for check in failed if not check["name"].startswith("latency")]
    return bool(answers) and not wrong, "; ".join([*says, *verdict["void"]])


def show(step: Step, console: Console) -> None:
    """One line, with its verdict in colour where there is colour."""
    verdict = "[green]ok   [/]" if step.ok else "[bold red]WRONG[/]"
    console.print(f"{verdict} {step.name:12} {escape(step.says)} [dim]({step.seconds:.1f} s)[/]", soft_wrap=True)


def finish(directory: Path, steps: list[Step], console: Console) -> None:
    """Keep the report beside the ledgers, as JSON and as the page that was printed, and say where."""
    document = {"ok": all(step.ok for step in steps), "steps": [step._asdict() for step in steps]}
    (directory / "report.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    console.print("Everything held." if document["ok"] else "Something is WRONG.", style="bold")
    console.print(f"Report, ledgers and logs: {directory}", soft_wrap=True)
    console.save_html(str(directory / "report.html"))
