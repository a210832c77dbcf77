"""What a person types in, the application that is meant and the host that it talks to out."""

import ipaddress
import re
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

import msgspec

from crenel.errors import UsageError
from crenel.net.app.dns import Dns
from crenel.net.app.ftp import Ftp
from crenel.net.app.http import Http
from crenel.net.app.quic import Quic
from crenel.net.app.smtp import Smtp
from crenel.net.app.speaker import App
from crenel.net.app.tls import Tls
from crenel.wire.dns import AAAA, A

_NAME = re.compile(r"(?=.{1,253}\.?\Z)(?:[0-9A-Za-z_](?:[0-9A-Za-z_-]{0,61}[0-9A-Za-z_])?\.)*[0-9A-Za-z_](?:[0-9A-Za-z_-]{0,61}[0-9A-Za-z_])?\.?")
_SENDER = "reader@allowed.example"
_RECORDS = {"A": A, "AAAA": AAAA, "MX": 15, "TXT": 16, "CNAME": 5, "NS": 2, "SOA": 6, "ANY": 255}


class Target(msgspec.Struct, frozen=True):
    """Whom a client talks to, and what it says."""

    shown: str
    """As it was asked for."""
    app: App
    name: str
    """The host name, or the name that is looked up; an address as text where there is none."""
    address: bytes | None = None
    """The server's, 4 or 16 bytes, where the target states it."""


class _Url(NamedTuple):
    parts: SplitResult
    host: str
    address: bytes | None
    port: int | None

    @property
    def path(self) -> str:
        return self.parts.path + (f"?{self.parts.query}" if self.parts.query else "")


def read_target(text: str) -> Target:
    """Return what a URL asks for; a bare domain name asks for its address.

    The schemes are `http`, `https`, `quic`, `dns` and `dns-tcp` with the name to look up as host (`?type=AAAA` for other records), `ftp`
    with the file as path, and `smtp` with the recipient as path.

    Raises:
        UsageError: it is no URL and no domain name, or the scheme is not known.
    """
    if "://" not in text and not text.lower().startswith(("dns:", "dns-tcp:")):
        return _lookup(text)
    scheme, _, rest = text.partition(":")
    make = _SCHEMES.get(scheme.lower())
    if make is None:
        message = f"{_short(text)}: the scheme {_short(scheme)} is not known; there is {', '.join(_SCHEMES)}"
        raise UsageError(message)
    url = _split(f"//{rest.removeprefix('//')}", text)
    return Target(text, make(url, text), url.host, url.address)


def _short(text: str) -> str:
    return repr(text if len(text) <= 80 else f"{text[:80]}...")


def _lookup(text: str) -> Target:
    try:
        ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        pass
    else:
        message = f"{_short(text)}: an address is not looked up; write a URL such as http://{text}/"
        raise UsageError(message)
    if "/" in text:
        message = f"{_short(text)}: neither a domain name nor a URL; write https:// before it"
        raise UsageError(message)
    name = _host_name(text, text)
    return Target(text, Dns(name=name), name)


def _split(text: str, shown: str) -> _Url:
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        message = f"{_short(shown)}: not a URL ({error})"
        raise UsageError(message) from error
    if not host or port == 0:
        message = f"{_short(shown)}: the URL names no host" if not host else f"{_short(shown)}: there is no port 0"
        raise UsageError(message)
    if parts.username is not None or parts.password is not None:
        message = f"{_short(shown)}: names and passwords before the host are not used; leave them out"
        raise UsageError(message)
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return _Url(parts, _host_name(host, shown), None, port)
    return _Url(parts, str(address), address.packed, port)


def _host_name(text: str, shown: str) -> str:
    """Return a name as it goes over the wire: in the ASCII form that stands for other letters (RFC 3490)."""
    try:
        name = text if text.isascii() else text.encode("idna").decode("ascii")
    except UnicodeError:
        name = ""
    if not _NAME.fullmatch(name):
        message = f"{_short(shown)}: {_short(text)} is not a host name"
        raise UsageError(message)
    return name


def _http(url: _Url, shown: str) -> App:
    host = f"[{url.host}]" if ":" in url.host else url.host
    if url.port not in {None, 80}:
        host += f":{url.port}"
    return Http(host=host, target=_ascii(url.path or "/"), port=url.port or 80)


def _https(url: _Url, shown: str) -> App:
    return Tls(host=url.host, port=url.port or 443)


def _quic(url: _Url, shown: str) -> App:
    return Quic(host=url.host, port=url.port or 443)


def _dns(url: _Url, shown: str) -> App:
    return _query(url, shown, tcp=False)


def _dns_tcp(url: _Url, shown: str) -> App:
    return _query(url, shown, tcp=True)


def _query(url: _Url, shown: str, *, tcp: bool) -> App:
    if url.address is not None:
        message = f"{_short(shown)}: an address is not looked up"
        raise UsageError(message)
    kind = re.fullmatch(r"type=(\w+)", url.parts.query or "type=A")
    if kind is None or kind[1].upper() not in _RECORDS:
        message = f"{_short(shown)}: write ?type= and one of {', '.join(_RECORDS)}"
        raise UsageError(message)
    return Dns(name=url.host, kind=_RECORDS[kind[1].upper()], transport="tcp" if tcp else "udp", port=url.port or 53)


def _ftp(url: _Url, shown: str) -> App:
    return Ftp(path=unquote(url.path.removeprefix("/")) or "readme.txt", port=url.port or 21)


def _smtp(url: _Url, shown: str) -> App:
    recipient = unquote(url.path.removeprefix("/")) or f"postmaster@{url.host}"
    if not re.fullmatch(r"[^\s@<>]+@[^\s@<>]+", recipient):
        message = f"{_short(shown)}: {_short(recipient)} is no mail address; write smtp://{url.host}/name@host"
        raise UsageError(message)
    return Smtp(sender=_SENDER, recipient=recipient, port=url.port or 25)


def _ascii(text: str) -> str:
    """Return a request target without bytes that a browser would not send."""
    return "".join(character if "!" <= character <= "~" else "".join(f"%{byte:02X}" for byte in character.encode()) for character in text)


_SCHEMES: dict[str, Callable[[_Url, str], App]] = {
    "http": _http, "https": _https, "quic": _quic, "dns": _dns, "dns-tcp": _dns_tcp, "ftp": _ftp, "smtp": _smtp,
}  # fmt: skip
