"""Every setting of a gateway process, read once from the environment. Nothing else reads the environment.

`SMSLAB_CARRIER_URL` sets `carrier_url`, and so on; `smslab gateway serve --check-config` prints them all.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any
from urllib.parse import urlsplit

from gateway.crash import crash_point


def _setting(default: Any, help_text: str, least: float = 0) -> Any:  # noqa: ANN401  dataclass fields are typed where they stand
    return field(default=default, metadata={"help": help_text, "least": least})


@dataclass(frozen=True, slots=True)
class Settings:
    """One gateway process. Times are seconds, sizes bytes."""

    database_url: str = _setting(
        "sqlite:///smslab.sqlite", "SQLAlchemy URL: sqlite:///FILE or postgresql+psycopg://..."
    )
    redis_url: str = _setting("", "redis://... to share rate limits between processes; empty: in this process")
    carrier_url: str = _setting("http://127.0.0.1:8090", "where messages are submitted")
    carrier_key: str = field(default="", repr=False, metadata={"help": "bearer token for the carrier", "secret": True})
    carrier_batch: int = _setting(100, "messages per submission; 1 for a carrier that takes no batches", 1)
    carrier_workers: int = _setting(2, "submissions under way at once in one dispatcher", 1)
    attempt_deadline: float = _setting(10.0, "wall-clock limit of one submission", 0.1)
    validity: float = _setting(86400.0, "an order that could not be submitted for this long expires")
    dedup_window: float = _setting(86400.0, "how long the carrier remembers an Idempotency-Key")
    backlog_cap: int = _setting(10_000, "orders waiting for the carrier before new ones are refused with 10006")
    free_space_floor: int = _setting(64 << 20, "free bytes beside the database below which orders are refused")
    request_deadline: float = _setting(5.0, "an order that is not on disk by then is answered with 10007", 0.1)
    invalid_keys_per_second: int = _setting(100, "tries with a wrong key allowed to one address")
    receipt_secret: str = field(
        default="",
        repr=False,
        metadata={"help": "shared with the carrier; empty: receipts are refused", "secret": True},
    )
    receipt_window: float = _setting(300.0, "a receipt signed longer ago than this is refused as a replay")
    metrics_token: str = field(
        default="", repr=False, metadata={"help": "bearer token for /metrics; empty: open", "secret": True}
    )
    unsafe_durability: bool = _setting(False, "SQLite synchronous=NORMAL: a power cut may lose accepted orders")
    threads: int = _setting(64, "requests in progress at once in one worker", 1)
    crash_point: str = _setting("", "die where it says, for chaos runs: NAME or NAME:N for the N-th time")
    pin: bool = _setting(True, "keep each worker on one core (measured: x1.7)")


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return f"SMSLAB_{name.upper()}"


def from_env(environ: Mapping[str, str]) -> Settings:
    """The settings, or ValueError with a sentence that names the variable and what it should have been."""
    given: dict[str, Any] = {}
    for setting in fields(Settings):
        if (raw := environ.get(variable(setting.name))) is not None:
            least = setting.metadata.get("least", 0)
            given[setting.name] = _parse(variable(setting.name), raw, type(setting.default), least)
    settings = Settings(**given)
    _check_url(settings.carrier_url)
    crash_point(settings.crash_point)
    return settings


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        sound = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        sound = False
    if not sound:
        message = f"{variable('carrier_url')} must be an http or https address"
        raise ValueError(message)


def _parse(name: str, raw: str, kind: type[Any], least: float) -> object:
    if kind is bool:
        if raw.lower() not in {"0", "1", "false", "true"}:
            message = f"{name} must be 0 or 1"
            raise ValueError(message)
        return raw.lower() in {"1", "true"}
    try:
        value = kind(raw)
    except ValueError:
        message = f"{name} must be a number"
        raise ValueError(message) from None
    if kind is not str and not least <= value < math.inf:
        message = f"{name} must be at least {least}"
        raise ValueError(message)
    return value
