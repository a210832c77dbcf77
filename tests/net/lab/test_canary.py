"""Something harmless across labs that work, and across one that does not."""

import socket

import pytest

from crenel.net.lab import canary
from crenel.net.lab.canary import sing
from crenel.net.lab.lab import Lab
from crenel.net.path.route import Link, Route
from tests.net.lab.machine import NEEDS_LAB, OPEN


@NEEDS_LAB
def test_it_comes_back_and_its_packets_are_known(lab: Lab) -> None:
    sung = sing(lab)
    assert sung.alive
    ours = [event for event in lab.trace if (event.packet.src, event.packet.sport) == sung.endpoint or event.packet.dport == sung.endpoint[1]]
    assert {event.sender for event in ours} == {"client", "server"}
    assert socket.inet_ntop(socket.AF_INET, sung.endpoint[0]) == lab.plan.layout.client[0]


@NEEDS_LAB
def test_where_all_is_lost_it_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canary, "_PATIENCE", 0.05)
    with Lab(OPEN, route=Route((Link(2, 0, loss=1.0), Link(3, 0)), (OPEN,))) as lab:
        assert not sing(lab).alive
