"""Files of the atlas in, checked profiles out: walls, vantages, sources; each mistake is one sentence with file and place."""

import functools
import tomllib
from importlib import resources
from pathlib import Path
from typing import TypeVar

import msgspec

from crenel.atlas.moment import take_moment
from crenel.atlas.schema import Profile, Source
from crenel.atlas.vantage import Vantage
from crenel.errors import ProfileError

DEFAULT_WALL = "gfw"
"""The wall that is judged by where none is named."""

T = TypeVar("T")


def read_toml(text: bytes, kind: type[T], place: str) -> T:
    """Return the contents of a TOML file as a checked struct.

    Raises:
        ProfileError: the text is not UTF-8, not TOML, or breaks the schema; the message names `place` and the path in it.
    """
    try:
        return msgspec.convert(tomllib.loads(text.decode()), kind, dec_hook=take_moment)
    except UnicodeDecodeError as error:
        message = f"{place}: not UTF-8 at byte {error.start}"
        raise ProfileError(message) from error
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        message = f"{place}: {error}"
        raise ProfileError(message) from error


def shipped(folder: str) -> dict[str, bytes]:
    """Return the TOML files of a folder of the atlas, by name without ending."""
    found = resources.files("crenel.atlas") / folder
    files = sorted(found.iterdir(), key=lambda item: item.name)
    return {item.name.removesuffix(".toml"): item.read_bytes() for item in files if item.name.endswith(".toml")}


def read_named(folder: str, name: str, what: str) -> tuple[bytes, str]:
    """Return the bytes of a shipped file by its name, or of any file by its path, and how to call it in a message.

    Raises:
        ProfileError: there is neither.
    """
    if name.endswith(".toml") or "/" in name:
        path = Path(name)
        try:
            return path.read_bytes(), name
        except OSError as error:
            message = f"{name}: {error.strerror or error}"
            raise ProfileError(message) from error
    known = shipped(folder)
    if name not in known:
        message = f"no {what} is called {name!r}; there is {', '.join(known)}"
        raise ProfileError(message)
    return known[name], f"{name}.toml"


@functools.cache
def sources() -> dict[str, Source]:
    """Return the sources of the atlas by id."""

    class File(msgspec.Struct, forbid_unknown_fields=True):
        source: dict[str, Source]

    text = (resources.files("crenel.atlas") / "sources.toml").read_bytes()
    return read_toml(text, File, "sources.toml").source


def walls() -> list[str]:
    """Return the names of the shipped walls."""
    return list(shipped("walls"))


@functools.lru_cache(maxsize=16)
def _profile(text: bytes, place: str) -> Profile:
    from crenel.atlas.check import check_profile  # noqa: PLC0415  checking needs the schema only when a file was read

    profile = read_toml(text, Profile, place)
    check_profile(profile, place)
    return profile


def load_profile(name: str = DEFAULT_WALL) -> tuple[Profile, str, bytes]:
    """Return a checked wall file by name or path, how to call it, and its bytes.

    Raises:
        ProfileError: no such wall, or the file is wrong.
    """
    text, place = read_named("walls", name, "wall")
    return _profile(text, place), place, text


def load_vantage(name: str) -> Vantage:
    """Return a vantage by name or path.

    Raises:
        ProfileError: no such vantage, or the file is wrong.
    """
    return _vantage(*read_named("vantages", name, "vantage"))


@functools.lru_cache(maxsize=16)
def _vantage(text: bytes, place: str) -> Vantage:
    return read_toml(text, Vantage, place)
