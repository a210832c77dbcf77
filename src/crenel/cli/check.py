"""`crenel check`: captures in, what a wall would do to each of their flows out."""

import click

from crenel.cli.options import Judging, format_option, judging_options, report_option


@click.command(no_args_is_help=False)
@click.argument("captures", nargs=-1, required=True, metavar="CAPTURE...")
@judging_options
@click.option("--explain", metavar="FLOW", help="Tell the whole story of one flow, by its number; FILE:FLOW with several captures.")
@report_option
@format_option
@click.option("--header", is_flag=True, help="Begin jsonl with a line that says what the answer rests on.")
@click.option("--workers", type=click.IntRange(1), default=1, metavar="N", help="Spread captures over so many processes.  [default: 1]")
def check(
    captures: tuple[str, ...],
    *,
    wall: str | None,
    as_of: str | None,
    seed: int,
    tolerate: float,
    vantage: str | None,
    assume: dict[str, str],
    lists: dict[str, str],
    listed: tuple[str, ...],
    inside: tuple[str, ...],
    explain: str | None,
    report: str | None,
    output: str,
    header: bool,
    workers: int,
) -> int:
    """Say what a wall would do to each flow of captures.

    pcap and pcapng, also gzipped; - reads one from standard input. Each capture is judged on its own, from empty memory. A table
    follows the chance that some box acts on a flow, not one draw.

    Exit status: 0 nothing at risk, 1 something at risk or blocked, 2 nothing could be judged, 3 partly judged, 70 a bug.
    """
    from crenel.cli.checking import check_captures, explain_flow

    judging = Judging(wall, as_of, seed, tolerate, vantage, assume, lists, listed, inside)
    if explain is not None:
        return explain_flow(captures, judging, explain, output, report)
    form = "jsonl-header" if output == "jsonl" and header else output
    return check_captures(captures, judging, output=form, workers=workers, report=report)
