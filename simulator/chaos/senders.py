"""A load that cannot be fooled: every attempt is in the PBX's ledger before its first byte leaves.

A few threads, a connection per message: an attempt without an answer was then really under way when something died.
Throughput is `load/`'s business.
"""

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from threading import Event, Thread
from time import monotonic, time
from urllib.parse import urlsplit

from contracts import spec
from contracts.judge import Answer, error_code, order_id
from simulator.ledger.pbx import PbxLedger

PATIENCE = 20.0  # seconds for an answer: longer than any stop here, so that what comes late is still written down


class Senders:
    """`threads` PBXs that send one message after the other, `pause` seconds apart, until they are stopped."""

    def __init__(self, send_url: str, key: str, ledger: PbxLedger, threads: int, pause: float) -> None:
        self.threads = threads
        self._url = urlsplit(send_url)
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self._ledger = ledger
        self._pause = pause
        self._stop = Event()
        self._accepted = count()
        self.accepted = 0
        self.last_accepted = 0.0  # monotonic seconds

    @contextmanager
    def sending(self) -> Iterator["Senders"]:
        """Send as long as the block runs; afterwards every attempt is closed."""
        workers = [Thread(target=self._work, args=(number,), daemon=True) for number in range(self.threads)]
        for worker in workers:
            worker.start()
        try:
            yield self
        finally:
            self._stop.set()
            for worker in workers:
                worker.join()

    def _work(self, thread: int) -> None:
        numbers = count(1)
        while not self._stop.is_set():
            line = http.client.HTTPConnection(str(self._url.hostname), self._url.port or 80, timeout=PATIENCE)
            try:
                line.connect()
                self._send(line, f"chaos {thread}-{next(numbers)}")
            except OSError:  # nobody listens: nothing was sent
                pass
            finally:
                line.close()
            self._stop.wait(self._pause)

    def _send(self, line: http.client.HTTPConnection, text: str) -> None:
        message = spec.page_example() | {"text": text}
        number = self._ledger.open("chaos", message["from"], message["to"], text, time())
        answer = None
        try:
            line.request("POST", self._url.path, json.dumps(message), self._headers)
            response = line.getresponse()
            answer = Answer(response.status, {}, response.read())
        except (OSError, http.client.HTTPException):
            self._ledger.close(number, time(), status=None, code=None, order_id=None)
            return
        given = order_id(answer)
        self._ledger.close(number, time(), status=answer.status, code=error_code(answer), order_id=given)
        if given:
            self.accepted, self.last_accepted = next(self._accepted) + 1, monotonic()
