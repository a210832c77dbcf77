"""First payloads of real flows, judged by another implementation of the published rule, in; whether the box has ground on the same ones out."""

from tests.conformance.judging import end, flows_between, rows_of

AS_OF = "2022-06-01"
BOX = "fet"
SHORTEST = 50
"""Bytes of the shortest payload with a recorded verdict."""


def reference() -> list[dict[str, str]]:
    return [row for row in rows_of("labels/fet_reference.csv") if row["trusted"] != "no" and row["set"] != "censorlab"]


def test_the_box_has_ground_on_exactly_the_flagged_flows() -> None:
    rows = reference()
    wrong = []
    for row in rows:
        ends = frozenset((end(row["src"], row["sport"]), end(row["dst"], row["dport"])))
        flows = flows_between(row["data_path"], "tcp", AS_OF).get(ends, [])
        has_ground = [any(trigger.middlebox == BOX for trigger in flow.triggers) for flow in flows]
        if has_ground != [row["verdict"] == "flagged"]:
            wrong.append(f"{row['data_path']} {row['src']}:{row['sport']} {row['dst']}:{row['dport']} is {row['verdict']}, not {has_ground}")
    print(f"{len(rows) - len(wrong)} of {len(rows)} first payloads")
    assert len(rows) == 1799
    assert not wrong


def test_short_payloads_say_that_their_length_was_never_measured() -> None:
    flagged = [row for row in reference() if row["verdict"] == "flagged"]
    assert {int(row["first_len"]) < SHORTEST for row in flagged} == {True, False}
    wrong = []
    for row in flagged:
        ends = frozenset((end(row["src"], row["sport"]), end(row["dst"], row["dport"])))
        for flow in flows_between(row["data_path"], "tcp", AS_OF)[ends]:
            for one in flow.evidence:
                said = any("length below anything measured" in sentence for sentence in one.assumed)
                if one.middlebox == BOX and one.residual is None and said != (int(row["first_len"]) < SHORTEST):
                    wrong.append(f"{row['data_path']} {row['first_len']} bytes: {one.assumed}")
    assert not wrong
