"""What Crenel itself calls things, apart from any wall: the rule by which bytes are called encrypted."""

import functools
from importlib import resources

import msgspec

from crenel.atlas.load import read_toml
from crenel.wall.readers.encrypted import RandomLooking


class Description(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file `describe.toml`."""

    encrypted: RandomLooking
    sources: tuple[str, ...]
    assumed: str


@functools.cache
def encrypted_rule() -> RandomLooking:
    """Return the rule by which a first payload that is no protocol we read is called encrypted."""
    text = (resources.files("crenel.atlas") / "describe.toml").read_bytes()
    return read_toml(text, Description, "describe.toml").encrypted
