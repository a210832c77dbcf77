"""Scapy as an independent writer and reader of packets; it is slow to import and warns while it is imported."""

import warnings
from functools import cache
from types import ModuleType


@cache
def scapy() -> ModuleType:
    """Return `scapy.all`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import scapy.all as everything
        import scapy.contrib.erspan
        import scapy.contrib.mpls
    everything.MPLS = scapy.contrib.mpls.MPLS
    oracle: ModuleType = everything
    return oracle
