"""The tables of requests (`scenarios.yaml`, `cases/*.yaml`) as calls ready to be sent, with the answers they expect.

Nothing here sends or judges. The form of the tables is told at the top of `scenarios.yaml`.
"""

import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import yaml

from contracts import spec
from contracts.reading import Loader, read
from contracts.target import KEY_VARIABLE, Target
from contracts.wire import Call

KEY_HEADER = f"Bearer ${{{KEY_VARIABLE}}}"
_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Case:
    """One request and what it must be answered: for each rule the outcomes that keep it, such as "400/10002"."""

    name: str
    says: str
    call: Call
    expect: Mapping[str, tuple[str, ...]]
    message: Mapping[str, Any] | None = None  # the message in it, if it is one that JSON can tell
    challenge: str | None = None

    @property
    def is_acceptable(self) -> bool:
        """Whether a provider may accept it as a message, which costs a real SMS."""
        outcomes = itertools.chain.from_iterable(self.expect.values())
        return self.call.operation == "sendmessage" and any(outcome in {"200", "*"} for outcome in outcomes)


def scenarios(target: Target) -> tuple[Case, ...]:
    """The named scenarios: what every provider must do, in the order of the file."""
    return _from_file("scenarios.yaml", target)


def near_misses(target: Target) -> tuple[Case, ...]:
    """Requests that are almost right: keys, numbers, fields, texts, media, challenges."""
    return _from_file("cases/near.yaml", target)


def raw(target: Target) -> tuple[Case, ...]:
    """Requests that no HTTP library would send."""
    return _from_file("cases/raw.yaml", target)


def order(target: Target) -> tuple[Case, ...]:
    """Every pair of faults in one request: the earlier fault must win."""
    faults = _table("cases/order.yaml")
    return tuple(_pair(earlier, later, target) for earlier, later in itertools.combinations(faults, 2))


def documents(target: Target) -> tuple[Case, ...]:
    """JSON of the parser test suites inside a message: what no parser may take is refused, the rest accepted."""
    table = _table("cases/json.yaml")
    start = json.dumps(_base(target) | {"text": "JSON of the test suites"})[:-1]
    good = f'{start}, "x": [{", ".join(table["y"])}]}}'
    rows = [("json-y", good, {"YS-JSON-03": "200"})]
    for family, rule in (("n", "YS-JSON-01"), ("lenient", "YS-JSON-02")):
        rows += [
            (f"json-{family}-{name}", f'{start}, "x": {text}}}', {rule: "400/10002"})
            for name, text in table[family].items()
        ]
    return tuple(
        _case({"name": name, "says": f"JSON: {name}.", "body": text.replace("$", "$$"), "expect": expect}, target)
        for name, text, expect in rows
    )


def naughty(target: Target) -> tuple[Case, ...]:
    """Strings that break programs: some twenty to a text, and each as a recipient."""
    strings = naughty_strings()
    texts = ["\n".join(strings[start : start + 20]) for start in range(0, len(strings), 20)]
    rows: list[dict[str, Any]] = [
        {"name": f"naughty-text-{number}", "message": {"text": text}, "expect": {"YS-TXT-05": "200"}}
        for number, text in enumerate(texts)
    ]
    for number, text in enumerate(strings):
        rule = "YS-NUM-01" if text.isascii() else "YS-NUM-03"
        rows.append({"name": f"naughty-to-{number}", "message": {"to": text}, "expect": {rule: "400/10001"}})
    return tuple(_case(row | {"says": "A naughty string."}, target) for row in rows)


def naughty_strings() -> tuple[str, ...]:
    """The strings by themselves, for whoever tries them elsewhere."""
    return tuple(_table("cases/naughty.yaml"))


def send(target: Target, name: str = "send", **message: Any) -> Case:  # noqa: ANN401 - fields of any JSON type
    """A case that sends the target's own message with these differences; accepted is what it expects."""
    row = {"name": name, "says": "A good message.", "message": message, "expect": {"YS-OK-06": "200"}}
    return _case(row, target)


def verify(target: Target, challenge: str | None = None) -> Case:
    """A case that asks verify, with or without a challenge; only for targets that have it."""
    row = {"name": "verify", "says": "Is the key good?", "verify": True, "expect": {"YS-VER-01": "200"}}
    return _case(row | ({} if challenge is None else {"challenge": challenge}), target)


