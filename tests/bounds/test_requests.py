"""Requests over HTTP/1.1: shapes that two readers could read differently, sizes, encodings."""

import itertools
import json
import unittest

from wire import FORM, HOST, JSON, Watched, ask, connect, drain, exchange, statuses

# A request that must not be answered if it stands behind one whose end is in doubt.
NEXT = b"GET /health/live HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
POST = b"POST /token HTTP/1.1\r\n" + HOST + FORM
CHUNKED = POST + b"transfer-encoding: chunked\r\n\r\n"
LIVE = b"GET /health/live HTTP/1.1\r\n"


def get(path, headers=b""):
    return b"GET " + path + b" HTTP/1.1\r\n" + HOST + b"connection: close\r\n" + headers + b"\r\n"


def post(path, body, kind=FORM, headers=b""):
    length = b"content-length: %d\r\n" % len(body)
    return b"POST " + path + b" HTTP/1.1\r\n" + HOST + b"connection: close\r\n" + kind + headers + length + b"\r\n" + body


class Shapes(Watched):
    def refused(self, requests, allowed=(400,)):
        for name, request in requests.items():
            with self.subTest(name):
                got, closed = ask(self.port, request)
                self.assertEqual((len(got), closed), (1, True), f"{got} {closed}")
                self.assertIn(got[0], allowed)

    def test_a_length_in_doubt_is_refused_and_nothing_behind_it_answered(self):
        self.refused({
            "two lengths": POST + b"content-length: 3\r\ncontent-length: 90\r\n\r\na=b" + NEXT,
            "a list of lengths": POST + b"content-length: 3, 90\r\n\r\na=b" + NEXT,
            "a list of equal lengths": POST + b"content-length: 3, 3\r\n\r\na=b" + NEXT,
            "coded twice": POST + b"transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n\r\n0\r\n\r\n" + NEXT,
            "identity": POST + b"transfer-encoding: identity\r\n\r\na=b" + NEXT,
            "an unknown coding": POST + b"transfer-encoding: xchunked\r\n\r\n0\r\n\r\n" + NEXT,
            "chunked not last": POST + b"transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n" + NEXT,
            "compressed": POST + b"transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n" + NEXT,
            "a vertical tab": POST + b"transfer-encoding: \x0bchunked\r\n\r\n0\r\n\r\n" + NEXT,
            "a space in a name": POST + b"transfer-encoding : chunked\r\n\r\n0\r\n\r\n" + NEXT,
            "a space behind a name": POST + b"content-length : 3\r\n\r\na=b" + NEXT,
            "a plus": POST + b"content-length: +3\r\n\r\na=b" + NEXT,
            "a minus": POST + b"content-length: -3\r\n\r\na=b" + NEXT,
            "hexadecimal": POST + b"content-length: 0x3\r\n\r\na=b" + NEXT,
            "nothing": POST + b"content-length: \r\n\r\na=b" + NEXT,
            "more than 64 bits": POST + b"content-length: 99999999999999999999999\r\n\r\na=b" + NEXT,
            "folded": POST + b"transfer-encoding:\r\n chunked\r\n\r\n0\r\n\r\n" + NEXT,
            "chunked in HTTP/1.0": b"POST /token HTTP/1.0\r\n" + FORM + b"transfer-encoding: chunked\r\n\r\n0\r\n\r\n" + NEXT,
        })

    def test_length_beside_chunked_ends_the_connection(self):
        # RFC 9112, 6.1: chunked counts, and what stands behind is not looked at.
        for pair in (b"content-length: 5\r\ntransfer-encoding: chunked\r\n", b"transfer-encoding: chunked\r\ncontent-length: 5\r\n"):
            got, closed = ask(self.port, POST + pair + b"\r\n0\r\n\r\n" + NEXT)
            self.assertEqual((len(got), closed), (1, True), got)
            self.assertIn(got[0], (400, 401))

    def test_broken_chunks_are_refused(self):
        self.refused({
            "0x": CHUNKED + b"0x3\r\na=b\r\n0\r\n\r\n" + NEXT,
            "more than 64 bits": CHUNKED + b"fffffffffffffffff\r\na=b\r\n0\r\n\r\n" + NEXT,
            "negative": CHUNKED + b"-3\r\na=b\r\n0\r\n\r\n" + NEXT,
            "no end": CHUNKED + b"3\r\na=bXX0\r\n\r\n" + NEXT,
            "line feeds": CHUNKED + b"3\na=b\n0\n\n" + NEXT,
            "a line feed behind an extension": CHUNKED + b"3;\na=b\r\n0\r\n\r\n" + NEXT,
            "a long extension": CHUNKED + b"3;" + b"a" * 20_000 + b"\r\na=b\r\n0\r\n\r\n" + NEXT,
            "many trailers": CHUNKED + b"3\r\na=b\r\n0\r\n" + b"x: y\r\n" * 5_000 + b"\r\n" + NEXT,
        })

    def test_extensions_are_dropped(self):
        self.assertEqual(ask(self.port, CHUNKED + b"3;a=b\r\na=b\r\n0\r\n\r\n" + NEXT), ([401, 200], True))

    def test_trailers_are_dropped_and_end_the_connection(self):
        self.refused({
            "trailers": CHUNKED + b"3\r\na=b\r\n0\r\ncontent-length: 90\r\nhost: evil\r\n\r\n" + NEXT,
            "of a body that nobody reads": LIVE + HOST + b"transfer-encoding: chunked\r\n\r\n0\r\nx: y\r\n\r\n" + NEXT,
        }, allowed=(401, 200))

    def test_a_bare_line_feed_in_a_head_ends_a_line_as_any_other(self):
        # RFC 9112, 2.2: a recipient may take it for the end of a line. Then it must be one everywhere: what
        # is answered is what would be if each line ended with both.
        for name, lines in {
            "nothing behind": [b"GET /health/live HTTP/1.1", b"host: localhost", b"x: y", b""],
            "a length": [b"POST /token HTTP/1.1", b"host: localhost", FORM.strip(), b"content-length: %d" % len(NEXT), b""],
            "chunks": [b"POST /token HTTP/1.1", b"host: localhost", b"transfer-encoding: chunked", FORM.strip(), b""],
            "two hosts": [b"GET /health/live HTTP/1.1", b"host: localhost", b"host: evil.example", b""],
            "two lengths": [b"POST /token HTTP/1.1", b"host: localhost", b"content-length: 3", b"content-length: 90", b""],
            "a fold": [b"GET /health/live HTTP/1.1", b"host: localhost", b"x: y", b" z", b""],
        }.items():
            behind = {"a length": NEXT, "chunks": b"0\r\n\r\n"}.get(name, b"") + NEXT

            def answered(ends):
                return ask(self.port, b"".join(line + end for line, end in zip(lines, ends, strict=True)) + behind)

            plain = answered([b"\r\n"] * len(lines))
            self.assertEqual(plain[1], True, name)
            for ends in itertools.product((b"\r\n", b"\n"), repeat=len(lines)):
                with self.subTest(name, ends=ends):
                    self.assertEqual(answered(ends), plain)

    def test_nothing_is_answered_behind_a_bare_line_feed_in_a_body(self):
        # Behind each of them a reader could see the end of the body, or not.
        for name, body in {
            "behind a size": b"3\na=b\r\n0\r\n\r\n",
            "behind an extension": b"3;x=y\na=b\r\n0\r\n\r\n",
            "behind a chunk": b"3\r\na=b\n0\r\n\r\n",
            "behind the last size": b"3\r\na=b\r\n0\n\r\n",
            "behind the last extension": b"3\r\na=b\r\n0;x=y\n\r\n",
            "as the last line": b"3\r\na=b\r\n0\r\n\n",
            "behind a trailer": b"3\r\na=b\r\n0\r\nx: y\n\r\n",
            "between trailers": b"3\r\na=b\r\n0\r\nx: y\nz: w\r\n\r\n",
            "behind trailers": b"3\r\na=b\r\n0\r\nx: y\r\n\n",
            "twice behind a trailer": b"3\r\na=b\r\n0\r\nx: y\n\n",
            "twice behind trailers": b"3\r\na=b\r\n0\r\nx: y\r\n\n\n",
        }.items():
            # What comes next may be taken for trailers: behind it stands another one.
            for behind in (NEXT, NEXT + NEXT, b"\r\n\r\n" + NEXT):
                with self.subTest(name, behind=behind[:9]):
                    self.refused({name: CHUNKED + body + behind}, allowed=(400, 401))
                with self.subTest(name, behind=behind[:9], read=False):
                    unread = CHUNKED.replace(b"POST /token", b"GET /health/live")
                    self.refused({name: unread + body + behind}, allowed=(400, 200))

    def test_headers_that_are_none_are_refused(self):
        self.refused({
            "folded": LIVE + HOST + b"x: a\r\n b\r\n\r\n",
            "a bare carriage return": LIVE + b"host: x\rcontent-length: 9\r\n\r\n",
            "carriage returns only": b"GET /health/live HTTP/1.1\rhost: x\r\r\n\r\n",
            "a space in a name": LIVE + HOST + b"foo bar: x\r\n\r\n",
            "NUL in a name": LIVE + HOST + b"foo\0: x\r\n\r\n",
            "NUL in a value": LIVE + HOST + b"foo: a\0b\r\n\r\n",
            "no colon": LIVE + HOST + b"foo\r\n\r\n",
            "space in front": LIVE + b" host: x\r\n\r\n",
            "UTF-8 in a name": LIVE + HOST + "fööß: x\r\n\r\n".encode(),
        })

    def test_request_lines_that_are_none_are_refused(self):
        self.refused({
            "NUL": b"GET /health\0/live HTTP/1.1\r\n" + HOST + b"\r\n",
            "no UTF-8": b"GET /health/\xff\xfe HTTP/1.1\r\n" + HOST + b"\r\n",
            "a space in the path": b"GET /health/live /x HTTP/1.1\r\n" + HOST + b"\r\n",
            "HTTP/0.9": b"GET /health/live\r\n",
            "HTTP/1.2": b"GET /health/live HTTP/1.2\r\n" + HOST + b"\r\n",
            "HTTP/2.0": b"GET /health/live HTTP/2.0\r\n" + HOST + b"\r\n",
            "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            "CONNECT": b"CONNECT evil:443 HTTP/1.1\r\nhost: evil:443\r\n\r\n" + NEXT,
        })
        with connect(self.port) as raw:
            raw.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
            self.assertEqual(drain(raw), (b"", True), "no HTTP/2 without TLS")

    def test_one_host_is_named(self):
        self.refused({
            "none": b"GET /health/live HTTP/1.1\r\n\r\n",
            "two": LIVE + b"host: a\r\nhost: a\r\n\r\n",
            "an empty one": LIVE + b"host:\r\n\r\n",
            "a path in it": LIVE + b"host: a/b\r\n\r\n",
            "user information": LIVE + b"host: a@b\r\n\r\n",
            "a list": LIVE + b"host: a, b\r\n\r\n",
            "another in the address": b"GET http://evil.example/health/live HTTP/1.1\r\n" + HOST + b"\r\n",
            "a foreign scheme": b"GET ftp://localhost/health/live HTTP/1.1\r\n" + HOST + b"\r\n",
        })
        self.assertEqual(ask(self.port, b"GET http://localhost/health/live HTTP/1.1\r\nconnection: close\r\n" + HOST + b"\r\n"), ([200], True))
        self.assertEqual(ask(self.port, b"GET /health/live HTTP/1.0\r\n\r\n"), ([200], True))

    def test_the_host_of_a_request_never_becomes_an_address_of_ours(self):
        with connect(self.port) as raw:
            raw.sendall(b"GET /.well-known/openid-configuration HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n")
            self.assertNotIn(b"evil.example", drain(raw)[0])


