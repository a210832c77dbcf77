"""Names, attributes and text in, markup out in which all text is escaped by construction."""

from collections.abc import Iterable
from typing import TypeAlias

from crenel.report.markup import escaped
from crenel.report.text import safe

_VOID = frozenset({"br", "hr", "input", "link", "meta"})
LONGEST = 400
"""Characters of hostile text that are shown in one place."""


class Markup(str):
    """Text that is markup already; every other text is escaped when it becomes part of an element."""

    __slots__ = ()


Child: TypeAlias = "str | int | Iterable[Child] | None"
Value: TypeAlias = str | int | bool | None


def fragment(*children: Child) -> Markup:
    """Return children one after the other."""
    return Markup("".join(_pieces(children)))


def element(name: str, /, *children: Child, **attributes: Value) -> Markup:
    """Return an element.

    Args:
        name: of the element.
        children: markup, text that is escaped here, numbers, or sequences of these; None is nothing.
        attributes: `class_` gives `class`, `aria_label` `aria-label`; True gives a bare attribute, None and False none.
    """
    given = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in _VOID:
        return Markup(f"<{name}{given}>")
    return Markup(f"<{name}{given}>{''.join(_pieces(children))}</{name}>")


def foreign(text: str, limit: int = LONGEST) -> Markup:
    """Return text that a capture or a user brought, with what is invisible in it as numbers, set apart from the direction of its surroundings."""
    return element("bdi", safe(text, limit))


def _pieces(children: Iterable[Child]) -> Iterable[str]:
    for child in children:
        match child:
            case None:
                pass
            case Markup():
                yield child
            case str():
                yield escaped(child)
            case int():
                yield str(child)
            case _:
                yield from _pieces(child)


def _attribute(key: str, value: Value) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escaped(str(value))}"'
