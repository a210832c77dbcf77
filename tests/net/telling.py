"""A trace in, a ladder of lines out: the millisecond, the place, what happened to which packet there."""

from collections.abc import Iterable

from crenel.net.trace import BEGINNINGS, ENDINGS, Event
from crenel.wire.packet import ACK, FIN, PSH, RST, SYN, TCP, UDP

_FLAGS = {"SYN": SYN, "FIN": FIN, "RST": RST, "PSH": PSH, "ACK": ACK}


def lines_of(trace: Iterable[Event]) -> list[str]:
    """Return one line for each event, such as `6 wall passed #1 > SYN ttl=58`."""
    return [
        f"{event.time / 1e6:g} {event.where} {event.what} #{event.number} {'>' if event.toward == 'server' else '<'} {_words(event)}"
        for event in trace
    ]


def _words(event: Event) -> str:
    packet = event.packet
    kind = "ICMP"
    if packet.proto == TCP:
        kind = "+".join(name for name, bit in _FLAGS.items() if packet.flags & bit) or "-"
    elif packet.proto == UDP:
        kind = "UDP"
    who = event.injected_by or event.dropped_by
    return f"{kind} ttl={packet.ttl}" + (f" [{who}]" if who else "")


def check_accounts(trace: Iterable[Event], *, finished: bool = True) -> None:
    """Fail unless time never runs backwards and every packet begins once and, where the trace is finished, ends once."""
    trace = list(trace)
    assert [event.time for event in trace] == sorted(event.time for event in trace)
    lives: dict[int, list[str]] = {}
    for event in trace:
        lives.setdefault(event.number, []).append(event.what)
        assert (event.dropped_by is not None) <= (event.what == "dropped")
        assert (event.what in {"dropped", "died", "lost", "held"}) <= (event.reason is not None)
        assert event.what != "injected" or (event.injected_by is not None and 0 < event.cause < event.number)
    for number, life in lives.items():
        assert life[0] in BEGINNINGS, (number, life)
        assert not BEGINNINGS & set(life[1:]), (number, life)
        assert len(ENDINGS & set(life)) == int(finished or bool(ENDINGS & set(life))), (number, life)
        assert not ENDINGS & set(life[:-1]), (number, life)
    assert list(lives) == list(range(1, len(lives) + 1))
