"""Dice and an alphabet in, random strategies, and random or simpler variants of strategies, out: every choice is uniform.

What can be drawn are the actions, fields and generic values of the language: 0, 1, the greatest, a random one, one more or one less,
the value of another field. Nothing here knows a strategy that works, nor which choice is worth more than another.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, TypeVar

import msgspec

from crenel.coins import KeyedCoins
from crenel.evade.corrupt import COMMON_FLAGS
from crenel.evade.fields import BITS, FIELDS, FLAG_LETTERS, IP_FLAG_NAMES, OPTION_BITS, TCP_OPTIONS
from crenel.evade.language import (
    Action,
    Delay,
    Disorder,
    Drop,
    Duplicate,
    Fake,
    Fooling,
    Fragment,
    Mode,
    Oob,
    Payload,
    Position,
    Precede,
    Record,
    Repeat,
    Split,
    Strategy,
    Tamper,
    Tree,
    Trigger,
)
from crenel.evade.position import MARKS
from crenel.evade.reading import PRESENT, READERS
from crenel.wire.packet import Packet

T = TypeVar("T")
Place = tuple[int, ...]
"""Which child, of which child and so on, below the first action of a tree."""

DEEPEST: Final = 4
"""How deep actions are nested in what is drawn (bench)."""
MOST_TREES: Final = 3
"""How many trees a strategy has at most (bench)."""
LONGEST: Final = 12
"""How many trees, actions and gases a strategy has at most when it is changed (bench)."""
_OFFSET_BITS: Final = 10
"""Width of a place in a payload, which the language does not limit: a segment of Ethernet has fewer than 2,048 bytes."""
_replace = msgspec.structs.replace


class Dice:
    """Chance that can be put away and taken up again: what falls depends on the seed and on how often it was asked before.

    Args:
        seed: any whole number.
        rolled: how often it was asked before.
    """

    __slots__ = ("_coins", "rolled")

    def __init__(self, seed: int, rolled: int = 0) -> None:
        self._coins = KeyedCoins(seed)
        self.rolled = rolled

    def below(self, n: int) -> int:
        """Return a whole number from 0 to n - 1, equally likely."""
        self.rolled += 1
        return self._coins.pick("search", self.rolled.to_bytes(8, "big"), "", n)

    def one(self, of: Sequence[T]) -> T:
        """Return one of several things, equally likely."""
        return of[self.below(len(of))]


class Alphabet(msgspec.Struct, frozen=True):
    """What strategies are made of for one side of one conversation."""

    triggers: tuple[Trigger, ...]
    """Of packets that this side sends, without gas."""
    inbound: tuple[Trigger, ...]
    """Of packets that it gets."""
    fields: tuple[tuple[str, str], ...]
    """What can be tampered with: protocol and field."""
    values: tuple[int, ...]
    """What small fields of the conversation hold, the same in every run of it."""
    extended: bool = False
    """Are actions drawn that Geneva lacks?"""


def alphabet_of(conversations: Sequence[tuple[Sequence[Packet], Sequence[Packet]]], *, extended: bool = False) -> Alphabet:
    """Return what can be drawn for one side, from what it sends and gets in several runs of a conversation."""
    sent, got = conversations[0]
    protocols = [proto for proto in FIELDS if any(PRESENT[proto](packet) for packet in sent)]
    fields = tuple((proto, field) for proto in protocols for field in sorted(FIELDS[proto]))
    seen = [
        {value for packet in (*out, *back) for proto, field in fields if (value := _small(packet, proto, field)) is not None}
        for out, back in conversations
    ]
    general = [Trigger("TCP", "flags", flags) for flags in COMMON_FLAGS] if "TCP" in protocols else []
    return Alphabet(
        tuple(dict.fromkeys(map(_trigger, sent))), tuple(dict.fromkeys([*map(_trigger, got), *general])), fields,
        tuple(sorted(set.intersection(*seen))), extended,
    )  # fmt: skip


def _trigger(packet: Packet) -> Trigger:
    """Return what tells packets like this one from others: their flags, or where they go."""
    if PRESENT["TCP"](packet):
        return Trigger("TCP", "flags", "".join(letter for at, letter in enumerate(FLAG_LETTERS) if packet.flags >> at & 1))
    return Trigger("UDP", "dport", str(packet.dport)) if PRESENT["UDP"](packet) else Trigger("IP", "proto", str(packet.proto))


def _small(packet: Packet, proto: str, field: str) -> int | None:
    """Return what a field holds if it is a number of at most 16 bits."""
    if BITS[proto].get(field, 32) > 16 or not PRESENT[proto](packet):
        return None
    value = READERS[proto, field](packet)
    return value if isinstance(value, int) else None


class Breeder:
    """Draws strategies and changes them.

    Args:
        dice: what decides.
        alphabet: what can be drawn.
    """

    def __init__(self, dice: Dice, alphabet: Alphabet) -> None:
        self.dice = dice
        self.alphabet = alphabet
        self._makers_inbound: list[Callable[[], Action]] = [Drop, self.tamper]
        self._makers: list[Callable[[], Action]] = [Drop, Duplicate, self.tamper, self._fragment]
        if alphabet.extended:
            self._makers += [
                lambda: Split(self._positions()), lambda: Disorder(self._positions()), lambda: Record(self._positions()), self._fake,
                lambda: Oob(self._position()), lambda: Delay(float(self._number(_OFFSET_BITS))), lambda: Repeat(2 + dice.below(3)),
                lambda: Precede(self._payload()),
            ]  # fmt: skip

    def strategy(self) -> Strategy:
        """Draw a strategy."""
        outbound = tuple(self.tree() for _ in range(1 + self.dice.below(2)))
        return Strategy(outbound, (self.tree(inbound=True),) if self.dice.below(8) == 0 else ())

    def tree(self, *, inbound: bool = False) -> Tree:
        """Draw a tree."""
        trigger = self.dice.one(self.alphabet.inbound if inbound else self.alphabet.triggers)
        gas = self.dice.one((None, None, None, 1, -1))
        return Tree(_replace(trigger, gas=gas), self.action(DEEPEST, inbound=inbound))

    def action(self, depth: int, *, inbound: bool = False) -> Action:
        """Draw an action with what is below it, at most so deep; a place stays empty every other time."""
        action = self.dice.one(self._makers_inbound if inbound else self._makers)()
        if depth <= 1 or not action.places:
            return action
        return with_children(action, [self.action(depth - 1, inbound=inbound) if self.dice.below(2) else None for _ in range(action.places)])

    def tamper(self) -> Tamper:
        """Draw a tamper without child."""
        proto, field = self.dice.one(self.alphabet.fields)
        mode, value = self._change(proto, field)
        return Tamper(proto, field, mode, value)

    def varied(self, strategy: Strategy, other: Strategy) -> Strategy:
        """Return a strategy changed in one to three places, perhaps with a part of another one."""
        for _ in range(1 + self.dice.below(3)):
            changed = self._changed(strategy, other)
            if size_of(changed) <= max(LONGEST, size_of(strategy)):
                strategy = changed
        return strategy

    def _changed(self, strategy: Strategy, other: Strategy) -> Strategy:
        kind = self.dice.below(10)
        trees = (*strategy.outbound, *strategy.inbound)
        if not trees or (kind == 0 and len(strategy.outbound) < MOST_TREES):
            return _replace(strategy, outbound=(*strategy.outbound, self.tree()))
        if kind == 1 and other.outbound and len(strategy.outbound) < MOST_TREES:
            return _replace(strategy, outbound=(*strategy.outbound, self.dice.one(other.outbound)))
        if kind == 2 and not strategy.inbound:
            return _replace(strategy, inbound=(self.tree(inbound=True),))
        at = self.dice.below(len(trees))
        if kind == 3 and len(trees) > 1:
            return _with_tree(strategy, at, None)
        inbound = at >= len(strategy.outbound)
        tree = trees[at]
        if kind == 4:
            drawn = self.tree(inbound=inbound)
            return _with_tree(strategy, at, Tree(drawn.trigger, tree.action))
        if tree.action is None:
            return _with_tree(strategy, at, Tree(tree.trigger, self.action(DEEPEST, inbound=inbound)))
        donors = [] if inbound else [one for donor in other.outbound for _, one in places_in(donor.action) if one is not None]
        changed = self._changed_action(tree.action, donors, inbound=inbound)
        return _with_tree(strategy, at, Tree(tree.trigger, changed))

    def _changed_action(self, root: Action, donors: Sequence[Action], *, inbound: bool) -> Action:
        """Return an action with one place below it, or itself, changed; one that would be empty is drawn anew."""
        place, here = self.dice.one(list(places_in(root)))
        room = max(DEEPEST - len(place), 1)
        kind = self.dice.below(5)
        new: Action | None
        if here is None or kind == 0:
            new = self.dice.one(donors) if donors and self.dice.below(2) else self.action(min(room, 2), inbound=inbound)
        elif kind == 1:  # put an action above it
            new = self.action(1, inbound=inbound)
            if new.places:
                children: list[Action | None] = [None] * new.places
                children[self.dice.below(new.places)] = here
                new = with_children(new, children)
        elif kind == 2:  # take it out, and let one of its children stand there
            new = self.dice.one(here.children) if here.children else None
        elif kind == 3 and len(here.children) > 1:
            at = self.dice.below(len(here.children))
            new = with_children(here, [*here.children[at:], *here.children[:at]])
        else:
            new = self._redrawn(here)
        changed = with_action(root, place, new)
        return changed if changed is not None and depth_of(changed) <= DEEPEST + 1 else root

    def _redrawn(self, action: Action) -> Action:
        """Return an action with other parameters, of its field where it has one."""
        if isinstance(action, Tamper):
            if self.dice.below(2):
                return _replace(self.tamper(), children=action.children)
            mode, value = self._change(action.proto, action.field)
            return _replace(action, mode=mode, value=value)
        if isinstance(action, Fragment):
            if self.dice.below(2):
                return _replace(action, at=action.at + self.dice.one((-1, 1)))
            return _replace(self._fragment(), children=action.children)
        return action

    def _change(self, proto: str, field: str) -> tuple[Mode, str]:
        """Draw what to do with a field."""
        if field == "qd":
            return "compress", ""
        option = field.removeprefix("options-")
        bits = BITS[proto].get(field) or (OPTION_BITS.get(option) if option in TCP_OPTIONS else None)
        if bits is None:
            text = field not in {"src", "dst"} and self.dice.below(2) == 0
            return ("replace", self._text(option)) if text else ("corrupt", "")
        if (proto, field) == ("IP", "flags"):
            return "replace", "+".join(name for name in IP_FLAG_NAMES[:2] if self.dice.below(2))
        if (proto, field) == ("TCP", "flags") and self.dice.below(2):
            return "replace", self.dice.one(COMMON_FLAGS)
        kinds: tuple[tuple[Mode, str], ...] = (
            ("corrupt", ""), ("replace", "0"), ("replace", "1"), ("replace", str((1 << bits) - 1)), ("replace", str(self._number(bits))),
            ("replace", str(self._other(bits))), ("add", "1"), ("add", "-1"),
        )  # fmt: skip
        # An option that is absent has nothing to be added to.
        return self.dice.one(kinds if option == field else kinds[:6])

    def _number(self, bits: int) -> int:
        """Draw a number of at most so many bits, each number of bits equally likely."""
        return self.dice.below(1 << self.dice.below(bits + 1))

    def _other(self, bits: int) -> int:
        fitting = [value for value in self.alphabet.values if value < 1 << bits]
        return self.dice.one(fitting) if fitting else 0

    def _text(self, option: str) -> str:
        if option in TCP_OPTIONS:
            return bytes(self.dice.below(256) for _ in range(self.dice.one((0, 1, 8)))).hex()
        return "".join(chr(ord("a") + self.dice.below(26)) for _ in range(self.dice.one((0, 1, 10))))

    def _fragment(self) -> Fragment:
        overlap = self.dice.one((0, 0, 1, self._number(6)))
        at = self.dice.one((0, 1, -1, self._number(_OFFSET_BITS)))
        return Fragment(self.dice.one(("tcp", "ip")), at, self.dice.below(2) == 0, overlap)

    def _position(self) -> Position:
        name = self.dice.one(("", *MARKS))
        return Position(name, self.dice.one((-1, 0, 1)) if name else self.dice.one((1, -1, self._number(_OFFSET_BITS))))

    def _positions(self) -> tuple[Position, ...]:
        return tuple(self._position() for _ in range(1 + self.dice.below(2)))

    def _payload(self) -> Payload:
        return self.dice.one((Payload("zeros"), Payload("http"), Payload("tls"), Payload("dns")))

    def _fake(self) -> Fake:
        fooling = self.dice.one((
            (), (Fooling("md5"),), (Fooling("badsum"),), (Fooling("ttl", max(self._number(8), 1)),), (Fooling("badack"),), (Fooling("noack"),),
        ))  # fmt: skip
        return Fake(self._payload(), fooling, self.dice.below(2) == 0)


def with_children(action: Action, children: Iterable[Action | None]) -> Action:
    """Return an action with other children, in the form in which the parser gives it."""
    kept = tuple(children)
    return _replace(action, children=kept if any(kept) else ())


def places_in(action: Action | None, place: Place = ()) -> Iterator[tuple[Place, Action | None]]:
    """Yield every place below an action, and its own, with what stands there."""
    yield place, action
    if action is not None:
        for at, child in enumerate(action.children or (None,) * action.places):
            yield from places_in(child, (*place, at))


def with_action(root: Action, place: Place, new: Action | None) -> Action | None:
    """Return an action with another one at a place below it, or at its own."""
    if not place:
        return new
    children = list(root.children or (None,) * root.places)
    child = children[place[0]]
    children[place[0]] = new if len(place) == 1 or child is None else with_action(child, place[1:], new)
    return with_children(root, children)


def depth_of(action: Action | None) -> int:
    """Return how many actions stand below one another."""
    return 0 if action is None else 1 + max(map(depth_of, action.children), default=0)


def size_of(strategy: Strategy) -> int:
    """Return how long a strategy is: its trees, actions and gases."""
    trees = (*strategy.outbound, *strategy.inbound)
    actions = sum(1 for tree in trees for _, action in places_in(tree.action) if action is not None)
    return len(trees) + actions + sum(tree.trigger.gas is not None for tree in trees)


def simpler(strategy: Strategy) -> Iterator[Strategy]:
    """Yield the strategies that lack one thing of this one: a tree, a gas, an action, an overlap."""
    trees = (*strategy.outbound, *strategy.inbound)
    for at, tree in enumerate(trees):
        if len(trees) > 1:
            yield _with_tree(strategy, at, None)
        if tree.trigger.gas is not None:
            yield _with_tree(strategy, at, Tree(_replace(tree.trigger, gas=None), tree.action))
        if tree.action is None:
            continue
        for place, here in places_in(tree.action):
            if here is None:
                continue
            for new in dict.fromkeys((None, *here.children)):
                changed = with_action(tree.action, place, new)
                if changed is not None:
                    yield _with_tree(strategy, at, Tree(tree.trigger, changed))
            if isinstance(here, Fragment) and here.overlap:
                plain = with_action(tree.action, place, _replace(here, overlap=0))
                yield _with_tree(strategy, at, Tree(tree.trigger, plain))


def _with_tree(strategy: Strategy, at: int, tree: Tree | None) -> Strategy:
    """Return a strategy with another tree, or none, in place of one, counted from the first outbound one on."""
    out = len(strategy.outbound)
    new = () if tree is None else (tree,)
    if at < out:
        return _replace(strategy, outbound=(*strategy.outbound[:at], *new, *strategy.outbound[at + 1 :]))
    at -= out
    return _replace(strategy, inbound=(*strategy.inbound[:at], *new, *strategy.inbound[at + 1 :]))