def with_key(case: Case, value: str) -> Case:
    """The same case with another Authorization header."""
    headers = tuple(item for item in case.call.headers if item[0] != "Authorization")
    return replace(case, call=replace(case.call, headers=(*headers, ("Authorization", value))))


def _from_file(name: str, target: Target) -> tuple[Case, ...]:
    rows = [row for row in _table(name) if target.verify_url or not row.get("verify")]
    return tuple(_case(row, target) for row in rows)


def _case(row: Mapping[str, Any], target: Target) -> Case:
    operation = "verify" if row.get("verify") else "sendmessage"
    route = next(route for route in spec.routes() if route.operation == operation)
    message = _message(row, target)
    body = b"" if row.get("verify") else _body(row, message, target)
    url = _url(row, (target.verify_url or "") if row.get("verify") else target.send_url)
    known = urlsplit(url).path in {urlsplit(u).path for u in (target.send_url, target.verify_url or target.send_url)}
    call = Call(
        operation if known else "",
        row.get("method", route.method),
        url,
        tuple(_headers(row, operation)),
        body,
        row.get("framing", "length"),
        row.get("head", ""),
    )
    expect = {
        rule: (outcomes,) if isinstance(outcomes, str) else tuple(outcomes) for rule, outcomes in row["expect"].items()
    }
    return Case(row["name"], row["says"], call, expect, message, row.get("challenge"))


def _base(target: Target) -> dict[str, Any]:
    return {"from": target.from_number, "to": target.to_number, "text": "Yeastar SMS Lab: contract test"}


def _message(row: Mapping[str, Any], target: Target) -> dict[str, Any] | None:
    if "body" in row or row.get("verify"):
        return None
    message = _base(target) | row.get("message", {})
    return {name: value for name, value in message.items() if name not in row.get("without", ())}


def _body(row: Mapping[str, Any], message: object, target: Target) -> bytes:
    if message is not None:
        return json.dumps(message, ensure_ascii=False).encode()
    pieces = row["body"] if isinstance(row["body"], list) else [row["body"]]
    return b"".join(piece if isinstance(piece, bytes) else _filled(piece, target) for piece in pieces)


def _filled(text: str, target: Target) -> bytes:
    numbers = {"from": target.from_number, "to": target.to_number}
    return Template(text).safe_substitute(numbers).encode("utf-16-le" if isinstance(text, _Utf16) else "utf-8")


def _url(row: Mapping[str, Any], url: str) -> str:
    parts = urlsplit(url)
    query = str(row.get("query", parts.query))
    if "challenge" in row:
        query = f"challenge={quote(row['challenge'], safe='')}"
    path = str(row.get("path", "+"))
    changed = parts.path.upper() if path == "^" else parts.path + path[1:] if path[0] == "+" else path
    return urlunsplit((parts.scheme, parts.netloc, changed, query, ""))


def _headers(row: Mapping[str, Any], operation: str) -> Iterator[tuple[str, str]]:
    headers = {"Content-Type": "application/json"} if operation == "sendmessage" else {}
    yield from ((name, value) for name, value in (headers | row.get("headers", {})).items() if value is not None)
    keys = row.get("two_keys", [row.get("key", KEY_HEADER)])
    yield from (("Authorization", key) for key in keys if key is not None)


def _pair(earlier: Mapping[str, Any], later: Mapping[str, Any], target: Target) -> Case:
    return _case(
        {
            "name": f"order-{earlier['name']}-{later['name']}",
            "says": f"A fault of {earlier['name']} is told before one of {later['name']}.",
            "key": earlier.get("key", KEY_HEADER),
            "message": later.get("message", {}) | earlier.get("message", {}),
            "expect": {earlier["rule"]: earlier["outcome"]},
        },
        target,
    )


class _Utf16(str):
    """A text that goes out in UTF-16."""

    __slots__ = ()


class _Loader(Loader):
    """YAML with `!repeat [text, times, behind, before]`, `!hex "00ff"` and `!utf16 text`."""


def _repeat(loader: Loader, node: yaml.SequenceNode) -> str:
    text, times, *around = loader.construct_sequence(node)
    behind, before = (*around, "", "")[:2]
    return f"{before}{str(text) * int(times)}{behind}"


_Loader.add_constructor("!repeat", _repeat)
_Loader.add_constructor("!hex", lambda _, node: bytes.fromhex(str(node.value)))
_Loader.add_constructor("!utf16", lambda _, node: _Utf16(node.value))


@cache
def _table(name: str) -> Any:  # noqa: ANN401 - whatever the file holds
    return read(_HERE / name, _Loader)
