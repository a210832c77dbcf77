"""A segment of a connection in, whether it may be processed out: RST, SYN, sequence and timestamp checks (RFC 9293 section 3.10.7.4, RFC 5961)."""

from crenel.instant import Instant
from crenel.net.host.options import read_timestamp
from crenel.net.host.segment import Segment
from crenel.net.host.sequence import MASK, after, before, signed
from crenel.net.host.state import Reset, State
from crenel.net.host.tcb import Tcb
from crenel.wire.packet import ACK, FIN, RST, SYN

_FIN_SEEN = (State.CLOSE_WAIT, State.LAST_ACK, State.CLOSING)
_REPLAY_WINDOW = 1  # TCP_PAWS_WINDOW


def admit(tcb: Tcb, now: Instant, segment: Segment) -> bool:
    """Say whether a segment passes tcp_validate_incoming; where it does not, the answer has been sent."""
    flags = segment.flags
    stamp = tcb.stamp = read_timestamp(segment.options) if tcb.timestamps else None
    if stamp is not None and not flags & RST and _is_old(tcb, segment, stamp[0]):
        _refuse_old(tcb, now, segment)
        return False
    if not _in_sequence(tcb, segment):
        if flags & RST:
            if _is_late_reset(tcb, segment.seq):
                take_reset(tcb)
        elif flags & SYN:
            tcb.put_challenge(now)
        else:
            tcb.put_duplicate(now, segment)
        return False
    if flags & RST:
        _weigh_reset(tcb, now, segment.seq)
        return False
    if flags & SYN and not _completes_simultaneous_open(tcb, segment):
        tcb.put_challenge(now)  # RFC 5961 section 4.2
        return False
    return True


def _in_sequence(tcb: Tcb, segment: Segment) -> bool:
    """tcp_sequence: from the last acknowledgement sent to the end of the window; what begins inside is taken whole by an empty queue."""
    if segment.seq == tcb.rcv_nxt:
        return True
    return not before(segment.end, tcb.rcv_wup) and not after(segment.seq, tcb.window_end())


def _is_late_reset(tcb: Tcb, seq: int) -> bool:
    """tcp_reset_check: a RST at the sequence number of the FIN that was already received."""
    return seq == tcb.rcv_nxt - 1 & MASK and tcb.state in _FIN_SEEN


def _weigh_reset(tcb: Tcb, now: Instant, seq: int) -> None:
    """RFC 5961 section 3.2, and Linux beyond it: a RST counts at the next expected number, or right behind what is held out of order."""
    if seq == tcb.rcv_nxt or _is_late_reset(tcb, seq) or (tcb.sack and tcb.ooo and seq == tcb.held()[-1][1]):
        take_reset(tcb)
    else:
        tcb.put_challenge(now)


def take_reset(tcb: Tcb) -> None:
    """End the connection (tcp_reset): who has read up to the peer's FIN learns it when it writes."""
    tcb.end(Reset())


def _completes_simultaneous_open(tcb: Tcb, segment: Segment) -> bool:
    """Let the SYN/ACK that crossed ours through (tcp_validate_incoming, for SYN-RECEIVED of a socket that called connect)."""
    return (
        tcb.state is State.SYN_RECEIVED
        and not tcb.request
        and bool(segment.flags & ACK)
        and segment.seq + 1 & MASK == segment.end == tcb.rcv_nxt
        and segment.ack == tcb.snd_nxt
    )


def _is_old(tcb: Tcb, segment: Segment, value: int) -> bool:
    """PAWS (RFC 7323 section 5): the timestamp is more than one tick behind the last one taken (tcp_paws_check)."""
    return signed(tcb.ts_recent - value) > _REPLAY_WINDOW and tcb.ts_recent != 0 and not _is_disordered(tcb, segment, value)


def _is_disordered(tcb: Tcb, segment: Segment, value: int) -> bool:
    """tcp_disordered_ack: a pure duplicate ACK whose timestamp is only a little old is no sign of a wrapped sequence number."""
    bare = segment.flags & ACK and segment.seq == segment.end == tcb.rcv_nxt and segment.ack == tcb.snd_una
    if not bare or may_update_window(tcb, segment, segment.window << tcb.snd_scale):
        return False
    return signed(tcb.ts_recent - value) <= tcb.rto * 12 // 10 // 1_000_000


def _refuse_old(tcb: Tcb, now: Instant, segment: Segment) -> None:
    """Answer what PAWS refuses (RFC 7323 section 5.3): a SYN with a challenge, old pure ACKs not at all, the rest with an ACK."""
    if segment.flags & SYN:
        tcb.put_challenge(now)
    elif segment.flags & (ACK | FIN) == ACK and segment.seq == segment.end and before(segment.seq, tcb.rcv_nxt):
        return
    else:
        tcb.put_duplicate(now, segment)


def may_update_window(tcb: Tcb, segment: Segment, window: int) -> bool:
    """Say whether the segment is new enough to set the send window (RFC 9293 section 3.10.7.4, tcp_may_update_window)."""
    if after(segment.ack, tcb.snd_una) or after(segment.seq, tcb.snd_wl1):
        return True
    return segment.seq == tcb.snd_wl1 and (window > tcb.snd_wnd or window == 0)
