"""`crenel bench`: sizes and names in, how fast flows are judged and exchanges simulated out."""

import click

from crenel.errors import UsageError


@click.command()
@click.option("--packets", type=click.IntRange(1), default=200_000, metavar="N", help="Packets of each capture that is written.  [default: 200000]")
@click.option("--only", multiple=True, metavar="NAME", help="Measure only this; repeatable.")
@click.option("--seed", type=int, default=0, metavar="N", help="Seed of the captures that are written.  [default: 0]")
def bench(packets: int, only: tuple[str, ...], seed: int) -> int:
    """Measure how fast flows are judged and exchanges simulated here, beside other tools in the same run."""
    import importlib

    running = importlib.import_module("crenel.bench.run")
    known = [*(target.name for target in running.TARGETS), running.EXCHANGES]
    unknown = [name for name in only if name not in known]
    if unknown:
        message = f"--only: nothing here is called {unknown[0]!r}; there is {', '.join(known)}"
        raise UsageError(message)
    return int(running.main(packets, only, seed))
