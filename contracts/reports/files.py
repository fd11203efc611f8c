"""The reports that go into files, by the kind a user asks for; each is imported when it is written."""

from collections.abc import Callable, Mapping
from importlib import import_module
from types import MappingProxyType

from contracts.reports.run import Run


def _report(module: str) -> Callable[[Run], str]:
    def as_text(run: Run) -> str:
        text: str = import_module(f"contracts.reports.{module}").as_text(run)
        return text

    return as_text


FILES: Mapping[str, Callable[[Run], str]] = MappingProxyType(
    {"json": _report("as_json")} | {kind: _report(kind) for kind in ("junit", "sarif", "html", "har", "github")}
)
