"""An SMTP server that others wrote (aiosmtpd), for the tests of the mail hand-over.

    server.py CERTIFICATE KEY starttls|tls

Wants TLS and the login keyward / "pass word". Prints its port, then each mail that it took as one
line of JSON, read back by Python's own mail parser. Ends when its standard input does.
"""

import asyncio
import email
import email.policy
import json
import logging
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult


def authenticate(server, session, envelope, mechanism, data):
    good = mechanism in ("PLAIN", "LOGIN") and (data.login, data.password) == (b"keyward", b"pass word")
    return AuthResult(success=good, handled=False)


class Catch:
    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.original_content, policy=email.policy.default)
        caught = {
            "mail_from": envelope.mail_from,
            "rcpt_tos": envelope.rcpt_tos,
            "tls": server.transport.get_extra_info("sslcontext") is not None,
            "authenticated": session.authenticated,
            "headers": {name.lower(): str(value) for name, value in mail.items()},
            "type": mail.get_content_type(),
            "text": mail.get_body(("plain",)).get_content(),
            "html": mail.get_body(("html",)).get_content(),
            "defects": [str(defect) for part in mail.walk() for defect in part.defects],
        }
        print(json.dumps(caught), flush=True)
        return "250 taken"


async def main(certificate, key, mode):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    options = {"authenticator": authenticate, "auth_required": True, "enable_SMTPUTF8": True}
    if mode == "starttls":
        options |= {"tls_context": context, "require_starttls": True}
    else:
        options |= {"auth_require_tls": False}
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(Catch(), **options), "127.0.0.1", 0, ssl=context if mode == "tls" else None
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


# The tests break handshakes on purpose.
logging.disable(logging.ERROR)
asyncio.run(main(*sys.argv[1:]))
