"""Machine-made mutants of our own gateway: mutmut breaks its heart in hundreds of ways, fast tests must notice each.

    python -m tests.mutation [--minutes 20] [--out FILE]

What is mutated and which tests run stands in `pyproject.toml`. A survivor is killed by a new test, or it changes
nothing that anybody could see and is listed in `equivalent.yaml` with the reason. Exit 1: a survivor is neither; 3: no
result, because not every mutant was tried, or because one of the list counts as killed: nothing can tell an equivalent
mutant from the gateway, so something else failed (a changed environment, for one) and the other kills prove nothing.
"""

import json
import os
import shutil
import subprocess
import sys
from argparse import ArgumentParser
from collections import Counter
from contextlib import chdir
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
KEPT = ROOT / "contracts/mutants/machine.json"
COPIED = ("contracts", "gateway", "simulator", "tests", "openapi.yaml", "pyproject.toml")
MEMORY = Path("/dev/shm")  # noqa: S108 - a disk that waits for nobody, where there is one; the directory is our own
# 33: no test reaches it; 36, 24, 152, 255 and -24: endless. Any other code says nothing of the tests: it is no kill.
STATES = {None: "untried", 0: "survived", 33: "survived", 1: "killed"} | dict.fromkeys(
    (36, 24, 152, 255, -24), "killed"
)


def copy(place: Path) -> None:
    """The part of the repository that the mutants need."""
    for name in COPIED:
        source = ROOT / name
        into = shutil.copytree if source.is_dir() else shutil.copy
        more = {"ignore": shutil.ignore_patterns("__pycache__")} if source.is_dir() else {}
        into(source, place / name, **more)


def run(place: Path, seconds: float) -> None:
    """Let mutmut try them all, or as many as it can in that time."""
    command = [Path(sys.executable).with_name("mutmut"), "run", "--max-children", "2"]
    environ = os.environ | {"TMPDIR": str(place)}
    with (place / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=place, env=environ, stdout=log, stderr=log, start_new_session=True)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 15)
            process.wait()
    if not (place / "mutants/mutmut-stats.json").exists():
        sys.exit("mutmut did not start:\n" + (place / "log").read_text(errors="replace")[-3000:])


def change(place: Path, meta: Path, name: str) -> tuple[str, str]:
    """The function that a mutant changes, and the line that it puts in. Called in mutmut's own directory."""
    from mutmut.mutation.diff_apply import get_diff_for_mutant  # reads the configuration where it is imported

    source = meta.relative_to(place / "mutants").with_suffix("")
    shown = get_diff_for_mutant(name, path=source).splitlines()
    added = next(line[1:].strip() for line in shown if line[:1] == "+" and line[:3] != "+++")
    mangled = name.removeprefix("gateway.").rpartition("__mutmut_")[0]
    return mangled.replace("xǁ", "").replace("ǁ", ".").replace(".x_", ".", 1), added


def equivalents() -> dict[tuple[str, str], str]:
    """The reason for each function and line of the list."""
    return {
        (function, line): entry["because"]
        for entry in yaml.safe_load((HERE / "equivalent.yaml").read_text(encoding="utf-8"))
        for function, lines in entry["changes"].items()
        for line in lines.splitlines()
    }


def summary(place: Path, reasons: dict[tuple[str, str], str]) -> dict:
    """What became of each mutant; survivors are looked up among the equivalents."""
    modules, equivalent, survivors, untried = {}, [], [], 0
    for meta in sorted((place / "mutants/gateway").glob("*.meta")):
        codes = json.loads(meta.read_text())["exit_code_by_key"]
        states = Counter(STATES.get(code, "untried") for code in codes.values())
        untried += states["untried"]
        alive = {name: change(place, meta, name) for name, code in codes.items() if STATES.get(code) == "survived"}
        for name, (function, line) in alive.items():
            row = {"mutant": f"{function} {name.rpartition('_')[2]}", "change": line}
            because = reasons.get((function, line))
            equivalent += [row | {"because": because}] if because else []
            survivors += [] if because else [row]
        kept = sum(found in reasons for found in alive.values())
        modules[meta.name.removesuffix(".py.meta")] = {
            "mutants": len(codes),
            "killed": states["killed"],
            "equivalent": kept,
        }
    found = {(row["mutant"].rpartition(" ")[0], row["change"]) for row in equivalent}
    gone = [f"{function}: {line}" for function, line in sorted(reasons.keys() - found)]
    return {
        "tool": f"mutmut {version('mutmut')}",
        "made": datetime.now(UTC).date().isoformat(),
        "modules": modules,
        "survivors": survivors,
        "equivalent": equivalent,
        "untried": untried,
        "gone": gone,
    }


def main() -> int:
    """Run, tell, keep."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20.0, help="stop after so many minutes")
    parser.add_argument("--out", default=KEPT, type=lambda name: Path(name).absolute(), help="where the summary goes")
    options = parser.parse_args()
    reasons = equivalents()
    with TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as directory, chdir(directory):
        place = Path(directory)
        copy(place)
        run(place, options.minutes * 60)
        found = summary(place, reasons)
    is_result = not (found["untried"] or found["gone"])
    out = options.out if is_result else options.out.with_suffix(".rejected.json")
    out.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    from contracts.mutants.machine import as_text

    sys.stdout.write(as_text(found) + "\n")
    return int(bool(found["survivors"])) if is_result else 3


if __name__ == "__main__":
    sys.exit(main())
