"""The fake carrier as a process of its own: from its options to Ctrl-C. The only reader of its environment."""

import os
import signal
from pathlib import Path
from random import Random, SystemRandom
from socket import socket
from time import time
from typing import NamedTuple, TextIO

import click
import httpx
import yaml

from simulator.carrier.app import create_app
from simulator.carrier.fault import build
from simulator.carrier.lifecycle import PROFILES, Profile
from simulator.carrier.postman import Postman
from simulator.carrier.server import bind, server_on
from simulator.ledger.carrier import CarrierLedger


class Options(NamedTuple):
    """What `smslab carrier serve` was asked for."""

    host: str
    port: int
    ledger: str
    receipts_url: str | None
    receipt_profile: str
    dedup_window: float
    schedule: TextIO | None
    seed: int | None


def run(options: Options) -> None:
    """Serve until Ctrl-C or SIGTERM; a usage error with one sentence if it cannot begin."""
    seed = SystemRandom().getrandbits(32) if options.seed is None else options.seed
    listener = _listener(options.host, options.port)
    with listener, CarrierLedger(options.ledger) as ledger, httpx.Client(timeout=10, trust_env=False) as client:
        postman = _postman(options.receipts_url, ledger, client)
        try:
            app = create_app(
                ledger,
                rng=Random(seed),
                window=options.dedup_window,
                profile=read_profile(options.receipt_profile),
                postman=postman,
                schedule=yaml.safe_load(options.schedule) if options.schedule else None,
            )
        except (ValueError, yaml.YAMLError) as error:
            raise click.UsageError(f"The schedule cannot be used: {error}") from None
        server = server_on(listener, app)
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        click.echo(f"Fake carrier (simulator) on http://{options.host}:{server.port}, seed {seed}. Ctrl-C ends it.")
        server.serve_forever(poll_interval=0.1)
        if postman:
            postman.stop()


def _listener(host: str, port: int) -> socket:
    try:
        return bind(host, port)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise click.UsageError(f"Cannot listen on {host} port {port}: {reason}.") from None


def read_profile(name: str) -> Profile:
    """A receipt profile by its name, or from a YAML file with the fields of `Profile`."""
    if name in PROFILES:
        return PROFILES[name]
    try:
        return build(Profile, yaml.safe_load(Path(name).read_text(encoding="utf-8")), "a receipt profile")
    except OSError:
        raise click.UsageError(f"No receipt profile {name!r}: {', '.join(PROFILES)}, or a file.") from None
    except (ValueError, yaml.YAMLError) as error:
        raise click.UsageError(f"The receipt profile in {name} cannot be used: {error}") from None


def _postman(url: str | None, ledger: CarrierLedger, client: httpx.Client) -> Postman | None:
    if not url:
        return None
    secret = os.environ.get("SMSLAB_RECEIPT_SECRET", "")
    if not secret:
        raise click.UsageError("Receipts are signed: put the shared secret in SMSLAB_RECEIPT_SECRET.")
    if not url.startswith(("http://", "https://")):
        raise click.UsageError(f"Receipts cannot go to {url!r}: an http URL, please.")
    postman = Postman(url, secret, ledger, client, time)
    postman.start()
    return postman
