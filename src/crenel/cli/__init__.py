"""The command line: arguments in, an exit status out; what a command needs is imported when it runs, so that --help stays quick."""

from typing import NoReturn

from crenel.cli.app import app


def main() -> NoReturn:
    """Run the command line and leave with its exit status."""
    app(prog_name="crenel")
    raise SystemExit(0)  # click has left already


__all__ = ["app", "main"]
