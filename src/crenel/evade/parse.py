"""The text of a strategy in, its trees out, or an error that names the column where something else was expected.

What Geneva accepts is accepted, with its quirks: the quotes round a strategy, a missing end of a tree, further forests, numbers as
Python writes them. Refused in spite of that is what Geneva reads by accident: half an action's name, an unknown field, an unknown
way to tamper, and a tamper or fragment without its parameters, which it would fill in at random.
"""

import re
from typing import Final, NoReturn

import msgspec

from crenel.errors import StrategyError
from crenel.evade.fields import FIELDS, flags_of, number_of
from crenel.evade.language import GENEVA, INBOUND, Action, Children, Repeat, Strategy, Tree, Trigger
from crenel.evade.parameters import READERS, Misread

DEEPEST: Final = 50
"""How deep actions may be nested (bench)."""
MOST_COPIES: Final = 1000
"""How often repeats inside repeats may send one packet (bench)."""

_NAME = re.compile(r"[^\[\](){},:|]*")
_BLANK = re.compile(r"\s")
_NAMES = tuple(action.name for action in GENEVA)


class DnaError(StrategyError):
    """A strategy that cannot be read: what was expected, and where.

    Attributes:
        text: the strategy.
        column: the first character at fault, counted from 1.
    """

    def __init__(self, text: str, column: int, what: str) -> None:
        super().__init__(f"column {column} of the strategy: {what}")
        self.text = text
        self.column = column


def parse(text: str, *, strict: bool = False) -> Strategy:
    """Return the strategy that a text describes; `strict` refuses the actions that Geneva lacks.

    Raises DnaError, a StrategyError whose message names the column (from 1) and what was expected there.
    """
    start, end = 0, len(text)
    if text.startswith('"'):
        start = 1
    if end > start and text.endswith('"'):
        end -= 1
    forests: tuple[list[Tree], list[Tree]] = ([], [])
    inbound = False
    while True:
        stop = text.find("\\/", start, end)
        forests[inbound].extend(_forest(text, start, end if stop < 0 else stop, inbound=inbound, strict=strict))
        if stop < 0:
            return Strategy(tuple(forests[0]), tuple(forests[1]))
        start, inbound = stop + 2, True


def _forest(text: str, start: int, end: int, *, inbound: bool, strict: bool) -> list[Tree]:
    trees = []
    while start < end:
        stop = text.find("|", start, end)
        after = end if stop < 0 else stop
        piece = text[start:after]
        if piece.strip():
            begin = start + len(piece) - len(piece.lstrip())
            trees.append(_Reader(text, begin, start + len(piece.rstrip()), inbound=inbound, strict=strict).tree())
        start = after + 1
    return trees


