"""Ids of things that exist: without them every request for one thing would end with 404.

KEYWARD_SCHEMA_OBJECTS names a file of JSON that test_schema.py has written; beside it is written at
the end which operations never succeeded.
"""

import atexit
import collections
import json
import os
import pathlib
import re

import httpx
import schemathesis
from schemathesis.core.parameters import ParameterLocation

objects = pathlib.Path(os.environ["KEYWARD_SCHEMA_OBJECTS"])
known = json.loads(objects.read_text())
api = httpx.Client(base_url=known["api"], headers={"authorization": f"Bearer {known['bearer']}"}, timeout=30)
AN_ID = re.compile(r"[a-z]{3}_[A-Za-z0-9_-]{22}")
made = 0
# What a schema cannot say: a body that is accepted, now and then.
BODIES = {
    "POST /users": lambda: {"username": f"sent-{made}"},
    "POST /applications": lambda: {"metadata": {"redirect_uris": ["https://shop.example/cb"]}},
    "POST /api-keys": lambda: {"name": "sent", "scopes": ["users:read"]},
    "POST /tenants": lambda: {"slug": f"sent-{made}"},
    "POST /tenants/{tenant}/api-keys": lambda: {"name": "sent", "scopes": ["users:read"]},
    "POST /resource-servers": lambda: {"audience": f"https://sent-{made}.example", "scopes": [{"name": f"sent-{made}.read"}]},
    "PATCH /resource-servers/{server}": lambda: {"name": "Sent"},
    "POST /scopes": lambda: {"name": f"sent-{made}"},
    "POST /users/{user}/identifiers": lambda: {"value": f"sent-{made}@example.com"},
    "PUT /users/{user}/administrator": lambda: {"scopes": ["users:read"]},
}
positive = collections.Counter()
called, succeeded = set(), set()


@schemathesis.hook
def before_call(context, case, kwargs):
    global made
    label = case.operation.label
    if not (case.meta and case.meta.generation.mode.is_negative):
        made += 1
        positive[label] += 1
        if label in BODIES and positive[label] % 3 == 1:
            case.body, case.media_type = BODIES[label](), "application/json"
    parts = case.meta and case.meta.components.get(ParameterLocation.PATH)
    if parts and parts.mode.is_negative:
        return
    for name, value in case.path_parameters.items():
        if not AN_ID.fullmatch(str(value)):
            case.path_parameters[name] = existing(case.method, case.operation.path, name) or value


@schemathesis.hook
def after_call(context, case, response):
    called.add(case.operation.label)
    if response.status_code < 300:
        succeeded.add(case.operation.label)


@atexit.register
def tell():
    objects.with_suffix(".unanswered").write_text(json.dumps(sorted(called - succeeded)))


def existing(method, path, name):
    """Reading leaves things as they are; what is changed or removed is another one."""
    if name in ("session", "grant"):
        ids = known[name]
        return ids.pop() if ids and method == "DELETE" else None
    if name == "user":
        return known["user"] if method == "GET" or "{session}" in path or "{grant}" in path else fresh(name)
    if name in ("application", "key", "server", "scope") and method == "DELETE" and path.endswith("}"):
        return known["application"] if "consents" in path else fresh(name)
    return known.get(name)


def fresh(name):
    global made
    made += 1
    path, body = {
        "user": ("/users", {"username": f"made-{made}"}),
        "application": ("/applications", {"metadata": {"redirect_uris": ["https://shop.example/cb"]}}),
        "key": ("/api-keys", {"name": f"made {made}", "scopes": ["users:read"]}),
        "server": ("/resource-servers", {"audience": f"https://made-{made}.example", "scopes": [{"name": f"made-{made}.read"}]}),
        "scope": ("/scopes", {"name": f"made-{made}"}),
    }[name]
    answer = api.post(path, json=body)
    assert answer.status_code == 201, answer.text
    answer = answer.json()
    return answer.get("id") or answer[name]["id"]
