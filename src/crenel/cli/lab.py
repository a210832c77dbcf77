"""`crenel lab doctor`: this machine in, what it can do of a lab out, and how to enable what is missing."""

import json
import sys

import click


@click.group()
def lab() -> None:
    """Look after the labs in which `crenel run` and the pytest fixtures work."""


@lab.command()
@click.option("--format", "output", type=click.Choice(["table", "json"]), default="table", help="How findings are printed.  [default: table]")
def doctor(output: str) -> int:
    """Say what this machine can do, and how to enable what is missing.

    Everything is tried, in processes of their own, and undone.

    Exit status: 0 a lab can be made here, 1 none can.
    """
    from crenel.cli.screen import Screen
    from crenel.cli.status import Status
    from crenel.net.lab.doctor import examine
    from crenel.report.health import health_lines

    health = examine()
    if output == "json":
        findings = [{"name": one.name, "able": one.able, "says": one.says, "remedy": one.remedy or None} for one in health.findings]
        sys.stdout.write(json.dumps({"able": health.able, "findings": findings}, indent=1, ensure_ascii=False) + "\n")
    else:
        screen = Screen()
        screen.write(health_lines(health, screen.width))
    return Status.SAFE if health.able else Status.AT_RISK
