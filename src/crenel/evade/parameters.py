"""What stands between an action's braces in, the action without its children out, or what was expected and where in the text."""

import math
import re
from collections.abc import Callable, Mapping
from typing import Final, cast

from crenel.evade.escape import unquote
from crenel.evade.fields import FIELDS, OPTION_BITS, flags_of, number_of
from crenel.evade.fooling import FOOLINGS
from crenel.evade.language import (
    Action,
    Delay,
    Disorder,
    Drop,
    Duplicate,
    Fake,
    Fooling,
    Fragment,
    Mode,
    Oob,
    Overlap,
    Payload,
    Position,
    Precede,
    Record,
    Repeat,
    Sleep,
    Split,
    Tamper,
    Trace,
)
from crenel.evade.payload import PAYLOADS
from crenel.evade.position import MARKS

_MODES: Final = ("replace", "add", "corrupt", "compress")
_POSITION = re.compile(r"(-?[0-9]{1,9})|([a-z]+)([+-][0-9]{1,9})?")
_NUMBER = re.compile(r"[+-]?[0-9]{1,12}")
_DECIMAL = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")


class Misread(Exception):  # noqa: N818 - caught by the parser, which knows the column and makes a DnaError of it
    """Something else was expected `offset` characters into the parameters."""

    def __init__(self, offset: int, expected: str) -> None:
        super().__init__(expected)
        self.offset = offset
        self.expected = expected


def _parts(given: str) -> list[tuple[int, str]]:
    """Return the parts between colons, each with its place."""
    found, at = [], 0
    for part in given.split(":"):
        found.append((at, part))
        at += len(part) + 1
    return found


def _none_expected(name: str, given: str | None) -> None:
    if given:
        raise Misread(0, f"expected no parameters of {name}, but found {given!r}")


def _drop(given: str | None) -> Drop:
    _none_expected("drop", given)
    return Drop()


def _duplicate(given: str | None) -> Duplicate:
    _none_expected("duplicate", given)
    return Duplicate()


def _tamper(given: str | None) -> Tamper:
    parts = _parts(given or "")
    if not 3 <= len(parts) <= 4:
        at = parts[4][0] - 1 if len(parts) > 4 else len(given or "")
        raise Misread(at, "expected tamper{PROTOCOL:field:mode} or tamper{PROTOCOL:field:mode:value} (a colon in a value is written %3A)")
    (proto_at, proto), (field_at, field), (mode_at, mode) = parts[:3]
    if mode not in _MODES:
        raise Misread(mode_at, f"expected a way to tamper ({', '.join(_MODES)}), but found {mode!r}")
    if proto not in FIELDS:
        raise Misread(proto_at, f"expected a protocol ({', '.join(FIELDS)}), but found {proto!r}")
    if field not in FIELDS[proto]:
        raise Misread(field_at, f"expected a field of {proto} ({', '.join(sorted(FIELDS[proto]))}), but found {field!r}")
    if mode == "compress":
        return Tamper("DNS", "qd", "compress")
    if mode == "corrupt":
        return Tamper(proto, field, "corrupt")
    if len(parts) < 4:
        raise Misread(len(given or ""), f"expected : and a value after {mode}")
    return Tamper(proto, field, cast("Mode", mode), _value(proto, field, mode, *parts[3]))


def _value(proto: str, field: str, mode: str, at: int, value: str) -> str:
    """Return the value as Geneva would print it."""
    number = number_of(value)
    if mode == "add" and number is None:
        raise Misread(at, f"expected a whole number to add, but found {value!r}")
    if proto == "TCP" and field == "flags" and flags_of(value) is None:
        raise Misread(at, f"expected TCP flags, letters of FSRPAUECN or a number, but found {value!r}")
    option = field.removeprefix("options-")
    if option != field and option not in OPTION_BITS and mode == "replace":
        if re.fullmatch(r"([0-9A-Fa-f]{2})*", value) is None:
            raise Misread(at, f"expected the option as pairs of hex digits, but found {value!r}")
        return value
    return value if number is None or field == "load" else str(number)


def _fragment(given: str | None) -> Fragment:
    parts = _parts(given or "")
    if not 3 <= len(parts) <= 4:
        raise Misread(len(given or ""), "expected fragment{tcp:at:order} or fragment{ip:at:order}, order True or False, with :overlap or without")
    numbers = []
    for at, part in (parts[1], *parts[3:]):
        number = number_of(part)
        if number is None:
            raise Misread(at, f"expected a whole number, but found {part!r}")
        numbers.append(number)
    layer = "tcp" if "tcp" in parts[0][1] else "ip"
    return Fragment("tcp" if layer == "tcp" else "ip", numbers[0], parts[2][1].startswith("True"), numbers[1] if len(numbers) > 1 else 0)


