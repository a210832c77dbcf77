"""A list that the user brings: a text file in, its compiled form out; a mistake is one sentence with file and line."""

from pathlib import Path

from crenel.errors import ProfileError
from crenel.wall.match import AddressList, NameList, parse_addresses, parse_names, parse_pool


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        message = f"{path}: {error.strerror or error}"
        raise ProfileError(message) from error


def read_names(path: str) -> NameList:
    """Return the names or keywords of a file.

    Raises:
        ProfileError: no such file, not UTF-8, or a line that cannot be used.
    """
    return NameList(parse_names(_read(path), path))


def read_addresses(path: str) -> AddressList:
    """Return the addresses and networks of a file.

    Raises:
        ProfileError: no such file, not UTF-8, or a line that cannot be used.
    """
    return parse_addresses(_read(path), path)


def read_pool(path: str) -> tuple[bytes, ...]:
    """Return the addresses of a file in their order.

    Raises:
        ProfileError: no such file, not UTF-8, no address, or a line that is none.
    """
    addresses = parse_pool(_read(path), path).addresses
    if not addresses:
        message = f"{path}: has no addresses"
        raise ProfileError(message)
    return addresses
