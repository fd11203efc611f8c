"""What reached the carrier, where its messages can be read: each 200 once and unchanged, no refusal ever.

The target names `carrier.messages_url`, or `carrier.url` with `/messages` behind it. There `?after=SEQ&limit=N` answers
`{"messages": [{"seq", "key", "to", "text"}]}`;
`key` is the order id. Messages of other clients are left alone.
"""

import json
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

from contracts import wire
from contracts.provider import Accepted, Provider
from contracts.target import Target
from contracts.verdict import Broken, Verdict
from contracts.wire import Call, Exchange

WITHIN = 15.0  # seconds in which everything accepted must have arrived, unless the target says otherwise
_PAGE = 500


class Delivery(NamedTuple):
    """One message as the carrier took it."""

    seq: int
    key: str
    to: str
    text: str


class Carrier:
    """The carrier's list of messages, from where it stood when the run began."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._start = max((one.seq for one in self._after(0)), default=0) if self._url else 0

    @property
    def _url(self) -> str:
        carrier = self._target.carrier
        return carrier.get("messages_url") or (f"{carrier['url']}/messages" if "url" in carrier else "")

    def judge(self, provider: Provider, verdict: Verdict) -> None:
        """Wait until what was accepted has arrived, then compare. Without a URL nothing is judged."""
        if not self._url:
            return
        wanted = {one.id for one in provider.accepted}
        end = time.monotonic() + float(self._target.carrier.get("within", WITHIN))
        arrived = list(self._after(self._start))
        while not wanted <= {one.key for one in arrived} and time.monotonic() < end:
            provider.sleep(0.1)
            arrived += self._after(max((one.seq for one in arrived), default=self._start))
        verdict.broken += compare(provider.accepted, provider.exchanges, arrived)
        for rule in ("YS-INV-01", "YS-INV-02", "YS-INV-03"):
            verdict.checked[rule] = len(provider.exchanges)

    def _after(self, seq: int) -> Iterator[Delivery]:
        while page := self._page(seq):
            yield from page
            seq = page[-1].seq

    def _page(self, seq: int) -> list[Delivery]:
        mark = "&" if "?" in self._url else "?"
        call = Call("", "GET", f"{self._url}{mark}after={seq}&limit={_PAGE}")
        done = wire.exchange(call, {}, self._target.timeout)
        if done.answer is None or done.answer.status != 200:
            return []
        rows = json.loads(done.answer.body)["messages"]
        return [Delivery(row["seq"], row["key"] or "", row["to"], row["text"]) for row in rows]


def compare(accepted: list[Accepted], exchanges: list[Exchange], arrived: list[Delivery]) -> Iterator[Broken]:
    """The broken invariants. Pure."""
    by_key: dict[str, list[Delivery]] = defaultdict(list)
    for delivery in arrived:
        by_key[delivery.key].append(delivery)
    for one in accepted:
        yield from _one(one, exchanges[one.index], by_key.get(one.id, []))
    known = {one.id for one in accepted}
    sent = Counter(_content(exchanges[one.index]) for one in accepted)
    refused = _refused(exchanges, {one.index for one in accepted})
    for delivery in arrived:
        content = (delivery.to, delivery.text)
        if delivery.key in known:
            continue
        if content in sent:
            yield Broken("YS-INV-02", f"a second message for an accepted one: {delivery.key}", "invariants", "extra")
        elif (index := refused.get((delivery.to, delivery.text.strip()))) is not None:
            sentence = f"the carrier has {delivery.key}, which was refused"
            yield Broken("YS-INV-01", sentence, "invariants", "refused", index)


def _one(one: Accepted, exchange: Exchange, deliveries: list[Delivery]) -> Iterator[Broken]:
    if len(deliveries) != 1:
        sentence = f"{one.id} reached the carrier {len(deliveries)} times"
        yield Broken("YS-INV-02", sentence, "invariants", "accepted", one.index)
    content = _content(exchange)
    for delivery in deliveries:
        if content and content != (delivery.to, delivery.text):
            sentence = f"{one.id} has another {'text' if delivery.to == content[0] else 'recipient'}"
            yield Broken("YS-INV-03", sentence, "invariants", "accepted", one.index)


def _refused(exchanges: list[Exchange], accepted: set[int]) -> dict[tuple[str, str], int]:
    """What was refused and never accepted, by recipient and text."""
    found: dict[tuple[str, str], int] = {}
    for index, exchange in enumerate(exchanges):
        content = _content(exchange) if index not in accepted and exchange.answer is not None else None
        if content:
            found[content[0], content[1].strip()] = index
    return found


def _content(exchange: Exchange) -> tuple[str, str] | None:
    """Recipient and text of the message in a request, if they can be told."""
    try:
        message: Any = json.loads(exchange.call.body)
        return str(message["to"]), str(message["text"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
