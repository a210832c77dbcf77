"""Lists of names and addresses: each form is the regular expression that was published for it, and the first entry that matches is named."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.errors import ProfileError
from crenel.wall.match import FORMS, MANY, AddressList, Entry, Form, NameList, PoolList, parse_addresses, parse_names, parse_pool

SHAPES: dict[str, str] = {
    "suffix": r"^(.*\.)?{}\Z",
    "exact": r"^{}\Z",
    "label-start": r"^(.*\.)?{}",
    "end": r"{}\Z",
    "substring": r"{}",
    "subdomain": r"\.{}\Z",
    "start": r"^{}",
    "any": r"^.",
}

FORM = st.sampled_from(sorted(FORMS)).map(lambda form: Entry("x", form).form)  # type: ignore[arg-type]  # the set holds every form
NAMES = st.text("ab.", min_size=1, max_size=6)


def oracle(entries: list[Entry], name: bytes) -> Entry | None:
    """Return the first entry whose regular expression finds the name."""
    for entry in entries:
        shape = SHAPES[entry.form].replace("{}", re.escape(entry.name.lower())).encode()
        if re.search(shape, name, re.DOTALL):
            return entry
    return None


@given(st.lists(st.tuples(NAMES, FORM), max_size=8), st.text("ab.", max_size=12))
def test_the_first_entry_that_matches_is_the_one_its_regular_expression_names(listed: list[tuple[str, Form]], name: str) -> None:
    entries = [Entry(kw, form, str(number)) for number, (kw, form) in enumerate(listed)]
    assert NameList(entries).find(name.encode()) == oracle(entries, name.encode())


@given(st.lists(NAMES, min_size=MANY, max_size=40, unique=True), st.text("ab.", max_size=20))
def test_many_keywords_are_found_by_the_automaton_as_by_search(listed: list[str], name: str) -> None:
    entries = [Entry(kw, "substring") for kw in listed]
    assert NameList(entries).find(name.encode()) == oracle(entries, name.encode())


@given(st.lists(st.lists(st.tuples(NAMES, FORM), max_size=4), min_size=1, max_size=3), st.text("ab.", max_size=12))
def test_a_union_matches_what_one_of_its_lists_matches(lists: list[list[tuple[str, Form]]], name: str) -> None:
    compiled = [NameList(Entry(kw, form) for kw, form in listed) for listed in lists]
    own = next((entry for one in compiled if (entry := one.find(name.encode())) is not None), None)
    assert (NameList.union(compiled).find(name.encode()) is None) == (own is None)


def test_each_published_shape() -> None:
    facebook = NameList([Entry("facebook.com")])
    assert facebook.find(b"www.facebook.com") is not None
    assert facebook.find(b"purefacebook.com") is None
    assert facebook.find(b"facebook.com.example") is None
    shadow = NameList([Entry("shadowvpn.com", "start")])
    assert shadow.find(b"shadowvpn.com.example") is not None
    assert shadow.find(b"www.shadowvpn.com") is None
    assert NameList([Entry("69.mu", "substring")]).find(b"a69.mux") is not None
    assert NameList([Entry("69.mu", "end")]).find(b"a69.mux") is None
    assert NameList([Entry("google.com", "subdomain")]).find(b"google.com") is None


def test_names_in_upper_case_are_compiled_in_lower_case() -> None:
    assert NameList([Entry("Blocked.Example")]).find(b"www.blocked.example") == Entry("Blocked.Example")


def test_listed_names_come_after_the_list_and_a_star_is_every_name() -> None:
    names = NameList([Entry("a.example", source="s")])
    assert names.with_listed([]) is names
    assert names.with_listed(["b.example."]).find(b"www.b.example") == Entry("b.example", "suffix", "listed")
    every = names.with_listed(["*"])
    assert every.find(b"a.example") == Entry("a.example", source="s")
    found = every.find(b"whatever")
    assert found is not None
    assert found.words() == "any name"
    assert every.find(b"") is None


def test_an_entry_without_a_name_is_refused() -> None:
    with pytest.raises(ProfileError, match="entry 2"):
        NameList([Entry("a"), Entry("")])


def test_a_list_of_a_hundred_thousand_names_costs_what_a_short_one_costs() -> None:
    names = NameList(Entry(f"n{number}.example{number % 7}.com") for number in range(100_000))
    assert names.find(b"www.n99999.example4.com") == Entry("n99999.example4.com")
    start = time.perf_counter()
    for _ in range(20_000):
        names.find(b"www.not-listed.example.org")
    # Half a microsecond on a quiet machine; a scan of the list would take milliseconds.
    assert (time.perf_counter() - start) / 20_000 < 20e-6


def test_addresses_networks_and_ports() -> None:
    listed = ["192.0.2.1", "192.0.2.0/24:443", "2001:db8::/32", "[2001:db9::1]:853", "198.51.100.7:80"]
    table = AddressList([Entry(text) for text in listed], "here")

    def find(address: str, port: int) -> str | None:
        entry = table.find(PoolList.build([address], "here").addresses[0], port)
        return None if entry is None else entry.name

    assert find("192.0.2.1", 1) == "192.0.2.1"
    assert find("192.0.2.2", 443) == "192.0.2.0/24:443"
    assert find("192.0.2.2", 444) is None
    assert find("192.0.3.2", 443) is None
    assert find("2001:db8:ffff::1", 9) == "2001:db8::/32"
    assert find("2001:db9::1", 853) == "[2001:db9::1]:853"
    assert find("2001:db9::1", 854) is None
    assert find("198.51.100.7", 81) is None


def test_the_first_of_several_addresses_is_named() -> None:
    table = AddressList([Entry("192.0.2.0/24"), Entry("192.0.2.1:80"), Entry("192.0.2.1")], "here")
    assert table.find(bytes((192, 0, 2, 1)), 80) == Entry("192.0.2.0/24")


@pytest.mark.parametrize("text", ["192.0.2.256", "192.0.2.1:", "192.0.2.1:0", "192.0.2.1:65536", "192.0.2.1/24", "[2001:db8::1]:x", "name.example"])
def test_what_is_no_address_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(ProfileError, match="file:2"):
        parse_addresses(f"192.0.2.1\n{text}\n".encode(), "file")


def test_a_users_list_of_names() -> None:
    raw = b"\xef\xbb\xbf# mine\nBlocked.Example  # a comment\r\n\r\nexact:one.example\n substring: ultrasurf \nlabel-start:x\n"
    assert parse_names(raw, "file") == (
        Entry("Blocked.Example", "suffix", "user"),
        Entry("one.example", "exact", "user"),
        Entry("ultrasurf", "substring", "user"),
        Entry("x", "label-start", "user"),
    )


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "file: the list is empty"),
        (b"# only this\n", "empty"),
        (b"a\n\xff\xfe\n", "file:2: not UTF-8 at byte 1"),
        (b"a\nexact:\n", "file:2: no name"),
    ],
)
def test_a_list_that_cannot_be_read_is_refused_with_file_and_line(raw: bytes, message: str) -> None:
    with pytest.raises(ProfileError, match=message):
        parse_names(raw, "file")


@given(st.binary(max_size=60))
def test_any_bytes_are_a_list_or_a_refusal(raw: bytes) -> None:
    for parse in (parse_names, parse_addresses, parse_pool):
        try:
            parse(raw, "file")
        except ProfileError as error:
            refusal = str(error)
        else:
            refusal = "file"
        assert refusal.startswith("file")


def test_a_pool_keeps_its_order() -> None:
    assert parse_pool(b"198.18.0.2\n198.18.0.1\n", "file").addresses == (bytes((198, 18, 0, 2)), bytes((198, 18, 0, 1)))
    with pytest.raises(ProfileError, match="file:1"):
        parse_pool(b"198.18.0.300", "file")
