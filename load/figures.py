"""The figures of a run, computed from its records alone: by phase, by second, and for the generator itself.

Pure. What is good enough is the business of `verdict.py`, how it looks of `report.py`.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from load.arrivals import due_times, rate_at
from load.histogram import Histogram
from load.phases import Profile
from load.record import Records, Request

PERCENTS = (50, 90, 99, 99.9, 100)
SPECTRUM = (0, 25, 50, 75, 90, 95, 97.5, 99, 99.5, 99.75, 99.9, 99.95, 99.99, 99.999)


def figures(profile: Profile, records: Records, deliveries: Mapping[str, float] | None = None) -> dict[str, Any]:
    """Everything a report shows, as JSON can carry it; `deliveries`: second of delivery by order id."""
    overall = {
        kind: Histogram.of(getattr(request, kind) for request in records.requests) for kind in ("latency", "service")
    }
    healthy = Histogram.of(request.latency for request in settled(profile, records.requests))
    return {
        "profile": profile.name,
        "seconds": profile.seconds,
        "total": _block(records.requests),
        "healthy": healthy.percentiles_ms(*PERCENTS),
        "healthy_histogram": healthy.to_json(),
        "phases": [
            {"name": phase.name, "from": start, "to": end, "healthy": phase.healthy}
            | _block([request for request in records.requests if start <= request.due < end])
            for start, end, phase in profile.windows()
        ],
        "spectrum": [
            [percent, overall["latency"].percentile(percent), overall["service"].percentile(percent)]
            for percent in SPECTRUM
        ],
        "series": series(profile, records, deliveries),
        "faults": list(records.of_kind("fault")),
        "generator": generator(profile, records),
    }


def _block(requests: Sequence[Request]) -> dict[str, Any]:
    return {
        "requests": len(requests),
        "outcomes": dict(sorted(Counter(request.outcome for request in requests).items())),
        "latency": Histogram.of(request.latency for request in requests).percentiles_ms(*PERCENTS),
        "service": Histogram.of(request.service for request in requests).percentiles_ms(*PERCENTS),
    }


def settled(profile: Profile, requests: Iterable[Request]) -> list[Request]:
    """The requests due in healthy phases, without the seconds in which an unhealthy one may still be felt."""
    windows, rest = profile.windows(), profile.thresholds.recover_s
    free = [
        (max(start, windows[i - 1][1] + rest) if i and not windows[i - 1][2].healthy else start, end)
        for i, (start, end, phase) in enumerate(windows)
        if phase.healthy
    ]
    starts = [start for start, _ in free]
    found = []
    for request in requests:
        at = bisect_right(starts, request.due) - 1
        if at >= 0 and request.due < free[at][1]:
            found.append(request)
    return found


def generator(profile: Profile, records: Records) -> dict[str, Any]:
    """How well the load itself was made: lateness, rate, processor time."""
    shares = list(records.of_kind("share"))
    late = Histogram.of(request.late for request in records.requests)
    firsts = [request for request in records.requests if request.turn == 0]
    sent = sum(request.sent < profile.seconds for request in firsts)
    seed, intended = records.event("start").get("seed", 1), sum(share["intended"] for share in shares)
    cpu = sum(share["cpu"] for share in shares)
    return {
        "processes": records.event("start").get("processes", 0),
        "reported": len(shares),
        "late": late.percentiles_ms(*PERCENTS),
        "rate_error": abs(sent - len(firsts)) / len(firsts) if firsts else 0.0,
        "cpu_seconds": round(cpu, 3),
        "cpu_us_per_request": round(cpu * 1e6 / len(records.requests), 1) if records.requests else None,
        "intended": intended,
        "held": sum(share["held"] for share in shares),
        "spent": any(share["spent"] for share in shares),
        "unsent": sum(1 for _ in due_times(profile.curve, poisson=profile.poisson, seed=seed)) - intended,
        "retried": sum(request.turn > 0 for request in records.requests),
        "retried_accepted": sum(request.turn > 0 and request.status == 200 for request in records.requests),
    }


def series(profile: Profile, records: Records, deliveries: Mapping[str, float] | None = None) -> list[dict[str, Any]]:
    """One row for each second: rates, outcomes, latency percentiles, backlog, what reached the carrier.

    `refused` is how often an armed fault was hit: the carrier's calls that were not taken as they should be.
    """
    by_due: dict[int, list[Request]] = defaultdict(list)
    outcomes: dict[int, Counter[str]] = defaultdict(Counter)
    sent, accepted = Counter[int](), Counter[int]()
    delivered = Counter(int(at) for at in (deliveries or {}).values())
    for request in records.requests:
        by_due[int(request.due)].append(request)
        sent[int(request.sent)] += 1
        outcomes[int(request.done)][request.outcome] += 1
        accepted[int(request.done)] += request.order_id is not None
    refused, backlog, rows = _hits(records), 0, []
    for second in range(max([int(profile.seconds) - 1, *outcomes, *delivered]) + 1):
        backlog += accepted[second] - delivered[second]
        rows.append(
            {
                "second": second,
                "intended": round(rate_at(profile.curve, second + 0.5), 2),
                "sent": sent[second],
                "outcomes": dict(sorted(outcomes[second].items())),
                **Histogram.of(request.latency for request in by_due[second]).percentiles_ms(50, 99, 99.9),
                "backlog": None if deliveries is None else backlog,
                "delivered": None if deliveries is None else delivered[second],
                "refused": refused[second],
            }
        )
    return rows


def _hits(records: Records) -> Counter[int]:
    found, last = Counter[int](), Counter[str]()
    for event in records.of_kind("hits"):
        found[int(event["at"])] += max(0, event["hits"] - last[event["phase"]])
        last[event["phase"]] = event["hits"]
    return found
