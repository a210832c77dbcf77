"""A flow that is over, with the notes of its replay, in; its report out."""

from crenel.flow.table import FlowRecord
from crenel.instant import NANOSECONDS
from crenel.net.odds import exact_odds, odds_of
from crenel.net.replay.notes import FlowNotes, is_reserved, shown_name
from crenel.net.trace import Evidence, FlowReport, Trigger, Verdict, evidence_of
from crenel.wall.box import Box
from crenel.wall.readers.encrypted import RandomLooking
from crenel.wall.settle import side_of_end
from crenel.wall.state import FlowState
from crenel.wall.wall import Wall
from crenel.wire.packet import TCP
from crenel.wire.sniff import Reading

_NOTHING = Reading("unknown")
_OCTETS = tuple([str(octet) for octet in range(256)])
"""Half as dear as to format four numbers."""


class Reporter:
    """Turns flow records of one capture into reports.

    Args:
        wall: the wall that judged them.
        capture: the path as given.
        tolerate: chance up to which a flow is not at risk.
        encrypted: the rule by which a payload that is nothing else is called encrypted.
        examples: whether names were compared with example lists only.
    """

    def __init__(self, wall: Wall, capture: str, tolerate: float, encrypted: RandomLooking, *, examples: bool) -> None:
        self._wall = wall
        self._capture = capture
        self._tolerate = tolerate
        self._encrypted = encrypted
        self._examples = examples
        self._boxes: dict[str, Box] = {box.id: box for box in wall.boxes}

    def report(self, record: FlowRecord) -> FlowReport:
        """Return the report of one flow."""
        if type(record.notes) is not FlowNotes:
            return self._plain(record, record.notes or _NOTHING)
        notes: FlowNotes = record.notes
        names = tuple([shown_name(name) for name in notes.names]) if notes.names else ()
        triggers: tuple[Trigger, ...] = ()
        evidence: tuple[Evidence, ...] = ()
        chance = 0.0
        state: FlowState | None = record.wall
        tossed = state is not None and state.tossed
        if notes.findings or (tossed and notes.first_payload):
            triggers, evidence, chance = self._findings(record, notes, tossed=tossed)
        acted = notes.acted_box
        verdict: Verdict = "pass"
        if acted is not None:
            verdict = "blocked"
        elif not record.complete:
            verdict = "undetermined"
        key = record.key
        client, server = (record.first, record.second) if record.version != 4 else (key[:4], key[4:8])
        first = names[0] if names else None
        return FlowReport(
            self._capture, record.number, "tcp" if record.transport == TCP else "udp",
            show_address(client), record.sport, show_address(server), record.dport,
            _show_time(record.start), record.packets, record.size,
            self._protocol(notes) if notes.protocol == "unknown" else notes.protocol,  # type: ignore[arg-type]
            first, names,
            "example-list" if first is not None and self._examples and not is_reserved(first) else None,
            record.complete, verdict, chance > self._tolerate, acted, self._action(acted, residual=notes.acted_residual),
            notes.acted_residual, notes.acted_packet if acted is not None else None, chance, triggers, evidence,
        )

    def _plain(self, record: FlowRecord, reading: Reading) -> FlowReport:
        """Return the report of a complete flow of IPv4 in which nothing was found."""
        names = tuple([shown_name(name) for name in reading.names])
        first = names[0] if names else None
        key = record.key
        return FlowReport(
            self._capture, record.number, "tcp" if record.transport == TCP else "udp",
            show_address(key[:4]), record.sport, show_address(key[4:8]), record.dport,
            _show_time(record.start), record.packets, record.size,
            "encrypted" if record.encrypted and reading.protocol == "unknown" else reading.protocol,
            first, names, "example-list" if first is not None and self._examples and not is_reserved(first) else None,
            True, "pass", self._tolerate < 0.0, None, None, False, None, 0.0, (), (),
        )

    def _action(self, acted: str | None, *, residual: bool) -> str | None:
        if acted is None:
            return None
        box = self._boxes[acted]
        return box.residual.does if residual and box.residual is not None else box.action

    def _protocol(self, notes: FlowNotes) -> str:
        payload = notes.first_payload
        if payload and self._encrypted.read(payload, (len(payload),), False).found:
            return "encrypted"
        return "unknown"

    def _findings(
        self, record: FlowRecord, notes: FlowNotes, *, tossed: bool
    ) -> tuple[tuple[Trigger, ...], tuple[Evidence, ...], float]:
        """Gather the grounds of a flow: one trigger for each box, the evidence for each, and the chance that any acts."""
        acted: dict[str, bool] = {}
        evidence: dict[tuple[str, bool], Evidence] = {}
        for because, acts, packet in notes.findings:
            box = because.middlebox
            evidence.setdefault((box, because.residual is not None), evidence_of(because, packet))
            acted[box] = acted.get(box, False) or (acts and because.residual is None)
        if tossed:
            shown = [(now, side_of_end(record, second=second), packet) for now, second, packet in record.kept]
            odds = exact_odds(self._wall, shown, served=record.served)
            for kept, because in odds.grounds:
                # What the draw kept from having ground is at risk all the same, and says why.
                evidence.setdefault((because.middlebox, False), evidence_of(because, notes.number_of(kept)))
        else:
            odds = odds_of(self._wall.boxes, (because for because, _, _ in notes.findings))
        triggers = tuple(Trigger(box, self._boxes[box].action or "", p, acted.get(box, False)) for box, p in odds.boxes.items())
        return triggers, tuple(evidence.values()), odds.chance


def _show_time(at: int) -> str:
    """Return an instant as seconds with nine decimals."""
    return "%d.%09d" % divmod(at, NANOSECONDS)  # noqa: UP031  twice as fast as a format string


def show_address(address: bytes) -> str:
    """Return an address as text."""
    if len(address) == 4:
        a, b, c, d = address
        return f"{_OCTETS[a]}.{_OCTETS[b]}.{_OCTETS[c]}.{_OCTETS[d]}"
    import ipaddress  # noqa: PLC0415  only IPv6 needs it, and it costs at start

    return str(ipaddress.IPv6Address(address))

