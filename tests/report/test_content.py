"""What a packet is said to be, in a few words."""

import pytest

from crenel.report.content import flag_words, packet_words
from crenel.report.layout import GLUE
from crenel.wire.dns import AAAA
from crenel.wire.dns_build import build_query, build_response
from crenel.wire.packet import ACK, FIN, ICMP, PSH, RST, SYN, Packet, tcp_packet, udp_packet
from crenel.wire.quic_build import build_crypto_frame, build_initial
from crenel.wire.tls_build import build_client_hello

HERE, THERE = bytes((192, 0, 2, 1)), bytes((192, 0, 2, 2))


def segment(payload: bytes = b"", flags: int = ACK) -> Packet:
    return tcp_packet(HERE, THERE, 1, 2, flags=flags, payload=payload)


def words(*payloads: bytes, udp: bool = False) -> str:
    make = (lambda payload: udp_packet(HERE, THERE, 1, 2, payload)) if udp else segment
    return packet_words([make(payload) for payload in payloads]).replace(GLUE, " ")


@pytest.mark.parametrize(
    ("flags", "said"), [(SYN, "SYN"), (SYN | ACK, "SYN/ACK"), (RST | ACK, "RST/ACK"), (FIN | PSH | ACK, "FIN/ACK"), (PSH, "PSH"), (0, "no flags")]
)
def test_a_segment_without_payload_is_its_flags(flags: int, said: str) -> None:
    assert packet_words([segment(flags=flags)]) == said
    assert packet_words([segment(flags=flags)] * 3) == f"{said} ×3"


def test_flags_that_say_nothing_are_left_out() -> None:
    assert flag_words(segment(flags=PSH | ACK)) == "ACK"


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (build_client_hello(b"a.example", random=bytes(32)), "ClientHello a.example, "),
        (b"\x16\x03\x03\x00\x04\x02\x00\x00\x00", "ServerHello, 9 B"),
        (b"\x17\x03\x03\x00\x01x", "encrypted data, 6 B"),
        (b"\x15\x03\x03\x00\x02\x02\x28", "TLS alert, 7 B"),
        (b"GET /x?y HTTP/1.1\r\nHost: a.example\r\n\r\n", "GET /x?y, Host a.example, 38 B"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "HTTP 200 OK, 19 B"),
        (b"RETR secret.txt\r\n", "“RETR secret.txt”, 17 B"),
        (b"\x00\x01\x02", "data, 3 B"),
        (b"no line end", "data, 11 B"),
        (b"\x00\x21" + build_query(b"blocked.example"), "DNS query A blocked.example, 35 B"),
    ],
)
def test_a_segment_with_payload_is_what_its_protocol_says(payload: bytes, said: str) -> None:
    assert words(payload).startswith(said)


def test_a_hello_in_two_segments_is_read_as_one() -> None:
    hello = build_client_hello(b"a.example", random=bytes(32))
    assert words(hello[:60], hello[60:]) == f"ClientHello a.example, {len(hello)} B in 2 segments"


def test_the_last_segment_may_close() -> None:
    assert packet_words([segment(b"x", FIN | ACK)]).replace(GLUE, " ") == "data, 1 B and FIN"


def test_data_on_a_syn_are_named() -> None:
    assert packet_words([segment(b"abc", SYN)]).replace(GLUE, " ") == "SYN with data, 3 B"


def test_datagrams() -> None:
    query = build_query(b"a.example", kind=AAAA)
    answer = build_response(query, [bytes((203, 0, 113, 7))])
    assert words(query, udp=True) == "DNS query AAAA a.example, 27 B"
    assert words(answer, udp=True) == "DNS answer A 203.0.113.7, 43 B"
    assert words(query[:2] + b"\x81\x83" + query[4:], udp=True) == "DNS answer without address (code 3), 27 B"
    assert words(b"\x01\x02", udp=True) == "data, 2 B"
    assert words(b"", udp=True) == "an empty datagram"


def test_an_initial_names_its_host() -> None:
    hello = build_client_hello(b"a.example", random=bytes(32))[5:]
    assert words(build_initial([build_crypto_frame(0, hello)], dcid=bytes(8)), udp=True).startswith("QUIC Initial, ClientHello a.example, ")


def test_other_packets() -> None:
    assert packet_words([Packet(4, HERE, THERE, ICMP, icmp_type=11)]) == "ICMP time exceeded"
    assert packet_words([Packet(4, HERE, THERE, 6, frag_offset=8, payload=b"x")]) == "IP fragment"


def test_hostile_bytes_are_escaped_and_long_lines_cut() -> None:
    assert "\x1b" not in words(b"GET /\x1b[31m HTTP/1.1\r\nHost: \xe2\x80\xae.example\r\n\r\n")
    assert len(words(b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\n\r\n")) < 100
    assert words(b"HELO " + b"a" * 200 + b"\r\n").endswith("…”, 207 B")
