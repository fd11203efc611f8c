"""One recorded attempt as a test for somebody else's tool: the same bytes, and the same answer expected again.

Pure: an attempt of the ledger in, text out. The key is in none of it (it comes from `YEASTAR_API_KEY`); run, seed
and the carrier's faults stand above as comments. Whole runs are recorded by `recording.py`.
"""

import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from contracts.target import KEY_VARIABLE
from simulator.carrier.controls import printable
from simulator.ledger.pbx import Attempt

TIMEOUT = 10  # seconds a snippet waits for an answer


@dataclass(frozen=True, slots=True)
class _Case:
    """What a form needs to know of an attempt; `status` None: no answer came, so any answer is an improvement."""

    number: int
    url: str
    headers: Mapping[str, str]
    body: str
    status: int | None
    code: str | None
    accepted: bool
    remarks: Sequence[str]

    @property
    def promise(self) -> str:
        """What is expected, in words."""
        if self.status is None:
            return "The provider answers"
        kept = f" with code {self.code}" if self.code else " with an id" if self.accepted else ""
        return f"The provider answers {self.status}{kept}"

    def comments(self, mark: str) -> str:
        """The remarks as comment lines."""
        return "".join(f"{mark} {line}\n" for line in self.remarks)


def snippet(attempt: Attempt, form: str, faults: Sequence[Mapping[str, Any]] = ()) -> str:
    """The attempt in one of `FORMS`; `faults` are the carrier's, as its API shows them.

    Raises ValueError with a sentence if the ledger does not have what was sent.
    """
    request = attempt.exchange.get("request")
    if not request:
        raise ValueError(f"What attempt {attempt.number} sent is not in the ledger: it was cut off, or sent in bulk.")
    headers = {name: value for name, value in request["headers"].items() if name.lower() != "authorization"}
    case = _Case(
        attempt.number,
        request["url"],
        headers,
        request["body"],
        attempt.status,
        attempt.code if (attempt.code or "").isalnum() else None,  # a provider's words never become code
        attempt.accepted,
        _remarks(attempt, faults),
    )
    return FORMS[form](case)


def _remarks(attempt: Attempt, faults: Sequence[Mapping[str, Any]]) -> list[str]:
    at = datetime.fromtimestamp(attempt.started_at, UTC).isoformat(timespec="milliseconds")
    seed, persona = attempt.exchange.get("seed"), attempt.exchange.get("persona")
    about = [("run", attempt.run), ("seed", seed), ("persona", persona), ("at", at)]
    answered = f"{attempt.status} {attempt.code or attempt.order_id or ''}" if attempt.status else "no answer"
    return [
        f"Attempt {attempt.number} of a simulated PBX (smslab), answered: {printable(answered.strip())}",
        ", ".join(f"{name}: {printable(value)}" for name, value in about if value is not None),
        *(f"carrier fault: {fault_command(fault)}" for fault in faults),
        f"The key: export {KEY_VARIABLE}=...",
    ]


def faults_at(report: Mapping[str, Any], at: float) -> list[Mapping[str, Any]]:
    """The faults of a carrier's report (`GET /faults`) that were armed at a moment in epoch seconds."""
    known = [*report.get("faults", []), *report.get("past", [])]
    return [one for one in known if one["begins"] <= at and (one["ends"] is None or at < one["ends"])]


def fault_command(fault: Mapping[str, Any]) -> str:
    """The command that arms a fault like this one again."""
    words = ["smslab", "carrier", "fault", "add", str(fault["kind"]), *_pairs(fault.get("params", {}))]
    words += [word for pair in _pairs(fault.get("scope", {})) for word in ("--scope", pair)]
    words += ["--ttl", str(fault["ttl"])] if "ttl" in fault else []
    return printable(shlex.join(words))


def _pairs(table: Mapping[str, Any]) -> list[str]:
    return [f"{name}={value if isinstance(value, str) else json.dumps(value)}" for name, value in table.items()]


