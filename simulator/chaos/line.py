"""A TCP proxy between the gateway and its database: cut when certain bytes have passed to the server, or silent.

What was sent before a cut arrives; its answer does not. Over a silent line nothing passes, and neither end is told.
"""

import socket
from contextlib import suppress
from threading import Event, Thread


class Cutter:
    """Forwards one port of loopback to another; `cut_after` arms it for the next bytes that match.

    While `speaks` is cleared it is silent.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.cuts = 0
        self.speaks = Event()
        self.speaks.set()
        self._mark: bytes | None = None
        self._threads = [Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def cut_after(self, mark: bytes | None) -> None:
        """Cut every line over which these bytes go to the server, from now on; None: no more."""
        self._mark = mark

    def close(self) -> None:
        """Take no more connections, and wait for the lines to end."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.speaks.set()
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._threads.append(Thread(target=self._line, args=(client,), daemon=True))
                self._threads[-1].start()

    def _line(self, client: socket.socket) -> None:
        muted = Event()
        self.speaks.wait()
        # Where nobody listens the client's line is closed, too.
        with client, suppress(OSError), socket.create_connection(("127.0.0.1", self._target)) as server:
            back = Thread(target=self._answers, args=(server, client, muted), daemon=True)
            back.start()
            self._questions(client, server, muted)
            _end(server)
            _end(client)
            back.join()

    def _questions(self, client: socket.socket, server: socket.socket, muted: Event) -> None:
        with suppress(OSError):
            while data := client.recv(65536):
                self.speaks.wait()
                cut = self._mark is not None and self._mark in data
                if cut:
                    self.cuts += 1
                    muted.set()
                server.sendall(data)
                if cut:
                    return

    def _answers(self, server: socket.socket, client: socket.socket, muted: Event) -> None:
        with suppress(OSError):
            while data := server.recv(65536):
                self.speaks.wait()
                if not muted.is_set():
                    client.sendall(data)
        _end(client)  # the server is gone, and says so


def _end(line: socket.socket) -> None:
    with suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)
