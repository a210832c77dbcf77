"""TLS records cut into more records."""

from hypothesis import given
from hypothesis import strategies as st

from crenel.evade.records import cut_records
from crenel.wire.tls_record import walk_records
from tests.evade.acting import HELLO

TWO = HELLO + b"\x14\x03\x03\x00\x01\x01"


@given(st.lists(st.integers(0, len(TWO) + 5), max_size=5).map(lambda cuts: sorted(set(cuts))))
def test_the_messages_stay_what_they_were(cuts: list[int]) -> None:
    payload, used = cut_records(TWO, cuts)
    assert len(payload) == len(TWO) + 5 * len(used)
    assert used == [cut for cut in cuts if 5 < cut < len(HELLO)]
    records = list(walk_records(payload))
    assert records[-1].end == len(payload)
    assert {record.version for record in records[:-1]} == {0x301}
    assert b"".join(payload[record.body : record.end] for record in records) == HELLO[5:] + b"\x01"


def test_a_record_that_goes_on_behind_the_segment_keeps_its_end() -> None:
    payload, used = cut_records(HELLO[:100], [60])
    assert used == [60]
    first, second = walk_records(payload)
    assert (first.end, second.end) == (60, len(HELLO) + 5)
    assert payload == HELLO[:3] + b"\x00\x37" + HELLO[5:60] + HELLO[:3] + (len(HELLO) - 60).to_bytes(2, "big") + HELLO[60:100]


def test_what_is_no_record_is_left_alone() -> None:
    assert cut_records(b"GET / HTTP/1.1", [4]) == (b"GET / HTTP/1.1", [])
    assert cut_records(b"", [4]) == (b"", [])
    assert cut_records(HELLO[:4], [2]) == (HELLO[:4], [])
