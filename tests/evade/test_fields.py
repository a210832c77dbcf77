"""Names of fields and of flags."""

import pytest

from crenel.evade.fields import BITS, FIELDS, FLAG_LETTERS, flags_of, ip_flags_of, number_of


@pytest.mark.parametrize(
    ("text", "bits"), [("S", 2), ("PA", 0x18), ("AP", 0x18), ("FSRPAUECN", 0x1FF), ("", 0), ("24", 24), ("x", None), ("s", None)]
)
def test_flags_are_letters_in_any_order_or_a_number(text: str, bits: int | None) -> None:
    assert flags_of(text) == bits


@pytest.mark.parametrize(("text", "bits"), [("DF", 2), ("MF+DF", 3), ("DF+MF", 3), ("", 0), ("evil", 4), ("2", 2), ("df", None), ("DF+", None)])
def test_ip_flags_are_names_joined_with_a_plus_or_a_number(text: str, bits: int | None) -> None:
    assert ip_flags_of(text) == bits


@pytest.mark.parametrize(("text", "number"), [("7", 7), ("1_000", 1000), ("+5", 5), ("-1", -1), ("0x10", None), ("", None), ("1.5", None)])
def test_numbers_are_read_as_python_reads_them(text: str, number: int | None) -> None:
    assert number_of(text) == number


def test_each_number_is_a_field_and_each_flag_a_bit() -> None:
    assert all(set(BITS[proto]) <= FIELDS[proto] for proto in FIELDS)
    assert 1 << BITS["TCP"]["flags"] == 1 << len(FLAG_LETTERS)
    assert len(FIELDS["TCP"]) == 22
    assert len(FIELDS["IP"]) == 13
    assert len(FIELDS["DNS"]) == 16
