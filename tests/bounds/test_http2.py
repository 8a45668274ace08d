"""HTTP/2 over TLS: floods of frames, headers that are too large, and plain use beside them. Also what
TLS itself promises: sessions resumed, connections kept."""

import contextlib
import socket
import ssl
import struct
import time
import unittest

import h2.config
import h2.connection
import h2.events

from wire import Watched, drain, statuses

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS = struct.pack(">I", 0)[1:] + b"\x04\x00" + struct.pack(">I", 0)
ACK = b"\0\0\0\x04\x01\0\0\0\0"


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes((kind, flags)) + struct.pack(">I", stream) + payload


def literal(name, value):
    """A header without index and Huffman code (RFC 7541, 6.2.2)."""
    def text(data):
        # An integer with a prefix of seven bits.
        size, out = len(data), []
        if size < 127:
            return bytes((size,)) + data
        out, size = [127], size - 127
        while size >= 128:
            out.append(size % 128 + 128)
            size //= 128
        return bytes((*out, size)) + data

    return b"\0" + text(name) + text(value)


def request(path=b"/health/live", more=()):
    pairs = [(b":method", b"GET"), (b":scheme", b"https"), (b":path", path), (b":authority", b"localhost"), *more]
    return b"".join(literal(*pair) for pair in pairs)


