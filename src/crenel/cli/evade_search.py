"""`crenel evade search`: a wall, a protocol and a seed in, the strategies that a search from nothing finds out."""

import click

from crenel.cli.options import Judging, judging_options


@click.command()
@click.option("--protocol", default="http", metavar="NAME", help="What the client speaks.  [default: http]")
@click.option("--side", type=click.Choice(["client", "server"]), default="client", help="At which end the strategy works.  [default: client]")
@click.option("--generations", type=click.IntRange(1), metavar="N", help="Generations to try.  [default: 40]")
@click.option("--population", type=click.IntRange(1), metavar="N", help="Strategies in each.  [default: 200]")
@click.option("--seconds", type=click.FloatRange(0.0), metavar="S", help="Begin no generation after so many seconds.")
@click.option("--extended", is_flag=True, help="Draw the actions that Geneva lacks, too.")
@click.option("--resume", metavar="FILE", help="Keep the state of the search here, and go on from it.")
@click.option("--workers", type=click.IntRange(1), metavar="N", help="Processes; they change nothing but the time it takes.  [default: all cores]")
@judging_options
@click.option("--format", "output", type=click.Choice(["table", "json"]), default="table", help="How results are printed.  [default: table]")
def search(
    *,
    protocol: str,
    side: str,
    generations: int | None,
    population: int | None,
    seconds: float | None,
    extended: bool,
    resume: str | None,
    workers: int | None,
    wall: str | None,
    as_of: str | None,
    seed: int,
    tolerate: float,
    vantage: str | None,
    assume: dict[str, str],
    lists: dict[str, str],
    listed: tuple[str, ...],
    inside: tuple[str, ...],
    output: str,
) -> int:
    """Search for strategies against a wall, from nothing.

    Strategies are drawn and varied at random from the actions, fields and plain values of the language. Printed is the best of each
    family that is found, told from what the wall's boxes did, with its exact rate and the published strategy that it is most like.
    Ctrl-C ends the search early and prints what was found so far.

    Exit status: 0 done, 2 wrong input, 70 a bug, 130 interrupted.
    """
    from crenel.cli.searching import Seeking, search_for

    judging = Judging(wall, as_of, seed, tolerate, vantage, assume, lists, listed, inside)
    return search_for(Seeking(protocol, side, generations, population, seconds, extended, resume, workers), judging, output)
