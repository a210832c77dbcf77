"""Values that boxes read in, what people are shown out."""

import pytest

from crenel.net.trace import evidence_of, show_value
from crenel.wall.effects import Because


@pytest.mark.parametrize(
    ("value", "shown"),
    [(b"blocked.example", "blocked.example"), ("例".encode(), "例"), (b"\xff\xce", "ffce"), (b"a\x00b", "610062"), (b"a\nb", "610a62"), (b"", "")],
)
def test_a_value_is_shown_as_text_where_it_is_text(value: bytes, shown: str) -> None:
    assert show_value(value) == shown


def test_evidence_says_all_that_its_because_does() -> None:
    because = Because("box", "2020-01-01", "tls.sni", 7, 3, b"abc", "rule", 0.5, ("source",), ("assumed",), residual=None, last_seen="2021-01-01")
    evidence = evidence_of(because, 12)
    assert (evidence.read, evidence.offset, evidence.length, evidence.value, evidence.rule) == ("tls.sni", 7, 3, "abc", "rule")
    assert (evidence.middlebox, evidence.epoch, evidence.sources, evidence.assumed) == ("box", "2020-01-01", ("source",), ("assumed",))
    assert (evidence.packet, evidence.chance, evidence.last_observed, evidence.residual) == (12, 0.5, "2021-01-01", None)
