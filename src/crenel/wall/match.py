"""Names, addresses and pools of a profile or a user's file in, compiled lists out: a value is looked up, the entry that matches it comes back."""

import functools
import ipaddress
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Literal, TypeAlias, get_args

import msgspec

from crenel.errors import ProfileError

Form: TypeAlias = Literal["suffix", "exact", "label-start", "end", "substring", "subdomain", "start", "any"]
"""How an entry `kw` matches a name, as regular expressions of the published rule shapes: suffix `^(.*\\.)?kw$`, exact `^kw$`,
label-start `^(.*\\.)?kw`, end `kw$`, substring `kw`, subdomain `\\.kw$`, start `^kw`; `any` matches every name that is not empty."""
FORMS: Final[frozenset[str]] = frozenset(get_args(Form))

MANY: Final = 16
"""From so many free-standing keywords on, one automaton is faster than a search for each (it costs about 0.5 microseconds a call)."""


class Entry(msgspec.Struct, frozen=True):
    """One rule of a list: a name or keyword, how it matches, and who says so."""

    name: str
    form: Form = "suffix"
    source: str = ""

    def key(self) -> bytes:
        """Return the bytes that are looked for, ASCII letters in lower case."""
        return self.name.encode("utf-8", "surrogateescape").lower()

    def words(self) -> str:
        """Return the rule as an explanation prints it."""
        return "any name" if self.form == "any" else f"{self.form} {self.name}"


class NameList:
    """A compiled list of names; immutable, shareable. An entry without a name raises ProfileError."""

    __slots__ = ("_checks", "_free", "_inside", "_short", "_starts", "_suffix", "_tails", "_whole", "entries")

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries: tuple[Entry, ...] = tuple(entries)
        """In the order of the list, which decides between entries that match the same name."""
        by_form: dict[str, dict[bytes, int]] = {form: {} for form in FORMS}
        for number, entry in enumerate(self.entries):
            if not entry.name:
                message = f"entry {number + 1} of a list has no name (source {entry.source!r})"
                raise ProfileError(message)
            by_form[entry.form].setdefault(entry.key(), number)
        # Each name carries the best number of all that cover it, so that a walk from the left may stop at its first hit.
        suffix = by_form["suffix"]
        self._suffix = {key: _best_cover(suffix, key) for key in suffix}
        self._whole = {**self._suffix, **{key: min(number, _best_cover(suffix, key)) for key, number in by_form["exact"].items()}}
        makers: tuple[tuple[str, Callable[[dict[bytes, int]], Callable[[bytes], int]]], ...] = (
            ("subdomain", lambda keys: functools.partial(_find_parent, keys)),
            ("label-start", lambda keys: functools.partial(_find_label_start, keys, _lengths(keys))),
            ("start", lambda keys: functools.partial(_find_start, keys, _lengths(keys))),
            ("end", lambda keys: functools.partial(_find_end, keys, _lengths(keys))),
            ("substring", _substring_finder),
            ("any", lambda keys: functools.partial(_find_any, min(keys.values()))),
        )
        self._checks = tuple(make(by_form[form]) for form, make in makers if by_form[form])
        # What tells most names that match nothing: nearly every entry has its place at the end of a name, and few ends are listed.
        ends = {key for form in ("suffix", "exact", "subdomain", "end") for key in by_form[form]}
        self._tails = frozenset(key[-_TAIL:] for key in ends if len(key) >= _TAIL)
        self._short = tuple(sorted(key for key in ends if len(key) < _TAIL))
        self._starts = tuple(by_form["start"])
        self._inside = tuple(by_form["substring"]) if len(by_form["substring"]) < MANY else ()
        self._free = bool(by_form["label-start"] or by_form["any"]) or len(by_form["substring"]) >= MANY or len(self._short) >= MANY

    @staticmethod
    def union(lists: "Sequence[NameList]") -> "NameList":
        """Return one list with the entries of all, in their order; it matches a name if and only if one of them does."""
        if len(lists) == 1:
            return lists[0]
        if any(isinstance(names, OtherNames) for names in lists):
            # Nearly every name is on one of these: each list has to say for itself.
            return NameList((Entry("*", "any"),))
        return NameList(dict.fromkeys(entry for names in lists for entry in names.entries))

    def with_listed(self, names: Iterable[str]) -> "NameList":
        """Return the list with further names at its end, each with all names under it; `*` stands for every name."""
        listed = tuple(Entry("*", "any", "listed") if name == "*" else Entry(name.rstrip("."), "suffix", "listed") for name in names)
        return NameList((*self.entries, *listed)) if listed else self

    def find(self, name: bytes) -> Entry | None:
        """Return the first entry of the list that matches a lower-case name, or None."""
        if not (self._free or name[-_TAIL:] in self._tails or name.endswith(self._short) or name.startswith(self._starts)):
            for key in self._inside:
                # Not `in`, which first takes the key for a number and pays for the exception.
                if name.find(key) >= 0:
                    break
            else:
                return None
        return self._look_up(name)

    def _look_up(self, name: bytes) -> Entry | None:
        best = _NONE
        if name in self._whole:
            best = self._whole[name]
        else:
            parents = self._suffix
            rest = name
            dot = rest.find(b".")
            while dot >= 0:
                rest = rest[dot + 1 :]
                if rest in parents:
                    best = parents[rest]
                    break
                dot = rest.find(b".")
        for check in self._checks:
            number = check(name)
            if number < best:  # noqa: PLR1730  a call of min costs as much as the look-up
                best = number
        return None if best == _NONE else self.entries[best]


