"""The options that commands share, and what they say together, ready to load a wall."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import click

if TYPE_CHECKING:
    from crenel.wall.wall import Wall

Command = TypeVar("Command", bound=Callable[..., object])


class Judging(NamedTuple):
    """What every command that judges is asked: which wall, when, from where, by which draw."""

    wall: str | None
    as_of: str | None
    seed: int
    tolerate: float
    vantage: str | None
    assume: dict[str, str]
    lists: dict[str, str]
    listed: tuple[str, ...]
    inside: tuple[str, ...]

    def load(self) -> "Wall":
        """Return the wall.

        Raises:
            CrenelError: some option is wrong, or a file that it names.
        """
        from crenel.atlas.compile import load_wall

        return load_wall(
            self.name(), self.as_of, seed=self.seed, assume=self.assume, lists=self.lists, listed=self.listed, vantage=self.vantage
        )

    def name(self) -> str:
        """Return the name or path of the wall."""
        from crenel.atlas.load import DEFAULT_WALL

        return self.wall if self.wall is not None else DEFAULT_WALL


class _WallOption(click.Option):
    """An option whose help names the default, which stands in the atlas."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return the names of the option and its help."""
        from crenel.atlas.load import DEFAULT_WALL

        self.help = f"A wall that comes with Crenel, or a wall file.  [default: {DEFAULT_WALL}]"
        return super().get_help_record(ctx)


def judging_options(command: Command) -> Command:
    """Give a command the options common to all that judge."""
    for option in reversed(
        [
            click.option("--wall", "wall", cls=_WallOption, metavar="NAME|FILE"),
            click.option("--as-of", metavar="DATE[THH:MM]", help="The day, or the minute, in the wall's own time.  [default: today]"),
            click.option("--seed", type=int, default=0, metavar="N", help="Which of the possible histories is drawn.  [default: 0]"),
            click.option(
                "--tolerate", type=click.FloatRange(0.0, 1.0), default=0.0, metavar="P", help="Up to this chance a flow is not at risk.  [default: 0]"
            ),
            click.option("--vantage", metavar="NAME|FILE", help="From where, along which path.  [default: the wall's own for that day]"),
            click.option("--assume", multiple=True, metavar="KEY=VALUE", callback=_assumptions, help="Take another value than the profile's."),
            click.option("--list", "lists", multiple=True, metavar="NAME=FILE", callback=_lists, help="Replace a list of names or addresses."),
            click.option("--listed", multiple=True, metavar="NAME", callback=_names, help="Take a name as on every list of names; * for all."),
            click.option("--inside", multiple=True, metavar="CIDR", help="Which side is behind the wall.  [default: whoever opens the flow]"),
        ]
    ):
        command = option(command)
    return command


def format_option(command: Command) -> Command:
    """Give a command its choice of output formats."""
    return click.option(
        "--format", "output", type=click.Choice(["table", "json", "jsonl"]), default="table", help="How results are printed.  [default: table]"
    )(command)


def report_option(command: Command) -> Command:
    """Give a command a file for its report."""
    return click.option("--report", metavar="FILE.html", help="Write a report with pictures too: one HTML file that needs nothing else.")(command)


def _assumptions(_: click.Context, __: click.Parameter, values: Sequence[str]) -> dict[str, str]:
    if not values:
        return {}
    from crenel.atlas.assume import parse_assumption

    return dict(parse_assumption(value) for value in values)


def _names(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    if not all(value.strip(".") for value in values):
        message = "a name is missing"
        raise click.BadParameter(message)
    return values


def _lists(_: click.Context, __: click.Parameter, values: Sequence[str]) -> dict[str, str]:
    given = {}
    for value in values:
        name, found, path = value.partition("=")
        if not (name and found and path):
            message = f"{value!r}: write NAME=FILE"
            raise click.BadParameter(message)
        given[name] = path
    return given
