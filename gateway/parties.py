"""Who may send: what a key says about its integration, its account and its sender."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Integration:
    """One PBX's connection as one key sees it, read together so that no half-changed state is used."""

    id: int
    key_id: int
    rate: int
    enabled: bool
    account_active: bool
    sender: str | None
    sender_approved: bool
    allowed_from: frozenset[str]
    allowed_countries: frozenset[int]
