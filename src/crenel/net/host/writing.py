"""Bytes that wait to be sent in, segments as the peer's window allows out; and what is sent again when no answer comes (RFC 9293 section 3.8)."""

from crenel.instant import Instant
from crenel.net.host.sequence import MASK, signed
from crenel.net.host.state import State, TimedOut
from crenel.net.host.tcb import PROBE, RETRANSMIT, Tcb
from crenel.wire.packet import ACK, ECE, FIN, PSH, SYN

SENDING = (State.ESTABLISHED, State.CLOSE_WAIT, State.FIN_WAIT_1, State.CLOSING, State.LAST_ACK)


def push(tcb: Tcb, now: Instant) -> None:
    """Send what window and congestion window allow (tcp_write_xmit), and probe where that is nothing (tcp_check_probe_timer)."""
    if tcb.state not in SENDING:
        return
    if tcb.resend is not None:
        _send_again(tcb, now)
    waiting = False
    while not tcb.fin_sent:
        size = tcb.write_seq - tcb.snd_nxt & MASK
        last = size <= tcb.mss
        fin = tcb.fin_queued and last
        if not size and not fin:
            break
        flight = tcb.snd_nxt - tcb.snd_una & MASK
        size = min(size, tcb.mss)
        if size + fin > tcb.snd_wnd - flight:
            waiting = True
            break
        if flight and (flight + size > tcb.cwnd * tcb.mss or (last and size and not tcb.host.nodelay)):
            break  # congestion window; Nagle's rule (RFC 9293 section 3.7.4)
        _send_new(tcb, now, size, fin=fin, mark=last)
    if waiting and tcb.snd_nxt == tcb.snd_una and tcb.timer_at is None:
        tcb.timer_kind = PROBE
        tcb.timer_at = Instant(now + (max(tcb.base_rto, tcb.host.least_rto) << tcb.backoff))


def _send_new(tcb: Tcb, now: Instant, size: int, *, fin: bool, mark: bool) -> None:
    seq = tcb.snd_nxt
    offset = seq - tcb.snd_una & MASK
    payload = bytes(tcb.out[offset : offset + size])
    tcb.put(now, ACK | (PSH if mark and size else 0) | (FIN if fin else 0), seq, payload)
    tcb.snd_nxt = seq + size + fin & MASK
    tcb.fin_sent = fin
    if tcb.timed_at is None and not tcb.retransmits:
        tcb.timed_at, tcb.timed_seq = now, tcb.snd_nxt
    if tcb.timer_at is None or tcb.timer_kind == PROBE:
        tcb.timer_kind, tcb.timer_at = RETRANSMIT, Instant(now + tcb.rto)


def _send_again(tcb: Tcb, now: Instant) -> None:
    """Repeat what was in flight when the timer ran out, as the acknowledgements of the repetition make room (tcp_xmit_retransmit_queue)."""
    while tcb.resend is not None:
        if (tcb.resend - tcb.snd_una & MASK) >= tcb.cwnd * tcb.mss:
            return
        tcb.resend = _repeat(tcb, now, tcb.resend)
        if signed(tcb.recover - tcb.resend) <= 0:
            tcb.resend = None


def _repeat(tcb: Tcb, now: Instant, seq: int) -> int:
    """Send one segment from `seq` again, as much as a window allows that is not shut, and return the number behind it (__tcp_retransmit_skb)."""
    offset = seq - tcb.snd_una & MASK
    sent = tcb.snd_nxt - tcb.fin_sent - seq & MASK
    size = min(sent, tcb.mss)
    room = tcb.snd_wnd - offset
    if 0 < room < size:
        size = room
    over = tcb.fin_sent and size == sent
    # What the peer tells that it holds is not joined to what it lacks (tcp_can_collapse).
    fin = over and not tcb.fin_held
    last = seq + size & MASK == tcb.write_seq
    tcb.put(now, ACK | (PSH if last and size else 0) | (FIN if fin else 0), seq, bytes(tcb.out[offset : offset + size]))
    return seq + size + over & MASK


def retransmit(tcb: Tcb, now: Instant) -> None:
    """The retransmission timer ran out (tcp_retransmit_timer): send the first segment again and wait twice as long (RFC 6298 section 5)."""
    host = tcb.host
    if tcb.retries_since is None:
        tcb.retries_since = Instant(now - tcb.rto)
    if _has_given_up(tcb, now):
        tcb.end(TimedOut())
        return
    tcb.retransmits += 1
    tcb.timed_at = None
    if tcb.state is State.SYN_SENT:
        tcb.put_syn(now, SYN)
        tcb.linear += 1
        if tcb.linear > host.syn_linear:
            tcb.rto = min(tcb.rto * 2, host.most_rto)
    else:
        if tcb.state is State.SYN_RECEIVED:
            tcb.syn_last = tcb.clock(now)
            tcb.put_syn(now, SYN | ACK | ECE if tcb.ecn else SYN | ACK)
        else:
            tcb.cwnd = 1
            tcb.recover = tcb.snd_nxt
            behind = _repeat(tcb, now, tcb.snd_una)
            tcb.resend = None if behind == tcb.snd_nxt else behind
        tcb.rto = min(tcb.rto * 2, host.most_rto)
    tcb.timer_at = Instant(now + tcb.rto)


def _has_given_up(tcb: Tcb, now: Instant) -> bool:
    """tcp_write_timeout: a SYN by count, everything else by the time that so many doublings of the least time-out take."""
    host = tcb.host
    if tcb.state is State.SYN_SENT:
        return tcb.retransmits >= host.syn_retries + min(host.syn_retries, host.syn_linear)
    if tcb.state is State.SYN_RECEIVED:
        return tcb.retransmits >= (host.synack_retries if tcb.request else host.syn_retries)
    return tcb.retries_since is not None and now - tcb.retries_since >= _patience(tcb)


def _patience(tcb: Tcb) -> int:
    """Return the nanoseconds after which a silent peer is given up (tcp_model_timeout)."""
    host = tcb.host
    doublings = (host.most_rto // host.least_rto).bit_length() - 1
    retries = host.orphan_retries if tcb.dead else host.retries
    if retries <= doublings:
        return ((2 << retries) - 1) * host.least_rto
    return ((2 << doublings) - 1) * host.least_rto + (retries - doublings) * host.most_rto


def probe(tcb: Tcb, now: Instant) -> None:
    """The persist timer ran out (tcp_write_wakeup, RFC 9293 section 3.8.6.1): fill a small window, or ask how large it is."""
    if tcb.retries_since is None:
        tcb.retries_since = now
    if now - tcb.retries_since >= _patience(tcb):
        tcb.end(TimedOut())
        return
    room = tcb.snd_wnd
    size = min(room, tcb.mss, tcb.write_seq - tcb.snd_nxt & MASK)
    tcb.backoff += 1
    tcb.timer_at = Instant(now + min(max(tcb.base_rto, tcb.host.least_rto) << min(tcb.backoff, 30), tcb.host.most_rto))
    if size:
        _send_new(tcb, now, size, fin=False, mark=True)
    else:
        tcb.put(now, ACK, tcb.snd_una - 1 & MASK)  # tcp_xmit_probe_skb: an old number, so that the peer must answer
