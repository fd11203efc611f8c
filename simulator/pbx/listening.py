"""`smslab pbx listen`: the PBX's webhook on loopback, and a signature to try it with."""

import json
import os
import socket
from collections.abc import Mapping
from typing import Any, BinaryIO

import click
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from simulator.pbx.inbound import HEADER, PATH, example, sign, webhook
from simulator.pbx.provider import AS_JSON

SECRET = "SMSLAB_WEBHOOK_SECRET"  # noqa: S105 - the name of a variable


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8091, show_default=True, type=click.IntRange(0, 65535))
@click.option("--sign", "to_sign", type=click.File("rb"), help="Print the signature header of a body and stop.")
@click.option("--example", "show_example", is_flag=True, help="Print an example body and stop.")
@AS_JSON
def listen(*, host: str, port: int, to_sign: BinaryIO | None, show_example: bool, as_json: bool) -> None:
    """Receive inbound messages as a PBX does, signed with the channel's secret (SMSLAB_WEBHOOK_SECRET).

    FutureSMS sends no inbound messages; this is for providers that do.

    Example: SMSLAB_WEBHOOK_SECRET=hush smslab pbx listen --port 8091
    """
    if show_example:
        click.echo(example().decode(), nl=False)
        return
    secret = os.environ.get(SECRET, "")
    if not secret:
        raise click.UsageError(f"Set {SECRET} to the channel's secret.")
    if to_sign:
        click.echo(f"{HEADER}: {sign(secret, to_sign.read())}")
        return

    def show(payload: Mapping[str, Any]) -> None:
        sender, words = payload["from"]["phone_number"], payload["text"]
        click.echo(json.dumps(payload, ensure_ascii=False) if as_json else f"{sender}: {words}")

    try:
        door = socket.create_server((host, port))
    except OSError as error:
        raise click.UsageError(f"Cannot listen on {host}:{port}: {error.strerror}.") from error
    with door, _server(door, webhook(secret, show)) as server:
        click.echo(f"Webhook: http://{host}:{server.port}{PATH} (FutureSMS itself is outbound only)", err=True)
        try:
            server.serve_forever(poll_interval=0.1)
        except KeyboardInterrupt:
            click.echo("Stopped.", err=True)


def _server(door: socket.socket, app: Any) -> BaseWSGIServer:  # noqa: ANN401 - any WSGI application
    host, port = door.getsockname()[:2]
    return make_server(host, port, app, threaded=True, request_handler=_Quiet, fd=door.fileno())


class _Quiet(WSGIRequestHandler):
    """Says what it is, and nothing per request. A caller gets ten seconds."""

    server_version = "smslab-pbx-simulator"
    sys_version = ""
    timeout = 10

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - werkzeug's name
        """Say nothing."""
