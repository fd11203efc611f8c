"""The error table exists twice on purpose, and the two must never differ."""

from contracts import spec
from gateway import contract


def test_rows_are_equal():
    """The gateway's seven rows are the contract's seven rows."""
    assert [tuple(row) for row in contract.ROWS] == [tuple(row) for row in spec.error_rows()]


def test_paths_are_equal():
    """The gateway serves the two paths of the contract."""
    assert (
        spec.route("verify").path,
        spec.route("sendmessage").path,
    ) == (contract.VERIFY_PATH, contract.SEND_PATH)


def test_limits_are_equal():
    """The gateway keeps to the contract's sizes."""
    assert spec.limits() == spec.Limits(
        body_bytes=contract.MAX_BODY_BYTES,
        text=contract.MAX_TEXT,
        challenge=contract.MAX_CHALLENGE,
        number_pattern=f"^{contract.NUMBER}$",
    )
