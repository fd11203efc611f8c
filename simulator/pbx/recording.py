"""What went over the wire, as a file that others can read.

HAR is for browsers and proxies, JSONL for pipelines, a scenario to play it again with expectations. One attempt for
other tools is the business of `snippets.py`.

Keys are never in it: the ledger has none, and what comes from elsewhere loses its Authorization here.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from contracts.judge import Answer, error_code
from simulator.ledger.pbx import Attempt
from simulator.pbx.pbx import words
from simulator.pbx.personas import PERSONAS
from simulator.pbx.plan import Shot


@dataclass(frozen=True, slots=True)
class Entry:
    """One message on the wire: epoch seconds, the body as sent, and how it ended (status None: no answer)."""

    at: float
    url: str
    body: str
    status: int | None
    code: str | None
    seconds: float
    answer: str = ""
    persona: str = "office"

    @property
    def result(self) -> str:
        """The outcome in a word: the code, or the status, or "silence"."""
        return self.code or (str(self.status) if self.status else "silence")


def from_ledger(attempts: Iterable[Attempt]) -> Iterator[Entry]:
    """The exchanges of finished attempts."""
    for attempt in attempts:
        if request := attempt.exchange.get("request"):
            yield Entry(
                attempt.started_at,
                request["url"],
                request["body"],
                attempt.status,
                attempt.code,
                attempt.exchange["seconds"],
                (attempt.exchange["response"] or {}).get("body", ""),
                attempt.exchange.get("persona", "office"),
            )


def write(path: Path, entries: Iterable[Entry]) -> int:
    """Write a recording in the form that the name's ending says, an entry at a time; gives how many."""
    form, written = FORMS.get(path.suffix.lower(), FORMS[".jsonl"]), 0
    with path.open("w", encoding="utf-8") as file:
        file.write(form.head)
        for entry in entries:
            file.write(f"{form.between if written else ''}{form.line(entry)}\n")
            written += 1
        file.write(form.tail)
    return written


def read(path: Path) -> list[Entry]:
    """The messages of a recording by their time. Raises ValueError with a sentence that names the place."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        har = path.suffix.lower() == ".har"
        rows = json.loads(text)["log"]["entries"] if har else text.splitlines()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path.name} is no recording: {error}.") from error
    entries = []
    for number, row in enumerate(rows, 1):
        try:
            if not har or row["request"]["method"] == "POST":
                entries.append(_from_har(row) if har else Entry(**json.loads(row)))
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path.name}, entry {number} is no recorded message: {error}.") from error
    return sorted(entries, key=lambda entry: entry.at)


def replayed(entries: Iterable[Entry], speed: float) -> Iterator[Shot]:
    """The same bytes at the same pace, or at `speed` times it (0: all at once)."""
    first: float | None = None
    for number, entry in enumerate(entries):
        first = entry.at if first is None else first
        due = (entry.at - first) / speed if speed else 0.0
        sender, to, text = words(members(entry.body))
        persona = entry.persona if entry.persona in PERSONAS else "office"
        yield Shot(due, number, 0, persona, "sendmessage", 0, sender, to, text, entry.body.encode())


def members(body: str) -> Mapping[str, Any]:
    """The members of a body that is a JSON object; none of any other body."""
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        payload = None
    return payload if isinstance(payload, dict) else {}


def _to_har(entry: Entry) -> dict[str, Any]:
    milliseconds = entry.seconds * 1000
    empty = {"cookies": [], "headers": [], "httpVersion": "HTTP/1.1", "headersSize": -1}
    posted = {"mimeType": "application/json", "text": entry.body}
    content = {"size": len(entry.answer.encode()), "mimeType": "application/json", "text": entry.answer}
    response = {"status": entry.status or 0, "statusText": "", "content": content, "redirectURL": "", "bodySize": -1}
    return {
        "startedDateTime": datetime.fromtimestamp(entry.at, UTC).isoformat(timespec="microseconds"),
        "time": milliseconds,
        "request": {"method": "POST", "url": entry.url, "queryString": [], "postData": posted, "bodySize": -1, **empty},
        "response": {**response, **empty},
        "cache": {},
        "timings": {"send": 0, "wait": milliseconds, "receive": 0},
        "_persona": entry.persona,
    }


def _from_har(row: Mapping[str, Any]) -> Entry:
    answer = row["response"].get("content", {}).get("text", "")
    status = row["response"]["status"] or None
    return Entry(
        datetime.fromisoformat(row["startedDateTime"]).timestamp(),
        urlsplit(row["request"]["url"])._replace(query="").geturl(),
        row["request"]["postData"]["text"],
        status,
        error_code(Answer(status or 0, {}, answer.encode())),
        row["time"] / 1000,
        answer,
        row.get("_persona", "office"),
    )


class _Form(NamedTuple):
    line: Callable[[Entry], str]
    head: str = ""
    between: str = ""
    tail: str = ""


def _step(entry: Entry) -> str:
    """A scenario's step that sends the same bytes and expects what happened."""
    expected = {"status": entry.status} | ({"code": entry.code} if entry.code else {})
    return f"  - send: {json.dumps({'body': entry.body})}\n    expect: {json.dumps(expected)}"


_CREATOR = '{"name": "smslab pbx (simulator)", "version": "1"}'
FORMS: Mapping[str, _Form] = MappingProxyType(
    {
        ".jsonl": _Form(lambda entry: json.dumps(asdict(entry), ensure_ascii=False)),
        ".har": _Form(
            lambda entry: json.dumps(_to_har(entry), ensure_ascii=False),
            f'{{"log": {{"version": "1.2", "creator": {_CREATOR}, "entries": [\n',
            ",",
            "]}}\n",
        ),
        ".yaml": _Form(_step, "about: What was recorded happens again.\nsteps:\n"),
    }
)
