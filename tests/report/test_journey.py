"""From a trace to journeys: copies together, repetitions together, everything else by itself and in order."""

from typing import Any

import msgspec

from crenel.net.trace import Event
from crenel.report.journey import Journey, acted_on, journeys
from crenel.wire.packet import ACK, RST, SYN, Packet, tcp_packet, udp_packet

CLIENT, SERVER = bytes((192, 0, 2, 1)), bytes((192, 0, 2, 2))


def ours(flags: int = ACK, payload: bytes = b"", *, seq: int = 0, ack: int = 0) -> Packet:
    return tcp_packet(CLIENT, SERVER, 1, 2, seq=seq, ack=ack, flags=flags, payload=payload)


def travel(number: int, packet: Packet, sent: int, *, stopped_by: str | None = None, lost: bool = False, **more: Any) -> list[Event]:
    """Return the events of a packet of the client: sent, past the wall after 5, arrived after 10, unless it is stopped there or lost before."""
    event = Event(sent, "client", "server", packet, None, None, "sent", "client", number)
    event = msgspec.structs.replace(event, **more)
    if lost:
        return [event, msgspec.structs.replace(event, time=sent + 2, what="lost", where="path")]
    if stopped_by is not None:
        return [event, msgspec.structs.replace(event, time=sent + 5, what="dropped", where="wall", dropped_by=stopped_by)]
    return [
        event, msgspec.structs.replace(event, time=sent + 5, what="passed", where="wall"),
        msgspec.structs.replace(event, time=sent + 10, what="arrived", where="server"),
    ]  # fmt: skip


def forged(number: int, sent: int, by: str = "box", *, seq: int = 0) -> list[Event]:
    event = Event(sent, "wall", "client", ours(RST, seq=seq), by, None, "injected", "wall", number, None, 1)
    return [event, msgspec.structs.replace(event, time=sent + 5, what="arrived", where="client")]


def followed(*events: list[Event]) -> list[Journey]:
    return journeys(sorted((event for part in events for event in part), key=lambda event: event.time), "wall")


def test_a_packet_is_followed_from_end_to_end() -> None:
    [one] = followed(travel(1, ours(SYN), 100))
    assert (one.begun, one.end.time if one.end else None, one.crossed, one.words, one.bare) == (100, 110, True, "SYN", False)


def test_a_packet_that_is_stopped_never_crossed() -> None:
    [one] = followed(travel(1, ours(SYN), 100, stopped_by="box"))
    assert not one.crossed
    assert one.end is not None
    assert (one.end.what, one.end.dropped_by, one.end.time) == ("dropped", "box", 105)


def test_a_packet_without_an_end_is_on_its_way() -> None:
    [one] = followed(travel(1, ours(SYN), 100)[:2])
    assert one.end is None


def test_copies_at_once_are_one_whatever_their_numbers() -> None:
    [one] = followed(forged(1, 100), forged(2, 100, seq=1460), forged(3, 100, seq=4380))
    assert (one.words, one.numbers, one.forged_by) == ("RST ×3", (1, 2, 3), "box")
    assert len(followed(forged(1, 100), forged(2, 101))) == 2
    assert len(followed(forged(1, 100), forged(2, 100, by="other"))) == 2


def test_copies_with_another_fate_stand_apart() -> None:
    assert len(followed(travel(1, ours(ACK), 100), travel(2, ours(ACK), 100, lost=True))) == 2


def test_segments_sent_at_once_are_one() -> None:
    [one] = followed(travel(1, ours(payload=b"ab"), 100), travel(2, ours(payload=b"c", seq=2), 100))
    assert one.words.replace("\u00a0", " ") == "data, 3 B in 2 segments"


def test_repetitions_of_one_fate_are_one() -> None:
    first, again = followed(
        travel(1, ours(SYN), 0), travel(2, ours(SYN), 1_000_000_000), travel(3, ours(SYN), 3_000_000_000), travel(4, ours(SYN), 7_000_000_000)
    )
    assert first.words == "SYN"
    assert again.words == "SYN, again 3 times, the last at 7,000"
    assert again.numbers == (2, 3, 4)


def test_several_that_are_repeated_together_are_named_together() -> None:
    pair = [udp_packet(CLIENT, SERVER, 1, 2, payload) for payload in (b"abc", b"de")]
    found = followed(*(travel(number * 2 + place, packet, number * 50) for number in range(3) for place, packet in enumerate(pair, 1)))
    words = "data, 5 B in 2 datagrams"
    assert [one.words.replace("\u00a0", " ") for one in found] == [words, f"{words}, again 2 times, the last at 0"]


def test_one_repetition_and_those_of_another_fate() -> None:
    found = followed(travel(1, ours(SYN), 0), travel(2, ours(SYN), 10, lost=True), travel(3, ours(SYN), 30))
    assert [one.words for one in found] == ["SYN", "SYN, again", "SYN, again"]


def test_a_query_that_is_asked_again_is_known_by_its_bytes() -> None:
    first, again = udp_packet(CLIENT, SERVER, 1, 2, b"abc"), udp_packet(CLIENT, SERVER, 1, 2, b"abc", ident=7)
    other = udp_packet(CLIENT, SERVER, 1, 2, b"abd")
    assert ["again" in one.words for one in followed(travel(1, first, 0), travel(2, again, 50), travel(3, other, 60))] == [False, True, False]


def test_acknowledgements_of_more_are_no_repetition() -> None:
    found = followed(travel(1, ours(ack=5), 0), travel(2, ours(ack=9), 50), travel(3, ours(ack=9), 70))
    assert ["again" in one.words for one in found] == [False, False, True]
    assert all(one.bare for one in found)


def test_what_is_forged_repeats_nothing_and_is_not_repeated() -> None:
    found = followed(forged(1, 100), travel(2, ours(RST), 200), forged(3, 300))
    assert [one.words for one in found] == ["RST", "RST", "RST"]


def test_which_boxes_acted_on_a_journey() -> None:
    [one] = followed(travel(1, ours(payload=b"ab"), 100), travel(2, ours(payload=b"c", seq=2), 100))
    assert acted_on({2: ["a", "b", "a"], 3: ["c"]}, one) == ["a", "b"]
