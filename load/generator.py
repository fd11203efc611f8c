"""One generator process: sends what is due when it is due, judges each answer, writes down what happened.

Only `locustfile.py` imports this module, inside Locust's process (gevent has patched sockets there). Latency
is reported to Locust from the intended start. A process owns a share of the PBXs and nothing else; the
process that began the run (alone, or Locust's master) also keeps the record file and plays the faults.
"""

import os
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import gevent  # type: ignore[import-untyped]  # ships no stubs
import httpx
from gevent.pool import Pool  # type: ignore[import-untyped]  # ships no stubs

from contracts.judge import Answer, error_code, judge_answer, order_id
from load.phases import Phase
from load.plan import Plan
from load.record import FILE, SEND, VERIFY, Request, write
from load.schedule import Schedule, Try

if TYPE_CHECKING:
    from locust.contrib.fasthttp import FastHttpSession, ResponseContextManager

LEAD = 0.3  # seconds from the start signal to the first arrival, so that all processes are ready
HOPELESS = 3.0  # seconds behind the schedule at which a generator gives up; the run is void long before
FLUSH = 0.25  # seconds between hand-overs of records
Clock = Callable[[], float]  # seconds, never going back
Deliver = Callable[[Sequence[Request], dict[str, Any] | None], None]


class Generator:
    """A share of a plan's load, sent through one Locust HTTP session."""

    def __init__(self, plan: Plan, deliver: Deliver, clock: Clock = time.monotonic) -> None:
        self.plan = plan
        self._deliver, self._clock = deliver, clock
        self._pool = Pool(plan.in_flight)
        self._headers = {"Authorization": f"Bearer {plan.key}", "Accept-Encoding": "identity"}
        self._headers["Content-Type"] = "application/json"
        self._records: list[Request] = []
        self._schedule = Schedule(plan)
        self._zero = self._cpu = 0.0
        self._stopped = False

    def begin(self, index: int, of: int) -> None:
        """Take a share of the plan; the run starts `LEAD` seconds from now."""
        self._schedule = Schedule(self.plan, index, of)
        self._zero, self._cpu = self._clock() + LEAD, time.process_time()

    def now(self) -> float:
        """Seconds from the start of the run."""
        return self._clock() - self._zero

    def play(self, client: "FastHttpSession") -> None:
        """Send everything that falls due, wait for the last answers, hand over, return."""
        flusher = gevent.spawn(self._flush_often)
        while not self._stopped and (due := self._schedule.peek()) is not None:
            if (wait := due - self.now()) < -HOPELESS:
                break
            if wait > 0:
                gevent.sleep(min(wait, 0.2))
            elif message := self._schedule.pop():
                self._pool.spawn(self._send, client, message)
            if self._schedule.spent and not self._pool:
                break
        self._pool.join(timeout=self.plan.grace)
        flusher.kill()
        self.stop()

    def stop(self) -> None:
        """End the load now: open requests are written down as unanswered, and everything is handed over."""
        if self._stopped:
            return
        self._stopped = True
        self._pool.kill()
        schedule = self._schedule
        summary = {"intended": schedule.intended, "held": schedule.held, "spent": schedule.spent}
        self._hand_over({"event": "share", "at": self.now(), "cpu": time.process_time() - self._cpu, **summary})

    def _send(self, client: "FastHttpSession", tried: Try) -> None:
        every, plan = self.plan.profile.verify_every, self.plan
        verify = bool(plan.verify_url and every and tried.n % every == every - 1)
        operation, method = (VERIFY, "GET") if verify else (SEND, "POST")
        url = f"{plan.verify_url}?challenge={tried.n}" if verify else plan.send_url
        body = None if verify else plan.body(tried.n, tried.turn)
        sent, answer, findings = self.now(), None, list[str]()
        try:
            with client.request(
                method, url, name=operation, data=body, headers=self._headers, catch_response=True
            ) as response:
                answer = _answer(response)
                if answer is not None and plan.judging:
                    findings += _judged(operation, method, answer, tried.n)
                _tell_locust(response, self.now() - tried.due, answer, findings)
        finally:
            self._note(tried, operation, sent, answer, findings)

    def _note(self, tried: Try, operation: str, sent: float, answer: Answer | None, findings: Sequence[str]) -> None:
        status = answer.status if answer else None
        code = error_code(answer) if answer and status != 200 else None
        order = order_id(answer) if answer and operation == SEND else None
        times = (tried.due, sent, self.now())
        request = Request(tried.n, tried.turn, operation, *times, status, code, order, findings)
        wait = answer.headers.get("retry-after", "") if answer and status in {429, 500} else ""
        self._schedule.answered(request, float(wait) if wait.isdecimal() else None)
        self._records.append(request)

    def _flush_often(self) -> None:
        while True:
            gevent.sleep(FLUSH)
            self._hand_over(None)

    def _hand_over(self, summary: dict[str, Any] | None) -> None:
        records, self._records = self._records, []
        self._deliver([_rounded(record) for record in records], summary)


