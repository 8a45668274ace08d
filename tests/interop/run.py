"""Runs relying parties that others wrote against the built program; README.md has the contract.

    tests/interop/run.sh [--engine sqlite] [--no-results] [NAME …]
"""

import argparse
import sys
import time
import traceback

import results
from clients import Client, Missing, Peer, all_names
from harness import ENGINES, Place, apply, certificate, dev, eventually, free_port, serve
from steps import EMAIL, PASSWORD, STEPS, SUB


class Ground:
    """Keyward on one engine: `dev` over http, and `serve` over https for those that insist on it."""

    def __init__(self, engine):
        self.engine, self.made = engine, {}

    def server(self, https):
        if https not in self.made:
            place = Place(self.engine)
            try:
                self.made[https] = (place, self.start(place, https))
            except BaseException:
                place.remove()
                raise
            self.apply(https, users=[{
                "email": EMAIL, "email_verified": True, "sub": SUB, "password": PASSWORD,
                "claims": {"name": "Alice Example", "given_name": "Alice"},
            }])
        return self.made[https][1]

    @staticmethod
    def start(place, https):
        if not https:
            return dev(place)
        cert, key = certificate(place.data, "localhost", "127.0.0.1")
        port = free_port()
        origin = f"https://localhost:{port}"
        options = {"issuer": origin, "tls_cert": str(cert), "tls_key": str(key)}
        return serve(place, port, origin, str(cert), server=options)

    def apply(self, https, **what):
        done = apply(self.made[https][0], {"tenants": [{"slug": "default", **what}]})
        assert done.returncode == 0, done.stderr

    def stop(self):
        for place, server in self.made.values():
            try:
                server.stop()
            finally:
                place.remove()


def meet(client, ground):
    """One client on one engine: what came of every step."""
    began = time.monotonic()
    try:
        server = ground.server(client.https)
        port = free_port()
        application = client.application(port)
        ground.apply(client.https, applications=[application])
        # On PostgreSQL the server hears of the application, and of the first key of its algorithm, within two seconds.
        algorithm = application.get("id_token_signed_response_alg", "RS256")
        eventually(lambda: algorithm in [key["alg"] for key in server.get("/jwks").json()["keys"]], what=f"a key for {algorithm}")
        with Peer(client, server, ground.engine, port, application) as peer:
            outcome = peer.run()
    except Exception as error:  # whatever it is, it is this client's result
        if not isinstance(error, AssertionError):
            traceback.print_exc()
        outcome = {step: ("FAIL", "") for step in STEPS} | {STEPS[0]: ("FAIL", f"{type(error).__name__}: {error}")}
    steps = {step: mark for step, (mark, _) in outcome.items()}
    notes = {step: note for step, (_, note) in outcome.items() if note}
    return {
        "name": client.name, "client": client.title, "version": client.version(), "language": client.language,
        "kind": client.kind, "engine": ground.engine, "steps": steps, "notes": notes,
        "seconds": round(time.monotonic() - began, 1),
    }


def main():
    options = argparse.ArgumentParser()
    options.add_argument("names", nargs="*", metavar="NAME")
    options.add_argument("--engine", choices=ENGINES, action="append")
    options.add_argument("--no-results", action="store_true", help="write nothing to results/")
    options = options.parse_args()
    names = options.names or all_names()
    found = []
    try:
        clients = [Client(name) for name in names]
        for client in clients:
            client.prepare()
        for engine in options.engine or ENGINES:
            ground = Ground(engine)
            try:
                for client in clients:
                    found.append(meet(client, ground))
                    results.show(found[-1])
            finally:
                ground.stop()
    except Missing as error:
        print(f"interop: {error}", file=sys.stderr)
        return 2
    if not options.no_results:
        print("interop:", results.record(found, whole=not options.names and not options.engine))
    return int(any("FAIL" in result["steps"].values() for result in found))


if __name__ == "__main__":
    sys.exit(main())