class Http2(Watched):
    tls = True

    def open(self, *protocols, session=None, version=None):
        context = ssl.create_default_context(cafile=str(self.cert))
        context.set_alpn_protocols(list(protocols or ("h2",)))
        if version:
            context.minimum_version = context.maximum_version = version
        self.context = session.context if session else context
        raw = socket.create_connection(("127.0.0.1", self.port), 5)
        return self.context.wrap_socket(raw, server_hostname="localhost", session=session and session.session)

    def flood(self, frames, seconds=3.0, open_with=b""):
        """Sends frames until the server ends it or the time is over; others are served meanwhile."""
        with self.open() as tls:
            tls.sendall(PREFACE + SETTINGS + open_with)
            tls.settimeout(0.2)
            begun, sent, ended = time.monotonic(), 0, False
            while not ended and time.monotonic() < begun + seconds:
                try:
                    tls.sendall(next(frames))
                    sent += 1
                except TimeoutError:
                    break  # it does not read any more: pressure, which is as good
                except StopIteration:
                    break
                except (ConnectionError, ssl.SSLError):
                    ended = True
            self.assertServes()
            if not ended:
                ended = drain(tls)[1]
            return ended, sent

    def test_a_plain_client_is_served_and_its_connection_kept(self):
        with self.open() as tls:
            self.assertEqual(tls.selected_alpn_protocol(), "h2")
            client = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
            client.initiate_connection()
            for stream in (1, 3, 5):
                head = [(":method", "GET"), (":scheme", "https"), (":path", "/health/live"), (":authority", f"localhost:{self.port}")]
                client.send_headers(stream, head, end_stream=True)
                tls.sendall(client.data_to_send())
                status = None
                while status is None:
                    for event in client.receive_data(tls.recv(65536)):
                        if isinstance(event, h2.events.ResponseReceived):
                            status = dict(event.headers)[b":status"]
                self.assertEqual(status, b"200")

    def test_rapid_reset(self):
        def frames():
            for stream in range(1, 200_000, 20):
                batch = range(stream, stream + 20, 2)
                yield b"".join(frame(1, 5, n, request()) + frame(3, 0, n, struct.pack(">I", 8)) for n in batch)

        ended, sent = self.flood(frames(), 5)
        self.assertTrue(ended, f"{sent} times ten streams opened and reset")

    def test_floods_of_settings_and_pings(self):
        for flood in (SETTINGS, frame(4, 0, 0, struct.pack(">HI", 3, 100)), frame(6, 0, 0, b"12345678")):
            def frames():
                while True:
                    yield flood * 500

            self.flood(frames())
            self.assertLess(self.memory() - self.before, 64 << 20)

    def test_continuation_without_end(self):
        def frames():
            while True:
                yield frame(9, 0, 1, literal(b"x-many", b"v" * 16_000))

        ended, sent = self.flood(frames(), 8, frame(1, 1, 1, request()))
        self.assertTrue(ended, f"{sent} frames of 16 kB")
        ended, sent = self.flood((frame(9, 0, 1) * 200 for _ in range(10_000)), 8, frame(1, 1, 1, request()))
        self.assertTrue(ended, f"{sent} times 200 empty frames")

    def test_floods_of_empty_data_priorities_and_window_updates(self):
        for flood in (frame(0, 0, 1), frame(2, 0, 3, b"\0\0\0\1\x10"), frame(8, 0, 0, struct.pack(">I", 1))):
            def frames():
                while True:
                    yield flood * 300

            self.flood(frames(), 2, frame(1, 4, 1, request(b"/token", [(b"content-type", b"application/x-www-form-urlencoded")])))

    def test_frames_that_are_none_end_the_connection(self):
        for name, broken in {
            "larger than agreed": struct.pack(">I", 1 << 20)[1:] + b"\0\0" + struct.pack(">I", 1) + b"x" * 70_000,
            "data before headers": frame(0, 1, 1, b"a"),
            "an even stream": frame(1, 5, 2, request()),
            "headers within headers": frame(1, 1, 1, request()) + frame(1, 5, 3, request()),
            "a window of nothing": frame(8, 0, 0, struct.pack(">I", 0)),
            "a window too large": frame(8, 0, 0, struct.pack(">I", 0x7FFFFFFF)) * 2,
            "a push": frame(5, 4, 1, struct.pack(">I", 2) + request()),
            "broken compression": frame(1, 5, 1, b"\xff" * 50),
            "padding beyond the frame": frame(1, 13, 1, b"\xff" + request()),
            "HTTP/1.1": b"GET / HTTP/1.1\r\nhost: x\r\n\r\n",
        }.items():
            with self.subTest(name), self.open() as tls:
                with contextlib.suppress(ConnectionError, ssl.SSLError):
                    tls.sendall(PREFACE + SETTINGS + broken)
                tls.settimeout(3)
                self.assertTrue(drain(tls)[1], "it goes on")

    def status(self, head):
        """The status of a request of these frames, or none if stream or connection ended."""
        with self.open() as tls:
            client = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
            client.initiate_connection()
            tls.sendall(client.data_to_send())
            # The client's own state, without its checks of what it sends.
            client.send_headers(1, [(":method", "GET"), (":scheme", "https"), (":path", "/"), (":authority", "x")], end_stream=True)
            client.data_to_send()
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                tls.sendall(b"".join(head))
            tls.settimeout(3)
            with contextlib.suppress(TimeoutError, ConnectionError, ssl.SSLError):
                while part := tls.recv(65536):
                    for event in client.receive_data(part):
                        if isinstance(event, h2.events.ResponseReceived):
                            return int(dict(event.headers)[b":status"])
                        if isinstance(event, (h2.events.StreamReset, h2.events.ConnectionTerminated)):
                            return None
            return None

    def test_headers_that_are_too_large_or_malformed(self):
        large = [literal(b"x-large", b"v" * 16_000)] * 6
        head = [frame(1, 1, 1, request())] + [frame(9, 0, 1, part) for part in large] + [frame(9, 4, 1)]
        self.assertIn(self.status(head), (None, 431))
        for name, more in {
            "connection": [(b"connection", b"close")],
            "transfer coding": [(b"transfer-encoding", b"chunked")],
            "upper case": [(b"X-Upper", b"a")],
            "a line feed": [(b"x", b"a\r\nb: c")],
            "NUL": [(b"x", b"a\0b")],
            "a second path": [(b":path", b"/other")],
            "another host": [(b"host", b"evil.example")],
            "lengths": [(b"content-length", b"5"), (b"content-length", b"6")],
        }.items():
            with self.subTest(name):
                self.assertIn(self.status([frame(1, 5, 1, request(more=more))]), (None, 400))
        self.assertEqual(self.status([frame(1, 5, 1, request())]), 200)

    def test_the_heads_of_requests_under_way_have_a_limit_together(self):
        form = (b"content-type", b"application/x-www-form-urlencoded")
        head = b"".join(
            literal(*pair)
            for pair in [(b":method", b"POST"), (b":scheme", b"https"), (b":path", b"/token"), (b":authority", b"localhost"), form,
                         (b"x-large", b"v" * 14_000)]
        )
        with self.open() as tls:
            client = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
            client.initiate_connection()
            tls.sendall(client.data_to_send())
            # Not one of them ends, so that none is answered for what it asks.
            for number in range(40):
                stream = client.get_next_available_stream_id()
                client.send_headers(stream, [(":method", "POST"), (":scheme", "https"), (":path", "/token"), (":authority", "localhost")])
                client.data_to_send()
                tls.sendall(frame(1, 4, stream, head))
            answers = {}
            tls.settimeout(5)
            while len(answers) < 22:
                for event in client.receive_data(tls.recv(65536)):
                    if isinstance(event, h2.events.ResponseReceived):
                        answers[event.stream_id] = int(dict(event.headers)[b":status"])
            self.assertEqual(set(answers.values()), {431}, "beyond 256 KiB")
            self.assertNotIn(1, answers, "the first ones are not disturbed")
        self.assertEqual(self.status([frame(1, 5, 1, request())]), 200)

    def test_a_body_that_comes_too_slowly_ends_its_stream_and_no_other(self):
        with self.open() as tls:
            tls.settimeout(0.5)
            client = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
            client.initiate_connection()
            answers, ended = {}, set()

            def ask(stream, method, path, more=(), end=False):
                head = [(":method", method), (":scheme", "https"), (":path", path), (":authority", f"localhost:{self.port}"), *more]
                client.send_headers(stream, head, end_stream=end)

            def take():
                with contextlib.suppress(TimeoutError):
                    for event in client.receive_data(tls.recv(65536)):
                        if isinstance(event, h2.events.ResponseReceived):
                            answers[event.stream_id] = int(dict(event.headers)[b":status"])
                        if isinstance(event, (h2.events.StreamEnded, h2.events.StreamReset)):
                            ended.add(event.stream_id)

            begun = time.monotonic()
            ask(1, "POST", "/token", [("content-type", "application/x-www-form-urlencoded")])
            while 1 not in ended and time.monotonic() < begun + 30:
                client.send_data(1, b"a")
                tls.sendall(client.data_to_send())
                take()
            ask(3, "GET", "/health/live", end=True)
            tls.sendall(client.data_to_send())
            while 3 not in ended and time.monotonic() < begun + 40:
                take()
            self.assertEqual(answers, {1: 408, 3: 200})

    def test_idle_connections_are_closed(self):
        silent = [self.open() for _ in range(20)]
        for tls in silent[10:]:
            tls.sendall(PREFACE + SETTINGS)
        for tls in silent:
            tls.settimeout(20)
            self.assertTrue(drain(tls)[1])

    def test_sessions_are_resumed_and_connections_kept(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with self.open("http/1.1", version=version) as first:
                for _ in range(3):
                    first.sendall(b"GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\n")
                    self.assertEqual(statuses(first.recv(65536)), [200])
                self.assertFalse(first.session_reused)
                session = type("Session", (), {"context": first.context, "session": first.session})
            with self.open("http/1.1", session=session) as second:
                self.assertTrue(second.session_reused, version)


if __name__ == "__main__":
    unittest.main()
