"""QUIC Initials: opened into frames, over coalesced packets and datagrams, against aioquic and recorded payloads."""

import itertools
import random
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.wire.quic import (
    ACK,
    ACK_ECN,
    CONNECTION_CLOSE,
    CRYPTO,
    PADDING,
    PING,
    Frame,
    Initial,
    LongHeader,
    ciphers,
    crypto_bytes,
    looks_like_quic,
    open_initial,
    open_with_keys,
    read_datagram,
    read_frames,
    read_long_header,
)
from crenel.wire.quic_build import build_crypto_frame, build_initial
from crenel.wire.quic_keys import VERSION_1, VERSION_2, client_keys
from crenel.wire.result import Unparseable
from crenel.wire.tls import ClientHello, parse_client_hello
from crenel.wire.tls_build import HelloShape, build_hello_message
from tests.data import data_path

DCID = b"12345678"
NAME = b"www.blocked.example"
HELLO = build_hello_message(NAME, random=bytes(range(32)))
PACKET = build_initial([build_crypto_frame(0, HELLO)], dcid=DCID, scid=b"me", token=b"tok", packet_number=3, pad_to=1200)


def initial_of(packet: bytes, offset: int = 0, *, original_dcid: bytes | None = None) -> Initial:
    initial = open_initial(packet, offset, original_dcid=original_dcid)
    assert isinstance(initial, Initial), initial
    return initial


def header_of(packet: bytes) -> LongHeader:
    header = read_long_header(packet)
    assert isinstance(header, LongHeader), header
    return header


def test_all_fields_of_an_initial() -> None:
    initial = initial_of(b"before" + PACKET, 6)
    assert (initial.version, initial.dcid, initial.scid, initial.token) == (VERSION_1, DCID, b"me", b"tok")
    assert (initial.packet_number, initial.end, initial.broken) == (3, 1206, None)
    crypto, padding = initial.frames
    assert (crypto.kind, crypto.offset, crypto.crypto_offset, crypto.data) == (CRYPTO, 0, 0, HELLO)
    assert (padding.kind, padding.offset, padding.length) == (PADDING, crypto.length, len(initial.plaintext) - crypto.length)
    assert initial.payload_at + len(initial.plaintext) + 16 == initial.end


def test_the_long_header_alone() -> None:
    header = header_of(PACKET)
    assert (header.version, header.dcid, header.scid, header.token, header.end) == (VERSION_1, DCID, b"me", b"tok", 1200)
    assert header.is_initial
    assert looks_like_quic(PACKET)


@pytest.mark.parametrize(("version", "kind", "initial"), [(VERSION_1, 0, True), (VERSION_1, 1, False), (VERSION_2, 1, True), (VERSION_2, 2, False)])
def test_the_packet_types_of_both_versions(version: int, kind: int, *, initial: bool) -> None:
    header = header_of(bytes([0xC0 | kind << 4]) + version.to_bytes(4, "big") + b"\x00\x00" + b"\x00" * initial + b"\x04abcd")
    assert header.is_initial is initial
    assert header.end - header.body == 4


def test_a_retry_and_a_version_negotiation_have_no_length() -> None:
    for first, version in ((0xF0, VERSION_1), (0xC0, VERSION_2), (0x80, 0), (0xFF, 0)):
        packet = bytes([first]) + version.to_bytes(4, "big") + b"\x01a\x01b" + b"rest"
        header = header_of(packet)
        assert (header.dcid, header.scid, header.body, header.end) == (b"a", b"b", 9, len(packet))
        assert not header.is_initial
        assert isinstance(open_initial(packet), Unparseable)


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"\x40" + PACKET[1:],
        b"\x80" + PACKET[1:],
        PACKET[:5] + b"\x15" + PACKET[6:],
        PACKET[:14] + b"\x15" + PACKET[15:],
        PACKET[:10],
        PACKET[:14],
        PACKET[:18],
    ],
    ids=["nothing", "short header", "fixed bit", "long dcid", "long scid", "cut dcid", "cut scid", "cut token"],
)
def test_what_is_no_long_header(packet: bytes) -> None:
    assert isinstance(read_long_header(packet), Unparseable)
    assert not looks_like_quic(packet)


