"""Order ids: `SDPS`, the UTC second as yymmddHHMMSS, and seven of 0-9A-Z.

The seven are three that name the process and four that count, not random bits: at 6,000 a second 28 random bits
collide in 7 % of seconds. Two processes that drew the same name are told apart by the unique constraint and a redraw.
"""

import secrets
import time
from collections.abc import Callable
from itertools import count

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
PAIRS = tuple(first + second for first in DIGITS for second in DIGITS)
COUNTED = 36**4  # a process would have to accept this many within one second to repeat itself


class Ids:
    """Draws ids. `clock` gives epoch seconds; `random_below` names the process and starts the counter."""

    def __init__(
        self, clock: Callable[[], float] = time.time, random_below: Callable[[int], int] = secrets.randbelow
    ) -> None:
        self._clock = clock
        self._second = (0, "")
        self._process = _base36(random_below(36**3))[1:]
        self._count = count(random_below(COUNTED))  # next() on it is atomic

    def draw(self) -> str:
        """A new id of 23 characters."""
        return f"SDPS{self._stamp()}{self._process}{_base36(next(self._count) % COUNTED)}"

    def _stamp(self) -> str:
        """The second, written once: `strftime` looks at the time zone file each time, which costs 5 to 15 us."""
        now = int(self._clock())
        second, stamp = self._second  # one value, so that threads see a second and its own stamp
        if now != second:
            stamp = time.strftime("%y%m%d%H%M%S", time.gmtime(now))
            self._second = (now, stamp)
        return stamp


def _base36(number: int) -> str:
    """Four digits, two by two."""
    return PAIRS[number // 1296] + PAIRS[number % 1296]
