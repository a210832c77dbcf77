"""Server names in, the certificate that a client is shown out."""

import socket
import ssl
import threading

import pytest

from crenel.net.lab.internet.authority import Issuer
from crenel.net.lab.internet.encrypting import Encrypting
from tests.net.lab.internet.nearby import AUTHORITY

ISSUER = Issuer(AUTHORITY)
TRUSTING = ssl.create_default_context(cadata=AUTHORITY.certificate)
TRUSTING.set_alpn_protocols(["h2", "http/1.1"])


def meet(encrypting: Encrypting, name: str | None, context: ssl.SSLContext = TRUSTING) -> tuple[str | None, bytes]:
    """Return the protocol that was agreed on and the certificate that was shown."""
    near, far = socket.socketpair()
    with near, far:
        near.settimeout(5)
        far.settimeout(5)
        serving = threading.Thread(target=lambda: encrypting.context(("http/1.1",)).wrap_socket(far, server_side=True).close())
        serving.start()
        with context.wrap_socket(near, server_hostname=name) as client:
            certificate = client.getpeercert(binary_form=True)
            serving.join()
            assert certificate is not None
            return client.selected_alpn_protocol(), certificate


@pytest.mark.parametrize("name", ["a.example", "b.a.example", "A.example"])
def test_a_client_is_shown_the_certificate_for_the_name_it_says(name: str) -> None:
    assert meet(Encrypting(ISSUER.issue, ()), name)[0] == "http/1.1"


def test_a_client_that_says_no_name_is_shown_the_one_of_the_addresses() -> None:
    assert meet(Encrypting(ISSUER.issue, ("203.0.113.53", "203.0.113.2")), "203.0.113.53")


def test_a_certificate_is_issued_once() -> None:
    asked: list[tuple[str, ...]] = []

    def issue(*names: str) -> str:
        asked.append(names)
        return ISSUER.issue(*names)

    encrypting = Encrypting(issue, ("203.0.113.53",))
    first, second = meet(encrypting, "a.example"), meet(encrypting, "a.example")
    assert first == second
    assert asked == [("203.0.113.53",), ("a.example",)]