def test_connection_ids_up_to_20_bytes() -> None:
    for size in (0, 20):
        assert initial_of(build_initial([], dcid=bytes(size), scid=bytes(size))).dcid == bytes(size)


@pytest.mark.parametrize("at", [0, 1, 5, 20, 30, 600, 1199])
def test_any_changed_byte_is_refused(at: int) -> None:
    assert isinstance(open_initial(PACKET[:at] + bytes([PACKET[at] ^ 1]) + PACKET[at + 1 :]), Unparseable)


def test_a_cut_packet_is_refused() -> None:
    assert all(isinstance(open_initial(PACKET[:cut]), Unparseable) for cut in range(0, 1200, 7))


def test_an_initial_too_short_to_be_sampled() -> None:
    packet = b"\xc0\x00\x00\x00\x01\x00\x00\x00"
    assert isinstance(open_initial(packet + b"\x13" + bytes(19)), Unparseable)
    assert isinstance(open_initial(packet + b"\x14" + bytes(20)), Unparseable)


def test_later_initials_are_opened_with_the_first_connection_id() -> None:
    packet = build_initial([build_crypto_frame(9, b"late")], dcid=b"chosen", keys=client_keys(VERSION_1, DCID))
    assert isinstance(open_initial(packet), Unparseable)
    assert initial_of(packet, original_dcid=DCID).frames[0].data == b"late"


def test_keys_of_one_version_open_a_header_of_another() -> None:
    keys = client_keys(VERSION_1, DCID)
    assert keys is not None
    packet = build_initial([b"\x01"], dcid=DCID, version=VERSION_2, keys=keys)
    assert isinstance(open_initial(packet), Unparseable)
    assert isinstance(open_with_keys(packet, header_of(packet), keys), Initial)


def test_coalesced_packets() -> None:
    handshake = b"\xe0" + PACKET[1:5] + b"\x01a\x00" + b"\x05" + b"12345"
    second = build_initial([b"\x01"], dcid=DCID, packet_number=1)
    first, middle, last, rest = read_datagram(second + handshake + PACKET + b"\x40short")
    assert isinstance(first, Initial)
    assert isinstance(middle, LongHeader)
    assert isinstance(last, Initial)
    assert isinstance(rest, Unparseable)
    assert (middle.dcid, middle.is_initial, last.packet_number) == (b"a", False, 3)


def test_an_initial_that_does_not_open_comes_as_its_header() -> None:
    (only,) = read_datagram(PACKET[:-1] + bytes([PACKET[-1] ^ 1]))
    assert isinstance(only, LongHeader)


def test_all_frames_that_an_initial_may_hold() -> None:
    ack = bytes([ACK]) + bytes.fromhex("05 00 02 00 01 00 01 00")
    ecn = bytes([ACK_ECN]) + bytes.fromhex("05 00 00 00 01 02 4003")
    close = bytes([CONNECTION_CLOSE]) + bytes.fromhex("4001 06 02") + b"no"
    frames, broken = read_frames(b"\x01" + ack + b"\x00\x00\x00" + ecn + close + build_crypto_frame(300, b"abc") + b"\x00")
    assert broken is None
    assert [(frame.kind, frame.length) for frame in frames] == [
        (PING, 1), (ACK, len(ack)), (PADDING, 3), (ACK_ECN, len(ecn)), (CONNECTION_CLOSE, len(close)), (CRYPTO, 7), (PADDING, 1),
    ]  # fmt: skip
    assert frames[5] == Frame(CRYPTO, frames[5].offset, 7, 300, b"abc")
    assert [frame.offset for frame in frames[1:]] == [frame.offset + frame.length for frame in frames[:-1]]


@pytest.mark.parametrize("offset", [0, 63, 64, 16383, 16384, (1 << 30) - 1, 1 << 30, 151288809941952652, (1 << 62) - 1])
def test_variable_length_integers_of_every_size(offset: int) -> None:
    (frame,), broken = read_frames(build_crypto_frame(offset, b"x"))
    assert (frame.crypto_offset, frame.data, broken) == (offset, b"x", None)


