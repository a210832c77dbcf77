"""ClientHellos in, the records of a TLS server and what a client makes of them out."""

import ssl

import msgspec
import pytest

from crenel.errors import UsageError
from crenel.net.app.speaker import Heard
from crenel.net.app.tls import Tls, server_hello, server_name
from crenel.wire.tls import ClientHello, read_client_hello
from crenel.wire.tls_build import HelloShape, build_client_hello
from crenel.wire.tls_record import walk_records
from tests.net.app.pairing import changed, converse, finding, found_intact, said

APP = Tls(host="www.example.org")
CLASSIC = Tls(host="www.example.org", shape=HelloShape.CLASSIC)
RANDOM = bytes(range(32))
PLAIN = build_client_hello(b"a.example", random=RANDOM)
BLOCKPAGE = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"


def hello_of(app: Tls) -> ClientHello:
    hello = read_client_hello(app.hello())
    assert isinstance(hello, ClientHello)
    return hello


def answer(app: Tls, stream: bytes, size: int = 1 << 20) -> bytes:
    server = app.server()
    return b"".join(part for start in range(0, len(stream), size) for part in server.take(stream[start : start + size]))


def longer_record(by: int) -> bytes:
    """Return a hello in a record that claims more bytes than the hello has."""
    hello = APP.hello()
    return hello[:3] + (len(hello) - 5 + by).to_bytes(2, "big") + hello[5:]


def sizes(stream: bytes) -> list[tuple[int, int]]:
    return [(record.kind, record.end - record.body) for record in walk_records(stream)]


# The hello.


@pytest.mark.parametrize(("app", "least", "most"), [(APP, 1650, 1800), (CLASSIC, 250, 350)])
def test_the_hello_is_a_real_one_of_the_size_of_its_shape(app: Tls, least: int, most: int) -> None:
    hello = hello_of(app)
    assert hello.sni is not None
    assert hello.sni.value == b"www.example.org"
    assert least <= len(app.hello()) <= most


def test_whatever_is_said_decides_its_random() -> None:
    apps = [APP, CLASSIC, Tls(host="a.example"), Tls(host=None), Tls(host="a.example", alpn=()), Tls(host="a.example", extra=((0xFFCE, b"x"),))]
    assert len({hello_of(app).random for app in apps}) == len(apps)
    assert Tls(host="a.example").hello() == Tls(host="a.example").hello()


def test_a_cut_hello_is_the_same_hello_in_more_records() -> None:
    cut = Tls(host="www.example.org", record_sizes=(1, 3, 70))
    assert [size for _, size in sizes(cut.hello())] == [1, 3, 70, len(APP.hello()) - 5 - 74]
    assert hello_of(cut).random == hello_of(APP).random
    assert said(cut) == said(APP)


def test_further_extensions_are_said() -> None:
    hello = hello_of(Tls(host="a.example", extra=((0xFFCE, b"x"),), alpn=()))
    assert hello.esni is not None
    assert hello.alpn == ()


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("a.example", b"a.example"),
        ("a.example.", b"a.example"),
        ("ä.example", "ä.example".encode()),
        ("192.0.2.1.example", b"192.0.2.1.example"),
        ("192.0.2.1", None),
        ("2001:db8::1", None),
        ("[2001:db8::1]", None),
        ("", None),
        (".", None),
        (None, None),
    ],
)
def test_an_address_is_not_named(host: str | None, name: bytes | None) -> None:
    assert server_name(host) == name
    sni = hello_of(Tls(host=host)).sni
    assert (None if sni is None else sni.value) == name
    assert finding(converse(Tls(host=host))).intact


def test_a_name_that_is_too_long_is_refused() -> None:
    assert finding(converse(Tls(host="a" * 255))).intact
    with pytest.raises(UsageError, match="longer than 255 bytes"):
        Tls(host="ä" * 128)


# The server.


def test_the_server_answers_as_servers_do() -> None:
    flight, page = said(APP)
    kinds = sizes(flight)
    assert [kind for kind, _ in kinds] == [22, 20, 23, 23, 23, 23]
    assert [size for _, size in kinds] == [4 + 2 + 32 + 33 + 5 + 6 + 8 + 1120, 1, 32, 3008, 281, 53]
    assert sizes(said(CLASSIC)[0])[0] == (22, 4 + 2 + 32 + 33 + 5 + 6 + 8 + 32)
    assert sizes(page) == [(23, 240 + 1024 + 17)]


@pytest.mark.parametrize(("body", "records"), [(0, [257]), (16144, [16401]), (16145, [16401, 18]), (40000, [16401, 16401, 7489])])
def test_a_page_takes_as_many_records_as_it_needs(body: int, records: list[int]) -> None:
    app = Tls(host="a.example", body_size=body)
    assert [size for _, size in sizes(said(app)[1])] == records
    assert finding(converse(app)) == Heard(f"TLS 1.3, a page of {body} bytes", True)


def test_a_real_client_reads_the_server_hello_and_fails_at_the_first_ciphertext() -> None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="a.example")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    incoming.write(answer(APP, outgoing.read()))
    with pytest.raises(ssl.SSLError) as failed:
        client.do_handshake()
    assert failed.value.reason == "DECRYPTION_FAILED_OR_BAD_RECORD_MAC"


@pytest.mark.parametrize("size", [1, 2, 5, 700])
def test_the_server_puts_a_hello_together(size: int) -> None:
    hello = build_client_hello(b"a.example", random=RANDOM, record_sizes=(2, 40, 1))
    whole = answer(APP, PLAIN)
    assert len(whole) > 3000
    assert answer(APP, hello, size) == whole
    assert answer(APP, hello[:-1], size) == b""


