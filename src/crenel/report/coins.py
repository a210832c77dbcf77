"""A rate in, what it comes to and which coins decide it, in words, out: each coin by what the box that tosses it does with it."""

import re

from crenel.evade.rate import Coin, Rate
from crenel.report.layout import GLUE
from crenel.report.text import counted, listed, percent
from crenel.wall.box import Box
from crenel.wall.tcb import CompiledTcb, Row
from crenel.wall.wall import Wall

_ACT = re.compile(r"act(-[0-9]+)?")
_NUMBER = re.compile(r"-[0-9]+$")
_SHOWN = 4
"""Coins that are told of beside those by which boxes miss."""

_DEEDS: dict[str, str] = {
    "off": "tear-down",
    "resync": "resynchronisation",
    "sync": "recovery",
    "skip": "skipping",
    "read": "reading",
    "ignore": "ignoring",
    "track": "tracking",
    "reverse": "reversal",
    "complete": "completion",
}
"""What a coin is called by what follows where it falls on its first side."""

_PATH: tuple[tuple[str, str], ...] = (
    ("strict-server", "the server's strict filter"),
    ("insertion-loss", "the loss of what is inserted"),
    ("client-middlebox-", "the middlebox near the client: "),
    ("loss-", "loss on the way"),
)
_BOX: tuple[tuple[str, str], ...] = (
    ("joins", "whether it joins segments"),
    ("keeps-newer", "whether the newer of two copies is kept"),
    ("device-", "which of two devices it is"),
)


def rate_words(rate: Rate) -> str:
    """Return a rate with its interval, or as exact."""
    if rate.exact:
        return f"{percent(rate.value)}, exactly, over {counted(rate.trials, 'way')} in which the coins can fall"
    low, high = rate.interval
    return f"{percent(rate.value)} of {counted(rate.trials, 'trial')} (95{GLUE}% interval {percent(low)} to {percent(high)})"


def decided(rate: Rate, wall: Wall) -> str:
    """Return the sum of a rate: which coins decide it, and what misses; empty where nothing is known of that."""
    if not rate.exact:
        return ""
    coins = [coin for coin in rate.coins if not missing(coin)]
    misses = [f"{_owner(coin)} misses ({percent(1.0 - coin.p)})" for coin in rate.coins if missing(coin)]
    words = [coin_words(coin, wall) for coin in coins]
    if len(words) > _SHOWN:
        words = [*words[:_SHOWN], f"{counted(len(words) - _SHOWN, 'coin')} more"]
    if not words:
        return f"{percent(rate.value)} = what is missed: {listed(misses)}" if misses else "no coin decides it"
    return f"{percent(rate.value)} = {listed(words)}" + (f", unless {listed(misses)}" if misses else "")


def coin_words(coin: Coin, wall: Wall) -> str:
    """Return what a coin is about, who tosses it, and how it falls."""
    owner, _, name = coin.name.partition("/")
    if owner == "path":
        for start, words in _PATH:
            if name.startswith(start):
                return f"{words}{name[len(start) :] if start.endswith('-') and words.endswith(' ') else ''} ({percent(coin.p)})"
        return f"{name.replace('-', ' ')} ({percent(coin.p)})"
    for start, words in _BOX:
        if name.startswith(start):
            return f"{words}, {owner} ({name}, {percent(coin.p)})"
    stem = _NUMBER.sub("", name)
    row = row_of(wall, owner, stem)
    what = f"the {_DEEDS[row.do]} coin of {owner}" if row is not None else f"a coin of {owner}"
    return f"{what} ({stem}, {percent(coin.p)})"


def row_of(wall: Wall, box: str, coin: str) -> Row | None:
    """Return the rule of a box's state model that a coin decides."""
    found: list[Box] = [one for one in wall.boxes if one.id == box]
    models: list[CompiledTcb] = [model for one in found for model in (one.tcb, one.other[0] if one.other is not None else None) if model is not None]
    return next((row for model in models for row in model.table.row if (row.coin or row.do) == coin and row.p < 1.0), None)


def missing(coin: Coin) -> bool:
    """Say whether a coin is the one by which a box acts, or misses."""
    return _ACT.fullmatch(coin.name.partition("/")[2]) is not None


def _owner(coin: Coin) -> str:
    return coin.name.partition("/")[0]
