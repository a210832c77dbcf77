"""What protocol first bytes are and which names they ask for; at the end, against the names that nDPI read in real captures."""

import csv
import ipaddress
import random
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.wire.capture import open_capture
from crenel.wire.dns_build import build_query, build_response, frame_tcp
from crenel.wire.http import build_request
from crenel.wire.ip import parse_packet
from crenel.wire.link import ip_offset
from crenel.wire.packet import SYN, TCP, UDP, Packet
from crenel.wire.quic_build import build_crypto_frame, build_initial
from crenel.wire.quic_keys import VERSION_2, client_keys
from crenel.wire.result import Unparseable
from crenel.wire.sniff import Reading, read_datagram, read_stream
from crenel.wire.tls_build import HelloShape, build_client_hello, build_hello_message
from tests.data import data_path
from tests.wire.captures import real_capture, real_captures, walk

RANDOM = bytes(range(32))
NAME = b"www.blocked.example"
DCID = b"12345678"
HELLO = build_client_hello(NAME, random=RANDOM)
SSLV2 = bytes.fromhex("8016 01 0301 0003 0000 000a 00002f") + bytes(10)

STREAMS = {
    "tls": (HELLO, "tls", (NAME,)),
    "tls in records": (build_client_hello(NAME, random=RANDOM, record_sizes=[3, 1, 150, 9]), "tls", (NAME,)),
    "tls without name": (build_client_hello(None, random=RANDOM), "tls", ()),
    "tls with an empty name": (build_client_hello(b"", random=RANDOM), "tls", ()),
    "http": (build_request(b"Www.Blocked.Example:80"), "http", (NAME,)),
    "http of absolute form": (build_request(b"b.example", b"http://a.example/"), "http", (b"a.example", b"b.example")),
    "http without host": (build_request(None), "http", ()),
    "http with an unknown method": (b"FROB / HTTP/1.1\r\nHost: a.example\r\n\r\n", "http", (b"a.example",)),
    "http 2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "http", ()),
    "dns": (frame_tcp(build_query(NAME)), "dns", (NAME,)),
    "smtp": (b"EHLO client.example\r\n", "smtp", ()),
    "ftp": (b"USER anonymous\r\n", "ftp", ()),
}


@pytest.mark.parametrize("stream", STREAMS)
def test_first_bytes_of_each_protocol(stream: str) -> None:
    content, protocol, names = STREAMS[stream]
    assert read_stream(content) == Reading(protocol, names)  # type: ignore[arg-type] # the table holds plain text


@pytest.mark.parametrize("stream", STREAMS)
def test_a_cut_gives_the_same_or_says_that_more_could_come(stream: str) -> None:
    content = STREAMS[stream][0]
    whole = read_stream(content)
    for cut in range(len(content)):
        reading = read_stream(content[:cut])
        assert reading.names == whole.names[: len(reading.names)]
        assert reading.more or (reading.protocol, reading.names) == (whole.protocol, whole.names), cut


def test_the_name_is_read_before_the_hello_is_whole() -> None:
    end = HELLO.index(NAME) + len(NAME)
    assert read_stream(HELLO[:end]) == Reading("tls", (NAME,))
    assert read_stream(HELLO[: end - 1]) == Reading("tls", more=True)


def test_all_requests_in_sight_are_read() -> None:
    stream = build_request(b"a.example", method=b"POST", body=b"xyz") + build_request(b"b.example") + build_request(b"A.example") + b"GET /"
    assert read_stream(stream) == Reading("http", (b"a.example", b"b.example"))


def test_what_goes_through_a_proxy_is_read_too() -> None:
    connect = b"CONNECT outer.example:443 HTTP/1.1\r\nHost: outer.example:443\r\n\r\n"
    assert read_stream(connect + HELLO) == Reading("http", (b"outer.example", NAME))
    assert read_stream(connect + HELLO[:100]) == Reading("http", (b"outer.example",), more=True)
    assert read_stream(connect * 40 + HELLO).names == (b"outer.example",)