class Conductor:
    """What only the process that began a run does: the record file, the fault schedule, the end."""

    def __init__(self, plan: Plan, clock: Clock = time.monotonic) -> None:
        self._plan, self._clock = plan, clock
        self._parent = os.getppid()
        self._faults: gevent.Greenlet[Any, Any] | None = None
        self._open = 0
        self._zero = 0.0

    def begin(self, of: int) -> None:
        """Note the start of a run by `of` generator processes and start the fault schedule."""
        self._open, self._zero = of, self._clock() + LEAD
        self._write([{"event": "start", "epoch": time.time() + LEAD, "processes": of, "seed": self._plan.seed}])
        self._faults = gevent.spawn(self._play_faults)

    def receive(self, records: Sequence[Request], summary: dict[str, Any] | None) -> None:
        """Keep what a generator process handed over."""
        self._write([*records, *([summary] if summary else [])])
        self._open -= summary is not None

    @property
    def finished(self) -> bool:
        """Whether every process has handed over its last record, or the command that began it is gone."""
        orphaned = self._plan.directory is not None and os.getppid() != self._parent
        return orphaned or (self._zero > 0 and self._open <= 0)

    def end(self) -> None:
        """Take back what is still injected and close the record."""
        if self._faults is not None:
            self._faults.kill()
            self._faults = None
            self._write([{"event": "end", "at": self._now()}])

    def _play_faults(self) -> None:
        url = self._plan.carrier_url
        for start, end, phase in self._plan.profile.windows():
            if phase.fault is None:
                continue
            if url is None:
                self._write([{"event": "skipped", "phase": phase.name, "fault": dict(phase.fault)}])
                continue
            with httpx.Client(base_url=url, trust_env=False, timeout=5) as carrier:
                self._play_fault(carrier, start, end, phase)

    def _play_fault(self, carrier: httpx.Client, start: float, end: float, phase: Phase) -> None:
        gevent.sleep(max(0.0, start - self._now()))
        number = carrier.post("/faults", json=dict(phase.fault or {})).raise_for_status().json()["id"]
        begun = self._now()
        try:
            while (left := end - self._now()) > 0:
                gevent.sleep(min(1.0, left))
                armed = carrier.get("/faults").json()["faults"]
                hits = sum(fault["hits"] for fault in armed if fault["id"] == number)
                self._write([{"event": "hits", "at": self._now(), "phase": phase.name, "hits": hits}])
        finally:
            carrier.delete(f"/faults/{number}")
            self._write([{"event": "fault", "phase": phase.name, "from": begun, "to": self._now()}])

    def _now(self) -> float:
        return self._clock() - self._zero

    def _write(self, lines: Sequence[Any]) -> None:
        if self._plan.directory is not None and lines:
            write(self._plan.directory / FILE, lines)


def _rounded(request: Request) -> Request:
    """The request with times to the microsecond, which is what a line needs."""
    return request._replace(due=round(request.due, 6), sent=round(request.sent, 6), done=round(request.done, 6))


def _answer(response: "ResponseContextManager") -> Answer | None:
    if not response.status_code or response.headers is None:
        return None
    names = {name.lower(): value for name, value in response.headers.items()}
    return Answer(response.status_code, names, response.content or b"")


def _judged(operation: str, method: str, answer: Answer, n: int) -> list[str]:
    found = [f"{rule}: {sentence}" for rule, sentence in judge_answer(operation, method, answer)]
    if operation == VERIFY and answer.status == 200 and answer.body != str(n).encode():
        found.append("YS-VERIFY: the challenge did not come back unchanged")
    return found


def _tell_locust(
    response: "ResponseContextManager", latency: float, answer: Answer | None, findings: Sequence[str]
) -> None:
    response.request_meta["response_time"] = latency * 1000
    if answer is None:
        return  # what Locust itself says of a request without an answer is more exact
    response.request_meta["name"] += f" {answer.status}"
    if findings:
        response.failure(findings[0])  # type: ignore[no-untyped-call]  # Locust
    else:
        response.success()  # type: ignore[no-untyped-call]  # Locust
