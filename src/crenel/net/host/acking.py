"""An acknowledgement in, what may be forgotten, sent or timed anew out: the ACK rules of RFC 9293 section 3.10.7.4 and RFC 6298."""

import enum

from crenel.instant import Instant
from crenel.net.host.acceptance import may_update_window
from crenel.net.host.options import read_sack
from crenel.net.host.segment import Segment
from crenel.net.host.sequence import MASK, after, before, signed
from crenel.net.host.tcb import PROBE, RETRANSMIT, Tcb
from crenel.wire.packet import SYN

_STAMPED = 12
"""Bytes of options that hold a timestamp and nothing else."""


class Verdict(enum.Enum):
    """What tcp_ack makes of an acknowledgement number."""

    GOOD = 1
    OLD = 0
    TOO_OLD = -1
    UNSENT = -2


def take_ack(tcb: Tcb, now: Instant, segment: Segment) -> Verdict:
    """Process the acknowledgement of a segment (tcp_ack); TOO_OLD and UNSENT change nothing, and the segment is to be dropped."""
    ack = segment.ack
    if before(ack, tcb.snd_una):
        # RFC 5961 section 5.2, with the bytes acknowledged so far as a further bound.
        reach = min(tcb.max_window, tcb.bytes_acked)
        return Verdict.TOO_OLD if before(ack, tcb.snd_una - reach & MASK) else Verdict.OLD
    if after(ack, tcb.snd_nxt):
        return Verdict.UNSENT
    if tcb.stamp is not None:
        _store_timestamp(tcb, segment.seq, tcb.stamp[0])
    window = segment.window if segment.flags & SYN else segment.window << tcb.snd_scale
    if may_update_window(tcb, segment, window):
        tcb.snd_wl1 = segment.seq
        tcb.snd_wnd = window
        if window > tcb.max_window:
            tcb.max_window = window
            tcb.size_segments()
    if tcb.fin_sent and not tcb.fin_held and len(segment.options) > _STAMPED:
        tcb.fin_held = tcb.sack and any(right == tcb.snd_nxt for _, right in read_sack(segment.options))
    if ack != tcb.snd_una:
        _advance(tcb, now, ack)
    elif tcb.timer_kind == PROBE and tcb.timer_at is not None:
        _answer_probe(tcb, now)
    return Verdict.GOOD


def _store_timestamp(tcb: Tcb, seq: int, value: int) -> None:
    """tcp_replace_ts_recent: RFC 7323 section 4.3."""
    if not after(seq, tcb.rcv_wup) and (signed(value - tcb.ts_recent) >= 0 or not tcb.ts_recent):
        tcb.ts_recent = value


def _advance(tcb: Tcb, now: Instant, ack: int) -> None:
    """Forget what is acknowledged, measure the round trip, and start the timer anew for the rest (tcp_clean_rtx_queue)."""
    gone = ack - tcb.snd_una & MASK
    tcb.bytes_acked += gone
    if tcb.snd_una == tcb.iss:
        gone -= 1
    if gone:
        del tcb.out[:gone]  # a FIN has no byte here, and cutting beyond the end takes none
    tcb.snd_una = ack
    tcb.cwnd += 1
    if tcb.timed_at is not None and not before(ack, tcb.timed_seq):
        if not tcb.retransmits:
            measure_round_trip(tcb, now - tcb.timed_at)
        tcb.timed_at = None
    if tcb.timestamps:
        tcb.rto = tcb.base_rto  # each echo is a measurement; without them the longer time-out stays until one succeeds (RFC 6298 section 5.7)
    tcb.retransmits = tcb.backoff = 0
    tcb.retries_since = None
    if tcb.resend is not None:
        if not before(ack, tcb.recover):
            tcb.resend = None
        elif before(tcb.resend, ack):
            tcb.resend = ack
    if ack == tcb.snd_nxt:
        tcb.timer_at = None
    else:
        tcb.timer_kind = RETRANSMIT
        tcb.timer_at = Instant(now + tcb.rto)


def _answer_probe(tcb: Tcb, now: Instant) -> None:
    """Go on probing at the same pace while the window stays shut (tcp_ack_probe)."""
    tcb.retries_since = None
    pending = tcb.write_seq + (1 if tcb.fin_queued else 0) & MASK
    if not before(tcb.snd_una + tcb.snd_wnd & MASK, pending):
        tcb.backoff = 0
        tcb.timer_at = None


def measure_round_trip(tcb: Tcb, sample: int) -> None:
    """Take a measured round trip into the retransmission time-out (RFC 6298 section 2; Linux keeps the variance over its least RTO)."""
    if not tcb.srtt:
        tcb.srtt = max(sample, 1)
        tcb.rttvar = sample // 2
    else:
        tcb.rttvar += (abs(tcb.srtt - sample) - tcb.rttvar) // 4
        tcb.srtt += (sample - tcb.srtt) // 8
    host = tcb.host
    tcb.base_rto = tcb.rto = min(tcb.srtt + max(4 * tcb.rttvar, host.least_rto), host.most_rto)
