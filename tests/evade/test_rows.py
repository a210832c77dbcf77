"""Every row of a state model is needed: without it some published rate or some follow-up experiment comes out otherwise."""

from pathlib import Path

import pytest

from tests.evade.rows import Without, cells_of, each_row, failures, loading, profile_text, wall_file

ROWS = list(each_row(profile_text()))


def test_rows_are_found_and_with_all_of_them_nothing_fails() -> None:
    assert len(ROWS) > 100
    assert all(one.row.startswith("in = ") and "do = " in one.row for one in ROWS)
    assert not failures(loading("gfw"), cells_of(loading("gfw")))


def test_the_rows_of_one_model_are_needed(tmp_path: Path) -> None:
    some = [one for one in ROWS if one.model == "gfw-tls-2023"]
    assert some
    assert all(failures(loading(wall_file(tmp_path, one.text)), []) for one in some)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("model", list(dict.fromkeys(one.model for one in ROWS)))
def test_every_row_is_needed(model: str, tmp_path: Path) -> None:
    before = cells_of(loading("gfw"))
    idle: list[Without] = []
    for one in (row for row in ROWS if row.model == model):
        found = failures(loading(wall_file(tmp_path, one.text)), before)
        print(f"{one.model} {one.number}: {one.row}\n    {found[0] if found else 'nothing fails'}")
        if not found:
            idle.append(one)
    assert not [f"{one.model} {one.number}: {one.row}" for one in idle]
