"""The commands, put together: `crenel COMMAND`; those whose work is not done are absent."""

import importlib.util
import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from crenel import __version__
from crenel.cli.bench import bench
from crenel.cli.check import check
from crenel.cli.evade import evade
from crenel.cli.lab import lab
from crenel.cli.run import run
from crenel.cli.schema import schema
from crenel.cli.status import Status, guard
from crenel.cli.timeline import timeline
from crenel.cli.try_ import try_
from crenel.cli.walls import walls
from crenel.cli.web import web


class Commands(click.Group):
    """A group that lists its commands in the order in which they were added, and ends with the statuses of Crenel."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands."""
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> int:
        """Run the command that was asked for."""
        return guard(lambda: super(Commands, self).invoke(ctx))

    def main(  # type: ignore[override]  # only this form is used
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: object
    ) -> NoReturn:
        """Parse the arguments, run the command and leave with its status."""
        for stream in (sys.stdout, sys.stderr):
            # A terminal that cannot show a character gets its number instead of a crash.
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="backslashreplace")
        extra.pop("standalone_mode", None)
        try:
            status = super().main(args, prog_name, standalone_mode=False, **extra)  # type: ignore[call-overload]
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
            status = Status.NOTHING_JUDGED
        except click.ClickException as error:
            context = getattr(error, "ctx", None)
            path = context.command_path if context is not None else "crenel"
            click.echo(f"{path}: {_sentence(error.format_message())} ({path} --help lists the options)", err=True)
            status = Status.NOTHING_JUDGED
        except click.Abort:
            status = Status.INTERRUPTED
        sys.exit(status if isinstance(status, int) else Status.SAFE)


def _sentence(text: str) -> str:
    return " ".join(text.split())


@click.group("crenel", cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="crenel")
def app() -> None:
    """What would a national firewall do to this traffic, by whose measurement, and why?

    Crenel runs your own traffic against a model of a wall, on your own machine.
    """


for command in (check, try_, run, evade, walls, timeline, web, schema, lab):
    app.add_command(command)
if importlib.util.find_spec("crenel.bench.run") is not None:
    app.add_command(bench)
