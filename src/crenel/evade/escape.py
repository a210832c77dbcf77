"""Bytes in, text in which a few letters stand for themselves and %xx for every other byte out, and back (RFC 3986 section 2.1)."""

import re

_ESCAPED = re.compile(rb"%([0-9A-Fa-f]{2})")
_OTHER = re.compile(rb"[^A-Za-z0-9_.~/-]")


def unquote(text: str) -> bytes:
    """Return the bytes that a text stands for; a percent sign without two hex digits behind it stands for itself."""
    return _ESCAPED.sub(lambda found: bytes.fromhex(found[1].decode()), text.encode("utf-8", "surrogatepass"))


def quote(load: bytes) -> str:
    """Return the text that stands for bytes, a slash as it is; what is no UTF-8 is left out, as Geneva leaves it out."""
    valid = load.decode("utf-8", "ignore").encode()
    return _OTHER.sub(lambda found: b"%%%02X" % found[0][0], valid).decode()