class OtherNames(NameList):
    """All names that are not on a list: what boxes act on that let pass only what they know."""

    __slots__ = ()

    def find(self, name: bytes) -> Entry | None:
        """Return OTHER for a name that no entry matches, else None."""
        return OTHER if super().find(name) is None else None


OTHER: Final = Entry("*", "any")
"""What a name or an address is found by that is not on a list of those that are let pass."""

_NONE: Final = 1 << 60
_TAIL: Final = 8
"""So many last bytes of a name are compared with those of all entries first: as good as any number that is more than `.com` has."""


def _lengths(keys: dict[bytes, int]) -> tuple[int, ...]:
    return tuple(sorted({len(key) for key in keys}))


def _best_cover(suffixes: dict[bytes, int], name: bytes) -> int:
    """Return the lowest number among a name and the names above it."""
    return min(suffixes.get(name, _NONE), _find_parent(suffixes, name))


def _find_parent(keys: dict[bytes, int], name: bytes) -> int:
    best = _NONE
    dot = name.find(b".")
    while dot >= 0:
        best = min(best, keys.get(name[dot + 1 :], _NONE))
        dot = name.find(b".", dot + 1)
    return best


def _find_label_start(keys: dict[bytes, int], lengths: tuple[int, ...], name: bytes) -> int:
    best = _NONE
    at = 0
    while True:
        for length in lengths:
            best = min(best, keys.get(name[at : at + length], _NONE))
        at = name.find(b".", at) + 1
        if not at:
            return best


def _find_start(keys: dict[bytes, int], lengths: tuple[int, ...], name: bytes) -> int:
    best = _NONE
    for length in lengths:
        best = min(best, keys.get(name[:length], _NONE))
    return best


def _find_end(keys: dict[bytes, int], lengths: tuple[int, ...], name: bytes) -> int:
    best = _NONE
    size = len(name)
    for length in lengths:
        if length > size:
            break
        best = min(best, keys.get(name[size - length :], _NONE))
    return best


def _find_any(number: int, name: bytes) -> int:
    return number if name else _NONE


def _substring_finder(keys: dict[bytes, int]) -> Callable[[bytes], int]:
    if len(keys) < MANY:
        return functools.partial(_find_inside, tuple(keys.items()))
    # Imported on first use: only long keyword lists need it.
    from ahocorasick_rs import BytesAhoCorasick  # noqa: PLC0415

    find = BytesAhoCorasick(list(keys)).find_matches_as_indexes
    numbers = tuple(keys.values())

    def find_first(name: bytes) -> int:
        return min((numbers[index] for index, _, _ in find(name, overlapping=True)), default=_NONE)

    return find_first


def _find_inside(pairs: tuple[tuple[bytes, int], ...], name: bytes) -> int:
    for key, number in pairs:
        if name.find(key) >= 0:
            return number
    return _NONE


