"""The served OpenAPI document, driven by schemathesis with an API key of every scope: no 5xx, no status
that is not documented, media types and bodies as described, nothing without a credential, and what
the document forbids refused."""

import concurrent.futures
import contextlib
import json
import os
import pathlib
import re
import subprocess
import sys
import unittest

import httpx

from harness import ENGINES, PASSWORD, Application, Browser, Place, dev, keyward, shop

HERE = pathlib.Path(__file__).resolve().parent
SECONDS = int(os.environ.get("KEYWARD_SCHEMA_SECONDS", "40"))


def scopes(server):
    schemes = server.get("/api/v1/openapi.json").json()["components"]["securitySchemes"]
    return list(schemes["oauth"]["flows"]["clientCredentials"]["scopes"])


def objects(place, server):
    """A caller who may do everything, and one of each thing that a path names."""
    done = keyward("--json", "key", "new-api-key", "name=schema", f"scopes={json.dumps(scopes(server))}", *place.where())
    assert done.returncode == 0, done.stderr
    key = json.loads(done.stdout)["secret"]
    api = httpx.Client(base_url=server.origin + "/api/v1", headers={"authorization": f"Bearer {key}"}, timeout=30)

    def made(path, **body):
        answer = api.post(path, json=body)
        assert answer.status_code == 201, (path, answer.text)
        return answer.json()

    items = lambda path: [item["id"] for item in api.get(path).json()["items"]]
    alice = api.get("/users", params={"username": "alice"}).json()["items"][0]["id"]
    for _ in range(4):
        with contextlib.closing(Browser(server.origin)) as browser:
            Application(server.origin).sign_in(browser, password=PASSWORD)
    application = made("/applications", metadata={"redirect_uris": ["https://shop.example/cb"]})["application"]["id"]
    sessions, grants = items(f"/users/{alice}/sessions"), items(f"/users/{alice}/grants")
    assert sessions and grants
    return {
        "api": str(api.base_url).rstrip("/"), "bearer": key, "user": alice, "session": sessions, "grant": grants,
        "application": application, "secret": items(f"/applications/{application}/secrets")[0],
        "tenant": made("/tenants", slug="other")["id"], "template": "_footer.html",
        "key": made("/api-keys", name="standing", scopes=["users:read"])["key"]["id"],
        "server": made("/resource-servers", audience="https://api.example", scopes=[{"name": "standing.read"}])["id"],
        "scope": made("/scopes", name="standing")["id"], "kind": "username", "value": "alice",
    }


def run(engine):
    """One engine; the report of schemathesis and what the server wrote."""
    place = Place(engine)
    server = None
    try:
        server = dev(place)
        shop(place)
        known = place.data / "objects.json"
        bearer = (made := objects(place, server))["bearer"]
        known.write_text(json.dumps(made))
        command = [
            str(pathlib.Path(sys.executable).with_name("schemathesis")), "--config-file", str(HERE / "schemathesis.toml"),
            "run", f"{server.origin}/api/v1/openapi.json", "--max-time", str(SECONDS), "--warnings=off",
            "-H", f"Authorization: Bearer {bearer}",
        ]
        surroundings = os.environ | {
            "SCHEMATHESIS_HOOKS": str(HERE / "objects.py"), "KEYWARD_SCHEMA_OBJECTS": str(known), "NO_COLOR": "1", "COLUMNS": "120"
        }
        done = subprocess.run(command, cwd=place.data, env=surroundings, capture_output=True, text=True, timeout=SECONDS + 120)
        done.unanswered = json.loads(known.with_suffix(".unanswered").read_text())
        alive = server.get("/health/ready").status_code
        return done, alive, (place.data / "log").read_text()
    finally:
        if server:
            server.stop()
        place.remove()


class Schema(unittest.TestCase):
    def test_the_api_is_what_its_document_says(self):
        with concurrent.futures.ThreadPoolExecutor() as pool:
            runs = {engine: pool.submit(run, engine) for engine in ENGINES}
        for engine, ended in runs.items():
            with self.subTest(engine):
                done, alive, log = ended.result()
                told = (done.stdout + done.stderr)[-20_000:]
                self.assertEqual(done.returncode, 0, told)
                selected, tested = (int(re.search(rf"{word}: (\d+)", told)[1]) for word in ("Selected", "Tested"))
                self.assertEqual(selected, tested)
                self.assertLess(len(done.unanswered), tested / 4, f"never succeeded: {done.unanswered}")
                self.assertGreater(tested, 40)
                self.assertEqual(alive, 200)
                self.assertNotIn('"level":"ERROR"', log)
                self.assertNotIn("panicked", log)
                print(f"{engine}:", re.search(r"Test cases:\s+(.*)", told)[1], f"never succeeded: {done.unanswered}")


if __name__ == "__main__":
    unittest.main()
