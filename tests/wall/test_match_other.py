"""Lists of what may pass: everything else is found, and lists of both kinds can be asked together."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.wall.match import OTHER, AddressList, Entry, NameList, OtherAddresses, OtherNames

NAMES = st.sampled_from((b"a.test", b"b.test", b"www.a.test", b"xa.test", b"test", b"a.test.b"))
ENTRIES = st.lists(st.builds(Entry, st.sampled_from(("a.test", "b.test", "test")), st.sampled_from(("suffix", "exact", "end", "start"))), max_size=3)


@given(entries=ENTRIES, name=NAMES)
def test_a_name_is_found_if_and_only_if_it_is_not_listed(entries: list[Entry], name: bytes) -> None:
    assert (OtherNames(entries).find(name) is OTHER) == (NameList(entries).find(name) is None)


@given(lists=st.lists(st.tuples(ENTRIES, st.booleans()), min_size=1, max_size=3), name=NAMES)
def test_a_union_misses_nothing_that_one_of_its_lists_finds(lists: list[tuple[list[Entry], bool]], name: bytes) -> None:
    made = [(OtherNames if other else NameList)(entries) for entries, other in lists]
    if any(one.find(name) is not None for one in made):
        assert NameList.union(made).find(name) is not None


@pytest.mark.parametrize(
    ("address", "port", "found"),
    [
        ("192.0.2.1", 443, False), ("192.0.2.1", 80, True), ("192.0.2.2", 443, True), ("198.51.100.9", 1, False), ("2001:db8::5", 9, False),
        ("2001:db9::", 9, True),
    ],
)
def test_an_address_is_found_if_it_is_not_listed(address: str, port: int, found: bool) -> None:
    entries = [Entry(name) for name in ("192.0.2.1:443", "198.51.100.0/24", "2001:db8::/32")]
    packed = ipaddress.ip_address(address).packed
    assert (OtherAddresses(entries, "x").find(packed, port) is OTHER) == found
    assert (AddressList(entries, "x").find(packed, port) is None) == found


def test_any_address_may_be_found() -> None:
    """So that a flow to an address on no list is looked at."""
    assert OtherAddresses([Entry("192.0.2.1")], "x").may_cover() == (frozenset(), True)
