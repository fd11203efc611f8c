"""Every way to misbehave, a file per idea. Being a subclass of `Fault` in one of these files is enough."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from simulator.carrier.fault import Fault


@cache
def kinds() -> dict[str, type[Fault]]:
    """The known faults by kind."""
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
    return dict(sorted((cls.kind(), cls) for cls in Fault.__subclasses__()))
