"""A wall in, the follow-up experiments of the published studies repeated on it out: how often it ought to be so, and how often it is.

Each check is a share of trials: of those in which the client was answered, or of those in which a box acted.
"""

import functools
import hashlib
import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

import msgspec

from crenel.coins import Coins, Leaf, ScriptedCoins, enumerate_trials
from crenel.evade.apply import Prepared, prepare
from crenel.evade.corrupt import Loads
from crenel.evade.experiment import Experiment
from crenel.evade.parse import parse
from crenel.evade.rate import begin, trials_of
from crenel.evade.trial import Trials
from crenel.instant import Instant
from crenel.net.app.dns import Dns
from crenel.net.app.script import Script
from crenel.net.exchange import Exchange
from crenel.net.ground import Tactic
from crenel.net.sim.trials import Simulated
from crenel.net.sim.tries import route_to
from crenel.wall.effects import Inject, Side
from crenel.wall.wall import Wall
from crenel.wire.packet import ACK, PSH, tcp_packet
from crenel.wire.packet import SYN as SYN_FLAG

Load = Callable[[str, str], Wall]
"""Gives the wall of a date from a vantage."""

DATES = {"2017": "2017-05-01", "2019": "2019-01-15", "2020": "2020-01-15", "2022": "2022-06-01", "2024": "2024-03-01"}
PLACES = {"2017": "four-cities-2019", "2019": "four-cities-2019", "2020": "four-cities-2020", "2022": "four-cities-2020", "2024": "zhengzhou"}
"""In 2017 a path without the middleboxes of that study, which the checks are not about."""

HIT, MISSED = 0.97, 0.03
HIT_2017 = 0.972
NEW, OLD = {"device-0": True}, {"device-0": False}
"""Which of the two devices of 2017 a path meets."""

JUNK = "tamper{TCP:flags:replace:PA}(tamper{TCP:seq:add:200000}(tamper{TCP:load:replace:junkjunkjunk}(tamper{IP:ttl:replace:10},),),)"
RST = "tamper{TCP:flags:replace:R}(tamper{IP:ttl:replace:10},)"
SYN = "tamper{TCP:flags:replace:S}(tamper{TCP:ack:replace:0}(tamper{TCP:seq:corrupt}(tamper{IP:ttl:replace:10},),),)"
BAD_ACK = "[TCP:flags:A]-tamper{TCP:seq:corrupt}-|"
FALSE = "tamper{TCP:seq:corrupt}(tamper{IP:ttl:replace:10},)"


class Check(NamedTuple):
    """One experiment, and what came of it."""

    name: str
    year: str
    protocol: str
    client: str
    server: str
    of: str
    """`answered`, or `acted`: which share is meant."""
    expected: float
    given: Mapping[str, bool] = {}
    """Only where these coins, by the ends of their names, fall so."""
    within: float = 0.006


def server(name: str, dna: str, expected: float, *, protocol: str = "http", client: str = "", of: str = "answered", within: float = 0.006) -> Check:
    return Check(name, "2020", protocol, client, dna, of, expected, {}, within)


def client(name: str, dna: str, expected: float) -> Check:
    return Check(name, "2019", "http", dna, "", "answered", expected)


def early(name: str, dna: str, expected: float, given: Mapping[str, bool]) -> Check:
    return Check(name, "2017", "http", dna, "", "acted", expected, given)


OPEN_RST = "[TCP:flags:SA]-duplicate(tamper{TCP:flags:replace:R},tamper{TCP:flags:replace:S})-|"
OPEN_LOAD = "[TCP:flags:SA]-tamper{TCP:flags:replace:S}(duplicate(,tamper{TCP:load:corrupt}),)-|"
BAD_LOAD = "[TCP:flags:SA]-duplicate(tamper{TCP:ack:corrupt},tamper{TCP:load:corrupt})-|"
LOAD_RST = "[TCP:flags:SA]-duplicate(duplicate(tamper{TCP:flags:replace:%s}(tamper{TCP:load:corrupt},),tamper{TCP:ack:corrupt}),)-|"
EARLIER = "[TCP:flags:PA]-tamper{TCP:seq:add:-1}-|"
NO_RST = "[TCP:flags:R]-drop-|"
RST_RST = "[TCP:flags:SA]-duplicate(duplicate(tamper{TCP:flags:replace:R},tamper{TCP:ack:replace:1000000000}),)-|"
AFTER = "[TCP:flags:A:1]-duplicate(,%s)-|"
REVERSAL = "[TCP:flags:S]-duplicate(tamper{TCP:flags:replace:SA}(tamper{IP:ttl:replace:10},),)-|"
TWO_SYNS = f"[TCP:flags:S]-duplicate({FALSE},)-|"

