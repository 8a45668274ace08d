"""Builds the example programs and walks through each as a person would; run.sh says how."""

import base64
import contextlib
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time
import traceback

import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from harness import ENGINES, ROOT, Browser, Place, apply, dev, eventually, free_port, keyward

HERE = pathlib.Path(__file__).resolve().parent
BUILT = ROOT / "target" / "examples"
EMAIL = os.environ.get("EMAIL", "alice@example.com")
PASSWORD = os.environ.get("PASSWORD", "correct horse battery")
NAME = os.environ.get("NAME", "Alice Example")
PREPARE = {
    "spa": ("package-lock.json", "npm ci --no-audit --no-fund --loglevel=error && npm run --silent check"),
    "web": ("requirements.txt", "python3 -m venv --clear venv && venv/bin/python -m pip install -q "
                                "--disable-pip-version-check -r requirements.txt"),
    "native": ("pom.xml", "mvn -q -B package"),
    "machine": ("go.sum", "go vet ./... && go build -o machine ."),
    "api": ("Cargo.lock", "cargo build --quiet --locked"),
}


class Unbuilt(Exception):
    """A program cannot be built here."""


# ---------------------------------------------------------------------------------- building and running


def build(name):
    """Copies a program to target/, so that nothing is left beside its source, and builds it there."""
    lock, command = PREPARE[name]
    folder, stamp = BUILT / name, BUILT / name / ".prepared"
    shutil.copytree(HERE / name, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("node_modules", "target"))
    # Packages change with the lock file; what compiles is asked every time.
    pinned = command + (HERE / name / lock).read_text()
    if lock == "requirements.txt" and stamp.exists() and stamp.read_text() == pinned:
        return
    if lock == "package-lock.json" and stamp.exists() and stamp.read_text() == pinned:
        command = "npm run --silent check"
    print(f"examples: building {name}", flush=True)
    surroundings = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "CARGO_"))}
    done = subprocess.run(["sh", "-ec", command], cwd=folder, env=surroundings, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise Unbuilt(f"{name}: {command}")
    stamp.write_text(pinned)


@contextlib.contextmanager
def running(name, *command, port=None, **env):
    """A program while it runs; its output is in a log that is shown if anything fails."""
    log = BUILT / f"{name}.log"
    surroundings = {k: v for k, v in os.environ.items() if not k.startswith(("KEYWARD_", "PYTHON"))}
    with open(log, "wb") as out:
        process = subprocess.Popen(
            command, cwd=BUILT / name, env=surroundings | {"PORT": str(port)} | env, stdout=out, stderr=out,
            stdin=subprocess.DEVNULL,
        )
    process.said = lambda: log.read_text(errors="replace")
    try:
        if port:
            eventually(lambda: listens(process, port), 30, f"{name} at port {port}")
        yield process
    except BaseException:
        print("".join(f"    | {line}\n" for line in process.said().splitlines()[-30:]), flush=True)
        raise
    finally:
        process.kill()
        process.wait()


def listens(process, port):
    assert process.poll() is None, f"it ended with {process.returncode}"
    with contextlib.suppress(OSError), socket.create_connection(("localhost", port)):
        return True
    return False


class Ground:
    """A server with the examples applied: one of our own on this engine, or the one that ISSUER names."""

    def __init__(self, engine):
        self.engine, self.place, self.port = engine, None, {"spa": 5173, "web": 5000}
        self.issuer = os.environ.get("ISSUER")
        if self.issuer:
            return
        self.place = Place(engine)
        self.server = dev(self.place)
        self.issuer = self.server.origin
        document = (HERE / "examples.yaml").read_text()
        for name, usual in self.port.items():
            self.port[name] = free_port()
            document = document.replace(f"localhost:{usual}/", f"localhost:{self.port[name]}/")
        path = self.place.data / "examples.yaml"
        path.write_text(document)
        self.apply(path)
        person = {"email": EMAIL, "email_verified": True, "password": PASSWORD, "claims": {"name": NAME}}
        # Libraries renew a token in its last minute, so this one is renewed at once.
        short = {"client_id": "example-web", "lifetimes": {"access_token": 30}}
        self.apply({"tenants": [{"slug": "default", "applications": [short], "users": [person]}]})

    def apply(self, document):
        done = apply(self.place, document)
        assert done.returncode == 0, done.stderr

    def count(self, kind):
        """How often the audit trail has this kind of event."""
        done = keyward("audit", "list", f"kind={kind}", *self.place.where())
        assert done.returncode == 0, done.stderr
        return done.stdout.count(kind)

    def stop(self):
        if self.place:
            try:
                self.server.stop()
            finally:
                self.place.remove()


# ---------------------------------------------------------------------------------- the walks


def signed_out(browser, issuer):
    step = browser.get(issuer + "/account").step
    assert step == "identify", f"after the logout the account shows {step}"


def walk_spa(ground):
    port = ground.port["spa"]
    playwright = str(ROOT / "tests/browser/node_modules/playwright-core/index.mjs")
    with running("spa", "node", "serve.mjs", port=port, ISSUER=ground.issuer):
        done = subprocess.run(
            ["node", str(HERE / "run-spa.mjs"), playwright, f"http://localhost:{port}", ground.issuer, EMAIL, PASSWORD, NAME],
            capture_output=True, text=True, timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def walk_web(ground):
    port = ground.port["web"]
    home = f"http://localhost:{port}"
    with running("web", "venv/bin/python", "app.py", port=port, ISSUER=ground.issuer):
        browser = Browser(ground.issuer, also=[home])
        with contextlib.closing(browser.http):
            page = browser.sign_in(browser.get(home + "/login"), EMAIL, PASSWORD)
            assert page.url == home + "/" and f"Hello, {NAME}" in page.text, (page.url, page.text)
            before = ground.count("grant.refreshed") if ground.place else 0
            person = browser.get(home + "/me").response.json()
            assert person["email"] == EMAIL, person
            if ground.place:
                assert ground.count("grant.refreshed") == before + 1, "the token was not renewed"
            page = browser.submit(browser.get(home + "/"), "sign-out")
            assert page.url.split("?")[0] == home + "/" and "Nobody" in page.text, (page.url, page.text)
            assert browser.get(home + "/me").step == "identify", "still signed in after the logout"
            signed_out(browser, ground.issuer)


def walk_native(ground):
    browser = Browser(ground.issuer)
    java = ["java", "-Djava.awt.headless=true", "-cp", "target/classes:target/lib/*", "Native"]
    with contextlib.closing(browser.http), running("native", *java, ISSUER=ground.issuer) as program:
        def asked(count):
            lines = [line for line in program.said().splitlines() if line.startswith("Open ")]
            assert program.poll() is None or len(lines) >= count, f"it ended with {program.returncode}"
            return lines[count - 1].removeprefix("Open ") if len(lines) >= count else None

        for count in (1, 2):
            page = browser.get(eventually(lambda: asked(count), 30, "the request for a browser"))
            page = browser.sign_in(page, EMAIL, PASSWORD)
            assert page.url.startswith("http://127.0.0.1:") and page.response is None, (page.url, page.text[:1500])
            httpx.get(page.url.split("#")[0]).raise_for_status()
        assert program.wait(20) == 0, f"it ended with {program.returncode}"
        said = [line for line in program.said().splitlines() if not line.startswith("Open ")]
        assert [line.split(",")[0].split(" ")[0] for line in said] == ["Hello", "Still", "Signed"], said
        assert said[0] == f"Hello, {NAME}", said
        signed_out(browser, ground.issuer)


def walk_api(ground):
    """What the API says to those who bring nothing, nonsense, a token for somebody else."""
    port = free_port()
    with running("api", "target/debug/example-api", port=port, ISSUER=ground.issuer):
        url = f"http://localhost:{port}/orders"
        for header, challenge in (
            ({}, "Bearer"),
            ({"authorization": "Bearer x.y.z"}, 'Bearer error="invalid_token"'),
            ({"authorization": f"Bearer {forged(token(ground))}"}, 'Bearer error="invalid_token"'),
            *(({"authorization": f"Bearer {other}"}, 'Bearer error="invalid_token"') for other in elsewhere(ground)),
        ):
            answer = httpx.get(url, headers=header)
            assert (answer.status_code, answer.headers["www-authenticate"]) == (401, challenge), (header, answer)
        header = {"authorization": f"Bearer {token(ground)}"}
        assert httpx.get(url, headers=header).json()["for"] == "example-machine"
        answer = httpx.post(url, headers=header)
        assert answer.status_code == 403 and 'scope="orders.write"' in answer.headers["www-authenticate"], answer


def token(ground, client_id="example-machine", secret="the-secret-of-the-example-without-people", scope="orders.read"):
    form = {"grant_type": "client_credentials", "scope": scope}
    answer = httpx.post(ground.issuer + "/token", auth=(client_id, secret), data=form)
    return answer.raise_for_status().json()["access_token"]


def elsewhere(ground):
    """Tokens that work, but for another API."""
    if ground.place:
        other = {"client_id": "elsewhere", "client_secret": "elsewhere", "grant_types": ["client_credentials"],
                 "scopes": ["elsewhere.read"], "audiences": ["https://elsewhere.example.com"]}
        ground.apply({"tenants": [{"slug": "default", "applications": [other]}]})
        yield token(ground, "elsewhere", "elsewhere", "elsewhere.read")


def forged(jwt):
    """The token with a wider scope and the signature of before."""
    header, claims, signature = jwt.split(".")
    claims = base64.urlsafe_b64decode(claims + "==").replace(b"orders.read", b"orders.write")
    return ".".join([header, base64.urlsafe_b64encode(claims).rstrip(b"=").decode(), signature])


def walk_machine(ground):
    api, env = free_port(), {}
    with running("api", "target/debug/example-api", port=api, ISSUER=ground.issuer):
        for with_key in (False, True) if ground.place else (False,):
            if with_key:
                env["KEY_FILE"] = key_of_the_machine(ground)
            with running("machine", "./machine", ISSUER=ground.issuer, API=f"http://localhost:{api}", **env) as program:
                assert program.wait(20) == 0, f"it ended with {program.returncode}"
                said = program.said()
                assert "GET /orders: 200" in said and "POST /orders: 403" in said, said


def key_of_the_machine(ground):
    """A key pair: the private half in a file, the public one applied."""
    key = ec.generate_private_key(ec.SECP256R1())
    path = ground.place.data / "machine.pem"
    path.write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ))
    numbers = key.public_key().public_numbers()
    point = {name: base64.urlsafe_b64encode(value.to_bytes(32, "big")).rstrip(b"=").decode()
             for name, value in (("x", numbers.x), ("y", numbers.y))}
    ground.apply({"tenants": [{"slug": "default", "applications": [{
        "client_id": "example-machine-key", "token_endpoint_auth_method": "private_key_jwt",
        "grant_types": ["client_credentials"], "scopes": ["orders.read"],
        "jwks": {"keys": [{"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", **point}]},
    }]}]})
    return str(path)


WALKS = {"spa": walk_spa, "web": walk_web, "native": walk_native, "api": walk_api, "machine": walk_machine}


def main(names):
    if unknown := set(names) - set(WALKS):
        print(f"examples: no {' '.join(unknown)}; there are: {' '.join(WALKS)}", file=sys.stderr)
        return 2
    names = names or list(WALKS)
    try:
        for name in dict.fromkeys(names + ["api"] * ("machine" in names)):
            build(name)
    except Unbuilt as error:
        print(f"examples: cannot be built: {error}", file=sys.stderr)
        return 2
    failed = False
    for engine in ("given",) if os.environ.get("ISSUER") else ENGINES:
        ground = Ground(engine)
        try:
            for name in names:
                began, outcome = time.monotonic(), "ok"
                try:
                    WALKS[name](ground)
                except Exception:  # whatever it is, it is this example's result
                    traceback.print_exc()
                    failed, outcome = True, "FAILED"
                print(f"examples: {name:8} {engine:9} {outcome:7} {time.monotonic() - began:5.1f} s", flush=True)
        finally:
            ground.stop()
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
