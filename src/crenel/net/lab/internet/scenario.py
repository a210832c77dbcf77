"""A scenario file in, the hosts and the server programs that it adds to a lab out; each mistake is one sentence with file and place."""

import ipaddress
import re
from pathlib import Path
from typing import Literal

import msgspec

from crenel.errors import UsageError

Transport = Literal["tcp", "udp"]

_NAME = re.compile(r"(\*\.)?([\w-]{1,63}\.)*[\w-]{1,63}")


class Listen(msgspec.Struct, frozen=True):
    """Where a program listens; no address stands for all of them."""

    transport: Transport
    address: str | None
    port: int


class Host(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A name with addresses of its own."""

    name: str
    """In small letters; `*.` in front stands for one or more labels."""
    addresses: tuple[str, ...]


class Program(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A server program of the user's."""

    name: str
    command: tuple[str, ...]
    listen: tuple[str, ...] = ()
    """`tcp/203.0.113.10:443`, `udp/[2001:db8:5e::10]:443`, or without an address, `tcp/8388`."""
    within: float = 10.0
    """Seconds that it may take until it listens everywhere."""
    folder: str = "."
    """Where it starts; from where the scenario file lies."""
    environment: dict[str, str] = {}

    def listens(self) -> tuple[Listen, ...]:
        """Return the places where it listens. Raises UsageError."""
        return tuple(map(read_listen, self.listen))


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a lab has beside what every lab has."""

    host: tuple[Host, ...] = ()
    program: tuple[Program, ...] = ()
    ipv6: bool = True
    """Do names that no host names have an address of version 6?"""


def read_listen(text: str) -> Listen:
    """Return where a text says that a program listens. Raises UsageError."""
    transport, slash, rest = text.partition("/")
    address, _, number = rest.rpartition(":")
    if transport not in {"tcp", "udp"} or not slash or not number.isascii() or not number.isdigit() or not 0 < int(number) < 65536:
        raise UsageError(f"{text!r} is no place to listen at: write tcp/ or udp/, an address and a colon if it is not all addresses, and a port")
    kind: Transport = "tcp" if transport == "tcp" else "udp"
    if not address:
        return Listen(kind, None, int(number))
    try:
        bracketed = address.startswith("[") and address.endswith("]")
        parsed = ipaddress.IPv6Address(address[1:-1]) if bracketed else ipaddress.IPv4Address(address)
    except ValueError as problem:
        raise UsageError(f"{text!r} is no place to listen at: {problem}") from None
    return Listen(kind, None if parsed.is_unspecified else str(parsed), int(number))


def load_scenario(path: str | Path) -> Scenario:
    """Return what a scenario file says.

    Raises:
        UsageError: it cannot be read, is no TOML, has a key or a value that means nothing, or a name twice.
    """
    try:
        text = Path(path).read_bytes()
    except OSError as problem:
        raise UsageError(f"{path}: {problem.strerror or problem}") from problem
    scenario = parse_scenario(text, str(path))
    programs = tuple(msgspec.structs.replace(program, folder=str(Path(path).parent / program.folder)) for program in scenario.program)
    return msgspec.structs.replace(scenario, program=programs)


def parse_scenario(text: bytes, place: str) -> Scenario:
    """Return what the text of a scenario says; `place` is named in errors. Raises UsageError."""
    import tomllib  # noqa: PLC0415  the server process reads no file, and wants to begin soon

    try:
        scenario = msgspec.convert(tomllib.loads(text.decode()), Scenario)
    except UnicodeDecodeError as problem:
        raise UsageError(f"{place}: not UTF-8 at byte {problem.start}") from problem
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as problem:
        raise UsageError(f"{place}: {problem}") from problem
    _check_hosts(scenario, place)
    _check_programs(scenario, place)
    return scenario


def _check_hosts(scenario: Scenario, place: str) -> None:
    seen: set[str] = set()
    for number, host in enumerate(scenario.host):
        at = f"{place}: at `$.host[{number}]"
        if host.name in seen:
            raise UsageError(f"{at}.name`: {host.name} is there twice")
        seen.add(host.name)
        if _NAME.fullmatch(host.name) is None or host.name != host.name.lower():
            raise UsageError(f"{at}.name`: {host.name!r} is no host name in small letters")
        if not host.addresses:
            raise UsageError(f"{at}.addresses`: {host.name} has none")
        for address in host.addresses:
            try:
                ipaddress.ip_address(address)
            except ValueError as problem:
                raise UsageError(f"{at}.addresses`: {problem}") from None


def _check_programs(scenario: Scenario, place: str) -> None:
    seen: dict[str, str] = {}
    claimed: dict[Listen, str] = {}
    for number, program in enumerate(scenario.program):
        at = f"{place}: at `$.program[{number}]"
        if program.name in seen:
            raise UsageError(f"{at}.name`: {program.name} is there twice")
        seen[program.name] = program.name
        if not program.command or not program.command[0]:
            raise UsageError(f"{at}.command`: {program.name} has none")
        if not 0 < program.within < float("inf"):
            raise UsageError(f"{at}.within`: {program.within} is no time to wait")
        try:
            listens = program.listens()
        except UsageError as problem:
            raise UsageError(f"{at}.listen`: {problem}") from None
        for listen, text in zip(listens, program.listen, strict=True):
            if listen in claimed:
                raise UsageError(f"{at}.listen`: {claimed[listen]} listens at {text} too")
            claimed[listen] = program.name
