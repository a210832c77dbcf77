"""How strands follow a connection: segments in any order, limits, gaps, rows that go on in a circle."""

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.atlas.compile import load_wall
from crenel.coins import ScriptedCoins
from crenel.instant import Instant
from crenel.wall.effects import Because, Effect, Inject, Side
from crenel.wall.wall import Wall
from crenel.wire.packet import ACK, SYN, Packet, tcp_packet
from tests.conversation import MAKERS

CITADEL = str(Path(__file__).parents[1] / "walls" / "citadel.toml")
CLIENT, SERVER = bytes((192, 0, 2, 1)), bytes((198, 51, 100, 2))
HELLO = MAKERS["hello"]("blocked.example")
REQUEST = MAKERS["request"](path="/?q=ultrasurf")


def client(seq: int, payload: bytes = b"", flags: int = ACK, port: int = 443) -> Packet:
    return tcp_packet(CLIENT, SERVER, 40000, port, seq=seq % (1 << 32), ack=0 if flags == SYN else 5001, flags=flags, payload=payload)


def grounds(wall: Wall, packets: list[Packet]) -> list[tuple[str, bytes, int]]:
    """Return which box read what at which offset, in order; what is only remembered does not count."""
    run = wall.start(ScriptedCoins())
    effects: list[Effect] = []
    for number, packet in enumerate(packets):
        effects += run.see(Instant(number), Side.INSIDE, packet)
    told: list[Because] = [effect.because for effect in effects if isinstance(effect, Inject) and effect.because.residual is None]
    return list(dict.fromkeys((because.middlebox, because.value, because.offset) for because in told))


@given(cuts=st.sets(st.integers(1, len(HELLO) - 1), max_size=5), data=st.data(), isn=st.sampled_from((1000, (1 << 32) - 1, (1 << 32) - 100)))
def test_a_hello_is_read_in_whatever_order_its_segments_come(cuts: set[int], data: st.DataObject, isn: int) -> None:
    """Across the wrap of sequence numbers too, and with segments that come twice."""
    wall = load_wall(as_of="2023-11-01")
    spans = list(itertools.pairwise([0, *sorted(cuts), len(HELLO)]))
    order = data.draw(st.permutations(spans)) + data.draw(st.lists(st.sampled_from(spans), max_size=3))
    first = data.draw(st.permutations(order))
    segments = [client(isn + 1 + start, HELLO[start:end]) for start, end in first]
    whole = grounds(wall, [client(isn, flags=SYN), client(isn + 1), client(isn + 1, HELLO)])
    assert grounds(wall, [client(isn, flags=SYN), client(isn + 1), *segments]) == whole
    assert {name for name, _, _ in whole} == {"tls-sni-single", "tls-sni-triple", "tls-sni-late"}


@given(cuts=st.sets(st.integers(9, len(REQUEST) - 1), max_size=4))
def test_a_request_may_be_cut_anywhere_behind_its_first_eight_bytes(cuts: set[int]) -> None:
    wall = load_wall(as_of="2019-01-15")
    spans = itertools.pairwise([0, *sorted(cuts), len(REQUEST)])
    opening = [client(1000, flags=SYN, port=80), client(1001, port=80)]
    segments = [client(1001 + start, REQUEST[start:end], port=80) for start, end in spans]
    assert [(name, offset) for name, _, offset in grounds(wall, opening + segments)] == [("http-keyword", 4)]


def test_segments_that_waited_behind_a_gap_are_read_one_by_one() -> None:
    """The second one first: what is at stake is whether twelve bytes in two segments hold the version."""
    wall = load_wall(as_of="2019-01-15")
    opening = [client(1000, flags=SYN, port=80), client(1001, port=80)]
    head, rest = REQUEST[:8], REQUEST[8:12]
    late = [client(1009, rest, port=80), client(1001, head, port=80), client(1013, REQUEST[12:], port=80)]
    joined = [client(1001, REQUEST[:12], port=80), client(1013, REQUEST[12:], port=80)]
    assert not grounds(wall, opening + late)
    assert grounds(wall, opening + joined)


@pytest.mark.parametrize(("more", "found"), [(0, True), (1, False)])
def test_a_segment_that_lies_too_far_ahead_is_not_held(more: int, found: bool) -> None:
    """The Citadel holds 3,000 bytes."""
    wall = load_wall(CITADEL, as_of="2030-03-01")
    filler = (MAKERS["request"]() * 100)[:3000].rpartition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    filler = filler.replace(b"GET / ", b"GET /" + b"x" * (3000 + more - len(filler)) + b" ", 1)
    assert len(filler) == 3000 + more
    request = MAKERS["request"](path="/trebuchet")
    packets = [client(1000, flags=SYN, port=8080), client(1001 + len(filler), request, port=8080), client(1001, filler, port=8080)]
    assert bool(grounds(wall, packets)) == found


def test_a_reader_whose_stream_grows_past_the_limit_is_given_up() -> None:
    """The Citadel keeps 20,000 bytes of what is not read yet; a hello in a record that does not end is let go."""
    run = load_wall(CITADEL, as_of="2031-06-01").start(ScriptedCoins())
    run.see(Instant(0), Side.INSIDE, client(1000, flags=SYN))
    payloads = [b"\x16\x03\x01\x3f\xff\x01\x03\xff\xff" + bytes(9000), bytes(9000), bytes(9000), MAKERS["hello"]("slow.test")]
    seq = 1001
    for number, payload in enumerate(payloads, 1):
        assert not run.see(Instant(number), Side.INSIDE, client(seq, payload))
        seq += len(payload)
    held = [len(strand.buffer) for record in run.flows.live() for strand in record.wall.strands]
    assert held
    assert max(held) <= 20000


def test_a_table_that_goes_in_a_circle_stops(tmp_path: Path) -> None:
    text = Path(CITADEL).read_text("utf-8").replace(
        'has = "R"\ndo = "off"', 'has = "A"\ndo = "complete"\ngo-on = true'
    )
    path = tmp_path / "circle.toml"
    path.write_text(text, "utf-8")
    wall = load_wall(str(path), as_of="2030-03-01")
    assert not grounds(wall, [client(1000, flags=SYN, port=8080), client(1001, MAKERS["request"](path="/trebuchet"), port=8080)])
