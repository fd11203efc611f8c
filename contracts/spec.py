"""The only reader of `openapi.yaml`: everything the suite knows of the contract, it knows from here.

The gateway has its own copy of the error table on purpose (`gateway/contract.py`); a judge that shares the
product's constants agrees with its mistakes. `tests/test_contract_lock.py` proves the two equal.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from contracts.reading import read


class ErrorRow(NamedTuple):
    """One row of the provider's table: the HTTP status, the code in the body, the title that goes with it."""

    status: int
    code: str
    title: str


class Route(NamedTuple):
    """One operation of the contract."""

    operation: str
    method: str
    path: str


@dataclass(frozen=True, slots=True)
class Limits:
    """The contract's sizes: bytes for the body, Unicode code points for texts."""

    body_bytes: int
    text: int
    challenge: int
    number_pattern: str


def location() -> Path:
    """Where `openapi.yaml` is: beside the packages in a checkout, inside `contracts` when installed."""
    here = Path(__file__).parent
    checkout = here.parent / "openapi.yaml"
    return checkout if checkout.exists() else here / "openapi.yaml"


@cache
def document() -> dict[str, Any]:
    """The contract as parsed YAML. Treat it as read-only: everybody gets the same object."""
    parsed: dict[str, Any] = read(location())
    return parsed


def resolve(node: dict[str, Any]) -> dict[str, Any]:
    """The node itself, or what its `$ref` points to inside the document."""
    while "$ref" in node:
        target: Any = document()
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


@cache
def routes() -> tuple[Route, ...]:
    """The operations, verify first."""
    return tuple(
        Route(operation["operationId"], method.upper(), path)
        for path, operations in document()["paths"].items()
        for method, operation in operations.items()
    )


def route(operation: str) -> Route:
    """The operation by its name: verify or sendmessage."""
    return next(route for route in routes() if route.operation == operation)


@cache
def error_rows() -> tuple[ErrorRow, ...]:
    """The seven rows, ordered by code, collected from the statuses at which the operations declare them.

    404, 405, 413 and 415 carry code 10002 by our decision and keep their own status; the row is the status
    at which the provider's page lists the code.
    """
    rows = {
        (int(status), *_constants(schema))
        for operation in _operations()
        for status, response in operation["responses"].items()
        if int(status) not in {200, 405, 413, 415}
        for schema in _error_schemas(resolve(response))
    }
    return tuple(sorted((ErrorRow(*row) for row in rows), key=lambda row: row.code))


@cache
def error_codes() -> dict[str, ErrorRow]:
    """The seven rows by their code."""
    return {row.code: row for row in error_rows()}


@cache
def answers() -> tuple[tuple[str, int, str], ...]:
    """Every answer the document knows: operation, status, and code ("" for success), in its order."""
    return tuple(
        (operation["operationId"], int(status), code)
        for operation in _operations()
        for status, response in operation["responses"].items()
        for code in ([""] if status == "200" else map(_code, _error_schemas(resolve(response))))
    )


@cache
def limits() -> Limits:
    """The sizes a provider must keep to."""
    verify = document()["paths"][routes()[0].path]["get"]
    message = document()["components"]["schemas"]["Message"]["properties"]
    return Limits(
        body_bytes=document()["x-limits"]["body_bytes"],
        text=message["text"]["maxLength"],
        challenge=verify["parameters"][0]["schema"]["maxLength"],
        number_pattern=message["to"]["pattern"],
    )


def page_example() -> dict[str, str]:
    """The request printed on the provider's page."""
    value: dict[str, str] = document()["components"]["examples"]["PageRequest"]["value"]
    return dict(value)


def _operations() -> list[dict[str, Any]]:
    return [operation for path in document()["paths"].values() for operation in path.values()]


def _error_schemas(response: dict[str, Any]) -> list[dict[str, Any]]:
    schema = response["content"]["application/json"]["schema"]
    return [resolve(choice) for choice in schema.get("oneOf", [schema])]


def _code(schema: dict[str, Any]) -> str:
    return _constants(schema)[0]


def _constants(schema: dict[str, Any]) -> tuple[str, str]:
    fields = schema["properties"]["errors"]["items"]["properties"]
    return fields["code"]["const"], fields["title"]["const"]
