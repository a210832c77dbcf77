"""A witnessed flow of a capture in, its ladder out: the packets as captured, and beside them what the wall would have added or withheld."""

from collections.abc import Mapping

import msgspec

from crenel.net.replay.witness import Witnessed
from crenel.net.trace import Event, FlowReport
from crenel.report.journey import Journey, journeys
from crenel.report.ladder import show_time
from crenel.report.layout import GLUE
from crenel.report.picture import Arrow, Picture, Remark, arrow_of, shortened
from crenel.report.text import counted, listed
from crenel.wall.effects import Armed, Because, Drop, Inject, Throttle
from crenel.wall.settle import side_of_end

_NEVER = 1 << 62
_FIRST_ROWS, _LAST_ROWS = 14, 4
"""A longer ladder keeps so many rows at its beginning and at its end."""
_LATER = {"drop": "stop", "throttle": "slow"}
"""What boxes do that act on what comes behind their ground."""
AFTERWARDS = "from here on the capture shows what happened without this wall"


def forecast_picture(flow: FlowReport, witnessed: Witnessed, wall: str, title: str, summary: str) -> Picture:
    """Return the ladder of a flow; what would be forged is drawn from the wall, and what would be withheld says so.

    Args:
        flow: as judged.
        witnessed: its packets, with the effects on them.
        wall: the name of the wall.
        title: what the flow is.
        summary: what is said of it.
    """
    trace, acts, withheld = _trace(witnessed, wall)
    times = {event.number: event.time for event in trace}
    causes = {event.number: times[event.cause] for event in trace if event.cause}
    found = sorted(journeys(trace, wall), key=lambda one: (causes.get(one.numbers[0], one.begun), one.numbers[0] in causes, one.begun))
    later = {trigger.middlebox: _LATER[trigger.action] for trigger in flow.triggers if trigger.acted and trigger.action in _LATER}
    rows: list[Arrow | Remark] = [
        _with_later(_as_forecast(arrow_of(one, acts, wall, over=_NEVER), one, withheld, causes), later) for one in found
    ]
    rows = shortened(_with_remark(_paired(rows)), _FIRST_ROWS, _LAST_ROWS)
    if witnessed.full:
        rows.append(Remark(rows[-1].begun, f"and more: the flow has {counted(flow.packets, 'packet')}", "dim"))
    return Picture(title=title, summary=summary, rows=tuple(rows), both_clocks=False)


def _trace(witnessed: Witnessed, wall: str) -> tuple[list[Event], dict[int, list[Because]], dict[int, str]]:
    """Return the flow as a trace by time, why boxes would act on which packet, and which packets which box would withhold."""
    record = witnessed.record
    if record is None or not witnessed.packets:
        return [], {}, {}
    start = witnessed.packets[0][1]
    trace: list[Event] = []
    acts: dict[int, list[Because]] = {}
    withheld: dict[int, str] = {}
    for number, (_, now, second, packet) in enumerate(witnessed.packets, 1):
        sender, toward = ("server", "client") if second else ("client", "server")
        trace.append(Event(now - start, sender, toward, packet, what="sent", where=sender, number=number))  # type: ignore[arg-type]
    made = len(witnessed.packets)
    client = side_of_end(record, second=False)
    for place, effect in witnessed.effects:
        if isinstance(effect, Inject | Drop | Throttle | Armed):
            acts.setdefault(place + 1, []).append(effect.because)
        if isinstance(effect, Drop):
            withheld[place + 1] = effect.because.middlebox
        if isinstance(effect, Inject):
            made += 1
            whom, box = "client" if effect.toward == client else "server", effect.because.middlebox
            at = witnessed.packets[place][1] - start + effect.after
            trace.append(
                Event(at, "wall", whom, effect.packet, injected_by=box, what="injected", where=wall, number=made, cause=place + 1)  # type: ignore[arg-type]
            )
    trace.sort(key=lambda event: event.time)
    return trace, acts, withheld


def _as_forecast(arrow: Arrow, one: Journey, withheld: Mapping[int, str], causes: Mapping[int, int]) -> Arrow:
    """Return an arrow in the words of a forecast; what is forged stands behind the packet that drew it, and says how much later it would come."""
    notes: tuple[str, ...] = ()
    stoppers = list(dict.fromkeys(withheld[number] for number in one.numbers if number in withheld))
    begun = one.begun
    if arrow.kind == "forged":
        begun = causes.get(one.numbers[0], one.begun)
        notes = (f"would be forged by {one.forged_by} {show_time(one.begun - begun)}{GLUE}ms later",)
    elif stoppers:
        notes = (f"would be stopped by {listed(stoppers)}",)
    return msgspec.structs.replace(arrow, begun=begun, ended=None, notes=notes)


def _with_later(arrow: Arrow, later: Mapping[str, str]) -> Arrow:
    """Say of the first ground of a box that acts on what follows how it does."""
    words = tuple(f"{box} would {later[box]} what follows" for box in arrow.acted if box in later)
    return msgspec.structs.replace(arrow, notes=arrow.notes + words) if words and not arrow.notes else arrow


def _paired(rows: list[Arrow | Remark]) -> list[Arrow | Remark]:
    """Return the rows, what is forged for both ends alike as one."""
    kept: list[Arrow | Remark] = []
    for row in rows:
        last = kept[-1] if kept else None
        if isinstance(row, Arrow) and isinstance(last, Arrow) and row.kind == "forged" == last.kind and _alike(row, last):
            kept[-1] = msgspec.structs.replace(last, toward="both ends", packets=last.packets + row.packets)
        else:
            kept.append(row)
    return kept


def _alike(row: Arrow, other: Arrow) -> bool:
    return {row.toward, other.toward} == {"client", "server"} and (row.words, row.notes, row.begun) == (other.words, other.notes, other.begun)


def _with_remark(rows: list[Arrow | Remark]) -> list[Arrow | Remark]:
    """Say, behind what the wall does first, that what follows happened without it."""
    at = next((at for at, row in enumerate(rows, 1) if isinstance(row, Arrow) and row.acted), len(rows))
    while at < len(rows) and isinstance(row := rows[at], Arrow) and row.kind == "forged":
        at += 1
    return [*rows[:at], Remark(rows[at].begun, AFTERWARDS, "dim"), *rows[at:]] if at < len(rows) else rows
