"""Do the two accounts agree? A pure function over what the PBX tried and what the carrier took.

The promise it checks: 200 means taken exactly once and unchanged, a refusal means never, no answer means at
most once. Messages are joined by order id (the carrier's key); what has no id is joined by its content.
"""

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, get_origin, get_type_hints

from simulator.ledger.carrier import Delivery
from simulator.ledger.pbx import Attempt
from simulator.ledger.segments import segments

WRONG = "wrong"
Ids = tuple[str, ...]
Content = tuple[str, str]
ENDS = {"queued": "pending", "refused": "refused_by_carrier", "expired": "expired", "cancelled": "cancelled"}


@dataclass(frozen=True, slots=True)
class Balance:
    """Order ids by what became of them; `#7` is the PBX's attempt 7, which has none.

    `in_flight` is the largest number of attempts that were open at one time: it bounds what one cut can leave
    indeterminate.
    """

    sent: Annotated[Ids, "attempts of the PBX"] = ()
    accepted: Annotated[Ids, "answered 200 with an id"] = ()
    refused: Annotated[Ids, "answered with a refusal"] = ()
    delivered: Annotated[Ids, "accepted, and taken by the carrier once, unchanged"] = ()
    pending: Annotated[Ids, "accepted, and still queued"] = ()
    refused_by_carrier: Annotated[Ids, "accepted, and refused for good by the carrier"] = ()
    expired: Annotated[Ids, "accepted, and expired before the carrier took it"] = ()
    cancelled: Annotated[Ids, "accepted, and cancelled"] = ()
    indeterminate: Annotated[Ids, "never answered: may have been taken, at most once"] = ()
    indeterminate_delivered: Annotated[Ids, "taken by the carrier for an attempt whose end was not known"] = ()
    lost: Annotated[Ids, "accepted, and the carrier never got it", WRONG] = ()
    duplicated: Annotated[Ids, "taken by the carrier more than once", WRONG] = ()
    altered: Annotated[Ids, "taken with another text, number or count of segments", WRONG] = ()
    phantom: Annotated[Ids, "taken by the carrier, and nobody sent it", WRONG] = ()
    false_id: Annotated[Ids, "answered 200 with no id, one that nobody knows, or one given before", WRONG] = ()
    refused_yet_delivered: Annotated[Ids, "refused, and taken by the carrier all the same", WRONG] = ()
    disputed: Annotated[Ids, "taken by the carrier, and ended otherwise by the gateway's account", WRONG] = ()
    in_flight: int = 0

    @property
    def is_true(self) -> bool:
        """Nothing wrong was found."""
        return not any(getattr(self, name) for name, _, wrong in kinds() if wrong)


def kinds() -> list[tuple[str, str, bool]]:
    """Each kind: its name, its meaning, and whether a single one of it breaks the promise."""
    hints = get_type_hints(Balance, include_extras=True)
    metadata = {name: hint.__metadata__ for name, hint in hints.items() if get_origin(hint) is Annotated}
    return [(name, said[0], WRONG in said) for name, said in metadata.items()]


def balance(
    attempts: Iterable[Attempt],
    deliveries: Iterable[Delivery],
    orders: Iterable[Mapping[str, Any]] | None = None,
    doubts: Container[str] = (),
) -> Balance:
    """Reconcile. Without the gateway's orders whatever was accepted and is not at the carrier counts as lost.

    `doubts` are the ids that the gateway's event log calls indeterminate: it had to answer 500 without knowing.
    """
    tried = list(attempts)
    states = None if orders is None else {str(order["id"]): str(order["state"]) for order in orders}
    taken: dict[str, list[Delivery]] = defaultdict(list)
    for delivery in deliveries:
        taken[delivery.key or f"{delivery.id} (no key)"].append(delivery)
    found: dict[str, list[str]] = defaultdict(list)
    promised: set[str] = set()
    for attempt in tried:
        _place(attempt, taken, states, promised, found)
    _unasked([(key, taken[key]) for key in taken if key not in promised], tried, states, doubts, found)
    found["duplicated"] = [key for key, copies in taken.items() if len(copies) > 1]
    ids = {kind: tuple(members) for kind, members in found.items()}
    return Balance(**ids, in_flight=_peak(tried))


def _place(
    attempt: Attempt,
    taken: Mapping[str, list[Delivery]],
    states: Mapping[str, str] | None,
    promised: set[str],
    found: Mapping[str, list[str]],
) -> None:
    number, order = f"#{attempt.number}", attempt.order_id
    found["sent"].append(order or number)
    if attempt.status != 200:
        found["indeterminate" if attempt.indeterminate else "refused"].append(number)
    elif not order or order in promised:
        found["false_id"].append(f"{order or ''}{number}")
    else:
        promised.add(order)
        found["accepted"].append(order)
        for kind in _fate(attempt, taken.get(order, []), "" if states is None else states.get(order)):
            found[kind].append(order)


def _fate(attempt: Attempt, copies: list[Delivery], state: str | None) -> list[str]:
    if not copies:
        return ["false_id" if state is None else ENDS.get(state, "lost")]
    wrong = ["altered"] * any(_altered(attempt, copy) for copy in copies)
    if state not in {"", "submitted", "queued"}:
        wrong.append("disputed")
    return wrong or ["delivered"] * (len(copies) == 1)


def _altered(attempt: Attempt, copy: Delivery) -> bool:
    return _content(attempt) != _content(copy) or segments(attempt.text) != (copy.encoding, copy.segments)


def _content(message: Delivery | Attempt) -> Content:
    """What must arrive unchanged. The sender is the integration's own and never the number of the PBX."""
    return message.to, message.text


def _unasked(
    strangers: Iterable[tuple[str, list[Delivery]]],
    tried: Iterable[Attempt],
    states: Mapping[str, str] | None,
    doubts: Container[str],
    found: Mapping[str, list[str]],
) -> None:
    """What the carrier took under keys that no 200 promised: the benefit of the doubt goes by content."""
    doubtful = Counter(_content(attempt) for attempt in tried if attempt.indeterminate)
    refused = Counter(_content(attempt) for attempt in tried if attempt.status not in {None, 200})
    for key, copies in strangers:
        content = _content(copies[0])
        if (states or {}).get(key) == "void":
            found["refused_yet_delivered"].append(key)
        elif doubtful[content] > 0:
            doubtful[content] -= 1
            found["indeterminate_delivered"].append(key)
        elif refused[content] > 0:
            refused[content] -= 1
            found["indeterminate_delivered" if key in doubts else "refused_yet_delivered"].append(key)
        else:
            found["phantom"].append(key)


def _peak(tried: Iterable[Attempt]) -> int:
    changes = []
    for attempt in tried:
        changes.append((attempt.started_at, 1))
        if attempt.finished_at is not None:
            changes.append((attempt.finished_at, -1))
    level = peak = 0
    for _, change in sorted(changes):
        level += change
        peak = max(peak, level)
    return peak
