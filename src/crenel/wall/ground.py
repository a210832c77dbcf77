"""The ground to act: what a box read and the entry it matched in, the explanation that every effect carries out."""

import msgspec

from crenel.instant import NANOSECONDS
from crenel.wall.box import Box
from crenel.wall.effects import Because
from crenel.wall.match import OTHER
from crenel.wall.match import Entry as ListEntry
from crenel.wall.readers.reading import Found
from crenel.wall.residual import Entry
from crenel.wire.packet import Packet


class Ground(msgspec.Struct, frozen=True):
    """What one packet gave one box to act on."""

    box: Box
    found: Found | None
    entry: ListEntry | None
    base: int
    """Stream offset to which the offset of `found` is counted."""
    packet: Packet


def because_of(ground: Ground, p: float, residual: Entry | None = None, now: int = 0) -> Because:
    """Return the explanation of a ground; `p` is the probability of the toss, `residual` the memory that was used at the instant `now`."""
    facts = ground.box.facts
    if residual is not None:
        held = ground.box.residual
        seconds = held.seconds if held is not None else 0.0
        keys = ", ".join(part.replace("_", " ") for part in held.parts) if held is not None else ""
        return Because(
            facts.middlebox, facts.epoch, "residual", 0, 0, b"", f"remembered for {seconds:g} s by {keys}", p, facts.sources, facts.assumed,
            residual=f"after {residual.count} trigger(s), {(residual.until - now) / NANOSECONDS:.1f} s before it ends",
            last_seen=facts.last_seen, armed_by=residual.flow,
        )
    found, entry = ground.found, ground.entry
    rule = found.detail if found is not None else ""
    sources, assumed = facts.sources, facts.assumed
    if entry is not None:
        words = f"not on {facts.list_name}" if entry is OTHER else f"{entry.name} ({entry.form}) on {facts.list_name}"
        rule = words + (f"; {rule}" if rule else "")
        sources = (*sources, entry.source) if entry.source else sources
    read, value, offset, length = ("", b"", 0, 0) if found is None else (found.reads, found.value, found.offset + ground.base, found.length)
    if found is not None and found.assumed:
        assumed = (*assumed, found.assumed)
    return Because(facts.middlebox, facts.epoch, read, offset, length, value, rule, p, sources, assumed, last_seen=facts.last_seen)
