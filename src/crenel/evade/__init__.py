"""Strategies of evasion: what they say, what becomes of a packet at the end that uses one, and how often a client gets its answer so.

`rate` and `parse` are functions here, and modules beside it: those are imported from by name (`from crenel.evade.rate import rate_of`).
"""

from crenel.evade.language import Strategy
from crenel.evade.parse import parse
from crenel.evade.rate import Coin, Rate, rate, sample

__all__ = ["Coin", "Rate", "Strategy", "parse", "rate", "sample"]
