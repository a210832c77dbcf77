"""Names in, client Initials of the bench out, which the readers of QUIC and an independent implementation of it open."""

import random

import pytest
from aioquic._buffer import Buffer
from aioquic.quic.crypto import CryptoPair
from aioquic.quic.packet import QuicProtocolVersion, pull_quic_header

from crenel.bench.initials import quic_initials
from crenel.wire.quic import CRYPTO, Initial, open_initial
from crenel.wire.sniff import read_datagram

NAMES = ["blocked.example", "a.test", "x" * 60 + ".example"]


@pytest.fixture(scope="module")
def datagrams() -> list[bytes]:
    return quic_initials(random.Random(3), NAMES)


def test_each_names_its_server(datagrams: list[bytes]) -> None:
    assert [(reading.protocol, reading.names) for reading in map(read_datagram, datagrams)] == [("quic", (name.encode(),)) for name in NAMES]


def test_each_is_one_padded_datagram_with_one_crypto_frame(datagrams: list[bytes]) -> None:
    assert {len(datagram) for datagram in datagrams} == {1200}
    for datagram in datagrams:
        initial = open_initial(datagram, 0)
        assert isinstance(initial, Initial)
        assert [frame.kind for frame in initial.frames if frame.kind == CRYPTO] == [CRYPTO]
        assert initial.frames[0].kind == CRYPTO


def test_connection_ids_are_distinct_and_the_same_for_the_same_seed(datagrams: list[bytes]) -> None:
    assert len({datagram[6:14] for datagram in datagrams}) == len(datagrams)
    assert quic_initials(random.Random(3), NAMES) == datagrams
    assert quic_initials(random.Random(4), NAMES) != datagrams
    assert quic_initials(random.Random(3), []) == []


def test_another_implementation_opens_them(datagrams: list[bytes]) -> None:
    for name, datagram in zip(NAMES, datagrams, strict=True):
        buffer = Buffer(data=datagram)
        header = pull_quic_header(buffer, host_cid_length=8)
        assert header.version == QuicProtocolVersion.VERSION_1
        pair = CryptoPair()
        pair.setup_initial(header.destination_cid, is_client=False, version=QuicProtocolVersion.VERSION_1)
        _, plain, number = pair.decrypt_packet(datagram, buffer.tell(), 0)
        assert number == 0
        assert name.encode() in plain


def test_one_changed_byte_and_nothing_opens(datagrams: list[bytes]) -> None:
    for at in (6, 20, 100, 1199):
        changed = bytearray(datagrams[0])
        changed[at] ^= 1
        assert not isinstance(open_initial(bytes(changed), 0), Initial)
    assert read_datagram(datagrams[0][:1199]).names == ()