class Sizes(Watched):
    def test_heads_that_are_too_large(self):
        for name, request in {
            "address": get(b"/" + b"a" * 70_000),
            "header": get(b"/health/live", b"a: " + b"b" * 70_000 + b"\r\n"),
            "headers": get(b"/health/live", b"a: b\r\n" * 101),
            "cookies": get(b"/authorize", b"cookie: " + b"a=b; " * 20_000 + b"\r\n"),
            "a name without end": LIVE + b"a" * 200_000,
        }.items():
            with self.subTest(name):
                got, closed = ask(self.port, request)
                # Whoever still sends may lose the answer to the reset.
                self.assertIn(got, ([431], [414], []))
                self.assertTrue(closed)

    def test_many_cookies_of_others_leave_ours_in_force(self):
        cookies = b"cookie: " + b"; ".join(b"c%d=%s" % (n, b"v" * 20) for n in range(700)) + b"\r\n"
        self.assertEqual(ask(self.port, get(b"/account", cookies))[0], [200])

    def test_bodies_that_are_too_large(self):
        large = post(b"/token", b"a=" + b"x" * 70_000)
        self.assertEqual(ask(self.port, large)[0], [413])
        self.assertIn(b'"error":"invalid_request"', exchange(self.port, large)[0])
        endless = CHUNKED + b"10000\r\n" + b"x" * 0x10000 + b"\r\n" + b"10000\r\n" + b"x" * 0x10000 + b"\r\n0\r\n\r\n"
        got, closed = ask(self.port, endless)
        self.assertIn(got, ([413], [400]))
        self.assertTrue(closed)

    def test_parameters_without_number(self):
        many = b"&".join(b"p%d=v" % n for n in range(10_000))
        for path in (b"/token", b"/introspect", b"/revoke", b"/flow/x"):
            self.assertEqual(ask(self.port, post(path, many[:60_000]))[0], [400], path)
        self.assertEqual(ask(self.port, get(b"/authorize?" + many[:30_000]))[0], [400])


