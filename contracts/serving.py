"""A WSGI application on a free loopback port for as long as it is needed: mutants and test doubles live there."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from werkzeug.serving import WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


@contextmanager
def serving(app: "WSGIApplication", port: int = 0) -> Iterator[str]:
    """Serve the application in threads of this process; gives its URL without a slash at the end."""
    # Without a handler of its own Werkzeug would make one that prints each connection a client gives up.
    logging.getLogger("werkzeug").addHandler(logging.NullHandler())
    server = make_server("127.0.0.1", port, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Quiet(WSGIRequestHandler):
    """One request per connection, and no line on the terminal for it."""

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - the base class's name
        del type, message, args
