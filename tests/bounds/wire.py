"""Raw connections, and a server whose memory and health are watched while they abuse it."""

import contextlib
import pathlib
import socket
import ssl
import time
import unittest

import httpx
from harness import Place, certificate, dev, eventually, free_port, serve

HOST = b"host: localhost\r\n"
FORM = b"content-type: application/x-www-form-urlencoded\r\n"
JSON = b"content-type: application/json\r\n"
# What the server's memory may grow by, whatever comes.
MOST_GROWTH = 64 << 20


def connect(port, timeout=5.0):
    raw = socket.create_connection(("127.0.0.1", port), timeout)
    raw.settimeout(timeout)
    return raw


def drain(raw):
    """All that still comes, and whether the other end closed."""
    got = b""
    while True:
        try:
            part = raw.recv(65536)
        except TimeoutError:
            return got, False
        except (ConnectionError, ssl.SSLError):
            return got, True
        if not part:
            return got, True
        got += part


def statuses(answer):
    """The status codes of the answers that stand behind each other (none of our texts contains this)."""
    return [int(rest[2:5]) for rest in answer.split(b"HTTP/1.")[1:]]


def ask(port, request, timeout=5.0):
    """Sends bytes and gives back the statuses."""
    got, closed = exchange(port, request, timeout)
    return statuses(got), closed


def exchange(port, request, timeout=5.0):
    """Sends bytes; gives back what came, and whether the connection ended."""
    with connect(port, timeout) as raw:
        with contextlib.suppress(ConnectionError):
            raw.sendall(request)
        return drain(raw)


class Watched(unittest.TestCase):
    """A server that must be alive, lean and without a panic after every test."""

    server = None
    options = {}
    # Other sections of its configuration.
    sections = {}
    tls = False

    @classmethod
    def setUpClass(cls):
        cls.place, cls.port = Place("sqlite"), free_port()
        cls.addClassCleanup(cls.place.remove)
        if cls.tls:
            cls.cert, key = certificate(cls.place.data, "localhost", "127.0.0.1")
            cls.trust = ssl.create_default_context(cafile=str(cls.cert))
            origin = f"https://localhost:{cls.port}"
            settings = {"issuer": origin, "tls_cert": str(cls.cert), "tls_key": str(key), **cls.options}
            cls.server = serve(cls.place, port=cls.port, origin=origin, ca=cls.trust, server=settings)
        elif cls.options:
            cls.server = serve(cls.place, port=cls.port, server=cls.options, **cls.sections)
        else:
            cls.server = dev(cls.place, port=cls.port)
        cls.addClassCleanup(cls.server.stop)

    def setUp(self):
        self.server.get("/authorize")
        self.before = self.memory()

    def tearDown(self):
        self.assertIsNone(self.server.process.poll(), "it ended")
        self.assertServes()
        grown = self.memory() - self.before
        self.assertLess(grown, MOST_GROWTH, f"{grown >> 20} MiB more")
        self.assertNotIn("panicked", pathlib.Path(self.server.log).read_text(errors="replace"))

    def memory(self):
        status = pathlib.Path(f"/proc/{self.server.process.pid}/status").read_text()
        return next(int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("VmRSS"))

    def serves(self):
        """Whether a connection from here is answered at all."""
        with contextlib.suppress(httpx.TransportError):
            return self.server.get("/.well-known/openid-configuration").status_code == 200
        return False

    def assertServes(self, within=5.0):
        """Others are served."""
        begun = time.monotonic()
        answer = self.server.get("/.well-known/openid-configuration")
        self.assertEqual(answer.status_code, 200)
        self.assertLess(time.monotonic() - begun, within)
