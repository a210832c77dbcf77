"""Text for bytes, as URLs write it."""

import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.evade.escape import quote, unquote


@given(st.binary(max_size=40))
def test_quoting_is_that_of_urls(load: bytes) -> None:
    assert quote(load) == urllib.parse.quote(load.decode("utf-8", "ignore"))


@given(st.text(max_size=20))
def test_what_is_quoted_comes_back(text: str) -> None:
    assert unquote(quote(text.encode("utf-8", "ignore"))) == text.encode("utf-8", "ignore")


@given(st.text(st.characters(codec="utf-8"), max_size=20))
def test_unquoting_is_that_of_urls(text: str) -> None:
    assert unquote(text) == urllib.parse.unquote_to_bytes(text)


@pytest.mark.parametrize(("text", "load"), [("%", b"%"), ("%4", b"%4"), ("%zz", b"%zz"), ("a%20b%00", b"a b\0"), ("%ff", b"\xff")])
def test_half_an_escape_stands_for_itself(text: str, load: bytes) -> None:
    assert unquote(text) == load
