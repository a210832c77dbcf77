"""A trigger as a profile states it in, the first payloads that stand on both sides of each of its numbers and words out."""

import ipaddress
import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from crenel.wire.dns_build import encode_name, frame_tcp
from crenel.wire.quic_build import build_crypto_frame, build_initial
from crenel.wire.tls_build import build_client_hello, build_hello_message
from tests.conversation import MAKERS

Trigger = Mapping[str, Any]
Payloads = Iterator[list[bytes]]
"""Each the segments of one client, or its datagrams."""

_RANDOM = bytes(range(32))
_CHANGE_CIPHER = b"\x14\x03\x03\x00\x01\x01"


def positive(trigger: Trigger, name: str) -> list[bytes]:
    """Return segments or datagrams that meet a trigger by this entry of its list."""
    match trigger["reads"]:
        case "tls.sni":
            return [MAKERS["hello"](name), _CHANGE_CIPHER][: 1 + (trigger["after"] == "key-exchange")]
        case "tls.extension":
            return [MAKERS["hello"](extension=str(trigger["number"]))]
        case "http.host":
            return [MAKERS["request"](name)]
        case "http.keyword":
            return [MAKERS["request"](path=f"/?q={name}")]
        case "dns.qname":
            return [MAKERS["query"](name) if "longest_message" not in trigger else MAKERS["framed"](name)]
        case "quic.sni":
            return [MAKERS["initial"](name)]
        case "bytes.random-looking":
            return [MAKERS["noise"]("200")]
        case "ftp.command":
            return [f"NOOP\r\nRETR {name}\r\n".encode()]
        case "smtp.address":
            return [f"NOOP\r\nMAIL FROM:<{'x' if name.startswith('@') else ''}{name}>\r\n".encode()]
        case _:
            return [b"x"]


def of_name(trigger: Trigger, name: str) -> Payloads:
    """Yield what tells an entry of a list from another name or form."""
    for one in dict.fromkeys((name, f"a.{name}", f"a{name}", f"{name}.a", f"{name}a", name[1:])):
        yield positive(trigger, one.strip("."))


def around(trigger: Trigger, name: str) -> Payloads:
    """Yield the payloads on both sides of each parameter of a trigger."""
    yield from _AROUND[trigger["reads"]](trigger, name)


def _names(trigger: Trigger, name: str) -> Iterator[bytes]:
    """Yield DNS messages around the parameters of a parser."""
    longest = trigger["longest_name"]
    for klass in ("1", "3"):
        yield MAKERS["query"](name, klass=klass)
    for kind, rd in (("28", "1"), ("16", "0"), ("1", "0")):
        yield MAKERS["query"](name, type=kind, rd=rd)
    head = struct.pack(">6H", 0x1234, 0x100, 1, 0, 0, 0)
    for size in (longest - 1, longest, longest + 1):
        room = size - len(name) - 1
        text = b"".join(bytes((label,)) + b"a" * label for label in _labels(room))
        yield head + text + encode_name(name.encode()) + b"\0\1\0\1"
    # The end of the name is not in the packet: padding of the frame may stand for it.
    bare = encode_name(name.encode())[:-1]
    last = len(name) - name.rfind(".") - 1
    for more in (0, 1, 2):
        yield head + bare[: -last - 1] + bytes((last + more,)) + bare[-last:]
    yield MAKERS["query"]("allowed.example")
    for number in range(12):
        yield MAKERS["query"](name, id=str(number))


def _labels(room: int) -> list[int]:
    """Return label lengths that take so many characters with the dots behind them."""
    labels = []
    while room > 0:
        label = min(63, room - 1)
        if room - label - 1 == 1:
            label -= 1
        labels.append(label)
        room -= label + 1
    return labels


def _around_dns(trigger: Trigger, name: str) -> Payloads:
    longest = trigger.get("longest_message")
    for message in _names(trigger, name):
        yield [message if longest is None else frame_tcp(message)]
    if longest is not None:
        query = MAKERS["query"](name)
        for size in (longest - 1, longest, longest + 1):
            yield [frame_tcp(query + bytes(size - len(query)))]
        framed = frame_tcp(query)
        yield [framed[:9], framed[9:]]
        yield [MAKERS["framed"]("allowed.example") + framed]
        return
    yield [MAKERS["query"](name)] * 12