def _curl(case: _Case) -> str:
    headers = " ".join(f"-H {shlex.quote(f'{name}: {value}')}" for name, value in case.headers.items())
    return (
        f"{case.comments('#')}# {case.promise}.\n"
        f"printf %s {shlex.quote(case.body)} |\n"
        f'  curl -sS -i -m {TIMEOUT} -X POST -H "Authorization: Bearer ${KEY_VARIABLE}" {headers} \\\n'
        f"    --data-binary @- {shlex.quote(case.url)}\n"
    )


_PYTEST = """\
{comments}
import os

import httpx

URL = {url!r}
HEADERS = {headers!r}
BODY = {body!r}.encode()


def test_attempt_{number}():
    \"\"\"{promise}.\"\"\"
    headers = {{**HEADERS, "Authorization": f"Bearer {{os.environ[{variable!r}]}}"}}
    answer = httpx.post(URL, content=BODY, headers=headers, timeout={timeout}, trust_env=False)
    {check}
"""


def _pytest(case: _Case) -> str:
    checks = ["assert answer.status_code, answer.text"]
    if case.status:
        checks = [f"assert answer.status_code == {case.status}, answer.text"]
    if case.code:
        checks.append(f'assert answer.json()["errors"][0]["code"] == {case.code!r}')
    if case.accepted:
        checks.append('assert answer.json()["data"]["id"]')
    return _python(_PYTEST, case, check="\n    ".join(checks))


_LOCUST = """\
{comments}# Run it: locust -f FILE --headless -u 1 -t 10s
import os

from locust import HttpUser, constant_pacing, task

BODY = {body!r}.encode()
HEADERS = {{**{headers!r}, "Authorization": f"Bearer {{os.environ[{variable!r}]}}"}}


class Attempt{number}(HttpUser):
    \"\"\"{promise}.\"\"\"

    host = {host!r}
    wait_time = constant_pacing(1)

    @task
    def attempt_{number}(self):
        sent = dict(data=BODY, headers=HEADERS, timeout={timeout}, name="attempt {number}", catch_response=True)
        with self.client.post({path!r}, **sent) as answer:
            if {wrong}:
                answer.failure(f"{{answer.status_code}} {{answer.text[:200]}}")
            else:
                answer.success()
"""


def _locust(case: _Case) -> str:
    parts = urlsplit(case.url)
    host = f"{parts.scheme}://{parts.netloc}"
    wrong = f"answer.status_code != {case.status}" if case.status else "not answer.status_code"
    wrong += f" or {json.dumps(case.code)} not in answer.text" if case.code else ""
    wrong += """ or '"id"' not in answer.text""" if case.accepted else ""
    return _python(_LOCUST, case, host=host, path=case.url.removeprefix(host) or "/", wrong=wrong)


def _python(template: str, case: _Case, **more: object) -> str:
    known = {"number": case.number, "url": case.url, "headers": dict(case.headers), "body": case.body}
    words = {"comments": case.comments("#"), "promise": case.promise, "variable": KEY_VARIABLE, "timeout": TIMEOUT}
    return template.format(**known, **words, **more)


def _bru(case: _Case) -> str:
    """Bruno. The body is text, because Bruno rewrites JSON; `{{` is escaped, because Bruno would fill it in."""
    headers = {**case.headers, "Authorization": f"Bearer {{{{process.env.{KEY_VARIABLE}}}}}"}
    checks = [f"res.status: eq {case.status}" if case.status else "res.status: gte 200"]
    checks += [f'res.body.errors[0].code: eq "{case.code}"'] if case.code else []
    checks += ["res.body.data.id: isString"] if case.accepted else []
    blocks = {
        "meta": [f"name: attempt {case.number}", "type: http", "seq: 1"],
        "post": [f"url: {case.url}", "body: text", "auth: none"],
        "headers": [f"{name}: {value}" for name, value in headers.items()],
        "body:text": case.body.replace("{{", "{\\u007b").splitlines(),
        "assert": checks,
        "docs": list(case.remarks),
    }
    return "\n".join(
        f"{name} {{\n" + "".join(f"  {line}\n" for line in lines) + "}\n" for name, lines in blocks.items()
    )


FORMS: Mapping[str, Callable[[_Case], str]] = MappingProxyType(
    {"curl": _curl, "pytest": _pytest, "locust": _locust, "bru": _bru}
)
