"""Text, urgent pointer and FIN of an accepted segment in, the stream in order out (RFC 9293 section 3.10.7.4, steps 6 to 8)."""

from crenel.instant import Instant
from crenel.net.host.closing import wait_time
from crenel.net.host.segment import Segment
from crenel.net.host.sequence import MASK, after, before
from crenel.net.host.state import Data, PeerClosed, State, Urgent
from crenel.net.host.tcb import Tcb
from crenel.wire.packet import FIN, URG


def take_urgent(tcb: Tcb, segment: Segment) -> None:
    """Note where the urgent byte stands, and read it as soon as it is there, in order or not (tcp_urg)."""
    if segment.flags & URG:
        _mark_urgent(tcb, segment)
    if tcb.urgent_seq is not None and not tcb.urgent_told:
        offset = tcb.urgent_seq - segment.seq & MASK
        if offset < len(segment.payload):
            tcb.urgent_told = True
            if not tcb.host.urgent_inline:
                tcb.events_.append(Urgent(segment.payload[offset : offset + 1]))


def _mark_urgent(tcb: Tcb, segment: Segment) -> None:
    """tcp_check_urg: the pointer names the byte behind the urgent one, as BSD read it; only a later one replaces it."""
    place = segment.seq + max(segment.urgent - 1, 0) & MASK
    if before(place, tcb.rcv_nxt) or (tcb.urgent_seq is not None and not after(place, tcb.urgent_seq)):
        return
    tcb.urgent_seq = place
    tcb.urgent_told = False


def take_text(tcb: Tcb, now: Instant, segment: Segment) -> None:
    """Queue text and FIN of a segment and acknowledge it (tcp_data_queue)."""
    seq, end = segment.seq, segment.end
    if seq == end:
        return
    if not after(end, tcb.rcv_nxt) or not before(seq, tcb.window_end()):
        tcb.put_ack(now)  # a retransmission, or behind the window
        return
    fin = bool(segment.flags & FIN)
    if after(seq, tcb.rcv_nxt):
        _hold(tcb, seq, end, segment.payload, fin)
    else:
        _deliver(tcb, seq, end, segment.payload)
        if fin:
            tcb.ooo.clear()
        while tcb.ooo and not after(tcb.ooo[0][0], tcb.rcv_nxt):
            seq, end, payload, fin = tcb.ooo.pop(0)
            if after(end, tcb.rcv_nxt):
                _deliver(tcb, seq, end, payload)
                if fin:
                    break
            else:
                fin = False
        if fin:
            take_fin(tcb, now)
            return
    tcb.put_ack(now)


def _hold(tcb: Tcb, seq: int, end: int, payload: bytes, fin: bool) -> None:  # noqa: FBT001 - the FIN bit of the segment held
    """Keep a segment that came early (tcp_data_queue_ofo).

    The first copy stays; a later segment that covers an earlier one whole takes its place. Where two only overlap, both
    stay, and the one that begins first gives the bytes they share.
    """
    queue = tcb.ooo
    at = len(queue)
    while at and before(seq, queue[at - 1][0]):
        at -= 1
    if at and not after(end, queue[at - 1][1]):
        return
    if at and queue[at - 1][0] == seq:
        at -= 1
    stop = at
    while stop < len(queue) and not before(end, queue[stop][1]):
        stop += 1
    queue[at:stop] = [(seq, end, payload, fin)]


def _deliver(tcb: Tcb, seq: int, end: int, payload: bytes) -> None:
    """Hand the new part of a segment to the application, the urgent byte apart (tcp_recvmsg_locked)."""
    start = tcb.rcv_nxt
    skip = start - seq & MASK
    text = payload[skip:] if skip else payload
    tcb.rcv_nxt = end
    mark = tcb.urgent_seq
    if mark is not None and not before(mark, start):
        offset = mark - start & MASK
        if offset < len(text):
            tcb.urgent_seq = None
            if not tcb.host.urgent_inline:
                text = text[:offset] + text[offset + 1 :]
    if text:
        _tell(tcb, text)


def _tell(tcb: Tcb, text: bytes) -> None:
    if not tcb.read_shut:
        tcb.events_.append(Data(text))


def take_fin(tcb: Tcb, now: Instant) -> None:
    """The peer has no more to say (tcp_fin)."""
    state = tcb.state
    if not tcb.read_shut:
        tcb.events_.append(PeerClosed())
    tcb.read_shut = True
    tcb.put_ack(now)
    if state is State.ESTABLISHED:
        tcb.state = State.CLOSE_WAIT
    elif state is State.FIN_WAIT_1:
        tcb.state = State.CLOSING
    elif state is State.FIN_WAIT_2:
        wait_time(tcb, now)
