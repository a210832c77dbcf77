"""Which client Initials the QUIC box reads: the recorded payloads, and each of its limits on Initials encrypted here."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.wall.match import Entry, NameList
from crenel.wall.readers.quic import QuicSni
from crenel.wire.quic_build import build_crypto_frame, build_initial
from crenel.wire.tls_build import build_hello_message
from tests.data import data_path

LISTED = NameList([Entry("google.com")])


def reader(**how: object) -> QuicSni:
    measured = {
        "list": "names", "version": 1, "longest_dcid": 20, "packets": 1, "crypto_first": True, "crypto_frames": 1, "crypto_header": "fixed",
        "empty_crypto": "rest",
    }
    return QuicSni(**{**measured, **how})  # type: ignore[arg-type]  # keywords of the type


BOX = reader()


def triggers(box: QuicSni, datagram: bytes) -> bool:
    return any(LISTED.find(found.value) is not None for found in box.read(datagram).found)


def payload(name: str) -> bytes:
    return data_path(f"verdicts/quic25/payloads/{name}.bin").read_bytes()


@pytest.mark.parametrize("number", range(1, 17))
def test_the_recorded_payloads(number: int) -> None:
    assert triggers(BOX, payload(f"exp{number}")) == (number in {1, 2, 8, 10, 15})


@pytest.mark.parametrize(
    ("number", "how", "seen"),
    [
        (1, {"version": 2}, False),
        (16, {"version": 0x6B3343CF, "crypto_header": "varint"}, True),
        (1, {"longest_dcid": 15}, False),
        (1, {"longest_dcid": 16}, True),
        (1, {"packets": 0}, False),
        (1, {"crypto_frames": 0}, False),
        (1, {"crypto_header": "varint"}, True),
        (10, {"crypto_header": "varint"}, False),
        (10, {"empty_crypto": "empty"}, False),
        (12, {"crypto_first": False, "crypto_frames": 99, "crypto_header": "varint"}, True),
        (13, {"crypto_first": False}, True),
    ],
)
def test_each_limit_on_a_recorded_payload(number: int, how: dict[str, object], seen: bool) -> None:
    assert triggers(reader(**how), payload(f"exp{number}")) == seen


def test_outer_names_of_encrypted_hellos_count() -> None:
    assert [found.value for found in BOX.read(payload("exp14")).found] == [b"cloudflare-ech.com"]


def initial(*frames: bytes) -> bytes:
    return build_initial(frames, dcid=bytes(8))


HELLO = build_hello_message(b"www.google.com", random=bytes(32))


FIRST, SECOND = build_crypto_frame(0, HELLO[:100]), build_crypto_frame(100, HELLO[100:])
WHOLE = build_crypto_frame(0, HELLO)


@pytest.mark.parametrize(
    ("frames", "how", "seen"),
    [
        ((WHOLE,), {}, True),
        ((WHOLE, bytes(50)), {}, True),
        ((b"\1", WHOLE), {}, False),
        ((b"\1", WHOLE), {"crypto_first": False}, True),
        ((b"\0", WHOLE), {}, False),
        ((FIRST, SECOND), {}, False),
        ((FIRST, SECOND), {"crypto_frames": 2}, True),
        ((SECOND, FIRST), {"crypto_frames": 2}, False),
        ((SECOND, FIRST), {"crypto_frames": 2, "crypto_first": False}, True),
        ((build_crypto_frame(0, HELLO[:-1]),), {}, False),
        ((build_crypto_frame(0, b""), HELLO), {"crypto_header": "varint"}, True),
        ((build_crypto_frame(0, b""), HELLO), {}, False),
    ],
)
def test_frames(frames: tuple[bytes, ...], how: dict[str, object], seen: bool) -> None:
    assert triggers(reader(**how), initial(*frames)) == seen


def test_only_so_many_packets_of_a_datagram_are_looked_at() -> None:
    nameless = build_crypto_frame(0, build_hello_message(None, random=bytes(32)))
    both = initial(nameless) + initial(WHOLE)
    assert not triggers(BOX, both)
    assert triggers(reader(packets=2), both)


def test_the_place_of_the_name_is_in_the_datagram() -> None:
    # The tag of 16 bytes stands behind the hello, so the name is as far from the end as it is in the hello, and that more.
    for frames, how in (((WHOLE,), {}), ((b"\1", FIRST, SECOND), {"crypto_first": False, "crypto_frames": 2})):
        datagram = initial(*frames)
        found, = reader(**how).read(datagram).found
        assert found.length == len(b"www.google.com")
        assert len(datagram) - 16 - found.offset == len(HELLO) - HELLO.index(b"www.google.com")


@given(st.binary(max_size=80), st.integers(0, 90))
def test_damaged_initials_are_let_pass(other: bytes, at: int) -> None:
    datagram = initial(WHOLE)
    damaged = datagram[:at] + other + datagram[at + len(other) :]
    if damaged != datagram:
        assert not triggers(BOX, damaged)
