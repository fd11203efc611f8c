"""What is done to the servers behind the gateway in one round, and which deeds go with which store."""

import time
from collections.abc import Mapping
from signal import SIGKILL, SIGQUIT
from typing import Final

from simulator.chaos.deeds import DEADLINE, DEEDS, Deed, Scene, stopped
from simulator.chaos.servers import Servers
from simulator.lab import LabFault

COMMITS: Final = 20  # lines that are cut right after a COMMIT went out
IN_TIME: Final = 30.0  # seconds for that


def end_database(number: int) -> Deed:
    """The server gets this signal and is back a moment after it is gone."""

    def deed(scene: Scene) -> None:
        postgres = _servers(scene).postgres
        scene.moment()
        postgres.end(number)
        scene.moment()
        postgres.start()

    return deed


def cut_at_commit(scene: Scene) -> None:
    """Lines to the database are cut when a COMMIT has just passed: it arrives, its answer does not."""
    line = _servers(scene).line
    before, end = line.cuts, time.monotonic() + IN_TIME
    line.cut_after(b"COMMIT")
    try:
        while line.cuts < before + COMMITS:
            if time.monotonic() > end:
                raise LabFault("The gateway never came to a COMMIT")
            time.sleep(0.01)
    finally:
        line.cut_after(None)


def stop_backends(scene: Scene) -> None:
    """SIGSTOP of every backend that serves the gateway, for less or for more than a request may take; then SIGCONT."""
    scene.moment()
    with stopped(*_servers(scene).postgres.children("127.0.0.1")):
        time.sleep(scene.rng.choice((0.2, DEADLINE * 6)))


def silence_line(scene: Scene) -> None:
    """Nothing passes between gateway and database, and neither is told, for less or more than a request may take."""
    line = _servers(scene).line
    scene.moment()
    line.speaks.clear()
    try:
        time.sleep(scene.rng.choice((0.2, DEADLINE * 6)))
    finally:
        line.speaks.set()


def kill_redis(scene: Scene) -> None:
    """Kill -9 of Redis; it is back a moment later, with nothing counted."""
    redis = _servers(scene).redis
    scene.moment()
    redis.end(SIGKILL)
    scene.moment()
    redis.start()


def _servers(scene: Scene) -> Servers:
    if scene.servers is None:
        raise LabFault("This lab has no servers")
    return scene.servers


OUTAGES: Final[dict[str, Deed]] = {
    "kill database": end_database(SIGKILL),
    "shut database down at once": end_database(SIGQUIT),
    "cut at commit": cut_at_commit,
    "stop backends": stop_backends,
    "silence database line": silence_line,
    "kill redis": kill_redis,
}
STORES: Final[Mapping[str, Mapping[str, Deed]]] = {"sqlite": DEEDS, "postgresql": {**DEEDS, **OUTAGES}}
