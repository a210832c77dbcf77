"""The table of flows: found from both ends, bounded, and what makes room is handed out, the longest silent first."""

from crenel.flow.key import flow_key, reverse_key
from crenel.flow.table import FlowRecord, FlowTable
from crenel.instant import Instant
from crenel.wire.packet import TCP, UDP

A, B = bytes((192, 0, 2, 1)), bytes((198, 51, 100, 2))


def key_of(port: int) -> bytes:
    return flow_key(A, B, port, 443)


def filled(limit: int, flows: int, gone: list[list[int]] | None = None) -> FlowTable:
    """Return a table into which flows on ports 1, 2, 3 ... were opened, each a second after the last."""

    def note(records: list[FlowRecord]) -> None:
        if gone is not None:
            gone.append([record.number for record in records])

    table = FlowTable(limit, note)
    for port in range(1, flows + 1):
        table.open(key_of(port), TCP, 4, Instant(port), table.tcp)
    return table


def test_a_flow_is_found_from_both_ends() -> None:
    table = filled(10, 1)
    record = table.tcp[key_of(1)]
    assert table.tcp[reverse_key(key_of(1))] is record
    assert (record.first, record.second, record.sport, record.dport) == (A, B, 1, 443)
    assert (record.start, record.last, record.number, table.count) == (1, 1, 1, 1)


def test_a_flow_over_ipv6_is_found_from_both_ends() -> None:
    table = FlowTable(10)
    six, seven = bytes(15) + b"\x06", bytes(15) + b"\x07"
    record = table.open(flow_key(six, seven, 5, 6), UDP, 6, Instant(0), table.udp)
    assert table.udp[flow_key(seven, six, 6, 5)] is record
    assert (record.first, record.second, record.sport, record.dport) == (six, seven, 5, 6)


def test_tcp_and_udp_do_not_meet() -> None:
    table = filled(10, 1)
    table.open(key_of(1), UDP, 4, Instant(0), table.udp)
    assert table.tcp[key_of(1)] is not table.udp[key_of(1)]
    assert len(table.live()) == 2


def test_a_flow_that_opens_anew_takes_the_place_of_the_old_one() -> None:
    table = filled(10, 1)
    old = table.tcp[key_of(1)]
    new = table.open(key_of(1), TCP, 4, Instant(9), table.tcp)
    assert table.live() == [new]
    assert old is not new
    assert table.count == 2


def test_the_table_holds_as_many_flows_as_it_may() -> None:
    gone: list[list[int]] = []
    assert len(filled(8, 8, gone).live()) == 8
    assert not gone


def test_one_flow_more_lets_go_of_those_that_were_silent_longest() -> None:
    gone: list[list[int]] = []
    table = filled(8, 8, gone)
    table.tcp[key_of(1)].last = Instant(100)
    table.open(key_of(9), TCP, 4, Instant(101), table.tcp)
    assert gone == [[2, 3, 4, 5]]
    assert [record.number for record in table.live()] == [1, 6, 7, 8, 9]
    assert table.evictions == 4
    assert key_of(2) not in table.tcp
    assert reverse_key(key_of(2)) not in table.tcp


def test_a_table_for_one_flow_holds_the_newest() -> None:
    table = filled(1, 5)
    assert [record.number for record in table.live()] == [5]
    assert table.evictions == 4


def test_what_is_drained_is_gone() -> None:
    table = filled(8, 3)
    assert [record.number for record in table.drain()] == [1, 2, 3]
    assert not table.live()
    assert not table.tcp
