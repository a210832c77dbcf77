"""Datagrams in, what a QUIC server says to a real hello and what a client makes of it out."""

import datetime as dt
import itertools

import pytest
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.quic.events import ConnectionTerminated, ProtocolNegotiated
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from crenel.errors import MissingExtraError, UsageError
from crenel.instant import seconds
from crenel.net.app import quic
from crenel.net.app.quic import Quic
from crenel.net.app.speaker import Heard
from crenel.wire import quic_build
from crenel.wire.quic import Initial, LongHeader, crypto_bytes, open_initial, read_datagram, read_long_header
from crenel.wire.quic_build import build_crypto_frame, build_initial
from crenel.wire.quic_keys import VERSION_2
from crenel.wire.tls import ClientHello, parse_client_hello
from crenel.wire.tls_build import HelloShape, build_hello_message
from tests.net.app.pairing import changed, converse, finding, said

APP = Quic(host="www.example.org", shape=HelloShape.BROWSER)
FIRST, SECOND = APP.initials()
*FLIGHT, PAGE = said(APP)


def header(datagram: bytes) -> LongHeader:
    read = read_long_header(datagram)
    assert isinstance(read, LongHeader)
    return read


def finish() -> list[bytes]:
    client = APP.client()
    return [part for datagram in FLIGHT for part in client.take(datagram)]


def negotiation(*versions: int, swapped: bool = True) -> bytes:
    sent = header(FIRST)
    ids = (sent.scid, sent.dcid) if swapped else (sent.dcid, sent.scid)
    return b"\x80\x00\x00\x00\x00" + b"".join(bytes((len(each),)) + each for each in ids) + b"".join(each.to_bytes(4, "big") for each in versions)


# The hello.


def test_an_older_hello_fits_into_one_datagram_that_a_wall_can_read() -> None:
    (only,) = Quic(host="www.example.org").initials()
    assert len(only) == 1200
    opened = open_initial(only)
    assert isinstance(opened, Initial)
    hello = parse_client_hello(crypto_bytes(opened.frames))
    assert isinstance(hello, ClientHello)
    assert finding(converse(Quic(host="www.example.org"))).intact


def test_the_hello_of_a_browser_takes_two_full_initials() -> None:
    opened = [open_initial(datagram) for datagram in APP.initials()]
    assert [len(datagram) for datagram in APP.initials()] == [1200, 1200]
    frames = [frame for each in opened if isinstance(each, Initial) for frame in each.frames]
    hello = parse_client_hello(crypto_bytes(frames))
    assert isinstance(hello, ClientHello)
    assert hello.sni is not None
    assert (hello.sni.value, hello.alpn, hello.session_id) == (b"www.example.org", (b"h3",), b"")
    assert 1650 < hello.length < 1800
    assert [each.packet_number for each in opened if isinstance(each, Initial)] == [0, 1]


def test_a_real_server_takes_it() -> None:
    key, name, now = ec.generate_private_key(ec.SECP256R1()), x509.Name([]), dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    certificate = builder.not_valid_before(now).not_valid_after(now + dt.timedelta(days=1)).sign(key, hashes.SHA256())
    configuration = QuicConfiguration(is_client=False, alpn_protocols=["h3"], certificate=certificate, private_key=key)
    server = QuicConnection(configuration=configuration, original_destination_connection_id=header(FIRST).dcid)
    for datagram in APP.initials():
        server.receive_datagram(datagram, ("192.0.2.1", 4433), 0.0)
    events = list(iter(server.next_event, None))
    assert [type(event) for event in events if isinstance(event, ProtocolNegotiated | ConnectionTerminated)] == [ProtocolNegotiated]
    answers = [datagram for datagram, _ in server.datagrams_to_send(0.0)]
    assert header(answers[0]).dcid == header(FLIGHT[0]).dcid == header(FIRST).scid