TWO_ANSWERS = "[TCP:flags:SA:1]-duplicate-|"
ODD_ANSWER = "[TCP:flags:SA:1]-duplicate(tamper{TCP:ack:add:77777}(tamper{TCP:chksum:corrupt},),)-|"
ODD_ANSWER_ONLY = "[TCP:flags:SA:1]-duplicate(tamper{TCP:ack:add:77777}(tamper{TCP:chksum:corrupt},),tamper{IP:ttl:replace:3})-|"
FET = 0.263
RANDOM = hashlib.shake_256(b"random bytes").digest(200)
ESCAPED = "".join(f"%{byte:02x}" for byte in RANDOM)

MISSES = {"http": 0.03, "https": 0.03, "dns-tcp": 0.03, "ftp": 0.03, "smtp": 0.26}
"""How often the box of each protocol misses, 2020."""


def skeleton(protocol: str, miss: float) -> tuple[Check, ...]:
    """Return what follows for a protocol from the rules that all boxes of 2020 have in common (SIGCOMM 2020, section 6)."""
    elsewhere = "tamper{TCP:seq:add:1000000}"
    half, late, acts = 0.5 + 0.5 * miss, 0.893 + 0.107 * miss, 1.0 - miss
    badsum = "tamper{TCP:chksum:corrupt}"

    def one(name: str, client: str, expected: float, *, server: str = "", of: str = "answered") -> Check:
        return Check(f"{name}, {protocol}", "2020", protocol, client, server, of, expected)

    return (
        one("reset before the handshake ends", f"[TCP:flags:A:1]-duplicate({RST},)-|", half),
        one("reset, acknowledgement elsewhere", f"[TCP:flags:A:1]-duplicate({RST},duplicate({elsewhere},))-|", 1.0),
        one("reset after the handshake", AFTER % RST, late),
        one("reset after the handshake, acknowledgement elsewhere", AFTER % f"duplicate({RST},{elsewhere})", 1.0),
        one("FIN in place of the request", f"[TCP:flags:PA]-duplicate(tamper{{TCP:flags:replace:F}}({badsum},),)-|", half),
        one("reset, reset elsewhere", f"[TCP:flags:A:1]-duplicate({RST},duplicate(tamper{{TCP:flags:replace:R}}({elsewhere}({badsum},),),))-|", 1.0),
        one("junk that acknowledges nothing sent", "[TCP:flags:PA]-fake{zeros:badack}-|", 0.101 * acts, of="acted"),
        one("load, SYN/ACK with load, acknowledgement elsewhere", f"[TCP:flags:A:1]-duplicate({elsewhere},)-|", acts, server=LOAD_LOAD, of="acted"),
    )


LOAD = "tamper{TCP:flags:replace:A}(tamper{TCP:load:corrupt}(tamper{TCP:chksum:corrupt},),)"
LOAD_LOAD = f"[TCP:flags:SA:1]-duplicate({LOAD},tamper{{TCP:load:corrupt}})-|"

