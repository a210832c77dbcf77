"""A folder in, what servers of proxies and tunnels need in it out: a certificate and its key, for the names that are asked for."""

import datetime as dt
import functools
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.peers.scene import NAMES


def certificate(folder: Path) -> Path:
    """Return a file with a certificate for all names, which is its own issuer, and its key."""
    path = folder / "certificate.pem"
    if not path.exists():
        path.write_bytes(_issue())
    return path


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
