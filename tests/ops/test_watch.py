"""What an operator sees: /metrics after a sign-in, traces at a collector, the doctor."""

import http.server
import json
import os
import re
import threading
import unittest

from harness import PASSWORD, SHOP, Application, Browser, Place, eventually, free_port, keyward, serve

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


class Collector:
    """A small OTLP/HTTP receiver."""

    def __init__(self, port=0):
        spans = self.spans = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.path != "/v1/traces" or self.headers["content-type"] != "application/json":
                    return self.send_error(404)
                for resource in json.loads(body)["resourceSpans"]:
                    for scope in resource["scopeSpans"]:
                        spans.extend(scope["spans"])
                self.send_response(200)
                self.send_header("content-length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


class Watch(unittest.TestCase):
    def setUp(self):
        self.place = Place()
        self.addCleanup(self.place.remove)

    def serve(self, **sections):
        server = serve(self.place, **sections)
        self.addCleanup(server.kill)
        done = keyward("apply", SHOP, "--config", self.place.data / "keyward.toml")
        self.assertEqual(done.returncode, 0, done.stderr)
        return server

    def browser(self, server, **options):
        browser = Browser(server.origin, **options)
        self.addCleanup(browser.close)
        return browser

    def test_metrics_tell_sign_ins_the_store_and_the_process(self):
        server = self.serve()
        Application(server.origin).sign_in(self.browser(server))
        page = self.browser(server)
        page = page.sign_in(page.get(Application(server.origin).url()), password="wrong password canary")
        self.assertEqual(page.status, 422)
        text = server.get("/metrics").text
        for line in (
            'keyward_sign_ins_total{method="password",outcome="done"} 1',
            'keyward_sign_ins_total{method="password",outcome="refused"} 1',
            'keyward_sign_ins_total{method="code",outcome="done"} 0',
            "keyward_store_commit_duration_seconds_count", "keyward_store_read_duration_seconds_bucket",
            "keyward_hash_queue_milliseconds 0", 'keyward_admission_refusals_total{limit="hash_queue"} 0',
            "keyward_mail_queue ", "keyward_signing_key_age_seconds ", "keyward_build_info{version=",
            "process_resident_memory_bytes ", "process_open_fds ", "process_cpu_seconds_total ",
        ):
            self.assertIn(line, text)
        for secret in ("canary", "alice", PASSWORD):
            self.assertNotIn(secret, text)

    def test_traces_reach_a_collector_and_hold_nothing_of_anybody(self):
        collector = Collector()
        self.addCleanup(collector.server.shutdown)
        server = self.serve(traces={"endpoint": collector.url})
        headers = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
        web = Application(server.origin)
        web.sign_in(self.browser(server, headers=headers))
        wanted = {"store.read", "store.commit", "hash", "GET /authorize", "POST /flow/{id}"}
        ours = lambda: [span for span in collector.spans if span["traceId"] == TRACE]
        eventually(lambda: wanted <= {span["name"] for span in ours()}, what=f"spans {wanted}")
        spans = {span["spanId"]: span for span in ours()}
        for span in spans.values():
            if span["kind"] == 2:
                self.assertEqual(span["parentSpanId"], "00f067aa0ba902b7")
            else:
                eventually(lambda: span["parentSpanId"] in {s["spanId"] for s in ours()}, what="its parent")
            self.assertLessEqual(int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"]))
        others = {span["name"] for span in collector.spans if span["traceId"] != TRACE}
        self.assertIn("POST /token", others, "a request without a trace begins one")
        text = json.dumps(collector.spans)
        for secret in ("alice", PASSWORD, "s3cret", "code_challenge", "usr_", "rt_", "127.0.0.1:9000"):
            self.assertNotIn(secret, text)

    def test_a_collector_that_is_away_holds_nothing_up_and_is_told_of_once(self):
        port = free_port()
        server = self.serve(traces={"endpoint": f"http://127.0.0.1:{port}"})
        Application(server.origin).sign_in(self.browser(server))
        lost = lambda: int(re.search(r"keyward_dropped_spans_total (\d+)", server.get("/metrics").text)[1])
        before = eventually(lost, what="lost spans")
        # Every look is a request, of which a span is lost in its turn.
        eventually(lambda: lost() > before, what="more lost spans")
        collector = Collector(port)
        self.addCleanup(collector.server.shutdown)
        eventually(lambda: server.get("/health/live") and collector.spans, what="spans")
        self.assertEqual(server.stop(), 0)
        log = server.log.read_text()
        self.assertEqual(log.count("the collector does not take traces"), 1, log)
        self.assertEqual(log.count("the collector takes traces again"), 1, log)
        self.assertNotIn("outward request", log)

    def test_a_stop_right_after_a_request_sends_its_trace_and_is_no_defect(self):
        collector = Collector()
        self.addCleanup(collector.server.shutdown)
        server = self.serve(traces={"endpoint": collector.url})
        headers = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
        # More than one message holds.
        for _ in range(600):
            self.assertEqual(server.get("/health/live", headers=headers).status_code, 200)
        self.assertEqual(server.stop(), 0)
        log = server.log.read_text()
        self.assertNotIn("a defect", log)
        self.assertNotIn("ended badly", log)
        self.assertNotIn("outward request", log)
        self.assertEqual(sum(span["traceId"] == TRACE for span in collector.spans), 600)


class Doctor(unittest.TestCase):
    def setUp(self):
        self.place = Place()
        self.addCleanup(self.place.remove)

    def doctor(self, *more):
        return keyward("doctor", "--config", self.place.data / "keyward.toml", *more)

    def findings(self, *more):
        done = self.doctor("--json", *more)
        return done, {}, json.loads(done.stdout)

    def states(self, report):
        worst = {}
        for finding in report["findings"]:
            rank = ("ok", "warning", "error")
            worst[finding["check"]] = max(worst.get(finding["check"], "ok"), finding["state"], key=rank.index)
            if finding["state"] != "ok":
                self.assertTrue(finding["fix"])
        return worst

    def test_a_sound_server_and_what_is_measured(self):
        with_mail = __import__("socket").create_server(("127.0.0.1", 0))
        self.addCleanup(with_mail.close)

        def greet():
            while True:
                try:
                    connection, _ = with_mail.accept()
                except OSError:
                    return
                connection.sendall(b"220 hello\r\n")
                connection.close()

        threading.Thread(target=greet, daemon=True).start()
        server = serve(self.place, mail={"port": with_mail.getsockname()[1]})
        self.addCleanup(server.kill)
        done, _, report = self.findings()
        states = self.states(report)
        self.assertEqual({name for name, state in states.items() if state == "error"}, set(), done.stdout)
        self.assertEqual(done.returncode, 0, done.stderr)
        for check in ("root-key", "database", "migrations", "issuer", "issuer-dns", "mail", "listen", "clock"):
            self.assertEqual(states[check], "ok", (check, report["findings"]))
        machine = report["machine"]
        self.assertEqual({"portable"}, {hash["path"] for hash in machine["hashes"]} - {"avx512", "avx2", "neon"})
        self.assertEqual(sum(hash["fastest"] for hash in machine["hashes"]), 1)
        for hash in machine["hashes"]:
            self.assertGreater(hash["ratio"], 0)
        self.assertGreater(machine["sync_ms"][0], 0)
        text = self.doctor().stdout
        self.assertIn("of the crate's time", text)
        self.assertIn("A write is on the disk after", text)
        # Before production there is more to say.
        done, _, report = self.findings("--production")
        self.assertEqual(done.returncode, 1)
        said = " ".join(finding["what"] for finding in report["findings"] if finding["check"] == "production")
        for words in ("not https", "the list of who was deleted", "beside the database that it opens"):
            self.assertIn(words, said)

    def test_what_is_wrong_is_an_error_with_what_to_do(self):
        server = serve(self.place)
        self.assertEqual(server.stop(), 0)
        key = self.place.data / "root.key"
        key.write_text("ab" * 31 + "cd\n")
        os.chmod(self.place.data / "keyward.db", 0o644)
        done, _, report = self.findings()
        states = self.states(report)
        self.assertEqual(done.returncode, 1)
        self.assertEqual((states["root-key"], states["files"], states["mail"]), ("error", "error", "error"))
        self.assertEqual(states["issuer"], "warning")
        self.assertEqual(self.doctor("--nonsense").returncode, 2)
        done = keyward("doctor", "--config", self.place.data / "missing.toml")
        self.assertEqual(done.returncode, 2)
