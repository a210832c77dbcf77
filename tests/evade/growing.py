"""Strategies for properties: any tree of any actions, made as values and not by way of their text."""

import string

import msgspec
from hypothesis import strategies as st

from crenel.evade.fields import FIELDS
from crenel.evade.language import (
    Action,
    Delay,
    Disorder,
    Drop,
    Duplicate,
    Fake,
    Fooling,
    Fragment,
    Oob,
    Overlap,
    Payload,
    Position,
    Precede,
    Record,
    Repeat,
    Sleep,
    Split,
    Strategy,
    Tamper,
    Trace,
    Tree,
    Trigger,
)
from crenel.evade.position import MARKS

NUMBERS = st.one_of(st.integers(-2, 20), st.sampled_from([255, 256, 65535, 65536, 1 << 32, (1 << 32) - 1]))
WORDS = st.text(string.ascii_letters + "%.", max_size=6).map(lambda text: text.replace("%", "%0D"))
FLAGS = st.text("FSRPAUECN", max_size=9)
KNOWN = [(proto, field) for proto, fields in sorted(FIELDS.items()) for field in sorted(fields)]


def value_for(proto: str, field: str) -> st.SearchStrategy[str]:
    """Draw a value as the parser would leave it."""
    if (proto, field) == ("TCP", "flags"):
        return st.one_of(FLAGS, NUMBERS.map(str))
    if field in {f"options-{name}" for name in ("eol", "nop", "sackok", "sack", "altchksumopt", "md5header")}:
        return st.binary(max_size=20).map(bytes.hex)
    return st.one_of(NUMBERS.map(str), WORDS)


@st.composite
def triggers(draw: st.DrawFn) -> Trigger:
    """Draw a trigger."""
    proto, field = draw(st.sampled_from(KNOWN))
    contains = draw(st.booleans())
    value = draw(WORDS if contains else st.one_of(NUMBERS.map(str), FLAGS if field == "flags" else WORDS))
    return Trigger(proto, field, value, contains, draw(st.one_of(st.none(), st.integers(-2, 3))))


@st.composite
def tampers(draw: st.DrawFn) -> Tamper:
    """Draw a tamper."""
    proto, field = draw(st.sampled_from(KNOWN))
    mode = draw(st.sampled_from(["replace", "add", "corrupt", "compress"]))
    if mode == "compress":
        return Tamper("DNS", "qd", "compress")
    if mode == "corrupt":
        return Tamper(proto, field, "corrupt")
    if mode == "add":
        return Tamper(proto, field, "add", str(draw(NUMBERS)))
    return Tamper(proto, field, "replace", draw(value_for(proto, field)))


POSITIONS = st.builds(Position, st.sampled_from(["", *MARKS]), st.integers(-30, 200))
SOME = st.lists(POSITIONS, min_size=1, max_size=3).map(tuple)
PAYLOADS = st.sampled_from(
    [Payload("zeros"), Payload("random", "7"), Payload("http"), Payload("tls", "a.example"), Payload("dns"), Payload("text", "x%00y")]
)
FOOLINGS = st.lists(
    st.sampled_from([
        Fooling("ttl", 8), Fooling("md5"), Fooling("badseq", -5), Fooling("badack"), Fooling("ts"), Fooling("noack"), Fooling("badsum"),
    ]),
    max_size=3,
).map(tuple)
MILLISECONDS = st.one_of(st.integers(0, 1000).map(float), st.sampled_from([0.5, 0.125]))

GENEVA_ACTIONS: list[st.SearchStrategy[Action]] = [
    st.just(Drop()),
    st.just(Duplicate()),
    tampers(),
    st.builds(Fragment, st.sampled_from(["tcp", "ip"]), st.integers(-3, 40), st.booleans(), st.integers(0, 9)),
    st.builds(Sleep, st.sampled_from([0.0, 0.5, 1.0, 2.25])),
    st.builds(Trace, st.integers(0, 3), st.integers(0, 6)),
]
OTHER_ACTIONS: list[st.SearchStrategy[Action]] = [
    st.builds(Split, SOME),
    st.builds(Disorder, SOME),
    st.builds(Record, SOME),
    st.builds(Fake, PAYLOADS, FOOLINGS, st.booleans()),
    st.builds(Oob, POSITIONS, st.sampled_from(["a", "z", "%00"])),
    st.builds(Overlap, PAYLOADS),
    st.builds(Delay, MILLISECONDS),
    st.builds(Repeat, st.integers(1, 3), MILLISECONDS),
    st.builds(Precede, PAYLOADS),
]


@st.composite
def actions(draw: st.DrawFn, depth: int = 3) -> Action:
    """Draw an action with all that is below it."""
    action = draw(st.one_of(GENEVA_ACTIONS + OTHER_ACTIONS))
    if depth and action.places and draw(st.booleans()):
        children = tuple(draw(st.one_of(st.none(), actions(depth - 1))) for _ in range(action.places))
        if any(children):
            return msgspec.structs.replace(action, children=children)
    return action


def trees(roots: st.SearchStrategy[Action]) -> st.SearchStrategy[Tree]:
    """Draw a tree with such a first action, or without any."""
    return st.builds(Tree, triggers(), st.one_of(st.none(), roots))


def strategies() -> st.SearchStrategy[Strategy]:
    """Draw a strategy: anything outbound, drops and tampers inbound."""
    inbound: st.SearchStrategy[Action] = st.one_of(st.just(Drop()), tampers())
    return st.builds(
        Strategy, st.lists(trees(actions()), max_size=3).map(tuple), st.lists(trees(inbound), max_size=2).map(tuple),
    )
