"""Markup: whatever is put into an element or an attribute is text, unless it was made as markup."""

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from crenel.web.elements import Markup, element, foreign, fragment


class Reader(HTMLParser):
    """Notes what a browser would read."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_text_is_escaped_and_markup_is_not() -> None:
    assert element("p", "<b>", Markup("<i></i>"), 3, None, ["a", ("&",)]) == "<p>&lt;b&gt;<i></i>3a&amp;</p>"


def test_attributes() -> None:
    made = element("input", class_="x", aria_label='"', checked=True, disabled=False, value=None, name="n")
    assert made == '<input class="x" aria-label="&quot;" checked name="n">'


@given(st.text(), st.text())
def test_no_text_makes_an_element_or_an_attribute(content: str, value: str) -> None:
    read = Reader(element("p", content, title=value))
    assert [(tag, sorted(attributes)) for tag, attributes in read.tags] == [("p", ["title"])]
    plain = "".join(char for char in content if char.isascii() and char.isprintable())
    assert "".join(char for char in read.text if char.isascii() and char.isprintable()).count("<") == plain.count("<")


def test_what_turns_the_reading_direction_is_shown_as_its_number() -> None:
    assert foreign("a\u202eb") == "<bdi>a\\u{202e}b</bdi>"
    assert len(foreign("x" * 70_000)) < 500


def test_a_fragment_is_its_children() -> None:
    assert fragment(element("a"), "<", None) == "<a></a>&lt;"