def test_tls_after_starttls_and_auth() -> None:
    assert read_stream(b"EHLO a\r\nSTARTTLS\r\n" + HELLO) == Reading("smtp", (NAME,))
    assert read_stream(b"AUTH TLS\r\n" + HELLO) == Reading("ftp", (NAME,))


def test_the_server_tells_protocols_apart_that_begin_alike() -> None:
    login = b"USER someone\r\nPASS word\r\n"
    assert read_stream(login).protocol == "ftp"
    assert read_stream(login, b"220 FTP ready\r\n").protocol == "ftp"
    assert read_stream(login, b"+OK POP3 ready\r\n").protocol == "unknown"
    assert read_stream(b"QUIT\r\n" * 3).protocol == "unknown"
    assert read_stream(b"QUIT\r\n" * 3, b"220 mx.example ESMTP\r\n").protocol == "smtp"
    assert read_stream(b"QUIT\r\n" * 3, b"220 FTP ready\r\n").protocol == "ftp"


@pytest.mark.parametrize(
    ("stream", "protocol"),
    [
        (b"\x17\x03\x03\x00\x20" + bytes(32), "tls"),
        (b"\x15\x03\x03\x00\x02\x02\x28", "tls"),
        (b"\x14\x03\x03\x00\x01\x01", "tls"),
        (b"\x16\x03\x03\x00\x40\x02" + bytes(20), "tls"),
        (b"\x16\x03\x03\x00\x04\xaa\xbb\xcc\xdd", "tls"),
        (b"\x16\x03\x03\x00\x04\xaa\xbb\xcc\xdd\x17\x03\x03\x00\x10", "tls"),
        (b"\x16\x03\x03\x00\x04\xaa\xbb\xcc\xdd" + bytes(20), "unknown"),
        (SSLV2, "tls"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "http"),
        (b"220 mx.example ESMTP\r\n", "smtp"),
        (b"220 FTP server ready\r\n", "ftp"),
        (b"MAIL FROM:<a@b.example>\r\n", "smtp"),
        (b"RETR file.txt\r\n", "ftp"),
    ],
)
def test_flows_captured_from_their_middle(stream: bytes, protocol: str) -> None:
    assert read_stream(stream) == Reading(protocol)  # type: ignore[arg-type] # the table holds plain text


@pytest.mark.parametrize(
    "stream",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"OPTIONS rtsp://cam.example/ RTSP/1.0\r\n\r\n",
        b"USER guest 0 * :real name\r\n",
        b"\x13BitTorrent protocol" + bytes(48),
        b"\x05\x01\x00" + bytes(30),
        b"220 nothing in particular\r\n",
        bytes(range(130, 180)),
        bytes(40),
    ],
)
def test_bytes_of_other_protocols(stream: bytes) -> None:
    assert read_stream(stream) == Reading("unknown")


def test_too_few_bytes_to_tell() -> None:
    assert read_stream(b"") == read_stream(b"\x16\x03") == Reading("unknown", more=True)


# UDP.


def test_dns_datagrams() -> None:
    query = build_query(NAME, ident=0xC000)
    assert read_datagram(query) == read_datagram(build_response(query, [bytes(4)])) == Reading("dns", (NAME,))
    two = query[:4] + b"\x00\x02" + query[6:] + b"\x01b\x07example\x00\x00\x01\x00\x01"
    assert read_datagram(two) == Reading("dns", (NAME, b"b.example"))
    assert read_datagram(query[:-1] + b"\x07") == Reading("unknown")
    assert read_datagram(query[:3] + b"\x40" + query[4:]) == Reading("unknown")
    assert read_datagram(query[:7] + b"\x09" + query[8:]) == Reading("unknown")


def test_dns_over_tcp() -> None:
    first, second = frame_tcp(build_query(NAME)), frame_tcp(build_query(b"b.example"))
    assert read_stream(first + second) == Reading("dns", (NAME, b"b.example"))
    assert read_stream(first + second[:20]) == Reading("dns", (NAME,))
    assert read_stream(first[:-3]) == Reading("unknown", more=True)
    assert read_stream(frame_tcp(build_response(build_query(NAME), [bytes(4)] * 9))[:60]) == Reading("dns", (NAME,))
    assert read_stream(first + b"something else") == Reading("dns", (NAME,))


