"""A segment of a handshake in, the answer out: LISTEN, the request that stands for SYN-RECEIVED, and SYN-SENT (RFC 9293 section 3.10.7)."""

from crenel.instant import Instant
from crenel.net.host.acking import measure_round_trip, take_ack
from crenel.net.host.options import read_syn_options, read_timestamp
from crenel.net.host.segment import Segment, is_plain_syn
from crenel.net.host.sequence import MASK, after, before, in_window, signed
from crenel.net.host.state import Opened, Refused, State
from crenel.net.host.tcb import RETRANSMIT, Tcb
from crenel.wire.packet import ACK, CWR, ECE, FIN, RST, SYN


def receive_listening(tcb: Tcb, now: Instant, segment: Segment) -> None:
    """LISTEN (tcp_rcv_state_process): an ACK is reset, a SYN opens a request, SYN with FIN and all else is dropped."""
    flags = segment.flags
    if flags & ACK:
        tcb.put_reset(segment)
    elif flags & (SYN | RST | FIN) == SYN:
        _open_request(tcb, now, segment)


def _open_request(tcb: Tcb, now: Instant, segment: Segment) -> None:
    """Answer a SYN with SYN/ACK; data on it is not kept (tcp_conn_request without Fast Open)."""
    tcb.state = State.SYN_RECEIVED
    tcb.request = True
    tcb.rcv_isn = segment.seq
    _agree(tcb, segment)
    tcb.rcv_nxt = tcb.rcv_wup = segment.seq + 1 & MASK
    tcb.snd_wnd = tcb.max_window = segment.window
    tcb.snd_wl1 = segment.seq
    tcb.syn_value = tcb.clock(now)
    tcb.ecn = segment.flags & (ECE | CWR) == ECE | CWR
    tcb.timed_at = now
    answer_syn(tcb, now)
    tcb.timer_kind, tcb.timer_at = RETRANSMIT, Instant(now + tcb.host.first_rto)


def answer_syn(tcb: Tcb, now: Instant) -> None:
    """Send the SYN/ACK of a request, for the first time or again (tcp_rtx_synack)."""
    tcb.syn_last = tcb.clock(now)
    tcb.put_syn(now, SYN | ACK | ECE if tcb.ecn else SYN | ACK)


def _agree(tcb: Tcb, segment: Segment) -> None:
    """Use of the options what both ends asked for; the scale of a tampered SYN/ACK counts like any other (RFC 7323 section 2.2)."""
    host, asked = tcb.host, read_syn_options(segment.options)
    tcb.timestamps = host.timestamps and asked.timestamp is not None
    tcb.ts_recent = asked.timestamp[0] if tcb.timestamps and asked.timestamp is not None else 0
    tcb.sack = host.sack and asked.sack
    tcb.peer_mss = asked.mss or 536
    tcb.asked_scale = host.window_scale is not None and asked.scale is not None
    if host.window_scale is not None and asked.scale is not None:
        tcb.snd_scale, tcb.rcv_scale = asked.scale, host.window_scale
    else:
        tcb.rcv_wnd = min(host.window, 0xFFFF)


def receive_requested(tcb: Tcb, now: Instant, segment: Segment) -> bool:
    """SYN-RECEIVED of a listener (tcp_check_req); True where the handshake is complete and the segment goes on to the new socket."""
    flags, seq, end = segment.flags, segment.seq, segment.end
    stamp = read_timestamp(segment.options) if tcb.host.timestamps else None
    old = stamp is not None and bool(tcb.ts_recent) and signed(stamp[0] - tcb.ts_recent) < 0
    if seq == tcb.rcv_isn and is_plain_syn(segment) and not old:
        if end != seq + 1 & MASK or tcb.may_challenge(now):
            answer_syn(tcb, now)
        return False
    if flags & ACK and segment.ack != tcb.iss + 1 & MASK:
        # By the listener; the request lives on, and a RST is not answered. Kernels before 6.18 look at the number first, as those did
        # on which the published strategies were measured; 6.18 looks at RST first.
        tcb.put_reset(segment)
        return False
    echo = stamp[1] if stamp is not None and tcb.timestamps else 0
    false_echo = echo and (before(echo, tcb.syn_value) or after(echo, tcb.syn_last))
    if old or false_echo or not in_window(seq, end, tcb.rcv_nxt, tcb.rcv_nxt + tcb.rcv_wnd & MASK):
        if not flags & RST and ((seq != end and not flags & SYN) or tcb.may_challenge(now)):
            tcb.put_ack(now)
        return False
    if flags & RST and seq != tcb.rcv_nxt:
        tcb.put_challenge(now)  # RFC 5961 section 3.2, which Linux applies to requests too
        return False
    if flags & RST or (flags & SYN and seq != tcb.rcv_isn):
        tcb.put_reset(segment)
        tcb.forget(tcb.iss)
        return False
    if not flags & ACK:
        return False
    tcb.request = False
    tcb.snd_una = tcb.iss + 1 & MASK
    tcb.size_segments()
    return True


