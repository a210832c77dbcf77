"""`crenel run`: a command in, its output, its exit status and what a wall did to its flows out."""

import click

from crenel.cli.options import Judging, judging_options, report_option


@click.command(context_settings={"allow_interspersed_args": False})
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="[--] [COMMAND ...]")
@click.option("--server", "servers", multiple=True, metavar="COMMAND", help="Start this on the far side first; repeatable.")
@click.option("--scenario", metavar="FILE", help="Hosts and server programs on the far side, from a TOML file.")
@click.option("--timeout", type=click.FloatRange(0.0, min_open=True), metavar="SECONDS", help="End the command, and all it started, after so long.")
@judging_options
@click.option("--status", type=click.Choice(["command", "wall"]), default="command", help="Whose exit status this one is.  [default: command]")
@click.option("--pace", type=click.Choice(["real", "still"]), default="real", help="Spend the path's delays, or none.  [default: real]")
@click.option("--all", "everything", is_flag=True, help="Tell of every flow in full, not only of those that matter.")
@click.option("--pcap", metavar="FILE", help="Write all packets to a pcapng file, with comments that name who forged or stopped them.")
@report_option
@click.option(
    "--format", "output", type=click.Choice(["table", "json", "jsonl", "ooni"]), default="table",
    help="How results are printed; ooni: as a probe of OONI would measure them.  [default: table]",
)
@click.option("--header", is_flag=True, help="Begin jsonl with a line that says what the answer rests on.")
def run(
    command: tuple[str, ...],
    *,
    servers: tuple[str, ...],
    scenario: str | None,
    timeout: float | None,
    wall: str | None,
    as_of: str | None,
    seed: int,
    tolerate: float,
    vantage: str | None,
    assume: dict[str, str],
    lists: dict[str, str],
    listed: tuple[str, ...],
    inside: tuple[str, ...],
    status: str,
    pace: str,
    everything: bool,
    pcap: str | None,
    report: str | None,
    output: str,
    header: bool,
) -> int:
    """Run a real program behind a wall, offline, and say what the wall did to each of its flows.

    The program, unmodified, is the client; its network is a lab with a small internet behind the wall: every name resolves, and web,
    mail and file servers answer. Nothing leads out of it. Without a COMMAND a shell is opened.

    Output and exit status are the command's own. The account follows on standard error; --format json and jsonl write to standard
    output, and the command's own output then goes to standard error.

    Exit status: the command's (124: --timeout ended it; 128 and more: a signal did); 2 where it could not be run. With --status wall:
    0 nothing at risk, 1 something at risk or blocked, 2 nothing could be judged, 3 inconclusive or not all reliable, 70 a bug.
    """
    from crenel.cli.running import Running, run_command

    judging = Judging(wall, as_of, seed, tolerate, vantage, assume, lists, listed, inside)
    wanted = Running(command, servers, scenario, timeout, status, pace, everything, pcap, report)
    return run_command(wanted, judging, "jsonl-header" if output == "jsonl" and header else output)
