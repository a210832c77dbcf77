"""One epoch of one box, as its profile states it, in; the conversations that every value of it is felt over by, in named groups, out."""

import datetime as dt
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from crenel.wire.packet import ACK, PSH, SYN
from tests.probes.flows import SERVER, Ends, Shown, ask, at, talk
from tests.probes.payloads import around, of_name, place_of, positive
from tests.probes.states import SCRIPTS, act

QUANTILES = (0.5, 0.0, 0.3, 0.6, 0.8, 0.93, 0.97, 0.999)
"""Where draws are held: between and near the points that laws are stated by."""


class Setting(NamedTuple):
    """How a wall is compiled for a probe."""

    moment: str
    vantage: str | None = None
    assume: tuple[tuple[str, str], ...] = ()


class Probe(NamedTuple):
    """One conversation with the way in which its coins fall."""

    setting: Setting
    shown: Sequence[Shown]
    yes: bool = True
    quantile: float = 0.5
    acting: bool = True


class Subject(NamedTuple):
    """A box in an epoch, with what it refers to, as parsed from the profile."""

    box: str
    epoch: Mapping[str, Any]
    entries: Sequence[Mapping[str, Any]]
    """Of the list that its trigger compares with."""

    @property
    def trigger(self) -> Mapping[str, Any]:
        """What it reads."""
        trigger: Mapping[str, Any] = self.epoch["trigger"]
        return trigger

    @property
    def moment(self) -> str:
        """A date, or a date and hour, at which the epoch is in force."""
        first = self.epoch["first_seen"].isoformat()[:16]
        return first if "T" in first else f"{first}T05:00"

    @property
    def ends(self) -> Ends:
        """Who talks, so that the box looks."""
        scope = self.epoch["scope"]
        dport = scope["ports"][0][0] if "ports" in scope else 443
        dport = self.trigger.get("ports", [dport])[0]
        return Ends(dport=dport, inside="inside" in scope["opened_from"])

    @property
    def name(self) -> str:
        """An entry of its list that is in force all the time."""
        names = [entry["name"] for entry in self.entries if "from" not in entry and "until" not in entry]
        return next((name for name in names if "blocked.example" in name), names[0]) if names else "blocked.example"

    @property
    def short_name(self) -> str:
        """Its shortest entry that is in force all the time."""
        return min((entry["name"] for entry in self.entries if "from" not in entry and "until" not in entry), key=len, default="")

    def say(self, ends: Ends, payloads: Sequence[bytes], start: float = 0.0) -> list[Shown]:
        """Return the packets that bring these payloads to the box."""
        if self.epoch["scope"]["transport"] == "udp":
            return ask(ends, payloads, start)
        return talk(ends, payloads, start)

    def ground(self, ends: Ends | None = None, start: float = 0.0) -> list[Shown]:
        """Return packets that give the box its ground."""
        ends = ends or self.ends
        if self.trigger["reads"] == "ip.address":
            host, port = place_of(next(entry["name"] for entry in self.entries if "from" not in entry))
            ends = ends._replace(server=host, dport=port if port != 443 or self.ends.dport == 443 else self.ends.dport)
            return [*talk(ends, [b"x"], start), (at(start + 0.05), *ends.from_server(PSH | ACK, 5001, 1002, b"y"))]
        return self.say(ends, positive(self.trigger, self.name), start)


def probes_of(subject: Subject) -> dict[str, Callable[[], Iterator[Probe]]]:
    """Return the groups of probes of an epoch; each group makes its probes when it is called."""
    here = Setting(subject.moment)
    return {
        "draws": lambda: _draws(subject, here),
        "memory": lambda: _memory(subject, here),
        "flows": lambda: _flows(subject, here),
        "ends": lambda: _ends(subject, here),
        "payloads": lambda: _payloads(subject, here),
        "alternatives": lambda: _alternatives(subject),
        "days": lambda: _days(subject),
        "hours": lambda: _hours(subject),
        "names": lambda: _names(subject),
        "states": lambda: (Probe(here, act(script, subject.ends, positive(subject.trigger, subject.name)), yes)
                           for script in SCRIPTS for yes in (True, False)) if subject.epoch["scope"]["transport"] == "tcp" else iter(()),
    }


def _payloads(subject: Subject, setting: Setting) -> Iterator[Probe]:
    for yes, name in itertools.product((True, False), dict.fromkeys((subject.name, subject.short_name))):
        for payloads in around(subject.trigger, name):
            yield Probe(setting, subject.say(subject.ends, payloads), yes)


