"""Mail in from a real client, receipts out: in plain text, encrypted, in the wrong order."""

import contextlib
import smtplib
import socket
import ssl

import pytest

from crenel.net.lab.internet.internet import Internet
from tests.net.lab.internet.nearby import ADDRESS, AUTHORITY


def client(near: Internet, service: str = "smtp") -> smtplib.SMTP:
    return smtplib.SMTP(ADDRESS, near.ports[service], timeout=10)


@pytest.mark.parametrize("service", ["smtp", "submission"])
def test_mail_is_taken(near: Internet, service: str) -> None:
    with client(near, service) as mail:
        for _ in range(2):
            assert not mail.sendmail("a@a.example", ["b@b.example", "c@c.example"], "Subject: x\r\n\r\n.leading dot\r\nend")


def test_mail_is_taken_encrypted(near: Internet) -> None:
    with client(near) as mail:
        mail.ehlo()
        assert mail.has_extn("starttls")
        context = ssl.create_default_context(cadata=AUTHORITY.certificate)
        mail.starttls(context=context)
        mail.ehlo()
        assert not mail.has_extn("starttls")
        assert not mail.sendmail("a@a.example", ["b@b.example"], "text")


def test_a_receipt_names_what_was_taken(near: Internet) -> None:
    receipts = set()
    with client(near) as mail:
        for text in ("one", "two", "one"):
            mail.mail("a@a.example")
            mail.rcpt("b@b.example")
            code, receipt = mail.data(text)
            assert code == 250
            receipts.add(receipt)
    assert len(receipts) == 2


def test_commands_in_the_wrong_order_are_refused(near: Internet) -> None:
    with client(near) as mail:
        assert mail.docmd("DATA")[0] == 503
        assert mail.rcpt("b@b.example")[0] == 503
        assert mail.mail("a@a.example")[0] == 250
        assert mail.docmd("DATA")[0] == 503
        assert mail.rset()[0] == 250
        assert mail.rcpt("b@b.example")[0] == 503
        assert mail.docmd("NONSENSE")[0] == 500
        assert mail.noop()[0] == 250
        assert mail.helo()[0] == 250


def test_a_line_without_an_end_ends_the_connection_and_not_the_server(near: Internet) -> None:
    with socket.create_connection((ADDRESS, near.ports["smtp"]), timeout=10) as raw, contextlib.suppress(ConnectionError):
        raw.sendall(b"a" * 200_000)
        while raw.recv(65536):
            pass
    with client(near) as mail:
        assert mail.noop()[0] == 250
