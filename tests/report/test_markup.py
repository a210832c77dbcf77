"""Hostile text is shown as text: nothing of it is markup, invisible, or without end."""

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from crenel.report.markup import escaped, shown, tag


class Strict(HTMLParser):
    """Gathers elements, attributes and text."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@given(st.text(st.characters(exclude_categories=()), max_size=200))
def test_text_stays_text(text: str) -> None:
    parser = Strict()
    parser.feed(tag("p", shown(text), title=text, data_n="1"))
    parser.close()
    [(name, attributes)] = parser.elements
    assert name == "p"
    assert set(attributes) <= {"data-n", "title"}
    assert not any((ord(char) < 32 and char not in "\t\n") or 0x202A <= ord(char) <= 0x202E or 0x2066 <= ord(char) <= 0x2069 for char in parser.text)
    shown(text).encode("utf-8")


def test_what_turns_text_is_shown_as_its_number() -> None:
    assert shown("\u202egpj.exe") == "\\u{202e}gpj.exe"
    assert escaped("a\x00\u2066<b>") == "a\\u{0}\\u{2066}&lt;b&gt;"


def test_long_text_is_capped() -> None:
    assert len(shown("a" * 100_000)) <= 2000