class _Reader:
    """Reads one tree, from `at` to `end` in the text."""

    def __init__(self, text: str, at: int, end: int, *, inbound: bool, strict: bool) -> None:
        self.text = text
        self.at = at
        self.end = end
        self.inbound = inbound
        self.strict = strict

    def fail(self, at: int, what: str) -> NoReturn:
        raise DnaError(self.text, at + 1, what)

    def tree(self) -> Tree:
        text, at, end = self.text, self.at, self.end
        blank = _BLANK.search(text, at, end)
        if blank is not None:
            self.fail(blank.start(), "expected no blank inside a tree (in a value it is written %20)")
        if text[at] != "[":
            self.fail(at, f"expected a tree, which begins with [, but found {text[at]!r}")
        # Geneva takes the last of these too; that it may stand in a value is why it must be written %5D there.
        close = text.rfind("]-", at, end)
        if close < 0:
            self.fail(end, "expected ]- after the trigger")
        trigger = self.trigger(at + 1, close)
        self.at = close + 2
        if self.at < end and text[end - 1] == "-":
            self.end = end - 1
        action = self.action(0, 1) if self.at < self.end else None
        if self.at < self.end:
            self.fail(self.at, f"expected -| at the end of the tree, but found {self.text[self.at]!r}")
        return Tree(trigger, action)

    def trigger(self, start: int, end: int) -> Trigger:
        parts = self.text[start:end].split(":")
        starts = [start + sum(len(part) + 1 for part in parts[:number]) for number in range(len(parts))]
        if len(parts) < 3:
            self.fail(end, "expected a trigger of the form PROTOCOL:field:value or PROTOCOL:field:value:gas")
        if len(parts) > 4:
            self.fail(starts[4] - 1, "expected ] after the gas of the trigger (a colon in a value is written %3A)")
        proto, field, value = parts[:3]
        self.check_field(proto.upper(), field, starts[0], starts[1])
        gas = None
        if len(parts) == 4:
            gas = number_of(parts[3])
            if gas is None:
                self.fail(starts[3], f"expected a whole number as the gas of the trigger, but found {parts[3]!r}")
        contains = value.endswith("*")
        number = number_of(value)
        if contains:
            value = value[:-1]
        elif number is not None:
            value = str(number)
        elif (proto.upper(), field) == ("TCP", "flags") and flags_of(value) is None:
            self.fail(starts[2], f"expected TCP flags, letters of FSRPAUECN or a number, but found {value!r}")
        return Trigger(proto, field, value, contains, gas)

    def check_field(self, proto: str, field: str, proto_at: int, field_at: int) -> None:
        if proto not in FIELDS:
            self.fail(proto_at, f"expected a protocol ({', '.join(FIELDS)}), but found {proto!r}")
        if field not in FIELDS[proto]:
            self.fail(field_at, f"expected a field of {proto} ({', '.join(sorted(FIELDS[proto]))}), but found {field!r}")

    def action(self, depth: int, copies: int) -> Action:
        if depth > DEEPEST:
            self.fail(self.at, f"expected at most {DEEPEST} actions inside one another")
        start = self.at
        found = _NAME.match(self.text, start, self.end)
        written = found.group() if found is not None else ""
        name = written.lower()
        if name not in READERS:
            hint = "; an absent child sends" if name == "send" else ""
            known = _NAMES if self.strict else tuple(READERS)
            self.fail(start, f"expected an action ({', '.join(known)}{hint}), but found {written or self.text[start:start + 1]!r}")
        if self.strict and name not in _NAMES:
            self.fail(start, f"expected an action that Geneva has ({', '.join(_NAMES)}), but found {name!r}")
        self.at = start + len(written)
        action = self.parameters(name, depth)
        if self.inbound and not isinstance(action, INBOUND):
            self.fail(start, f"expected drop or tamper for packets that arrive, but found {name!r}")
        if isinstance(action, Repeat):
            copies *= action.times
            if copies > MOST_COPIES:
                self.fail(start, f"expected repeats that send a packet at most {MOST_COPIES} times in all")
        if self.at < self.end and self.text[self.at] == "(":
            children = self.children(action, depth, copies)
            return msgspec.structs.replace(action, children=children) if any(children) else action
        return action

    def parameters(self, name: str, depth: int) -> Action:
        start = self.at
        if start >= self.end or self.text[start] != "{":
            given, inside = None, start
        else:
            close = self.text.find("}", start, self.end)
            if close < 0:
                self.fail(self.end, f"expected }} after the parameters of {name}")
            given, inside = self.text[start + 1 : close], start + 1
            # Geneva counts commas and parentheses wherever they stand, once it is inside a pair of parentheses.
            for letter, escaped in (("(", "%28"), ("{", "%7B")) if depth == 0 else (("(", "%28"), ("{", "%7B"), (",", "%2C")):
                if letter in given:
                    self.fail(inside + given.index(letter), f"expected a value without {letter!r}, which is written {escaped}")
            self.at = close + 1
        try:
            action = READERS[name](given)
        except Misread as problem:
            self.fail(inside + problem.offset, problem.expected)
        return action

    def children(self, action: Action, depth: int, copies: int) -> Children:
        opened = self.at
        children: list[Action | None] = []
        starts: list[int] = []
        ended = ","
        while ended == ",":
            self.at += 1
            starts.append(self.at)
            children.append(None if self.text[self.at : self.at + 1] in {",", ")"} else self.action(depth + 1, copies))
            ended = self.text[self.at] if self.at < self.end else ""
        if ended != ")" and not (depth == 0 and not ended):
            self.fail(self.at, "expected a comma or ) after a child" + (f", but found {ended!r}" if ended else ""))
        # What Geneva takes for the last parenthesis of a tree may be missing.
        self.at += bool(ended)
        # With one place or none the parentheses hold two, of which the rest stays empty.
        places = max(action.places, 2)
        if len(children) != places:
            at = starts[places] - 1 if len(children) > places else self.at - bool(ended)
            self.fail(at, f"expected {places} children of {action.name}, separated by commas (an empty one sends), but found {len(children)}")
        for number in range(action.places, places):
            if children[number] is not None:
                what = "a left child only" if action.places else "no children"
                self.fail(starts[number] if action.places else opened, f"expected {what}: {action.name} hands on one packet at most")
        return tuple(children[: action.places])
