"""A strategy in, sentences about what in it can never have an effect out."""

from collections.abc import Iterator

from crenel.evade.language import Action, Sleep, Strategy, Tamper, Trace
from crenel.evade.tamper import takes
from crenel.evade.trigger import why_never


def doubts_about(strategy: Strategy) -> list[str]:
    """Return a sentence for every trigger that no packet can set off, and for every action that can never do what it says."""
    found = []
    for tree in (*strategy.outbound, *strategy.inbound):
        why = why_never(tree.trigger)
        if why is not None:
            found.append(f"[{tree.trigger}] never fires: {why}")
        found.extend(_doubts_in(tree.action))
    if not strategy.outbound and not strategy.inbound:
        found.append("the strategy is empty: every packet passes unchanged")
    return found


def _doubts_in(action: Action | None) -> Iterator[str]:
    if action is None:
        return
    text = f"{action.name}{{{action.parameters}}}"
    if isinstance(action, Tamper):
        if action.mode == "replace" and action.field != "qd" and not takes(action.proto, action.field, action.value):
            yield f"{text} sends nothing: no packet can be built with that value"
        if action.mode != "compress" and action.field == "qd":
            yield f"{text} changes nothing: a question is no plain value; DNSQR:qname is"
    if isinstance(action, Sleep) and action.seconds < 0:
        yield f"{text} does not wait: its time is negative"
    if isinstance(action, Trace) and action.first >= action.stop:
        yield f"{text} sends nothing: it ends before it begins"
    for child in action.children:
        yield from _doubts_in(child)
