"""Clients that are slow, silent or too many; others are served meanwhile, and memory stays."""

import contextlib
import pathlib
import re
import socket
import threading
import time
import unittest

from harness import eventually
from wire import FORM, HOST, Watched, ask, connect, drain, statuses

LIVE = b"GET /health/live HTTP/1.1\r\n" + HOST + b"\r\n"


class Trickle(threading.Thread):
    """Sends what it has a byte at a time until it is cut off; `seconds` tells when."""

    def __init__(self, port, start, bytes_):
        super().__init__(daemon=True)
        self.port, self.begin, self.bytes, self.seconds, self.answer = port, start, bytes_, None, b""
        self.start()

    def run(self):
        begun = time.monotonic()
        with connect(self.port, 0.5) as raw:
            with contextlib.suppress(ConnectionError):
                raw.sendall(self.begin)
            closed = False
            while not closed and time.monotonic() < begun + 40:
                with contextlib.suppress(ConnectionError):
                    raw.sendall(self.bytes)
                got, closed = drain(raw)
                self.answer += got
        self.seconds = time.monotonic() - begun


class Slow(Watched):
    # The named proxies of `dev` are this machine, and proxies may idle longer.
    options = {"max_connections": 1000}

    def test_slow_clients_are_cut_and_others_served_meanwhile(self):
        post = b"POST /token HTTP/1.1\r\n" + HOST + FORM
        kinds = {
            "head": (b"GET /health/live HTTP/1.1\r\nx: ", b"a"),
            "headers": (b"GET /health/live HTTP/1.1\r\n", b"x: y\r\n"),
            "empty lines": (b"", b"\r\n"),
            "nothing": (b"", b""),
            "body": (post + b"content-length: 60000\r\n\r\n", b"a"),
            "chunks": (post + b"transfer-encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
        }
        clients = {kind: [Trickle(self.port, *what) for _ in range(10)] for kind, what in kinds.items()}
        while any(client.is_alive() for some in clients.values() for client in some):
            self.assertServes()
            time.sleep(0.5)
        for kind, some in clients.items():
            is_body = kind in ("body", "chunks")
            for client in some:
                with self.subTest(kind):
                    self.assertLess(client.seconds, 35 if is_body else 20)
                    self.assertIn(statuses(client.answer), ([408],) if is_body else ([], [408], [400]))
                    if is_body:
                        self.assertIn(b"\r\nconnection: close\r\n", client.answer)

    def test_half_closed_and_reset_connections_leave_nothing(self):
        for end in (socket.SHUT_WR, None):
            for sent in (b"", b"GET /", b"POST /token HTTP/1.1\r\n" + HOST + FORM + b"content-length: 50\r\n\r\na", LIVE):
                for _ in range(50):
                    raw = connect(self.port)
                    raw.sendall(sent)
                    if end is None:
                        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                    else:
                        raw.shutdown(end)
                    raw.close()
        # Those that it has not looked at yet still count as connections of this network.
        eventually(self.serves, what="the end of all of them")

    def test_answers_that_nobody_reads_are_not_piled_up(self):
        [sheet] = set(re.findall(r"/assets/[^\"]+\.css", self.server.get("/register").text))
        head, open_ = f"GET {sheet} HTTP/1.1\r\n".encode() + HOST + b"\r\n", []
        for _ in range(8):
            raw = connect(self.port, 0.2)
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            open_.append(raw)
            with contextlib.suppress(TimeoutError, ConnectionError):
                raw.sendall(head * 1_000)
        self.assertServes()
        grown = self.memory() - self.before
        for raw in open_:
            raw.close()
        self.assertLess(grown, 64 << 20)


class Many(Watched):
    options = {"max_connections": 40}

    def held_by_server(self):
        """How many connections the server has not closed: established, or closed by the other end alone."""
        rows = (line.split() for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:])
        return sum(row[1].endswith(f":{self.port:04X}") and row[3] in ("01", "08") for row in rows)

    def test_more_connections_than_one_network_may_have_are_closed_and_others_served(self):
        # All of 127.0.0.1 is one client; a quarter of the connections is its share.
        eventually(lambda: not self.held_by_server(), what="the end of those before")
        held = [connect(self.port, 20) for _ in range(30)]
        begun = time.monotonic()
        closed = sum(drain(raw)[1] for raw in held[15:])
        self.assertEqual(closed, 15)
        self.assertLess(time.monotonic() - begun, 1.5, "beyond the share they end at once")
        # Another address is served while the first one holds what it has.
        with socket.create_connection(("127.0.0.1", self.port), 5, source_address=("127.0.0.2", 0)) as other:
            other.sendall(LIVE)
            self.assertTrue(other.recv(100).startswith(b"HTTP/1.1 200"))
        for raw in held:
            raw.close()
        # Until the server has seen that, the next one from here would still be beyond the share.
        eventually(lambda: not self.held_by_server(), what="the end of all of them")

    def test_all_connections_taken_by_the_silent_come_free_soon(self):
        held = []
        for network in range(2, 6):
            for _ in range(10):
                held.append(socket.create_connection(("127.0.0.1", self.port), 5, source_address=(f"127.0.0.{network}", 0)))
        begun = time.monotonic()
        self.assertEqual(ask(self.port, LIVE.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"), 25)[0], [200])
        self.assertLess(time.monotonic() - begun, 8)
        for raw in held:
            raw.close()


if __name__ == "__main__":
    unittest.main()