class AddressList:
    """A compiled list of addresses and networks, each with all ports or one."""

    __slots__ = ("_networks", "_single", "entries")

    def __init__(self, entries: Iterable[Entry], where: str) -> None:
        """Compile entries such as `192.0.2.1`, `192.0.2.0/24:443`, `2001:db8::/32`, `[2001:db8::1]:443`; `where` names the list in errors."""
        self.entries: tuple[Entry, ...] = tuple(entries)
        self._single: dict[bytes, list[tuple[int | None, int]]] = {}
        self._networks: dict[tuple[int, int], dict[int, list[tuple[int | None, int]]]] = {}
        for number, entry in enumerate(self.entries):
            network, port = _parse_network(entry.name, where)
            size = network.max_prefixlen
            if network.prefixlen == size:
                self._single.setdefault(network.network_address.packed, []).append((port, number))
            else:
                key = (size, size - network.prefixlen)
                self._networks.setdefault(key, {}).setdefault(int(network.network_address) >> key[1], []).append((port, number))

    def may_cover(self) -> tuple[frozenset[bytes], bool]:
        """Return the single addresses of the list, and whether it has networks besides."""
        return frozenset(self._single), bool(self._networks)

    def find(self, address: bytes, port: int) -> Entry | None:
        """Return the first entry that covers an address (4 or 16 bytes) and port, or None."""
        best = _first_on_port(self._single.get(address, ()), port)
        if self._networks:
            value = int.from_bytes(address, "big")
            for (size, shift), networks in self._networks.items():
                if size == 8 * len(address):
                    best = min(best, _first_on_port(networks.get(value >> shift, ()), port))
        return None if best == _NONE else self.entries[best]


class OtherAddresses(AddressList):
    """All addresses that are not on a list."""

    __slots__ = ()

    def may_cover(self) -> tuple[frozenset[bytes], bool]:
        """Return that any address may be found."""
        return frozenset(), True

    def find(self, address: bytes, port: int) -> Entry | None:
        """Return OTHER for an address and port that no entry covers, else None."""
        return OTHER if super().find(address, port) is None else None


def _first_on_port(places: Iterable[tuple[int | None, int]], port: int) -> int:
    return next((number for listed, number in places if listed is None or listed == port), _NONE)


def _parse_network(text: str, where: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, int | None]:
    host, colon, port = text, "", ""
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        prefix, colon, port = rest.partition(":")
        host += prefix
    elif text.count(":") == 1:
        host, colon, port = text.partition(":")
    try:
        network = ipaddress.ip_network(host)
    except ValueError as error:
        message = f"{where}: {text!r} is not an address, a network or one of these with a port ({error})"
        raise ProfileError(message) from error
    if not colon:
        return network, None
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 1 << 16):
        message = f"{where}: {text!r} ends in something that is not a port"
        raise ProfileError(message)
    return network, int(port)


class PoolList(msgspec.Struct, frozen=True):
    """Addresses that are handed out, in the order of the list."""

    addresses: tuple[bytes, ...]

    @staticmethod
    def build(texts: Iterable[str], where: str) -> "PoolList":
        """Return the pool of these addresses; `where` names the list in errors."""
        packed = []
        for text in texts:
            try:
                packed.append(ipaddress.ip_address(text).packed)
            except ValueError as error:
                message = f"{where}: {text!r} is not an address"
                raise ProfileError(message) from error
        return PoolList(tuple(packed))


def parse_names(raw: bytes, where: str) -> tuple[Entry, ...]:
    """Return the entries of a user's list of names or keywords: one a line, `#` begins a comment, `exact:` and its like go before a name.

    A line without a form means the name and all names under it. Raises ProfileError naming `where` and the line.
    """
    entries = []
    for place, line in _lines(raw, where):
        head, colon, rest = line.partition(":")
        form, name = (head, rest.strip()) if colon and head in FORMS else ("suffix", line)
        if not name and form != "any":
            message = f"{place}: no name after {line!r}"
            raise ProfileError(message)
        entries.append(Entry(name, msgspec.convert(form, Form), "user"))
    return tuple(entries)


def parse_addresses(raw: bytes, where: str) -> AddressList:
    """Return a user's list of addresses and networks, one a line; raises ProfileError naming `where` and the line."""
    entries = []
    for place, line in _lines(raw, where):
        _parse_network(line, place)
        entries.append(Entry(line, "exact", "user"))
    return AddressList(entries, where)


def parse_pool(raw: bytes, where: str) -> PoolList:
    """Return a user's pool of addresses, one a line, in its order; raises ProfileError naming `where` and the line."""
    addresses = tuple(address for place, line in _lines(raw, where) for address in PoolList.build((line,), place).addresses)
    return PoolList(addresses)


def _lines(raw: bytes, where: str) -> list[tuple[str, str]]:
    """Return the lines that say something, each with its place."""
    lines = []
    for number, piece in enumerate(raw.removeprefix(b"\xef\xbb\xbf").splitlines(), 1):
        place = f"{where}:{number}"
        try:
            line = piece.decode().partition("#")[0].strip()
        except UnicodeDecodeError as error:
            message = f"{place}: not UTF-8 at byte {error.start + 1} of the line"
            raise ProfileError(message) from error
        if line:
            lines.append((place, line))
    if not lines:
        message = f"{where}: the list is empty"
        raise ProfileError(message)
    return lines
