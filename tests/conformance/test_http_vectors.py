"""Ambiguous HTTP requests and how many resets each met in, for which the model expects any out; a plain search for names beside it."""

from crenel.net.sim.tries import chance
from crenel.wall.match import NameList
from tests.conformance.judging import rows_of, wall_of

AS_OF = "2024-04-01"
BOX = "http-host"


def test_requests_that_were_reset() -> None:
    rows = rows_of("verdicts/http_smuggling24/china_shared.csv")
    wall = wall_of(AS_OF)
    names = next(box.names for box in wall.boxes if box.id == BOX)
    assert isinstance(names, NameList)
    keys = [entry.key() for entry in names.entries]
    right = plain = hidden = seen_through = 0
    wrong = []
    for row in rows:
        request, reset = bytes.fromhex(row["request_hex"]), int(row["rst"]) > 0
        expected = chance(request, wall, port=80) > 0
        present = any(key in request.lower() for key in keys)
        right += expected == reset
        plain += present == reset
        if present and not reset:
            hidden += 1
            seen_through += not expected
        if expected != reset:
            wrong.append(f"{row['tv_id']} {row['smuggle_host']} reset {row['rst']} times, expected: {expected}")
    print(f"{right} of {len(rows)} requests, a search for names {plain}; of {hidden} with a name and no reset {seen_through}, a search 0")
    print(*wrong, sep="\n")
    assert (len(rows), hidden) == (4124, 16)
    assert right >= 4118
    assert seen_through >= 12
