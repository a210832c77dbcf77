"""The work of `crenel try --format ooni`: a target in, the measurement of a probe as a line of JSON on standard output and an exit status out."""

import sys
from typing import cast

import msgspec

from crenel import __version__
from crenel.atlas.compile import About
from crenel.cli.options import Judging
from crenel.cli.status import Status, say
from crenel.cli.trials import Steps, carry_out
from crenel.cli.trying import Asking
from crenel.errors import UsageError
from crenel.net.app.target import read_target
from crenel.report.ooni import measurement, probe_steps


def measure(asking: Asking, judging: Judging) -> int:
    """Carry out what a probe would for the target, write its measurement and return the exit status.

    Args:
        asking: what is tried: one target, nothing behind it.
        judging: the options common to all that judge.

    Raises:
        CrenelError: an option is wrong, or a file that it names.
    """
    if asking.target is None:
        message = "--format ooni: name a website or a domain; OONI measures no payloads"
        raise UsageError(message)
    others = {
        "--then": asking.then, "--compare": asking.compare, "--repeat": asking.repeat > 1, "--pcap": asking.pcap, "--report": asking.report,
        "--inside": judging.inside,
    }  # fmt: skip
    for option, given in others.items():
        if given:
            message = f"--format ooni writes one measurement; leave {option} out"
            raise UsageError(message)
    targets = probe_steps(read_target(asking.target))
    wall = judging.load()
    if judging.as_of is None:
        say(f"tried as of {cast('About', wall.about).as_of}, which is today; --as-of takes another day")
    exchanges = carry_out(wall, Steps(targets, 0.0), 0, judging.tolerate)
    sys.stdout.buffer.write(msgspec.json.encode(measurement(targets, exchanges, __version__)) + b"\n")
    return Status.AT_RISK if any(exchange.at_risk for exchange in exchanges) else Status.SAFE
