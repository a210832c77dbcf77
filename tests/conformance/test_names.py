"""Host names that another program read in real captures in, the names that check reads in the same flows out; every difference is listed."""

import re

from crenel.net.trace import FlowReport
from tests.conformance.judging import End, end, flows_between, judge, rows_of

LONGEST = 79
"""Characters of a name that the labels keep: the first, or for some DNS names the last."""


def labelled(*, fuzzed: bool) -> list[dict[str, str]]:
    return [
        row
        for row in rows_of("labels/ndpi_flow_labels.csv")
        if row["hostname"]
        and row["proto"].startswith(("TLS", "HTTP", "DNS", "QUIC"))
        and row["quic_version"] in {"", "V-1", "V-2"}
        and row["capture"].startswith("fuzz-") == fuzzed
    ]


def end_of(text: str) -> End | int:
    """Return one end of a labelled flow; only its port where the address is written wrongly."""
    address, _, port = text.rpartition(":")
    try:
        return end(address.strip("[]"), port)
    except ValueError:
        return int(port)


def flows_of(row: dict[str, str]) -> list[FlowReport]:
    """Return the flows that a label speaks of."""
    transport = row["l4"].lower()
    a, b = end_of(row["a"]), end_of(row["b"])
    if not isinstance(a, int) and not isinstance(b, int):
        return flows_between(row["data_path"], transport).get(frozenset((a, b)), [])
    ports = sorted(one if isinstance(one, int) else one[1] for one in (a, b))
    return [flow for flow in judge(row["data_path"]) if flow.transport == transport and sorted((flow.client_port, flow.server_port)) == ports]


def as_labelled(name: str) -> set[str]:
    """Return a name as the labels write it: in lower case, without a port, other characters replaced, and cut."""
    text = re.sub(r"[^a-z0-9.\-_]", "_", re.sub(r":\d+$", "", name.lower()))
    return {text[:LONGEST], text[-LONGEST:]}


def differences(rows: list[dict[str, str]]) -> list[str]:
    """Return for each label that is not among the names of its flow both of them."""
    found = []
    for row in rows:
        names = [name for flow in flows_of(row) for name in flow.names]
        label = re.sub(r"[^a-z0-9.\-_]", "_", re.sub(r":\d+$", "", row["hostname"].lower()))
        if label not in set().union(*map(as_labelled, names)):
            found.append(f"{row['capture']} {row['l4']} {row['a']} {row['b']} {row['proto']}: {row['hostname']!r} is not among {names[:5]}")
    return found


def test_names_of_real_flows() -> None:
    rows = labelled(fuzzed=False)
    missing = differences(rows)
    print(f"{len(rows) - len(missing)} of {len(rows)} names", *missing, sep="\n")
    assert len(rows) == 631
    assert len(missing) <= 4


def test_names_of_flows_with_damaged_bytes() -> None:
    """There the programs may disagree; what counts is that nothing fails."""
    rows = labelled(fuzzed=True)
    missing = differences(rows)
    print(f"{len(rows) - len(missing)} of {len(rows)} names in captures with damaged bytes", *missing, sep="\n")
    assert len(rows) == 131
    assert len(missing) < len(rows) // 2
