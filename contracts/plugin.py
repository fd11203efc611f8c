"""The rules in a provider's own pytest: `pytest -p contracts.plugin --smslab-target FILE` adds a test per rule.

Or in a test of one's own: `smslab_run` is the finished run, `smslab_rule` makes one test per rule.
"""

import os
from pathlib import Path

import pytest

from contracts.provider import Provider
from contracts.reports.run import Run
from contracts.rules import fails, rules
from contracts.target import Target, load
from contracts.verdict import Verdict
from contracts.verify import run as verify_target

_RUN = pytest.StashKey[Run]()


class RuleBrokenError(AssertionError):
    """The provider breaks the rule of this test."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options, all beginning with --smslab."""
    group = parser.getgroup("smslab", "Yeastar contract")
    group.addoption("--smslab-target", metavar="FILE", help="Target file: adds one test per rule.")
    group.addoption("--smslab-strict", action="store_true", help="Fail for broken `should` rules too.")
    group.addoption("--smslab-examples", type=int, default=0, help="Generated requests per operation.")


def pytest_collection_modifyitems(session: pytest.Session, items: list[pytest.Item]) -> None:
    """Add the tests of the rules behind the provider's own."""
    if session.config.getoption("smslab_target"):
        items += [RuleItem.from_parent(session, name=rule) for rule in rules()]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for `smslab_rule` is one test per rule."""
    if "smslab_rule" in metafunc.fixturenames:
        metafunc.parametrize("smslab_rule", list(rules()))


class RuleItem(pytest.Item):
    """One rule, as a test."""

    def runtest(self) -> None:
        """Fail if the provider breaks the rule and it counts; skip if nothing tested it."""
        check(run_of(self.config), self.name)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> str:
        """The finding, without the insides of the suite."""
        del style
        return str(excinfo.value)

    def reportinfo(self) -> tuple[os.PathLike[str] | str, int | None, str]:
        """The rule's sentence stands for the test's place."""
        return "openapi.yaml", None, f"{self.name} {rules()[self.name].says}"


@pytest.fixture(scope="session")
def smslab_target(pytestconfig: pytest.Config) -> Target:
    """The provider to be judged. Override this fixture to describe it in Python."""
    return _target(pytestconfig)


@pytest.fixture(scope="session")
def smslab_run(pytestconfig: pytest.Config, smslab_target: Target) -> Run:
    """The finished run against the provider; it is made once per session."""
    return run_of(pytestconfig, smslab_target)


def check(run: Run, rule: str) -> None:
    """Raise `RuleBrokenError` if the run broke the rule and it counts; skip the test if nothing tested it."""
    if run.verdict.could_not:
        raise RuleBrokenError(run.headline)
    broken = run.by_rule.get(rule, [])
    if broken and fails(rule, strict=run.verdict.strict):
        first = min(broken, key=run.size)
        sentence = f"{rules()[rule].says}\n{first.case}: {first.sentence}\n{run.curl(first)}"
        raise RuleBrokenError(run.masked(sentence))
    if rule not in run.verdict.checked and not broken:
        pytest.skip("no request of this run tests it")


def run_of(config: pytest.Config, target: Target | None = None) -> Run:
    """The session's run; the first who asks makes it."""
    if _RUN not in config.stash:
        provider = Provider(target or _target(config))
        verdict = Verdict(strict=config.getoption("smslab_strict"))
        verify_target(provider, verdict, examples=config.getoption("smslab_examples"))
        config.stash[_RUN] = Run.of(provider, verdict)
    return config.stash[_RUN]


def _target(config: pytest.Config) -> Target:
    file = config.getoption("smslab_target")
    if not file:
        raise pytest.UsageError("Give --smslab-target FILE or override the fixture smslab_target.")
    try:
        return load(Path(file), os.environ)
    except ValueError as error:
        raise pytest.UsageError(str(error)) from error
