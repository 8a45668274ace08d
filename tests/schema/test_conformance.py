"""docs/conformance.md says what is tested where: each test that it names exists, and each place too."""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PAGE = (ROOT / "docs/conformance.md").read_text()


def files(place):
    """Where the tests of a place may be, as the table of the page says."""
    kind, _, name = place.partition("/")
    return {
        "http": [f"features/oidc/tests/http/{name}.rs"],
        "oauth": [f"pure/oauth/src/{name}/tests.rs", f"pure/oauth/src/{name}.rs"],
        "jose": [f"pure/jose/tests/it/{name}.rs", f"pure/jose/src/{name}.rs"],
        "clients": [f"tests/clients/{name}"],
        "ops": [f"tests/ops/{name}"],
        "schema": [f"tests/schema/{name}"],
        "browser": [f"tests/browser/{name}"],
        "admin": [f"features/admin/tests/it/{name}.rs"],
        "signin": [f"features/signin/tests/it/{name}.rs"],
        "web": [f"core/web/tests/{name}.rs"],
        "base": [f"core/base/src/{name}.rs"],
        "outbound": [f"core/work/src/outbound/{name}.rs", f"core/work/src/outbound/tests/{name}.rs"],
        "jobs": [f"core/work/src/jobs/tests/{name}.rs"],
        "edge": ["bin/keyward/src/observe/tests.rs"],
        "serve": ["bin/keyward/src/serve/tests.rs"],
        "config": ["bin/keyward/src/config/tests.rs"],
    }.get(kind)


def is_there(place, test):
    for path in files(place) or []:
        path = ROOT / path
        # A module's tests may be files of their own below it.
        beside = path.with_suffix("").glob("tests*.rs") if path.suffix == ".rs" else []
        for file in [path, *beside]:
            text = file.read_text() if file.exists() else ""
            if re.search(rf"\b(fn|def) {re.escape(test)}\b|on_each!\(\s*{re.escape(test)}\b|\b(test|it)\(\s*[\"'`]{re.escape(test)}", text):
                return True
    return False


class Conformance(unittest.TestCase):
    def test_every_test_that_the_page_names_exists(self):
        named = re.findall(r"`([a-z]+(?:/[\w./-]+)?)::([^`]+)`", PAGE)
        named = [(place, test) for place, test in named if (place, test) != ("place", "name")]
        self.assertGreater(len(named), 150)
        unknown = sorted({place for place, _ in named if files(place) is None})
        self.assertEqual(unknown, [])
        missing = sorted({f"{place}::{test}" for place, test in named if not is_there(place, test)})
        self.assertEqual(missing, [])

    def test_every_file_that_the_page_names_exists(self):
        for name in re.findall(r"`((?:browser|ops|clients|schema)/[\w.-]+\.(?:mjs|py))`", PAGE):
            self.assertTrue(any((ROOT / path).exists() for path in files(name)), name)


if __name__ == "__main__":
    unittest.main()
