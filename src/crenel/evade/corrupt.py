"""The name of a field and chance in, a random value for it out, by the laws of Geneva."""

import enum
import string
from typing import Final

from crenel.coins import Uniform
from crenel.evade.draws import Draws, draw_bytes
from crenel.evade.fields import BITS, IP_FLAG_NAMES

COMMON_FLAGS: Final = ("S", "A", "SA", "PA", "FA", "R", "P", "F", "RA", "")
_WINDOWS: Final = range(10, 200, 10)
_ALPHABET: Final = string.ascii_lowercase + string.digits
_LETTERS: Final = 10
_OPTIONS: Final = {"mss": 0xFFFF, "wscale": 0xFF, "timestamp": 0xFFFFFFFE, "altchksum": 0xFF, "uto": 0xFF}
"""The greatest value of each option that is a number."""
# Left at zero by Geneva: to its packet library these are fields to be computed.
_ZERO: Final = frozenset((("IP", "ihl"), ("UDP", "chksum"), ("UDP", "len")))


class Loads(enum.Enum):
    """What a corrupted load is."""

    RELEASED = "released"
    """As in the published program: nothing, a DNS message, an HTTP request, or ten letters and digits, each one time in four."""
    LETTERS = "letters"
    """Always ten letters and digits: with the other three the published rates of several strategies cannot come about."""


def draw_value(proto: str, field: str, draws: Draws, loads: Loads) -> int | str:
    """Return a random value as it would stand in a tamper; it may be what the field holds already.

    Whatever has few values is picked, and so can be enumerated; the rest is drawn.
    """
    name = f"{proto}:{field}"
    if field == "load":
        return draw_load(name, draws, loads)
    if field.startswith("options-"):
        return _draw_option(name, field.removeprefix("options-"), draws)
    if (proto, field) in _ZERO:
        return 0
    if field == "flags":
        return _draw_flags(name, proto, draws)
    if field == "qname":
        return "example.com."
    if field in {"src", "dst"}:
        return ".".join(map(str, draws.draw(name, Uniform(0, 0xFFFFFFFF)).to_bytes(4, "big")))
    if field == "dataofs":
        return 1 + draws.pick(name, 15)
    if field == "window":
        return draws.draw(name, Uniform(1, len(_WINDOWS))) * _WINDOWS.step
    if field == "chksum":
        return draws.draw(name, Uniform(1, 0xFFFF))
    if (proto, field) == ("IP", "len"):
        return draws.draw(name, Uniform(1, 500))
    bits = BITS[proto][field]
    return draws.pick(name, 1 << bits) if bits <= 4 else draws.draw(name, Uniform(0, (1 << bits) - 1))


def draw_load(name: str, draws: Draws, loads: Loads) -> str:
    """Return a random load: a text as in a tamper."""
    if loads is Loads.RELEASED:
        kind = draws.pick(f"{name} kind", 4)
        if kind < 3:
            return ("", "__DNS_REQUEST__", "__HTTP_REQUEST__")[kind]
    number = draws.draw(name, Uniform(0, len(_ALPHABET) ** _LETTERS - 1))
    letters = []
    for _ in range(_LETTERS):
        number, at = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[at])
    return "".join(letters)


def _draw_flags(name: str, proto: str, draws: Draws) -> int | str:
    if proto == "IP":
        bits = draws.pick(name, 8)
        return "+".join(flag for at, flag in enumerate(IP_FLAG_NAMES) if bits >> at & 1)
    if draws.toss(f"{name} common", 0.5):
        return COMMON_FLAGS[draws.pick(f"{name} which", len(COMMON_FLAGS))]
    return draws.draw(name, Uniform(0, 0x1FF))


def _draw_option(name: str, option: str, draws: Draws) -> int | str:
    if option in _OPTIONS:
        return draws.draw(name, Uniform(0, _OPTIONS[option]))
    return draw_bytes(draws, name, 16).hex() if option == "md5header" else ""
