"""Lists that a user brings in, compiled lists or one sentence with file and line out."""

import ipaddress
from collections.abc import Callable
from pathlib import Path

import pytest

from crenel.atlas.userlist import read_addresses, read_names, read_pool
from crenel.errors import ProfileError

NAMES = """\ufeff# names, one a line
blocked.test          # and all under it
exact:only.test

substring:needle
"""


@pytest.fixture
def written(tmp_path: Path) -> Path:
    return tmp_path / "list.txt"


def test_names_match_by_their_form(written: Path) -> None:
    written.write_text(NAMES, "utf-8")
    names = read_names(str(written))
    assert [name for name in (b"blocked.test", b"a.blocked.test", b"only.test", b"hayneedlehay") if names.find(name) is None] == []
    assert [name for name in (b"notblocked.test", b"a.only.test", b"blocked.test.example", b"# names", b"\xef\xbb\xbf") if names.find(name)] == []


def test_names_that_are_treated_as_listed_come_on_top(written: Path) -> None:
    written.write_text("blocked.test\n")
    names = read_names(str(written)).with_listed(["more.test."])
    assert [names.find(name) is not None for name in (b"blocked.test", b"x.more.test", b"allowed.test")] == [True, True, False]
    assert read_names(str(written)).with_listed(["*"]).find(b"allowed.test") is not None


def test_addresses_and_networks_with_and_without_a_port(written: Path) -> None:
    written.write_text("192.0.2.1\n198.51.100.0/24:443\n[2001:db8::1]:53\n")
    addresses = read_addresses(str(written))

    def listed(text: str, port: int) -> bool:
        return addresses.find(ipaddress.ip_address(text).packed, port) is not None

    assert listed("192.0.2.1", 1)
    assert not listed("192.0.2.2", 1)
    assert listed("198.51.100.255", 443)
    assert not listed("198.51.100.255", 80)
    assert not listed("198.51.101.0", 443)
    assert listed("2001:db8::1", 53)
    assert not listed("2001:db8::1", 54)


def test_a_pool_keeps_its_order(written: Path) -> None:
    written.write_text("192.0.2.9\n192.0.2.1\n2001:db8::1\n192.0.2.9\n")
    order = [str(ipaddress.ip_address(address)) for address in read_pool(str(written))]
    assert order == ["192.0.2.9", "192.0.2.1", "2001:db8::1", "192.0.2.9"]


@pytest.mark.parametrize("crlf", [False, True])
@pytest.mark.parametrize(
    ("read", "text", "sentence"),
    [
        ("names", b"good.test\nb\xe4d.test\n", ":2: not UTF-8 at byte 2 of the line"),
        ("names", b"good.test\n\nexact:\n", ":3: no name after 'exact:'"),
        ("names", b"", ": the list is empty"),
        ("names", b"# nothing\n\n", ": the list is empty"),
        ("addresses", b"192.0.2.1\n192.0.2.256\n", ":2: '192.0.2.256' is not an address"),
        ("addresses", b"192.0.2.1/24\n", ":1: '192.0.2.1/24' is not an address"),
        ("addresses", b"192.0.2.1:0\n", ":1: '192.0.2.1:0' ends in something that is not a port"),
        ("addresses", b"192.0.2.1:65536\n", ":1: '192.0.2.1:65536' ends in something that is not a port"),
        ("addresses", b"\xff\n", ":1: not UTF-8 at byte 1 of the line"),
        ("pool", b"192.0.2.1\n192.0.2.0/24\n", ":2: '192.0.2.0/24' is not an address"),
        ("pool", b"host.test\n", ":1: 'host.test' is not an address"),
        ("pool", b"\n", ": the list is empty"),
        ("pool", b"192.0.2.1\n\x80\n", ":2: not UTF-8 at byte 1 of the line"),
    ],
)
def test_a_line_that_cannot_be_used_is_named(written: Path, read: str, text: bytes, sentence: str, crlf: bool) -> None:
    written.write_bytes(text.replace(b"\n", b"\r\n") if crlf else text)
    readers: dict[str, Callable[[str], object]] = {"names": read_names, "addresses": read_addresses, "pool": read_pool}
    with pytest.raises(ProfileError) as refusal:
        readers[read](str(written))
    assert str(refusal.value).startswith(f"{written}{sentence}")
    assert "\n" not in str(refusal.value)


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match=r"no\.txt: No such file or directory$"):
        read_names(str(tmp_path / "no.txt"))
    with pytest.raises(ProfileError, match=r": Is a directory$"):
        read_pool(str(tmp_path))
    with pytest.raises(ProfileError, match=r"no\.txt: No such file or directory$"):
        read_addresses(str(tmp_path / "no.txt"))
