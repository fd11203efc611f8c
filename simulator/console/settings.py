"""Everything one console process is told, once, before it starts."""

import secrets
from dataclasses import dataclass, field

from contracts.target import is_loopback
from simulator.console.lab import LabView

LEAST = 16  # characters of a token


@dataclass(frozen=True, slots=True)
class Settings:
    """One console. `token` is demanded at the door if set; `secret` signs cookies and dies with the process."""

    lab: LabView
    host: str = "127.0.0.1"
    port: int = 8070
    token: str = field(default="", repr=False)
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)

    def __post_init__(self) -> None:
        """Refuses to stand open: ValueError if others can reach it without a token, or by guessing one."""
        if not self.token and not is_loopback(f"//{self.bound}"):
            raise ValueError("A console that other machines can reach needs a token (--token-file).")
        if self.token and len(self.token) < LEAST:
            raise ValueError(f"The token is short enough to be guessed; it needs {LEAST} characters.")

    @property
    def bound(self) -> str:
        """The address as it stands in a URL."""
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def url(self) -> str:
        """Where the console answers."""
        return f"http://{self.bound}:{self.port}"
