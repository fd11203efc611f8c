"""Reads a request's body the strict way: whatever is not one plain JSON object in UTF-8 is refused with 10002.

Werkzeug cuts a chunked body at MAX_CONTENT_LENGTH without a word, and `json.loads` takes UTF-16, NaN, duplicate keys
and lone surrogates; both are bypassed here.
"""

import json
import math
from collections.abc import Iterable
from typing import Any, NamedTuple, NoReturn

from gateway.contract import INVALID_PARAMETER, MAX_BODY_BYTES, Refusal

MAX_DEPTH = 64  # levels; without a limit of ours the interpreter's stack would decide
TOO_DEEP = "The body is nested too deeply"

Environ = dict[str, Any]


class Message(NamedTuple):
    """The fields of a send request, of the right types and otherwise unchecked."""

    from_number: str
    to: str
    text: str | None
    media_urls: list[str]


def read_message(environ: Environ) -> Message:
    """The message in the request, or 10002: media type, size, encoding, JSON, field types, in that order."""
    check_media_type(environ)
    document = parse(read_body(environ))
    for name in ("from", "to"):
        if not isinstance(document.get(name), str):
            raise bad(f"{name} is required and must be a string")
    text, media = document.get("text"), document.get("media_urls")
    if not (text is None or isinstance(text, str)):
        raise bad("text must be a string")
    if media is not None and not (isinstance(media, list) and all(isinstance(url, str) for url in media)):
        raise bad("media_urls must be an array of strings")
    return Message(document["from"], document["to"], text, media or [])


def bad(detail: str, status: int | None = None) -> Refusal:
    """10002 with this detail."""
    return Refusal(INVALID_PARAMETER, detail, status=status)


def check_media_type(environ: Environ) -> None:
    """`application/json`, in UTF-8, not compressed; or 415."""
    if environ.get("CONTENT_TYPE") == "application/json" and "HTTP_CONTENT_ENCODING" not in environ:
        return  # what nearly everybody sends
    media_type, *parameters = (part.strip().lower() for part in environ.get("CONTENT_TYPE", "").split(";"))
    charsets = [p.partition("=")[2].strip('"') for p in parameters if p.startswith("charset=")]
    if media_type != "application/json" or any(charset != "utf-8" for charset in charsets):
        if not media_type and _declared_length(environ) == 0:
            raise bad("The request needs a JSON body")
        raise bad("Content-Type must be application/json in UTF-8", status=415)
    if environ.get("HTTP_CONTENT_ENCODING", "identity").lower() != "identity":
        raise bad("The body must not be compressed", status=415)


def read_body(environ: Environ) -> bytes:
    """Every byte of the body, at most `MAX_BODY_BYTES` of them, or 413. The limit is exact for chunked bodies too."""
    declared = _declared_length(environ)
    if declared is not None and declared > MAX_BODY_BYTES:
        raise bad(f"The body is longer than {MAX_BODY_BYTES} bytes", status=413)
    wanted = MAX_BODY_BYTES + 1 if declared is None else declared
    body = _read(environ["wsgi.input"], wanted)
    if declared is None and len(body) > MAX_BODY_BYTES:
        raise bad(f"The body is longer than {MAX_BODY_BYTES} bytes", status=413)
    if declared is not None and len(body) < declared:
        raise bad("The body is shorter than its Content-Length")
    return body


def _declared_length(environ: Environ) -> int | None:
    """Content-Length, or None for a chunked body, whose end is found by reading."""
    if "HTTP_TRANSFER_ENCODING" in environ:
        return None
    length = environ.get("CONTENT_LENGTH") or "0"
    if not (length.isascii() and length.isdigit()):
        raise bad("Content-Length must be a number")
    return int(length) if len(length) < 20 else MAX_BODY_BYTES + 1


def _read(stream: Any, wanted: int) -> bytes:  # noqa: ANN401  each server has a stream class of its own
    parts, missing = [], wanted
    try:
        while missing and (part := stream.read(missing)):
            parts.append(part)
            missing -= len(part)
    except Exception as broken:  # gunicorn raises its own kinds for broken chunks, granian OSError
        raise bad("The body could not be read") from broken
    return b"".join(parts)


def parse(body: bytes) -> dict[str, Any]:
    """One JSON object: UTF-8 without BOM, no duplicate keys, finite numbers, no NUL, no lone surrogate."""
    try:
        raw = body.decode("utf-8")
        document = STRICT.decode(raw)
    except RecursionError:
        raise bad(TOO_DEEP) from None
    except ValueError as fault:
        raise bad(_sentence(fault)) from None
    if not isinstance(document, dict):
        raise bad("The body must be a JSON object")
    if raw.count("[") + raw.count("{") > MAX_DEPTH and _depth(document) > MAX_DEPTH:
        raise bad(TOO_DEEP)
    if "\\u" in raw and not all(map(_clean, _strings(document))):  # only an escape can bring them in
        raise bad("The body holds a NUL or half of a surrogate pair")
    return document


def _sentence(fault: ValueError) -> str:
    if isinstance(fault, UnicodeDecodeError):
        return "The body is not UTF-8"
    if isinstance(fault, json.JSONDecodeError):
        return f"The body is not JSON: {fault.msg} at character {fault.pos}"
    return "The body is not JSON: a key is given twice or a number is out of range"


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError
    return document


def _no_constant(_name: str) -> NoReturn:
    raise ValueError


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError
    return number


STRICT = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite)


def _depth(document: dict[str, Any]) -> int:
    level: list[Any] = [document]
    depth = 0
    while level:
        depth += 1
        level = [child for node in level for child in _children(node)]
    return depth


def _children(node: object) -> Iterable[Any]:
    return node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()


def _strings(document: dict[str, Any]) -> list[str]:
    """Every string of the document, keys included; a stack of our own, because nesting may be deep."""
    found: list[str] = []
    stack: list[Any] = [document]
    while stack:
        node = stack.pop()
        if isinstance(node, str):
            found.append(node)
        elif isinstance(node, dict):
            stack += [*node.keys(), *node.values()]
        elif isinstance(node, list):
            stack += node
    return found


def _clean(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
