"""`crenel evade`: strategies and walls in, how often a client gets its answer, and why, out."""

import click

from crenel.cli.evade_search import search
from crenel.cli.options import Judging, format_option, judging_options, report_option


@click.group()
def evade() -> None:
    """Try what a client or a server could do about a wall, on simulated hosts or on this machine's own TCP."""


@evade.command("list")
@format_option
def list_(output: str) -> None:
    """List the strategies that have names: at which end, for what, what each does, and where it was seen to work or to fail.

    Exit status: 0.
    """
    from crenel.cli.evading import list_strategies

    list_strategies(output)


@evade.command("test")
@click.argument("strategies", metavar="DNA|NAME...", nargs=-1, required=True)
@click.option("--protocol", metavar="NAME", help="http, https, dns-tcp, dns, ftp, smtp or quic.  [default: the strategy's own, else http]")
@click.option("--side", type=click.Choice(["client", "server"]), help="At which end it works.  [default: the strategy's own, else client]")
@click.option("--name", metavar="NAME", help="What the client asks for.  [default: blocked.example]")
@judging_options
@click.option("--against", multiple=True, metavar="WALL[@DATE]", help="A table of strategies and walls instead; repeatable.")
@click.option("--sample", type=click.IntRange(1), metavar="N", help="Sample so many trials.  [default: go through all ways the coins can fall]")
@click.option("--workers", type=click.IntRange(1), default=1, metavar="N", help="Spread sampled trials over so many processes.  [default: 1]")
@click.option("--strict", is_flag=True, help="Refuse what Geneva would not accept.")
@click.option("--on", "ground", type=click.Choice(["sim", "kernel"]), default="sim", help="Simulated hosts, or this machine's TCP.  [default: sim]")
@format_option
@report_option
def test_(
    strategies: tuple[str, ...],
    *,
    protocol: str | None,
    side: str | None,
    name: str | None,
    wall: str | None,
    as_of: str | None,
    seed: int,
    tolerate: float,
    vantage: str | None,
    assume: dict[str, str],
    lists: dict[str, str],
    listed: tuple[str, ...],
    inside: tuple[str, ...],
    against: tuple[str, ...],
    sample: int | None,
    workers: int,
    strict: bool,
    ground: str,
    output: str,
    report: str | None,
) -> int:
    """Say how often a strategy gets a client its answer, which coins decide that, and which rule of which box it takes advantage of.

    The client asks for something that the wall stops. A success is any answer of its server, as in the published studies.

    Exit status: 0 the trials ran, 2 wrong input, 70 a bug.
    """
    from crenel.cli.evading import Asking, try_strategies

    judging = Judging(wall, as_of, seed, tolerate, vantage, assume, lists, listed, inside)
    return try_strategies(Asking(strategies, protocol, side, name, against, sample, workers, strict, ground, report), judging, output)


@evade.command()
@format_option
def table(output: str) -> None:
    """Set published rates beside those that the rules of the walls give, with the error of each and the coins that decide it.

    Exit status: 0.
    """
    from crenel.cli.evading import print_table

    print_table(output)


evade.add_command(search)
