"""The files a lab leaves for other commands: a target file for `--target`, and keys that only their owner can read."""

import os
from pathlib import Path
from typing import Final

from simulator.lab import Lab

BUDGET: Final = 5000  # messages; a lab's SMS cost nothing, but a run away should end

TARGET: Final = """\
# The lab in this directory, as `--target` wants it. The keys are in files of their own.
name = "bundled lab"
send_url = "{lab.send_url}"
verify_url = "{lab.verify_url}"
key_file = "key"
from = "{lab.from_number}"
max_accepted = {budget}

[provoke.10005]
key_file = "key-disabled"

[provoke.10006]
key_file = "key-slow"
burst = 60

[provoke.10007]
url = "{lab.carrier_url}/faults"
body = {{ kind = "outage", params = {{ seconds = 30 }} }}
clear = {{ url = "{lab.carrier_url}/faults", method = "DELETE" }}

[unprovokable]
"verify 500/10007" = "verify does not depend on the carrier"

[carrier]
url = "{lab.carrier_url}"
"""


def hand_over(lab: Lab) -> Path:
    """Add the integrations that provoke 10005 and 10006, write the files, and return the target file."""
    keys = {
        "key": lab.key,
        "key-disabled": lab.integration("Disabled", "--disabled"),
        "key-slow": lab.integration("Slow", "--rate", "5"),
    }
    for name, key in keys.items():
        _write(lab.directory / name, key + "\n")
    target = lab.directory / "lab.toml"
    _write(target, TARGET.format(lab=lab, budget=BUDGET))
    return target


def _write(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
