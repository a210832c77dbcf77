"""`--assume KEY=VALUE`: an epoch and what the user takes for granted in, the epoch with that value out."""

import datetime as dt
import tomllib
from collections.abc import Mapping
from typing import Any

import msgspec

from crenel.atlas.moment import Moment, take_moment
from crenel.atlas.schema import Epoch
from crenel.errors import UsageError


def parse_assumption(text: str) -> tuple[str, str]:
    """Return key and value of `BOX.KEY=VALUE`.

    Raises:
        UsageError: there is no key or no value.
    """
    key, found, value = text.partition("=")
    if not found or "." not in key or not value:
        message = f"--assume {text!r}: write BOX.KEY=VALUE, such as some-box.residual.seconds=60"
        raise UsageError(message)
    return key.strip(), value.strip()


def assumed_for(box: str, assume: Mapping[str, str]) -> dict[str, str]:
    """Return the assumptions about one box, by path below its epoch."""
    prefix = f"{box}."
    return {key.removeprefix(prefix): value for key, value in assume.items() if key.startswith(prefix)}


def apply_assumptions(box: str, epoch: Epoch, wanted: Mapping[str, str]) -> Epoch:
    """Return the epoch with other values: a named alternative of the profile, `none`, or a TOML value.

    Raises:
        UsageError: no such key, or a value that does not fit it.
    """
    if not wanted:
        return epoch
    built = msgspec.to_builtins(epoch, enc_hook=_plain_date, builtin_types=(dt.date, dt.datetime))
    tree: dict[str, Any] = {name: _open(value) for name, value in built.items()}
    assumed = dict(epoch.assumed)
    for key, text in wanted.items():
        named = next((one for one in epoch.alternative if one.key == key and one.name == text), None)
        _place(tree, box, key, named.value if named is not None else _value(text))
        assumed[key] = named.says if named is not None else f"set to {text} by the user"
    tree["assumed"] = assumed
    if "chance.p" in wanted:  # one probability instead of a curve
        tree["chance"] |= {"by_hour": None, "city": None}
    try:
        return msgspec.convert(tree, Epoch, dec_hook=take_moment)
    except msgspec.ValidationError as error:
        message = f"--assume {box}.{', '.join(wanted)}: {error}"
        raise UsageError(message) from error


def _plain_date(moment: Moment) -> dt.date:
    return moment.day if moment.bare else moment.start


def _open(tree: object) -> object:
    """Return a tree with lists in the place of tuples, so that any value of it can be replaced."""
    if isinstance(tree, dict):
        return {key: _open(value) for key, value in tree.items()}
    return [_open(value) for value in tree] if isinstance(tree, tuple | list) else tree


def _value(text: str) -> object:
    if text == "none":
        return None
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _place(tree: dict[str, Any], box: str, key: str, value: object) -> None:
    at: Any = tree
    *way, last = key.split(".")
    for step in way:
        at = at[int(step)] if _counts(at, step) else at.get(step) if isinstance(at, dict) else None
        if at is None:
            break
    if not _counts(at, last) and not (isinstance(at, dict) and last in at):
        message = f"--assume {box}.{key}: the epoch in force has no such key"
        raise UsageError(message)
    if isinstance(at, list):
        at[int(last)] = value
    elif value is None and last == "seconds":
        at[last] = 0
    elif value is None:
        del at[last]
    else:
        at[last] = value


def _counts(at: object, step: str) -> bool:
    """Say whether a step of a path is the place of something in a list, counted from 0."""
    return isinstance(at, list) and step.isascii() and step.isdigit() and int(step) < len(at)
