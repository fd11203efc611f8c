"""A gateway that answers before it commits: what every Python process becomes that finds this folder in PYTHONPATH.

Only for the test that shows that the kill test can fail. The order is written by a thread a moment after the answer.
"""

from threading import Timer

from gateway.orders import Orders

LATER = 0.05  # seconds


def create(self, integration, message, content):
    """Answer with an id; commit later."""
    order_id = self._ids.draw()
    row = self._row(order_id, integration, message, content)
    Timer(LATER, self._baton.submit, (row,)).start()
    return order_id


Orders.create = create
