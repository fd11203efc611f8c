"""What a simulated gateway process is made of: the real classes. A mutant changes one of them, see `mutants.py`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gateway.baton import Baton
from gateway.dispatcher import Dispatcher
from gateway.orders import Orders
from tests.simulation.stage import FaultyWriter


@dataclass(frozen=True)
class Parts:
    """The classes to use, and what stands between the dispatcher and the line (nothing)."""

    writer: type[FaultyWriter] = FaultyWriter
    baton: type[Baton] = Baton
    orders: type[Orders] = Orders
    dispatcher: type[Dispatcher] = Dispatcher
    line: Callable[[Any, Any], Any] = lambda line, _process: line
    settings: Callable[[Any], Any] = lambda settings: settings
