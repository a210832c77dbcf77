"""A trigger in, a quick test of packets out; or why no packet will ever pass it."""

import ipaddress
from collections.abc import Callable

from crenel.evade.fields import BITS, OPTION_BITS, flags_of, ip_flags_of, number_of
from crenel.evade.language import Trigger
from crenel.evade.reading import PRESENT, READERS, is_tcp
from crenel.wire.packet import TCP, Packet

Matches = Callable[[Packet], bool]


def compile_trigger(trigger: Trigger) -> Matches:
    """Return what says whether a packet has the protocol and the value that the trigger names; its gas is not looked at."""
    if trigger.proto not in PRESENT or trigger.field == "qd":
        return lambda packet: False
    if (trigger.proto, trigger.field) == ("TCP", "flags") and not trigger.contains:
        return _flags(flags_of(trigger.value) or 0)
    present, read = PRESENT[trigger.proto], READERS[trigger.proto, trigger.field]
    number = None if trigger.contains else number_of(trigger.value)
    wanted = trigger.value if number is None else number
    if trigger.contains:
        return lambda packet: present(packet) and isinstance(value := read(packet), str) and trigger.value in value
    if trigger.proto == "TCP":
        return lambda packet: packet.proto == TCP and is_tcp(packet) and read(packet) == wanted
    return lambda packet: present(packet) and read(packet) == wanted


def _flags(wanted: int) -> Matches:
    bits, nonce = wanted & 0xFF, wanted >> 8

    def matches(packet: Packet) -> bool:
        return packet.flags == bits and packet.proto == TCP and packet.reserved & 1 == nonce and packet.frag_offset == 0 and not packet.headless

    return matches


def why_never(trigger: Trigger) -> str | None:
    """Return in a few words why no packet can ever set the trigger off, or None where one can."""
    if trigger.proto not in PRESENT:
        return f"protocols are written in capitals, so {trigger.proto} is none"
    if trigger.gas == 0:
        return "its gas is 0"
    if trigger.field == "qd":
        return "a question has no value to compare; DNSQR:qname has"
    number = None if trigger.contains else number_of(trigger.value)
    option = trigger.field.removeprefix("options-")
    bits = BITS[trigger.proto].get(trigger.field) or OPTION_BITS.get(option)
    if (trigger.proto, trigger.field) == ("IP", "flags"):
        return _why_no_flags(trigger)
    if bits is None:
        return _why_no_text(trigger, number, option != trigger.field)
    if trigger.contains:
        if option != trigger.field and not trigger.value:
            return None  # the empty text is a part of that of an absent option
        return "* asks for a part of a text, and this field is a number"
    if (trigger.proto, trigger.field) == ("TCP", "flags"):
        number = flags_of(trigger.value)
    if number is None:
        return None if option != trigger.field and not trigger.value else f"{trigger.value!r} is not a whole number in decimal digits"
    return None if 0 <= number < 1 << bits else f"{number} does not fit the {bits} bits of the field"


def _why_no_flags(trigger: Trigger) -> str | None:
    if trigger.contains:
        return None
    if number_of(trigger.value) is not None or ip_flags_of(trigger.value) is None:
        return "IP flags are compared as names: MF, DF, MF+DF or nothing"
    return None


def _why_no_text(trigger: Trigger, number: int | None, of_option: bool) -> str | None:  # noqa: FBT001 - an option or another text
    if number is not None:
        return "a value of digits is taken for a number, and this field is text"
    if trigger.field in {"src", "dst"} and not trigger.contains:
        try:
            plain = str(ipaddress.ip_address(trigger.value))
        except ValueError:
            return f"{trigger.value!r} is no address"
        return None if plain == trigger.value else f"the address is written {plain}"
    if trigger.field == "qname" and not trigger.contains and not trigger.value.endswith("."):
        return "the name of a question ends in a dot"
    return None
