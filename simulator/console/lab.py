"""What the console knows of the lab it shows: the target, and where its ledgers, log and carrier are.

It reads what other processes write. It never opens the gateway's database and imports nothing of the gateway.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from contracts.target import Target, is_loopback, load


@dataclass(frozen=True, slots=True)
class LabView:
    """One lab, or a provider that is only a URL: then some of these files never come to be."""

    target: Target
    file: Path  # the target file, as `--target` of other commands wants it

    @property
    def directory(self) -> Path:
        """Where the lab keeps its files; the console keeps its own beside them."""
        return self.file.parent

    @property
    def pbx_ledger(self) -> Path:
        """What PBXs attempted. The console's own PBX writes here, as `smslab pbx` does with `--ledger`."""
        return self.directory / "pbx.sqlite"

    @property
    def carrier_ledger(self) -> Path:
        """What the fake carrier took, if it runs here."""
        return self.directory / "carrier.sqlite"

    @property
    def gateway_log(self) -> Path:
        """The gateway's event log, JSON lines, numbers masked."""
        return self.directory / "gateway.log"

    @property
    def index(self) -> Path:
        """The console's projection; delete it and it is built anew."""
        return self.directory / "console.sqlite"

    @property
    def carrier_url(self) -> str | None:
        """The fake carrier's API. A carrier that is not on this machine is never touched."""
        url = self.target.carrier.get("url")
        return url if url and is_loopback(url) else None

    @property
    def gateway_url(self) -> str:
        """Where the provider answers, without a path."""
        parts = urlsplit(self.target.send_url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def is_foreign(self) -> bool:
        """The provider is on another host and nobody said that it is theirs: look, but send and break nothing."""
        return not self.target.may_be_stressed


def open_lab(file: Path, environ: Mapping[str, str], *, owned: bool) -> LabView:
    """The lab a target file describes. Raises ValueError with one sentence."""
    return LabView(load(file, environ, owned=owned), file.absolute())
