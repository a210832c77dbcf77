"""Segments, what the application asks for and the time in; segments, events and the next timer out: one end of a TCP connection, as Linux behaves."""

from crenel.instant import Instant
from crenel.net.host.acceptance import admit
from crenel.net.host.acking import Verdict, take_ack
from crenel.net.host.closing import receive_waiting, wait_for_fin, wait_time
from crenel.net.host.opening import establish, receive_listening, receive_opening, receive_requested
from crenel.net.host.reading import take_text, take_urgent
from crenel.net.host.segment import Segment, is_signed, read_segment
from crenel.net.host.sequence import MASK, after, before, between
from crenel.net.host.state import HostEvent, Reset, State, Unreachable
from crenel.net.host.tcb import PROBE, RETRANSMIT, Tcb
from crenel.net.host.writing import probe, push, retransmit
from crenel.wire.packet import ACK, FIN, RST, SYN, URG, Packet

_READABLE = (State.ESTABLISHED, State.FIN_WAIT_1, State.FIN_WAIT_2)
_NEXT_ISN = 65535 + 2
"""How far the next connection of the same four-tuple begins behind this one (tcp_timewait_state_process)."""


class Endpoint(Tcb):
    """One connection, or a listener with the one connection that it accepts.

    After each call, `packets` returns what is to be sent now and `events` what the application learns; `next_timer` says
    when `fire` is to be called. Nothing raises, whatever packet is received. A connection that has ended answers as a
    host without a socket does; a listener listens again, with another initial sequence number.

    Args:
        address: 4 or 16 bytes; decides the IP version.
        isn: initial sequence number.
        options: what the host is set to.
        listening: accept a connection instead of waiting for `connect`.
    """

    __slots__ = ()

    def connect(self, now: Instant, peer: bytes, peer_port: int) -> None:
        """Open a connection to a peer: send a SYN. Does nothing unless the endpoint is closed."""
        if self.state is not State.CLOSED or self.listening:
            return
        self.peer, self.peer_port = peer, peer_port
        self.state = State.SYN_SENT
        self.syn_value = self.clock(now)
        self.asked_scale = self.host.window_scale is not None
        self.timed_at, self.timed_seq = now, self.snd_nxt
        self.timer_kind, self.timer_at = RETRANSMIT, Instant(now + self.host.first_rto)
        self.put_syn(now, SYN)

    def send(self, now: Instant, data: bytes) -> None:
        """Queue bytes for the peer; before the handshake they wait for it, after `shutdown`, `close` or an error they are lost."""
        if not self.fin_queued and self.state in (State.SYN_SENT, State.SYN_RECEIVED, State.ESTABLISHED, State.CLOSE_WAIT):
            self.out += data
            self.write_seq = self.write_seq + len(data) & MASK
            push(self, now)

    def shutdown(self, now: Instant) -> None:
        """Say that no more bytes come, and go on reading, as SHUT_WR asks for."""
        if self.state is State.ESTABLISHED:
            self.state = State.FIN_WAIT_1
        elif self.state is State.CLOSE_WAIT:
            self.state = State.LAST_ACK
        elif self.state is not State.SYN_RECEIVED or self.request:
            return
        self.fin_queued = True
        push(self, now)

    def close(self, now: Instant) -> None:
        """Finish sending and read no more, as tcp_close does: data that comes later is answered with a RST."""
        if self.state in (State.LISTEN, State.SYN_SENT) or self.request:
            self.listening = False
            self.end()
            return
        self.shutdown(now)
        self.dead = self.read_shut = True
        if self.state is State.FIN_WAIT_2:
            wait_for_fin(self, now)

    def abort(self, now: Instant) -> None:
        """Reset the connection (tcp_disconnect, RFC 9293 section 3.10.5)."""
        if self.state in (State.SYN_RECEIVED, State.ESTABLISHED, State.FIN_WAIT_1, State.FIN_WAIT_2, State.CLOSE_WAIT) and not self.request:
            self.put_abort()
        self.listening = False
        self.end()

    def receive(self, now: Instant, packet: Packet) -> None:
        """Take a packet that was addressed to this endpoint (tcp_v4_rcv)."""
        segment = read_segment(packet)
        if segment is not None:
            self.receive_segment(now, packet, segment)

    def receive_segment(self, now: Instant, packet: Packet, segment: Segment) -> None:
        """Take the segment of such a packet."""
        state = self.state
        if self.timestamps and state is not State.LISTEN and len(segment.options) == 12:
            pass  # what nearly every segment carries
        elif is_signed(segment, checks=self.host.checks_options) and state is not State.TIME_WAIT:
            return
        if state is State.LISTEN or state is State.CLOSED:
            self._receive_unconnected(now, packet, segment)
        elif state is State.SYN_SENT:
            receive_opening(self, now, segment)
            push(self, now)
        elif state is State.TIME_WAIT or (state is State.FIN_WAIT_2 and self.close_at is not None):
            if receive_waiting(self, now, segment):
                self._receive_next(now, packet, segment)
        elif not self.request or receive_requested(self, now, segment):
            self._receive_connected(now, segment)

    def _receive_unconnected(self, now: Instant, packet: Packet, segment: Segment) -> None:
        self.peer, self.peer_port = packet.src, packet.sport
        if self.state is State.LISTEN:
            receive_listening(self, now, segment)
        elif self.listening:
            self.forget(self.snd_nxt + _NEXT_ISN)
            self._receive_unconnected(now, packet, segment)
        else:
            self.put_reset(segment)

    def _receive_next(self, now: Instant, packet: Packet, segment: Segment) -> None:
        """A SYN in TIME-WAIT opens the next connection where somebody listens, and is acknowledged like any other segment where not."""
        if self.listening:
            self.forget(self.snd_nxt + _NEXT_ISN)
            self._receive_unconnected(now, packet, segment)
        else:
            self.put_duplicate(now, segment)

    def _receive_connected(self, now: Instant, segment: Segment) -> None:
        """tcp_rcv_established and tcp_rcv_state_process from SYN-RECEIVED on."""
        if not segment.flags & (ACK | RST | SYN) or not admit(self, now, segment):
            return
        opening = self.state is State.SYN_RECEIVED
        verdict = take_ack(self, now, segment)
        if verdict is not Verdict.GOOD:
            if opening:
                self.put_reset(segment)
                return
            if verdict is not Verdict.OLD:
                self.put_challenge(now)
                return
        if opening:
            establish(self, now, segment)
            if self.fin_queued:
                self.state = State.FIN_WAIT_1
        elif self.state is not State.ESTABLISHED and self._finish(now, segment):
            return
        if segment.flags & URG or self.urgent_seq is not None:
            take_urgent(self, segment)
        self._read(now, segment)
        push(self, now)

    def _finish(self, now: Instant, segment: Segment) -> bool:
        """Move on where our FIN is acknowledged; True where nothing of the segment is left to process (tcp_rcv_state_process, step 5)."""
        if not self.fin_sent or self.snd_una != self.write_seq + 1 & MASK:
            return False
        if self.state is State.FIN_WAIT_1:
            self.state = State.FIN_WAIT_2
            if not self.dead:
                return False
            if self._is_unread(segment):
                self.put_reset(segment)
                self.end()
                return True
            if not segment.flags & FIN:
                wait_for_fin(self, now)
                return True
        elif self.state is State.CLOSING:
            wait_time(self, now)
            return True
        elif self.state is State.LAST_ACK:
            self.end()
            return True
        return False

    def _read(self, now: Instant, segment: Segment) -> None:
        """Steps 6 to 8: text for a closed socket resets the connection (RFC 9293 section 3.6.1); behind a FIN there is none."""
        state = self.state
        if state is not State.ESTABLISHED:
            if state not in _READABLE and not before(segment.seq, self.rcv_nxt):
                return
            if self.read_shut and self._is_unread(segment):
                self.put_reset(segment)
                self.end(Reset())
                return
        take_text(self, now, segment)

    def _is_unread(self, segment: Segment) -> bool:
        return segment.seq != segment.end and after(segment.end - (segment.flags & FIN) & MASK, self.rcv_nxt)

    def unreachable(self, seq: int, icmp_type: int, icmp_code: int) -> None:
        """Take an ICMP error about the segment with this sequence number: fatal to a handshake of ours only (tcp_v4_err, RFC 5927)."""
        if self.state in (State.SYN_SENT, State.SYN_RECEIVED) and not self.request and between(seq, self.snd_una, self.snd_nxt):
            self.end(Unreachable(icmp_type, icmp_code))

    def packets(self) -> list[Packet]:
        """Return what is to be sent now, once."""
        drained, self.outbox = self.outbox, []
        return drained

    def events(self) -> list[HostEvent]:
        """Return what the application learns, once."""
        drained, self.events_ = self.events_, []
        return drained

    def next_timer(self) -> Instant | None:
        """Return when `fire` is due, or None."""
        one, other = self.timer_at, self.close_at
        if one is None or (other is not None and other < one):
            return other
        return one

    def fire(self, now: Instant) -> None:
        """Do what is due: retransmit, probe, or end the wait of TIME-WAIT; nothing where it is too early."""
        if self.close_at is not None and self.close_at <= now:
            self.end()
            return
        if self.timer_at is None or self.timer_at > now:
            return
        if self.request and self.retransmits >= self.host.synack_retries:
            self.forget(self.snd_nxt + _NEXT_ISN)
        elif self.timer_kind == PROBE:
            probe(self, now)
        else:
            retransmit(self, now)
