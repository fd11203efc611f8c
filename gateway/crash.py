"""Named points where a gateway process can be made to die, so that chaos runs can show what a crash leaves behind.

Without `SMSLAB_CRASH_POINT` every point is passed. `after-commit:7` dies when that point is passed for the seventh
time: at once and without goodbye, as kill -9 does.
"""

import os
from collections.abc import Callable
from itertools import count

POINTS = ("before-commit", "after-commit", "after-reply", "before-send", "after-send", "after-mark")
DEAD = 137  # the exit code of a process that was killed with -9

Point = Callable[[str], None]


def go_on(_name: str) -> None:
    """Pass every point."""


def crash_point(setting: str) -> Point:
    """What to do at a point, from a setting `NAME` or `NAME:N`; ValueError if there is no such point."""
    if not setting:
        return go_on
    fatal, _, nth = setting.partition(":")
    if fatal not in POINTS or not (nth or "1").isdecimal():
        message = f"SMSLAB_CRASH_POINT must be one of {', '.join(POINTS)}, and :N after it for the N-th time"
        raise ValueError(message)
    passed, last = count(1), int(nth or 1)

    def point(name: str) -> None:
        if name == fatal and next(passed) >= last:
            os.write(2, f'{{"event": "crash", "point": "{name}"}}\n'.encode())
            os._exit(DEAD)

    return point
