"""What each step of a scenario does: a method a step, each giving a result that `expect` can be held against."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import click

from contracts.target import Target, is_loopback
from simulator.lab import LabFault
from simulator.pbx import habits
from simulator.pbx.call import open_client
from simulator.pbx.campaign import Campaign
from simulator.pbx.contacts import Contact, read_contacts, read_rows
from simulator.pbx.engine import Engine
from simulator.pbx.expectation import look_up, unmet
from simulator.pbx.pbx import Pbx, Stranger, written
from simulator.pbx.personas import mix, verifies
from simulator.pbx.plan import Plan, shots
from simulator.pbx.recording import members
from simulator.pbx.scenario import BESIDE, Scenario, ScenarioFault, Step, Where, fill_in
from simulator.pbx.traffic import budget
from simulator.pbx.world import World, until
from simulator.people import People

Result = dict[str, Any]
PLAIN = {"verify": {"verified": True}, "send": {"delivery_status": 1}}  # expected where nothing else is


def burst(how: Mapping[str, Any], seed: int, target: Target) -> Plan:
    """What a `traffic` step sends: decided by the step and the scenario's seed alone."""
    return Plan(
        profile=how.get("profile", "steady"),
        rate=how["rate"],
        duration=how["duration"],
        seed=seed,
        numbers=(target.from_number,),
        weights=mix(how.get("mix", "office")),
        all_to=None if is_loopback(target.send_url) else target.to_number,
    )


def invited(number: int, seed: int) -> list[Contact]:
    """So many of Faker's people, whom a `campaign` step writes to."""
    people = islice(iter(People(seed + 1).person, None), number)
    return [Contact(number, {"name": name}) for name, number in people]


class Done(NamedTuple):
    """One step that was done: where it stands, what it was, and what was wrong with it (empty: nothing)."""

    place: str
    title: str
    seconds: float
    complaints: tuple[str, ...]
    silent: bool  # the provider gave no answer at all


