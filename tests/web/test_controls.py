"""The form: everything in it is as it was typed, has a label, and works without a script."""

import datetime as dt

from crenel.web.asked import Asked
from crenel.web.controls import capture_panel, form, months
from crenel.web.elements import fragment
from crenel.web.shelf import Held
from tests.web.made import GALLERY, TODAY
from tests.web.test_elements import Reader

HOSTILE = '"><script>alert(1)</script>'


def fields(asked: Asked, held: Held | None = None) -> list[tuple[str, dict[str, str | None]]]:
    return Reader(form(asked, GALLERY, held, (TODAY,), fragment())).tags


def test_what_was_typed_is_there_again() -> None:
    asked = Asked(
        kind="hex", target=HOSTILE, hex="00 ", port=HOSTILE, seed=HOSTILE, date=HOSTILE, date2="x", transport="udp", listed="yes", beside="yes",
    )  # fmt: skip
    tags = fields(asked)
    assert "script" not in {tag for tag, _ in tags}
    by_name = {attributes["name"]: attributes for tag, attributes in tags if tag in {"input", "textarea", "select"} and "name" in attributes}
    assert {by_name[name]["value"] for name in ("target", "port", "seed", "date")} == {HOSTILE}
    assert "checked" in by_name["listed"]
    assert "checked" in by_name["beside"]
    assert "udp" in [attributes["value"] for tag, attributes in tags if tag == "option" and "selected" in attributes]
    assert [attributes["value"] for tag, attributes in tags if attributes.get("type") == "radio" and "checked" in attributes] == ["hex"]


def test_the_first_button_is_the_one_that_the_enter_key_presses() -> None:
    buttons = [attributes for tag, attributes in fields(Asked()) if tag == "button"]
    assert all(button["type"] == "submit" for button in buttons)
    assert [button.get("name") for button in buttons][-1] is None


def test_a_held_capture_is_named_as_text() -> None:
    read = Reader(capture_panel(Asked(kind="capture", flow="2"), Held("0" * 32, "<b>.pcap", "/nowhere", 12)))
    assert "Looking at <b>.pcap (12 bytes)" in read.text
    assert {attributes.get("value") for tag, attributes in read.tags if attributes.get("type") == "hidden"} == {"0" * 32, "2"}


def test_months() -> None:
    assert months(dt.date(2002, 1, 1), dt.date(2003, 3, 9)) == 14
