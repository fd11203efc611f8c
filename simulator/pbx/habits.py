"""What nobody outside Yeastar knows about the PBX, each as a setting with the assumption it rests on.

A setting is changed in the `[habits]` table of a channel file; docs/unknowns.md lists them all.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from math import isfinite
from typing import Any

_SIGNED = {"clock_offset"}  # everything else counts from zero


def _assumed(default: Any, assumption: str) -> Any:  # noqa: ANN401 - dataclass fields are typed where they stand
    return field(default=default, metadata={"assumption": assumption})


@dataclass(frozen=True, slots=True)
class Habits:
    """How this PBX behaves where public material is silent. Times are seconds."""

    timeout: float = _assumed(10.0, "A PBX gives up on an answer after 10 s, counted from the first byte sent.")
    retries: int = _assumed(0, "It does not try again by itself; agents and campaigns do.")
    retry_statuses: tuple[int, ...] = _assumed((429, 500), "If it retries, then on what a provider calls temporary.")
    retry_timeouts: bool = _assumed(False, "It does not retry without an answer: that would send twice.")
    retry_wait: float = _assumed(1.0, "It waits 1 s between tries when no Retry-After tells it otherwise.")
    honour_retry_after: bool = _assumed(True, "It waits as long as Retry-After says, up to a minute.")
    media_urls: str = _assumed("absent", "A text without files has no media_urls; others send null or [].")
    user_agent: str = _assumed("Yeastar-P-Series (simulator)", "Its User-Agent is unknown; ours says what it is.")
    success: tuple[int, ...] = _assumed((200,), "Only 200 counts as sent; every adapter seen answers 200.")
    verify_challenge: bool = _assumed(True, "Verification carries ?challenge=X; the provider's page shows none.")
    verify_every: float = _assumed(300.0, "The channel is verified again every 5 minutes to see that it lives.")
    clock_offset: float = _assumed(0.0, "Its clock is right; without NTP all it records is so many seconds off.")
    answer_limit: int = _assumed(65536, "It reads at most 64 KiB of an answer.")


def read(table: Mapping[str, Any]) -> Habits:
    """Habits from a `[habits]` table. Raises ValueError with a sentence that names the setting."""
    known = {setting.name: setting.default for setting in fields(Habits)}
    given: dict[str, Any] = {}
    for name, value in table.items():
        if name not in known:
            raise ValueError(f"habits has no {name!r}; it knows: {', '.join(known)}.")
        given[name] = _fitting(name, value, known[name])
    if given.get("media_urls", "absent") not in {"absent", "null", "list"}:
        raise ValueError("habits.media_urls must be absent, null or list.")
    return Habits(**given)


def _fitting(name: str, value: object, default: object) -> object:
    if isinstance(default, tuple) and isinstance(value, list) and all(type(one) is int for one in value):
        return tuple(value)
    if isinstance(default, float) and type(value) in {int, float}:
        number = float(str(value))
        if isfinite(number) and (number >= 0 or name in _SIGNED):
            return number
    elif type(value) is type(default) and not (isinstance(value, int) and value < 0):
        return value
    raise ValueError(f"habits.{name} cannot be {value!r}; the default is {default!r}.")
