"""Built Initials: the published packets byte for byte, and what they can be made to hold."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.errors import MissingExtraError, UsageError
from crenel.wire.quic import Initial, ciphers, open_initial
from crenel.wire.quic_build import build_crypto_frame, build_initial, build_varint
from crenel.wire.quic_keys import VERSION_1, VERSION_2, client_keys

DCID = bytes.fromhex("8394c8f03e515708")
CRYPTO_FRAME = bytes.fromhex(
    "060040f1010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e86804fe3a47f06a2b69484c00000413011302010000c000000010000e00000b6578"
    "616d706c652e636f6dff01000100000a00080006001d0017001800100007000504616c706e000500050100000000003300260024001d00209370b2c9caa47fba"
    "baf4559fedba753de171fa71f50f1ce15d43e994ec74d748002b0003020304000d0010000e0403050306030203080408050806002d00020101001c0002400100"
    "3900320408ffffffffffffffff05048000ffff07048000ffff0801100104800075300901100f088394c8f03e51570806048000ffff"
)
"""The frame of RFC 9001 appendix A.2, which RFC 9369 appendix A.2 uses too."""

VECTORS = {
    # The first 32 bytes of the protected packet and its last 16: the tag over all of it.
    VERSION_1: ("c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11", "e221af44860018ab0856972e194cd934"),
    VERSION_2: ("d76b3343cf088394c8f03e5157080000449ea0c95e82ffe67b6abcdb4298b485", "a18b2faa745b6fe189cf772a9f84cbfc"),
}


@pytest.mark.parametrize("version", VECTORS)
def test_packets_of_rfc_9001_and_9369_appendix_a_2(version: int) -> None:
    packet = build_initial([CRYPTO_FRAME], dcid=DCID, version=version, packet_number=2, number_size=4, pad_to=1200)
    start, tag = VECTORS[version]
    assert len(packet) == 1200
    assert packet[:32].hex() == start
    assert packet[-16:].hex() == tag


@pytest.mark.parametrize(
    ("value", "encoded"),
    # RFC 9000 appendix A.1, and the edges of each length.
    [
        (151288809941952652, "c2197c5eff14e88c"), (494878333, "9d7f3e7d"), (15293, "7bbd"), (37, "25"),
        (63, "3f"), (64, "4040"), (16383, "7fff"), (16384, "80004000"), ((1 << 30) - 1, "bfffffff"), (1 << 30, "c000000040000000"),
    ],
)  # fmt: skip
def test_variable_length_integers(value: int, encoded: str) -> None:
    assert build_varint(value).hex() == encoded


def test_an_integer_that_fits_no_length() -> None:
    with pytest.raises(UsageError, match="does not fit"):
        build_varint(1 << 62)


@given(
    st.tuples(st.binary(max_size=20), st.binary(max_size=20)),
    st.sampled_from([VERSION_1, VERSION_2, 0xFF00001D]),
    st.binary(max_size=80),
    st.integers(0, 2**32 - 1),
    st.integers(1, 4),
    st.sampled_from([0, 1200]),
    st.binary(max_size=60),
)
def test_what_is_built_is_read(ids: tuple[bytes, bytes], version: int, token: bytes, number: int, size: int, pad: int, data: bytes) -> None:
    dcid, scid = ids
    number &= (1 << 8 * size) - 1
    packet = build_initial(
        [build_crypto_frame(5, data)], dcid=dcid, scid=scid, version=version, token=token, packet_number=number, number_size=size, pad_to=pad
    )
    initial = open_initial(packet)
    assert isinstance(initial, Initial)
    assert (initial.version, initial.dcid, initial.scid, initial.token) == (version, dcid, scid, token)
    assert (initial.packet_number, initial.end) == (number, len(packet))
    assert (initial.frames[0].crypto_offset, initial.frames[0].data, initial.broken) == (5, data, None)
    assert len(packet) >= pad


def test_other_keys_and_a_version_without_any() -> None:
    other = client_keys(VERSION_1, b"other")
    assert build_initial([], dcid=DCID) != build_initial([], dcid=DCID, keys=other)
    assert build_initial([], dcid=DCID, version=0x0A0A0A0A, keys=other)[1:5] == b"\x0a" * 4
    with pytest.raises(UsageError, match="0x0a0a0a0a"):
        build_initial([], dcid=DCID, version=0x0A0A0A0A)


def test_without_cryptography(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as absent:
        for name in [name for name in sys.modules if name.partition(".")[0] == "cryptography"]:
            absent.setitem(sys.modules, name, None)
        ciphers.cache_clear()
        with pytest.raises(MissingExtraError, match="cryptography is not installed"):
            build_initial([], dcid=DCID)
    ciphers.cache_clear()
