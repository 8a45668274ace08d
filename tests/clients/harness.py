"""What the black-box tests share: the built program as a process, throw-away databases, and a
browser without a screen that knows plain forms only.

Environment: KEYWARD_BIN (default target/debug/keyward), KEYWARD_TEST_POSTGRES (without it the tests
on PostgreSQL are skipped, and say so).
"""

import contextlib
import html.parser
import json
import os
import pathlib
import re
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.parse

import httpx

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PROGRAM = os.environ.get("KEYWARD_BIN") or str(ROOT / "target/debug/keyward")
POSTGRES = os.environ.get("KEYWARD_TEST_POSTGRES", "")
SHOP = HERE / "shop.yaml"
PASSWORD = "correct horse battery"
ENGINES = ("sqlite", "postgres")


# ---------------------------------------------------------------------------------- waiting


def eventually(look, seconds=10.0, what="it"):
    """What `look` returns once it is true. Looks often, waits no longer than it must."""
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not happen within {seconds} s")
        time.sleep(0.02)


def free_port():
    """A port that nobody listens on. Below the ports of outgoing connections (32768 and up on Linux),
    so that none of those takes it while a program that was killed is not back yet."""
    while True:
        port = 10_000 + secrets.randbelow(22_768)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


# ---------------------------------------------------------------------------------- places