@pytest.mark.parametrize(
    ("klass", "known"), [(1, True), (3, True), (4, True), (254, True), (255, True), (0x8001, True), (0, False), (2, False), (5, False)]
)
def test_classes_that_a_question_may_have(klass: int, *, known: bool) -> None:
    for query in (build_query(NAME, klass=klass), build_query(b"a.b", klass=klass)):
        assert (read_datagram(query).protocol == "dns") is known
        assert (read_stream(frame_tcp(query)).protocol == "dns") is known


def test_a_long_answer_over_tcp() -> None:
    answer = build_response(build_query(NAME), [bytes(16)] * 40)
    assert len(answer) > 1024
    assert read_stream(frame_tcp(answer)) == read_stream(frame_tcp(answer)[:200]) == Reading("dns", (NAME,))


@pytest.mark.parametrize("kind", [0, 1, 2, 4, 5, 8, 11, 12, 13, 14, 15, 16, 20, 21, 22, 23, 24])
def test_handshake_messages_in_the_middle_of_a_flow(kind: int) -> None:
    assert read_stream(b"\x16\x03\x03\x00\x40" + bytes([kind]) + b"\xff\xff\xff" + bytes(20)) == Reading("tls")


def test_an_announcement_without_question_names_what_it_announces() -> None:
    announced = build_response(b"", [bytes(4)], flags=0x8400)
    named = announced[:12] + b"\x03box\x05local\x00" + announced[13:]
    assert read_datagram(named[:-14] + named[-14:-12] + b"\x80\x01" + named[-10:]) == Reading("dns", (b"box.local",))
    assert read_datagram(named[:-1]) == Reading("unknown")


def quic(*frames: bytes, dcid: bytes = DCID, number: int = 0, first_dcid: bytes | None = None) -> bytes:
    keys = None if first_dcid is None else client_keys(1, first_dcid)
    return build_initial(frames, dcid=dcid, packet_number=number, keys=keys, pad_to=1200)


BARE = build_hello_message(NAME, random=RANDOM, shape=HelloShape.BROWSER, name_at=99)
CHAOS = [build_crypto_frame(700, BARE[700:1100]), b"\x01", build_crypto_frame(1100, BARE[1100:]), build_crypto_frame(0, BARE[:700])]


def test_a_quic_hello_in_one_datagram() -> None:
    hello = build_hello_message(NAME, random=RANDOM)
    assert read_datagram(quic(build_crypto_frame(0, hello))) == Reading("quic", (NAME,))
    assert read_datagram(build_initial([build_crypto_frame(0, hello)], dcid=DCID, version=VERSION_2)) == Reading("quic", (NAME,))
    assert read_datagram(quic(build_crypto_frame(0, build_hello_message(None, random=RANDOM)))) == Reading("quic")


def test_a_quic_hello_over_several_datagrams() -> None:
    for order in ((0, 1, 2, 3), (3, 2, 1, 0)):
        before: Reading | None = None
        for number, frame in enumerate(order):
            assert before is None or (before.protocol, before.names, before.more) == ("quic", (), True)
            before = read_datagram(quic(CHAOS[frame], number=number), before)
        assert before == Reading("quic", (NAME,))
        assert read_datagram(b"\x40" + bytes(30), before) == before
        assert read_datagram(quic(b"\x01", number=9), before) == before


def test_a_quic_hello_goes_on_after_the_server_chose_its_connection_id() -> None:
    before = read_datagram(quic(CHAOS[3]))
    assert read_datagram(quic(CHAOS[0], CHAOS[2], dcid=b"chosen", first_dcid=DCID, number=1), before) == Reading("quic", (NAME,))


def test_two_initials_in_one_datagram() -> None:
    datagram = build_initial(CHAOS[3:], dcid=DCID) + build_initial(CHAOS[:3], dcid=DCID, packet_number=1)
    assert read_datagram(datagram) == Reading("quic", (NAME,))


