"""`crenel walls`: which walls there are, what one claims for a day, and the schema of a wall file."""

import click

from crenel.cli.options import format_option


@click.group(invoke_without_command=True)
@format_option
@click.pass_context
def walls(context: click.Context, output: str) -> None:
    """List the walls that come with Crenel, or show one."""
    if context.invoked_subcommand is not None:
        return
    from crenel.atlas.load import load_profile
    from crenel.atlas.load import walls as names
    from crenel.cli.records import write_records
    from crenel.cli.screen import Screen
    from crenel.report.walls import wall_record, walls_lines

    records = [wall_record(load_profile(name)[0]) for name in names()]
    if output != "table":
        write_records("walls", records, whole=output == "json")
        return
    screen = Screen()
    screen.write(walls_lines(records, screen.width))


@walls.command()
@click.argument("name", metavar="NAME|FILE")
@click.option("--as-of", metavar="DATE[THH:MM]", help="The day, or the minute, in the wall's own time.  [default: today]")
@click.option("--assume", multiple=True, metavar="KEY=VALUE", help="Take another value than the profile's.")
@click.option("--box", "boxes", multiple=True, metavar="ID", help="Only this box; repeatable.")
@format_option
def show(name: str, as_of: str | None, assume: tuple[str, ...], boxes: tuple[str, ...], output: str) -> None:
    """Show what a wall claims for a day: its boxes with their sources, what is assumed, what else was reported."""
    import json

    from crenel.atlas.assume import parse_assumption
    from crenel.cli.screen import Screen
    from crenel.cli.showing import load_shown
    from crenel.report.citing import known_sources
    from crenel.report.walls import shown_lines, shown_record

    shown = load_shown(name, as_of, dict(parse_assumption(one) for one in assume), boxes)
    if output != "table":
        click.echo(json.dumps(shown_record(shown), indent=1 if output == "json" else None, ensure_ascii=False))
        return
    screen = Screen()
    screen.write(shown_lines(shown, known_sources(name), screen.width, boxes))


@walls.command()
def schema() -> None:
    """Print the JSON Schema of a wall file."""
    import json

    from crenel.report.schema import wall_schema

    click.echo(json.dumps(wall_schema(), indent=2))
