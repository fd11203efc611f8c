"""The reports that go into files, by the kind a user asks for."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from contracts.reports import as_json, github, har, html, junit, sarif
from contracts.reports.run import Run

FILES: Mapping[str, Callable[[Run], str]] = MappingProxyType(
    {
        "json": as_json.as_text,
        "junit": junit.as_text,
        "sarif": sarif.as_text,
        "html": html.as_text,
        "har": har.as_text,
        "github": github.as_text,
    }
)
