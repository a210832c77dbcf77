"""`crenel timeline`: a span of time in, what happened to the wall and around it out."""

import click

from crenel.cli.options import format_option


@click.command()
@click.option("--since", metavar="DATE", help="From this year, month or day on.")
@click.option("--until", metavar="DATE", help="Through this year, month or day.")
@click.option("--kind", "kinds", multiple=True, metavar="KIND", help="Only this kind of event; repeatable.")
@click.option("--search", metavar="TEXT", help="Only events whose text, topic or sources hold this, in any case.")
@format_option
def timeline(since: str | None, until: str | None, kinds: tuple[str, ...], search: str | None, output: str) -> None:
    """Tell what changed when: mechanisms of the wall, and the rules, directives and companies around it."""
    import msgspec

    from crenel.atlas.timeline import between, happenings
    from crenel.cli.records import write_records
    from crenel.cli.screen import Screen
    from crenel.cli.status import say
    from crenel.errors import UsageError
    from crenel.report.timeline import timeline_lines

    events = happenings()
    known = sorted({event.kind for event in events})
    for kind in kinds:
        if kind not in known:
            message = f"--kind {kind}: there is {', '.join(known)}"
            raise UsageError(message)
    found = [event for event in between(events, since, until) if not kinds or event.kind in kinds]
    if search:
        found = [event for event in found if search.casefold() in " ".join((event.text, event.topic or "", *event.sources)).casefold()]
    if output != "table":
        write_records("events", [msgspec.to_builtins(event) for event in found], whole=output == "json")
        return
    screen = Screen()
    screen.write(timeline_lines(found, screen.width))
    if not found:
        say("no event is like that")
