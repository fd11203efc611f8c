"""The pages of `contracts/docs` that are made from data. `python -m contracts.pages` writes them anew."""

from pathlib import Path

from contracts.mutants import machine
from contracts.mutants.hunt import catalogue
from contracts.rules import rules

HERE = Path(__file__).parent / "docs"
_LEVELS = {
    "must": "The provider's page says so; a provider that breaks one fails.",
    "should": "Our decisions and good practice; reported, and failed with `--strict`.",
    "note": "Reported, never failed.",
}
_MACHINE = """\
## Made by a machine

The other half of the question: can the gateway's own tests fail? `make mutants` lets mutmut break the heart of the
bundled gateway, in a copy, and runs its fast tests against each change (`tests/mutation`). `smslab contract mutants`
prints the last line beside its kill matrix, with `--machine FILE` all of it."""
_SOURCES = "`page` is the provider's page, `pbx` how PBXs behave, `ours` our decision, `rfc` HTTP itself."


def rules_page() -> str:
    """All rules, by level."""
    parts = ["# Rules\n\nMade from `contracts/rules.yaml` by `python -m contracts.pages`. " + _SOURCES]
    for level, says in _LEVELS.items():
        rows = [f"| {r.id} | {r.says} | {r.source} |" for r in rules().values() if r.level == level]
        parts.append(
            f"## {level}\n\n{says}\n\n| rule | what it says | source |\n| --- | --- | --- |\n" + "\n".join(rows)
        )
    return "\n\n".join(parts) + "\n"


def mutants_page() -> str:
    """All mutants, with the rule each breaks and its Web Fuzzing Commons category."""
    rows = [
        f"| {one.name} | {one.says.rstrip('.').replace('|', ' ')} | {one.breaks} | {one.wfc or ''} |"
        for one in catalogue().values()
    ]
    head = (
        "# Mutants\n\nMade by `python -m contracts.pages`: broken providers, one defect each.\n"
        "`smslab contract mutants --target lab.toml` judges them; only the rule in the table kills a mutant.\n"
        "WFC is the fault category of Web Fuzzing Commons, where one fits.\n\n"
        "| mutant | defect | rule | WFC |\n| --- | --- | --- | --- |\n"
    )
    return head + "\n".join(rows) + "\n\n" + _machine_made()


def _machine_made() -> str:
    """What mutmut made of the bundled gateway: counts by module, and the equivalent ones by name."""
    found = machine.load()
    rows = [
        f"| {name} | " + " | ".join(str(row[column]) for column in machine.COLUMNS) + " |"
        for name, row in found["modules"].items()
    ]
    parts = [
        _MACHINE,
        f"| module | {' | '.join(machine.COLUMNS)} |\n| --- | --- | --- | --- |\n" + "\n".join(rows),
        f"{machine.headline(found)}.",
        "### Equivalent mutants",
    ]
    for because, same in machine.by_reason(found):
        parts.append(f"{because[0].upper()}{because[1:]}:")
        parts.append("\n".join(f"- {row['mutant']}: `{row['change']}`" for row in same))
    return "\n\n".join(parts) + "\n"


PAGES = {"rules.md": rules_page, "mutants.md": mutants_page}


def main() -> None:
    """Write the pages."""
    for name, page in PAGES.items():
        (HERE / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
