"""House rules that a machine can keep: sizes, names, sentences, and nothing of this machine in what is committed."""

import ast
import re
import statistics
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TRACKED = subprocess.run(
    ["git", "ls-files", "--cached", "--others", "--exclude-standard"],  # noqa: S607  whichever git made the checkout
    cwd=ROOT,
    capture_output=True,
    text=True,
    check=False,
).stdout.split()

FILES = [ROOT / name for name in TRACKED if (ROOT / name).is_file()] or [*ROOT.rglob("*.py")]
SOURCES = [file for file in FILES if file.suffix == ".py"]
PACKAGES = [file for file in SOURCES if file.relative_to(ROOT).parts[0] != "tests"]
VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "manager"}
TOP = {
    "pyproject.toml", "simulator", "gateway", "contracts", "load", "tests", "openapi.yaml", "README.md", "CHANGELOG.md",
    "LICENSE", "Makefile", "requirements", ".ci", ".gitignore", ".pre-commit-config.yaml",
}  # fmt: skip


def functions(file: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function of a file."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from `def` to the end."""
    return (function.end_lineno or 0) - function.lineno + 1


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_file_is_one_idea(file: Path):
    """No file is over 250 lines and no function over 40."""
    assert len(file.read_text(encoding="utf-8").splitlines()) <= 250
    assert not [f"{f.name}: {length(f)} lines" for f in functions(file) if length(f) > 40]


def test_most_things_are_small():
    """The median file is at most 100 lines, the median function at most 10."""
    assert statistics.median(len(file.read_text().splitlines()) for file in PACKAGES) <= 100
    assert statistics.median(length(f) for file in PACKAGES for f in functions(file)) <= 10


def test_names_say_something():
    """No module is called for what every module is."""
    assert not [file for file in SOURCES if VAGUE & set(file.relative_to(ROOT).with_suffix("").parts)]


@pytest.mark.parametrize("file", PACKAGES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_module_says_its_idea(file: Path):
    """Each module of the packages begins with a docstring, and so does each public function."""
    tree = ast.parse(file.read_text(encoding="utf-8"))

    assert ast.get_docstring(tree)
    public = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name[0] != "_"]
    assert not [node.name for node in public if not ast.get_docstring(node)]


@pytest.mark.parametrize(
    "file", [f for f in SOURCES if f.name.startswith("test_")], ids=lambda file: str(file.relative_to(ROOT))
)
def test_every_test_is_a_sentence(file: Path):
    """Each test has a docstring that ends like a sentence."""
    mute = [f.name for f in functions(file) if f.name.startswith("test_") and not said(f)]

    assert not mute


def said(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether the docstring is a sentence."""
    return (ast.get_docstring(function) or "").strip()[-1:] in {".", "?", "!"}


def test_nothing_is_patched():
    """No test replaces a part of the thing it specifies, or sleeps for longer than it takes to look again."""
    patched = re.compile(r"monkeypatch|mock\.patch|unittest\.mock|time\.sleep\((?!0\.0|self)")
    tests = [file for file in SOURCES if file not in PACKAGES and file != Path(__file__)]

    assert not [file.name for file in tests if patched.search(file.read_text(encoding="utf-8"))]


def test_the_top_level_is_fixed():
    """Nothing but the agreed names at the top."""
    assert {file.relative_to(ROOT).parts[0] for file in FILES} <= TOP


def test_locks_name_no_address():
    """The lock files carry hashes and no address of any registry."""
    assert not [file.name for file in (ROOT / "requirements").iterdir() if "://" in file.read_text(encoding="utf-8")]


def test_no_key_is_committed():
    """Nothing that looks like one of our keys is in a file."""
    key = re.compile(r"ysk_[0-9A-Za-z]{43}")

    found = [file for file in FILES if file.suffix in {".py", ".md", ".yaml", ".toml"} and key.search(file.read_text())]

    assert not found
