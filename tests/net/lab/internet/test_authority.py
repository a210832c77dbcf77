"""A lab's authority in, certificates that real programs take for a name or refuse out."""

import ssl
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from crenel.net.lab.internet.authority import Authority, Issuer, make_authority
from tests.net.lab.internet.nearby import AUTHORITY

ISSUER = Issuer(AUTHORITY)


def shake_hands(pem: str, folder: Path, name: str, trusted: Authority = AUTHORITY) -> None:
    """Let a client that wants a name meet a server with a certificate, in memory."""
    file = folder / "server.pem"
    file.write_text(pem)
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.load_cert_chain(file)
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl.create_default_context(cadata=trusted.certificate).wrap_bio(down, up, server_hostname=name)
    server = server_context.wrap_bio(up, down, server_side=True)
    for side in (client, server, client, server):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue


@pytest.mark.parametrize("name", ["www.example.org", "203.0.113.9", "2001:db8:5e::9", f"{'a' * 60}.{'b' * 60}.example"])
def test_a_certificate_is_taken_for_its_name(name: str, tmp_path: Path) -> None:
    shake_hands(ISSUER.issue(name), tmp_path, name)


def test_a_certificate_is_refused_for_another_name_and_by_who_trusts_another_authority(tmp_path: Path) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        shake_hands(ISSUER.issue("a.example"), tmp_path, "b.example")
    with pytest.raises(ssl.SSLCertVerificationError, match="certificate"):
        shake_hands(ISSUER.issue("a.example"), tmp_path, "a.example", make_authority())


def test_one_certificate_is_good_for_several_names(tmp_path: Path) -> None:
    pem = ISSUER.issue("a.example", "203.0.113.9")
    for name in ("a.example", "203.0.113.9"):
        shake_hands(pem, tmp_path, name)


def test_the_same_names_get_the_same_certificate() -> None:
    assert ISSUER.issue("same.example") == ISSUER.issue("SAME.example.") != ISSUER.issue("other.example")


@given(st.text(max_size=300))
def test_any_text_gets_some_certificate(name: str) -> None:
    issued = x509.load_pem_x509_certificate(ISSUER.issue(name).encode())
    assert len(list(issued.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)) == 1


@pytest.mark.peer("openssl")
def test_openssl_looks_for_it_under_the_name_of_its_link(tmp_path: Path) -> None:
    file = tmp_path / "authority.pem"
    file.write_text(AUTHORITY.certificate)
    done = subprocess.run(["openssl", "x509", "-hash", "-noout", "-in", file], capture_output=True, text=True, check=True)
    assert done.stdout.strip() + ".0" == AUTHORITY.link_name


@pytest.mark.peer("openssl")
def test_the_pin_is_that_of_the_public_key(tmp_path: Path) -> None:
    file = tmp_path / "authority.pem"
    file.write_text(AUTHORITY.certificate)
    script = f"openssl x509 -pubkey -noout -in {file} | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | openssl base64"
    assert subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout.strip() == AUTHORITY.pin
    assert AUTHORITY.certificate in ISSUER.issue("a.example")
