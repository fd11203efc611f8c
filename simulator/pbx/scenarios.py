"""`smslab pbx run`: play scenarios, the exit code is the verdict."""

import functools
import json
import secrets
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree as ET

import click

from contracts import spec
from contracts.exits import Exit
from contracts.target import Target, target_options
from simulator.lab import Lab, LabFault, running_lab
from simulator.ledger.pbx import PbxLedger
from simulator.pbx.provider import AS_JSON, LEDGER, ONLY_TO, guarded, open_ledger, usable
from simulator.pbx.scenario import BESIDE, Scenario, ScenarioFault, find, load, needs, pack, walk
from simulator.pbx.steps import Done, Player
from simulator.pbx.traffic import allowance
from simulator.pbx.world import World

LAB_RATE = 2000  # requests per second that a scenario's integration in the lab may make


class Played(NamedTuple):
    """One scenario's end. `missing` names what it would have needed; then nothing was played."""

    scenario: Scenario
    steps: tuple[Done, ...]
    missing: tuple[str, ...] = ()

    @property
    def verdict(self) -> Exit:
        """1 if an expectation failed, 3 if the provider was silent, 4 if it could not be played here."""
        if self.missing:
            return Exit.NOT_ALL_REACHED
        wrong = [step for step in self.steps if step.complaints]
        if not wrong:
            return Exit.FINE
        return Exit.COULD_NOT_TEST if all(step.silent for step in wrong) else Exit.WRONG


def lab_or_target(command: Callable[..., object]) -> Callable[..., object]:
    """The target options and `--lab`, which starts a gateway and a carrier for the run; then `target` is None."""
    as_target = target_options(command)

    @functools.wraps(as_target)
    def choose(*, lab: bool, **options: object) -> object:
        listing = options["listing"] or options["dry_run"]
        if not (lab or listing):
            return as_target(lab=False, **options)
        named = {name: options.pop(name) for name in ("target", "send_url", "verify_url", "key_file", "from", "to")}
        options.pop("i_own_this_target")
        if lab and any(named.values()):
            raise click.UsageError("--lab brings its own provider; name none.")
        return command(target=None, lab=lab, **options)

    help_text = "Start a gateway and a carrier for this run, and stop them after it."
    return click.option("--lab", is_flag=True, help=help_text)(choose)


@click.command()
@lab_or_target
@click.argument("names", nargs=-1, metavar="[NAME|FILE.yaml]...")
@click.option("--all", "everything", is_flag=True, help="Every ready scenario.")
@click.option("--list", "listing", is_flag=True, help="List the ready scenarios.")
@click.option("--seed", type=int, help="Draw people, texts and times from it. Default: the file's own, or 7.")
@click.option("--run", "run_name", help="A fresh name of the run in the ledger. Default: SCENARIO-XXXXXX.")
@click.option("--dry-run", is_flag=True, help="Check the files and show the steps; send nothing.")
@click.option("--carrier-url", help="The fake carrier behind the provider, to look at and to break.")
@click.option("--junit", type=click.Path(dir_okay=False, path_type=Path), help="Also write JUnit XML.")
@ONLY_TO
@LEDGER
@AS_JSON
def run(
    *,
    target: Target | None,
    lab: bool,
    names: tuple[str, ...],
    everything: bool,
    listing: bool,
    seed: int | None,
    run_name: str | None,
    dry_run: bool,
    carrier_url: str | None,
    junit: Path | None,
    only_to: tuple[str, ...],
    ledger: Path,
    as_json: bool,
) -> None:
    """Play scenarios against a provider; exit 0 if everything went as they say.

    Example: smslab pbx run first-day wrong-key --lab
    """
    try:
        scenarios = [load(find(name)) for name in (pack() if everything or (listing and not names) else names)]
    except ScenarioFault as error:
        raise click.UsageError(str(error)) from error
    if not scenarios:
        raise click.UsageError("Name a scenario or a file, or give --all; --list shows the ready ones.")
    if listing or dry_run:
        for scenario in scenarios:
            _describe(scenario, steps=dry_run)
        return
    scenarios = [one if seed is None else replace(one, seed=seed) for one in scenarios]
    with _provider(target, lab=lab) as (given, running), open_ledger(ledger) as book:
        here = functools.partial(_played, target=given, ledger=book, carrier=carrier_url, lab=running, only_to=only_to)
        played = [here(one, quiet=as_json, run_name=_name(one, run_name, len(scenarios))) for one in scenarios]
    if junit:
        junit.write_bytes(as_junit(played))
    click.echo(json.dumps([as_document(one) for one in played]) if as_json else _summary(played))
    raise SystemExit(worst([one.verdict for one in played]))


def _name(scenario: Scenario, given: str | None, many: int) -> str:
    """What the run is called: of several under one name each has its own."""
    if given is None:
        return f"{scenario.name}-{secrets.token_hex(3)}"
    return f"{given}-{scenario.name}" if many > 1 else given


