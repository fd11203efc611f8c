"""Independent opinions of the contract's document, of the bundled gateway's answers, and of its manners to clients.

    python -m tests.contracts.opinions DIRECTORY

`.ci/opinions` calls it, with the directory into which it has installed other people's tools: `node_modules` and `py`, a
Python environment. Exit 1 if somebody disagrees.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from simulator.handover import hand_over
from simulator.lab import Lab, running_lab
from tests.contracts.opinions import prism_judge

HERE = Path(__file__).parent
DOCUMENT = Path("openapi.yaml")
QUIET = {"REDOCLY_TELEMETRY": "off", "NO_COLOR": "1", "NO_UPDATE_NOTIFIER": "1"}
Said = tuple[bool, str]


def run(*command: str | Path, environ: Mapping[str, str] | None = None) -> Said:
    """Whether the command agrees, and what it says."""
    done = subprocess.run(
        command, env=os.environ | QUIET | (environ or {}), capture_output=True, text=True, check=False, timeout=300
    )
    return done.returncode == 0, (done.stdout + done.stderr).strip()


def on_the_document(node: Path, python: Path) -> dict[str, Callable[[], Said]]:
    """Four readers of `openapi.yaml`."""
    ruleset, config = HERE / "spectral.yaml", HERE / "redocly.yaml"
    return {
        "openapi-spec-validator": lambda: run(python, "-m", "openapi_spec_validator", DOCUMENT),
        "Spectral": lambda: run(node / "spectral", "lint", DOCUMENT, "--ruleset", ruleset, "--fail-severity", "warn"),
        "Redocly": lambda: run(node / "redocly", "lint", DOCUMENT, "--config", config),
        "openapi-examples-validator": lambda: run(node / "openapi-examples-validator", DOCUMENT),
    }


def on_the_gateway(node: Path, python: Path, lab: Lab) -> dict[str, Callable[[], Said]]:
    """Two judges of every answer that the suite sees, and three clients, on a lab of this run's own."""
    target, har, opinions = hand_over(lab), lab.directory / "run.har", "tests.contracts.opinions"
    smslab, key = [sys.executable, "-m", "simulator", "contract"], {"YEASTAR_API_KEY": lab.key}
    newman = [node / "newman", "run", HERE / "collection.json", "-d", HERE / "numbers.json"]
    # newman takes variables on its command line only; the key is good for this lab and no longer.
    variables = ["--env-var", f"base={lab.gateway_url}", "--env-var", f"key={lab.key}"]
    clients = [python, "-m", f"{opinions}.foreign_clients"]
    return {
        "the suite itself": lambda: run(*smslab, "verify", "--target", target, "--strict", "--report", f"har={har}"),
        "openapi-core": lambda: run(python, "-m", f"{opinions}.openapi_core_judge", DOCUMENT, har),
        "Prism": lambda: prism_judge.judge(node / "prism", DOCUMENT, har, lab.directory / "prism.log"),
        "Telnyx SDK": lambda: run(*clients, "telnyx", lab.gateway_url, environ=key),
        "Apprise": lambda: run(*clients, "apprise", lab.gateway_url, environ=key),
        "newman": lambda: run(*newman, *variables, "--reporter-cli-no-banner"),
    }


def ask(opinions: Mapping[str, Callable[[], Said]]) -> list[str]:
    """Ask one after another, tell what each says, and give the names of those who disagree."""
    against = []
    for name, opinion in opinions.items():
        agrees, said = opinion()
        print(f"== {name}: {'agrees' if agrees else 'DISAGREES'}", said, sep="\n", flush=True)  # noqa: T201 - for people
        against += [] if agrees else [name]
    return against


def main(directory: Path) -> int:
    """Everybody's opinion."""
    node, python = directory / "node_modules" / ".bin", directory / "py" / "bin" / "python"
    against = ask(on_the_document(node, python))
    with running_lab(directory / "lab", rate=5000) as lab:
        against += ask(on_the_gateway(node, python, lab))
    print(f"Disagree: {', '.join(against) or 'nobody'}")  # noqa: T201 - for people
    return int(bool(against))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).absolute()))