CHECKS = (
    server("simultaneous open alone", "[TCP:flags:SA]-tamper{TCP:flags:replace:S}-|", MISSED),
    server("open and RST, request one earlier", OPEN_RST, 0.485, client=EARLIER, of="acted"),
    server("open and load, request one earlier", OPEN_LOAD, 0.485, client=EARLIER, of="acted"),
    server("request one earlier", "", 0.0, client=EARLIER, of="acted"),
    server("bad ack and load, no RST", BAD_LOAD, MISSED, protocol="ftp", client=NO_RST),
    server("load and bad ack", "[TCP:flags:SA]-duplicate(tamper{TCP:load:corrupt},tamper{TCP:ack:corrupt})-|", MISSED, protocol="ftp"),
    server("load and RST, no RST", LOAD_RST % "F", 0.515, client=NO_RST),
    server("load on an ACK and RST", LOAD_RST % "A", 0.463),
    server("RST and RST, request where the RST was", RST_RST, 0.485, client="[TCP:flags:PA]-tamper{TCP:seq:replace:1000000000}-|", of="acted"),
    server("RST after, mirrored", "[TCP:flags:SA]-duplicate(,tamper{TCP:flags:replace:R}(tamper{TCP:chksum:corrupt},))-|", MISSED),
    server("RST/ACK after, mirrored", "[TCP:flags:SA]-duplicate(,tamper{TCP:flags:replace:RA}(tamper{TCP:chksum:corrupt},))-|", MISSED),
    server("RST before, mirrored", "[TCP:flags:SA]-duplicate(tamper{TCP:flags:replace:R}(tamper{TCP:chksum:corrupt},),)-|", MISSED),
    client("short length without FIN", "[TCP:flags:PA]-duplicate(tamper{IP:len:replace:78},)-|", MISSED),
    client("8 bytes without a bad acknowledgement", "[TCP:flags:PA]-fragment{tcp:8:False}-|", MISSED),
    client("bad acknowledgement alone", BAD_ACK, MISSED),
    client("9 bytes", f"[TCP:flags:PA]-fragment{{tcp:9:True}}-| {BAD_ACK}", MISSED),
    client("4 bytes and a bad acknowledgement", f"[TCP:flags:PA]-fragment{{tcp:4:False}}-| {BAD_ACK}", 1.0),
    client("4 and 8 bytes", "[TCP:flags:PA]-split{4:12}-|", 1.0),
    client("4 and 19 bytes", "[TCP:flags:PA]-split{4:23}-|", 1.0),
    client("8 and 4 bytes, backwards", "[TCP:flags:PA]-disorder{8:12}-|", 1.0),
    client("4 and 4 bytes", "[TCP:flags:PA]-split{4:8}-|", MISSED),
    client("9 and 4 bytes", "[TCP:flags:PA]-split{9:13}-|", MISSED),
    client("8 and 40 bytes", "[TCP:flags:PA]-split{8:48}-|", MISSED),
    early("false SYN first", TWO_SYNS, HIT_2017, NEW),
    early("false SYN second", f"[TCP:flags:S]-duplicate(,{FALSE})-|", HIT_2017, NEW),
    early("false SYN first, request split", f"{TWO_SYNS} [TCP:flags:PA]-split{{half}}-|", HIT_2017, NEW),
    early("late SYN", AFTER % SYN, HIT_2017, NEW),
    early("late SYN, junk elsewhere", AFTER % f"duplicate({SYN},{JUNK})", 0.0, NEW),
    early("improved tear-down", AFTER % f"duplicate({RST},{JUNK})", 0.0, NEW),
    early("improved overlap", "[TCP:flags:PA]-fake{zeros:none}(tamper{TCP:flags:replace:A}(tamper{IP:ttl:replace:10}(repeat{3},),),)-|", 0.0, NEW),
    *(early("creation and desynchronisation", f"{TWO_SYNS} {AFTER % f'duplicate({SYN},{JUNK})'}", 0.0, device) for device in (NEW, OLD)),
    *(early("reversal and tear-down", f"{REVERSAL} {AFTER % RST}", 0.0, device) for device in (NEW, OLD)),
    # What the studies say of single rules, where no published rate depends on them.
    *(early("nothing", "", HIT_2017, device) for device in (NEW, OLD)),
    early("reset after the handshake", AFTER % RST, 0.0, OLD),
    early("junk that acknowledges nothing sent", "[TCP:flags:PA]-fake{zeros:badack}-|", 0.101 * HIT_2017, NEW),
    early("request with FIN, no ACK before", "[TCP:flags:A]-drop-| [TCP:flags:PA]-tamper{TCP:flags:replace:FPA}-|", HIT_2017, NEW),
    Check("second SYN/ACK, junk elsewhere", "2017", "http", AFTER % JUNK, TWO_ANSWERS, "acted", 0.0, NEW),
    Check("odd SYN/ACK before, junk elsewhere", "2017", "http", AFTER % JUNK, ODD_ANSWER, "acted", HIT_2017, NEW),
    Check("odd SYN/ACK alone, junk elsewhere", "2017", "http", AFTER % JUNK, ODD_ANSWER_ONLY, "acted", 0.0, NEW),
    *(check for protocol, miss in MISSES.items() for check in skeleton(protocol, miss)),
    Check("nothing", "2024", "https", "", "", "answered", 0.0147, {}, 0.001),
    Check("reset after the handshake", "2024", "https", AFTER % RST, "", "answered", 1.0),
    Check("random bytes", "2022", "random", "", "", "acted", FET, {}, 0.001),
    Check("random bytes on the SYN", "2022", "text", f"[TCP:flags:S]-tamper{{TCP:load:replace:{ESCAPED}}}-|", "", "acted", FET, {}, 0.001),
    Check("text", "2022", "text", "", "", "acted", 0.0),
)