def _around_requests(trigger: Trigger, name: str) -> Payloads:
    keyword = trigger["reads"] == "http.keyword"
    target, host = (f"/{name}", "allowed.example") if keyword else ("/", name)
    plain = f"GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n"
    other = "GET / HTTP/1.1\r\nHost: allowed.example\r\n\r\n"
    texts = [plain.replace("GET", method, 1) for method in (*trigger["methods"], "PATCH", "get")]
    texts += [plain.replace("GET ", "GET" + " " * blanks, 1) for blanks in range(1, trigger["blanks_after_method"] + 2)]
    texts += [plain.replace(f" {target}", f" {start}{target if len(start) > 1 else target[1:]}", 1) for start in (*trigger["targets"], "?", "*")]
    texts += [other + plain, other * 2 + plain, plain.replace("\r\n", "\n"), plain.replace("Host:", "Host :"), other.replace("\r\n", "\n") + plain]
    texts += [other.replace("Host:", "Host :") + plain, "POST / HTTP/1.1\r\nContent-Length : 5\r\n\r\nabcde" + plain]
    texts += [plain.replace(f"Host: {host}", f"Host: {host}:80"), plain.replace("Host: ", "Host:\t ")]
    yield from ([text.encode()] for text in texts)
    yield from ([odd.encode(), plain.encode()] for odd in (other, other.replace("\r\n", "\n"), other.replace("Host:", "Host :")))
    yield [b"POST / HTTP/1.1\r\nContent-Length : 5\r\n\r\n", b"abcde" + plain.encode()]
    depth = trigger["depth"]
    for size in (depth - 1, depth, depth + 1):
        begun = b"GET /a HTTP/1.1\r\nX: "
        yield [begun.ljust(size, b"x"), b"\r\n" + f"Host: {host}\r\n\r\n".encode() + plain.encode()]
    for cuts in ((4, 12), (4, 11), (4, 13), (8, 12), (8, 11), (8, 13), (9, 13), (7, 11), (7, 12), (9,), (8,), (7,), (30,)):
        data = plain.encode() if len(plain) - len(host) > 45 else f"GET /a/long/enough{target} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
        yield [data[start:end] for start, end in zip((0, *cuts), (*cuts, None), strict=True)]
    yield [b"GET / HTTP/1"[:4], b"GET / HTTP/1"[4:], plain.encode()[len(b"GET / HTTP/1") :]] if not keyword else [plain.encode()]
    limit = trigger.get("header_name_limit") or 64
    for size in (limit - 1, limit, limit + 1):
        yield [f"GET / HTTP/1.1\r\n{'x' * size}: 1\r\nHost: {host}\r\n\r\n".encode()]
    if keyword:
        yield from _around_targets(trigger, name)


def _around_targets(trigger: Trigger, name: str) -> Payloads:
    for size in {trigger.get("uri_depth") or 2048, (trigger.get("uri_depth") or 2048) + 1, (trigger.get("uri_depth") or 2048) - 1}:
        yield [f"GET /{name.rjust(size - 1, 'a')} HTTP/1.1\r\n\r\n".encode()]
    limit = trigger.get("parameter_limit") or 1003
    for size in (limit - 1, limit, limit + 1):
        yield [f"GET /?{name.rjust(size, 'a')} HTTP/1.1\r\n\r\n".encode()]
    yield [f"GET /?%{ord(name[0]):02x}{name[1:]} HTTP/1.1\r\n\r\n".encode()]
    yield [f"GET /?{name}\xff HTTP/1.1\r\n\r\n".encode("latin-1")]
    yield [f"GET /?\x81{name} HTTP/1.1\r\n\r\n".encode("latin-1")]


def _around_hellos(trigger: Trigger, name: str) -> Payloads:
    words = {"extension": str(trigger["number"])} if "number" in trigger else {}
    hello = MAKERS["hello"](name, **words)
    behind = [_CHANGE_CIPHER] if trigger.get("after") == "key-exchange" else []
    yield [hello[:-1], hello[-1:]]
    yield [hello[:-1]]
    yield [hello, _CHANGE_CIPHER]
    yield [hello, b"\x16\x03\x03\x00\x05\x10\x00\x00\x01\x00"]
    for records in ("100", "60,60", "40,40,40"):
        yield [MAKERS["hello"](name, records=records, **words), *behind]
    short = trigger.get("shortest_first") or 5
    for size in (short - 1, short, short + 1, 7, 8):
        yield [hello[:size], hello[size:], *behind]
    watches = trigger.get("watches")
    if watches:
        # The longest hello there is: its record ends behind the bytes that are watched.
        long = build_client_hello(name.encode(), random=_RANDOM, extra=[(21, bytes(watches - 150))], alpn=())
        yield [long[:watches], long[watches:] + _CHANGE_CIPHER]
    for total in (watches - 1, watches, watches + 1) if watches else ():
        body = total + 10 - len(hello) - 5
        filler = b"\x16\x03\x03" + struct.pack(">H", body) + b"\x00" * body
        cut = total - len(hello)
        yield [hello, filler[:cut], filler[cut:] + _CHANGE_CIPHER]


