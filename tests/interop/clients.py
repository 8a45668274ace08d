"""A client's folder: its manifest, what it needs, and the process that it is while it runs."""

import json
import os
import pathlib
import queue
import re
import secrets
import shutil
import signal
import socket
import subprocess
import threading
import tomllib
import urllib.parse

from harness import ROOT, Browser, eventually, origin_of
from steps import EMAIL, PASSWORD, STEPS, SUB, Checks

HERE = pathlib.Path(__file__).resolve().parent
BUILT = ROOT / "target" / "interop"
PATIENCE = 60
ROUTES = {"sign-in": "/login", "userinfo": "/me"} | {step: "/" + step for step in STEPS[2:]}
KEYS = {
    "title", "language", "kind", "package", "lock", "version", "needs", "prepare", "build", "start", "callback",
    "signed_out", "backchannel", "https", "routes", "cannot", "application",
}
# How packages are installed where the manifest says nothing of its own.
PREPARE = {
    "package-lock.json": "PUPPETEER_SKIP_DOWNLOAD=1 npm ci --no-audit --no-fund --loglevel=error",
    "requirements.txt": 'python3 -m venv --clear "$BUILD/venv" && '
                        '"$BUILD/venv/bin/python" -m pip install -q --disable-pip-version-check -r requirements.txt',
}
VERSIONS = {
    "requirements.txt": r"^{0}==(\S+)",
    "go.mod": r"^\s*(?:require )?{0} v(\S+)",
    "Cargo.lock": r'name = "{0}"\nversion = "([^"]+)"',
    "pom.xml": r"<artifactId>{0}</artifactId>\s*<version>([^<]+)</version>",
}


class Missing(Exception):
    """Something that a client needs is not there; the message says what to do."""


def all_names():
    return sorted(path.parent.name for path in HERE.glob("*/client.toml"))


class Client:
    def __init__(self, name):
        self.name, self.folder, self.built = name, HERE / name, BUILT / name
        if not (self.folder / "client.toml").exists():
            raise Missing(f"no client {name}; there are: {' '.join(all_names())}")
        manifest = tomllib.loads((self.folder / "client.toml").read_text())
        if unknown := set(manifest) - KEYS:
            raise Missing(f"{name}/client.toml: unknown {', '.join(sorted(unknown))}")
        self.manifest = manifest
        self.title, self.language, self.kind = (manifest[key] for key in ("title", "language", "kind"))
        self.https, self.cannot = manifest.get("https", False), manifest.get("cannot", {})
        self.lock = self.folder / manifest["lock"] if "lock" in manifest else None
        self.callback, self.signed_out = manifest.get("callback", "/callback"), manifest.get("signed_out", "/")
        self.routes = ROUTES | manifest.get("routes", {})

    def excused(self, step):
        """The mark and the note of a step that this client has not."""
        if step == "back-channel" and "backchannel" not in self.manifest:
            return ("–", "")
        return ("cannot", self.cannot[step]) if step in self.cannot else None

    def version(self):
        """As the lock file has it, or what the manifest's command prints."""
        if command := self.manifest.get("version"):
            return self.shell(command, capture_output=True, text=True).stdout.strip()
        text, package = self.lock.read_text(), self.manifest["package"]
        if self.lock.name == "package-lock.json":
            return json.loads(text)["packages"][f"node_modules/{package}"]["version"]
        return re.search(VERSIONS[self.lock.name].format(re.escape(package)), text, re.MULTILINE).group(1)

    def environment(self, more=None):
        path = f"{self.built}/venv/bin:{os.environ['PATH']}"
        surroundings = {k: v for k, v in os.environ.items() if not k.startswith(("KEYWARD_", "PYTHON"))}
        return surroundings | {"PATH": path, "BUILD": str(self.built), "PYTHONDONTWRITEBYTECODE": "1"} | (more or {})

    def shell(self, command, **options):
        return subprocess.run(["sh", "-ec", command], cwd=self.folder, env=self.environment(), check=True, **options)

    def prepare(self):
        """Installs what the lock file pins, once; compiles what is to be compiled, each time."""
        for program in self.manifest.get("needs", []):
            if not shutil.which(program):
                raise Missing(f"{self.name} needs {program}, which is not on the PATH")
        self.built.mkdir(parents=True, exist_ok=True)
        command = self.manifest.get("prepare") or (PREPARE.get(self.lock.name) if self.lock else None)
        stamp, pinned = self.built / "prepared", f"{command}\n{self.lock.read_text() if self.lock else ''}"
        if command and not (stamp.exists() and stamp.read_text() == pinned):
            print(f"interop: packages of {self.name}", flush=True)
            self.attempt(command)
            stamp.write_text(pinned)
        if command := self.manifest.get("build"):
            self.attempt(command)

    def attempt(self, command):
        try:
            self.shell(command, stdin=subprocess.DEVNULL)
        except subprocess.CalledProcessError as error:
            raise Missing(f"{self.name} cannot be prepared: {error}") from None

    def application(self, port):
        """What Keyward is told about it: the usual, and over it what the manifest says."""
        origin = f"http://127.0.0.1:{port}"
        usual = {
            "client_id": self.name, "name": self.title, "client_secret": secrets.token_urlsafe(32),
            "redirect_uris": [origin + self.callback], "post_logout_redirect_uris": [origin + self.signed_out],
        }
        if "backchannel" in self.manifest:
            usual["backchannel_logout_uri"] = origin + self.manifest["backchannel"]
        own = json.loads(json.dumps(self.manifest.get("application", {})).replace("{origin}", origin))
        if own.get("public") or "jwks_uri" in own:
            del usual["client_secret"]
        return usual | own