def test_integers_longer_than_they_need_to_be() -> None:
    for length in ("04", "4004", "80000004", "c000000000000004"):
        (frame,), broken = read_frames(b"\x06\x00" + bytes.fromhex(length) + b"abcd")
        assert (frame.data, broken) == (b"abcd", None)


@pytest.mark.parametrize("kind", [0x04, 0x07, 0x08, 0x1B, 0x1D, 0x1E, 0x40, 0xFF])
def test_a_frame_that_no_initial_may_hold_ends_them(kind: int) -> None:
    frames, broken = read_frames(b"\x01" + bytes([kind]) + bytes(20))
    assert len(frames) == 1
    assert isinstance(broken, Unparseable)


def test_a_cut_frame_ends_them() -> None:
    for whole in (build_crypto_frame(70, b"abc"), bytes([ACK, 5, 0, 2, 0, 1, 0, 1, 0]), bytes([CONNECTION_CLOSE, 1, 6, 2]) + b"no"):
        for cut in range(1, len(whole)):
            frames, broken = read_frames(b"\x01" + whole[:cut])
            assert (len(frames), type(broken)) == (1, Unparseable)


@given(st.lists(st.integers(0, len(HELLO)), max_size=12), st.randoms(use_true_random=False), st.integers(0, 30))
def test_crypto_data_is_put_in_order_whatever_the_cuts_and_overlaps(cuts: list[int], shuffle: random.Random, overlap: int) -> None:
    edges = sorted({0, len(HELLO), *cuts})
    spans = [(max(0, start - overlap), end) for start, end in itertools.pairwise(edges)]
    pieces = [Frame(CRYPTO, 0, 0, start, HELLO[start:end]) for start, end in spans]
    shuffle.shuffle(pieces)
    assert crypto_bytes([Frame(PING, 0, 1), *pieces]) == HELLO


def test_crypto_data_ends_at_the_first_gap() -> None:
    pieces = [Frame(CRYPTO, 0, 0, 3, b"def"), Frame(CRYPTO, 0, 0, 0, b"ab")]
    assert crypto_bytes(pieces) == b"ab"
    assert crypto_bytes(pieces[:1]) == b""
    assert crypto_bytes([]) == b""


def test_a_hello_over_two_datagrams() -> None:
    hello = build_hello_message(NAME, random=bytes(32), shape=HelloShape.BROWSER, name_at=99)
    packets = [
        build_initial([build_crypto_frame(1000, hello[1000:]), build_crypto_frame(0, hello[:200])], dcid=DCID),
        build_initial([b"\x01", build_crypto_frame(200, hello[200:1000])], dcid=DCID, packet_number=1),
    ]
    frames = [frame for packet in packets for frame in initial_of(packet).frames]
    read = parse_client_hello(crypto_bytes(frames))
    assert isinstance(read, ClientHello)
    assert read.sni is not None
    assert read.sni.value == NAME


@given(st.binary(max_size=80), st.integers(0, 90))
def test_anything_is_read_as_something(data: bytes, offset: int) -> None:
    for packet in (data, b"\xc0\x00\x00\x00\x01" + data, b"\xd0\x6b\x33\x43\xcf\x00\x00\x00\x40\x40" + data):
        assert isinstance(read_long_header(packet, offset), LongHeader | Unparseable)
        assert isinstance(open_initial(packet, offset), Initial | Unparseable)
        assert isinstance(read_datagram(packet), tuple)
        frames, broken = read_frames(packet)
        assert sum(frame.length for frame in frames) == len(packet) or broken is not None
        assert isinstance(crypto_bytes(frames), bytes)


def test_reading_takes_time_in_proportion_to_the_length() -> None:
    tiny = b"\xe0\x00\x00\x00\x01\x00\x00\x00"
    started = time.perf_counter()
    assert len(read_datagram(tiny * 8000)) == 8000
    read_frames(b"\x01\x00" * 30000)
    frames, _ = read_frames(build_crypto_frame(0, b"a") * 20000)
    assert crypto_bytes(frames) == b"a"
    assert time.perf_counter() - started < 3


