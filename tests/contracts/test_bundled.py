"""The bundled gateway, a process with its carrier, judged as anybody's CI would judge it."""

import os
import subprocess
import sys

import pytest

from contracts.exits import Exit
from simulator.lab import running_lab

TARGET = """
name = "bundled lab"
send_url = "{lab.send_url}"
verify_url = "{lab.verify_url}"
max_accepted = 400
provoke.10005.key_env = "SMSLAB_DISABLED_KEY"
provoke.10006.key_env = "SMSLAB_SLOW_KEY"
unprovokable."verify 500/10007" = "verify does not depend on the carrier"
carrier.messages_url = "{lab.carrier_url}/messages"
[provoke.10007]
url = "{lab.carrier_url}/faults"
body = {{ kind = "outage", params = {{}}, ttl = 60 }}
clear = {{ url = "{lab.carrier_url}/faults", method = "DELETE" }}
"""


@pytest.fixture(scope="module")
def verify(tmp_path_factory):
    """Run `smslab contract verify` on a lab of its own, as a process."""
    with running_lab(tmp_path_factory.mktemp("judged"), rate=5000) as lab:
        keys = {"SMSLAB_SLOW_KEY": lab.integration("Slow", "--rate", "5")}
        keys["SMSLAB_DISABLED_KEY"] = lab.integration("Disabled")
        lab.smslab("gateway", "integration", "set", "Disabled", "--disabled")
        file = lab.directory / "target.toml"
        file.write_text(TARGET.format(lab=lab))

        def run(*options, key=lab.key):
            command = [sys.executable, "-m", "simulator", "contract", "verify", "--target", str(file), *options]
            environ = {**os.environ, **keys, "YEASTAR_API_KEY": key}
            return subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=60)

        yield run


def test_the_bundled_gateway_keeps_every_rule_and_shows_every_answer(verify):
    """Strict, all engines, every cell of the contract reached: exit 0."""
    done = verify("--strict", "--require-all", "--examples", "30")
    assert (done.returncode, done.stderr) == (Exit.FINE, ""), done.stdout
    assert "Conforms" in done.stdout


def test_a_wrong_key_is_exit_3_and_one_sentence(verify):
    """The run that is green with other tools: here it could not test."""
    done = verify("--quick", key="ysk_wrong")
    assert done.returncode == Exit.COULD_NOT_TEST
    assert done.stdout.startswith("Could not test: verify: 401/10004: it refuses the key")