class Peer:
    """The client as a process, and the browser of the person who uses it."""

    def __init__(self, client, server, engine, port, application):
        self.client, self.server, self.port = client, server, port
        self.origin = f"http://127.0.0.1:{port}"
        self.redirect_uri = application["redirect_uris"][0]
        self.signed_out = application["post_logout_redirect_uris"][0]
        self.checks = Checks(server, application["client_id"])
        self.log = client.built / f"{engine}.log"
        self.env = client.environment({
            "ISSUER": server.origin, "CLIENT_ID": application["client_id"], "PORT": str(port), "ORIGIN": self.origin,
            "CLIENT_SECRET": application.get("client_secret", ""), "REDIRECT_URI": self.redirect_uri,
            "POST_LOGOUT_URI": self.signed_out, "EMAIL": EMAIL, "PASSWORD": PASSWORD, "SUB": SUB,
            "CA_FILE": server.ca or "",
        })

    def __enter__(self):
        also = [self.origin] if self.client.kind == "web" else []
        self.browser = Browser(self.server.origin, verify=self.server.verify, also=also)
        pipe = subprocess.PIPE if self.client.kind == "tool" else None
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                ["sh", "-c", f"exec {self.client.manifest['start']}"], cwd=self.client.folder, env=self.env,
                stdin=pipe or subprocess.DEVNULL, stdout=pipe or log, stderr=log, text=True, start_new_session=True,
            )
        return self

    def __exit__(self, *_):
        self.browser.close()
        try:
            self.process.wait(0 if self.client.kind == "web" else 5)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def run(self):
        """Each step's mark and, where there is one, a note."""
        outcome = {}
        try:
            outcome = self.web() if self.client.kind == "web" else self.tool()
            return outcome
        finally:
            if not outcome or any(mark == "FAIL" for mark, _ in outcome.values()):
                print(self.tail(), flush=True)

    def tail(self):
        return "".join(f"    | {line}\n" for line in self.log.read_text(errors="replace").splitlines()[-30:])

    def judge(self, step, answer):
        """`answer` is called: what it gives is checked, what it raises is the failure."""
        try:
            self.checks.check(step, answer())
        except Exception as error:
            return "FAIL", f"{type(error).__name__}: {error}"
        return "pass", ""

    # -- a web application

    def web(self):
        eventually(self.listens, PATIENCE, f"{self.client.name} at port {self.port}")
        outcome = {}
        for step in STEPS:
            outcome[step] = self.client.excused(step) or self.judge(step, lambda: self.ask(step))
        return outcome

    def listens(self):
        assert self.process.poll() is None, f"ended with {self.process.returncode}"
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def ask(self, step):
        if step == "back-channel":
            return self.end_elsewhere()
        page = self.browser.get(self.origin + self.client.routes[step])
        if step == "sign-in":
            page = self.browse(page)
            assert self.at_home(page), f"the sign-in ends at {page.url} ({page.status}, {page.step}) {page.text[:500]}"
            return {}
        if step == "logout":
            self.left(self.browse(page))
            return {}
        assert page.status == 200, f"{self.client.routes[step]} answers {page.status} {page.text[:500]}"
        return page.response.json()

    def end_elsewhere(self):
        """Signs in, ends the session at Keyward alone, and looks whether the application has heard of it."""
        self.ask("sign-in")
        assert self.knows_me(), "nobody is signed in there after the sign-in"
        self.browse(self.browser.get(self.server.origin + "/logout"))
        eventually(lambda: not self.knows_me(), what="the sign-out by the back channel")
        return {}

    def knows_me(self):
        page = self.browser.get(self.origin + self.client.routes["userinfo"])
        gone = page.status == 401 or page.url.startswith(self.server.origin)
        assert gone or page.status == 200, f"the application answers {page.status} {page.text[:500]}"
        return not gone

    def at_home(self, page):
        return origin_of(page.url) == self.origin and page.status == 200

    def browse(self, page):
        """Whatever a person would do: sign in, send the form that a page has."""
        for _ in range(8):
            page = self.browser.sign_in(page, EMAIL, PASSWORD)
            if page.step == "form-post" or (self.at_home(page) and page.forms):
                page = self.browser.send(page, page.forms[0])
            elif page.step == "logout":
                page = self.browser.submit(page, "confirm")
            else:
                return page
        raise AssertionError(f"no end at {page.url}")

    def left(self, page):
        """The browser stands where the application wanted it, and nobody is signed in there."""
        where = f"{page.url} ({page.status}, {page.step}) {page.text[:500]}"
        assert page.url.split("?")[0] == self.signed_out and page.status in (0, 200), f"the logout ends at {where}"
        self.checks.signed_out(self.browser, self.redirect_uri)

    # -- a program that speaks JSON lines

    def tool(self):
        lines = queue.Queue()

        def listen():
            for line in self.process.stdout:
                lines.put(line)
            lines.put("")

        threading.Thread(target=listen, daemon=True).start()
        outcome, last = {}, None
        while line := self.next(lines):
            said = json.loads(line)
            if "open" in said:
                last = self.follow(said["open"])
            elif "step" in said:
                outcome[said["step"]] = self.judge(said["step"], lambda: self.reported(said, last))
                self.tell(checked=said["step"])
        for step in STEPS:
            if excuse := self.client.excused(step):
                outcome[step] = excuse
            outcome.setdefault(step, ("FAIL", "the program said nothing about it"))
        return {step: outcome[step] for step in STEPS}

    @staticmethod
    def next(lines):
        try:
            return lines.get(timeout=PATIENCE)
        except queue.Empty:
            raise AssertionError(f"the program said nothing for {PATIENCE} s") from None

    def follow(self, url):
        """The browser goes there; the program hears where it came out, unless it listens there itself."""
        page = self.browse(self.browser.get(url))
        assert not page.url.startswith(self.server.origin), f"stopped at {page.url} ({page.step}) {page.text[:500]}"
        # What a listener at that address is sent: never the fragment.
        self.tell(callback=urllib.parse.urldefrag(page.url).url)
        return page

    def tell(self, **line):
        self.process.stdin.write(json.dumps(line) + "\n")
        self.process.stdin.flush()

    def reported(self, said, last):
        assert said.get("ok"), said.get("error", said)
        if said["step"] == "logout":
            # One with a browser of its own has looked for itself.
            if last:
                self.left(last)
            return {}
        return said.get("answer", {})
