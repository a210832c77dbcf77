"""What a box does when it acts: templates of a profile in, forged packets with their delays out."""

from collections.abc import Callable, Mapping, MutableMapping
from typing import Literal

import msgspec

from crenel.coins import Coins, Uniform
from crenel.wall.law import Rule, compile_rule
from crenel.wall.readers.reading import Query
from crenel.wire.packet import ACK, FIN, IP_DF, PSH, RST, SYN, TCP, UDP, URG, Packet

_BITS = {"F": FIN, "S": SYN, "R": RST, "P": PSH, "A": ACK, "U": URG}
_SEQUENCE = 1 << 32

Compute = Callable[[Coins, bytes, MutableMapping[str, int], int, int, int], int]


class Template(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of forged TCP packet."""

    flags: str
    copies: int
    toward: tuple[Literal["client", "server"], ...]
    seq: tuple[int, ...]
    """Sequence number of each copy, as an offset from what the receiver expects next; the last repeats."""
    ack: Literal["trigger-end", "zero"]
    df: bool
    ip_id: Rule
    ttl: Rule
    window: Rule
    payload: str = ""
    """Text, with the escapes of TOML."""
    delay: Rule
    """Microseconds from the trigger to the first copy."""
    share: float | None = None
    """Probability that this template is the one that is sent, where a box sends one of several."""


class Answers(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A forged DNS answer over UDP."""

    flags_rd0: int
    """Second 16 bits of the DNS header where the query does not ask for recursion."""
    flags_rd1: int
    record_ttl: Rule
    owner: Literal["pointer", "copy"]
    """How the answer names its owner: a compression pointer or the whole name again."""
    pool: str
    """List of IPv4 addresses that are answered."""
    pool6: str | None = None
    order: Literal["cyclic", "random"]
    processes: int = 1
    """Walks of a cyclic pool that go on side by side; a flow always meets the same one."""
    df: bool
    ip_id: Rule
    ttl: Rule
    delay: Rule

    def __post_init__(self) -> None:
        """Refuse walks where nothing walks."""
        if self.processes < 1 or (self.order == "random" and self.processes != 1):
            message = "processes is 1 or more, and 1 where the order is random"
            raise ValueError(message)


class Bucket(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A token bucket."""

    bytes_per_second: int
    burst: int
    toward: Literal["client", "server", "both"]


class Reaction(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that a box does at once; residual memory stands beside it."""

    inject: tuple[Template, ...] = ()
    answer: Answers | None = None
    withhold: bool = False
    """In-path boxes only: the packet that was the ground does not go on."""
    throttle: Bucket | None = None

    def action(self) -> str | None:
        """Return the one word for it: reset, forge, throttle, page, drop; None where only residual memory acts."""
        if self.answer is not None:
            return "forge"
        if any("R" in template.flags for template in self.inject):
            return "reset"
        if any(template.payload for template in self.inject):
            return "page"
        if self.throttle is not None:
            return "throttle"
        return "drop" if self.withhold else None


class Forger:
    """A compiled template: makes its packets for one ground."""

    __slots__ = ("_box", "_delay", "_flags", "_ip_id", "_template", "_ttl", "_varies", "_window", "share")

    def __init__(self, box: str, number: int, template: Template) -> None:
        name = f"inject-{number}"
        self._box = box
        self._template = template
        self._flags = sum(_BITS[letter] for letter in template.flags)
        self._ip_id = compile_rule(template.ip_id, box, f"{name}/ip-id", 1 << 16)
        self._ttl = compile_rule(template.ttl, box, f"{name}/ttl", 256)
        self._window = compile_rule(template.window, box, f"{name}/window", 1 << 16)
        self._delay = compile_rule(template.delay, box, f"{name}/delay", 1 << 62)
        self._varies = any(rule.varies() for rule in (template.ip_id, template.ttl, template.window))
        self.share = template.share

    def forge(
        self, ground: Packet, coins: Coins, scope: bytes, counters: MutableMapping[str, int], *, from_client: bool
    ) -> list[tuple[Packet, bool, int]]:
        """Return the packets, whether each goes to the client, and its delay in nanoseconds."""
        made: list[tuple[Packet, bool, int]] = []
        for end in self._template.toward:
            to_client = end == "client"
            delay = 1000 * self._delay(coins, scope, counters, 0, 0, 0)
            window = self._window(coins, scope, counters, ground.window, 0, 0)
            ttl = self._ttl(coins, scope, counters, ground.ttl, window, 0)
            ip_id = self._ip_id(coins, scope, counters, ground.ident, window, 0)
            for copy in range(self._template.copies):
                if copy and self._varies:
                    window = self._window(coins, scope, counters, ground.window, 0, copy)
                    ttl = self._ttl(coins, scope, counters, ground.ttl, window, copy)
                    ip_id = self._ip_id(coins, scope, counters, ground.ident, window, copy)
                made.append((self._packet(ground, copy, window, ttl, ip_id, back=to_client == from_client), to_client, delay))
        return made

    def _packet(self, ground: Packet, copy: int, window: int, ttl: int, ip_id: int, *, back: bool) -> Packet:
        """Build one copy; `back` says that it returns to the sender of the ground."""
        template = self._template
        spent = len(ground.payload) + (1 if ground.flags & (SYN | FIN) else 0)
        end = (ground.seq + spent) % _SEQUENCE
        offset = template.seq[min(copy, len(template.seq) - 1)]
        seq = ground.ack if back else end
        ack = 0 if template.ack == "zero" else (end if back else ground.ack)
        src, dst, sport, dport = (
            (ground.dst, ground.src, ground.dport, ground.sport) if back else (ground.src, ground.dst, ground.sport, ground.dport)
        )
        return Packet(
            ground.version, src, dst, TCP, sport, dport, (seq + offset) % _SEQUENCE, ack, self._flags, window,
            template.payload.encode("latin-1"), ttl, ip_id if ground.version == 4 else 0, IP_DF if template.df and ground.version == 4 else 0,
        )


class Answerer:
    """A compiled answer: makes the forged response for one query."""

    __slots__ = ("_answers", "_box", "_delay", "_ip_id", "_pool", "_pool6", "_record_ttl", "_ttl")

    def __init__(self, box: str, answers: Answers, pools: Mapping[str, tuple[bytes, ...]]) -> None:
        self._box = box
        self._answers = answers
        self._pool = pools[answers.pool]
        self._pool6 = pools[answers.pool6] if answers.pool6 else ()
        self._ip_id = compile_rule(answers.ip_id, box, "answer/ip-id", 1 << 16)
        self._ttl = compile_rule(answers.ttl, box, "answer/ttl", 256)
        self._delay = compile_rule(answers.delay, box, "answer/delay", 1 << 62)
        self._record_ttl = compile_rule(answers.record_ttl, box, "answer/record-ttl", 1 << 32)

    def forge(
        self, ground: Packet, question: Query, coins: Coins, scope: bytes, flow_scope: bytes, counters: MutableMapping[str, int]
    ) -> tuple[Packet, int]:
        """Return the forged response and its delay in nanoseconds."""
        six = question.qtype == 28 and bool(self._pool6)  # 28: AAAA (RFC 3596 section 2.1)
        address = self._address(self._pool6 if six else self._pool, "v6" if six else "v4", coins, scope, flow_scope, counters)
        record_ttl = self._record_ttl(coins, scope, counters, 0, 0, 0)
        flags = self._answers.flags_rd1 if question.recursion else self._answers.flags_rd0
        asked = question.name + question.tail
        owner = b"\xc0\x0c" if self._answers.owner == "pointer" else question.name
        payload = b"".join((
            question.ident.to_bytes(2, "big"), flags.to_bytes(2, "big"), b"\0\1\0\1\0\0\0\0", asked, owner,
            (28 if six else 1).to_bytes(2, "big"), b"\0\1", record_ttl.to_bytes(4, "big"), len(address).to_bytes(2, "big"), address,
        ))
        delay = 1000 * self._delay(coins, scope, counters, 0, 0, 0)
        ttl = self._ttl(coins, scope, counters, ground.ttl, 0, 0)
        ip_id = self._ip_id(coins, scope, counters, ground.ident, 0, 0)
        four = ground.version == 4
        forged = Packet(
            ground.version, ground.dst, ground.src, UDP, ground.dport, ground.sport, payload=payload, ttl=ttl,
            ident=ip_id if four else 0, ip_flags=IP_DF if self._answers.df and four else 0,
        )
        return forged, delay

    def _address(
        self, pool: tuple[bytes, ...], version: str, coins: Coins, scope: bytes, flow_scope: bytes, counters: MutableMapping[str, int]
    ) -> bytes:
        if self._answers.order == "random":
            return pool[coins.pick(self._box, scope, "answer/address", len(pool))]
        process = coins.pick(self._box, flow_scope, "answer/process", self._answers.processes)
        name = f"answer/walk-{process}-{version}"
        if name not in counters:
            counters[name] = coins.draw(self._box, b"", name, Uniform(0, len(pool) - 1))
        else:
            counters[name] = (counters[name] + 1) % len(pool)
        return pool[counters[name]]