def test_quic_that_cannot_be_opened() -> None:
    broken = quic(CHAOS[3])[:-1] + b"\x00"
    assert read_datagram(broken) == Reading("quic")
    assert read_datagram(broken[:1] + b"\xfa\xce\xb0\x02" + broken[5:]) == Reading("quic")
    assert read_datagram(broken[:1] + b"\xfa\xce\xb0\x02" + broken[5:] + b"x") == Reading("unknown")


def test_crypto_frames_without_end_are_not_kept_for_ever() -> None:
    before: Reading | None = None
    endless = quic(build_crypto_frame(0, b"\x01\x01\xff\xff" + bytes(1000)))
    datagrams = 0
    while before is None or before.more:
        before = read_datagram(endless, before)
        datagrams += 1
        assert datagrams < 200
    assert before.crypto == ()


@given(st.binary(max_size=120), st.binary(max_size=20))
def test_anything_is_read_as_something(data: bytes, server: bytes) -> None:
    query = b"\x00\x20\x00\x01\x01\x00\x00\x01" + bytes(6)
    for head in (b"", b"\x16\x03\x01\x00\x40\x01", b"GET / HTTP/1.1\r\n", b"CONNECT ", query, b"USER ", b"\x80"):
        assert isinstance(read_stream(head + data, server), Reading)
    before: Reading | None = None
    for head in (b"", b"\xc0\x00\x00\x00\x01\x00", bytes.fromhex("00010100000100000000 0000"), bytes.fromhex("00018180000000010000 0000")):
        before = read_datagram(head + data, before)
        assert isinstance(before, Reading)


def test_random_bytes_are_hardly_ever_taken_for_a_protocol() -> None:
    dice = random.Random(0)
    for _ in range(3000):
        data = dice.randbytes(dice.randrange(40, 400))
        assert read_datagram(b"\x01" + data[:1] + b"\xff" + data).protocol == "unknown"
        assert read_stream(b"\x90\x01" + data).protocol == "unknown"


def test_reading_takes_time_in_proportion_to_the_length() -> None:
    started = time.perf_counter()
    for stream in (
        build_request(NAME) * 700,
        b"CONNECT a:1 HTTP/1.1\r\n\r\n" * 2000,
        frame_tcp(build_query(NAME)) * 1500,
        b"EHLO a\r\n" * 8000,
        b"\x16\x03\x01\x00\x01\x01" * 10000,
    ):
        read_stream(stream)
    assert time.perf_counter() - started < 3


# Against the names that nDPI read in real captures.


def label_rows() -> list[dict[str, str]]:
    with data_path("labels/ndpi_flow_labels.csv").open(newline="", encoding="utf-8") as labels:
        rows = list(csv.DictReader(labels))
    return [
        row
        for row in rows
        if row["hostname"]
        and row["proto"].startswith(("TLS", "HTTP", "DNS", "QUIC"))
        and row["quic_version"] in {"", "V-1", "V-2"}
        and not row["capture"].startswith("fuzz-")
    ]


def endpoint(text: str) -> tuple[bytes, int]:
    address, _, port = text.rpartition(":")
    try:
        return ipaddress.ip_address(address.strip("[]")).packed, int(port)
    except ValueError:  # a few IPv6 addresses are written wrongly: then only the port counts
        return b"", int(port)


Flows = dict[tuple[int, frozenset[int]], list[Packet]]


def packets_in(content: bytes) -> Iterator[Packet]:
    """Yield the TCP and UDP packets of a capture."""
    for _, _, link, offset, captured, _ in walk(content)[0]:
        span = ip_offset(link, content, offset, captured)
        packet = span if isinstance(span, Unparseable) else parse_packet(content, *span)
        if isinstance(packet, Packet) and packet.proto in {TCP, UDP} and packet.has_transport():
            yield packet


def packets_of(row: dict[str, str]) -> Flows:
    """Return the TCP and UDP packets of a capture by transport and ports."""
    flows: Flows = defaultdict(list)
    for packet in packets_in(real_capture(row)):
        flows[packet.proto, frozenset((packet.sport, packet.dport))].append(packet)
    return flows


