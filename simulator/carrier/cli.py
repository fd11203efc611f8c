"""`smslab carrier`: run the fake carrier. Breaking it and looking at it is in `controls.py`."""

import os
import signal
from pathlib import Path
from random import Random, SystemRandom
from socket import socket
from time import time
from typing import TextIO

import click
import httpx
import yaml

from simulator.carrier.app import create_app
from simulator.carrier.controls import fault, messages, reset
from simulator.carrier.fault import build
from simulator.carrier.lifecycle import PROFILES, Profile
from simulator.carrier.postman import Postman
from simulator.carrier.server import bind, server_on
from simulator.ledger.carrier import CarrierLedger


@click.group()
def carrier() -> None:
    """Run the fake carrier, break it on purpose, look at what it took.

    Example: smslab carrier fault add refuse status=503 retry_after=2 --ttl 30
    """


@carrier.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to bind.")
@click.option("--port", default=8090, show_default=True, help="Port to bind; 0 takes a free one.")
@click.option("--ledger", "path", default="carrier.sqlite", show_default=True, type=click.Path(dir_okay=False))
@click.option("--receipts-url", help="Where delivery receipts go; none are sent without it.")
@click.option("--receipt-profile", default="delivered", show_default=True, help="A name, or a YAML file.")
@click.option("--dedup-window", default=86_400.0, show_default=True, help="Seconds a key is remembered.")
@click.option("--schedule", type=click.File(), help="A YAML file of fault phases, begun at once.")
@click.option("--seed", type=int, help="Seed of everything drawn; printed when not given.")
def serve(
    *,
    host: str,
    port: int,
    path: str,
    receipts_url: str | None,
    receipt_profile: str,
    dedup_window: float,
    schedule: TextIO | None,
    seed: int | None,
) -> None:
    """Serve the fake carrier until Ctrl-C or SIGTERM.

    Receipts are signed with the secret in SMSLAB_RECEIPT_SECRET.

    Example: smslab carrier serve --port 8090 --ledger carrier.sqlite
    """
    seed = SystemRandom().getrandbits(32) if seed is None else seed
    listener = _listener(host, port)
    with listener, CarrierLedger(path) as ledger, httpx.Client(timeout=10, trust_env=False) as client:
        postman = _postman(receipts_url, ledger, client)
        try:
            app = create_app(
                ledger,
                rng=Random(seed),
                window=dedup_window,
                profile=_profile(receipt_profile),
                postman=postman,
                schedule=yaml.safe_load(schedule) if schedule else None,
            )
        except (ValueError, yaml.YAMLError) as error:
            raise click.UsageError(f"The schedule cannot be used: {error}") from None
        server = server_on(listener, app)
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        click.echo(f"Fake carrier (simulator) on http://{host}:{server.port}, seed {seed}. Ctrl-C ends it.")
        server.serve_forever(poll_interval=0.1)
        if postman:
            postman.stop()


def _listener(host: str, port: int) -> socket:
    try:
        return bind(host, port)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise click.UsageError(f"Cannot listen on {host} port {port}: {reason}.") from None


carrier.add_command(fault)
carrier.add_command(messages)
carrier.add_command(reset)


def _profile(name: str) -> Profile:
    if name in PROFILES:
        return PROFILES[name]
    try:
        return build(Profile, yaml.safe_load(Path(name).read_text(encoding="utf-8")), "a receipt profile")
    except OSError:
        raise click.UsageError(f"No receipt profile {name!r}: {', '.join(PROFILES)}, or a file.") from None
    except (ValueError, AttributeError, yaml.YAMLError) as error:
        raise click.UsageError(f"The receipt profile in {name} cannot be used: {error}") from None


def _postman(url: str | None, ledger: CarrierLedger, client: httpx.Client) -> Postman | None:
    if not url:
        return None
    secret = os.environ.get("SMSLAB_RECEIPT_SECRET", "")
    if not secret:
        raise click.UsageError("Receipts are signed: put the shared secret in SMSLAB_RECEIPT_SECRET.")
    postman = Postman(url, secret, ledger, client, time)
    postman.start()
    return postman
