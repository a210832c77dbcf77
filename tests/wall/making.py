"""A few words in, out come the parts of which the tests of this folder make walls: rules, templates, tables, packets, and their way past a run."""

import json
from collections.abc import Sequence
from typing import Any

import msgspec

from crenel.instant import NANOSECONDS, Instant
from crenel.wall.box import Box, Facts, Scope
from crenel.wall.effects import Effect, Side
from crenel.wall.law import Rule
from crenel.wall.match import Entry, NameList
from crenel.wall.reaction import Reaction, Template
from crenel.wall.readers import HttpHost
from crenel.wall.residual import Residual
from crenel.wall.run import Run
from crenel.wall.tcb import CompiledTcb, Row, TcbTable
from crenel.wire.packet import ACK, PSH, SYN, Packet, tcp_packet

CLIENT, SERVER = bytes((192, 0, 2, 2)), bytes((198, 51, 100, 2))
CLIENT6, SERVER6 = bytes(15) + b"\x02", bytes(15) + b"\x03"
LISTED = b"GET / HTTP/1.1\r\nHost: blocked.example\r\n\r\n"
FREE = b"GET / HTTP/1.1\r\nHost: allowed.example\r\n\r\n"
ISN, PEER = 1000, 5000
"""Initial sequence numbers of the client and of the server."""

FIXED = {"fixed": 0}
HOST: dict[str, Any] = {
    "list": "names", "walks": [{"title": "one", "line_end": "lf", "blanks_before_colon": True, "share": 1.0}], "methods": ["GET"],
    "blanks_after_method": 1, "targets": ["/"], "depth": 8192, "drops_port": True,
}


def host_reader(**changes: object) -> HttpHost:
    """Return a reader of Host headers."""
    return msgspec.convert({"reads": "http.host", **HOST, **changes}, HttpHost)


def template(**changes: object) -> Template:
    """Return a reset to both ends, all its numbers fixed, but for the changes."""
    usual: dict[str, object] = {
        "flags": "R", "copies": 1, "toward": ["client", "server"], "seq": [0], "ack": "zero", "df": False, "ip_id": FIXED, "ttl": {"fixed": 64},
        "window": FIXED, "delay": {"fixed": 1},
    }
    return msgspec.convert(usual | changes, Template)


def residual(**changes: object) -> Residual:
    """Return a memory of three parts that drops what the client sends for a minute, but for the changes."""
    usual: dict[str, object] = {
        "tuple": ["client", "server", "server_port"], "seconds": 60.0, "refresh": False, "from": "client", "on": "any", "does": "drop",
        "chances": [1.0], "onset": FIXED,
    }
    return msgspec.convert(usual | changes, Residual)


def rows(*given: dict[str, Any]) -> tuple[Row, ...]:
    """Return rows from their keys as a profile writes them."""
    return tuple(msgspec.convert(row, Row) for row in given)


def compiled(*given: dict[str, Any], name: str = "made", **limits: float) -> CompiledTcb:
    """Return a compiled table of these rows."""
    return CompiledTcb(name, TcbTable(title=name, row=rows(*given), ahead=int(limits.get("ahead", 0)), keeps_newer=limits.get("keeps_newer", 0.0)))


TRACK: dict[str, Any] = {"in": ["none", "off"], "from": "client", "has": "S", "lacks": "AR", "do": "track"}
COMPLETE: dict[str, Any] = {"in": ["opening"], "from": "client", "has": "A", "lacks": "FRS", "do": "complete", "go-on": True}
READ: dict[str, Any] = {"in": ["open"], "from": "client", "has": "A", "lacks": "FRS", "load": True, "do": "read"}
PLAIN = (TRACK, COMPLETE, READ)
"""The rows of a model that follows a textbook opening and then reads."""


def table(name: str, *given: dict[str, Any], ahead: int = 65535, keeps_newer: float = 0.0) -> str:
    """Return the text of a table of a wall file."""
    head = f'[tcb.{name}]\ntitle = "{name}"\nsources = ["made-up"]\nahead = {ahead}\nkeeps_newer = {keeps_newer}\n'
    return head + "".join(
        f"[[tcb.{name}.row]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in (row | {"sources": ["made-up"]}).items()) for row in given
    )