def streams(packets: list[Packet]) -> Iterator[bytes]:
    """Put the segments of one direction in order, a new stream at each SYN; a gap ends a stream."""
    begun: list[tuple[int, list[tuple[int, bytes]]]] = []
    for packet in packets:
        if packet.flags & SYN or not begun:
            begun.append(((packet.seq + bool(packet.flags & SYN)) & 0xFFFFFFFF, []))
        if packet.payload:
            begun[-1][1].append(((packet.seq - begun[-1][0]) & 0xFFFFFFFF, packet.payload))
    for _, segments in begun:
        stream = b""
        for offset, payload in sorted(segments):
            if offset <= len(stream) < offset + len(payload):
                stream += payload[len(stream) - offset :]
        yield stream


def names_of(packets: list[Packet], transport: int) -> set[bytes]:
    names: set[bytes] = set()
    if transport == TCP:
        for stream in streams(packets):
            names.update(read_stream(stream).names)
        for packet in packets:  # a flow whose start is missing
            names.update(read_stream(packet.payload).names)
        return names
    before: Reading | None = None
    for packet in packets:
        before = read_datagram(packet.payload, before)
        names.update(before.names)
    return names


def as_labelled(name: bytes) -> set[str]:
    """Return a name as the labels write it: other characters replaced, cut to 79 at the end or, for DNS, at the front."""
    text = re.sub(r"[^a-z0-9.\-_]", "_", name.decode("latin-1").lower())
    return {text[:79], text[-79:]}


def test_names_in_real_captures() -> None:
    rows = label_rows()
    captures: dict[str, Flows] = {}
    missing = []
    for row in rows:
        if row["data_path"] not in captures:
            captures = {row["data_path"]: packets_of(row)}
        transport = TCP if row["l4"] == "TCP" else UDP
        ends = {endpoint(row["a"]), endpoint(row["b"])}
        packets = captures[row["data_path"]].get((transport, frozenset(port for _, port in ends)), [])
        exact = [packet for packet in packets if {(packet.src, packet.sport), (packet.dst, packet.dport)} == ends]
        names = set()
        for source in {(packet.src, packet.sport) for packet in exact or packets}:
            names |= names_of([packet for packet in exact or packets if (packet.src, packet.sport) == source], transport)
        if row["hostname"] not in set().union(*map(as_labelled, names)):
            missing.append(f"{row['capture']} {row['a']} {row['b']} {row['proto']}: {row['hostname']!r} is not among {sorted(names)}")
    print(f"{len(rows) - len(missing)} of {len(rows)} names")
    assert len(rows) == 631
    assert not missing


def test_every_payload_of_the_real_captures_is_read() -> None:
    seen: Counter[str] = Counter()
    slowest = 0.0
    for _, content in real_captures():
        if isinstance(open_capture(content), Unparseable):
            continue
        for packet in packets_in(content):
            started = time.perf_counter()
            reading = read_stream(packet.payload) if packet.proto == TCP else read_datagram(packet.payload)
            slowest = max(slowest, time.perf_counter() - started)
            seen[reading.protocol] += 1
    print(dict(seen), f"slowest {slowest * 1e3:.1f} ms")
    assert set(seen) == {"tls", "http", "dns", "quic", "smtp", "ftp", "unknown"}
    assert slowest < 1


@pytest.mark.long
def test_speed_of_recognising() -> None:
    """Measured on a quiet core: TLS 0.9 µs, HTTP 1.6, DNS 1.6 over UDP and 2.5 over TCP, unknown bytes 0.5, QUIC 20 with a 1.7 kB hello."""
    rounds = 5000
    cases: list[tuple[Callable[[bytes], Reading], str, bytes]] = [(read_stream, name, content) for name, (content, _, _) in STREAMS.items()]
    cases.append((read_stream, "unknown", bytes(range(128, 256)) * 5))
    cases.append((read_datagram, "dns datagram", build_query(NAME)))
    cases.append((read_datagram, "quic datagram", quic(CHAOS[3], CHAOS[0])))
    for read, name, content in cases:
        copies = (content, bytes(bytearray(content)))  # a buffer just read is remembered
        started = time.perf_counter()
        for turn in range(rounds):
            read(copies[turn & 1])
        taken = (time.perf_counter() - started) / rounds
        print(f"{name}: {taken * 1e6:.2f} µs")
        assert taken < 200e-6