def carried_out(check: Check, load: Load) -> float:
    """Return the share of trials that a check is about."""
    wall = load(DATES[check.year], PLACES[check.year])
    trials = _trials(check.protocol, wall)
    ends = [_tactic(_ready(dna), end) if dna else None for end, dna in (("client", check.client), ("server", check.server))]

    def run(coins: Coins) -> Exchange:
        return trials.ground.trial(trials.experiment.app, trials.wall, trials.route, ends[0], ends[1], coins)

    found = enumerate_trials(run)
    assert found.complete
    leaves = [leaf for leaf in found.leaves if _as_given(leaf, check.given)]
    weight = math.fsum(leaf.probability for leaf in leaves)
    return math.fsum(leaf.probability for leaf in leaves if _counts(leaf.result, check.of)) / weight


def _trials(protocol: str, wall: Wall) -> Trials:
    """Return trials without a strategy, of one try each."""
    payload = {"random": RANDOM, "text": b"Nothing but plain words that everybody can read, said once and in order."}.get(protocol)
    if payload is not None:
        said = Script(messages=(payload,), transport="tcp", port=443)
        return Trials(None, "client", Experiment(protocol, said, 0.0), wall, route_to(wall), Simulated(begin(wall), afterglow=0))
    trials = trials_of("", wall, protocol)
    app = trials.experiment.app
    if isinstance(app, Dns):
        app = msgspec.structs.replace(app, tries=1)
    return msgspec.structs.replace(trials, experiment=Experiment(protocol, app, 1.0)).narrowed()


def _as_given(leaf: Leaf[Exchange], given: Mapping[str, bool]) -> bool:
    falls = {fall.name: fall.outcome for fall in leaf.path}
    return all(falls[name] == wanted for name, wanted in given.items() if name in falls)


def _counts(exchange: Exchange, of: str) -> bool:
    if of == "acted":
        return exchange.middlebox is not None
    return exchange.experience.ending == "answered" or (exchange.experience.ending == "misled" and exchange.answers[0].forged_by is None)


@functools.cache
def _ready(dna: str) -> Prepared:
    return prepare(parse(dna), Loads.LETTERS)


def _tactic(prepared: Prepared, end: str) -> Tactic:
    return lambda coins: prepared.start(coins, end)


class Seen(NamedTuple):
    """A connection of which a wall gets to see only one packet of the opening."""

    year: str
    first: str
    """`SYN` or `SYN/ACK`."""
    expected: bool
    """Is the request read?"""


SEEN = (Seen("2017", "SYN", True), Seen("2017", "SYN/ACK", True), Seen("2020", "SYN", True), Seen("2020", "SYN/ACK", False))
_CLIENT, _SERVER = bytes((192, 0, 2, 1)), bytes((198, 51, 100, 7))
_REQUEST = b"GET /?q=blocked.example HTTP/1.1\r\nHost: allowed.example\r\n\r\n"


def opened(seen: Seen, load: Load) -> bool:
    """Say whether a box acts on the request of such a connection (IMC 2017, section 4; CCS 2019, section 5.3)."""
    run = load(DATES[seen.year], PLACES[seen.year]).start(ScriptedCoins(otherwise=True))
    first = {
        "SYN": (Side.INSIDE, tcp_packet(_CLIENT, _SERVER, 40000, 80, seq=1000, flags=SYN_FLAG)),
        "SYN/ACK": (Side.OUTSIDE, tcp_packet(_SERVER, _CLIENT, 80, 40000, seq=5000, ack=1001, flags=SYN_FLAG | ACK)),
    }[seen.first]
    request = tcp_packet(_CLIENT, _SERVER, 40000, 80, seq=1001, ack=5001, flags=ACK | PSH, payload=_REQUEST)
    packets = [first, (Side.INSIDE, tcp_packet(_CLIENT, _SERVER, 40000, 80, seq=1001, ack=5001, flags=ACK)), (Side.INSIDE, request)]
    effects = [effect for number, (side, packet) in enumerate(packets) for effect in run.see(Instant(number), side, packet)]
    return any(isinstance(effect, Inject) for effect in effects)
