"""Fragments in any order, against a model that looks at every byte; and each rule, limit and oddity by example."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.flow.fragments import Defragmenter, Fragment, FragmentKey, FragmentLimits, fragment_key, is_fragment
from crenel.flow.overlap import Overlap
from crenel.instant import Instant, seconds
from crenel.wire.ip import parse_packet, write_transport
from crenel.wire.packet import IP_DF, IP_MF, UDP, Packet, tcp_packet, udp_packet
from crenel.wire.verify import ChecksumState, checksum_state

CLIENT, SERVER = bytes([192, 0, 2, 1]), bytes([198, 51, 100, 2])
CLIENT6, SERVER6 = bytes.fromhex("20010db8000000000000000000000001"), bytes.fromhex("20010db8000000000000000000000002")
KEY: FragmentKey = (CLIENT, SERVER, UDP, 7)
AMPLE = FragmentLimits(datagrams=64, held_bytes=1 << 20, pieces=1 << 12, lifetime=seconds(30))
START = Instant(0)


def body_of(packet: Packet) -> bytes:
    """Give back the IP payload of a UDP fragment (checksums do not matter here)."""
    if packet.frag_offset:
        return packet.payload
    length = packet.udp_length if packet.udp_length is not None else 8 + len(packet.payload)
    return packet.sport.to_bytes(2, "big") + packet.dport.to_bytes(2, "big") + length.to_bytes(2, "big") + b"\0\0" + packet.payload


def parse_udp(header: Packet, body: bytes) -> Packet:
    claimed = int.from_bytes(body[4:6], "big")
    return msgspec.structs.replace(
        header, sport=int.from_bytes(body[:2], "big"), dport=int.from_bytes(body[2:4], "big"), payload=body[8:],
        udp_length=None if claimed == len(body) else claimed,
    )


def defragmenter(overlap: Overlap | None = Overlap.FIRST, limits: FragmentLimits = AMPLE) -> Defragmenter:
    return Defragmenter(limits, overlap, body=body_of, parse=parse_udp)


def cut(packet: Packet, *bounds: int) -> list[Packet]:
    """Cut a UDP packet at offsets of its IP payload, as a router or a host would."""
    body = body_of(packet)
    head = msgspec.structs.replace(packet, payload=body[8 : bounds[0]], ip_flags=packet.ip_flags | IP_MF, udp_length=len(body))
    tails = [
        Packet(
            packet.version, packet.src, packet.dst, packet.proto, payload=body[begin:end], ttl=packet.ttl, ident=packet.ident,
            ip_flags=packet.ip_flags | IP_MF if end < len(body) else packet.ip_flags, frag_offset=begin,
        )
        for begin, end in zip(bounds, [*bounds[1:], len(body)], strict=True)
    ]
    return [head, *tails]


def part(offset: int, body: bytes, *, more: bool = True, key: FragmentKey = KEY) -> Fragment:
    return Fragment(key, offset, more, body)


# --- packets


@given(st.data(), st.binary(min_size=9, max_size=300), st.sampled_from(list(Overlap)), st.booleans())
def test_a_cut_packet_comes_back_whole_in_any_order(data: st.DataObject, payload: bytes, overlap: Overlap, six: bool) -> None:
    src, dst = (CLIENT6, SERVER6) if six else (CLIENT, SERVER)
    whole = udp_packet(src, dst, 40000, 53, payload, ident=77, ttl=9)
    bounds = sorted(data.draw(st.sets(st.integers(1, (len(payload) + 7) // 8), min_size=1)))
    parts = data.draw(st.permutations(cut(whole, *[8 * bound for bound in bounds])))
    held = defragmenter(overlap)
    answers = [held.add(START, fragment) for fragment in parts]
    assert answers == [None] * (len(parts) - 1) + [whole]
    assert (len(held), held.held_bytes, held.completed, held.overlaps) == (0, 0, 1, 0)


def test_what_is_no_fragment_passes_untouched() -> None:
    packet = udp_packet(CLIENT, SERVER, 1, 2, b"x", ip_flags=IP_DF)
    held = defragmenter()
    assert held.add(START, packet) is packet
    assert len(held) == 0


def test_without_a_policy_fragments_pass_as_they_are() -> None:
    held = defragmenter(None)
    parts = cut(udp_packet(CLIENT, SERVER, 1, 2, b"x" * 40), 16)
    assert [held.add(START, fragment) for fragment in parts] == parts
    assert held.offer(START, part(0, b"x")) is None
    assert len(held) == 0


def test_the_whole_packet_has_the_header_of_the_first_fragment_and_no_trace_of_the_cut() -> None:
    first, last = cut(udp_packet(CLIENT, SERVER, 1, 2, b"abcdefghijklmnop", ttl=64, ident=5, ip_flags=IP_DF), 16)
    first = msgspec.structs.replace(first, ttl=11, tos=8, total_length=36, ip_checksum=1, trailer=b"pad", raw=b"raw", checksum=99)
    last = msgspec.structs.replace(last, ttl=22)
    held = defragmenter()
    assert held.add(START, last) is None
    whole = held.add(START, first)
    assert whole == Packet(4, CLIENT, SERVER, UDP, 1, 2, payload=b"abcdefghijklmnop", ttl=11, tos=8, ident=5, ip_flags=IP_DF)


def changed(packet: Packet, field: str, value: int | bytes) -> Packet:
    return msgspec.structs.replace(packet, **{field: value})


@pytest.mark.parametrize(
    ("version", "field", "value", "same"),
    [
        (4, "ident", 6, False), (4, "proto", 6, False), (4, "src", SERVER, False), (4, "dst", CLIENT, False), (4, "ttl", 3, True),
        (6, "ident", 6, False), (6, "proto", 6, True), (6, "src", SERVER6, False), (6, "dst", CLIENT6, False),
    ],
)
def test_what_tells_datagrams_apart(version: int, field: str, value: int | bytes, same: bool) -> None:
    src, dst = (CLIENT, SERVER) if version == 4 else (CLIENT6, SERVER6)
    first, last = cut(udp_packet(src, dst, 1, 2, b"x" * 20, ident=5), 16)
    held = defragmenter()
    held.add(START, first)
    assert (fragment_key(changed(last, field, value)) == fragment_key(first)) is same
    assert (held.add(START, changed(last, field, value)) is not None) is same


@pytest.mark.parametrize(("offset", "flags", "expected"), [(0, 0, False), (0, IP_DF, False), (0, IP_MF, True), (8, 0, True), (8, IP_MF, True)])
def test_what_a_fragment_is(offset: int, flags: int, expected: bool) -> None:
    assert is_fragment(Packet(4, CLIENT, SERVER, UDP, ip_flags=flags, frag_offset=offset)) is expected


# --- packets from a wire


def cut_bytes(packet: Packet, bounds: list[int], before: bytes = b"") -> list[Packet]:
    """Cut a packet as bytes and read the fragments again; `before` are IPv6 extension headers that each fragment repeats, type 60."""
    body = write_transport(packet)
    parts = []
    for begin, end in zip([0, *bounds], [*bounds, len(body)], strict=True):
        field = begin | (end < len(body)) if packet.version == 6 else (end < len(body)) << 13 | begin >> 3
        if packet.version == 6:
            fragment = bytes([packet.proto, 0]) + field.to_bytes(2, "big") + packet.ident.to_bytes(4, "big")
            load = before + fragment + body[begin:end]
            first = 60 if before else 44
            head = (6 << 28).to_bytes(4, "big") + len(load).to_bytes(2, "big") + bytes([first, packet.ttl]) + packet.src + packet.dst
        else:
            load = body[begin:end]
            head = b"\x45\0" + (20 + len(load)).to_bytes(2, "big") + packet.ident.to_bytes(2, "big") + field.to_bytes(2, "big")
            head += bytes([packet.ttl, packet.proto, 0, 0]) + packet.src + packet.dst
        read = parse_packet(head + load)
        assert isinstance(read, Packet)
        assert is_fragment(read)
        parts.append(read)
    return parts


HOP_OPTIONS = bytes([44, 0, 1, 4, 0, 0, 0, 0])
TRANSPORT_FIELDS = ("sport", "dport", "seq", "ack", "flags", "window", "payload", "options", "udp_length", "data_offset", "headless", "proto")


@given(
    st.data(), st.binary(max_size=200), st.booleans(), st.booleans(), st.sampled_from([b"", HOP_OPTIONS]),
    st.binary(max_size=5).map(lambda word: word * 8),
)
def test_fragments_off_a_wire_become_the_packet_that_was_cut(
    data: st.DataObject, payload: bytes, six: bool, tcp: bool, before: bytes, options: bytes,
) -> None:
    src, dst = (CLIENT6, SERVER6) if six else (CLIENT, SERVER)
    whole = udp_packet(src, dst, 5, 6, payload + b"x", ident=9) if not tcp else tcp_packet(src, dst, 5, 6, payload=payload, options=options, ident=9)
    size = len(write_transport(whole))
    bounds = sorted(8 * block for block in data.draw(st.sets(st.integers(1, (size - 1) // 8), min_size=1)))
    held = Defragmenter(AMPLE, Overlap.FIRST)
    answers = [held.add(START, fragment) for fragment in data.draw(st.permutations(cut_bytes(whole, bounds, before)))]
    assert answers[:-1] == [None] * len(bounds)
    last = answers[-1]
    assert last is not None
    assert not is_fragment(last)
    assert [getattr(last, field) for field in TRANSPORT_FIELDS] == [getattr(whole, field) for field in TRANSPORT_FIELDS]
    assert (last.src, last.dst, last.ttl, last.ident, last.total_length) == (whole.src, whole.dst, whole.ttl, 9, None)
    assert checksum_state(last) is ChecksumState.VALID


def test_options_behind_the_fragment_header_are_part_of_what_was_cut() -> None:
    inner = udp_packet(CLIENT6, SERVER6, 5, 6, b"abcdefgh", ident=9)
    body = bytes([UDP, 0, 1, 4, 0, 0, 0, 0]) + write_transport(inner)
    held = Defragmenter(AMPLE, Overlap.FIRST)
    answers = []
    for begin, end in ((0, 16), (16, 24)):
        load = bytes([60, 0]) + (begin | (end < 24)).to_bytes(2, "big") + (9).to_bytes(4, "big") + body[begin:end]
        read = parse_packet((6 << 28).to_bytes(4, "big") + len(load).to_bytes(2, "big") + bytes([44, 64]) + CLIENT6 + SERVER6 + load)
        assert isinstance(read, Packet)
        answers.append(held.add(START, read))
    assert answers[0] is None
    whole = answers[1]
    assert whole is not None
    assert (whole.proto, whole.sport, whole.dport, whole.payload) == (UDP, 5, 6, b"abcdefgh")


@given(
    st.lists(st.tuples(st.integers(0, 4), st.binary(max_size=60), st.booleans()), min_size=1, max_size=6),
    st.sampled_from([UDP, 6, 1, 58, 60, 44, 99]),
)
def test_no_body_however_odd_breaks_the_reading_of_the_whole(parts: list[tuple[int, bytes, bool]], proto: int) -> None:
    held = Defragmenter(AMPLE, Overlap.LAST)
    for version, head in ((4, b"\x45\0"), (6, (6 << 28).to_bytes(4, "big"))):
        for block, body, more in parts:
            if version == 4:
                bits = (more << 13 | block).to_bytes(2, "big")
                data = head + (20 + len(body)).to_bytes(2, "big") + b"\0\1" + bits + bytes([64, proto, 0, 0]) + CLIENT + SERVER + body
            else:
                load = bytes([proto, 0]) + (block << 3 | more).to_bytes(2, "big") + b"\0\0\0\1" + body
                data = head + len(load).to_bytes(2, "big") + bytes([44, 64]) + CLIENT6 + SERVER6 + load
            read = parse_packet(data)
            assert isinstance(read, Packet)
            whole = held.add(START, read)
            assert whole is None or not is_fragment(whole)


# --- overlaps

Span = tuple[int, int]
NEWER_WINS: dict[Overlap, Callable[[Span, Span], bool]] = {
    Overlap.FIRST: lambda _new, _old: False,
    Overlap.LAST: lambda _new, _old: True,
    Overlap.BSD: lambda new, old: new[0] < old[0],
    Overlap.LINUX: lambda new, old: new[0] <= old[0],
    Overlap.BSD_RIGHT: lambda new, old: new[0] >= old[0],
    Overlap.ENCLOSING: lambda new, old: new[0] < old[0] and new[1] > old[1],
}


@given(
    st.lists(st.tuples(st.integers(0, 5), st.binary(min_size=1, max_size=20), st.booleans()), max_size=14), st.sampled_from(list(NEWER_WINS)),
)
def test_every_policy_agrees_with_a_model_of_single_bytes(parts: list[tuple[int, bytes, bool]], overlap: Overlap) -> None:
    held, places, end = defragmenter(overlap), dict[int, tuple[int, Span]](), -1
    for block, body, last in parts:
        span = (8 * block, 8 * block + len(body))
        answer = held.offer(START, part(span[0], body, more=not last))
        reach = max(places, default=-1) + 1
        if (end >= 0 and span[1] > end) or (last and (span[1] < reach or end not in {-1, span[1]})):
            assert answer is None
            continue
        end = span[1] if last else end
        for place, byte in zip(range(*span), body, strict=True):
            if place not in places or NEWER_WINS[overlap](span, places[place][1]):
                places[place] = (byte, span)
        if len(places) != end:
            assert answer is None
            continue
        assert answer == bytes(places[place][0] for place in range(end))
        places, end = {}, -1
    assert held.held_bytes == len(places)


OLD, NEW, TAIL = part(8, b"oooooooo"), part(8, b"NNNNNNNN"), part(16, b"", more=False)


@pytest.mark.parametrize(
    ("overlap", "said"),
    [
        (Overlap.FIRST, b"headheadoooooooo"), (Overlap.LAST, b"headheadNNNNNNNN"), (Overlap.BSD, b"headheadoooooooo"),
        (Overlap.LINUX, b"headheadNNNNNNNN"), (Overlap.BSD_RIGHT, b"headheadNNNNNNNN"), (Overlap.ENCLOSING, b"headheadoooooooo"),
        (Overlap.REFUSE, b"headheadoooooooo"), (Overlap.DISCARD, None),
    ],
)
def test_two_fragments_for_the_same_place(overlap: Overlap, said: bytes | None) -> None:
    held = defragmenter(overlap)
    for fragment in (OLD, NEW, TAIL):
        assert held.offer(START, fragment) is None
    assert held.offer(START, part(0, b"headhead")) == said
    assert (held.overlaps, held.conflicts) == (1, 1)


def test_only_what_encloses_the_original_replaces_it() -> None:
    held = defragmenter(Overlap.ENCLOSING)
    held.offer(START, OLD)
    held.offer(START, part(0, b"N" * 24))
    assert held.offer(START, part(24, b"", more=False)) == b"N" * 24


def test_a_discarded_datagram_stays_discarded_until_its_time_is_over() -> None:
    held = defragmenter(Overlap.DISCARD)
    for fragment in (OLD, NEW, part(0, b"headhead"), part(8, b"oooooooo", more=False)):
        assert held.offer(START, fragment) is None
    assert (held.refused, held.held_bytes, len(held)) == (3, 0, 1)
    later = Instant(AMPLE.lifetime)
    assert held.offer(later, part(0, b"headhead")) is None
    assert held.offer(later, part(8, b"oooooooo", more=False)) == b"headheadoooooooo"


@pytest.mark.parametrize("overlap", list(Overlap))
def test_an_exact_copy_does_no_harm(overlap: Overlap) -> None:
    held = defragmenter(overlap)
    assert [held.offer(START, OLD), held.offer(START, OLD)] == [None, None]
    held.offer(START, part(0, b"headhead"))
    assert held.offer(START, TAIL) == b"headheadoooooooo"
    assert (held.overlaps, held.conflicts) == (1, 0)


# --- oddities


@pytest.mark.parametrize(
    ("name", "fragments", "malformed"),
    [
        ("empty in the middle", [part(8, b"")], 1),
        ("empty and alone", [part(0, b"", more=False)], 1),
        ("before the start", [part(-8, b"x" * 16)], 1),
        ("past 65,535", [part(65528, b"x" * 8)], 1),
        ("just up to 65,535", [part(65528, b"x" * 7)], 0),
        ("teardrop: the last lies inside the first", [part(0, b"x" * 36), part(24, b"y" * 4, more=False)], 1),
        ("past the known end", [part(8, b"x" * 8, more=False), part(16, b"y" * 8)], 1),
        ("two ends", [part(8, b"x" * 8, more=False), part(8, b"x" * 4, more=False)], 1),
        ("the same end twice", [part(8, b"x" * 8, more=False), part(8, b"x" * 8, more=False)], 0),
    ],
)
def test_fragments_that_fit_no_datagram(name: str, fragments: list[Fragment], malformed: int) -> None:
    held = defragmenter()
    assert [held.offer(START, fragment) for fragment in fragments] == [None] * len(fragments), name
    assert held.malformed == malformed


def test_an_empty_last_fragment_says_where_the_datagram_ends() -> None:
    held = defragmenter()
    assert held.offer(START, part(8, b"", more=False)) is None
    assert held.offer(START, part(0, b"x" * 8)) == b"x" * 8


@given(
    st.lists(st.tuples(st.integers(-9, 70000), st.binary(max_size=40), st.booleans(), st.integers(0, 3), st.integers(-100, 100)), max_size=40),
    st.sampled_from([*Overlap, None]),
    st.builds(FragmentLimits, datagrams=st.integers(0, 3), held_bytes=st.integers(0, 90), pieces=st.integers(0, 4), lifetime=st.integers(0, 50)),
)
def test_garbage_never_raises_and_never_gets_past_the_limits(
    parts: list[tuple[int, bytes, bool, int, int]], overlap: Overlap | None, limits: FragmentLimits,
) -> None:
    held = defragmenter(overlap, limits)
    for offset, body, more, ident, now in parts:
        flags = IP_MF if more else 0
        held.add(Instant(now), Packet(4, CLIENT, SERVER, UDP, payload=body, ident=ident, ip_flags=flags, frag_offset=offset))
        assert len(held) <= limits.datagrams
        assert 0 <= held.held_bytes <= limits.held_bytes


# --- time and room


@pytest.mark.parametrize(("wait", "whole"), [(seconds(30) - 1, True), (seconds(30), False)])
def test_how_long_a_datagram_waits(wait: int, whole: bool) -> None:
    held = defragmenter()
    held.offer(START, part(0, b"x" * 8))
    held.offer(Instant(wait - 1), part(16, b"x" * 8, more=False))
    assert (held.offer(Instant(wait), part(8, b"x" * 8)) is not None) is whole
    assert held.expired == (not whole)


def test_expiry_needs_no_further_fragment() -> None:
    held = defragmenter()
    for ident in range(3):
        held.offer(Instant(ident), part(0, b"x" * 8, key=(ident,)))
    assert held.expire(Instant(AMPLE.lifetime + 1)) == 2
    assert (len(held), held.held_bytes, held.expired) == (1, 8, 2)


def test_time_that_runs_backwards_still_ends_a_datagram() -> None:
    held = defragmenter()
    held.offer(Instant(seconds(100)), part(0, b"x" * 8, key=(1,)))
    held.offer(START, part(0, b"x" * 8, key=(2,)))
    assert held.offer(Instant(seconds(40)), part(8, b"x" * 8, more=False, key=(2,))) is None
    assert held.expired == 1


def test_the_datagram_that_began_first_makes_room() -> None:
    held = defragmenter(limits=FragmentLimits(datagrams=2))
    for ident in range(3):
        held.offer(START, part(0, b"x" * 8, key=(ident,)))
    assert [held.offer(START, part(8, b"y", more=False, key=(ident,))) is not None for ident in (1, 2)] == [True, True]
    assert (held.evicted, held.completed) == (1, 2)


@pytest.mark.parametrize(("room", "evicted"), [(16, 0), (15, 1)])
def test_bytes_are_bounded_over_all_datagrams(room: int, evicted: int) -> None:
    held = defragmenter(limits=FragmentLimits(held_bytes=room))
    held.offer(START, part(0, b"x" * 8, key=(1,)))
    held.offer(START, part(0, b"x" * 8, key=(2,)))
    assert held.evicted == evicted


def test_pieces_are_bounded_in_each_datagram() -> None:
    held = defragmenter(limits=FragmentLimits(pieces=2))
    for offset in (0, 16, 32):
        held.offer(START, part(offset, b"x" * 8))
    assert (held.refused, held.held_bytes) == (1, 16)
