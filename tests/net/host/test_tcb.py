"""What a connection puts on its way: headers, options and the size of segments."""

import pytest

from crenel.instant import Instant
from crenel.net.host import HostOptions
from crenel.net.host.tcb import Tcb
from crenel.wire.packet import ACK, IP_DF, SYN

NOW = Instant(2_000_000_000)


def made(options: HostOptions | None = None, size: int = 4) -> Tcb:
    tcb = Tcb(bytes(size), 80, isn=0xFFFFFFFF, options=options or HostOptions(), listening=False)
    tcb.peer, tcb.peer_port = bytes(size), 1
    return tcb


def test_an_ack_offers_the_window_scaled_and_a_syn_unscaled() -> None:
    tcb = made()
    tcb.rcv_scale = 7
    tcb.put_syn(NOW, SYN)
    tcb.put_ack(NOW)
    syn, ack = tcb.outbox
    assert (syn.window, ack.window) == (64240, 502)
    assert (syn.seq, ack.seq) == (0xFFFFFFFF, 0)
    assert (syn.ident, ack.ident, syn.ip_flags) == (0, 1, IP_DF)
    assert ack.options[4:8] == (3000).to_bytes(4, "big"), "two seconds, and the offset of the clock"


def test_ipv6_has_no_fragment_bit() -> None:
    tcb = made(size=16)
    tcb.put(NOW, ACK, 5)
    assert (tcb.outbox[0].version, tcb.outbox[0].ip_flags) == (6, 0)


def test_the_longer_header_of_ipv6_leaves_less_for_a_segment() -> None:
    tcb = made(size=16)
    tcb.put_syn(NOW, SYN)
    assert tcb.outbox[0].options[:4] == b"\x02\x04" + (1440).to_bytes(2, "big")


@pytest.mark.parametrize(
    ("peer_mss", "largest", "size"), [(1460, 64240, 1448), (536, 64240, 524), (1460, 1000, 500), (1460, 500, 500), (1460, 10, 36), (1, 0, 36)]
)
def test_segments_fit_mss_and_window(peer_mss: int, largest: int, size: int) -> None:
    tcb = made()
    tcb.peer_mss, tcb.max_window = peer_mss, largest
    tcb.size_segments()
    assert tcb.mss == size


def test_blocks_that_touch_are_one() -> None:
    tcb = made()
    tcb.ooo = [(10, 20, b"", False), (20, 30, b"", False), (25, 28, b"", False), (40, 50, b"", False)]
    assert tcb.held() == [(10, 30), (40, 50)]
