"""Faults of the answer: the messages were taken, and what is said about them is nonsense."""

import zlib
from dataclasses import dataclass
from functools import cache
from typing import Literal

from flask import Response, json

from simulator.carrier.fault import Fault, Strike
from simulator.carrier.wire import Wire, answer, raw_response

HTML = b"<!doctype html><title>simulator</title><h1>502 Bad Gateway</h1>"


@dataclass
class Garble(Fault):
    """A 200 that is not what it should be.

    form: `html`, `empty`, `truncated` (half the JSON, honest length), `short` (half the bytes promised, then
    the line closes), `wrong-id` (ids and keys that nobody knows).
    """

    form: Literal["html", "empty", "truncated", "short", "wrong-id"] = "html"

    def answer(self, strike: Strike, response: Response) -> Response:  # noqa: ARG002 - a hook
        data, kind = response.get_data(), "application/json"
        if self.form == "short":
            return Wire([raw_response(response)[: -len(data) // 2]], "close")
        if self.form == "wrong-id":
            return answer(200, _stranger(json.loads(data)))
        half = data[: len(data) // 2]
        body, kind = {"html": (HTML, "text/html"), "empty": (b"", kind), "truncated": (half, kind)}[self.form]
        return Response(body, 200, content_type=kind)


@dataclass
class GzipBomb(Fault):
    """A 200 whose small gzip body unpacks to `megabytes` (at most 2000) of spaces, asked for or not."""

    megabytes: int = 300

    def answer(self, strike: Strike, response: Response) -> Response:  # noqa: ARG002 - a hook
        bomb = Response(_bomb(min(self.megabytes, 2000)), 200, content_type="application/json")
        bomb.headers["Content-Encoding"] = "gzip"
        return bomb


def _stranger(body: dict[str, object]) -> dict[str, object]:
    results = body.get("results")
    if isinstance(results, list):
        return {**body, "results": [_stranger(result) for result in results]}
    return {**body, "id": "SIM999999999999", "key": "a-key-nobody-knows"}


@cache
def _bomb(megabytes: int) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    block = b" " * 1024 * 1024
    return b"".join([*(packer.compress(block) for _ in range(megabytes)), packer.flush()])
