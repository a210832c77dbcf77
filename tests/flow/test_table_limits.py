"""Keys of packets in, one record for each conversation out: how many are kept, which go first, and what a used key finds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.flow.key import flow_key, reverse_key
from crenel.flow.table import FlowRecord, FlowTable
from crenel.instant import Instant
from crenel.wire.packet import TCP, UDP

CLIENT, SERVER = bytes((192, 0, 2, 2)), bytes((198, 51, 100, 2))
CLIENT6, SERVER6 = bytes(15) + b"\x02", bytes(15) + b"\x03"


def key_of(port: int, *, six: bool = False) -> bytes:
    return flow_key(CLIENT6, SERVER6, port, 80) if six else flow_key(CLIENT, SERVER, port, 80)


def open_flow(flows: FlowTable, port: int, now: int = 0, *, transport: int = TCP, six: bool = False) -> FlowRecord:
    table = flows.tcp if transport == TCP else flows.udp
    return flows.open(key_of(port, six=six), transport, 6 if six else 4, Instant(now), table)


def ports(records: list[FlowRecord]) -> list[int]:
    return [record.sport for record in records]


@pytest.mark.parametrize("six", [False, True])
@pytest.mark.parametrize("transport", [TCP, UDP])
def test_a_flow_is_found_from_both_ends(transport: int, six: bool) -> None:
    flows = FlowTable(10)
    record = open_flow(flows, 50000, 7, transport=transport, six=six)
    mine, other = (flows.tcp, flows.udp) if transport == TCP else (flows.udp, flows.tcp)
    assert mine[key_of(50000, six=six)] is mine[reverse_key(key_of(50000, six=six))] is record
    assert not other
    assert (record.first, record.second) == ((CLIENT6, SERVER6) if six else (CLIENT, SERVER))
    assert (record.sport, record.dport, record.version, record.transport) == (50000, 80, 6 if six else 4, transport)
    assert (record.start, record.last, record.number, record.interest, record.client_inside) == (7, 7, 1, -1, True)


def test_flows_are_numbered_over_all_transports() -> None:
    flows = FlowTable(10)
    numbers = [open_flow(flows, 1).number, open_flow(flows, 1, transport=UDP).number, open_flow(flows, 2, six=True).number]
    assert numbers == [1, 2, 3]
    assert flows.count == 3
    assert [record.number for record in flows.live()] == [1, 2, 3]


def test_a_full_table_holds_as_many_flows_as_its_limit() -> None:
    flows = FlowTable(4)
    for port in range(4):
        open_flow(flows, port, port)
    assert (len(flows.live()), flows.evictions) == (4, 0)
    open_flow(flows, 4, 4)
    assert (ports(flows.live()), flows.evictions) == ([2, 3, 4], 2)


@pytest.mark.parametrize(("limit", "left"), [(1, 1), (2, 2), (3, 3), (5, 4), (6, 4)])
def test_half_of_the_table_goes_at_a_time_and_at_least_one_flow(limit: int, left: int) -> None:
    flows = FlowTable(limit)
    for port in range(limit + 1):
        open_flow(flows, port, port)
    assert len(flows.live()) == left
    assert flows.evictions == limit + 1 - left


def test_the_flows_whose_last_packet_is_longest_ago_go_first() -> None:
    gone: list[list[int]] = []
    flows = FlowTable(4, lambda records: gone.append(ports(records)))
    records = [open_flow(flows, port, port) for port in range(4)]
    records[0].last, records[3].last = Instant(100), Instant(0)
    open_flow(flows, 4, 200)
    assert gone == [[1, 3]]
    assert ports(flows.live()) == [0, 2, 4]


def test_what_goes_is_handed_over_by_number() -> None:
    gone: list[list[int]] = []
    flows = FlowTable(6, lambda records: gone.append([record.number for record in records]))
    for port in range(6):
        open_flow(flows, port, 10).last = Instant(10 - port)
    open_flow(flows, 9, 20)
    assert gone == [[4, 5, 6]]


@pytest.mark.parametrize("six", [False, True])
def test_what_went_is_found_by_neither_key(six: bool) -> None:
    flows = FlowTable(1)
    open_flow(flows, 1, six=six)
    open_flow(flows, 2, six=six)
    assert key_of(1, six=six) not in flows.tcp
    assert reverse_key(key_of(1, six=six)) not in flows.tcp
    assert len(flows.tcp) == 2


def test_a_port_used_again_finds_the_newer_flow() -> None:
    flows = FlowTable(10)
    older, newer = open_flow(flows, 1), open_flow(flows, 1, 5)
    assert older is not newer
    assert flows.tcp[key_of(1)] is flows.tcp[reverse_key(key_of(1))] is newer
    assert flows.live() == [newer]
    assert (flows.count, flows.evictions) == (2, 0)


def test_a_port_used_again_from_the_other_end_replaces_the_flow_too() -> None:
    flows = FlowTable(10)
    open_flow(flows, 1)
    newer = flows.open(reverse_key(key_of(1)), TCP, 4, Instant(1), flows.tcp)
    assert flows.tcp[key_of(1)] is flows.tcp[reverse_key(key_of(1))] is newer
    assert flows.live() == [newer]


def test_a_replaced_flow_takes_no_newer_one_with_it_and_is_not_counted() -> None:
    gone: list[FlowRecord] = []
    flows = FlowTable(4, gone.extend)
    open_flow(flows, 1, 0)
    newer = open_flow(flows, 1, 50)
    other, last = open_flow(flows, 2, 1), open_flow(flows, 3, 60)
    added = open_flow(flows, 4, 70)
    assert gone == [other]
    assert flows.evictions == 1
    assert flows.live() == [newer, last, added]


def test_the_same_key_in_both_transports_is_two_flows() -> None:
    flows = FlowTable(2)
    tcp, udp = open_flow(flows, 1, 0), open_flow(flows, 1, 1, transport=UDP)
    assert flows.live() == [tcp, udp]
    added = open_flow(flows, 2, 2)
    assert flows.live() == [udp, added]
    assert (len(flows.tcp), len(flows.udp)) == (2, 2)


@given(
    limit=st.integers(1, 6),
    steps=st.lists(st.tuples(st.integers(0, 5), st.sampled_from((TCP, UDP)), st.booleans(), st.booleans()), max_size=40),
)
def test_a_table_never_holds_more_than_its_limit_and_loses_no_flow_unseen(limit: int, steps: list[tuple[int, int, bool, bool]]) -> None:
    """Every flow is found, or was handed over, or its key was used again."""
    gone: list[FlowRecord] = []
    flows = FlowTable(limit, gone.extend)
    opened: list[FlowRecord] = []
    for now, (port, transport, six, touches) in enumerate(steps):
        record = (flows.tcp if transport == TCP else flows.udp).get(key_of(port, six=six))
        if touches and record is not None:
            record.last = Instant(now)
        else:
            opened.append(open_flow(flows, port, now, transport=transport, six=six))
    live = flows.live()
    assert len(live) <= limit
    assert len(flows.tcp) + len(flows.udp) == 2 * len(live)
    newest = {(record.transport, record.key): record for record in opened}
    assert set(newest.values()) - set(gone) == set(live)
    assert flows.evictions == len(gone) == len(set(gone))
    assert flows.count == len(opened)
    assert [record.number for record in live] == sorted(record.number for record in live)


def test_records_keep_nothing_in_common() -> None:
    flows = FlowTable(10)
    first, second = open_flow(flows, 1), open_flow(flows, 2)
    first.kept.append((Instant(0), False, None))
    assert second.kept == []


def test_a_drained_table_is_empty_and_goes_on_counting() -> None:
    gone: list[FlowRecord] = []
    flows = FlowTable(2, gone.extend)
    older, udp = open_flow(flows, 1, 9), open_flow(flows, 1, 0, transport=UDP)
    assert flows.drain() == [older, udp]
    assert (flows.live(), flows.tcp, flows.udp, flows.evictions, gone) == ([], {}, {}, 0, [])
    assert [open_flow(flows, port).number for port in (1, 2)] == [3, 4]
    assert (len(flows.live()), flows.evictions) == (2, 0)
