"""A ladder row by row: arrows that go as far as the packets went, forged ones unlike all others, times at both sides."""

from collections.abc import Sequence

import msgspec

import crenel
from crenel.instant import Instant
from crenel.net.app.speaker import Experience
from crenel.net.exchange import Exchange
from crenel.net.trace import Event
from crenel.report.ladder import ladder, show_time
from crenel.report.layout import plain
from crenel.report.text import cells
from crenel.wire.packet import ACK, SYN, Packet, tcp_packet
from tests.report.test_journey import forged, ours, travel

WALL = crenel.load_wall("gfw", "2025-01-15")
MS = 1_000_000


def drawn(events: Sequence[Event], width: int | None = 80, ending: str = "timed out", over: int = 10_000) -> list[str]:
    """Return the ladder of a trace in which a time of 1 is a millisecond, and the wall is called `wall`."""
    trace = [
        msgspec.structs.replace(event, time=event.time * MS, where=_place(event.where)) for event in sorted(events, key=lambda event: event.time)
    ]
    experience = Experience(ending, over * MS, "nothing came")  # type: ignore[arg-type]
    return [plain(line) for line in ladder(Exchange(WALL, Instant(0), experience, trace, (), lambda: ()), width)]


def _place(where: str) -> str:
    return WALL.name if where == "wall" else where


def test_head_and_arrows() -> None:
    sent = Event(20, "server", "client", tcp_packet(bytes(4), bytes(4), 2, 1, flags=SYN | ACK), None, None, "sent", "server", 2)
    back = [
        sent,
        msgspec.structs.replace(sent, time=25, what="passed", where="wall"),
        msgspec.structs.replace(sent, time=30, what="arrived", where="client"),
    ]
    lines = drawn([*travel(1, ours(SYN), 0), *back])
    assert lines[:3] == [
        "    sent client      wall      server    arrived   (times in ms)",
        "     0.0   |----------+--------->|       10.0   SYN",
        "    20.0   |<---------+----------|       30.0   SYN/ACK",
    ]


def test_the_columns_of_the_head_stand_over_their_lines() -> None:
    head, row = drawn(travel(1, ours(SYN), 0))[:2]
    assert [row[head.index(word) + len(word) // 2 - 1] for word in ("client", "wall", "server")] == ["|", "+", "|"]


def test_forged_packets_are_unlike_all_others_also_without_colour() -> None:
    lines = drawn([*travel(1, ours(SYN), 0), *forged(2, 20)])
    assert lines[2] == "    20.0   |<=========#          |       25.0   RST, forged by box"
    assert lines[-1] == "===> forged by the wall"


def test_a_packet_that_the_wall_stops() -> None:
    lines = drawn(travel(1, ours(SYN), 0, stopped_by="box"))
    assert lines[1] == "     0.0   |----------X          |        5.0   SYN; stopped by box"
    assert lines[-1] == "X it gets no farther"


def test_a_packet_that_is_lost_before_the_wall_and_one_behind_it() -> None:
    lost = Event(8, "client", "server", ours(SYN), None, None, "died", "hop 15", 2, "its TTL ran out")
    lines = drawn([*travel(1, ours(SYN), 0, lost=True), *travel(2, ours(SYN, seq=9), 1)[:2], lost], 100)
    assert lines[1] == "     0.0   |----X     |          |        2.0   SYN; lost on its way"
    assert lines[2] == "     1.0   |----------+----X     |        8.0   SYN; died at hop 15: its TTL ran out"


def test_a_filter_before_the_server() -> None:
    stop = Event(9, "client", "server", ours(SYN), None, None, "dropped", "strict-filter", 1, "odd flags")
    lines = drawn([*travel(1, ours(SYN), 0)[:2], stop])
    assert lines[1].startswith("     0.0   |----------+---------X|        9.0   SYN; dropped by strict-filter:")
    assert lines[2] == "           |          |          |              odd flags"


def test_a_packet_on_its_way_and_a_router_that_speaks() -> None:
    icmp = Packet(4, bytes(4), bytes(4), 1, icmp_type=11)
    answer = Event(4, "path", "client", icmp, None, None, "answered", "hop 3", 2)
    lines = drawn([*travel(1, ours(SYN), 0)[:2], answer, msgspec.structs.replace(answer, what="arrived", where="client")], 120)
    assert lines[1].endswith("SYN; still on its way when the exchange was over")
    assert lines[2] == "     4.0   |<..............|               |        4.0   ICMP time exceeded"


def test_the_end_of_the_client_stands_where_it_falls() -> None:
    lines = drawn([*travel(1, ours(SYN), 0), *travel(2, ours(SYN, seq=1), 50)], over=30)
    assert [line.split()[0] for line in lines[1:4]] == ["0.0", "30.0", "50.0"]
    assert lines[2] == "   30.0   *          |          |             the client gives up: nothing came"


def test_a_long_ladder_keeps_its_beginning_and_its_end() -> None:
    lines = drawn([event for number in range(100) for event in travel(number + 1, ours(SYN, seq=number), number * 20)], over=5000)
    assert len([line for line in lines if "SYN" in line]) == 54
    assert any("… 46 rows more …" in line for line in lines)


def test_a_wide_terminal_gets_longer_arrows_and_a_pipe_one_width() -> None:
    assert drawn(travel(1, ours(SYN), 0), 120)[1] == "     0.0   |---------------+-------------->|       10.0   SYN"
    assert drawn(travel(1, ours(SYN), 0), None) == drawn(travel(1, ours(SYN), 0), 100)


def test_words_fold_beside_the_lines() -> None:
    lines = drawn(travel(1, ours(payload=b"GET /" + b"a" * 50 + b" HTTP/1.1\r\nHost: " + b"b" * 150 + b"\r\n\r\n"), 0), 80)
    assert max(map(cells, lines)) <= 80
    assert all(line.startswith(" " * 11 + "|          |          |") for line in lines[2:5])


def test_times_are_milliseconds() -> None:
    assert [show_time(time) for time in (0, 1_234_567, 30_000_000_000)] == ["0.0", "1.2", "30,000.0"]
