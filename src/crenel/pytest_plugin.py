"""Marked tests of a user's own suite in, walls and labs for them out; a test that fails shows what the wall did.

Whoever does not use the fixtures pays for this module alone: all else is imported by the first test that asks for it.
"""

import functools
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from crenel.net.lab.stage import Stage
    from crenel.report.layout import Line
    from crenel.wall.wall import Wall

_TITLE = "what the wall did"
_WIDTH = 100
"""Columns of what a failed test shows."""
_MOST_SHOWN = 5
"""Exchanges of a failed test that are shown."""
_STAGE: "pytest.StashKey[Stage]" = pytest.StashKey()
_OF_WALLS = frozenset({"as_of", "seed", "assume", "lists", "listed", "vantage"})
_OF_LABS = frozenset({"tolerate", "pace", "scenario"})


class _Wanted(NamedTuple):
    """What a test's marker asks for."""

    name: str | None
    as_of: str | None
    seed: int
    assume: tuple[tuple[str, str], ...]
    lists: tuple[tuple[str, str], ...]
    listed: tuple[str, ...]
    vantage: str | None


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that makes a missing lab a failure."""
    text = "fail tests of the fixture `lab` where no lab can be made, instead of skipping them"
    parser.getgroup("crenel", "Crenel").addoption("--lab-required", action="store_true", help=text)


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    text = "wall(name, *, as_of, seed, assume, lists, listed, vantage, tolerate, pace, scenario): the wall of the fixtures `wall` and `lab`"
    config.addinivalue_line("markers", text)


@pytest.fixture
def wall(request: pytest.FixtureRequest) -> "Wall":
    """Return the wall that the marker `wall` names, for `crenel.chance`, `crenel.try_url`, `crenel.check_capture` and the others."""
    return _load(_wanted(request.node))


@pytest.fixture
def lab(request: pytest.FixtureRequest, wall: "Wall") -> Iterator["Stage"]:
    """Return a lab with that wall in the middle, for `lab.serve(...)` and `lab.run(...)`; it is gone when the test is over."""
    from crenel.net.lab.doctor import examine  # noqa: PLC0415  as the module says

    missing = examine().missing
    if missing:
        told = f"no lab on this machine: {missing}"
        if request.config.getoption("--lab-required"):
            pytest.fail(told, pytrace=False)
        pytest.skip(told)
    from crenel.net.lab.internet.scenario import load_scenario  # noqa: PLC0415  as the module says
    from crenel.net.lab.pace import Pace  # noqa: PLC0415  as the module says
    from crenel.net.lab.stage import Stage  # noqa: PLC0415  as the module says

    given = _given(request.node)
    path = given.get("scenario")
    scenario = load_scenario(_beside(request.node, str(path))) if path is not None else None
    with Stage(wall, pace=Pace(given.get("pace", "still")), tolerate=float(str(given.get("tolerate", 0.0))), scenario=scenario) as stage:
        request.node.stash[_STAGE] = stage
        yield stage


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add to the report of a failed test what the wall did, in a section of its own."""
    report = yield
    if call.when == "call" and report.failed and call.excinfo is not None and {"wall", "lab"} & set(getattr(item, "fixturenames", ())):
        text = _told(item, call.excinfo)
        if text:
            report.sections.append((_TITLE, text))
    return report


def _given(node: pytest.Item) -> dict[str, object]:
    """Return the keywords of a test's marker."""
    marker = node.get_closest_marker("wall")
    given = dict(marker.kwargs) if marker is not None else {}
    unknown = sorted(given.keys() - _OF_WALLS - _OF_LABS - {"name"})
    if unknown or (marker is not None and len(marker.args) > 1):
        known = ", ".join(sorted(_OF_WALLS | _OF_LABS))
        pytest.fail(f"{node.nodeid}: the marker `wall` takes a name and, by keyword, {known}; not {', '.join(unknown) or 'two names'}", pytrace=False)
    return given


def _wanted(node: pytest.Item) -> _Wanted:
    given, marker = _given(node), node.get_closest_marker("wall")
    name = marker.args[0] if marker is not None and marker.args else given.get("name")
    as_of, vantage, listed = given.get("as_of"), given.get("vantage"), given.get("listed", ())
    assume, lists = given.get("assume", {}), given.get("lists", {})
    return _Wanted(
        _beside(node, str(name)) if name is not None else None, str(as_of) if as_of is not None else None, int(str(given.get("seed", 0))),
        tuple(sorted(dict(assume).items())) if isinstance(assume, dict) else (),
        tuple(sorted((key, _beside(node, str(path))) for key, path in lists.items())) if isinstance(lists, dict) else (),
        (listed,) if isinstance(listed, str) else tuple(map(str, listed)) if isinstance(listed, Sequence) else (),
        str(vantage) if vantage is not None else None,
    )  # fmt: skip


def _beside(node: pytest.Item, path: str) -> str:
    """Return the path of a file that lies beside the test, if there is one of that name."""
    near = node.path.parent / path
    return str(near) if not Path(path).is_absolute() and near.is_file() else path


@functools.cache
def _load(wanted: _Wanted) -> "Wall":
    from crenel.atlas.compile import load_wall  # noqa: PLC0415  as the module says
    from crenel.atlas.load import DEFAULT_WALL  # noqa: PLC0415  as the module says

    return load_wall(
        wanted.name or DEFAULT_WALL, wanted.as_of, seed=wanted.seed, assume=dict(wanted.assume), lists=dict(wanted.lists), listed=wanted.listed,
        vantage=wanted.vantage,
    )


def _told(item: pytest.Item, failure: pytest.ExceptionInfo[BaseException]) -> str:
    """Return the ladders and reasons of what a test ran in its lab, or of the exchanges that it had in hand."""
    from crenel.atlas.load import DEFAULT_WALL  # noqa: PLC0415  as the module says
    from crenel.net.exchange import Exchange  # noqa: PLC0415  as the module says
    from crenel.report.account import Desk  # noqa: PLC0415  as the module says
    from crenel.report.citing import known_sources  # noqa: PLC0415  as the module says
    from crenel.report.layout import BLANK, plain  # noqa: PLC0415  as the module says
    from crenel.report.run import exchange_lines, run_lines, tell_flows  # noqa: PLC0415  as the module says

    desk = Desk(known_sources(_wanted(item).name or DEFAULT_WALL), _WIDTH)
    lines: list[Line] = []
    stage = item.stash.get(_STAGE, None)
    if stage is not None:
        for outcome in stage.outcomes[-_MOST_SHOWN:]:
            lines += [*run_lines(outcome, tell_flows(outcome), stage.wall, desk, notes=stage.notes), BLANK]
    held = [value for entry in failure.traceback if entry.path == item.path for value in entry.frame.f_locals.values()]
    for exchange in [value for value in held if isinstance(value, Exchange)][:_MOST_SHOWN]:
        lines += [*exchange_lines(exchange, desk), BLANK]
    return "\n".join(plain(line) for line in lines).rstrip()
