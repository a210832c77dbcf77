"""`crenel try`: a URL, a name or a payload in, one simulated exchange with a wall in the middle out."""

from typing import Any

import click

from crenel.cli.options import Judging, judging_options, report_option

_PARTS = "crenel.try.parts"


class _Part(click.Option):
    """An option that may be repeated among others of its kind, and notes in which order they came."""

    def add_to_parser(self, parser: Any, ctx: click.Context) -> None:  # noqa: ANN401  click's own parser, which it does not export
        """Let the parser note each use."""
        super().add_to_parser(parser, ctx)
        option = next(option for name, option in parser._long_opt.items() if name in self.opts)  # noqa: SLF001  there is no other way to learn of the order
        take = option.process

        def process(value: str, state: object) -> None:
            ctx.meta.setdefault(_PARTS, []).append((self.opts[0], value))
            take(value, state)

        option.process = process


@click.command("try")
@click.argument("target", required=False)
@click.option("--payload", cls=_Part, multiple=True, metavar="FILE", expose_value=False, help="Send these bytes instead; - reads standard input.")
@click.option("--hex", cls=_Part, multiple=True, metavar="HEX", expose_value=False, help="The same, written out: 16 03 01 ...")
@click.option("--udp", is_flag=True, help="Send the payload as a datagram.")
@click.option("--port", type=int, metavar="N", help="Where the payload goes.  [default: 443]")
@judging_options
@click.option("--repeat", type=click.IntRange(1), default=1, metavar="N", help="Draw so many times, and say how often it was blocked.  [default: 1]")
@click.option("--then", multiple=True, metavar="TARGET", help="What the same client asks for next; repeatable.")
@click.option("--after", type=float, metavar="SECONDS", help="Quiet time before each of these; nothing is waited for.  [default: 10]")
@click.option("--compare", multiple=True, metavar="DATE", help="The same as of this date too, beside it; repeatable.")
@click.option("--pcap", metavar="FILE", help="Write all packets to a pcapng file, with comments that name who forged or stopped them.")
@report_option
@click.option(
    "--format", "output", type=click.Choice(["table", "json", "jsonl", "ooni"]), default="table",
    help="How results are printed; ooni: as a probe of OONI would measure it.  [default: table]",
)
@click.option("--header", is_flag=True, help="Begin jsonl with a line that says what the answer rests on.")
@click.option("--workers", type=click.IntRange(1), default=1, metavar="N", help="Spread many repetitions over so many processes.  [default: 1]")
@click.pass_context
def try_(
    context: click.Context,
    target: str | None,
    *,
    udp: bool,
    port: int | None,
    wall: str | None,
    as_of: str | None,
    seed: int,
    tolerate: float,
    vantage: str | None,
    assume: dict[str, str],
    lists: dict[str, str],
    listed: tuple[str, ...],
    inside: tuple[str, ...],
    repeat: int,
    then: tuple[str, ...],
    after: float | None,
    compare: tuple[str, ...],
    pcap: str | None,
    report: str | None,
    output: str,
    header: bool,
    workers: int,
) -> int:
    """Simulate one exchange from behind a wall, and show what each side saw.

    TARGET is a URL (http, https, quic, dns, dns-tcp, ftp, smtp) or a domain name, whose address is looked up. Nothing is sent
    anywhere: client, path, wall and server are simulated, in virtual time. Of several payloads each is sent once the one before
    it was answered.

    Exit status: 0 nothing at risk, 1 something at risk or blocked, 2 wrong input, 70 a bug.
    """
    from crenel.cli.trying import Asking, try_exchanges

    parts = tuple(context.meta.get(_PARTS, ()))
    judging = Judging(wall, as_of, seed, tolerate, vantage, assume, lists, listed, inside)
    asking = Asking(target, parts, udp, port, then, after, compare, repeat, workers, pcap, report)
    if output == "ooni":
        from crenel.cli.probing import measure

        return measure(asking, judging)
    return try_exchanges(asking, judging, "jsonl-header" if output == "jsonl" and header else output)
