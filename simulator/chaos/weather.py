"""How the carrier misbehaves all the time while other things are done to the lab: a little of nearly everything.

What would make the carrier break its own word is missing (it forgets keys, it refuses for good), and so is what leaves
nothing to try (an outage that lasts, a quota for all).
"""

from random import Random
from typing import Any, Final

import httpx

# Kind, parameters, how many of 10,000 messages. One message's fault hits the whole call it travels in, with up to a
# hundred others: more of it, and the breaker would be open most of the time, with nothing accepted to lose.
WEATHER: Final[tuple[tuple[str, dict[str, Any], int], ...]] = (
    ("lost-request", {}, 4),
    ("lost-reply", {}, 4),
    ("refuse", {"status": 503}, 4),
    ("refuse", {"status": 429, "retry_after": 0.2}, 4),
    ("flaky", {"times": 1}, 4),
    ("throttle", {"per_second": 1.0}, 10),
    ("reset", {"when": "before"}, 3),
    ("reset", {"when": "after"}, 3),
    ("garble", {"form": "truncated"}, 3),
    ("garble", {"form": "wrong-id"}, 2),
    ("garble", {"form": "html"}, 2),
    ("duplicate-reply", {}, 3),
    ("latency", {"seconds": 0.2}, 10),
    ("hang", {"seconds": 3.0}, 1),
    ("dribble", {"pause": 0.02}, 1),
    ("late-accept", {"seconds": 2.0}, 1),
    ("gzip-bomb", {"megabytes": 20}, 1),
    ("trip", {"seconds": 1.0}, 1),
    ("receipt-duplicate", {}, 500),
    ("receipt-late", {"seconds": 2.0}, 500),
    ("receipt-missing", {}, 500),
    ("receipt-reorder", {}, 500),
    ("receipt-status", {"status": "UNDELIV"}, 500),
)


def arm(carrier_url: str, rng: Random) -> None:
    """Arm all of it, each with dice of its own, so that it is not the same messages that meet everything."""
    with httpx.Client(base_url=carrier_url, timeout=5, trust_env=False) as client:
        for kind, params, often in WEATHER:
            scope = {"share": often / 10_000, "seed": rng.getrandbits(24)}
            client.post("/faults", json={"kind": kind, "params": params, "scope": scope}).raise_for_status()
