"""The answers of a HAR report, for judges who know `openapi.yaml` in their own way and nothing of this suite."""

import json
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

UNKNOWN = "not in the document"
RIGHT = "right"


class Answer(NamedTuple):
    """One answer, and the request's method and path. Header names are in lower case."""

    method: str
    path: str
    status: int
    headers: dict[str, str]
    text: str


def answers(har: Path) -> list[Answer]:
    """What the application answered with text. Requests that are no HTTP any more never reached it."""
    entries = json.loads(har.read_text(encoding="utf-8"))["log"]["entries"]
    return [_answer(entry["request"], entry["response"]) for entry in entries if _is_the_applications(entry)]


def spoiled(given: Iterable[Answer]) -> list[Answer]:
    """The same answers with codes that are numbers: a judge that finds nothing wrong with them judges nothing."""
    return [one._replace(text=re.sub(r'"code": ?"([0-9]+)"', r'"code": \1', one.text)) for one in given]


def verdict(said: Counter[str]) -> tuple[bool, str]:
    """Whether nothing is wrong, and the tally, a line each."""
    return set(said) <= {RIGHT, UNKNOWN}, "\n".join(f"{count:5} {text}" for text, count in said.most_common())


def _is_the_applications(entry: dict) -> bool:
    asked, answered = entry["request"], entry["response"]
    is_http = asked["comment"] in {"length", "chunked", "promise", "none"}
    return bool(answered["status"] and is_http and asked["method"] != "HEAD" and "encoding" not in answered["content"])


def _answer(asked: dict, answered: dict) -> Answer:
    headers = {pair["name"].lower(): pair["value"] for pair in answered["headers"]}
    return Answer(
        asked["method"], urlsplit(asked["url"]).path, answered["status"], headers, answered["content"]["text"]
    )
