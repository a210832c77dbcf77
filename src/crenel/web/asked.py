"""The fields of the page's form in, what was asked for out, each as it was typed; and the address at which the same is asked again."""

from collections.abc import Mapping
from typing import Literal
from urllib.parse import urlencode

import msgspec

Kind = Literal["target", "hex", "capture"]
LONGEST_LINK = 4000
"""Characters of an address that every browser and server takes."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What was typed, chosen and dropped, all of it text so that the page can show it again."""

    kind: Kind = "target"
    target: str = ""
    hex: str = ""
    transport: str = "tcp"
    port: str = "443"
    held: str = ""
    """The token of a capture that was brought before."""
    flow: str = ""
    """The flow of it that is told of."""
    listed: str = ""
    wall: str = ""
    date: str = ""
    seed: str = "0"
    beside: str = ""
    """Is a second wall or date set beside the first?"""
    wall2: str = ""
    date2: str = ""
    go: str = ""
    """A date that takes the place of the first one."""

    @property
    def empty(self) -> bool:
        """Was nothing brought yet?"""
        return not {"target": self.target, "hex": self.hex, "capture": self.held}[self.kind].strip()


_KINDS = ("target", "hex", "capture")


def read_asked(fields: Mapping[str, str]) -> Asked:
    """Return what the fields of a form or an address say; what is not given keeps its default, what is not known is left out."""
    given = {name: fields[name] for name in Asked.__struct_fields__ if fields.get(name)}
    kind = given.pop("kind", "target")
    asked = msgspec.convert({**given, "kind": kind if kind in _KINDS else "target"}, Asked)
    return msgspec.structs.replace(asked, date=asked.go, go="") if asked.go else asked


_UNUSED: dict[Kind, tuple[str, ...]] = {
    "target": ("hex", "transport", "port", "held", "flow"),
    "hex": ("target", "held", "flow"),
    "capture": ("target", "hex", "transport", "port"),
}
"""Fields that say nothing about each kind."""


def link(asked: Asked, **changes: str) -> str:
    """Return the address at which this is asked, with changes; the empty string where what was typed is too long for one."""
    changed = msgspec.structs.replace(asked, **changes)
    default = Asked()
    left_out = {*_UNUSED[changed.kind], *(() if changed.beside else ("wall2", "date2"))}
    fields = [
        (name, value)
        for name in Asked.__struct_fields__
        if (value := getattr(changed, name)) != getattr(default, name) and name not in left_out
    ]
    text = f"/?{urlencode(fields)}" if fields else "/"
    return text if len(text) <= LONGEST_LINK else ""
