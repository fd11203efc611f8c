"""The catalogue of mutants, and how a hunt is told."""

from collections import Counter
from urllib.parse import urlsplit

from contracts import rules
from contracts.cases import with_key
from contracts.judge import Answer
from contracts.mutants import hunt, matrix
from contracts.mutants.front import Front, Request, refusal
from contracts.verify import TABLES
from contracts.wire import with_keys


def test_every_must_has_a_mutant():
    """No published obligation is without a defect that breaks it, and there are at least 60 defects."""
    catalogue = hunt.catalogue()
    broken = Counter(mutant.breaks for mutant in catalogue.values())
    musts = {rule.id for rule in rules.rules().values() if rule.level == "must"}
    assert musts - set(broken) == set()
    assert set(broken) <= set(rules.rules())
    assert len(catalogue) >= 60


def test_every_mutant_says_what_it_is():
    """A mutant has a sentence, and a category that Web Fuzzing Commons knows, or none."""
    known = {0, *range(100, 121), *range(200, 207), *range(300, 311)}
    for mutant in hunt.catalogue().values():
        assert mutant.says.endswith(".")
        assert mutant.wfc in known


def test_survivors_are_listed_by_name():
    """The matrix counts kills by engine and names who was not found by its own rule."""
    mutants = list(hunt.catalogue().values())[:2]
    hunts = [hunt.Hunt(mutants[0], ("cases", "raw"), ()), hunt.Hunt(mutants[1], (), ("YS-OK-01",))]
    found = matrix.as_object(hunts)
    assert (found["killed"], found["survivors"]) == (1, [mutants[1].name])
    assert found["by_engine"]["raw"] == 1
    assert matrix.as_text(hunts).endswith(f"1 of 2 killed by their own rule; survivors: {mutants[1].name}")


class Recorded(Front):
    """A front whose correct provider is in this process; it remembers what was asked, and asks nothing twice."""

    def __init__(self, target, client, mutant, known):
        super().__init__(target, mutant.defect)
        self.client, self.known, self.asked = client, known, []

    def ask(self, request):
        """The gateway's answer; for the header x-provoke and another key a correct refusal with that code."""
        if "x-provoke" in request.headers and request.key != f"Bearer {self.target.key}":
            return refusal(request.headers["x-provoke"])
        asked = (request.method, request.path, tuple(sorted(request.headers.items())), request.body)
        self.asked.append(asked)
        if asked not in self.known:
            headers = {name: value for name, value in request.headers.items() if name != "transfer-encoding"}
            done = self.client.open(request.path, method=request.method, headers=headers, data=request.body)
            self.known[asked] = Answer(done.status_code, {n.lower(): v for n, v in done.headers}, done.data)
        return self.known[asked]


def _requests(target):
    """The written requests as a front receives them, and good ones while 10005, 10006 and 10007 are provoked."""
    cases = [case for tables in TABLES.values() for table in tables for case in table(target)]
    good = next(case for case in cases if case.name == "page-example"), next(c for c in cases if c.name == "verify")
    for case in cases:
        if (case.call.operation and not case.call.head) or case.name == "path-slash":
            yield _received(case, target)
    for code in ("10005", "10006", "10007"):
        yield from (_received(with_key(case, "Bearer other"), target, **{"x-provoke": code}) for case in good)
    yield _received(with_key(good[0], "Bearer other"), target, **{"x-provoke": "10001"})
    yield from (_received(case, target) for case in good)


def _received(case, target, **more):
    headers = dict(more)
    for name, template in case.call.headers:
        value = with_keys(template, {"YEASTAR_API_KEY": target.key})
        headers[name.lower()] = f"{headers[name.lower()]}, {value}" if name.lower() in headers else value
    headers |= {"transfer-encoding": "chunked"} if case.call.framing == "chunked" else {"content-length": "0"}
    parts = urlsplit(case.call.url)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    return Request(case.call.method, path, headers, case.call.body)


def test_every_mutant_differs_from_the_provider_behind_it(desk, target_at):
    """For at least one written request each mutant answers, or asks the provider, something else."""
    target = target_at("http://127.0.0.1:1", key=desk.key, timeout=0.0)
    requests, known, same = list(_requests(target)), {}, []
    for mutant in hunt.catalogue().values():
        front = Recorded(target, desk.client, mutant, known)
        plain = Recorded(target, desk.client, mutant, known)
        for request in requests:
            seen = mutant.defect(front, request), front.asked
            if seen != (plain.ask(request), plain.asked):
                break
        else:
            same.append(mutant.name)
    assert same == ["silence_on_an_empty_body"]  # that one differs only in time