def test_a_hello_in_a_record_that_is_not_all_there_is_not_answered() -> None:
    assert answer(APP, longer_record(1)) == b""


@pytest.mark.parametrize(
    ("stream", "alert"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 10),
        (b"\x00", 10),
        (b"\x14\x03\x03\x00\x01\x01" + APP.hello(), 10),
        (b"\x16\x03\x01\x00\x00" + APP.hello(), 50),
        (longer_record(1) + b"\x00", 10),
        (b"\x16\x03\x01\x00\x04\x02\x00\x00\x00", 50),
        (APP.hello()[:60] + b"\xff" * (len(APP.hello()) - 60), 50),
        (PLAIN.replace(b"\x00\x2b\x00\x05\x04\x03\x04\x03\x03", b"\x00\x2b\x00\x05\x04\x03\x03\x03\x02"), 70),
        (PLAIN.replace(b"\x00\x24\x00\x1d\x00\x20", b"\x00\x24\x00\x1e\x00\x20"), 40),
        (PLAIN.replace(b"\x13\x02\x13\x03\x13\x01", b"\x13\x02\x13\x03\x13\x04"), 40),
    ],
)
def test_what_it_cannot_take_gets_an_alert_and_the_end(stream: bytes, alert: int) -> None:
    server = APP.server()
    assert server.take(stream) == (b"\x15\x03\x03\x00\x02\x02" + bytes((alert,)),)
    assert server.done
    assert server.take(APP.hello()) == ()


def test_only_the_client_that_heard_the_server_gets_a_page() -> None:
    client = APP.client()
    flight, page = said(APP)
    finish = b"".join(client.take(flight))
    assert sizes(finish) == [(20, 1), (23, 53), (23, 480)]
    assert answer(APP, APP.hello() + finish) == flight + page
    for at in range(len(finish)):
        wrong = b"".join(changed([finish], at, 1))
        assert answer(APP, APP.hello() + wrong, 1900) == flight + b"\x15\x03\x03\x00\x02\x02\x14"


# The client.


def test_it_says_what_it_awaits() -> None:
    client = APP.client()
    flight, page = said(APP)
    waits = [client.awaits]
    for piece in (flight[:1], flight[1:], page[:1], page[1:]):
        client.take(piece)
        waits.append(client.awaits)
    assert waits == ["the answer to its ClientHello", "the rest of the answer to its ClientHello", "the page", *["the rest of the page"] * 2]


@pytest.mark.parametrize(
    ("heard", "says"),
    [
        (b"\x15\x03\x03\x00\x02\x02\x28", "TLS alert: handshake failure"),
        (b"\x15\x03\x03\x00\x02\x02\xc8", "TLS alert: 200"),
        (said(APP)[0] + b"\x15\x03\x03\x00\x02\x01\x00", "TLS alert: close notify"),
        (said(CLASSIC)[0], "TLS, but another handshake record of 122 bytes"),
        (said(APP)[0] + b"\x17\x03\x03\x00\x03abc", "TLS, but a record that does not decrypt of 3 bytes"),
        (b"\x18\x03\x03\x00\x03abc", "TLS, but an unexpected record of 3 bytes"),
        (BLOCKPAGE, "no TLS: not a TLS record: its content type or major version is none of TLS"),
        (said(APP)[0] + BLOCKPAGE, "no TLS: not a TLS record: its content type or major version is none of TLS"),
    ],
)
@pytest.mark.parametrize("size", [1, 1 << 20])
def test_anything_else_is_another_answer(heard: bytes, says: str, size: int) -> None:
    client = APP.client()
    for start in range(0, len(heard), size):
        client.take(heard[start : start + size])
    assert (client.heard, client.done) == ([Heard(says, False)], True)


def test_a_record_that_is_not_all_there_is_waited_for() -> None:
    client = APP.client()
    client.take(b"\x15\x03\x03\x00\x02\x02")
    assert (client.heard, client.done) == ([], False)


def test_a_hello_that_arrived_otherwise_is_noticed() -> None:
    hello = CLASSIC.hello()
    for at in [*range(5), *range(5, len(hello), 7)]:
        server = CLASSIC.server()
        parts = [part for part in server.take(changed([hello], at, 1)[0]) if part]
        # The minor version of the record layer is passed over and no part of the transcript (RFC 8446 sections 4.4.1 and 5.1).
        assert found_intact(CLASSIC, [*parts, said(CLASSIC)[1]]) is (at == 2), at


def test_an_app_that_offers_nothing_expects_an_alert() -> None:
    app = Tls(host="a.example", record_sizes=(0, 1), extra=((51, b""), (0, b"\x00")))
    assert finding(converse(app)).intact


@pytest.mark.parametrize(
    "wrong",
    [
        {"extra": ((1, bytes(13_000)),)},
        {"extra": ((0x10000, b""),)},
        {"extra": ((-1, b""),)},
        {"alpn": (b"a" * 256,)},
        {"alpn": (b"h2",) * 7000},
    ],
)
def test_what_no_hello_holds_is_refused(wrong: dict[str, tuple[bytes, ...]]) -> None:
    with pytest.raises(UsageError, match="do not fit a ClientHello"):
        msgspec.structs.replace(APP, **wrong)


def test_what_one_record_holds_is_said() -> None:
    assert finding(converse(Tls(host="a.example", extra=((0xFFFF, bytes(11_900)),)))).intact


def test_the_server_hello_of_no_hello_is_an_alert() -> None:
    assert server_hello(b"") == 50
