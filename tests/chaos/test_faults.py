"""Each fault of the carrier, at its worst, while PBXs go on sending: what it costs, and that its end is the end of it.

After a fault the gateway accepts within five seconds and empties its queue without help, every order has ended as it
should, and its memory has not grown by more than ten megabytes.
"""

import time
from collections import Counter
from pathlib import Path
from threading import Event, Thread

import httpx
import pytest

from contracts import spec
from simulator.carrier.faults import kinds
from simulator.lab import GATEWAY, running_lab
from simulator.ledger.carrier import CarrierLedger

MEGABYTES = 10  # above what the gateway needed before
BACK = 5.0  # seconds after the end of a fault in which an order is accepted
IN_TIME = 60.0  # seconds for the queue to be empty
SICK = 1.5  # seconds a fault lasts: an attempt and more
PAUSE = 0.02  # seconds between messages
# Parameters that make it hurt within that time, where the default would not.
PARAMETERS = {
    "dedup-expiry": {"seconds": 300.0},
    "dribble": {"pause": 0.05, "part": "headers"},
    "garble": {"form": "wrong-id"},
    "late-accept": {"seconds": 2.0},
    "latency": {"seconds": 2.0},
    "receipt-late": {"seconds": 1.0},
    "refuse": {"status": 400},
    "reset": {"when": "after"},
    "throttle": {"per_second": 5.0},
    "trip": {"seconds": 1.0},
}
ENDS = {"refuse": {"submitted", "refused"}}  # how orders may end; elsewhere as submitted


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    """A lab of its own, whose attempts last a second at most."""
    with running_lab(tmp_path_factory.mktemp("faults"), rate=1000, environ={"SMSLAB_ATTEMPT_DEADLINE": "1"}) as lab:
        yield lab


def resident(group):
    """Megabytes that the processes of a group hold."""
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        if int(fields[2]) == group:
            total += int(fields[21])
    return total * 4096 / 1e6


class Pbx:
    """Sends one message after the other in a thread of its own as long as the block runs; remembers what it heard."""

    def __init__(self, lab):
        self.heard, self.accepted_at, self._lab, self._stop = [], [], lab, Event()
        self._thread = Thread(target=self._send)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _send(self):
        with httpx.Client(trust_env=False, headers={"Authorization": f"Bearer {self._lab.key}"}, timeout=20) as client:
            while not self._stop.wait(PAUSE):
                answer = client.post(self._lab.send_url, json=spec.page_example())
                self.heard.append(answer)
                if answer.status_code == 200:
                    self.accepted_at.append(time.monotonic())

    def accepted(self, since):
        """Seconds from an instant until the next order was accepted; an assertion error if none is."""
        while not self.accepted_at or self.accepted_at[-1] < since:
            assert time.monotonic() < since + IN_TIME, "nothing is accepted any more"
            self._stop.wait(0.01)
        return next(at for at in self.accepted_at if at >= since) - since

    @property
    def orders(self):
        """The ids that were given."""
        return [answer.json()["data"]["id"] for answer in self.heard if answer.status_code == 200]


def carrier(lab, path, body):
    """Tell the carrier something."""
    httpx.post(f"{lab.carrier_url}{path}", json=body, trust_env=False, timeout=5).raise_for_status()


def drained(lab):
    """Every order and its state, as soon as none waits."""
    end = time.monotonic() + IN_TIME
    while "queued" in (states := {order["id"]: order["state"] for order in lab.orders()}).values():
        assert time.monotonic() < end, "the queue does not become empty"
    return states


@pytest.mark.parametrize("kind", kinds())
def test_a_fault_ends_with_its_end(gateway, kind):
    """While it lasts memory grows by at most 10 MB; then an order is accepted within 5 s and all end as they should."""
    with Pbx(gateway) as pbx:
        pbx.accepted(time.monotonic())
        idle = peak = resident(gateway.pid(GATEWAY))
        carrier(gateway, "/faults", {"kind": kind, "params": PARAMETERS.get(kind, {})})
        end = time.monotonic() + SICK
        while time.monotonic() < end:
            peak = max(peak, resident(gateway.pid(GATEWAY)))
            time.sleep(0.05)
        carrier(gateway, "/reset", {})
        back = pbx.accepted(time.monotonic())
    mended = time.monotonic()
    states = drained(gateway)
    drain = time.monotonic() - mended
    with CarrierLedger(gateway.carrier_ledger) as ledger:
        taken = Counter(delivery.key for delivery in ledger.deliveries())
    grown = peak - idle
    print(f"{kind:18} back {back:.1f} s, drained {drain:.1f} s, {grown:+.1f} MB, {len(pbx.orders)} orders")  # noqa: T201
    assert back <= BACK
    assert grown <= MEGABYTES
    assert {states[order] for order in pbx.orders} <= ENDS.get(kind, {"submitted"})
    assert all(taken[order] == (states[order] == "submitted") for order in pbx.orders)
