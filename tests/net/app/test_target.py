"""What people type in; the application, the name and the address that are meant, or one sentence why not, out."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.errors import UsageError
from crenel.net.app.dns import Dns
from crenel.net.app.ftp import Ftp
from crenel.net.app.http import Http
from crenel.net.app.quic import Quic
from crenel.net.app.smtp import Smtp
from crenel.net.app.target import read_target
from crenel.net.app.tls import Tls


@pytest.mark.parametrize(
    ("text", "kind", "fields"),
    [
        ("http://www.example.org", Http, {"host": "www.example.org", "target": "/", "port": 80}),
        ("http://www.example.org:8080/a?q=b#part", Http, {"host": "www.example.org:8080", "target": "/a?q=b", "port": 8080}),
        ("http://www.example.org?q=b", Http, {"target": "?q=b"}),
        ("HTTP://WWW.Example.ORG/A", Http, {"host": "www.example.org", "target": "/A"}),
        ("http://198.51.100.7/", Http, {"host": "198.51.100.7"}),
        ("http://[2001:db8::7]:81/", Http, {"host": "[2001:db8::7]:81", "port": 81}),
        ("http://a.example/é x", Http, {"target": "/%C3%A9%20x"}),
        ("http://bücher.example/", Http, {"host": "xn--bcher-kva.example"}),
        ("https://www.example.org/path", Tls, {"host": "www.example.org", "port": 443}),
        ("https://www.example.org:8443", Tls, {"port": 8443}),
        ("quic://www.example.org", Quic, {"host": "www.example.org", "port": 443}),
        ("www.example.org", Dns, {"name": "www.example.org", "kind": 1, "transport": "udp", "port": 53}),
        ("example.org.", Dns, {"name": "example.org."}),
        ("_dmarc.example.org", Dns, {"name": "_dmarc.example.org"}),
        ("dns:www.example.org?type=aaaa", Dns, {"kind": 28}),
        ("dns://www.example.org:5353", Dns, {"transport": "udp", "port": 5353}),
        ("dns-tcp://www.example.org?type=MX", Dns, {"transport": "tcp", "kind": 15}),
        ("ftp://ftp.example.org/pub/file.txt", Ftp, {"path": "pub/file.txt", "port": 21}),
        ("ftp://ftp.example.org/a%20b", Ftp, {"path": "a b"}),
        ("smtp://mail.example.org/a@b.example", Smtp, {"recipient": "a@b.example", "port": 25}),
        ("smtp://mail.example.org", Smtp, {"recipient": "postmaster@mail.example.org"}),
    ],
)
def test_a_target_is_read(text: str, kind: type, fields: dict[str, Any]) -> None:
    target = read_target(text)
    assert isinstance(target.app, kind)
    assert {name: getattr(target.app, name) for name in fields} == fields
    assert target.shown == text


def test_an_address_says_where_the_server_stands() -> None:
    assert read_target("https://198.51.100.7/").address == bytes((198, 51, 100, 7))
    assert read_target("https://[2001:db8::7]/").address == bytes.fromhex("20010db8") + bytes(11) + b"\x07"
    assert read_target("https://www.example.org/").address is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not a host name"), ("http://", "names no host"), ("http:///path", "names no host"), ("https://a b/", "not a host name"),
        ("gopher://a.example/", "the scheme 'gopher' is not known; there is http"), ("://a", "the scheme '' is not known"),
        ("a.example/path", "write https:// before it"), ("198.51.100.7", "http://198.51.100.7/"), ("[2001:db8::7]", "not looked up"),
        ("http://a.example:0/", "no port 0"), ("http://a.example:70000/", "not a URL"), ("http://a.example:x/", "not a URL"),
        ("http://[::1/", "not a URL"), ("http://me:secret@a.example/", "leave them out"), ("-a.example", "not a host name"),
        ("a..example", "not a host name"), ("x" * 64 + ".example", "not a host name"), ("dns:198.51.100.7", "not looked up"),
        ("dns:a.example?type=WHAT", "one of A, AAAA"), ("dns:a.example?kind=A", "one of A, AAAA"), ("smtp://a.example/nobody", "no mail address"),
        ("http://" + "a." * 200, "not a host name"), ("http://a\udc80.example/", "not a host name"),
    ],
)
def test_what_cannot_be_meant_is_said_in_one_sentence(text: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_target(text)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


SCHEMES = st.sampled_from(["http://", "https://", "dns:", "ftp://", "smtp://", "quic://"])


@given(st.text(max_size=60) | st.tuples(SCHEMES, st.text(max_size=40)).map("".join))
def test_any_text_is_a_target_or_a_sentence(text: str) -> None:
    problem, target = "", None
    try:
        target = read_target(text)
    except UsageError as error:
        problem = str(error)
    if target is None:
        assert "\n" not in problem
        return
    assert 0 < target.app.port < 65536
    assert target.name