class Encodings(Watched):
    def test_bytes_that_are_no_text(self):
        for value in (b"%FF%FE", b"%C0%80", b"%ED%A0%80", b"%00", b"%", b"%zz", b"\xff"):
            with self.subTest(value):
                self.assertEqual(ask(self.port, post(b"/token", b"grant_type=" + value))[0], [400])
                if value != b"\xff":
                    self.assertEqual(ask(self.port, get(b"/authorize?client_id=" + value))[0], [400])
                    self.assertEqual(ask(self.port, get(b"/register?ui_locales=" + value))[0], [200])
                    self.assertIn(ask(self.port, get(b"/t/" + value + b"/x"))[0], ([400], [404]))

    def test_abuse_73_malformed_headers_fail_closed(self):
        for header, path, allowed in [
            (b"authorization: Bearer \xff\xfe", b"/userinfo", [400, 401]),
            (b"authorization: Bearer", b"/userinfo", [400, 401]),
            (b"authorization: Bearer a b c", b"/userinfo", [400, 401]),
            (b"authorization: Basic \xff", b"/userinfo", [400, 401]),
            (b"authorization: " + b"Bearer " * 4_000, b"/userinfo", [400, 401]),
            (b"authorization: Bearer " + b"." * 20_000, b"/userinfo", [400, 401]),
            (b"cookie: \xff\xfe=;;;===", b"/account", [200]),
            (b"cookie: kws-x=" + b"se_." * 5_000, b"/account", [200]),
            (b"accept-language: \xff," + b"x-" * 4_000, b"/register", [200]),
            (b"accept: \xff\xfe", b"/register", [200]),
            (b"user-agent: \xff" + b"(" * 8_000, b"/register", [200]),
            (b"x-forwarded-for: " + b"," * 9_000, b"/register", [400]),  # this machine is a named proxy of `dev`
            (b"origin: \xff", b"/userinfo", [401]),
        ]:
            with self.subTest(header[:30]):
                [status] = ask(self.port, get(path, header + b"\r\n"))[0]
                self.assertIn(status, allowed)
        for header in (b"authorization: Basic " + b"A" * 9_001, b"authorization: Basic Og==", b"authorization: Basic \xff"):
            [status] = ask(self.port, post(b"/token", b"grant_type=client_credentials", headers=header + b"\r\n"))[0]
            self.assertIn(status, (400, 401))

    def test_content_types_that_are_none_of_ours(self):
        for kind in (b"", b"content-type: text/plain\r\n", b"content-type: multipart/form-data; boundary=x\r\n", b"content-type: \xff\r\n", FORM + JSON):
            with self.subTest(kind):
                [status] = ask(self.port, post(b"/token", b"grant_type=client_credentials", kind))[0]
                self.assertIn(status, (400, 401, 415))

    def test_json_that_is_deep_wide_or_double(self):
        deep = b'{"redirect_uris":' + b"[" * 30_000 + b"]" * 30_000 + b"}"
        wide = json.dumps({f"p{n}": n for n in range(4_000)}).encode()
        for path in (b"/register", b"/recover"):
            for body in (deep, wide[:-1], b'{"a":"\\ud800"}', b'{"a":1e99999}', b"\xff", b"[]", b"null", b'"', b"{" * 30_000):
                with self.subTest(f"{path} {body[:30]}"):
                    [status] = ask(self.port, post(path, body, JSON, b"accept: application/json\r\n"))[0]
                    self.assertIn(status, (400, 401, 403, 404, 405, 415, 422))

    def test_abuse_75_tokens_of_dots_and_zip_bombs_are_refused_at_once(self):
        zip_header = "eyJhbGciOiJFUzI1NiIsInppcCI6IkRFRiJ9"  # {"alg":"ES256","zip":"DEF"}
        pbes = "eyJhbGciOiJQQkVTMi1IUzI1NitBMTI4S1ciLCJwMmMiOjIxNDc0ODM2NDd9"  # p2c of 2147483647
        for token in ("." * 60_000, "." * 4 + zip_header, f"{zip_header}.e30.AAAA", f"{pbes}.AA.AA.AA.AA", "a" * 60_000):
            form = f"client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion={token}"
            with self.subTest(token[:50]):
                [status] = ask(self.port, post(b"/token", b"grant_type=client_credentials&" + form.encode()))[0]
                self.assertIn(status, (400, 401))
                [status] = ask(self.port, get(b"/logout?id_token_hint=" + token[:30_000].encode()))[0]
                self.assertIn(status, (200, 303, 400))


if __name__ == "__main__":
    unittest.main()
