"""Flows that a wall reset, silenced or let through in, what the model forecasts for each out, with the boxes that the forged packets betray."""

from crenel.net.trace import FlowReport
from tests.conformance.judging import end, flows_between, rows_of

AS_OF = "2025-03-24"
HIT = {"rst", "rst-after-data", "syn-timeout"}
BOXES = {
    ("R;RA", 4): {"tls-sni-single", "tls-sni-triple"},
    ("RA", 3): {"tls-sni-triple"},
    ("RA", 1): {"tls-sni-drop"},
}
"""Kinds and number of the forged resets, and whose they are: a single RST, three RST+ACK, one RST+ACK and then silence."""
LIKELY = 0.5


def flows() -> list[tuple[dict[str, str], FlowReport]]:
    """Return what happened to each connection beside its report."""
    pairs = []
    for row in rows_of("labels/ech_censorship_flows.csv"):
        if "china" in row["data_path"]:
            ends = frozenset((end(row["client"], row["cport"]), end(row["server"], row["sport"])))
            (flow,) = flows_between(row["data_path"], "tcp", AS_OF)[ends]
            pairs.append((row, flow))
    return pairs


def test_what_was_hit_is_forecast_and_what_was_answered_is_not() -> None:
    wrong = [
        f"{row['client']}:{row['cport']} {row['first_sni']} {row['outcome']}: chance {flow.chance}, residual {flow.residual}"
        for row, flow in flows()
        if (flow.chance > LIKELY or flow.residual) != (row["outcome"] in HIT)
    ]
    outcomes = [row["outcome"] for row, _ in flows()]
    assert (sum(outcome in HIT for outcome in outcomes), outcomes.count("response")) == (7, 15)
    assert not wrong


def test_the_silent_flows_were_hit_by_what_the_box_remembered() -> None:
    silent = [flow for row, flow in flows() if row["outcome"] == "syn-timeout"]
    (cause,) = [flow for row, flow in flows() if row["outcome"] == "rst-after-data"]
    assert len(silent) == 2
    for flow in silent:
        assert (flow.residual, flow.verdict, flow.middlebox, flow.action) == (True, "blocked", "tls-sni-drop", "drop")
        assert (flow.chance, flow.triggers) == (0.0, ())
        assert (flow.client, flow.server) == (cause.client, cause.server)


def test_the_boxes_named_are_those_that_the_forged_packets_betray() -> None:
    resets = [(row, flow) for row, flow in flows() if row["outcome"] in {"rst", "rst-after-data"}]
    assert len(resets) == 5
    for row, flow in resets:
        expected = BOXES[row["rst_kinds"], int(row["server_rst"])]
        assert {trigger.middlebox for trigger in flow.triggers} == expected, (row["first_sni"], flow.triggers)
        assert {trigger.action for trigger in flow.triggers} == {"reset"}
        assert flow.middlebox in expected
