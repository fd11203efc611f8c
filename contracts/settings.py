"""What a target file may say: the names of its settings, their types, and URLs that can be asked as they stand.

Each fault is one sentence, in a `ValueError`, before anything is sent. What the settings mean is in `target.py`.
"""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

_TEXT, _TABLE, _LIST = (str, "a text"), (dict, "a table"), (list, "a list")
_COUNT, _AMOUNT = (int, "a whole number"), (int | float, "a number")
SETTINGS: Mapping[str, tuple[Any, str]] = MappingProxyType(
    dict.fromkeys(("name", "send_url", "verify_url", "key_env", "key_file", "from", "to"), _TEXT)
    | dict.fromkeys(("provoke", "unprovokable", "carrier"), _TABLE)
    | {"only_to": _LIST, "max_accepted": _COUNT, "rate": _AMOUNT, "timeout": _AMOUNT}
)
_HOST = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?:\.(?!-)[a-z0-9_-]{1,63})*\.?")
_PLACE = "must have a host and a port from 1 to 65535"


def check(table: Mapping[str, Any]) -> None:
    """Raise `ValueError` unless every setting is known and of its type, and every URL can be asked."""
    if unknown := set(table) - set(SETTINGS):
        raise ValueError(f"The target has unknown settings: {', '.join(sorted(unknown))}.")
    for name, value in table.items():
        _check_type(name, value)
    if not table.get("send_url"):
        raise ValueError("The provider needs --send-url or a --target file with send_url.")
    for name, url in _urls(table):
        if fault := "must be a text" if not isinstance(url, str) else url_fault(url):
            raise ValueError(f"{name} {fault}, but is {url!r}.")


def url_fault(url: str) -> str:
    """What a usable URL must be and this one is not, or nothing. Nothing is stripped or encoded for anybody."""
    if not url.isascii() or not url.isprintable() or " " in url:
        return "must be printable ASCII without blanks (a name of another script in its xn-- form)"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # also said of brackets that hold no IPv6 address
        return _PLACE
    if parts.scheme not in {"http", "https"} or parts.username is not None:
        return "must be an http or https URL without credentials"
    if not parts.hostname or port == 0 or parts.netloc.endswith(":"):
        return _PLACE
    if ":" not in parts.hostname and not _HOST.fullmatch(parts.hostname):
        return "must have a host that is a name or an address"
    return "must not have a fragment" if "#" in url else ""


def _check_type(name: str, value: object) -> None:
    kind, word = SETTINGS[name]
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ValueError(f"{name} must be {word}, not {value!r}.")  # noqa: TRY004 - said of what a person wrote
    least = 0 if name == "max_accepted" else 1e-9
    if isinstance(value, int | float) and not value >= least:
        raise ValueError(f"{name} must be more than nothing, not {value!r}.")


def _urls(table: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """Every URL in the table, by the name of its place."""
    yield from ((name, table[name]) for name in ("send_url", "verify_url") if table.get(name))
    steps = {"carrier": table.get("carrier", {})}
    for code, how in table.get("provoke", {}).items():
        clear = how.get("clear", {}) if isinstance(how, dict) else None
        if not isinstance(clear, dict):
            raise ValueError(f"provoke.{code} must be a table, and so must its clear.")  # noqa: TRY004 - as above
        steps |= {f"provoke.{code}": how, f"provoke.{code}.clear": clear}
    for step, row in steps.items():
        yield from ((f"{step}.{name}", row[name]) for name in ("url", "messages_url") if name in row)
