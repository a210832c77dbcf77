"""What a capture reader notices in passing: where a capture is damaged, whether packets were lost, in how many places."""

import msgspec


class Damage(msgspec.Struct, frozen=True, gc=False):
    """One kind of damage to a capture."""

    offset: int
    """Byte in the (unpacked) capture where it was first seen."""
    because: str
    loses: bool
    """True where packets could not be read; false where the file contradicts itself and was read all the same."""
    times: int = 1
    """How often it was seen."""

    def __str__(self) -> str:
        """Return it as one clause that names the place."""
        again = f" (and {self.times - 1} more such places)" if self.times > 1 else ""
        return f"at byte {self.offset}: {self.because}{again}"


class Account:
    """Damage so far, one entry for each kind, so that a hostile capture cannot make it long."""

    def __init__(self) -> None:
        """Start with an unhurt capture."""
        self._by_kind: dict[str, Damage] = {}

    def note(self, offset: int, because: str, kind: str = "") -> None:
        """Add damage that loses nothing; further damage of the same `kind` (default: the same words) is only counted."""
        self._add(offset, because, kind or because, loses=False)

    def lose(self, offset: int, because: str, kind: str = "") -> None:
        """Add damage that loses packets; further damage of the same `kind` (default: the same words) is only counted."""
        self._add(offset, because, kind or because, loses=True)

    def _add(self, offset: int, because: str, kind: str, *, loses: bool) -> None:
        seen = self._by_kind.get(kind)
        if seen is None:
            self._by_kind[kind] = Damage(offset, because, loses)
        elif seen.offset != offset:
            self._by_kind[kind] = Damage(seen.offset, seen.because, loses, seen.times + 1)

    @property
    def damage(self) -> list[Damage]:
        """The entries, in the order in which they were first seen."""
        return list(self._by_kind.values())
