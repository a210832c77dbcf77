"""A place from which a wall is seen: distances, losses, middleboxes near the client, and what the servers there are like."""

from typing import Literal

import msgspec


class ClientMiddlebox(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A middlebox on the client's side of the wall; one is met, by weight."""

    id: str
    title: str
    weight: int
    fragments: Literal["pass", "drop", "reassemble"]
    drops: tuple[Literal["fin", "bad-checksum", "no-flags"], ...]
    sources: tuple[str, ...]


class Vantage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the client stands, and what lies between it and its servers."""

    name: str
    title: str
    city: str | None = None
    asn: int | None = None
    side: Literal["inside", "outside"]
    hops_to_wall: int
    hops_to_server: int
    client_delay_ms: float
    """One way, between client and wall."""
    server_delay_ms: float
    """One way, between wall and server."""
    loss: float
    insertion_loss: float
    """Probability, per trial, that packets meant for the wall alone do not reach it."""
    strict_server_share: float
    """Share of servers behind a filter that drops resets out of state and odd flag combinations."""
    affected_destination: bool
    """Is the server among the addresses that the wall watches for fully encrypted traffic?"""
    timestamps: bool = True
    """Do client and server put timestamps into their segments (RFC 7323)?"""
    checks_options: bool = True
    """Do they drop segments whose TCP options make no sense, as Linux does since 6.7?"""
    sources: tuple[str, ...]
    assumed: dict[str, str] = {}
    client_middlebox: tuple[ClientMiddlebox, ...] = ()