class Place:
    """A data folder and a database of its own. In target/, since `serve` refuses what vanishes."""

    def __init__(self, engine="sqlite"):
        if engine == "postgres" and not POSTGRES:
            raise unittest.SkipTest("KEYWARD_TEST_POSTGRES names no server (tests/setup.sh starts one)")
        parent = ROOT / "target" / "blackbox"
        parent.mkdir(parents=True, exist_ok=True)
        self.data = pathlib.Path(tempfile.mkdtemp(prefix=f"{engine}-", dir=parent))
        self.engine = engine
        self.database = None
        if engine == "postgres":
            self.name = "blackbox_" + secrets.token_hex(6)
            psql(f"CREATE DATABASE {self.name}")
            self.database = urllib.parse.urlsplit(POSTGRES)._replace(path="/" + self.name).geturl()

    def where(self):
        """How a command is told about this place."""
        database = ["--database", self.database] if self.database else []
        return ["--data", str(self.data), *database]

    def url(self):
        return self.database or f"sqlite:{self.data}/keyward.db"

    def root_key(self):
        return (self.data / "root.key").read_text().strip()

    def remove(self):
        shutil.rmtree(self.data, ignore_errors=True)
        if self.database:
            psql(f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")


def psql(statement, database=POSTGRES):
    done = subprocess.run(
        ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", statement, database],
        capture_output=True, text=True, check=True,
    )
    return done.stdout.strip()


def keyward(*arguments, env=None, cwd=None):
    """A command of the program, to its end."""
    surroundings = {k: v for k, v in os.environ.items() if not k.startswith("KEYWARD_")} | (env or {})
    return subprocess.run(
        [PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=60, env=surroundings, cwd=cwd
    )


# ---------------------------------------------------------------------------------- the server


class Server:
    """The program, running. `arguments` begin with `dev` or `serve`."""

    def __init__(self, arguments, origin, log, ca=None, env=None):
        self.origin, self.log, self.ca = origin, pathlib.Path(log), ca
        surroundings = {k: v for k, v in os.environ.items() if not k.startswith("KEYWARD_")} | (env or {})
        begun = time.monotonic()
        with open(self.log, "ab") as err:
            self.process = subprocess.Popen(
                [PROGRAM, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=err, stderr=err, env=surroundings
            )
        self.verify = ca if ca else False
        try:
            eventually(self.is_ready, 30, "ready")
        except AssertionError as error:
            self.kill()
            raise AssertionError(f"{error}\n{self.log.read_text()}") from None
        self.ready_after = time.monotonic() - begun

    def is_ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"ended with {self.process.returncode}")
        with contextlib.suppress(httpx.HTTPError):
            return self.get("/health/ready").status_code == 200
        return False

    def get(self, path, **options):
        return httpx.get(self.origin + path, verify=self.verify, timeout=15, **options)

    def post(self, path, **options):
        return httpx.post(self.origin + path, verify=self.verify, timeout=15, **options)

    def mails(self, to):
        return self.get("/dev/mail.json", params={"to": to}).json()

    def mail(self, to, after=0):
        """The newest mail to this address, once there are more than `after`."""
        def newest():
            mails = self.mails(to)
            return mails[0] if len(mails) > after else None

        return eventually(newest, what=f"a mail to {to}")

    def stop(self, seconds=25):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError("the server did not stop in time") from None

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def dev(place, port=None, issuer=None, env=None):
    """`keyward dev` at this place."""
    port = port or free_port()
    arguments = ["dev", "--listen", f"127.0.0.1:{port}", *place.where()]
    if issuer:
        arguments += ["--issuer", issuer]
    return Server(arguments, f"http://127.0.0.1:{port}", place.data / "log", env=env)


def apply(place, document, *more):
    """`keyward apply` of a file, or of a structure (JSON is YAML)."""
    if not isinstance(document, (str, pathlib.Path)):
        path = place.data / f"apply-{secrets.token_hex(4)}.yaml"
        path.write_text(json.dumps(document))
        document = path
    return keyward("apply", document, *place.where(), *more)


def shop(place):
    """The example of the contract, in force."""
    done = apply(place, SHOP)
    assert done.returncode == 0, done.stderr


class Case(unittest.TestCase):
    """Tests against one running `dev` with the example applied; `engine` says on what."""

    engine = None
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        if cls.engine is None:
            raise unittest.SkipTest("abstract")
        cls.place = Place(cls.engine)
        cls.addClassCleanup(cls.place.remove)
        cls.server = dev(cls.place)
        cls.addClassCleanup(cls.server.stop)
        shop(cls.place)

    def browser(self, **options):
        browser = Browser(self.server.origin, verify=self.server.verify, **options)
        self.addCleanup(browser.close)
        return browser

    def user(self, **more):
        """A new user; returns the e-mail address."""
        email = f"u{secrets.token_hex(5)}@example.com"
        user = {"email": email, "email_verified": True, "password": PASSWORD, **more}
        done = apply(self.place, {"tenants": [{"slug": "default", "users": [user]}]})
        self.assertEqual(done.returncode, 0, done.stderr)
        return email


def on_both_engines(case, into):
    """Makes of an abstract case one on each engine."""
    for engine in ENGINES:
        name = f"{case.__name__.lstrip('_')}On{engine.capitalize()}"
        into[name] = type(name, (case,), {"engine": engine, "__module__": into["__name__"]})


# ---------------------------------------------------------------------------------- the browser


class Form:
    def __init__(self, attributes):
        self.action, self.method = attributes.get("action") or "", (attributes.get("method") or "get").lower()
        self.id = attributes.get("id")
        self.fields, self.buttons = [], []

    def names(self):
        return [name for name, _, _ in self.fields]

    def hidden(self):
        return {name: value for name, value, kind in self.fields if kind == "hidden"}


class Page(html.parser.HTMLParser):
    """What a page offers: its step, its forms, its links, its ids."""

    def __init__(self, response, url):
        super().__init__()
        self.response, self.status, self.url = response, response.status_code if response else 0, url
        self.text = response.text if response is not None else ""
        self.step, self.forms, self.links, self.ids, self.attributes = None, [], [], set(), {}
        self.form = None
        self.feed(self.text)

    def handle_starttag(self, tag, pairs):
        attributes = dict(pairs)
        if attributes.get("id"):
            self.ids.add(attributes["id"])
        if tag == "html":
            self.attributes = attributes
        elif tag == "main":
            self.step = attributes.get("data-step")
        elif tag == "a" and attributes.get("href"):
            self.links.append(attributes["href"])
        elif tag == "form":
            self.form = Form(attributes)
            self.forms.append(self.form)
        elif self.form and tag == "input" and attributes.get("name"):
            kind = attributes.get("type", "text")
            self.form.fields.append((attributes["name"], attributes.get("value") or "", kind))
        elif self.form and tag in ("select", "textarea") and attributes.get("name"):
            self.form.fields.append((attributes["name"], "", tag))
        elif self.form and tag == "option" and "selected" in attributes:
            name, _, kind = self.form.fields[-1]
            self.form.fields[-1] = (name, attributes.get("value") or "", kind)
        elif self.form and tag == "button":
            self.form.buttons.append((attributes.get("id"), attributes.get("name"), attributes.get("value")))

    def handle_endtag(self, tag):
        if tag == "form":
            self.form = None

    def form_with(self, button):
        for form in self.forms:
            if any(identity == button for identity, _, _ in form.buttons):
                return form
        raise AssertionError(f"no form has the button {button} at {self.url} (step {self.step})\n{self.text[:2000]}")

    def query(self):
        """The parameters of the address, as an application would read its redirect."""
        parts = urllib.parse.urlsplit(self.url)
        return dict(urllib.parse.parse_qsl(parts.query or parts.fragment))


class Browser:
    """Follows redirects inside one origin (and those in `also`), keeps cookies, sends forms. Stops in front of others."""

    def __init__(self, origin, cookies=True, verify=False, headers=None, also=(), transport=None):
        self.origin, self.origins = origin, (origin, *also)
        self.http = httpx.Client(
            verify=verify, transport=transport, timeout=30, follow_redirects=False,
            headers={"accept": "text/html,*/*;q=0.8", "user-agent": "Mozilla/5.0 (X11; Linux) Gecko Firefox/140"}
            | (headers or {}),
        )
        self.keep = cookies

    def close(self):
        self.http.close()

    def cookies(self):
        return {cookie.name: cookie.value for cookie in self.http.cookies.jar}

    def get(self, url):
        return self.go("GET", url)

    def go(self, method, url, data=None, base=None):
        url = urllib.parse.urljoin(base or self.origin + "/", url)
        for _ in range(10):
            if not any((url + "/").startswith(origin + "/") or url.startswith(origin + "?") for origin in self.origins):
                return Page(None, url)
            if not self.keep:
                self.http.cookies.clear()
            # A browser says where a form comes from.
            headers = {"origin": origin_of(base or url)} if method == "POST" else {}
            response = self.http.request(method, url, data=data, headers=headers)
            if response.status_code not in (301, 302, 303, 307, 308):
                return Page(response, url)
            if response.status_code not in (307, 308):
                method, data = "GET", None
            url = urllib.parse.urljoin(url, response.headers["location"])
        raise AssertionError(f"redirected for ever at {url}")

    def submit(self, page, button="continue", **fields):
        """Sends the form of this button: hidden fields as they are, the named ones filled."""
        return self.send(page, page.form_with(button), button, **fields)

    def send(self, page, form, button=None, **fields):
        values = {name: value for name, value, _ in form.fields}
        for identity, name, value in form.buttons:
            if identity == button and name:
                values[name] = value
        for name, value in fields.items():
            assert name in values, f"no field {name} at {page.url} (step {page.step}): {form.names()}"
            values[name] = value
        if form.method == "get":
            return self.get(page.url.split("?")[0] + "?" + urllib.parse.urlencode(values))
        return self.go("POST", form.action, values, base=page.url)

    def sign_in(self, page, identifier="alice@example.com", password=PASSWORD):
        """Through the steps identify and password, wherever the page stands."""
        for _ in range(4):
            if page.step == "identify":
                page = self.submit(page, identifier=identifier)
            elif page.step == "password":
                page = self.submit(page, password=password)
                if page.status == 422:
                    return page
            else:
                return page
        return page


# ---------------------------------------------------------------------------------- an application


class Application:
    """One of the example's applications with nothing but HTTP, for what libraries do not let one do."""

    KNOWN = {
        "web": ("s3cret", "http://127.0.0.1:9000/cb"),
        "spa": (None, "http://127.0.0.1:9001/cb"),
        "partner": ("s3cret3", "http://127.0.0.1:9002/cb"),
    }

    def __init__(self, issuer, client_id="web", secret=None, redirect_uri=None, verify=False):
        known = self.KNOWN.get(client_id, (None, None))
        self.issuer, self.client_id, self.verify = issuer, client_id, verify
        self.secret, self.redirect_uri = secret or known[0], redirect_uri or known[1]
        self.verifier = secrets.token_urlsafe(32)

    def url(self, **more):
        import base64
        import hashlib

        digest = hashlib.sha256(self.verifier.encode()).digest()
        query = {
            "client_id": self.client_id, "response_type": "code", "redirect_uri": self.redirect_uri,
            "scope": "openid email profile", "state": secrets.token_urlsafe(8),
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(), "code_challenge_method": "S256",
        } | more
        return f"{self.issuer}/authorize?" + urllib.parse.urlencode({k: v for k, v in query.items() if v is not None})

    def token(self, client=httpx, **form):
        form |= {"client_id": self.client_id} | ({"client_secret": self.secret} if self.secret else {})
        return client.post(f"{self.issuer}/token", data=form, **({"verify": self.verify, "timeout": 30} if client is httpx else {}))

    def redeem(self, code, client=httpx, **more):
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": self.redirect_uri}
        return self.token(client, **(form | {"code_verifier": self.verifier} | more))

    def refresh(self, token, client=httpx):
        return self.token(client, grant_type="refresh_token", refresh_token=token)

    def userinfo(self, token):
        headers = {"authorization": f"Bearer {token}"}
        return httpx.get(f"{self.issuer}/userinfo", headers=headers, verify=self.verify, timeout=30)

    def sign_in(self, browser, identifier="alice@example.com", password=PASSWORD, **more):
        """The tokens of a whole sign-in."""
        page = browser.sign_in(browser.get(self.url(**more)), identifier, password)
        assert page.url.startswith(self.redirect_uri), f"{page.url} {page.step}\n{page.text[:1500]}"
        answer = self.redeem(page.query()["code"])
        assert answer.status_code == 200, answer.text
        return answer.json()


def register(server, browser, page, email, password=PASSWORD):
    """From the page of /register to whatever comes behind; the code is read from the mailbox."""
    before = len(server.mails(email))
    page = browser.submit(page, email=email)
    assert page.step == "code", (page.step, page.text[:1500])
    page = browser.submit(page, code=server.mail(email, before)["code"])
    assert page.step == "details", (page.step, page.text[:1500])
    return browser.submit(page, password=password)


def origin_of(url):
    parts = urllib.parse.urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def text_of(page):
    return re.sub(r"<[^>]+>", " ", page.text)


# ---------------------------------------------------------------------------------- production


def certificate(folder, *names):
    """A self-made certificate for these names or addresses: its PEM file and its key's."""
    import datetime
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0])])
    alternatives = []
    for text in names:
        try:
            alternatives.append(x509.IPAddress(ipaddress.ip_address(text)))
        except ValueError:
            alternatives.append(x509.DNSName(text))
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30)).add_extension(x509.SubjectAlternativeName(alternatives), False)
        .sign(key, hashes.SHA256())
    )
    folder = pathlib.Path(folder)
    cert, private = folder / "tls.pem", folder / "tls.key"
    cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.touch(0o600)
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return cert, private


def configuration(place, port, **sections):
    """Writes keyward.toml for this place; a section's entries go over the usual ones."""
    key = place.data / "root.key"
    if not key.exists():
        key.touch(0o600)
        key.write_text(secrets.token_hex(32) + "\n")
    usual = {
        "server": {"listen": f"127.0.0.1:{port}", "issuer": f"http://127.0.0.1:{port}"},
        "database": {"url": place.url()},
        "secrets": {"root_key_file": str(key)},
        "mail": {"host": "127.0.0.1", "port": 9, "security": "none", "from": "Keyward <no-reply@example.com>"},
    }
    lines = []
    for section in {**usual, **sections}:
        entries = usual.get(section, {}) | sections.get(section, {})
        lines.append(f"[{section}]")
        lines += [f"{name} = {json.dumps(value)}" for name, value in entries.items() if value is not None]
    path = place.data / "keyward.toml"
    path.touch(0o600)
    path.write_text("\n".join(lines) + "\n")
    return path


def serve(place, port=None, origin=None, ca=None, **sections):
    """`keyward serve` at this place."""
    port = port or free_port()
    path = configuration(place, port, **sections)
    return Server(["serve", "--config", path], origin or f"http://127.0.0.1:{port}", place.data / "log", ca=ca)