def made_box(
    name: str = "a",
    *,
    index: int = 0,
    tcb: CompiledTcb | None = None,
    other: tuple[CompiledTcb, float] | None = None,
    joins: float = 1.0,
    reaction: Reaction | None = None,
    remembers: Residual | None = None,
    sees_injected: bool = True,
    scope: Scope | None = None,
) -> Box:
    """Return a box that reads Host headers; without a table, segment by segment."""
    facts = Facts(name, f"box {name}", "on-path", "2000-01-01", "2030-01-01", "low", ("made-up",), ("a: made up",), "names", False)
    return Box(
        index, facts, scope=scope if scope is not None else Scope(transport="tcp", versions=(4, 6), opened_from=("inside", "outside")),
        reader=host_reader(), names=NameList([Entry("blocked.example", "suffix", "made-up")]), hours=(1.0,) * 24, coin_scope="flow",
        reaction=reaction if reaction is not None else Reaction(inject=(template(),)), residual=remembers, pools={}, tcb=tcb, other=other,
        joins=joins, first_only=None, sees_injected=sees_injected,
    )


def fixed(value: int) -> Rule:
    """Return the law of a number that never changes."""
    return Rule(fixed=value)


def at(seconds: float) -> Instant:
    """Return an instant so many seconds after noon, UTC, of a day in 2020."""
    return Instant(1_577_880_000 * NANOSECONDS + round(seconds * NANOSECONDS))


def to_server(seq: int, flags: int = ACK, payload: bytes = b"", *, ack: int = PEER + 1, port: int = 50000, server: bytes = SERVER) -> Packet:
    """Return a packet of the client; sequence numbers wrap round."""
    return tcp_packet(
        CLIENT, server, port, 80, seq=seq % (1 << 32), ack=ack % (1 << 32) if flags & ACK else 0, flags=flags | (PSH if payload else 0), payload=payload
    )


def to_client(seq: int, flags: int = ACK, payload: bytes = b"", *, ack: int = ISN + 1, port: int = 50000) -> Packet:
    """Return a packet of the server."""
    return tcp_packet(
        SERVER, CLIENT, 80, port, seq=seq % (1 << 32), ack=ack % (1 << 32) if flags & ACK else 0, flags=flags | (PSH if payload else 0), payload=payload
    )


def opening(port: int = 50000, *, isn: int = ISN, server: bytes = SERVER) -> list[Packet]:
    """Return SYN and ACK of a client, as it opens a connection."""
    return [to_server(isn, SYN, port=port, server=server), to_server(isn + 1, port=port, server=server)]


def flow(*payloads: bytes, port: int = 50000, isn: int = ISN, server: bytes = SERVER) -> list[Packet]:
    """Return a connection in which the client says these things, a segment for each."""
    said, following = [], isn + 1
    for payload in payloads:
        said.append(to_server(following, ACK, payload, port=port, server=server))
        following += len(payload)
    return [*opening(port, isn=isn, server=server), *said]


def show(run: Run, packets: Sequence[Packet], start: float = 0.0, step: float = 0.001) -> list[Effect]:
    """Show a run packets, one each `step` seconds; the client stands inside. Return all effects."""
    return [effect for one in show_each(run, packets, start, step) for effect in one]


def show_each(run: Run, packets: Sequence[Packet], start: float = 0.0, step: float = 0.001) -> list[list[Effect]]:
    """Show a run packets as `show` does; return what came of each."""
    return [
        list(run.see(at(start + number * step), Side.INSIDE if packet.src in {CLIENT, CLIENT6} else Side.OUTSIDE, packet))
        for number, packet in enumerate(packets)
    ]


def words(effects: Sequence[Effect]) -> list[str]:
    """Return the kinds of effects in their order."""
    return [type(effect).__name__ for effect in effects]
