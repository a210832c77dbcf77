"""Built hellos: the same for the same random, in the size of what they resemble, and wrong where they are asked to be."""

import socket
import struct
import threading

import pytest

from crenel.wire.result import Incomplete
from crenel.wire.tls import ECH, ClientHello, read_client_hello
from crenel.wire.tls_build import HelloShape, build_client_hello, build_hello_message
from crenel.wire.tls_record import walk_records

RANDOM = bytes(range(32))


def hello_of(stream: bytes) -> ClientHello:
    hello = read_client_hello(stream)
    assert isinstance(hello, ClientHello), hello
    return hello


@pytest.mark.parametrize(("shape", "least", "most"), [(HelloShape.CLASSIC, 250, 500), (HelloShape.BROWSER, 1600, 1800)])
def test_the_shapes_have_the_sizes_of_what_they_resemble(shape: HelloShape, least: int, most: int) -> None:
    assert least <= len(build_client_hello(b"www.allowed.example", random=RANDOM, shape=shape)) <= most


@pytest.mark.parametrize("shape", HelloShape)
def test_the_random_decides_every_byte(shape: HelloShape) -> None:
    first, again = (build_client_hello(b"a.example", random=RANDOM, shape=shape) for _ in range(2))
    other = build_client_hello(b"a.example", random=RANDOM[::-1], shape=shape)
    assert first == again != other
    assert hello_of(first).session_id != hello_of(other).session_id


def test_a_browser_offers_what_browsers_offer() -> None:
    hello = hello_of(build_client_hello(b"a.example", random=RANDOM, shape=HelloShape.BROWSER))
    kinds = [each.kind for each in hello.extensions]
    grease = [kind for kind in kinds if kind & 0x0F0F == 0x0A0A]
    assert len(grease) == len(set(grease)) == 2
    assert all(kind >> 8 == kind & 0xFF for kind in [*grease, hello.cipher_suites[0], hello.supported_versions[0]])
    assert len(kinds) == len(set(kinds))
    assert hello.ech is not None
    assert next(each.length for each in hello.extensions if each.kind == 51) > 1216


def test_two_random_values_that_choose_the_same_grease_still_differ() -> None:
    for seed in range(64):
        hello = hello_of(build_client_hello(None, random=bytes([seed]) * 32, shape=HelloShape.BROWSER))
        kinds = [each.kind for each in hello.extensions]
        assert len(kinds) == len(set(kinds))


@pytest.mark.parametrize("at", [0, 3, 99])
def test_the_name_stands_where_it_is_asked_for(at: int) -> None:
    hello = hello_of(build_client_hello(b"a.example", random=RANDOM, name_at=at))
    kinds = [each.kind for each in hello.extensions]
    assert kinds.index(0) == min(at, len(kinds) - 1)


def test_left_out_parts_are_left_out() -> None:
    hello = hello_of(build_client_hello(None, random=RANDOM, alpn=()))
    assert not {0, 16} & {each.kind for each in hello.extensions}


def test_records_of_the_asked_sizes() -> None:
    stream = build_client_hello(b"a.example", random=RANDOM, record_sizes=(1, 5, 100))
    sizes = [each.end - each.body for each in walk_records(stream)]
    assert sizes[:3] == [1, 5, 100]
    whole = build_hello_message(b"a.example", random=RANDOM, alpn=(b"h2", b"http/1.1"))
    assert sum(sizes) == len(whole)
    assert build_client_hello(b"a.example", random=RANDOM, record_sizes=(len(whole),)).count(b"\x16\x03\x01") == 1
    assert struct.unpack_from(">BHH", stream) == (22, 0x301, 1)


def captured_hello(browser: str) -> bytes:
    """Return the hello that curl-cffi sends to a listener on the loopback address in the shape of a browser."""
    requests = pytest.importorskip("curl_cffi.requests")
    received: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)

        def receive() -> None:
            connection = listener.accept()[0]
            with connection:
                connection.settimeout(10)
                stream = b""
                while isinstance(read_client_hello(stream), Incomplete):
                    stream += connection.recv(65536)
                received.append(stream)

        server = threading.Thread(target=receive)
        server.start()
        with pytest.raises(requests.RequestsError):
            requests.get(f"https://localhost:{listener.getsockname()[1]}/", impersonate=browser, timeout=10)
        server.join(20)
    return received[0]


def test_a_browser_hello_has_the_extensions_and_the_size_of_a_real_one() -> None:
    ours, theirs = hello_of(build_client_hello(b"localhost", random=RANDOM, shape=HelloShape.BROWSER)), hello_of(captured_hello("chrome136"))
    assert ours.ech is not None
    assert theirs.ech is not None
    # ECH placeholders come in several lengths, GREASE in sixteen types.
    assert ours.length - ours.ech.length == theirs.length - theirs.ech.length
    assert ours.cipher_suites[1:] == theirs.cipher_suites[1:]
    parts = [sorted((each.kind, each.length) for each in hello.extensions if each.kind & 0x0F0F != 0x0A0A) for hello in (ours, theirs)]
    assert [part for part in parts[0] if part[0] != ECH] == [part for part in parts[1] if part[0] != ECH]