def test_the_same_app_says_the_same_and_another_host_another() -> None:
    assert Quic(host="www.example.org", shape=HelloShape.BROWSER).initials() == APP.initials()
    assert header(Quic(host="other.example").initials()[0]).dcid != header(FIRST).dcid


@pytest.mark.parametrize("host", ["192.0.2.1", "[2001:db8::1]", None])
def test_an_address_is_not_named(host: str | None) -> None:
    opened = [open_initial(datagram) for datagram in Quic(host=host).initials()]
    hello = parse_client_hello(crypto_bytes(frame for each in opened if isinstance(each, Initial) for frame in each.frames))
    assert isinstance(hello, ClientHello)
    assert hello.sni is None
    assert finding(converse(Quic(host=host))).intact


def test_a_name_that_is_too_long_is_refused() -> None:
    with pytest.raises(UsageError, match="longer than 255 bytes"):
        Quic(host="a" * 256)


@pytest.mark.parametrize("side", ["client", "server", "initials"])
def test_without_cryptography_the_extra_is_named(side: str, monkeypatch: pytest.MonkeyPatch) -> None:
    quic._said.cache_clear()
    monkeypatch.setattr(quic_build, "ciphers", lambda: None)
    with pytest.raises(MissingExtraError, match=r"crenel\[quic\]"):
        getattr(APP, side)()


# Both.


def test_client_and_server_come_to_an_end() -> None:
    assert finding(converse(APP)) == Heard(f"QUIC, a page in a datagram of {len(PAGE)} bytes", True)


def test_the_datagrams_look_like_those_of_servers() -> None:
    assert [len(datagram) for datagram in FLIGHT] == [1200, 1200, 1200, 1200, 1068]
    assert sum(map(len, FLIGHT)) <= 3 * 2400  # what a server may send before it knows the address (RFC 9000 section 8.1)
    headers = [header(datagram) for datagram in FLIGHT]
    assert [each.first >> 4 for each in headers] == [0xC, 0xC, 0xE, 0xE, 0xE]
    assert all((each.version, each.dcid, each.end) == (1, header(FIRST).scid, len(datagram)) for each, datagram in zip(headers, FLIGHT, strict=True))
    long, short = finish()
    assert (header(long).first >> 4, header(long).dcid, header(long).scid) == (0xE, headers[0].scid, header(FIRST).scid)
    assert [short[0] >> 6, short[1:9]] == [1, headers[0].scid]
    assert [PAGE[0] >> 6, PAGE[1:4]] == [1, header(FIRST).scid]
    assert [len(read_datagram(datagram)) for datagram in FLIGHT] == [1] * 5


def test_it_says_what_it_awaits() -> None:
    client = APP.client()
    waits = [client.awaits]
    for datagram in FLIGHT:
        client.take(datagram)
        waits.append(client.awaits)
    assert waits == ["the answer to its Initial", *["the rest of the answer to its Initial"] * 4, "the page"]


def test_it_repeats_as_a_probe_timeout_asks() -> None:
    assert list(itertools.accumulate(APP.patience)) == [seconds(1), seconds(3), seconds(7), seconds(10)]


# The server.


@given(st.permutations([FIRST, SECOND]))
def test_the_order_of_the_initials_does_not_matter(order: list[bytes]) -> None:
    server = APP.server()
    assert [list(server.take(datagram)) for datagram in order] == [[], FLIGHT]


def test_what_is_repeated_is_answered_once_more_and_only_once() -> None:
    server = APP.server()
    assert [len(server.take(each)) for each in (FIRST, FIRST, SECOND, FIRST, SECOND, SECOND)] == [0, 0, 5, 0, 5, 5]
    long, short = finish()
    assert [list(server.take(each)) for each in (short, short, long, short, long)] == [[], [], [PAGE], [], [PAGE]]
    assert len(server.take(SECOND)) == 5