def _sleep(given: str | None) -> Sleep:
    try:
        length = float(given) if given else 1.0
    except ValueError:
        return Sleep()
    if not math.isfinite(length):
        raise Misread(0, f"expected a number of seconds, but found {given!r}")
    return Sleep(length)


def _trace(given: str | None) -> Trace:
    numbers = [number_of(part) for part in (given or "").split(":")]
    if len(numbers) != 2 or numbers[0] is None or numbers[1] is None:
        return Trace()
    return Trace(numbers[0], numbers[1])


def _position(at: int, text: str) -> Position:
    found = _POSITION.fullmatch(text)
    if found is None or (found[2] is not None and found[2] not in MARKS):
        raise Misread(at, f"expected a position (a number, or {', '.join(MARKS)}, with +n or -n or without), but found {text!r}")
    return Position("", int(found[1])) if found[2] is None else Position(found[2], int(found[3] or 0))


def _positions(given: str | None) -> tuple[Position, ...]:
    return tuple(_position(at, text) for at, text in _parts(given or ""))


def _payload(at: int, text: str) -> Payload:
    word, equals, value = text.partition("=")
    reader = PAYLOADS.get(word)
    if reader is None or not reader.accepts(value if equals else None):
        forms = ", ".join(one.form for one in PAYLOADS.values())
        raise Misread(at, f"expected a payload ({forms}), but found {text!r}")
    return Payload(word, value if equals else None)


def _foolings(at: int, text: str) -> tuple[Fooling, ...]:
    if text == "none":
        return ()
    found = []
    for part in re.split(r"(?<!=)\+", text):
        word, equals, value = part.partition("=")
        fits = word in FOOLINGS and (_NUMBER.fullmatch(value) is not None if equals else not FOOLINGS[word].needs_value)
        if not fits or (equals and not FOOLINGS[word].takes_value):
            forms = ", ".join(one.form for one in FOOLINGS.values())
            raise Misread(at, f"expected what keeps the server from taking the packet (none, or {forms}, joined with +), but found {part!r}")
        found.append(Fooling(word, int(value) if equals else None))
        at += len(part) + 1
    return tuple(found)


def _fake(given: str | None) -> Fake:
    parts = _parts(given or "")
    if len(parts) > 3:
        raise Misread(parts[3][0] - 1, "expected fake{payload:fooling:both} at most (a colon in a payload is written %3A)")
    payload = _payload(*parts[0])
    fooling = _foolings(*parts[1]) if len(parts) > 1 else ()
    if len(parts) == 3 and parts[2][1] not in {"before", "both"}:
        raise Misread(parts[2][0], f"expected before or both, but found {parts[2][1]!r}")
    return Fake(payload, fooling, parts[-1][1] == "both" and len(parts) == 3)


def _oob(given: str | None) -> Oob:
    parts = _parts(given or "")
    if len(parts) > 2:
        raise Misread(parts[2][0] - 1, "expected oob{at} or oob{at:byte}")
    byte = parts[1][1] if len(parts) == 2 else "a"
    if len(unquote(byte)) != 1:
        raise Misread(parts[1][0], f"expected one byte (a letter, or %xx), but found {byte!r}")
    return Oob(_position(*parts[0]), byte)


def _milliseconds(at: int, text: str) -> float:
    if _DECIMAL.fullmatch(text) is None:
        raise Misread(at, f"expected a number of milliseconds, but found {text!r}")
    return float(text)


def _delay(given: str | None) -> Delay:
    return Delay(_milliseconds(0, given or ""))


def _repeat(given: str | None) -> Repeat:
    parts = _parts(given or "")
    times = number_of(parts[0][1])
    if len(parts) > 2 or times is None or times < 1:
        raise Misread(0, f"expected repeat{{n}} or repeat{{n:ms}} with n of at least 1, but found {given or ''!r}")
    return Repeat(times, _milliseconds(*parts[1]) if len(parts) == 2 else 0.0)


def _precede(given: str | None) -> Precede:
    return Precede(_payload(0, given or ""))


READERS: Final[Mapping[str, Callable[[str | None], Action]]] = {
    "drop": _drop,
    "duplicate": _duplicate,
    "tamper": _tamper,
    "fragment": _fragment,
    "sleep": _sleep,
    "trace": _trace,
    "split": lambda given: Split(_positions(given)),
    "disorder": lambda given: Disorder(_positions(given)),
    "record": lambda given: Record(_positions(given)),
    "fake": _fake,
    "oob": _oob,
    "overlap": lambda given: Overlap(_payload(0, given or "")),
    "delay": _delay,
    "repeat": _repeat,
    "precede": _precede,
}
"""By the name of the action, what reads its parameters: None where it has no braces."""
