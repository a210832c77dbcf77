"""A generator of chance and a host name in, a first client payload out: ClientHello, HTTP request, DNS query, random bytes."""

import random

from crenel.wire.dns_build import build_query
from crenel.wire.tls_build import HelloShape, build_client_hello

LISTED = "blocked.example"
"""The name that stands on every example list."""

_LETTERS = "bcdfghjkmnpqrstvwxz0123456789"  # no vowels, so that a random name spells no listed name or keyword
_ENDINGS = (
    "com", "net", "org", "io", "dev", "app", "info", "biz", "cloud", "shop", "site", "online", "blog", "news", "wiki", "page", "live", "tech",
    "co.uk", "de", "fr", "nl", "se", "pl", "it", "es", "jp", "com.br", "com.au", "ca", "in", "ch",
)
_PREFIXES = ("", "", "www.", "api.", "cdn.", "static.", "img.", "m.")
_AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
    "curl/8.11.0",
)
_PLACES = 16
"""Before how many of its extensions a hello may carry the server name: browsers shuffle them."""


def random_name(chance: random.Random) -> str:
    """Return a host name that stands on no list, under one of a few dozen endings."""
    label = "".join(chance.choices(_LETTERS, k=chance.randint(7, 16)))
    return f"{chance.choice(_PREFIXES)}x{label}.{chance.choice(_ENDINGS)}"


def short_hello(chance: random.Random, name: str) -> bytes:
    """Return a ClientHello of about 250 bytes in one TLS record."""
    return build_client_hello(name.encode(), random=chance.randbytes(32), name_at=chance.randrange(_PLACES))


def long_hello(chance: random.Random, name: str) -> bytes:
    """Return a ClientHello of about 1.7 kB in one TLS record, with a post-quantum key share as browsers send it."""
    return build_client_hello(name.encode(), random=chance.randbytes(32), shape=HelloShape.BROWSER, name_at=chance.randrange(_PLACES))


def http_request(chance: random.Random, name: str) -> bytes:
    """Return a GET request of about 250 to 600 bytes."""
    cookie = chance.randbytes(chance.randint(10, 160)).hex()
    return (
        f"GET /{chance.getrandbits(64):016x}/{chance.getrandbits(24):x}.html HTTP/1.1\r\nHost: {name}\r\nUser-Agent: {chance.choice(_AGENTS)}\r\n"
        f"Accept: */*\r\nAccept-Encoding: gzip, deflate\r\nConnection: keep-alive\r\nCookie: id={cookie}\r\n\r\n"
    ).encode()


def lean_request(chance: random.Random, name: str) -> bytes:
    """Return a GET request of about 100 bytes."""
    return f"GET /{chance.getrandbits(32):08x} HTTP/1.1\r\nHost: {name}\r\nUser-Agent: curl/8.11.0\r\nAccept: */*\r\n\r\n".encode()


def dns_query(chance: random.Random, name: str, kind: int) -> bytes:
    """Return a DNS query for records of type `kind`."""
    return build_query(name.encode(), ident=chance.getrandbits(16), kind=kind)