def worst(verdicts: Sequence[Exit]) -> Exit:
    """The verdict over several: wrong, then not tested, then not all reached, then fine."""
    order = (Exit.WRONG, Exit.COULD_NOT_TEST, Exit.NOT_ALL_REACHED, Exit.FINE)
    return next(verdict for verdict in order if verdict in verdicts)


def as_document(played: Played) -> dict[str, Any]:
    """One played scenario for programs."""
    return {
        "scenario": played.scenario.name,
        "seed": played.scenario.seed,
        "verdict": played.verdict.name,
        "needs": list(played.missing),
        "steps": [step._asdict() for step in played.steps],
    }


def as_junit(played: Sequence[Played]) -> bytes:
    """JUnit XML: a suite per scenario, a case per step."""
    root = ET.Element("testsuites")
    for one in played:
        failures = sum(1 for step in one.steps if step.complaints)
        counts = {"name": one.scenario.name, "tests": str(len(one.steps)), "failures": str(failures)}
        suite = ET.SubElement(root, "testsuite", counts)
        for step in one.steps:
            case = ET.SubElement(
                suite,
                "testcase",
                classname=one.scenario.name,
                name=f"{step.place}: {step.title}",
                time=f"{step.seconds:.3f}",
            )
            if step.complaints:
                ET.SubElement(case, "failure", message="; ".join(step.complaints))
        if one.missing:
            case = ET.SubElement(suite, "testcase", classname=one.scenario.name, name="needs")
            ET.SubElement(case, "skipped", message=f"needs {', '.join(one.missing)}")
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


@contextmanager
def _provider(target: Target | None, *, lab: bool) -> Iterator[tuple[Target | None, Lab | None]]:
    if not lab:
        yield target, None
        return
    with tempfile.TemporaryDirectory(prefix="smslab-") as directory:
        try:
            with running_lab(Path(directory), rate=LAB_RATE) as running:
                yield None, running
        except LabFault as error:
            raise CouldNotPlay(str(error)) from error


class CouldNotPlay(click.ClickException):
    """Nothing is known, because something besides the provider is not there: exit 3."""

    exit_code = Exit.COULD_NOT_TEST


def _played(
    scenario: Scenario,
    *,
    target: Target | None,
    ledger: PbxLedger,
    carrier: str | None,
    lab: Lab | None,
    only_to: tuple[str, ...],
    run_name: str,
    quiet: bool,
) -> Played:
    carrier = lab.carrier_url if lab else carrier
    missing = needs(scenario) - {name for name, part in (("carrier", carrier), ("gateway", lab)) if part}
    if missing:
        return Played(scenario, (), tuple(sorted(missing)))
    steps: list[Done] = []

    def note(step: Done) -> None:
        steps.append(step)
        if not quiet:
            click.echo(f"{'FAIL' if step.complaints else 'ok':<4} {step.place}: {step.title} ({step.seconds:.2f} s)")
            for complaint in step.complaints:
                click.echo(f"       {complaint}")

    with tempfile.TemporaryDirectory(prefix="smslab-") as directory:
        reached = guarded(_target(scenario, target, lab, run_name), only_to)
        world = World(reached, ledger, run_name, Path(directory), carrier, lab)
        world.since = world.last_message() if carrier else 0
        world.left = allowance(world.target)
        try:
            Player(scenario, world, note).play()
        except ScenarioFault as error:
            raise click.UsageError(str(error)) from error
    return Played(scenario, tuple(steps))


def _target(scenario: Scenario, target: Target | None, lab: Lab | None, run_name: str) -> Target:
    """The named provider, or the lab's; a scenario that administers the gateway gets its own integration there."""
    if lab is None and target is not None:
        return usable(target)
    if lab is None:
        raise click.UsageError("Name a provider, or give --lab.")
    alone = "gateway" in needs(scenario)
    key = lab.integration(run_name, "--rate", str(LAB_RATE)) if alone else lab.key
    return Target(lab.send_url, lab.verify_url, key, lab.from_number, spec.page_example()["to"], name=run_name)


def _describe(scenario: Scenario, *, steps: bool) -> None:
    wanted = ", ".join(sorted(needs(scenario)))
    click.echo(f"{scenario.name:<28} {scenario.about}{f'  [needs {wanted}]' if wanted else ''}")
    for where, step in walk(scenario.steps) if steps else ():
        action = next((name for name in step if name not in BESIDE), "expect")
        click.echo(f"  {scenario.at(where)}: {action} {json.dumps(step.get(action))}")


def _summary(played: Sequence[Played]) -> str:
    lines = [f"{one.verdict.name:<15} {one.scenario.name}: {one.scenario.about}" for one in played]
    skipped = [f"{one.scenario.name} needs {', '.join(one.missing)}" for one in played if one.missing]
    return "\n".join([*lines, *skipped])
