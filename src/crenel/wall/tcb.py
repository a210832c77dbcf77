"""A box's own idea of a TCP connection: rule rows from a profile in, for each state and packet class the rows that could apply out.

The words are those of the published models: a connection is untracked, tracked (opening until the box takes the handshake for
complete, then open), waiting to resynchronise, or given up. Rows are tried in order; the first whose guards hold and whose coin
falls its way is carried out.
"""

from typing import Literal

import msgspec

from crenel.flow.key import CLASS_LOAD, CLASS_SECOND, CLASSES, FLAG_CLASS
from crenel.wire.packet import ACK, FIN, RST, SYN

NONE = 0
OPENING = 1
OPEN = 2
RESYNC = 3
OFF = 4
STATES = 5

_STATES_OF = {"none": (NONE,), "track": (OPENING, OPEN), "opening": (OPENING,), "open": (OPEN,), "resync": (RESYNC,), "off": (OFF,)}
_FLAG_OF = {"F": FIN, "S": SYN, "R": RST, "A": ACK}

Guard = Literal["seq-expected", "seq-odd", "ack-right", "ack-odd", "repeated", "targeted"]
Target = Literal["client", "client-ack", "client-data", "server-syn-ack"]


class Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"in_": "in", "from_": "from"}):
    """One rule: in these states, a packet of this shape from this side, under these guards, does this."""

    in_: tuple[Literal["none", "track", "opening", "open", "resync", "off"], ...]
    from_: Literal["client", "server"]
    """The sender as this box sees the roles; in state none, `client` is whoever sends."""
    has: str = ""
    """Flags that must be set, of F, S, R, A."""
    lacks: str = ""
    """Flags that must be clear."""
    load: bool | None = None
    """Must the packet carry payload (true) or be empty (false)?"""
    when: tuple[Guard, ...] = ()
    cause: str | None = None
    """Only where the wait for resynchronisation was caused so."""
    coin: str | None = None
    p: float = 1.0
    per: Literal["event", "flow", "pair"] = "event"
    do: Literal["track", "reverse", "complete", "resync", "sync", "off", "skip", "read", "ignore"]
    to: Literal["seq", "ack", "isn+1"] | None = None
    """Where a `sync` puts the next expected sequence number of the client."""
    targets: tuple[Target, ...] = ()
    """For `resync`: the packets that may end the wait."""
    as_: str | None = msgspec.field(default=None, name="as")
    """For `resync`: the name of the cause, for later rows to ask."""
    go_on: bool = msgspec.field(default=False, name="go-on")
    """Judge the same packet again in the state that this row led to."""
    sources: tuple[str, ...] = ()
    assumed: str | None = None

    def __post_init__(self) -> None:
        """Refuse a row that says what cannot be, or what nothing would read."""
        unknown = set(self.has + self.lacks) - set(_FLAG_OF)
        both = set(self.has) & set(self.lacks)
        refusals = {
            f"there is no flag {''.join(sorted(unknown))!r}; there is {', '.join(_FLAG_OF)}": bool(unknown),
            f"{''.join(sorted(both))} cannot be both set and clear": bool(both),
            f"p = {self.p:g} is not a probability": not 0.0 <= self.p <= 1.0,
            "a coin goes with a p below 1": (self.p < 1.0) != (self.coin is not None),
            "targets go with do = 'resync'": bool(self.targets) != (self.do == "resync"),
            "a cause is given, as, with do = 'resync' only": self.as_ is not None and self.do != "resync",
            "to goes with do = 'sync'": (self.to is not None) != (self.do == "sync"),
        }
        for refusal, met in refusals.items():
            if met:
                raise ValueError(refusal)

    def behaviour(self) -> tuple[object, ...]:
        """Return all but the prose, to compare rows of two tables."""
        skipped = {"sources", "assumed", "in_", "from_", "has", "lacks", "load"}
        return tuple(getattr(self, name) for name in self.__struct_fields__ if name not in skipped)

    def classes(self) -> tuple[int, ...]:
        """Return the packet classes this row speaks of, with the second end as the server."""
        must = sum(_FLAG_OF[letter] for letter in self.has)
        must_not = sum(_FLAG_OF[letter] for letter in self.lacks)
        side = CLASS_SECOND if self.from_ == "server" else 0
        loads = (0, CLASS_LOAD) if self.load is None else ((CLASS_LOAD,) if self.load else (0,))
        flags = [bits for bits in range(32) if bits & must == must and not bits & must_not and not bits & ~(FIN | SYN | RST | ACK)]
        return tuple(FLAG_CLASS[bits] | side | load for bits in flags for load in loads)


class TcbTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A state model with the limits of its reassembly."""

    title: str
    sources: tuple[str, ...] = ()
    assumed: dict[str, str] = {}
    ahead: int = 0
    """Bytes past the expected sequence number that are still held; 0: segments out of order are not held."""
    keeps_newer: float = 0.0
    """Probability, per client and server pair, that of two out-of-order segments with the same start the newer is kept."""
    row: tuple[Row, ...]


class CompiledTcb:
    """A table turned round: `rows[state * CLASSES + class]` are the rows that could apply, in order."""

    __slots__ = ("asks_expected", "has_coins", "name", "rows", "table")

    def __init__(self, name: str, table: TcbTable) -> None:
        self.name = name
        self.table = table
        self.asks_expected = any(guard.startswith("seq") for row in table.row for guard in row.when)
        """Does any rule need the next expected sequence number, so that client data matters even where nobody reads it?"""
        self.has_coins = table.keeps_newer > 0 or any(row.p < 1.0 for row in table.row)
        rows: list[list[Row]] = [[] for _ in range(STATES * CLASSES)]
        for row in table.row:
            for state in (state for word in row.in_ for state in _STATES_OF[word]):
                for packet_class in row.classes():
                    rows[state * CLASSES + packet_class].append(row)
        self.rows = tuple(tuple(cell) for cell in rows)

    def same_limits(self) -> tuple[object, ...]:
        """Return what two tables must share, besides the rows of a cell, to be walked as one."""
        return (self.table.ahead, self.table.keeps_newer)
