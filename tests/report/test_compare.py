"""Dates beside each other: a row for each in one table, and ladders abreast where there is room."""

from tests.report.tried import carried, told_beside, wall_of

DAYS = ("2025-01-15", "2022-06-01", "2019-01-15")


def test_a_row_for_each_date() -> None:
    lines = told_beside([carried(wall_of(day), "https://blocked.example/") for day in DAYS])
    rows = [line for line in lines if line[:10] in DAYS]
    assert [row[:10] for row in rows] == list(DAYS)
    assert all("blocked (reset)" in row for row in rows)
    assert rows[0] == "2025-01-15  blocked (reset)  99 %    2023-12-08                tls-sni-single,"


def test_ladders_stand_abreast_only_where_two_fit() -> None:
    dates = [carried(wall_of(day), "blocked.example") for day in DAYS]
    narrow, wide = told_beside(dates, 159), told_beside(dates, 170)
    assert not [line for line in narrow if line.count("(times in ms)") > 1]
    assert [line.count("(times in ms)") for line in wide if "(times" in line] == [2, 1]
    assert max(map(len, wide)) <= 170


def test_the_exchanges_of_a_session_are_compared_one_by_one() -> None:
    dates = [carried(wall_of(day), "https://blocked.example/", "https://allowed.example/") for day in DAYS[:2]]
    lines = told_beside(dates)
    assert lines[0] == "https://blocked.example/"
    assert "then, 10 s later: https://allowed.example/" in lines
    assert len([line for line in lines if line.startswith("as of       outcome")]) == 2


def test_rates_stand_in_the_table() -> None:
    lines = told_beside([carried(wall_of(day), "dns-tcp://blocked.example", trials=20) for day in DAYS[:2]], 120)
    assert [", " in line and "of 20 blocked" in line for line in lines if line[:10] in DAYS] == [True, True]


def test_every_place_is_named_as_dates_have_their_own() -> None:
    lines = told_beside([carried(wall_of(day), "blocked.example") for day in DAYS[:2]])
    assert "as of 2025-01-15, seen from beijing" in lines
    assert "as of 2022-06-01, seen from four-cities-2020" in lines
