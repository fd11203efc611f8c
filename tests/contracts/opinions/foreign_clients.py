"""Other people's clients against a gateway. Not part of the suite: needs `telnyx` and `apprise`.

    YEASTAR_API_KEY=... python -m tests.contracts.opinions.foreign_clients telnyx http://127.0.0.1:8080

Telnyx's SDK speaks the same envelope with other codes; Apprise posts JSON with fields of its own. Exit 1 if one of
them cannot do its work.
"""

import os
import sys

import apprise
import telnyx

PATH = "/api/v1/integration/yeastar/sms"
MESSAGE = {"from": "+630000000001", "to": "+639171234567", "text": "from another client"}


def with_telnyx(base: str, key: str) -> str:
    """The SDK's own request with our path: an id, and its own exceptions for our refusals."""

    def send(key: str, **fields: str) -> object:
        client = telnyx.Telnyx(api_key=key, base_url=base + PATH, max_retries=0)
        try:
            return client.post("/sendmessage", cast_to=object, body=MESSAGE | fields)
        except telnyx.APIStatusError as error:
            return type(error).__name__, error.body["errors"][0]["code"]

    assert send(key)["data"]["id"]
    refusals = send("wrong"), send(key, to="12")
    assert refusals == (("AuthenticationError", "10004"), ("BadRequestError", "10001"))
    return f"accepted; refused with its own exceptions: {refusals}"


def with_apprise(base: str, key: str) -> str:
    """A JSON notification: our three fields are added to Apprise's own, which are ignored."""
    host = base.removeprefix("http://")
    fields = "&".join(f":{name}={value.replace('+', '%2B').replace(' ', '%20')}" for name, value in MESSAGE.items())
    url = f"json://{host}{PATH}/sendmessage?method=POST&+Authorization=Bearer%20{key}&{fields}"
    sender = apprise.Apprise()
    assert sender.add(url)
    assert sender.notify(title="", body="not looked at")
    return "accepted, with version, title, message, attachments and type beside our fields"


if __name__ == "__main__":
    client = {"telnyx": with_telnyx, "apprise": with_apprise}[sys.argv[1]]
    print(client(sys.argv[2], os.environ["YEASTAR_API_KEY"]))  # noqa: T201 - for people
