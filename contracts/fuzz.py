"""Generated requests: Schemathesis makes them from `openapi.yaml`, the oracle says what each must be answered.

Schemathesis talks to `_Door`, a WSGI callable that sends what it gets to the provider byte for byte; so the
budget, the rate, the recipients and the triage of a 5xx are the same as for every other request of the suite.
Its own checks on the document are a second opinion (YS-DOC-01). The configuration is all here: no stray
`schemathesis.toml`, no example database, no cache changes a run.
"""

import copy
import itertools
import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import schemathesis
from schemathesis.engine import Status, events, from_schema

from contracts import oracle, spec
from contracts.cases import KEY_HEADER, Case
from contracts.provider import Provider
from contracts.target import Target
from contracts.trial import UnavailableError, try_case
from contracts.verdict import Broken, Verdict
from contracts.wire import Call

_CHECKS = (
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "status_code_conformance",
)
_KEY = "Bearer the-key-of-the-target"  # not the real one: Schemathesis need not know it
_LEFT_OUT = {"HTTP_HOST", "HTTP_CONNECTION", "HTTP_X_SCHEMATHESIS_TESTCASEID"}
_BELOW = {414, 431}  # the server in front of the application; the document does not know it
_NOT_SENT = b'{"data":{"id":"not-sent"}}'


def run(provider: Provider, verdict: Verdict, *, examples: int, seed: int, healthy: bool = True) -> None:
    """Send at most about `examples` generated requests per operation, and the fixed ones of its other phases.

    While the provider is not `healthy`, 10007 is expected where a message would be accepted, and no other 5xx.
    Raises `UnavailableError` if the provider stops working meanwhile.
    """
    door = _Door(provider, verdict, healthy=healthy)
    schema = schemathesis.openapi.from_dict(_document(provider.target), config=_config(examples, seed))
    schema.app = door
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            _second_opinion(verdict, event)
        elif isinstance(event, events.FatalError):
            raise event.exception
        if door.trouble:
            raise door.trouble
    if door.kept_back:
        verdict.untested.append(f"fuzz: {door.kept_back} generated messages were kept back by the budget")


def _config(examples: int, seed: int) -> schemathesis.Config:
    return schemathesis.Config.from_dict(
        {
            "seed": seed,
            "headers": {"Authorization": _KEY},
            "continue-on-failure": True,
            "workers": 1,
            "checks": {"enabled": False} | {name: {"enabled": True} for name in _CHECKS},
            "phases": {"stateful": {"enabled": False}},
            "generation": {"max-examples": examples, "database": "none", "no-shrink": True},
            "cache": {"enabled": False},
        }
    )


def _document(target: Target) -> dict[str, Any]:
    """The contract with the target's own numbers in it: generated messages go to nobody else."""
    document = copy.deepcopy(spec.document())
    del document["servers"]
    if not target.verify_url:
        del document["paths"][spec.routes()[0].path]
    fields = document["components"]["schemas"]["Message"]["properties"]
    fields["from"] = {"type": "string", "enum": [target.from_number]}
    fields["to"] = {"type": "string", "enum": [target.to_number]}
    page = document["components"]["examples"]["PageRequest"]["value"]
    page |= {"from": target.from_number, "to": target.to_number}
    return document


def _second_opinion(verdict: Verdict, event: events.ScenarioFinished) -> None:
    verdict.checked["YS-DOC-01"] = verdict.checked.get("YS-DOC-01", 0) + len(event.recorder.checks)
    for checks in event.recorder.checks.values():
        for check in checks:
            if check.status == Status.FAILURE and check.failure_info:
                failure = check.failure_info.failure
                sentence = f"{failure.title}: {failure.message}".replace("\n", " ")[:300]
                verdict.broken.append(Broken("YS-DOC-01", sentence, "fuzz", check.name))


class _Door:
    """The provider as a WSGI application that Schemathesis can call."""

    def __init__(self, provider: Provider, verdict: Verdict, *, healthy: bool) -> None:
        self._provider, self._verdict, self._healthy = provider, verdict, healthy
        self._numbers = itertools.count(1)
        target = provider.target
        urls = {"verify": target.verify_url, "sendmessage": target.send_url}
        self._routes = {route.path: (route.operation, urls[route.operation]) for route in spec.routes()}
        self.trouble: UnavailableError | None = None
        self.kept_back = 0

    def __call__(self, environ: Mapping[str, Any], start: Callable[..., object]) -> Iterable[bytes]:
        """Send one generated request, judge it, and hand the answer back."""
        status, headers, body = self._answer(_call(environ, self._routes))
        start(f"{status} Answer", [*headers.items()])
        return [body]

    def _expected(self, call: Call) -> oracle.Expected:
        expected = oracle.expected(call)
        if self._healthy or call.operation != "sendmessage":
            return expected
        # A breaker lets a message through now and then, to see whether the carrier is back.
        return {
            "YS-DOWN-01" if outcomes == ("200",) else rule: (*outcomes, "500/10007") if "200" in outcomes else outcomes
            for rule, outcomes in expected.items()
        }

    def _answer(self, call: Call) -> tuple[int, dict[str, str], bytes]:
        """The provider's answer; or, for what must not be sent, the one it would have given."""
        json_type = {"content-type": "application/json"}
        message = oracle.message(call.body)
        if _is_for_somebody_else(message, self._provider.target):
            return 400, json_type, _refusal("10001")
        case = Case(f"generated-{next(self._numbers)}", "Generated.", call, self._expected(call), message)
        if self.trouble or not self._provider.allows(case):
            self.kept_back += 1
            return 200, json_type, _NOT_SENT
        try:
            done = try_case(self._provider, self._verdict, "fuzz", case, healthy=self._healthy)
        except UnavailableError as error:
            self.trouble = error
            return 200, json_type, _NOT_SENT
        if done is None or done.answer is None:
            return 500, json_type | {"retry-after": "1"}, _refusal("10007")
        if done.answer.status in _BELOW:
            return 400, json_type, _refusal("10002")
        hops = {"connection", "transfer-encoding", "content-length", "keep-alive"}
        kept = {name: value for name, value in done.answer.headers.items() if name not in hops}
        return done.answer.status, kept, done.answer.body


def _call(environ: Mapping[str, Any], routes: Mapping[str, tuple[str, str | None]]) -> Call:
    """The request in a WSGI environ, for the target's own URL."""
    operation, url = routes[environ["PATH_INFO"]]
    parts = urlsplit(url or "")
    headers = [
        (name[5:].replace("_", "-").title(), KEY_HEADER if value == _KEY else value)
        for name, value in environ.items()
        if name.startswith("HTTP_") and name not in _LEFT_OUT
    ]
    if environ.get("CONTENT_TYPE"):
        headers.insert(0, ("Content-Type", environ["CONTENT_TYPE"]))
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    with_query = urlunsplit((parts.scheme, parts.netloc, parts.path, environ.get("QUERY_STRING", ""), ""))
    return Call(operation, environ["REQUEST_METHOD"], with_query, tuple(headers), body)


def _is_for_somebody_else(message: Mapping[str, Any] | None, target: Target) -> bool:
    """Whether a message has a real-looking recipient that the target does not allow tests to reach."""
    to = message.get("to") if message else None
    digits = re.sub(r"\D", "", to) if isinstance(to, str) else ""
    return len(digits) > 6 and to != target.to_number


def _refusal(code: str) -> bytes:
    row = spec.error_codes()[code]
    return json.dumps({"errors": [{"code": code, "title": row.title, "detail": "not sent"}]}).encode()
