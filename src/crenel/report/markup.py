"""Text from anywhere in, text that is safe inside HTML and SVG out, and elements made of it."""

import html
import re

from crenel.report.layout import GLUE
from crenel.report.text import safe

_LONGEST = 2000
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]")


def shown(text: str, limit: int = _LONGEST) -> str:
    """Return text from a capture or a user for use in an element or attribute: nothing invisible, of bounded length, escaped."""
    return escaped(safe(text.replace(GLUE, " "), limit))


def escaped(text: str) -> str:
    """Return text that is made safe for people already for use in an element or attribute; the last guard, whatever went before."""
    return html.escape(_CONTROLS.sub(lambda found: f"\\u{{{ord(found[0]):x}}}", text))


def tag(name: str, content: str, **attributes: str) -> str:
    """Return an element; the content is markup already, the values of attributes are not. `class_` gives `class`, `data_n` `data-n`."""
    given = "".join(f' {key.rstrip("_").replace("_", "-")}="{escaped(value)}"' for key, value in attributes.items() if value)
    return f"<{name}{given}>{content}</{name}>"
