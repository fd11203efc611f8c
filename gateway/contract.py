"""The contract at one glance: two paths, four sizes, seven rows.

The same table stands in `openapi.yaml`, on purpose: that one judges, this one works, and
`tests/test_contract_lock.py` proves them equal. How the rows are used is in `send.py`.
"""

from typing import Final, NamedTuple

VERIFY_PATH: Final = "/api/v1/integration/yeastar/sms/verify"
SEND_PATH: Final = "/api/v1/integration/yeastar/sms/sendmessage"

MAX_BODY_BYTES: Final = 32 * 1024
MAX_TEXT: Final = 2000  # Unicode code points
MAX_CHALLENGE: Final = 1024  # characters
NUMBER: Final = r"\+[1-9][0-9]{6,14}"  # strict ASCII E.164, full match


class Row(NamedTuple):
    """One row of the provider's table."""

    status: int
    code: str
    title: str


INVALID_NUMBER: Final = Row(400, "10001", "Invalid phone number")
INVALID_PARAMETER: Final = Row(400, "10002", "Invalid parameter")
UNSUPPORTED_MEDIA: Final = Row(400, "10003", "Unsupported media")
NOT_AUTHENTICATED: Final = Row(401, "10004", "Authentication failed")
NO_PERMISSION: Final = Row(403, "10005", "No permission")
TOO_MANY: Final = Row(429, "10006", "Too many requests")
UNAVAILABLE: Final = Row(500, "10007", "Service unavailable")

ROWS: Final = (
    INVALID_NUMBER,
    INVALID_PARAMETER,
    UNSUPPORTED_MEDIA,
    NOT_AUTHENTICATED,
    NO_PERMISSION,
    TOO_MANY,
    UNAVAILABLE,
)


class Refusal(Exception):
    """A request is answered with one of the rows, and nothing of it ever reaches the carrier.

    `retry_after` (seconds, rounded up to at least 1) goes with 10006 and 10007. `status` replaces the row's own
    where HTTP has a better word (404, 405, 413, 415), `allow` goes with 405.
    """

    def __init__(
        self,
        row: Row,
        detail: str,
        *,
        retry_after: float | None = None,
        status: int | None = None,
        allow: str | None = None,
    ) -> None:
        super().__init__(f"{row.code} {detail}")
        self.row = row
        self.detail = detail
        self.retry_after = retry_after
        self.status = status or row.status
        self.allow = allow
