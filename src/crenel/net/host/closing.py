"""A segment after the end in, the answer out: TIME-WAIT, and FIN-WAIT-2 of a socket that its application closed (tcp_timewait_state_process)."""

from crenel.instant import Instant
from crenel.net.host.options import read_timestamp
from crenel.net.host.segment import Segment, is_plain_syn
from crenel.net.host.sequence import MASK, after, before, in_window, signed
from crenel.net.host.state import State
from crenel.net.host.tcb import Tcb
from crenel.wire.packet import ACK, FIN, RST, SYN


def wait_time(tcb: Tcb, now: Instant) -> None:
    """Enter TIME-WAIT (tcp_time_wait)."""
    tcb.state = State.TIME_WAIT
    tcb.timer_at = None
    tcb.dead = True
    tcb.close_at = Instant(now + tcb.host.time_wait)


def wait_for_fin(tcb: Tcb, now: Instant) -> None:
    """Keep only what answers the peer's FIN, for a socket that nobody reads any more (tcp_time_wait with FIN_WAIT2)."""
    tcb.state = State.FIN_WAIT_2
    tcb.timer_at = None
    tcb.dead = True
    tcb.close_at = Instant(now + tcb.host.fin_wait)


def receive_waiting(tcb: Tcb, now: Instant, segment: Segment) -> bool:
    """Answer a segment in one of these states; True where it is a SYN that may open the next connection (TCP_TW_SYN)."""
    stamp = read_timestamp(segment.options) if tcb.timestamps else None
    # tcp_paws_reject: a RST is believed although its timestamp is old only after a minute, which is longer than the state lasts.
    old = stamp is not None and bool(tcb.ts_recent) and signed(stamp[0] - tcb.ts_recent) < 0
    if tcb.state is State.FIN_WAIT_2:
        _receive_half_closed(tcb, now, segment, old=old)
        return False
    return _receive_time_wait(tcb, now, segment, old=old)


def _receive_half_closed(tcb: Tcb, now: Instant, segment: Segment, *, old: bool) -> None:
    flags, seq, end = segment.flags, segment.seq, segment.end
    if old or not in_window(seq, end, tcb.rcv_nxt, tcb.window_end()):
        tcb.put_duplicate(now, segment)
    elif flags & RST:
        tcb.end()
    elif flags & SYN and not before(seq, tcb.rcv_nxt):
        _refuse(tcb, segment)
    elif not flags & ACK or seq == end or not after(end, tcb.rcv_nxt):
        return
    elif not flags & FIN or end != tcb.rcv_nxt + 1 & MASK:
        _refuse(tcb, segment)  # data that nobody will read
    else:
        tcb.rcv_nxt = end
        tcb.put_ack(now)
        wait_time(tcb, now)


def _refuse(tcb: Tcb, segment: Segment) -> None:
    tcb.put_reset(segment)
    tcb.end()


def _receive_time_wait(tcb: Tcb, now: Instant, segment: Segment, *, old: bool) -> bool:
    flags, seq, end = segment.flags, segment.seq, segment.end
    if not old and seq == tcb.rcv_nxt and (seq == end or flags & RST):
        if flags & RST:
            tcb.end()  # the assassination of RFC 1337, which Linux allows by default
        else:
            tcb.close_at = Instant(now + tcb.host.time_wait)
        return False
    if is_plain_syn(segment) and not old:
        stamp = read_timestamp(segment.options) if tcb.timestamps else None
        if after(seq, tcb.rcv_nxt) or (stamp is not None and signed(tcb.ts_recent - stamp[0]) < 0):
            return True
    if not flags & RST:
        if old or flags & ACK:
            tcb.close_at = Instant(now + tcb.host.time_wait)
        tcb.put_duplicate(now, segment)
    return False
