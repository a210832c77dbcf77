"""Values that boxes read in, what people are shown out."""

import pytest

from crenel.net.trace import Event, evidence_of, show_value, trace_capture
from crenel.wall.effects import Because
from crenel.wire.capture import open_capture
from crenel.wire.ip import serialise
from crenel.wire.packet import RST, SYN, tcp_packet
from crenel.wire.result import Unparseable


@pytest.mark.parametrize(
    ("value", "shown"),
    [(b"blocked.example", "blocked.example"), ("例".encode(), "例"), (b"\xff\xce", "ffce"), (b"a\x00b", "610062"), (b"a\nb", "610a62"), (b"", "")],
)
def test_a_value_is_shown_as_text_where_it_is_text(value: bytes, shown: str) -> None:
    assert show_value(value) == shown


def test_evidence_says_all_that_its_because_does() -> None:
    because = Because("box", "2020-01-01", "tls.sni", 7, 3, b"abc", "rule", 0.5, ("source",), ("assumed",), residual=None, last_seen="2021-01-01")
    evidence = evidence_of(because, 12)
    assert (evidence.read, evidence.offset, evidence.length, evidence.value, evidence.rule) == ("tls.sni", 7, 3, "abc", "rule")
    assert (evidence.middlebox, evidence.epoch, evidence.sources, evidence.assumed) == ("box", "2020-01-01", ("source",), ("assumed",))
    assert (evidence.packet, evidence.chance, evidence.last_observed, evidence.residual) == (12, 0.5, "2021-01-01", None)


def test_a_trace_becomes_a_capture_whose_comments_say_who_made_and_who_stopped_what() -> None:
    real = tcp_packet(bytes((192, 0, 2, 1)), bytes((192, 0, 2, 2)), 40_000, 80, flags=SYN, payload=b"x" * 9)
    forged = tcp_packet(bytes((192, 0, 2, 2)), bytes((192, 0, 2, 1)), 80, 40_000, flags=RST)
    events = [
        Event(0, "client", "server", real, what="sent", where="client", number=1),
        Event(5, "client", "server", real, dropped_by="some-box", what="dropped", where="a wall", number=1, reason="listed"),
        Event(7, "wall", "client", forged, injected_by="some-box", what="injected", where="a wall", number=2, cause=1),
    ]
    capture = b"".join(trace_capture(events, 1_000))
    for words in (
        b"packet 1; sent toward the server", b"packet 1; dropped toward the server; withheld by some-box; listed",
        b"packet 2; injected toward the client; forged by some-box; because of packet 1",
    ):
        assert words in capture
    assert [capture.index(name) for name in (b"client\0", b"a wall\0", b"server\0")] == sorted(
        capture.index(name) for name in (b"client\0", b"a wall\0", b"server\0")
    )
    reader = open_capture(capture)
    assert not isinstance(reader, Unparseable)
    frames = [(record[1], capture[record[3] : record[3] + record[4]]) for record in reader.records()]
    assert frames == [(1_000, serialise(real)), (1_005, serialise(real)), (1_007, serialise(forged))]


def test_the_same_trace_gives_the_same_capture() -> None:
    event = Event(3, "client", "server", tcp_packet(bytes(4), bytes(4), 1, 2), number=1)
    assert b"".join(trace_capture([event])) == b"".join(trace_capture(iter([event])))


def test_a_packet_that_no_wire_can_hold_is_an_empty_frame_that_says_why() -> None:
    event = Event(3, "client", "server", tcp_packet(bytes(4), bytes(4), 1 << 16, 2), number=1)
    capture = b"".join(trace_capture([event]))
    assert b"does not fit" in capture
    reader = open_capture(capture)
    assert not isinstance(reader, Unparseable)
    assert [record[4] for record in reader.records()] == [0]
