"""What was asked for in, the command line that asks for the same again out, with what had been left to a default resolved."""

import shlex
from collections.abc import Iterable, Sequence

from crenel.cli.options import Judging


def command_again(command: str, words: Sequence[str], given: Iterable[tuple[str, object]], judging: Judging) -> str:
    """Return a command line for a shell.

    Args:
        command: the command, such as `check`.
        words: its arguments.
        given: its own options with their values; None leaves one out, True gives one without value.
        judging: the options common to all that judge, with the date resolved.
    """
    options: list[tuple[str, object]] = [
        *given, ("--wall", judging.wall), ("--as-of", judging.as_of), ("--seed", judging.seed), ("--tolerate", judging.tolerate or None),
        ("--vantage", judging.vantage), *(("--assume", f"{key}={value}") for key, value in judging.assume.items()),
        *(("--list", f"{name}={path}") for name, path in judging.lists.items()), *(("--listed", name) for name in judging.listed),
        *(("--inside", network) for network in judging.inside),
    ]  # fmt: skip
    said = ["crenel", command]
    for option, value in options:
        if value is not None:
            said += [option] if value is True else [option, str(value)]
    behind = ["--", *words] if any(word.startswith("-") and word != "-" and not word.startswith("--") for word in words) else [*words]
    return shlex.join([*said, *behind])
