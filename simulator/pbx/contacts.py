"""Rows from a CSV or JSON file, as a PBX imports its contacts: every number with its + or not at all."""

import csv
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from contracts import spec

MOST = 1000  # contacts of one campaign, as the PBX has it
COLUMNS = ("number", "phone", "to", "mobile")  # the names under which a number is looked for
_FIELD = re.compile(r"\{(\w+)\}")


class Contact(NamedTuple):
    """One recipient and what else its row says."""

    number: str
    fields: Mapping[str, str]


def read_rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    """The rows of a CSV file (first line: names) or a JSON list of objects or strings, each with its line.

    Raises ValueError with a sentence that names the file.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix.lower() == ".json":
            return list(_json_rows(json.loads(text)))
        reader = csv.DictReader(text.splitlines(), strict=True)
        return [(reader.line_num, {k: v or "" for k, v in row.items() if k is not None}) for row in reader]
    except (OSError, ValueError, csv.Error) as error:
        raise ValueError(f"{path.name} cannot be read: {error}.") from error


def read_contacts(path: Path, most: int = MOST) -> list[Contact]:
    """The contacts of a file. Raises ValueError naming the line of a bad or repeated number, or the 1,001st."""
    rows = read_rows(path)
    if len(rows) > most:
        raise ValueError(f"A campaign has at most {most} contacts; {path.name} has {len(rows)}.")
    known: dict[str, int] = {}
    contacts = []
    for line, row in rows:
        number = next((row[name] for name in COLUMNS if name in row), None)
        if number is None:
            raise ValueError(f"{path.name} needs a column named {', '.join(COLUMNS[:-1])} or {COLUMNS[-1]}.")
        if not re.fullmatch(spec.limits().number_pattern, number):
            lost = " A spreadsheet may have dropped the +." if number.isdigit() else ""
            raise ValueError(f"{path.name}, line {line}: {number!r} is not in E.164 (+63...).{lost}")
        if number in known:
            raise ValueError(f"{path.name}, line {line}: {number} is also in line {known[number]}.")
        known[number] = line
        contacts.append(Contact(number, row))
    if not contacts:
        raise ValueError(f"{path.name} has no contacts.")
    return contacts


def fill(text: str, fields: Mapping[str, str]) -> str:
    """The text with each `{column}` replaced. Raises ValueError for a column that the row does not have."""

    def value(match: re.Match[str]) -> str:
        if match[1] not in fields:
            raise ValueError(f"The text has {match[0]}, but there is no such column.")
        return str(fields[match[1]])

    return _FIELD.sub(value, text)


def _json_rows(document: object) -> Iterator[tuple[int, dict[str, str]]]:
    entries = document if isinstance(document, list) else [document]
    for position, entry in enumerate(entries, 1):
        match entry:
            case str(number):
                yield position, {"number": number}
            case dict(row):
                yield position, {str(name): str(value) for name, value in row.items()}
            case _:
                raise ValueError(f"entry {position} is neither a string nor an object")
