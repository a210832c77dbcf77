"""Queries for the third injector's parser, whole, cut and lying, in; whether it answers, and that no answer holds a byte it was not sent, out."""

import functools
import json

import msgspec
import pytest

from crenel.atlas.compile import load_wall
from crenel.coins import ScriptedCoins
from crenel.instant import Instant
from crenel.wall.effects import Inject, Side
from crenel.wall.wall import Wall
from crenel.wire.packet import Packet, udp_packet
from tests.data import data_path

BEFORE, AFTER = "2023-06-01", "2023-11-02"
BOX = "dns-3"
HEADER = 12
CLIENT, SERVER = bytes((192, 0, 2, 2)), bytes((198, 51, 100, 2))
COUNTS = bytes((0, 1, 0, 1, 0, 0, 0, 0))
"""One question and one answer."""


class Vector(msgspec.Struct, frozen=True):
    """One published vector: a query, and whether the parser before the repair made an answer of it."""

    query: str
    udp_extra: int
    """Bytes by which the UDP header claims more than is there."""
    injects: bool
    expected_response: str

    @property
    def payload(self) -> bytes:
        return bytes.fromhex(self.query)

    def packet(self) -> Packet:
        """Return the datagram as it was sent."""
        packet = udp_packet(CLIENT, SERVER, 50000, 53, self.payload)
        return msgspec.structs.replace(packet, udp_length=8 + len(self.payload) + self.udp_extra) if self.udp_extra else packet


@functools.cache
def vectors() -> list[Vector]:
    return msgspec.convert(json.loads(data_path("verdicts/wallbleed/vectors_v1.json").read_bytes()), list[Vector])


@functools.cache
def wall_of(as_of: str) -> Wall:
    """Return the wall of a date, with one name kept on the lists that left them between the two dates."""
    return load_wall(as_of=as_of, listed=("3.tt",))


def injected(packet: Packet, as_of: str) -> list[Inject]:
    """Return what the third injector makes of a packet."""
    effects = wall_of(as_of).start(ScriptedCoins()).see(Instant(0), Side.INSIDE, packet)
    return [effect for effect in effects if isinstance(effect, Inject) and effect.because.middlebox == BOX]


def asked(answer: bytes) -> bytes:
    """Return the question that an answer repeats; behind it stand a pointer, type, class, TTL, length and one address."""
    size = size_of_address(answer)
    record = answer[-size - 12 :]
    assert record[:2] == b"\xc0\x0c"
    assert record[2:6] == (b"\0\x01\0\x01" if size == 4 else b"\0\x1c\0\x01")
    return answer[HEADER : -size - 12]


def size_of_address(answer: bytes) -> int:
    """Return how long the address at the end of an answer is."""
    return 4 if answer[-6:-4] == b"\0\x04" else 16


def test_the_parser_before_the_repair() -> None:
    wrong = [number for number, vector in enumerate(vectors()) if bool(injected(vector.packet(), BEFORE)) != vector.injects]
    print(f"{len(vectors()) - len(wrong)} of {len(vectors())} vectors")
    assert len(vectors()) == 63
    assert not wrong


@pytest.mark.parametrize("as_of", [BEFORE, AFTER])
def test_answers_hold_nothing_that_was_not_in_the_query(as_of: str) -> None:
    answered = 0
    for vector in vectors():
        for effect in injected(vector.packet(), as_of):
            answered += 1
            answer, query = effect.packet.payload, vector.payload
            assert answer[:2] == query[:2]
            assert answer[4:HEADER] == COUNTS
            assert query[HEADER:].startswith(asked(answer))
    assert answered >= 4


def test_answers_repeat_what_was_recorded_as_far_as_it_came_from_the_query() -> None:
    """The recorded answers go on with bytes of the injector's memory, which no model can know."""
    for number, vector in enumerate(vectors()):
        known, _, kind = vector.expected_response.partition("<")
        recorded = bytes.fromhex(known)
        for effect in injected(vector.packet(), BEFORE):
            answer = effect.packet.payload
            assert answer[2:4] == recorded[2:4], number
            assert recorded[HEADER:].startswith(asked(answer)), number
            assert size_of_address(answer) == (16 if kind == "AAAA_SUFFIX>" else 4), number


def test_the_claimed_length_decides_where_a_name_ends() -> None:
    """Of two queries with the same bytes, the one that claims one more gets an answer that runs on; both are answered."""
    plain, claiming = (next(vector for vector in vectors() if vector.udp_extra == extra and vector.query.endswith("04636f6d00")) for extra in (0, 1))
    assert plain.payload == claiming.payload
    assert injected(plain.packet(), BEFORE)
    assert injected(claiming.packet(), BEFORE)


def test_the_repaired_parser_wants_the_class_within_the_packet() -> None:
    """Each vector that falls silent has no class 1 where the parser looks; asked for properly its name is answered, with another class it is not."""
    silent = [number for number, vector in enumerate(vectors()) if injected(vector.packet(), BEFORE) and not injected(vector.packet(), AFTER)]
    print(f"{len(silent)} of {sum(vector.injects for vector in vectors())} vectors are no longer answered")
    assert silent
    assert not [number for number, vector in enumerate(vectors()) if injected(vector.packet(), AFTER) and not injected(vector.packet(), BEFORE)]
    for number in silent:
        before = injected(vectors()[number].packet(), BEFORE)[0]
        name = before.because.value.rstrip(b"\0.")
        cases = {b"\0\x01\0\x01": True, b"\0\x01\0\x02": False, b"\0\x01\0\xff": False, b"\0\x01\x01\0": False, b"\0\x01\0": False}
        for tail, answered in cases.items():
            query = udp_packet(CLIENT, SERVER, 50000, 53, vectors()[number].payload[:HEADER] + spelt(name) + tail)
            assert injected(query, BEFORE), (number, name, tail)
            assert bool(injected(query, AFTER)) == answered, (number, name, tail)


def spelt(name: bytes) -> bytes:
    """Return a name as labels with their lengths."""
    return b"".join(bytes((len(label),)) + label for label in name.split(b".")) + b"\0"