def establish(tcb: Tcb, now: Instant, segment: Segment) -> None:
    """Leave SYN-RECEIVED (tcp_rcv_state_process): the window of this segment is the first that is scaled."""
    if tcb.timed_at is not None and not tcb.retransmits:
        measure_round_trip(tcb, now - tcb.timed_at)
    tcb.timed_at = tcb.timer_at = tcb.retries_since = None
    tcb.rto = tcb.base_rto
    tcb.retransmits = 0
    tcb.state = State.ESTABLISHED
    tcb.snd_una = segment.ack
    tcb.snd_wnd = segment.window << tcb.snd_scale
    tcb.snd_wl1 = segment.seq
    tcb.max_window = max(tcb.max_window, tcb.snd_wnd)
    tcb.size_segments()
    tcb.events_.append(Opened())


def receive_opening(tcb: Tcb, now: Instant, segment: Segment) -> None:
    """SYN-SENT (tcp_rcv_synsent_state_process); payload and FIN on a SYN/ACK are not looked at."""
    flags = segment.flags
    if flags & ACK:
        _receive_answer(tcb, now, segment)
    elif flags & (RST | SYN) == SYN:
        _open_simultaneously(tcb, now, segment)


def _receive_answer(tcb: Tcb, now: Instant, segment: Segment) -> None:
    flags = segment.flags
    if segment.ack != tcb.snd_nxt:
        # Stay, answer with a RST at that number, and ask again at once (icsk_retransmits == 0).
        if not tcb.retransmits:
            tcb.timer_at = Instant(now + _SOON)
        tcb.put_reset(segment)
        return
    asked = read_syn_options(segment.options)
    echo = asked.timestamp[1] if asked.timestamp is not None and tcb.host.timestamps else 0
    if echo and (before(echo, tcb.syn_value) or after(echo, tcb.clock(now))):
        tcb.put_reset(segment)
        return
    if flags & RST:
        tcb.end(Refused())
        return
    if not flags & SYN:
        return
    _agree(tcb, segment)
    tcb.rcv_isn = segment.seq
    tcb.snd_wl1 = segment.seq
    tcb.rcv_nxt = tcb.rcv_wup = segment.seq + 1 & MASK
    take_ack(tcb, now, segment)
    tcb.snd_wnd = tcb.max_window = segment.window
    tcb.size_segments()
    tcb.cwnd = tcb.host.first_cwnd
    tcb.state = State.ESTABLISHED
    tcb.events_.append(Opened())
    tcb.put_ack(now)


_SOON = 2_000_000
"""TCP_TIMEOUT_MIN: two jiffies of a kernel with 1000 in a second."""


def _open_simultaneously(tcb: Tcb, now: Instant, segment: Segment) -> None:
    """Two SYNs crossed: answer SYN/ACK with the same initial sequence number (RFC 9293 section 3.5, figure 7)."""
    _agree(tcb, segment)
    tcb.state = State.SYN_RECEIVED
    tcb.rcv_isn = segment.seq
    tcb.rcv_nxt = tcb.rcv_wup = segment.seq + 1 & MASK
    tcb.snd_wnd = tcb.max_window = segment.window
    tcb.snd_wl1 = segment.seq
    tcb.put_syn(now, SYN | ACK)