def _alternatives(subject: Subject) -> Iterator[Probe]:
    """Yield what the other values of a profile could change, each where it is assumed."""
    for one in subject.epoch.get("alternative", ()):
        setting = Setting(subject.moment, None, ((f"{subject.box}.{one['key']}", one["name"]),))
        yield Probe(setting, subject.ground())
        yield from _memory(subject, setting)
        yield from _payloads(subject, setting)


def _draws(subject: Subject, here: Setting) -> Iterator[Probe]:
    shown = subject.ground() + subject.ground(subject.ends._replace(sport=50001), 10.0)
    for quantile in QUANTILES:
        yield Probe(here, shown, quantile=quantile)
    yield Probe(here, shown, yes=False)
    yield Probe(here, shown, acting=False)


def _memory(subject: Subject, setting: Setting) -> Iterator[Probe]:
    residual = subject.epoch.get("residual")
    if residual is None:
        return
    for seconds in dict.fromkeys((residual["seconds"] or 180, 60, 180)):
        yield Probe(setting, subject.ground() + _followed(subject, (1.0, 20.0, seconds - 0.05, seconds + 0.2)))
    yield Probe(setting, _again(subject, len(residual["chances"]) + 2))
    for quantile in QUANTILES:
        yield Probe(setting, subject.ground() + _onset(subject, residual["onset"], quantile), quantile=quantile)
    # Two keys, so that a memory of one has to let go.
    other = subject.ends._replace(server="198.51.100.77")
    yield Probe(setting, subject.ground() + subject.ground(other, 0.5) + _followed(subject, (1.0,)))


def _followed(subject: Subject, moments: Sequence[float]) -> list[Shown]:
    """Return packets of each kind, on flows that share this or that with the one that gave the ground, at these moments."""
    ends = subject.ends
    others = [ends._replace(sport=50002), ends, ends._replace(dport=ends.dport + 1)]
    others += [ends._replace(client="192.0.2.9"), ends._replace(server="198.51.100.9")]
    shown: list[Shown] = []
    for moment, (number, other) in itertools.product(moments, enumerate(others)):
        if number != 1:
            other = other._replace(sport=other.sport + 10 * int(moment))  # noqa: PLW2901  a flow of its own at each moment
        if subject.epoch["scope"]["transport"] == "udp":
            packets = [other.datagram(b"x")]
        else:
            packets = [other.from_server(PSH | ACK, 1, 1, b"y"), other.from_server(ACK, 1, 1), other.from_server(SYN | ACK, 1, 1)]
            packets += [other.from_client(flags, 1, 1, load) for flags, load in ((SYN, b""), (SYN | ACK, b""), (ACK, b""), (PSH | ACK, b"x"))]
        shown += [(at(moment + 0.05 + 0.001 * number), *packet) for packet in packets]
    return sorted(shown, key=lambda one: one[0])


def _again(subject: Subject, times: int) -> list[Shown]:
    """Return as many grounds, each followed by a packet of a new flow."""
    shown: list[Shown] = []
    for number in range(times):
        shown += subject.ground(subject.ends._replace(sport=50100 + number), float(number))
        fresh = subject.ends._replace(sport=50200 + number)
        if subject.epoch["scope"]["transport"] == "udp":
            shown.append((at(number + 0.5), *fresh.datagram(b"x")))
        else:
            shown += [(at(number + 0.5), *fresh.from_client(flags, 1, 1, load)) for flags, load in ((SYN, b""), (PSH | ACK, b"x"))]
    return shown


def _onset(subject: Subject, onset: Mapping[str, Any], quantile: float) -> list[Shown]:
    """Return packets just before and just after the memory begins to hold, where this quantile is drawn."""
    points = onset.get("quantiles", [[0.0, onset.get("fixed", 0)], [1.0, onset.get("fixed", 0)]])
    value = next(
        (low + (high - low) * (quantile - below) / (above - below) for (below, low), (above, high) in itertools.pairwise(points) if quantile < above),
        points[-1][1],
    )
    last = 0.01 * (len(subject.ground()) - 1)
    shown: list[Shown] = []
    for number, more in enumerate((-0.0011, -0.0002, 0.0002, 0.0011, 0.011)):
        ends = subject.ends._replace(sport=50300 + number)
        udp = subject.epoch["scope"]["transport"] == "udp"
        if value / 1000 + more > 0:
            shown.append((at(last + value / 1000 + more), *(ends.datagram(b"x") if udp else ends.from_client(PSH | ACK, 1, 1, b"x"))))
    return shown


