"""The fields that transports hand over stand in the order in which packets are built from them."""

from crenel.wire.segment import no_transport


def test_a_payload_alone() -> None:
    assert no_transport(b"x", headless=True) == (0, 0, 0, 0, 0, 0, b"x", 0, b"", None, 0, None, None, 0, 0, 0, True)
