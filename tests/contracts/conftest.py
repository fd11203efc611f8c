"""Providers to judge: the minimal one in this process, the bundled gateway as a lab of its own processes."""

import json
from dataclasses import replace

import pytest
from click.testing import CliRunner

from contracts import spec
from contracts.cli import contract
from contracts.provider import Provider
from contracts.serving import serving
from contracts.target import Target
from contracts.verdict import Verdict
from contracts.verify import run
from tests.contracts.minimal_provider import Minimal

KEY = "minimalKeyAbc123"


@pytest.fixture(scope="session")
def minimal_app():
    """A fresh minimal provider per call, with the options of `minimal_provider.Minimal`."""
    return lambda **options: Minimal(KEY, blocked_key="blockedKeyAbc123", **options).app


@pytest.fixture(scope="session")
def target_at():
    """A target for whatever answers the contract's paths at a base URL."""
    (verify, send), page = (route.path for route in spec.routes()), spec.page_example()
    plain = Target(send, verify, KEY, page["from"], page["to"], max_accepted=500, timeout=2.0)

    def target(base, **changes):
        return replace(plain, **{"send_url": base + send, "verify_url": base + verify} | changes)

    return target


@pytest.fixture(scope="session")
def judged():
    """Run the suite against a target: the verdict, and the provider with its exchanges."""

    def judge(target, *, strict=False, examples=0, seed=1, **options):
        provider = Provider(target, **options)
        verdict = run(provider, Verdict(strict=strict), examples=examples, seed=seed)
        return verdict, provider

    return judge


@pytest.fixture(scope="session")
def minimal(minimal_app):
    """The URL of a minimal provider that is there for the whole session."""
    with serving(minimal_app()) as url:
        yield url


@pytest.fixture
def target_file(tmp_path, target_at):
    """A target file for whatever answers at a base URL, with its verify URL."""

    def write(base):
        target, file = target_at(base), tmp_path / f"{base.rpartition(':')[2]}.toml"
        file.write_text(f'send_url = "{target.send_url}"\nverify_url = "{target.verify_url}"\nmax_accepted = 200\n')
        return file

    return write


@pytest.fixture
def smslab_contract():
    """Run `smslab contract ...`: the result, and its JSON if there is some."""

    def invoke(*arguments):
        done = CliRunner(env={"YEASTAR_API_KEY": KEY}).invoke(contract, [str(one) for one in arguments])
        return done, json.loads(done.stdout) if done.stdout.startswith("{") else {}

    return invoke
