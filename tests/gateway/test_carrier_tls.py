"""The deadline of a call holds on an encrypted line too: the socket that is cut must be the one that is read."""

import socket
import ssl
import subprocess
from threading import Thread
from time import monotonic

import httpx

from gateway.carrier import RETRY, Carrier
from tests.gateway.delivery import parcels

DEADLINE = 0.6


def test_a_dribbling_carrier_is_cut_through_tls_too(tmp_path):
    """The deadline holds on an encrypted line as well."""
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    command = ["/usr/bin/openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject]
    subprocess.run([*command, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(certificate, key)

    def dribble(listener):
        with server.wrap_socket(listener.accept()[0], server_side=True) as line:
            line.recv(65536)
            line.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            line.settimeout(0.1)
            end = monotonic() + 10
            while monotonic() < end:
                try:
                    line.sendall(b" ")
                    while line.recv(65536):
                        pass
                    break
                except TimeoutError:
                    continue
                except OSError:
                    break

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=dribble, args=(listener,))
        thread.start()
        trusting = httpx.Client(verify=ssl.create_default_context(cafile=str(certificate)), trust_env=False)
        started, url = monotonic(), f"https://localhost:{listener.getsockname()[1]}"
        with trusting:
            [outcome] = Carrier(trusting, url, DEADLINE).submit(parcels()).outcomes
        assert DEADLINE <= monotonic() - started < DEADLINE + 1, outcome
        thread.join(15)
    assert outcome.kind == RETRY
