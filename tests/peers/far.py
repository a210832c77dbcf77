"""A stage in, servers on its far side out: pages over HTTP/1.1, HTTP/2 and HTTP/3 under any name, and a resolver that knows all names."""

import base64
import datetime as dt
import functools
import hashlib
import json
import sys
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.peers.stage import NAMES, Stage

RESOLVER = "203.0.113.53"
HONEST = "198.51.100.80"
"""What the resolver answers."""
BODY = "what the server really says"

_PAGES = f"""
import socket, threading
body = {BODY!r}.encode()
def serve(near):
    with near, near.makefile("rb") as lines:
        while lines.readline():
            while lines.readline() not in (b"\\r\\n", b""):
                pass
            try:
                near.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(body) + body)
            except OSError:
                return
def accept(server):
    while True:
        threading.Thread(target=quiet, args=(server.accept()[0],), daemon=True).start()
def quiet(near):
    try:
        serve(near)
    except OSError:
        pass
accept(socket.create_server(("", 80), backlog=64))
"""

_NAMESERVER = f"""
import socket, ssl, struct, sys, threading
def answer(query):
    end = 12
    while query[end]:
        end += query[end] + 1
    question = query[12:end + 5]
    record = b"\\xc0\\x0c" + struct.pack(">HHIH", 1, 1, 300, 4) + socket.inet_aton({HONEST!r})
    found = question[-4:-2] == b"\\x00\\x01"
    return query[:2] + struct.pack(">HHHHH", 0x8180, 1, int(found), 0, 0) + question + (record if found else b"")
def hold(near, context):
    try:
        if context:
            near = context.wrap_socket(near, server_side=True)
        with near, near.makefile("rb") as stream:
            while size := stream.read(2):
                said = answer(stream.read(int.from_bytes(size, "big")))
                near.sendall(len(said).to_bytes(2, "big") + said)
    except OSError:
        pass
def accept(server, context):
    while True:
        threading.Thread(target=hold, args=(server.accept()[0], context), daemon=True).start()
def listen(port, context=None):
    threading.Thread(target=accept, args=(socket.create_server(("", port), backlog=64), context), daemon=True).start()
if sys.argv[1]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1])
    listen(853, context)
listen(53)
datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
datagrams.bind(({RESOLVER!r}, 53))
while True:
    query, peer = datagrams.recvfrom(4096)
    datagrams.sendto(answer(query), peer)
"""


def serve_pages(stage: Stage) -> None:
    """Serve one page at port 80, to any number of requests of a connection."""
    stage.serve([sys.executable, "-I", "-S", "-c", _PAGES], port=80)


def serve_names(stage: Stage, *, encrypted: bool = False) -> None:
    """Answer every query for an address in the same way over UDP and TCP, and over TLS where asked for."""
    stage.serve([sys.executable, "-I", "-S", "-c", _NAMESERVER, str(certificate(stage.folder)) if encrypted else ""], port=53, transport="udp")


def serve_web(stage: Stage) -> None:
    """Serve one page over HTTP/1.1, HTTP/2 and HTTP/3 at port 443 with Caddy."""
    caddy = Path(sys.executable).with_name("caddy")
    bundle = str(certificate(stage.folder))
    settings = {
        "admin": {"disabled": True, "config": {"persist": False}},
        "logging": {"logs": {"default": {"level": "ERROR"}}},
        "storage": {"module": "file_system", "root": str(stage.folder)},
        "apps": {
            "http": {
                "servers": {
                    "web": {
                        "listen": [":443"],
                        "routes": [{"handle": [{"handler": "static_response", "body": BODY}]}],
                        "tls_connection_policies": [{"fallback_sni": NAMES[0]}],
                        "automatic_https": {"disable": True},
                    }
                }
            },
            "tls": {"certificates": {"load_files": [{"certificate": bundle, "key": bundle}]}},
        },
    }
    path = stage.folder / "caddy.json"
    path.write_text(json.dumps(settings))
    stage.serve([str(caddy), "run", "--config", str(path)], port=443, env={"HOME": str(stage.folder)})


def certificate(folder: Path) -> Path:
    """Return a file with a certificate for all names, which is its own issuer, and its key."""
    path = folder / "certificate.pem"
    if not path.exists():
        path.write_bytes(_issue())
    return path


def pin(folder: Path) -> str:
    """Return what Chromium calls the key of that certificate: it takes QUIC from no other that it cannot trace to a public authority."""
    public = x509.load_pem_x509_certificate(certificate(folder).read_bytes()).public_key()
    named = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(named).digest()).decode()


@functools.cache
def _issue() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAMES[1])])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - dt.timedelta(days=1), now + dt.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(each) for each in NAMES]), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return made.public_bytes(serialization.Encoding.PEM) + secret