def _ends(subject: Subject, here: Setting) -> Iterator[Probe]:
    """Yield the ground on other ports, from the other side, and over IPv6."""
    scope, ends = subject.epoch["scope"], subject.ends
    variants = [ends._replace(inside=not ends.inside)]
    for low, high in scope.get("ports", ()):
        variants += [ends._replace(dport=port) for port in (low - 1, low, high, high + 1)]
    variants += [ends._replace(dport=port) for port in (1, 80, 81, 444, 8443)]
    variants += [ends._replace(sport=sport, dport=30000) for sport in (29999, 30000, 30001)]
    for variant in variants:
        yield Probe(here, subject.ground(variant))
        if subject.trigger["reads"] == "ip.address":
            yield Probe(here, subject.say(variant, [b"x"]))
    for variant in (ends.six(), ends.six()._replace(inside=not ends.inside)):
        yield Probe(here, subject.say(variant, positive(subject.trigger, subject.name)))
    if subject.trigger["reads"] in {"ip.address", "tcp.port"}:
        yield from (Probe(here, shown) for shown in _headers(subject))
    first = subject.epoch.get("first_only")
    if first is not None:
        grounds = positive(subject.trigger, subject.name)
        for gap in (first["seconds"] - 0.1, first["seconds"], first["seconds"] + 0.1):
            for count in range(first["datagrams"] + 2):
                yield Probe(here, ask(ends, [b"x"] * count) + ask(ends, grounds, 0.01 * max(0, count - 1) + gap))
                yield Probe(here, ask(ends, [b"x"] * count + grounds))


def _headers(subject: Subject) -> Iterator[list[Shown]]:
    """Yield every kind of packet, with each listed address as the server and as the client, of flows opened from either side."""
    for entry, inside in itertools.product([entry["name"] for entry in subject.entries] or [f"{SERVER}:443"], (True, False)):
        host, port = place_of(entry)
        ends = subject.ends._replace(inside=inside)
        ends = ends.six() if ":" in host else ends
        for turned in (ends._replace(server=host, dport=port), ends._replace(client=host, sport=port)):
            yield act("S k A J D d K w", turned, [b"x"])


def _flows(subject: Subject, here: Setting) -> Iterator[Probe]:
    """Yield two conversations at once, and one in many small segments."""
    payloads = positive(subject.trigger, subject.name)
    several = [subject.say(subject.ends._replace(sport=50400 + number), payloads, 0.001 * number) for number in range(4)]
    yield Probe(here, sorted(itertools.chain(*several), key=lambda one: one[0]))
    whole = b"".join(payloads)
    yield Probe(here, subject.say(subject.ends, [whole[at : at + 9] for at in range(0, len(whole), 9)]))


def _days(subject: Subject) -> Iterator[Probe]:
    """Yield the ground on the days between which the epoch begins and ends."""
    for key, steps in (("first_seen", (-1, 0)), ("last_seen", (0,)), ("ended", (0, 1, 2))):
        moment = subject.epoch.get(key)
        if moment is None:
            continue
        unit = dt.timedelta(minutes=1) if isinstance(moment, dt.datetime) else dt.timedelta(days=1)
        for step in steps:
            yield Probe(Setting((moment + step * unit).isoformat()[:16]), subject.ground())


def _hours(subject: Subject) -> Iterator[Probe]:
    """Yield the ground at each hour, seen from each city and from one without a curve."""
    chance = subject.epoch["chance"]
    if "by_hour" not in chance:
        return
    day = subject.moment[:10]
    yield Probe(Setting(day), subject.ground())
    yield Probe(Setting(f"{day}T05:00", "zhengzhou"), subject.ground())
    for city, hour in itertools.product(chance["by_hour"], range(24)):
        yield Probe(Setting(f"{day}T{hour:02d}:00", city), subject.ground())


def _names(subject: Subject) -> Iterator[Probe]:
    """Yield what tells each entry of the list from others, in force and not."""
    for entry in subject.entries:
        moments = [subject.moment]
        for key, step in (("from", -1), ("until", 1)):
            if key in entry:
                moments += [entry[key].isoformat(), (entry[key] + step * dt.timedelta(days=1)).isoformat()]
        for moment in moments:
            if subject.trigger["reads"] == "ip.address":
                host, port = place_of(entry["name"])
                ends = subject.ends._replace(server=host)
                ends = ends.six()._replace(server=host) if ":" in host else ends
                for dport in (port, port + 1):
                    yield Probe(Setting(moment), act("S k A J D", ends._replace(dport=dport), [b"x"]))
            else:
                for payloads in of_name(subject.trigger, entry["name"]):
                    yield Probe(Setting(moment), subject.say(subject.ends, payloads))
