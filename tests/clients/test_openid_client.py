"""openid-client (npm) as the relying party, on both engines: starts openid-client.mjs."""

import os
import subprocess

from harness import HERE, Case, on_both_engines


class _OpenidClient(Case):
    def test_it_signs_in_refreshes_and_signs_out(self):
        done = subprocess.run(
            ["node", "--test", "--test-reporter=spec", "openid-client.mjs"], cwd=HERE, capture_output=True, text=True,
            timeout=120, env=os.environ | {"KEYWARD_ISSUER": self.server.origin},
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


on_both_engines(_OpenidClient, globals())
del _OpenidClient
