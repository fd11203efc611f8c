"""A message before it leaves: what the form says, the exact request it becomes, and the command that does the same."""

import json
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, NamedTuple

from contracts.target import Target
from simulator.console.ready import naughty, ready
from simulator.console.ruler import measure
from simulator.console.shelf import LAB, Entry
from simulator.ledger.pbx import Attempt
from simulator.pbx.habits import Habits
from simulator.pbx.pbx import request, written


@dataclass(frozen=True, slots=True)
class Draft:
    """One message in the making. An empty `from_number` is the channel's own."""

    channel: str = LAB
    from_number: str = ""
    to: str = ""
    text: str = ""
    media: tuple[str, ...] = ()


class Request(NamedTuple):
    """What will cross the wire, the key masked."""

    head: str
    body: str


def drafted(form: Mapping[str, str]) -> Draft:
    """What a form says. Browsers end lines with CR LF; the PBX, as people type, with LF."""
    text = form.get("text", "").replace("\r\n", "\n")
    media = tuple(form.get("media", "").split())
    return Draft(form.get("channel", LAB), form.get("from", ""), form.get("to", ""), text, media)


def repeated(attempt: Attempt, entry: Entry) -> Draft:
    """The message of an attempt once more, through a channel."""
    body: Any = attempt.exchange.get("request", {}).get("body", "")
    try:
        links = json.loads(body).get("media_urls") or []
    except (ValueError, AttributeError, RecursionError):
        links = []
    media = tuple(map(str, links)) if isinstance(links, list) else ()
    is_usual = entry.target is not None and attempt.from_number == entry.target.from_number
    return Draft(entry.name, "" if is_usual else attempt.from_number, attempt.to, attempt.text, media)


def as_request(target: Target, habits: Habits, draft: Draft, masked: str) -> Request:
    """The request exactly as it will leave, but with `masked` for the key."""
    payload = written(habits, draft.from_number or target.from_number, draft.to, draft.text, draft.media)
    call = request(target, habits, "POST", target.send_url, json.dumps(payload).encode())
    lines = [f"{name.decode()}: {value.decode()}" for name, value in call.headers.raw]
    head = "\n".join([f"POST {call.url.raw_path.decode()} HTTP/1.1", *lines])
    return Request(head.replace(target.key, masked), call.content.decode())


def command_line(entry: Entry, draft: Draft, ledger: Path) -> str:
    """The command that sends the same."""
    words = ["smslab", "pbx", "send", *entry.options, "--ledger", str(ledger), "--to", draft.to]
    words += ["--from", draft.from_number] if draft.from_number else []
    words += [word for link in draft.media for word in ("--media-url", link)]
    return shlex.join([*words, "--", draft.text])


def picked(draft: Draft, kind: str, choice: str, usual: str) -> Draft:
    """The draft after a click on something ready; `usual` is who receives if the draft's number was a ready bad one."""
    return PICKS[kind](draft, choice, usual) if kind in PICKS else draft


def _ready(draft: Draft, choice: str, usual: str) -> Draft:
    known = ready()
    row = known.get(choice)
    if row is None:
        return draft
    is_bad = draft.to in {one.to for one in known.values()}
    return replace(draft, text=row.text, media=row.media, to=row.to or (usual if is_bad else draft.to))


PICKS: Final[Mapping[str, Callable[[Draft, str, str], Draft]]] = {
    "to": lambda draft, choice, _: replace(draft, to=choice),
    "ready": _ready,
    "naughty": lambda draft, choice, _: replace(draft, text=naughty().get(choice, draft.text)),
    "smart": lambda draft, *_: replace(draft, text=measure(draft.text).smart or draft.text),
}