def test_without_cryptography(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as absent:
        for name in [name for name in sys.modules if name.partition(".")[0] == "cryptography"]:
            absent.setitem(sys.modules, name, None)
        ciphers.cache_clear()
        refused = open_initial(PACKET)
    ciphers.cache_clear()
    assert isinstance(refused, Unparseable)
    assert "cryptography is not installed" in refused.because
    assert isinstance(open_initial(PACKET), Initial)


# Against other people's packets.


@pytest.mark.parametrize("version", [VERSION_1, VERSION_2])
def test_a_first_datagram_of_aioquic(version: int) -> None:
    from aioquic.quic.configuration import QuicConfiguration
    from aioquic.quic.connection import QuicConnection

    configuration = QuicConfiguration(server_name=NAME.decode(), alpn_protocols=["h3"], original_version=version, supported_versions=[version])
    client = QuicConnection(configuration=configuration)
    client.connect(("192.0.2.1", 443), now=0.0)
    datagram = client.datagrams_to_send(now=0.0)[0][0]
    initial = initial_of(datagram)
    hello = parse_client_hello(crypto_bytes(initial.frames))
    assert isinstance(hello, ClientHello)
    assert hello.sni is not None
    assert (initial.version, hello.sni.value, hello.alpn) == (version, NAME, (b"h3",))


def test_aioquic_opens_what_is_built() -> None:
    from aioquic.quic.crypto import CryptoPair

    for version in (VERSION_1, VERSION_2):
        packet = build_initial([build_crypto_frame(0, HELLO)], dcid=DCID, version=version, packet_number=258, number_size=2, pad_to=1200)
        server = CryptoPair()
        server.setup_initial(DCID, is_client=False, version=version)
        _, payload, number = server.decrypt_packet(packet, header_of(packet).body, 0)
        assert (payload, number) == (initial_of(packet).plaintext, 258)


@pytest.mark.parametrize(
    ("payload", "name"),
    [
        ("exp1", b"google.com"), ("exp2", b"google.com"), ("exp8", b"google.com"), ("exp12", b"google.com"), ("exp13", b"www.google.com"),
        ("exp14", b"cloudflare-ech.com"), ("exp15", b"google.com"), ("exp16", b"google.com"),
    ],
)  # fmt: skip
def test_recorded_payloads_are_read_as_they_are(payload: str, name: bytes) -> None:
    initial = initial_of(data_path(f"verdicts/quic25/payloads/{payload}.bin").read_bytes())
    hello = parse_client_hello(crypto_bytes(initial.frames))
    assert isinstance(hello, ClientHello)
    assert hello.sni is not None
    assert hello.sni.value == name


@pytest.mark.parametrize("payload", ["exp10", "exp11"])
def test_recorded_payloads_whose_crypto_frame_has_a_wrong_length_open_but_hold_no_hello(payload: str) -> None:
    initial = initial_of(data_path(f"verdicts/quic25/payloads/{payload}.bin").read_bytes())
    assert initial.broken is not None
    assert crypto_bytes(initial.frames) == b""


@pytest.mark.parametrize("payload", ["exp3", "exp4", "exp5", "exp6", "exp7", "exp9"])
def test_recorded_payloads_with_a_broken_packet_are_refused(payload: str) -> None:
    assert isinstance(open_initial(data_path(f"verdicts/quic25/payloads/{payload}.bin").read_bytes()), Unparseable)


@pytest.mark.long
def test_speed_of_opening_an_initial() -> None:
    """Measured on a quiet core: 15 µs, of which 7 are the five HMACs of the keys."""
    copies = (PACKET, bytes(bytearray(PACKET)))  # a buffer just read is remembered
    started = time.perf_counter()
    for turn in range(5000):
        open_initial(copies[turn & 1])
    taken = (time.perf_counter() - started) / 5000
    print(f"open_initial: {taken * 1e6:.1f} µs")
    assert taken < 100e-6
