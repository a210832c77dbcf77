"""Which flows a box looks at, each part of its scope on both sides; and the one word for what a box does."""

from pathlib import Path
from typing import Any

import msgspec

from crenel.atlas.compile import load_wall
from crenel.wall.box import Scope
from crenel.wire.packet import TCP, UDP

CITADEL = Path(__file__).parents[1] / "walls" / "citadel.toml"


def covers(scope: dict[str, Any], transport: int = TCP, version: int = 4, port: int = 443, *, inside: bool = True, above: bool = True) -> bool:
    made = msgspec.convert({"transport": "tcp", "versions": [4, 6], "opened_from": ["inside", "outside"]} | scope, Scope)
    return made.covers(transport, version, port, inside=inside, above=above)


def test_transport() -> None:
    assert covers({})
    assert not covers({}, UDP)
    assert covers({"transport": "udp"}, UDP)
    assert not covers({"transport": "udp"})


def test_ports() -> None:
    watched = [port for port in (0, 79, 80, 81, 999, 1000, 1002, 1003) if covers({"ports": [[80, 80], [1000, 1002]]}, port=port)]
    assert watched == [80, 1000, 1002]


def test_without_ports_all_but_port_zero() -> None:
    assert [covers({}, port=port) for port in (0, 1, 65535)] == [False, True, True]


def test_versions_may_differ_for_flows_from_outside() -> None:
    scope = {"versions": [4], "versions_from_outside": [4, 6]}
    assert [covers(scope, version=version, inside=inside) for version in (4, 6) for inside in (True, False)] == [True, True, False, True]
    assert not covers({"versions": [4]}, version=6, inside=False)


def test_sides() -> None:
    for side in ("inside", "outside"):
        assert [covers({"opened_from": [side]}, inside=inside) for inside in (True, False)] == [side == "inside", side == "outside"]


def test_source_ports() -> None:
    assert not covers({"source_port_above": True}, above=False)
    assert covers({"source_port_above": True}, above=True)
    assert covers({}, above=False)


def test_what_a_box_does_in_one_word() -> None:
    words = {box.id: box.action for as_of in ("2022-06-01", "2023-10-01", "2025-01-15") for box in load_wall(as_of=as_of).boxes}
    some = {"dns-3": "forge", "http-host": "reset", "http-page": "page", "fet": "drop", "quic-sni": "drop", "ip-drop": "drop", "esni": "drop"}
    assert {name: words[name] for name in some} == some
    citadel = {box.id: box.action for box in load_wall(str(CITADEL), as_of="2030-03-01").boxes}
    assert citadel == {
        "gate": "drop", "usher": "reset", "ear": "reset", "deaf-ear": "reset", "mire": "throttle", "moat": "drop", "well": "drop", "wall": "drop",
    }
