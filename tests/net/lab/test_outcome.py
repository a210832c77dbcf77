"""Flows of a command, made by hand, and whether the command got past the wall."""

import msgspec
import pytest

from crenel.instant import Instant
from crenel.net.lab.flows import LabFlow, Setting, follow_flows
from crenel.net.lab.outcome import Outcome
from tests.net.lab.machine import OPEN
from tests.net.lab.talk import Talk
from tests.net.lab.test_endings import FALSE, QUERY, TRUE


def outcome_of(*talks: Talk, problems: tuple[str, ...] = ()) -> Outcome:
    flows: list[LabFlow] = []
    for number, talk in enumerate(talks, 1):
        events = [msgspec.structs.replace(event, where=OPEN.name) if event.where == "wall" else event for event in talk.events]
        (flow,) = follow_flows(events, (), Setting(OPEN, Instant(0)))
        flows.append(msgspec.structs.replace(flow, number=number))
    return Outcome(("curl",), 0, b"out", b"", tuple(flows), problems)


def test_what_is_answered_passes() -> None:
    outcome = outcome_of(Talk(53).ask(QUERY).tell(TRUE))
    assert outcome.passed
    assert not outcome.inconclusive
    assert (outcome.text, repr(outcome)) == ("out", "<Outcome of curl: status 0, 1 flows, 0 at risk>")


def test_what_nobody_answers_is_inconclusive_and_no_work_of_the_wall() -> None:
    outcome = outcome_of(Talk().client("S").client("S"))
    assert outcome.inconclusive
    assert not outcome.blocked
    assert outcome.flows[0].exchange.outcome == "failed"


def test_what_cannot_be_relied_on_is_inconclusive() -> None:
    assert outcome_of(Talk(53).ask(QUERY).tell(TRUE), problems=("the server died",)).inconclusive


@pytest.mark.parametrize("forged", [True, False])
def test_who_was_led_to_a_forged_address_is_known(*, forged: bool) -> None:
    asked = Talk(53).ask(QUERY).tell(FALSE, forged="liar" if forged else None)
    led = Talk().client("S")
    for place, event in enumerate(led.events):
        led.events[place] = msgspec.structs.replace(event, packet=msgspec.structs.replace(event.packet, dst=bytes((198, 18, 0, 1))))
    outcome = outcome_of(asked, led)
    assert outcome.misled_by(outcome.flows[1]) == ("liar" if forged else None)
    assert outcome.misled_by(outcome.flows[0]) is None
    # No wall acted here, so the answer that misled counts as an accident; what came of it does not count again.
    assert [flow.exchange.outcome for flow in outcome.flows] == ["failed" if forged else "passed", "failed"]
