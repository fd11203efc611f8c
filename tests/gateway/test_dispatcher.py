"""Delivery step by step, on a clock the test moves: from an order on disk to one of its four ends."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from gateway.administration import add_integration
from gateway.breaker import COOLDOWN, THRESHOLD
from gateway.carrier import Carrier
from gateway.dispatcher import FIRST_BACKOFF, LEASE_MARGIN, LONGEST_BACKOFF
from gateway.gateway import start_delivery
from tests.gateway.delivery import FakeCarrier, listening


@pytest.fixture
def world(worlds):
    """A world with the default settings."""
    return worlds()


@pytest.mark.parametrize("batch", [1, 3, 100])
def test_each_order_is_submitted_once_under_its_id(worlds, batch):
    """Whatever the size of a batch: one message a order, the order's id as its key, the text unchanged."""
    world = worlds(carrier_batch=batch)
    text = "  é\r\n" + "😀" * 1994 + " "
    ids = world.send(4) + world.send(text=text)
    steps = iter(world.step, 0)
    assert sum(steps) == 5
    assert sorted(world.fake.taken()) == sorted(ids)
    assert text in {delivery.text for delivery in world.fake.ledger.deliveries()}
    assert set(world.orders("state", "attempts")) == {("submitted", 1)}
    assert None not in world.orders("carrier_id")


def test_a_failed_attempt_is_repeated_after_a_backoff_with_jitter(world):
    """The wait is drawn below a bound that doubles with each attempt, up to half a minute."""
    world.fake.break_it("refuse", status=503)
    world.send()
    waits = []
    for attempt in range(1, 12):
        world.step(after=max(world.wait(), COOLDOWN[1], 0))
        assert world.orders("state", "attempts") == [("queued", attempt)]
        assert 0 <= world.wait() <= min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** (attempt - 1)) + 0.001
        waits.append(world.wait())
    assert len(set(waits)) > 5
    world.fake.mend()
    world.step(after=LONGEST_BACKOFF)
    assert (world.orders("state"), len(world.fake.taken())) == (["submitted"], 1)


def test_retry_after_is_kept_to_the_instant(world):
    """A carrier that asks for seven seconds is left alone for seven seconds, by new orders of that lane too."""
    world.fake.break_it("refuse", status=429, retry_after=7)
    world.send()
    assert world.step() == 1
    world.fake.mend()
    world.send()
    assert (world.step(after=6.9), world.step(after=0.11)) == (0, 2)


def test_a_retry_after_of_nothing_is_no_hot_loop(world):
    """Zero seconds means soon, not at once and for ever."""
    world.fake.break_it("refuse", status=429, retry_after=0)
    world.send()
    assert [world.step() for _ in range(3)] == [1, 0, 0]


def test_a_refused_order_is_final(world):
    """Another 4xx ends the order, with the reason written down; it is not offered again."""
    world.fake.break_it("refuse", status=422)
    world.send()
    assert (world.step(), world.step(after=3600)) == (1, 0)
    assert world.orders("state", "reason") == [("refused", "HTTP 422")]


def test_a_throttled_sender_does_not_hold_up_another(world):
    """Each integration is a lane: while one is asked to wait, the other's orders go through."""
    other = add_integration(world.gateway.database, "Other", "OTHER")
    world.fake.break_it("refuse", scope={"sender": "FUTURESMS"}, status=429, retry_after=60)
    world.send(3)
    world.step()
    mine = world.send(key=other)
    assert world.step(after=1) == 1
    assert world.fake.taken() == mine


def test_a_short_lane_is_served_beside_a_long_one(worlds):
    """A claim takes some of every lane, so one order does not wait behind thirty of somebody else."""
    world = worlds(carrier_batch=10)
    other = add_integration(world.gateway.database, "Other", "OTHER")
    world.send(30)
    [mine] = world.send(key=other)
    assert world.step() == 10
    assert mine in world.fake.taken()


def test_an_order_expires_when_its_validity_ends(worlds):
    """Until then it is tried, afterwards never: it ends as expired, and is counted as such."""
    world = worlds(validity=60.0)
    world.fake.break_it("outage")
    world.send()
    while world.clock.now < 1_790_000_059:
        world.step(after=1)
    world.fake.mend()
    world.step(after=LONGEST_BACKOFF)
    assert (world.orders("state"), world.fake.taken()) == (["expired"], [])
    assert b'smslab_attempts_total{outcome="expired"} 1.0' in world.gateway.metrics.text()


