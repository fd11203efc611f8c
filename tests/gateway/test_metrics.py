"""What Prometheus sees: every outcome counted once, behind a token if there is one."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from gateway.breaker import THRESHOLD
from tests.gateway.delivery import World


def numbers(desk, **headers):
    """The samples by name and labels, as Prometheus would read them."""
    answer = desk.client.get("/metrics", headers=headers)
    assert answer.content_type.startswith("text/plain")
    families = text_string_to_metric_families(answer.text)
    return {(one.name, *one.labels.values()): one.value for family in families for one in family.samples}


def test_accepted_and_refused_are_counted_by_code(desk):
    """Each request is in exactly one counter."""
    for fields in ({}, {}, {"to": "+1"}, {"text": ""}, {"media_urls": ["x"]}):
        desk.send(**fields)
    desk.send(key="wrong")
    seen = numbers(desk)
    assert seen["smslab_accepted_total",] == 2
    assert [seen["smslab_refused_total", f"1000{n}"] for n in range(1, 8)] == [1, 1, 1, 1, 0, 0, 0]


def test_the_backlog_and_its_age_are_seen(desk):
    """How many orders wait, and how long the oldest has."""
    desk.send()
    desk.clock.now += 30
    desk.send()
    desk.clock.now += 12
    desk.client.get("/readyz")
    seen = numbers(desk)
    assert (seen["smslab_backlog_orders",], seen["smslab_backlog_oldest_seconds",]) == (2, 42)


def test_an_empty_backlog_has_no_age(desk):
    """Nothing waits, so nothing is old."""
    assert numbers(desk)["smslab_backlog_oldest_seconds",] == 0


def test_attempts_are_counted_by_outcome(desk, tmp_path):
    """Submitted, tried again and refused, an order each time."""
    world = World(desk, tmp_path)
    world.send(2)
    world.step()
    for status in [422] + [503] * THRESHOLD:
        world.fake.break_it("refuse", status=status)
        world.send()
        world.step(after=0.2)
        world.fake.mend()
        world.pass_time(30)
        world.step()
    world.close()
    seen = numbers(desk)
    assert seen["smslab_attempts_total", "refused"] == 1
    assert seen["smslab_attempts_total", "retry"] == THRESHOLD
    assert seen["smslab_attempts_total", "submitted"] == 2 + THRESHOLD


def test_batches_and_latencies_are_seen(desk):
    """Commit batches, send requests and submissions have histograms."""
    desk.send()
    seen = numbers(desk)
    assert (seen["smslab_commit_batch_orders_count",], seen["smslab_request_seconds_count",]) == (1, 1)


@pytest.mark.parametrize("given", ["", "Bearer wrong", "metrics-token", "Bearer é"])
def test_with_a_token_only_its_holder_sees_them(desks, refused, given):
    """Without it the answer is the same 401 as everywhere."""
    desk = desks(metrics_token="metrics-token")
    refused(desk.client.get("/metrics", headers={"Authorization": given}), 401, "10004")
    assert numbers(desk, Authorization="Bearer metrics-token")
