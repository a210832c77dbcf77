"""What a story says would have let a flow through does let it through, box by box, in the forecast itself."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from crenel.net.trace import FlowReport
from crenel.report.ways import list_words, ways_past
from crenel.wall.box import Box
from crenel.wall.wall import Wall
from crenel.wire.dns_build import build_query, frame_tcp
from crenel.wire.quic_build import build_crypto_frame, build_initial
from crenel.wire.tls_build import build_client_hello, build_hello_message
from tests.report.making import Timed, evidence, flow, hello, judge, query, tcp, udp, wall_of, write_capture

MESSAGE = build_hello_message(b"blocked.example", random=bytes(range(32)))
LONG_NAME = b"a" * 60 + b"." + b"b" * 60 + b".blocked.example"
NOISE = random.Random(7).randbytes(300)
ESNI = (0xFFCE, bytes(50))


def initial(frames: list[bytes], version: int = 1) -> bytes:
    return build_initial(frames, dcid=b"12345678", version=version, pad_to=1200)


def quic(*datagrams: bytes, sport: int = 50000) -> list[Timed]:
    return udp(datagrams, sport=sport, dport=443)


def request(line: bytes = b"GET / HTTP/1.1", headers: bytes = b"") -> bytes:
    return line + b"\r\n" + headers + b"Host: blocked.example\r\n\r\n"


def searching(target: bytes) -> list[Timed]:
    return tcp([b"GET " + target + b" HTTP/1.1\r\nHost: allowed.example\r\n\r\n"], dport=80)


HELLO = tcp([hello(b"blocked.example")])
QUIC = quic(initial([build_crypto_frame(0, MESSAGE)]))
WEB = tcp([request()], dport=80)
WORD = searching(b"/?q=ultrasurf")
QUERY = query(b"blocked.example")
RANDOM = tcp([NOISE], dport=8388)
HIDDEN = tcp([build_client_hello(None, random=bytes(32), extra=(ESNI,))])
FILE = tcp([b"USER me\r\nRETR ultrasurf\r\n"], dport=21)
NOON = "2024-11-15T05:00"

CASES = [
    ("2025-01-15", "tls.sni", HELLO, "a TLS record boundary anywhere inside the ClientHello", tcp([hello(b"blocked.example", [40])])),
    (NOON, "quic.sni", QUIC, "a QUIC version other than 1", quic(initial([build_crypto_frame(0, MESSAGE)], 0x6B3343CF))),
    (NOON, "quic.sni", QUIC, "a PING or PADDING frame", quic(initial([b"\x01", build_crypto_frame(0, MESSAGE)]))),
    (
        NOON, "quic.sni", QUIC, "a later CRYPTO frame than number 1",
        quic(initial([build_crypto_frame(0, MESSAGE[:40]), build_crypto_frame(40, MESSAGE[40:])])),
    ),
    (NOON, "quic.sni", QUIC, "a source port that is not above the server's, 443; this one was 50000", quic(QUIC[0][1][28:], sport=443)),
    (NOON, "quic.sni", QUIC, "any datagram before it: only the first datagram of a flow is read", quic(b"\0" * 20, QUIC[0][1][28:])),
    ("2025-01-15", "dns.qname", QUERY, "a name that goes on past 125 characters", query(LONG_NAME)),
    ("2025-01-15", "dns.qname", QUERY, "another server port: it watches 53", udp([build_query(b"blocked.example")], dport=5353)),
    ("2020-02-01", "http.host", WEB, "more than 1 blank between method and target", tcp([request(b"GET  / HTTP/1.1")], dport=80)),
    ("2020-02-01", "http.host", WEB, "a method other than", tcp([request(b"PATCH / HTTP/1.1")], dport=80)),
    ("2020-02-01", "http.host", WEB, "a target that begins otherwise than with", tcp([request(b"GET ?/ HTTP/1.1")], dport=80)),
    ("2020-02-01", "http.host", WEB, "a first segment of at most 8 bytes", tcp([b"GET /", b"abcdefg", request()[5:]], dport=80)),
    ("2021-06-01", "http.host", WEB, "a header name of 64 bytes or more before Host", tcp([request(headers=b"x" * 64 + b": y\r\n")], dport=80)),
    ("2021-06-01", "http.keyword", WORD, "a query parameter of 1,003 bytes or more", searching(b"/?a=" + b"x" * 1003 + b"&q=ultrasurf")),
    ("2016-01-01", "http.keyword", WORD, "2,048 bytes of target before the keyword", searching(b"/" + b"x" * 2048 + b"?q=ultrasurf")),
    ("2022-06-01", "bytes.random-looking", RANDOM, "printable bytes (0x20 to 0x7e) in the first 6 places", tcp([b"abcdef" + NOISE], dport=8388)),
    ("2022-06-01", "bytes.random-looking", RANDOM, "more than 20 printable bytes in a row", tcp([NOISE + b"a" * 21], dport=8388)),
    ("2022-06-01", "bytes.random-looking", RANDOM, "printable bytes for more than 1 in 2", tcp([b"\x81" + b"k5\x82q9" * 60], dport=8388)),
    ("2022-06-01", "bytes.random-looking", RANDOM, "at most 3.4 or at least 4.6 bits set", tcp([NOISE + bytes(300)], dport=8388)),
    ("2022-06-01", "bytes.random-looking", RANDOM, "'GET '", tcp([b"GET " + NOISE], dport=8388)),
    ("2020-08-05", "tls.extension", HIDDEN, "a ClientHello without extension 0xffce", HELLO),
    ("2020-08-05", "tls.extension", HIDDEN, "a first segment of fewer than 5 bytes", tcp([HIDDEN[3][1][40:44], HIDDEN[3][1][44:]])),
    ("2020-02-01", "ftp.command", FILE, "another command than RETR", tcp([b"USER me\r\nSTOR ultrasurf\r\n"], dport=21)),
    (
        "2020-02-01", "dns.qname", tcp([frame_tcp(build_query(b"blocked.example"))], dport=53), "a message of more than 1,024 bytes",
        tcp([frame_tcp(build_query(b"blocked.example") + bytes(1100))], dport=53),
    ),
]


@pytest.mark.parametrize(("day", "reads", "caught", "way", "through"), CASES, ids=[f"{case[1]}: {case[3]}" for case in CASES])
def test_a_way_that_is_told_leads_past_the_box(day: str, reads: str, caught: list[Timed], way: str, through: list[Timed], tmp_path: Path) -> None:
    wall = wall_of(as_of=day)
    boxes = {box.id: box for box in wall.boxes}
    one = judge(write_capture(tmp_path / "caught.pcapng", caught), wall)[0]
    told = {
        found.middlebox
        for found in one.evidence
        if found.read == reads and any(way in said for said in ways_past(boxes[found.middlebox], one, found))
    }
    assert told, [ways_past(boxes[found.middlebox], one, found) for found in one.evidence]
    other = judge(write_capture(tmp_path / "through.pcapng", through), wall)[0]
    assert not {found.middlebox for found in other.evidence} & told
    assert {trigger.middlebox for trigger in one.triggers} >= told


def box_with(wall: Wall, wanted: Callable[[Box], bool]) -> Box:
    return next(box for box in wall.boxes if wanted(box))


def test_memory_is_passed_by_patience_or_other_ends() -> None:
    box = box_with(wall_of(), lambda box: box.residual is not None and box.residual.seconds == 180)
    assert ways_past(box, flow(), evidence(box.id, residual="1 trigger")) == [
        "180 s of patience after the flow that set it", "another client, server or server port",
    ]


def test_the_list_is_named_with_its_size() -> None:
    box = box_with(wall_of(), lambda box: box.facts.list_name is not None and box.scope.transport == "udp")
    assert list_words(box) == f"{box.facts.list_name} ({len(box.names.entries)} entries here)"  # type: ignore[union-attr]
    every = box_with(wall_of(listed=("*",)), lambda other: other.id == box.id)
    assert list_words(every) == f"{box.facts.list_name} (here every name)"
    address = box_with(wall_of(), lambda box: box.reaction.withhold)
    assert list_words(address) is None


def test_every_box_of_every_epoch_has_something_to_say() -> None:
    silent = []
    for day in ("2016-01-01", "2020-02-01", "2020-08-05", "2022-06-01", "2025-01-15", "2025-08-20T01:00"):
        for box in wall_of(as_of=day).boxes:
            said: FlowReport = flow(transport=box.scope.transport)
            if not ways_past(box, said, evidence(box.id)):
                silent.append((day, box.id))
    assert not silent


