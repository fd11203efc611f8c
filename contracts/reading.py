"""How the suite's own YAML files are read: by libyaml where PyYAML brings it, seven times as fast, to equal values."""

from pathlib import Path
from typing import Any

import yaml

try:
    from yaml import CSafeLoader as Loader
except ImportError:
    from yaml import SafeLoader as Loader  # type: ignore[assignment]  # the same, in Python

__all__ = ["Loader", "read"]


def read(path: Path, loader: type[Loader] = Loader) -> Any:  # noqa: ANN401 - whatever the file holds
    """What a YAML file holds. The loaders are safe ones: plain values, and what they say themselves."""
    return yaml.load(path.read_text(encoding="utf-8"), loader)  # noqa: S506 - a safe loader
