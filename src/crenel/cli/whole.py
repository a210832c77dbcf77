"""Pieces of a file in, the file out: whole, or not at all, whatever happens meanwhile."""

import contextlib
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from crenel.errors import UsageError
from crenel.report.text import safe_path


def write_whole(option: str, path: str, pieces: Iterable[bytes]) -> None:
    """Write a file beside its place, and put it there once it is whole.

    Args:
        option: which option asked for it, for the sentence that says what is wrong.
        path: where it goes; a regular file there is replaced.
        pieces: what it holds.

    Raises:
        UsageError: it cannot be written there.
    """
    place = Path(path)
    try:
        place = place.resolve()
        if place.exists() and not place.is_file():
            message = f"{option} {safe_path(path)}: not a regular file"
            raise UsageError(message)
        handle, name = tempfile.mkstemp(prefix=f".{place.name[:100]}-", dir=place.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.writelines(pieces)
            umask = os.umask(0)
            os.umask(umask)
            Path(name).chmod(0o666 & ~umask)
            Path(name).replace(place)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise
    except (OSError, ValueError) as error:
        message = f"{option} {safe_path(path)}: {getattr(error, 'strerror', None) or error}"
        raise UsageError(message) from error
