"""Every published strategy on every packet of a small connection, against the same actions carried out with another packet library."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import pytest

from crenel.coins import KeyedCoins
from crenel.evade.apply import prepare
from crenel.evade.corrupt import Loads, draw_value
from crenel.evade.draws import Draws
from crenel.evade.language import Action, Drop, Duplicate, Fragment, Strategy, Tamper, Trigger
from crenel.evade.parse import parse
from crenel.evade.tamper import _WORDS
from crenel.wire.ip import parse_packet, serialise
from crenel.wire.packet import ACK, PSH, Packet
from tests.evade.acting import CONVERSATION, REQUEST, facts_path, sent

MINE = [
    "[TCP:flags:PA]-tamper{TCP:chksum:corrupt}(tamper{TCP:window:add:-3},)-|",
    "[TCP:flags:PA]-tamper{IP:chksum:replace:7}-|",
    "[TCP:flags:S]-tamper{TCP:options-mss:replace:100}(tamper{TCP:options-wscale:replace:},)-|",
    "[TCP:flags:S]-tamper{TCP:options-timestamp:corrupt}(tamper{TCP:options-altchksum:replace:9},)-|",
    "[TCP:flags:PA]-tamper{TCP:options-md5header:corrupt}(tamper{TCP:dataofs:replace:7},)-|",
    "[TCP:flags:PA]-tamper{TCP:dataofs:replace:3}-|",
    "[TCP:flags:PA]-tamper{TCP:dataofs:replace:15}(fragment{tcp:10:False:5},)-|",
    "[TCP:flags:PA]-fragment{tcp:-3:True}(,fragment{tcp:0:False})-|",
    "[TCP:flags:PA]-fragment{ip:3:True}-|",
    "[TCP:flags:PA]-fragment{ip:-1:False}(tamper{IP:ttl:add:-1},tamper{TCP:flags:replace:R})-|",
    "[TCP:flags:S]-fragment{ip:1:True}-|",
    "[TCP:flags:PA]-tamper{TCP:load:replace:a%20b__HTTP_REQUEST__}-|",
    "[TCP:flags:PA]-tamper{TCP:flags:replace:511}(tamper{TCP:reserved:replace:5},)-|",
    "[TCP:flags:PA]-tamper{IP:tos:corrupt}(tamper{IP:id:corrupt}(tamper{IP:flags:replace:MF},),)-|",
    "[TCP:flags:PA]-tamper{IP:src:replace:203.0.113.9}-|",
    "[UDP:dport:53]-tamper{UDP:sport:replace:7}-|",
    "[UDP:dport:53]-tamper{UDP:load:replace:hello}(tamper{IP:ttl:replace:3},)-|",
    "[UDP:dport:53]-tamper{UDP:chksum:replace:0}-|",
    "[UDP:dport:53]-tamper{UDP:len:corrupt}-|",
    "[UDP:dport:53]-tamper{IP:dst:replace:203.0.113.9}-|",
    "[DNS:qr:0]-tamper{DNS:qdcount:replace:2}(tamper{DNS:rd:replace:0}(tamper{DNS:opcode:add:3},),)-|",
    "[DNS:qr:1]-tamper{DNS:id:corrupt}(tamper{DNS:rcode:corrupt},)-|",
    "[DNSQR:qtype:1]-tamper{DNSQR:qclass:replace:3}-|",
    "[UDP:dport:53]-fragment{ip:2:True}-|",
]

NAMES = {"mss": "MSS", "wscale": "WScale", "sackok": "SAckOK", "timestamp": "Timestamp", "altchksum": "AltChkSum", "uto": "UTO", "md5header": 19}
NUMBERS = {"mss", "wscale", "timestamp", "altchksum", "uto"}


def option(name: str, value: int | str) -> tuple[Any, Any]:
    if name in NUMBERS:
        number = value if value != "" else 0
        return NAMES[name], (number, 0) if name in {"timestamp", "altchksum"} else number
    return NAMES[name], bytes.fromhex(str(value))


def change(packet: Any, proto: str, field: str, value: int | str) -> None:
    """Set a field as the language file says."""
    from scapy.all import Raw

    del packet["IP"].chksum
    if packet.haslayer("TCP"):
        del packet["TCP"].chksum
    if field == "load":
        load = unquote(str(value)).encode()
        for word, meant in _WORDS.items():
            load = load.replace(word, meant)
        del packet["IP"].len
        packet[proto].remove_payload()
        packet[proto].add_payload(Raw(load))
    elif field.startswith("options-"):
        name, set_to = option(field.removeprefix("options-"), value)
        kinds = [known[0] for known in packet["TCP"].options]
        options = list(packet["TCP"].options)
        if name in kinds:
            options[kinds.index(name)] = (name, set_to)
        else:
            options.append((name, set_to))
        packet["TCP"].options = options
        del packet["TCP"].dataofs
        del packet["IP"].len
    else:
        setattr(packet[proto], field, 0 if (field, value) == ("flags", "") else value)


def tampered(packet: Any, action: Tamper, draws: Draws) -> Any:
    if not packet.haslayer(action.proto):
        return packet
    if action.mode == "corrupt":
        value = draw_value(action.proto, action.field, draws, Loads.RELEASED)
    else:
        value = action.value if action.field == "load" or not action.value.lstrip("-").isdecimal() else int(action.value)
    if action.mode == "add":
        value = int(getattr(packet[action.proto], action.field)) + int(value)
    change(packet, action.proto, action.field, value)
    return packet


def fragments(packet: Any, action: Fragment) -> list[Any]:
    from scapy.all import IP, Raw

    if not packet.haslayer("Raw") and not packet.haslayer("DNS"):
        return [packet, packet.copy()]
    if action.layer == "tcp":
        if not packet.haslayer("TCP"):
            return [packet, packet.copy()]
        load = bytes(packet["TCP"].payload)
        at = len(load) // 2 if action.at == -1 or action.at > len(load) - 1 else action.at
        pieces = []
        for part, moved in ((load[: at + min(len(load[at:]), action.overlap)], 0), (load[at:], at)):
            piece = packet.copy()
            piece["TCP"].remove_payload()
            piece["TCP"].add_payload(Raw(part))
            piece["TCP"].seq = (piece["TCP"].seq + moved) % 2**32
            for layer, fields in (("IP", ("chksum", "len")), ("TCP", ("chksum", "dataofs"))):
                for field in fields:
                    delattr(piece[layer], field)
            pieces.append(piece)
    else:
        body = bytes(packet["IP"].payload)
        size = len(body) // 16 * 8 if action.at == -1 or action.at * 8 > len(body) else action.at * 8
        if size <= 0:
            return [packet, packet.copy()]
        pieces = []
        for part, frag, flags in (
            (body[:size], 0, int(packet["IP"].flags) | 1), (body[size:], size // 8, 2 if len(body) > 2 * size else int(packet["IP"].flags)),
        ):
            head = packet["IP"].copy()
            head.remove_payload()
            head.frag, head.flags, head.chksum, head.len = packet["IP"].frag + frag, flags, None, None
            pieces.append(IP(bytes(head / Raw(part))))
    return pieces if action.in_order else pieces[::-1]


def carry_out(action: Action | None, packet: Any, draws: Draws) -> list[Any]:
    if action is None:
        return [packet]
    left, right = (*action.children, None, None)[:2]
    match action:
        case Drop():
            return []
        case Duplicate():
            copy = packet.copy()
            return carry_out(left, packet, draws) + carry_out(right, copy, draws)
        case Tamper():
            return carry_out(left, tampered(packet, action, draws), draws)
        case Fragment():
            first, second = fragments(packet, action)
            return carry_out(left, first, draws) + carry_out(right, second, draws)
        case _:
            raise AssertionError(action)


def fires(trigger: Trigger, packet: Any) -> bool:
    """Compare as Geneva does: exactly."""
    if not packet.haslayer(trigger.proto):
        return False
    if trigger.field.startswith("options-"):
        assert not trigger.value
        return not [one for one in packet["TCP"].options if one[0] == NAMES[trigger.field.removeprefix("options-")]]
    found = getattr(packet[trigger.proto], trigger.field)
    return set(str(found)) == set(trigger.value) if trigger.field == "flags" else int(found) == int(trigger.value)


def expected(strategy: Strategy, packet: Packet, draws: Draws) -> list[Any]:
    from scapy.all import IP

    whole = IP(serialise(packet))
    matching = [tree for tree in strategy.outbound if fires(tree.trigger, whole)]
    if not matching:
        return [whole]
    return [one for tree in matching for one in carry_out(tree.action, whole.copy(), draws)]


def on_the_way(packet: Any) -> bytes:
    """Cut what lies behind the claimed IP length, as the first router does."""
    raw = bytes(packet)
    return raw[: int.from_bytes(raw[2:4], "big")]


def check(dna: str, packet: Packet) -> None:
    strategy = parse(dna)
    prepared = prepare(strategy)
    ours = [one for _, one in prepared.start(KeyedCoins(3)).outbound(packet)]
    theirs = expected(strategy, packet, prepared.start(KeyedCoins(3)))
    assert len(ours) == len(theirs), dna
    for number, (mine, other) in enumerate(zip(ours, theirs, strict=True)):
        assert serialise(mine).hex() == on_the_way(other).hex(), (dna, number)


def published() -> list[str]:
    return sorted({record["dna"] for record in json.loads(facts_path("geneva-strategies.json").read_text("utf-8"))["strategies"]})


@pytest.mark.parametrize("given", [lambda packet: packet, lambda packet: parse_packet(serialise(packet))], ids=["made", "parsed"])
def test_published_strategies_act_as_the_language_says(given: Callable[[Packet], Packet]) -> None:
    for dna in published():
        for packet in (*CONVERSATION, sent(PSH | ACK, b"x"), sent(PSH | ACK, REQUEST, options=b"")):
            check(dna, given(packet))


@pytest.mark.parametrize("dna", MINE)
def test_what_no_published_strategy_does_acts_so_too(dna: str) -> None:
    for packet in CONVERSATION:
        check(dna, packet)


def test_every_published_strategy_changes_some_packet() -> None:
    unmoved = []
    for dna in published():
        applied = prepare(parse(dna)).start(KeyedCoins(3))
        for packet in CONVERSATION:
            applied.outbound(packet)
            applied.inbound(packet)
        if not any(applied.fired):
            unmoved.append(dna.strip())
    # The first does nothing at all; the others wait for packets of a wall, which are not in the conversation.
    assert unmoved == ["\\/", "\\/ [TCP:dataofs:5]-drop-|", "\\/ [TCP:flags:R]-drop-|", "\\/ [TCP:window:8192]-drop-|"]