@pytest.mark.parametrize(("later", "state"), [(89.0, "submitted"), (90.0, "expired")])
def test_an_order_is_not_repeated_when_the_carrier_may_have_forgotten_it(worlds, later, state):
    """Repeats stop so early that even the last attempt ends within the carrier's memory of the first."""
    world = worlds(dedup_window=100.0, attempt_deadline=10.0)
    ids = world.send()
    world.fake.break_it("lost-reply")
    world.step()
    world.fake.mend()
    world.step(after=later)
    assert (world.orders("state"), world.fake.taken()) == ([state], ids)


def test_an_order_that_was_never_offered_is_not_bound_by_the_window(worlds):
    """The window begins with the first attempt, not with acceptance."""
    world = worlds(dedup_window=100.0, attempt_deadline=10.0)
    world.send()
    world.step(after=5000)
    assert world.orders("state") == ["submitted"]


@pytest.mark.parametrize("offered", [False, True])
def test_the_orders_of_a_dead_dispatcher_become_due_again(world, offered):
    """Its lease ends after the attempt's deadline; submitted or not, the carrier has the message once."""
    ids = world.send()
    dead = world.another()
    claimed = dead._claim()
    if offered:
        dead._carrier.submit([order.parcel for order in claimed])
    lease = world.gateway.settings.attempt_deadline + LEASE_MARGIN
    assert (world.step(after=lease - 0.1), world.step(after=0.11)) == (0, 1)
    assert (world.fake.taken(), world.orders("state", "attempts")) == (ids, [("submitted", 2)])


def test_the_breaker_opens_and_probes_with_one(worlds):
    """After three failed attempts nothing is offered until the cool-down is over, and then one order only."""
    world = worlds(carrier_batch=5)
    world.send(5)
    world.fake.break_it("outage")
    for _ in range(THRESHOLD):
        world.step(after=LONGEST_BACKOFF)
    assert world.desk.send().status_code == 500
    before = sum(world.orders("attempts"))
    world.pass_time(LONGEST_BACKOFF)
    assert (world.step(), world.step()) == (1, 0)
    assert sum(world.orders("attempts")) == before + 1
    world.fake.mend()
    assert world.step(after=LONGEST_BACKOFF) == 1
    assert sum(iter(world.step, 0)) == 4
    assert len(world.fake.taken()) == 5
    world.pass_time(0.2)
    assert world.desk.send().status_code == 200
    assert "carrier is down" in world.desk.log.getvalue()
    assert "carrier is back" in world.desk.log.getvalue()


def test_orders_that_expired_in_an_outage_do_not_hold_up_the_probe(worlds):
    """Clearing them away costs no cool-down each: the first that is still good finds out about the carrier."""
    world = worlds(validity=60.0)
    world.send(20)
    world.fake.break_it("outage")
    for _ in range(THRESHOLD):
        world.step(after=2)
    world.fake.mend()
    world.pass_time(100)
    assert [world.step() for _ in range(20)] == [1] * 20
    assert set(world.orders("state")) == {"expired"}


def test_four_dispatchers_claim_no_order_twice(worlds):
    """Any number may work on one database: each order is offered once."""
    world = worlds(carrier_batch=7)
    ids = world.send(150)
    with listening(world.fake.app) as url, httpx.Client(trust_env=False) as client, ThreadPoolExecutor(4) as threads:
        four = [world.another(Carrier(client, url, 10.0)) for _ in range(4)]
        assert sum(threads.map(lambda one: sum(iter(one.step, 0)), four)) == 150
    assert sorted(world.fake.taken()) == sorted(ids)
    assert set(world.orders("state", "attempts")) == {("submitted", 1)}


def test_an_attempt_under_way_is_finished_when_delivery_stops(worlds, tmp_path):
    """`stop` waits for what is in hand: nothing is left claimed without a result."""
    (tmp_path / "slow").mkdir()
    slow = FakeCarrier(tmp_path / "slow")
    slow.break_it("latency", seconds=0.3)
    with slow.ledger, listening(slow.app) as url:
        world = worlds(carrier_url=url)
        ids = world.send(3)
        delivery = start_delivery(world.gateway)
        while sum(world.orders("attempts")) < 3:
            pass
        delivery.stop()
        assert sorted(slow.taken()) == sorted(ids)
    assert set(world.orders("state")) == {"submitted"}


def test_a_clock_that_jumps_back_an_hour_gives_no_order_away_twice(world):
    """A lease only grows by the jump: what another dispatcher holds is not taken, and what comes now is delivered."""
    held = world.another()
    world.send()
    assert len(held._claim()) == 1
    world.pass_time(-3600)
    [fresh] = world.send()
    assert (world.step(), world.step()) == (1, 0)
    assert world.fake.taken() == [fresh]
    world.pass_time(3600 + world.gateway.settings.attempt_deadline + LEASE_MARGIN)
    assert (world.step(), world.orders("state")) == (1, ["submitted"] * 2)
