"""The profiles that come with the suite: pure data, in the order in which a newcomer would try them.

Rates are messages per second. `load/docs/profiles.md` is generated from this table.
"""

from load.phases import Phase, Profile, Thresholds

TOO_MANY, DOWN = "10006", "10007"
OUTAGE = {"kind": "outage", "params": {}}


def _slow(seconds: float) -> dict[str, object]:
    return {"kind": "latency", "params": {"seconds": seconds}}


def _throttle(per_second: float) -> dict[str, object]:
    return {"kind": "throttle", "params": {"per_second": per_second}}


ALL = (
    Profile(
        "smoke", "Does it work at all under a little load?", (Phase("steady", ((5, 20, 20),)),), Thresholds(p99_ms=250)
    ),
    Profile(
        "steady",
        "A normal day: one rate, no faults.",
        (Phase("rise", ((5, 0, 100),)), Phase("steady", ((55, 100, 100),))),
        Thresholds(p50_ms=20, p99_ms=100, p999_ms=500),
    ),
    Profile(
        "campaign",
        "200 PBXs start campaigns: 1,000 messages within a second, again and again.",
        (Phase("campaigns", ((2, 20, 20), (1, 1000, 1000), (7, 20, 20)) * 3),),
        Thresholds(p99_ms=500),
        pbxs=200,
    ),
    Profile(
        "burst",
        "More requests than the key may make: 429 for the rest, and nothing else.",
        (
            Phase("calm", ((4, 25, 25),)),
            Phase("burst", ((6, 400, 400),), codes=(TOO_MANY,), least=1000, most=0.95),
            Phase("after", ((10, 25, 25),)),
        ),
        Thresholds(p99_ms=250),
        key_rate=50,
        pbxs=200,
        polite=0.2,
    ),
    Profile(
        "throttled-carrier",
        "The carrier takes less than is sent: the backlog fills, then 429, then it drains.",
        (
            Phase("calm", ((5, 50, 50),)),
            Phase("throttled", ((20, 200, 200),), _throttle(20), (TOO_MANY,), least=100),
            Phase("after", ((20, 20, 20),)),
        ),
        Thresholds(p99_ms=250, react_s=20, drain_s=120),
        environ={"SMSLAB_BACKLOG_CAP": "500"},
    ),
    Profile(
        "outage",
        "The carrier is gone: 500 while it lasts, accepting again within 5 seconds of its return.",
        (
            Phase("calm", ((5, 100, 100),)),
            Phase("outage", ((12, 150, 150),), OUTAGE, (DOWN,), least=1000),
            Phase("recovery", ((13, 100, 100),)),
        ),
        Thresholds(p99_ms=250),
        polite=0.2,
    ),
    Profile(
        "brownout",
        "The carrier is slow: acceptance must not be.",
        (
            Phase("calm", ((5, 100, 100),)),
            Phase("slow", ((30, 100, 100),), _slow(0.5)),
            Phase("after", ((10, 100, 100),)),
        ),
        Thresholds(p99_ms=250),
    ),
    Profile(
        "flapping",
        "The carrier comes and goes every few seconds.",
        (
            *(Phase("up", ((8, 50, 50),)), Phase("down", ((4, 50, 50),), OUTAGE, (DOWN,), blip=True)) * 4,
            Phase("after", ((10, 50, 50),)),
        ),
        Thresholds(p99_ms=250),
    ),
    Profile(
        "soak",
        "Ten minutes of a normal day: no leak, no loss.",
        (Phase("steady", ((600, 100, 100),)),),
        Thresholds(p99_ms=100, growth_mb=5),
    ),
    Profile(
        "go-live",
        "Everything in one run, scaled to your peak: will it hold on Monday?",
        (
            Phase("rise", ((20, 0, 500),)),
            Phase("peak", ((60, 500, 500),)),
            Phase("campaigns", ((4, 100, 100), (1, 500, 500)) * 6),
            Phase("slow carrier", ((30, 250, 250),), _slow(0.2)),
            Phase("calm", ((20, 250, 250),)),
            Phase("carrier gone", ((15, 250, 250),), OUTAGE, (DOWN,), least=1000),
            Phase("recovery", ((25, 250, 250),)),
            Phase("second peak", ((60, 500, 500),)),
            Phase("fall", ((40, 500, 0),)),
        ),
        Thresholds(p50_ms=50, p99_ms=100, p999_ms=1000),
        pbxs=200,
    ),
)


def named(name: str) -> Profile:
    """The profile of that name. Raises `KeyError`."""
    return {profile.name: profile for profile in ALL}[name]