class Player:
    """Plays the steps of one scenario, in order, until one goes wrong. Parallel branches share the variables."""

    def __init__(self, scenario: Scenario, world: World, note: Callable[[Done], None]) -> None:
        self._scenario, self._world, self._note = scenario, world, note
        self._people, self._dice = People(scenario.seed), Random(f"challenges {scenario.seed}")
        self._variables: dict[str, Any] = {"to": world.target.to_number, "run": world.run}

    def play(self) -> bool:
        """Play everything; whether all went as expected. Raises ScenarioFault for a step that cannot be."""
        with self._world.mended():
            self._play(self._scenario.steps, ("steps",), {})
        return not self._world.stop.is_set()

    def _play(self, steps: Sequence[Step], where: Where, scope: Mapping[str, Any]) -> None:
        for number, step in enumerate(steps):
            if not self._world.stop.is_set():
                self._step(step, (*where, number), scope)

    def _step(self, raw: Step, where: Where, scope: Mapping[str, Any]) -> None:
        kind = next((name for name in raw if name not in BESIDE), "expect")
        started, place = time.monotonic(), self._scenario.at(where)
        if kind in {"repeat", "parallel"}:
            getattr(self, f"_{kind}")(raw[kind], (*where, kind), scope)
            return
        try:
            step = fill_in(raw, {**self._variables, **scope})
            result, complaints = self._until_right(kind, step)
        except click.ClickException as error:
            self._world.stop.set()
            raise type(error)(f"{place}: {error.message}") from error
        except (ScenarioFault, ValueError, LabFault, Stranger) as error:
            self._world.stop.set()
            raise ScenarioFault(f"{place}: {error}") from error
        self._variables |= {name: look_up(result, path) for name, path in step.get("save", {}).items()}
        if complaints:
            self._world.stop.set()
        silent = kind in PLAIN and result.get("status") is None
        self._note(Done(place, raw.get("name", kind), time.monotonic() - started, tuple(complaints), silent))

    def _until_right(self, kind: str, step: Step) -> tuple[Result, list[str]]:
        result: Result = {}
        complaints: list[str] = []
        for _ in until(self._world.stop, step.get("within", 0.0)):
            result = getattr(self, f"_{kind}")(step.get(kind), step)
            complaints = self._complaints(kind, step, result)
            if not complaints:
                break
        return result, complaints

    def _complaints(self, kind: str, step: Step, result: Result) -> list[str]:
        expected = step.get("expect", PLAIN.get(kind, {}))
        found = unmet(expected, result)
        if kind == "wait_for":
            return list(result["missing"])
        findings = () if "findings" in expected else result.get("findings", ())
        found += [str(one.get("sentence", one) if isinstance(one, dict) else one) for one in findings]
        if found and result.get("send_error_msg"):
            found.append(f"the provider's words: {result['send_error_msg']}")
        return found

    def _verify(self, how: Mapping[str, Any] | None, step: Step) -> Result:
        wanted = (how or {}).get("challenge", True)
        challenge = f"{self._dice.getrandbits(64):016x}" if wanted is True else wanted or None
        with self._pbx(step) as pbx:
            result = pbx.verify(challenge)
        return {**result._asdict(), "findings": [one._asdict() for one in result.findings]}

    def _send(self, how: Mapping[str, Any] | None, step: Step) -> Result:
        how = how or {}
        if self._world.left is not None and self._world.left <= 0:
            raise ScenarioFault("As many messages as the target bears (max_accepted) may have been accepted.")
        text = str(how.get("text", "Hello from Yeastar")) * how.get("times", 1)
        with self._pbx(step) as pbx:
            payload = written(pbx.habits, pbx.target.from_number, how.get("to", pbx.target.to_number), text)
            media = {"media_urls": how["media_urls"]} if "media_urls" in how else {}
            if "body" in how:
                result = pbx.post(members(how["body"]), how["body"].encode())
            else:
                result = pbx.post({**payload, **media, **how.get("raw", {})})
        if self._world.left is not None and (result.sent or result.status is None):
            self._world.left -= 1
        return result.as_event()

    def _wait(self, seconds: float, _step: Step) -> Result:
        self._world.stop.wait(seconds)
        return {}

    def _wait_for(self, how: Mapping[str, Any], _step: Step) -> Result:
        missing: list[str] = []
        for _ in until(self._world.stop, how["within"]):
            missing = unmet(how["expect"], self._world.view(how["expect"]))
            if not missing:
                break
        return {"missing": [f"after {how['within']:g} s {one}" for one in missing]}

    def _expect(self, _: object, step: Step) -> Result:
        return self._world.view(step["expect"])

    def _fault(self, how: Mapping[str, Any], _step: Step) -> Result:
        return self._world.carrier("POST", "/faults", spec=dict(how))

    def _clear_faults(self, _: None, _step: Step) -> Result:
        return self._world.carrier("DELETE", "/faults")

    def _gateway(self, words: Sequence[str], _step: Step) -> Result:
        return self._world.gateway(*words)

    def _traffic(self, how: Mapping[str, Any], step: Step) -> Result:
        target = self._target(step)
        if verifies(mix(how.get("mix", "office"))) and not target.verify_url:
            raise ScenarioFault("This mix verifies, so it needs --verify-url.")
        budget(target)
        plan = burst(how, self._scenario.seed, target)
        keys = [(target.key, how.get("next_key", target.key))]
        engine = Engine(target, self._world.ledger, self._world.run, keys=keys, budget=self._world.left, seed=plan.seed)
        tally = asyncio.run(engine.run(shots(plan)))
        self._world.left = engine.left
        return dict(tally.report())

    def _campaign(self, how: Mapping[str, Any], step: Step) -> Result:
        target = self._target(step)
        source, states = how["contacts"], list[str]()
        if isinstance(source, int):
            contacts = invited(source, self._scenario.seed)
        else:
            contacts = read_contacts(self._beside(source))
        if not is_loopback(target.send_url):
            raise ScenarioFault("A scenario's campaign stays on loopback; use `smslab pbx campaign --receiver`.")
        name = self._world.run.replace("/", " ")  # of a file, too
        path = self._world.directory / f"{name}.campaign.json"
        campaign = Campaign(name, target.from_number, how["text"], contacts, path, states.append, run=self._world.run)
        tally = campaign.execute(target, self._world.ledger, how["rate"], retry=how.get("retry", False))
        return {**tally.report(), "state": campaign.state, "states": states}

    def _repeat(self, how: Mapping[str, Any], where: Where, scope: Mapping[str, Any]) -> Result:
        rows = self._rows(how["each"]) if "each" in how else [{}] * how.get("times", 1)
        for number, row in enumerate(rows):
            self._play(how["steps"], (*where, "steps"), {**scope, "row": row, "n": number})
        return {}

    def _parallel(self, branches: Sequence[Any], where: Where, scope: Mapping[str, Any]) -> Result:
        with ThreadPoolExecutor(len(branches)) as pool:
            running = [pool.submit(self._play, branch, (*where, n), scope) for n, branch in enumerate(branches)]
        for branch in running:
            branch.result()
        return {}

    def _rows(self, name: str) -> list[Mapping[str, Any]]:
        match self._scenario.data.get(name):
            case {"faker": int(count)}:
                return [self._people.person()._asdict() for _ in range(count)]
            case {"csv": str(file)} | {"json": str(file)}:
                return [row for _, row in read_rows(self._beside(file))]
            case {"rows": list(rows)}:
                return list(rows)
        raise ScenarioFault(f"There is no data named {name!r}.")

    def _beside(self, name: str) -> Path:
        return self._scenario.path.parent / name

    def _settings(self, step: Step) -> Mapping[str, Any]:
        name = step.get("pbx", next(iter(self._scenario.pbxs)))
        if name not in self._scenario.pbxs:
            raise ScenarioFault(f"There is no PBX named {name!r}.")
        return dict(fill_in(self._scenario.pbxs[name], self._variables))

    def _target(self, step: Step) -> Target:
        settings, target = self._settings(step), self._world.target
        return replace(
            target, key=settings.get("key", target.key), from_number=settings.get("from", target.from_number)
        )

    @contextmanager
    def _pbx(self, step: Step) -> Iterator[Pbx]:
        settings = habits.read(self._settings(step).get("habits", {}))
        with open_client() as client:
            yield Pbx(self._target(step), self._world.ledger, client, habits=settings, run=self._world.run)
