"""A wall file and a day in, what it claims for that day out: as lines for people, and as plain values for JSON."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from crenel.atlas.assume import apply_assumptions, assumed_for
from crenel.atlas.dates import epoch_in_force, short_epochs_on
from crenel.atlas.moment import Moment
from crenel.atlas.schema import Chance, Epoch, Middlebox, NamedList, Profile, Source
from crenel.report.citing import cite
from crenel.report.layout import BLANK, Line, Piece, columns, line_of, paragraph
from crenel.report.reactions import memory_words, reaction_words
from crenel.report.text import counted, either, listed, percent
from crenel.report.words import SEEN
from crenel.wall.box import ANY_PORT, Scope

_HANG = 14


class Shown(msgspec.Struct, frozen=True):
    """A wall as of a day: the boxes in force with their epochs, and the others."""

    profile: Profile
    sha256: str
    as_of: Moment
    vantage: str
    in_force: tuple[tuple[Middlebox, Epoch], ...]
    absent: tuple[Middlebox, ...]


def as_of_day(profile: Profile, sha256: str, as_of: Moment, vantage: str, assume: Mapping[str, str]) -> Shown:
    """Return a wall as it was on a day, with what the user assumes.

    Raises:
        UsageError: an assumption does not fit.
    """
    in_force = []
    absent = []
    for box in profile.middlebox:
        epoch = epoch_in_force(box, as_of)
        if epoch is None:
            absent.append(box)
        else:
            in_force.append((box, apply_assumptions(box.id, epoch, assumed_for(box.id, assume))))
    return Shown(profile, sha256, as_of, vantage, tuple(in_force), tuple(absent))


def wall_record(profile: Profile) -> dict[str, object]:
    """Return what a list of walls says of one."""
    epochs = [epoch for box in profile.middlebox for epoch in box.epoch]
    first = min(epochs, key=lambda epoch: epoch.first_seen.start).first_seen
    last = max(epochs, key=lambda epoch: epoch.last_seen.start).last_seen
    return {
        "name": profile.name, "title": profile.title, "middleboxes": len(profile.middlebox), "epochs": len(epochs),
        "first_seen": str(first.day), "last_seen": str(last.day),
    }


def walls_lines(records: Sequence[Mapping[str, object]], width: int | None) -> list[Line]:
    """Return a line for each wall."""
    return columns([_wall_row(record) for record in records], width)


def _wall_row(record: Mapping[str, object]) -> list[Piece]:
    text = f"{record['title']}: {record['middleboxes']} boxes in {record['epochs']} epochs, seen from {record['first_seen']} to {record['last_seen']}"
    return [(str(record["name"]), "head"), (text, "")]


def shown_record(shown: Shown) -> dict[str, object]:
    """Return a wall as of a day as plain values."""
    return {
        "name": shown.profile.name,
        "title": shown.profile.title,
        "sha256": shown.sha256,
        "as_of": str(shown.as_of),
        "utc_offset": shown.profile.utc_offset,
        "vantage": shown.vantage,
        "in_force": [
            {"id": box.id, "title": box.title, "placement": box.placement, "sees_injected": box.sees_injected, "epoch": _plain(epoch)}
            for box, epoch in shown.in_force
        ],
        "not_in_force": [
            {"id": box.id, "title": box.title, "epochs": [[str(epoch.first_seen), str(epoch.ended or epoch.last_seen)] for epoch in box.epoch]}
            for box in shown.absent
        ],
        "lists": {
            name: {"title": names.title, "kind": names.kind, "entries": len(_entries(names, shown.as_of)), "size": names.size}
            for name, names in shown.profile.list.items()
        },
    }


def _plain(epoch: Epoch) -> object:
    return msgspec.to_builtins(epoch, enc_hook=str)


def _entries(names: NamedList, as_of: Moment) -> list[object]:
    day = as_of.day
    return [entry for entry in names.entries if (entry.from_ is None or entry.from_ <= day) and (entry.until is None or day <= entry.until)]


def shown_lines(shown: Shown, known: Mapping[str, Source], width: int | None, only: Sequence[str] = ()) -> list[Line]:
    """Return a wall as of a day for people; with `only`, just these boxes."""
    profile = shown.profile
    clock = f"UTC{profile.utc_offset:+d}"
    boxes = [(box, epoch) for box, epoch in shown.in_force if not only or box.id in only]
    lines = [line_of(f"{profile.title} ({profile.name}) as of {shown.as_of}", "strong")]
    text = f"{len(shown.in_force)} of {counted(len(profile.middlebox), 'box', 'boxes')} in force; its clock is {clock}, its vantage {shown.vantage}"
    lines += paragraph(f"{text}; SHA-256 {shown.sha256}", width, tone="dim")
    cited: list[str] = []
    for box, epoch in boxes:
        lines += [BLANK, ((box.id, "head"), (f"  {box.title}", "strong"))]
        lines += _epoch_lines(shown, box, epoch, width)
        cited += epoch.sources
    lines += _absent_lines(shown, width, only)
    if not only:
        lines += _list_lines(shown, width)
    lines += [BLANK, line_of("Sources", "strong")]
    for work in cite(sorted(cited), known):
        lines += paragraph(work, width, label="  -", hang=4)
    return lines


def _epoch_lines(shown: Shown, box: Middlebox, epoch: Epoch, width: int | None) -> list[Line]:
    lines: list[Line] = []
    label = ""
    for name, text in _facts(shown.profile, box, epoch):
        lines += paragraph(text, width, label="" if name == label else f"  {name}", hang=_HANG)
        label = name
    return lines


def _facts(profile: Profile, box: Middlebox, epoch: Epoch) -> Iterator[tuple[str, str]]:
    """Yield what an epoch says, each with its label."""
    ended = f", gone after {epoch.ended}" if epoch.ended is not None else ""
    yield "in force", f"since {epoch.first_seen}, last observed on {epoch.last_seen}{ended}; confidence {epoch.confidence}; {box.placement}"
    yield "watches", scope_words(epoch.scope)
    yield "reads", _trigger_words(epoch)
    list_name = getattr(epoch.trigger, "list", None)
    if list_name is not None:
        names = profile.list[list_name]
        yield "compares", f"with {list_name}: {counted(len(names.entries), 'entry', 'entries')} here"
    if epoch.tcb is not None:
        yield "follows", _state_words(profile, epoch)
    yield "acts", _chance_words(epoch.chance)
    for sentence in reaction_words(epoch.reaction):
        yield "does", sentence
    if epoch.residual is not None:
        yield "remembers", memory_words(epoch.residual)
    if epoch.note:
        yield "note", epoch.note
    yield "sources", ", ".join(epoch.sources)
    for key, why in epoch.assumed.items():
        yield "assumed", f"{key}: {why}"
    for other in epoch.alternative:
        yield "or", f"{other.says} (--assume {box.id}.{other.key}={other.name}; {', '.join(other.sources)})"


def scope_words(scope: Scope) -> str:
    """Return which flows a box looks at."""
    ports = "any port" if scope.ports == ANY_PORT else "port " + either([str(low) if low == high else f"{low}-{high}" for low, high in scope.ports])
    versions = listed([f"IPv{version}" for version in scope.versions])
    sides = "either side" if len(scope.opened_from) > 1 else scope.opened_from[0]
    outside = ""
    if scope.versions_from_outside is not None:
        outside = f"; from outside over {listed([f'IPv{version}' for version in scope.versions_from_outside])}"
    above = "; only packets whose source port is above their destination port" if scope.source_port_above else ""
    return f"{scope.transport.upper()} to {ports} over {versions}, opened from {sides}{outside}{above}"


def _trigger_words(epoch: Epoch) -> str:
    values = msgspec.to_builtins(epoch.trigger)
    tag = values.pop("reads")
    defaults = {field.encode_name: field.default for field in msgspec.structs.fields(epoch.trigger)}
    rules = [f"{key} {_value(value)}" for key, value in values.items() if key != "list" and value not in (defaults[key], [])]
    first = ""
    if epoch.first_only is not None:
        number = epoch.first_only.datagrams
        what = "datagram" if number == 1 else f"{number} datagrams"
        first = f"; only the first {what} of a flow, until {epoch.first_only.seconds:g} s of silence"
    return f"{SEEN.get(tag, tag)} ({tag})" + (f": {', '.join(rules)}" if rules else "") + first


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return "(" + ", ".join(f"{key} {_value(inner)}" for key, inner in value.items()) + ")"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(inner) for inner in value) + "]"
    return repr(value) if isinstance(value, str) and not value.isidentifier() else str(value)


def _state_words(profile: Profile, epoch: Epoch) -> str:
    title = profile.tcb[epoch.tcb].title if epoch.tcb is not None else ""
    other = f"; on {percent(epoch.other_device.share)} of pairs of hosts instead {epoch.other_device.tcb}" if epoch.other_device is not None else ""
    joins = epoch.reassembles.tcp if epoch.reassembles is not None else 0.0
    how = "joins segments" if joins == 1.0 else f"joins segments for {percent(joins)} of pairs of hosts"
    if joins == 0.0:
        how = "judges segments one by one"
    return f"connections by the table {epoch.tcb} ({title}){other}; {how}"


def _chance_words(chance: Chance) -> str:
    per = {"event": "each time", "flow": "one toss for a flow", "pair": "one toss for a pair of hosts"}[chance.per]
    if chance.by_hour is None:
        return "always" if chance.p == 1.0 else f"on {percent(chance.p or 0.0)}, {per}"
    curves = [f"{city} {percent(min(curve))} to {percent(max(curve))}" for city, curve in chance.by_hour.items()]
    return f"by the hour of the day and the vantage's city, {per}: {', '.join(curves)}; elsewhere as in {chance.city}"


def _absent_lines(shown: Shown, width: int | None, only: Sequence[str]) -> list[Line]:
    absent = [box for box in shown.absent if not only or box.id in only]
    if not absent:
        return []
    rows: list[list[Piece]] = []
    for box in absent:
        spans = listed([f"{epoch.first_seen} to {epoch.ended or epoch.last_seen}" for epoch in box.epoch])
        short = "; give an hour of that day to judge by it" if short_epochs_on(box, shown.as_of) else ""
        rows.append([(f"  {box.id}", "head"), (f"{box.title}: {spans}{short}", "")])
    return [BLANK, line_of("Not in force on that day", "strong"), *columns(rows, width)]


def _list_lines(shown: Shown, width: int | None) -> list[Line]:
    rows: list[list[Piece]] = []
    for name, names in shown.profile.list.items():
        size = counted(len(_entries(names, shown.as_of)), "entry", "entries")
        documented = f", filled up to {names.size:,}" if names.size is not None else ""
        rows.append([(f"  {name}", "head"), (names.kind, "dim"), (f"{names.title}: {size}{documented}", "")])
    return [BLANK, line_of("Lists, which --list NAME=FILE replaces", "strong"), *columns(rows, width)]