def test_half_a_hello_is_not_answered() -> None:
    server = APP.server()
    assert [server.take(datagram) for datagram in [FIRST] * 3 + [PAGE, *finish()]] == [()] * 6


def test_two_connections_from_one_port_are_two() -> None:
    server, other = APP.server(), Quic(host="other.example", shape=HelloShape.BROWSER)
    answers = [len(server.take(each)) for each in (FIRST, other.initials()[0], SECOND, other.initials()[1])]
    assert answers == [0, 0, 5, 5]


MESSAGE = build_hello_message(b"a.example", random=bytes(32))


@pytest.mark.parametrize(
    ("datagram", "answered"),
    [
        (build_initial([build_crypto_frame(0, MESSAGE)], dcid=bytes(8), pad_to=1200), True),
        (build_initial([build_crypto_frame(0, MESSAGE)], dcid=bytes(20), scid=bytes(20), pad_to=1400), True),
        (build_initial([build_crypto_frame(0, MESSAGE)], dcid=bytes(8), pad_to=1199), False),
        (build_initial([build_crypto_frame(0, MESSAGE)], dcid=bytes(7), pad_to=1200), False),
        (build_initial([build_crypto_frame(0, MESSAGE)], dcid=bytes(8), pad_to=1200, version=VERSION_2), False),
        (build_initial([build_crypto_frame(0, MESSAGE[:-1])], dcid=bytes(8), pad_to=1200), False),
        (build_initial([build_crypto_frame(0, b"\x01\x00\x00\x01\x00")], dcid=bytes(8), pad_to=1200), False),
        (build_initial([build_crypto_frame(1, MESSAGE)], dcid=bytes(8), pad_to=1200), False),
        (b"", False),
        (b"\xc0" + bytes(1300), False),
        (b"GET / HTTP/1.1\r\n" * 100, False),
    ],
)
def test_only_a_whole_hello_in_a_datagram_of_full_size_is_answered(datagram: bytes, answered: bool) -> None:
    server = APP.server()
    assert bool(server.take(datagram)) is answered
    assert [len(server.take(each)) for each in (FIRST, SECOND)] == [0, 5]


def test_the_classic_shape_gets_a_shorter_answer() -> None:
    message = build_hello_message(b"a.example", random=bytes(32), shape=HelloShape.CLASSIC)
    datagram = build_initial([build_crypto_frame(0, message)], dcid=bytes(8), pad_to=1200)
    assert [len(part) for part in APP.server().take(datagram)] == [1200, 1200, 1200, 1068]


# The client.


@given(st.permutations(FLIGHT))
def test_the_order_of_the_answers_does_not_matter(order: list[bytes]) -> None:
    client = APP.client()
    assert [list(client.take(datagram)) for datagram in order] == [[]] * 4 + [finish()]
    client.take(PAGE)
    assert finding(client).intact


@given(st.integers(0, 5), st.integers(0, 899), st.integers(1, 255))
def test_what_does_not_decrypt_is_discarded(which: int, at: int, by: int) -> None:
    wrong = [*FLIGHT, PAGE]
    wrong[which : which + 1] = changed(wrong[which : which + 1], at, by)
    client = APP.client()
    for datagram in [*wrong, *wrong]:
        client.take(datagram)
    assert (client.heard, client.done) == ([], False)


@pytest.mark.parametrize(
    ("datagram", "believed"),
    [
        (negotiation(VERSION_2, 0xFF00001D), True),
        (negotiation(VERSION_2, 1), False),
        (negotiation(), False),
        (negotiation(VERSION_2, swapped=False), False),
    ],
)
def test_a_version_negotiation_is_believed_as_long_as_nothing_else_came(datagram: bytes, believed: bool) -> None:
    client = APP.client()
    client.take(datagram)
    assert client.heard == ([Heard("QUIC: version 1 is not offered", False)] if believed else [])
    late = APP.client()
    late.take(FLIGHT[0])
    late.take(datagram)
    assert late.heard == []
