"""Every capture of the test data in, as many packets as another program counted out: nothing fails, and nothing is refused."""

from crenel.errors import CrenelError
from tests.conformance.judging import judge, rows_of


def test_every_capture_is_read_and_judged_whole() -> None:
    rows = rows_of("labels/pcap_inventory.csv")
    wrong = []
    flows = 0
    for row in rows:
        try:
            checked = judge(row["data_path"])
        except CrenelError as error:
            wrong.append(f"refused: {error}")
            continue
        flows += len(checked)
        if checked.summary.packets != int(row["packets"]):
            wrong.append(f"{row['data_path']}: {checked.summary.packets} packets, not {row['packets']}")
        if [flow.flow for flow in checked] != list(range(1, checked.summary.flows + 1)):
            wrong.append(f"{row['data_path']}: {len(checked)} reports for {checked.summary.flows} flows")
        if any(flow.at_risk != (flow.chance > 0) or not 0 <= flow.chance <= 1 for flow in checked):
            wrong.append(f"{row['data_path']}: a chance that is none")
    print(f"{len(rows)} captures with {flows} flows")
    assert len(rows) == 1645
    assert not wrong
