"""A wall as it is shown: every box of the day with its claims, the others with their spans, in words and as values."""

import json

import pytest

from crenel.atlas.load import load_profile
from crenel.atlas.moment import parse_moment
from crenel.report.citing import known_sources
from crenel.report.layout import plain
from crenel.report.walls import Shown, as_of_day, scope_words, shown_lines, shown_record, wall_record, walls_lines
from crenel.wall.box import Scope

PROFILE = load_profile()[0]


def shown(day: str, **assume: str) -> Shown:
    return as_of_day(PROFILE, "0" * 64, parse_moment(day), "beijing", assume)


def lines_of(day: str, width: int | None = None, only: tuple[str, ...] = ()) -> list[str]:
    return [plain(line) for line in shown_lines(shown(day), known_sources("gfw"), width, only)]


def test_every_box_in_force_is_shown_with_its_epoch() -> None:
    lines = lines_of("2025-01-15")
    wall = shown("2025-01-15")
    for box, epoch in wall.in_force:
        assert f"{box.id}  {box.title}" in lines
        assert any(line.startswith(f"  in force    since {epoch.first_seen}, last observed on {epoch.last_seen}") for line in lines)
        for key, why in epoch.assumed.items():
            assert any(line.endswith(f"{key}: {why}") for line in lines)
    assert len(wall.in_force) + len(wall.absent) == len(PROFILE.middlebox)


def test_absent_boxes_are_named_with_their_spans() -> None:
    lines = lines_of("2025-08-20")
    at = lines.index("Not in force on that day")
    assert any("2025-08-20T00:34 to 2025-08-20T01:48; give an hour of that day to judge by it" in line for line in lines[at:])
    assert any("2021-11-06 to 2023-03-15" in line for line in lines[at:])


def test_alternatives_say_how_to_pick_them() -> None:
    wall = shown("2025-03-28")
    offered = [(box.id, other) for box, epoch in wall.in_force for other in epoch.alternative]
    assert offered
    lines = lines_of("2025-03-28")
    for box, other in offered:
        assert any(f"--assume {box}.{other.key}={other.name}" in line for line in lines)


def test_an_assumption_changes_what_is_shown() -> None:
    box, epoch = next((box, epoch) for box, epoch in shown("2025-03-28").in_force if epoch.alternative)
    other = epoch.alternative[0]
    changed = next(changed for same, changed in shown("2025-03-28", **{f"{box.id}.{other.key}": other.name}).in_force if same.id == box.id)
    assert changed != epoch
    assert changed.assumed[other.key] == other.says


def test_lists_are_named_with_their_sizes() -> None:
    lines = lines_of("2025-01-15")
    at = lines.index("Lists, which --list NAME=FILE replaces")
    for name in PROFILE.list:
        assert any(line.split()[:1] == [name] for line in lines[at:])


def test_one_box_alone() -> None:
    box = shown("2025-01-15").in_force[0][0].id
    lines = lines_of("2025-01-15", only=(box,))
    assert sum(line.startswith("  in force") for line in lines) == 1
    assert "Lists, which --list NAME=FILE replaces" not in lines


@pytest.mark.parametrize("day", sorted({str(epoch.first_seen) for box in PROFILE.middlebox for epoch in box.epoch}))
def test_every_epoch_can_be_shown(day: str) -> None:
    lines = lines_of(day, 80)
    assert all(line.isprintable() for line in lines)
    json.dumps(shown_record(shown(day)))


def test_the_values_are_those_of_the_profile() -> None:
    record = json.loads(json.dumps(shown_record(shown("2025-01-15"))))
    box, epoch = shown("2025-01-15").in_force[0]
    first = record["in_force"][0]
    assert (first["id"], first["epoch"]["first_seen"], first["epoch"]["chance"]["p"]) == (box.id, str(epoch.first_seen), epoch.chance.p)
    assert first["epoch"]["trigger"]["reads"] == "dns.qname"
    assert record["as_of"] == "2025-01-15"
    assert {one["id"] for one in record["in_force"] + record["not_in_force"]} == {box.id for box in PROFILE.middlebox}


def test_the_list_of_walls() -> None:
    record = wall_record(PROFILE)
    assert plain(walls_lines([record], None)[0]).startswith("gfw  The Great Firewall of China: 19 boxes in ")


def test_scopes() -> None:
    scope = Scope(
        transport="udp", ports=((53, 53), (1, 9)), versions=(4,), opened_from=("inside",), versions_from_outside=(4, 6), source_port_above=True
    )
    assert scope_words(scope) == (
        "UDP to port 53 or 1-9 over IPv4, opened from inside; from outside over IPv4 and IPv6; "
        "only packets whose source port is above their destination port"
    )
    plain_scope = Scope(transport="tcp", versions=(4, 6), opened_from=("inside", "outside"))
    assert scope_words(plain_scope) == "TCP to any port over IPv4 and IPv6, opened from either side"
