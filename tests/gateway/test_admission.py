"""Admission: is there room for one more order? Said before anything is stored, with an honest Retry-After."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from contracts import spec
from gateway import health
from gateway.app import create_app
from gateway.breaker import THRESHOLD, Breaker
from gateway.gateway import open_gateway

SEND = spec.route("sendmessage").path


def stored(desk):
    """How many orders there are."""
    with desk.gateway.database.read() as connection:
        return connection.exec_driver_sql("SELECT count(*) FROM orders").scalar()


def set_breaker(desk, failures, seconds):
    """Tell every process of the carrier's health, and let the last look grow old."""
    with desk.gateway.database.write() as connection:
        health.keep(connection, Breaker(failures, desk.clock.now + seconds))
    desk.clock.now += 0.2


def test_the_backlog_never_passes_its_cap(desks, refused):
    """With one caller the cap is exact: the next order is 10006, and nothing of it is stored."""
    desk = desks(backlog_cap=5)
    answers = [desk.send() for _ in range(7)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 2
    assert "backlog" in refused(answers[-1], 429, "10006")
    assert stored(desk) == 5


def test_with_many_callers_it_is_passed_by_no_more_than_their_number(desks):
    """Eight threads at a cap of 30 store at most 38."""
    desk = desks(backlog_cap=30)
    headers, app = {"Authorization": f"Bearer {desk.key}"}, desk.client.application

    def send(_):
        return app.test_client().post(SEND, json=spec.page_example(), headers=headers).status_code

    with ThreadPoolExecutor(8) as threads:
        statuses = list(threads.map(send, range(120)))
    assert 30 <= stored(desk) <= 38
    assert statuses.count(200) == stored(desk)


def test_two_processes_share_the_cap(desks):
    """What the other process accepted is seen when the backlog is nearly full."""
    first = desks(backlog_cap=20)
    second = open_gateway(first.gateway.settings, first.clock, log=first.gateway.log)
    clients = [first.client, create_app(second).test_client()]
    for _ in range(20):
        for client in clients:
            first.clock.now += 0.011
            client.post(SEND, json=spec.page_example(), headers={"Authorization": f"Bearer {first.key}"})
    second.close()
    assert 20 <= stored(first) <= 21


def test_room_is_noticed_when_orders_leave(desks):
    """As soon as the carrier has taken some, orders are accepted again."""
    desk = desks(backlog_cap=2)
    assert [desk.send().status_code for _ in range(3)] == [200, 200, 429]
    with desk.gateway.database.write() as connection:
        connection.exec_driver_sql("UPDATE orders SET state = 'submitted'")
    desk.clock.now += 0.2
    assert desk.send().status_code == 200


def test_a_nearly_full_disk_is_refused_while_there_is_still_room_to_work(desks, refused):
    """Below the floor no order is accepted, so that results of deliveries can still be written."""
    desk = desks(free_space_floor=1 << 62)
    answer = desk.send()
    assert "disk" in refused(answer, 500, "10007")
    assert (answer.headers["Retry-After"], stored(desk)) == ("30", 0)


@pytest.mark.parametrize(("open_for", "wait"), [(1.9, "2"), (60, "60"), (0.5, "1")])
def test_an_open_breaker_is_10007_with_the_time_that_is_left(desk, refused, open_for, wait):
    """While the carrier is known to be down nothing is stored, and Retry-After says when a probe is due."""
    set_breaker(desk, THRESHOLD, open_for)
    answer = desk.send()
    assert "carrier" in refused(answer, 500, "10007")
    assert (answer.headers["Retry-After"], stored(desk)) == (wait, 0)


def test_half_open_one_order_is_let_in_to_find_out(desk):
    """With nothing waiting no dispatcher could probe, so one order may; the next waits for its outcome."""
    set_breaker(desk, THRESHOLD, 1)
    desk.clock.now += 1
    assert [desk.send().status_code for _ in range(3)] == [200, 500, 500]


def test_half_open_with_orders_waiting_nobody_is_let_in(desk):
    """The dispatcher has something to probe with already."""
    desk.send()
    set_breaker(desk, THRESHOLD, 1)
    desk.clock.now += 1
    assert desk.send().status_code == 500


def test_failures_below_the_threshold_refuse_nobody(desk):
    """One lost connection is no outage."""
    set_breaker(desk, THRESHOLD - 1, 60)
    assert desk.send().status_code == 200


def test_readyz_says_what_the_next_order_would_be_told(desk, refused):
    """A balancer learns the same as a PBX; healthz says only that the process answers."""
    assert desk.client.get("/readyz").status_code == 200
    set_breaker(desk, THRESHOLD, 60)
    refused(desk.client.get("/readyz"), 500, "10007")
    assert desk.client.get("/healthz").status_code == 200


def test_after_the_clock_jumped_back_looks_are_renewed(desks):
    """A look from the future is not trusted for an hour."""
    desk = desks(backlog_cap=1)
    assert [desk.send().status_code for _ in range(2)] == [200, 429]
    desk.clock.now -= 3600
    with desk.gateway.database.write() as connection:
        connection.exec_driver_sql("DELETE FROM orders")
    assert desk.send().status_code == 200