def _around_initials(trigger: Trigger, name: str) -> Payloads:
    message = build_hello_message(name.encode(), random=_RANDOM)

    def sealed(*frames: bytes, dcid: int = 8, version: int = 1, pad: int = 0) -> bytes:
        return build_initial(frames, dcid=bytes(range(dcid)), version=version, pad_to=pad)

    whole = build_crypto_frame(0, message)
    longest = trigger["longest_dcid"]
    yield from ([sealed(whole, dcid=size, pad=1200)] for size in (longest - 1, longest, longest + 1))
    yield from ([sealed(whole, version=version, pad=1200)] for version in (1, 0x6B3343CF))
    yield [sealed(b"\x01", whole, pad=1200)]
    yield [sealed(build_crypto_frame(0, message[:60]), build_crypto_frame(60, message[60:]), pad=1200)]
    yield [sealed(build_crypto_frame(0, message[:60]), build_crypto_frame(60, message[60:90]), build_crypto_frame(90, message[90:]), pad=1200)]
    yield [sealed(b"\x01", pad=600) + sealed(whole, pad=600)]
    yield [sealed(build_crypto_frame(0, message[:60]), pad=600) + sealed(whole, pad=600)]
    yield [sealed(b"\x06\x00" + struct.pack(">I", 0x80000000 | len(message)) + message, pad=1200)]
    yield [sealed(b"\x06\x00\x40\x00" + message, pad=1200)]
    yield [sealed(b"\x06\x40\x00" + struct.pack(">H", 0x4000 | len(message)) + message, pad=1200)]


def _around_bytes(trigger: Trigger, name: str) -> Payloads:
    low, high = trigger["printable"]
    rest = b"\x95" * 200
    for bits, every in (trigger["bits_low"], trigger["bits_high"]):
        yield from ([_with_bits(20 * every, 20 * bits + more)] for more in (-1, 0, 1))
    for edge in (low - 1, low, high, high + 1):
        yield [bytes((edge,)) * trigger["leading"] + rest]
    for count in (trigger["leading"] - 1, trigger["leading"], trigger["leading"] + 1):
        yield [b"a" * count + rest]
    part, every = trigger["printable_share"]
    yield from ([_mixed(30 * part + more, 30 * every)] for more in (-2, -1, 0, 1, 2))
    for count in (trigger["run"] - 1, trigger["run"], trigger["run"] + 1, trigger["run"] + 2):
        yield [rest + b"a" * count + rest]
    for first in (0x15, 0x16, 0x17, 0x18):
        for second in (2, 3, 4):
            yield from ([bytes((first, second, third)) + rest] for third in (0x00, 0x08, 0x09, 0x0A))
    for text in (*trigger["prefix_text"], "PATC"):
        yield from ([one.encode() + rest] for one in (text, text.lower(), text[:-1]))
    for size in (trigger["shortest_recorded"] - 1, trigger["shortest_recorded"], trigger["shortest_recorded"] + 1):
        yield [rest[:size]]


def _with_bits(size: int, bits: int) -> bytes:
    """Return unprintable bytes with so many bits set in all."""
    whole, rest = divmod(bits, size)
    patterns = {2: 0x81, 3: 0x83, 4: 0x87, 5: 0x8F, 6: 0x9F}
    return bytes(patterns[whole + 1] if number < rest else patterns[whole] for number in range(size))


def _mixed(printable: int, size: int) -> bytes:
    """Return bytes of which so many are printable, not many of them in a row."""
    data = bytearray(b"\xb5" * size)
    for number in range(printable):
        data[1 + number * (size - 1) // printable] = ord("a")
    return bytes(data)


def _around_commands(trigger: Trigger, name: str) -> Payloads:
    smtp = trigger["reads"] == "smtp.address"
    value = f":<x{name}>" if name.startswith("@") else f":<{name}>" if smtp else f" {name}"
    for verb in (*trigger["verbs"], "STOR", "VRFY"):
        line = f"{verb}{value}\r\n".encode()
        yield [line]
        yield [b"NOOP\r\n", line]
        yield [b"NO", b"OP\r\n", line]
        yield [line[:7], line[7:]]
    line = f"{trigger['verbs'][0]}{value}\r\n".encode()
    longest = trigger.get("longest_line", 512)
    for size in (longest - 1, longest, longest + 1):
        begun = b"NOOP ".ljust(size, b"x")
        yield [begun, b"\r\n" + line]


def _around_nothing(trigger: Trigger, name: str) -> Payloads:
    yield [b"x"]


_AROUND: dict[str, Callable[[Trigger, str], Payloads]] = {
    "dns.qname": _around_dns, "http.host": _around_requests, "http.keyword": _around_requests, "tls.sni": _around_hellos,
    "tls.extension": _around_hellos, "quic.sni": _around_initials, "bytes.random-looking": _around_bytes, "ftp.command": _around_commands,
    "smtp.address": _around_commands, "ip.address": _around_nothing, "tcp.port": _around_nothing,
}


def place_of(entry: str) -> tuple[str, int]:
    """Return the address of an entry of an address list, and its port or any."""
    host, colon, port = entry.rpartition(":") if entry.startswith("[") or entry.count(":") == 1 else (entry, "", "")
    address = (host if colon else entry).strip("[]")
    return str(ipaddress.ip_address(address)), int(port or 443)
