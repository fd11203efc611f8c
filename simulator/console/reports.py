"""Reports that other commands have left in the lab's directory or in `var/`: found, listed, and served locked up."""

import hashlib
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Final, NamedTuple

from flask import Response

VAR: Final = Path("var")
# Where `smslab contract verify --report html=FILE`, `smslab load run` and `smslab demo` put them.
SPOTS: Final = (
    ("contract", "contract*.html"),
    ("contract", "*/contract*.html"),
    ("contract", "runs/*/contract.html"),
    ("load", "load/*/report.html"),
    ("load", "*/load/*/report.html"),
    ("demo", "demo-*/report.html"),
)
# A report is somebody else's page: it has its own style, and may run, send and load nothing.
CSP: Final = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
)
TITLE = re.compile(r"<title>([^<]*)</title>", re.IGNORECASE)


class Report(NamedTuple):
    """One report file; `id` is its address here, which tells nothing of its path."""

    id: str
    kind: str
    title: str
    path: Path
    at: float


def reports(*directories: Path) -> list[Report]:
    """Every report that is found, the newest first; each file once."""
    found = {report.id: report for directory in directories for report in _in(directory)}
    return sorted(found.values(), key=lambda report: report.at, reverse=True)


def served(report: Report) -> Response:
    """The file, behind a policy of its own."""
    response = Response(report.path.read_bytes(), mimetype="text/html")
    response.headers["Content-Security-Policy"] = CSP
    return response


def _in(directory: Path) -> Iterator[Report]:
    for kind, spot in SPOTS:
        for path in directory.glob(spot):
            with path.open("rb") as file:
                head = file.read(4096).decode(errors="replace")
            title = TITLE.search(head)
            identity = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:16]
            name = unescape(title[1]) if title else path.parent.name
            yield Report(identity, kind, name, path, path.stat().st_mtime)
