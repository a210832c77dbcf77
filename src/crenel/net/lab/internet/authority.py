"""Nothing in, a certificate authority of one lab's own out, and from it certificates for any name or address."""

import base64
import contextlib
import datetime as dt
import hashlib
import ipaddress
from collections.abc import Sequence

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_NAME = "Crenel lab"
_BEFORE = dt.timedelta(days=2)
_LASTS = dt.timedelta(days=90)
"""Clients that are strict with public authorities take no certificate that is good for more than 398 days."""
_LONGEST_NAME = 64
"""Characters of a common name (RFC 5280 appendix A.1)."""


class Authority(msgspec.Struct, frozen=True):
    """A certificate authority; whoever trusts it trusts every server of its lab and nobody else."""

    certificate: str
    """What clients are to trust, as PEM."""
    key: str
    """The private key, as PEM. Outside of its lab it is good for nothing, as nobody trusts it there."""

    @property
    def pin(self) -> str:
        """The SHA-256 of the public key in base64: Chromium takes it as `--ignore-certificate-errors-spki-list`."""
        public = x509.load_pem_x509_certificate(self.certificate.encode()).public_key()
        spki = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        return base64.b64encode(hashlib.sha256(spki).digest()).decode()

    @property
    def link_name(self) -> str:
        """The name under which OpenSSL looks for this certificate in a folder of trusted ones."""
        subject = _NAME.lower().encode()
        attribute = b"\x06\x03\x55\x04\x03" + b"\x0c" + bytes((len(subject),)) + subject  # the common name as OpenSSL compares it
        attribute = b"\x30" + bytes((len(attribute),)) + attribute
        digest = hashlib.sha1(b"\x31" + bytes((len(attribute),)) + attribute, usedforsecurity=False).digest()
        return f"{int.from_bytes(digest[:4], 'little'):08x}.0"


def make_authority() -> Authority:
    """Return a new certificate authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        _certificate(_named(_NAME), _named(_NAME), key.public_key(), dt.timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Authority(certificate.public_bytes(serialization.Encoding.PEM).decode(), _pem(key))


class Issuer:
    """Issues certificates for servers, all with one key; the same certificate for the same names.

    Args:
        authority: what the clients of the lab trust.
    """

    def __init__(self, authority: Authority) -> None:
        self._certificate = x509.load_pem_x509_certificate(authority.certificate.encode())
        key = serialization.load_pem_private_key(authority.key.encode(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError("an authority of another kind")
        self._authority_key = key
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._rest = authority.certificate + _pem(self._key)
        self._issued: dict[tuple[str, ...], str] = {}

    def issue(self, *names: str) -> str:
        """Return a certificate for host names and addresses, the authority's and the private key, as PEM; what can be no name is left out.

        Clients do not need the authority's from the server; Chromium compares the pin with what the server sends.
        """
        names = tuple(name.lower().rstrip(".") for name in names)
        if names not in self._issued:
            self._issued[names] = self._sign(names) + self._rest
        return self._issued[names]

    def _sign(self, names: Sequence[str]) -> str:
        alternatives = [each for each in map(_alternative, names) if each is not None] or [x509.DNSName("server.example")]
        # The common name is for those who read the certificate; programs compare the alternative names (RFC 6125 section 6.4.4).
        first = next((name for name in names if name.isascii() and 0 < len(name) <= _LONGEST_NAME), "server.example")
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._authority_key.public_key())
        certificate = (
            _certificate(_named(first), self._certificate.subject, self._key.public_key(), _LASTS)
            .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(identifier, critical=False)
            .sign(self._authority_key, hashes.SHA256())
        )
        return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _certificate(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, lasts: dt.timedelta) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return x509.CertificateBuilder(
        issuer_name=issuer, subject_name=subject, public_key=key, serial_number=x509.random_serial_number(),
        not_valid_before=now - _BEFORE, not_valid_after=now + lasts,
    )  # fmt: skip


def _alternative(name: str) -> x509.GeneralName | None:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        with contextlib.suppress(ValueError):
            return x509.DNSName(name) if name else None
        return None


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False, key_agreement=False,
        key_cert_sign=signs_certificates, crl_sign=signs_certificates, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
