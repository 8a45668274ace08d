"""testssl.sh (Debian's package) against our TLS listener with a certificate of an authority of its own:

    KEYWARD_BIN=target/debug/keyward PYTHONPATH=tests/clients tests/.venv/bin/python tests/bounds/testssl.py

Takes some minutes. Prints what is not in order and ends with 1 if that is more than `ACCEPTED`.
"""

import json
import os
import subprocess
import sys

from harness import Place, free_port, serve

# Id of the finding, and why it may stand.
ACCEPTED = {
    "cipher_order": "all that is offered is strong; clients without AES instructions may prefer ChaCha20 (Mozilla, intermediate)",
    "cert_expirationStatus": "the certificate of this test lives a month",
    "cert_notAfter": "the certificate of this test lives a month",
    "cert_revocation": "the authority of this test revokes nothing",
    "cert_chain_of_trust_passed": "the authority of this test is known to --add-ca only",
    "DNS_CAArecord": "localhost has no DNS records",
    "engine_problem": "about the machine that tests",
    "HTTP_status_code": "the root page leads to the portal",
}


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


def certificate(folder):
    """A leaf for localhost and the authority that vouches for it."""
    ca, ca_key, leaf, key = (folder / name for name in ("ca.pem", "ca.key", "leaf.pem", "leaf.key"))
    new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    usage = ("-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    openssl("req", "-x509", *new, "-keyout", ca_key, "-out", ca, "-days", "30", "-subj", "/CN=Test", *usage)
    openssl("req", *new, "-keyout", key, "-out", folder / "leaf.csr", "-subj", "/CN=localhost")
    extensions = folder / "extensions"
    extensions.write_text("subjectAltName=DNS:localhost\nextendedKeyUsage=serverAuth\nkeyUsage=digitalSignature\n")
    signer = ("-CA", ca, "-CAkey", ca_key, "-CAcreateserial", "-days", "30", "-extfile", extensions)
    openssl("x509", "-req", "-in", folder / "leaf.csr", *signer, "-out", leaf)
    os.chmod(key, 0o600)
    return ca, leaf, key


def main():
    place, port = Place("sqlite"), free_port()
    try:
        ca, leaf, key = certificate(place.data)
        origin, found = f"https://localhost:{port}", place.data / "found.json"
        server = serve(place, port=port, origin=origin, server={"issuer": origin, "tls_cert": str(leaf), "tls_key": str(key)})
        try:
            options = ["--quiet", "--color", "0", "--warnings", "off", "--add-ca", ca, "--jsonfile", found, "--ip", "127.0.0.1"]
            subprocess.run(["testssl", *options, origin], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False)
        finally:
            server.stop()
        findings = json.loads(found.read_text())
    finally:
        place.remove()
    bad = [f for f in findings if f["severity"] not in ("OK", "INFO", "DEBUG")]
    for finding in bad:
        print(f"{finding['severity']:8} {finding['id']}: {finding['finding']}. {ACCEPTED.get(finding['id'], 'NOT ACCEPTED')}")
    print(f"{len(findings)} findings, {len(bad)} not in order, {sum(f['id'] not in ACCEPTED for f in bad)} not accepted")
    return any(f["id"] not in ACCEPTED for f in bad) or len(findings) < 100


sys.exit(main())
