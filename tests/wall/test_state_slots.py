"""Who watches a flow in, what a run keeps of it out: nothing yet, and of each flow apart."""

from crenel.flow.key import CLASS_LOAD
from crenel.wall.state import FlowState
from crenel.wall.wall import Limits, Wall, Watch
from crenel.wire.packet import TCP
from tests.wall.making import PLAIN, compiled, made_box


def watch(*, stateless: bool) -> Watch:
    boxes = [made_box(tcb=None if stateless else compiled(*PLAIN))]
    wall = Wall("made", "made", boxes, limits=Limits(flows=9, residual_entries=9, stream_bytes=99), utc_offset=0, hour=None)
    return wall.watch(TCP, 4, 80, inside=True, above=True)


def test_nothing_has_happened_to_a_new_flow() -> None:
    state = FlowState(watch(stateless=False))
    assert (state.acted, state.acted_on, state.events, state.tossed) == (None, -1, 0, False)
    assert (state.strands, state.missed, state.headers) == ([], {}, ())


def test_what_matters_whatever_the_state_is_what_readers_of_single_segments_want() -> None:
    assert FlowState(watch(stateless=False)).idle_interest == 0
    state = FlowState(watch(stateless=True))
    assert all(bool(state.idle_interest >> packet_class & 1) == bool(packet_class & CLASS_LOAD) for packet_class in range(64))


def test_flows_keep_nothing_in_common() -> None:
    shared = watch(stateless=True)
    first, second = FlowState(shared), FlowState(shared)
    first.missed[0] = 0.5
    first.idle_interest |= 1
    first.strands.append(None)  # type: ignore[arg-type]
    assert (second.missed, second.strands, second.idle_interest) == ({}, [], shared.idle_interest)
    assert first.watch is second.watch
