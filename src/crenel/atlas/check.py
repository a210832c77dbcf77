"""A wall file that fits the schema in, a refusal of what contradicts itself or has no source out."""

import ipaddress
import itertools
from collections.abc import Iterator, Mapping

from crenel.atlas.schema import Epoch, Middlebox, NamedList, Profile, Source
from crenel.errors import ProfileError
from crenel.wall.match import PoolList


def check_profile(profile: Profile, place: str) -> None:
    """Refuse a profile with overlapping epochs, unresolved names or values without a source.

    Raises:
        ProfileError: naming the file and the place in it.
    """
    from crenel.atlas.load import sources  # noqa: PLC0415  load calls this module

    known: Mapping[str, Source] = {**sources(), **profile.source}
    ids = [box.id for box in profile.middlebox]
    for twice in {name for name in ids if ids.count(name) > 1}:
        _refuse(place, f"middlebox {twice!r}", "stands there twice")
    unknown = next(((at, cited) for at, cited in _citations(profile) if cited.partition(":")[0] not in known), None)
    if unknown is not None:
        _refuse(place, unknown[0], f"source {unknown[1]!r} is not known")
    for box in profile.middlebox:
        _check_epochs(box, place)
        for epoch in box.epoch:
            check_epoch(profile, box, epoch, place)
    for name, table in profile.tcb.items():
        if not 0.0 <= table.keeps_newer <= 1.0:
            _refuse(place, f"tcb.{name}, keeps_newer", f"{table.keeps_newer} is not a probability")
        for number, row in enumerate(table.row, 1):
            if not row.sources and row.assumed is None:
                _refuse(place, f"tcb.{name}, row {number}", "has neither a source nor an `assumed` sentence")
    for name, names in profile.list.items():
        if not names.sources and not names.assumed:
            _refuse(place, f"list.{name}", "has neither a source nor an `assumed` sentence")
        if names.kind == "pool":
            _check_pool(name, names, place)


def _refuse(place: str, where: str, what: str) -> None:
    message = f"{place}: {where}: {what}"
    raise ProfileError(message)


def _check_epochs(box: Middlebox, place: str) -> None:
    where = f"middlebox {box.id!r}"
    if not box.epoch:
        _refuse(place, where, "has no epoch")
    for epoch in box.epoch:
        if epoch.last_seen.start < epoch.first_seen.start:
            _refuse(place, f"{where}, epoch {epoch.first_seen}", f"last_seen {epoch.last_seen} is before first_seen")
        if epoch.ended is not None and epoch.ended.end < epoch.last_seen.start:
            _refuse(place, f"{where}, epoch {epoch.first_seen}", f"ended {epoch.ended} is before last_seen {epoch.last_seen}")
    ordered = sorted(box.epoch, key=lambda epoch: epoch.first_seen.start)
    for before, after in itertools.pairwise(ordered):
        last = (before.ended if before.ended is not None else before.last_seen).end
        if last > after.first_seen.start:
            _refuse(place, where, f"the epochs of {before.first_seen} and {after.first_seen} overlap")


def check_epoch(profile: Profile, box: Middlebox, epoch: Epoch, place: str) -> None:
    """Refuse an epoch of a box that contradicts itself or names what its profile does not have.

    Raises:
        ProfileError: naming `place`, the box and the epoch.
    """
    where = f"middlebox {box.id!r}, epoch {epoch.first_seen}"
    if not epoch.sources:
        _refuse(place, where, "has no source")
    _check_names(profile, epoch, place, where)
    _check_chance(epoch, place, where)
    if box.placement == "on-path" and (epoch.reaction.withhold or epoch.reaction.throttle is not None):
        _refuse(place, where, "an on-path box sees a copy: it cannot withhold or throttle")


def _check_names(profile: Profile, epoch: Epoch, place: str, where: str) -> None:
    tcbs = [epoch.tcb] if epoch.tcb is not None else []
    tcbs += [epoch.other_device.tcb] if epoch.other_device is not None else []
    for name in tcbs:
        if name not in profile.tcb:
            _refuse(place, where, f"there is no tcb.{name}")
    for wanted, kinds in _lists_of(epoch):
        if wanted not in profile.list:
            _refuse(place, where, f"there is no list.{wanted}")
        if profile.list[wanted].kind not in kinds:
            _refuse(place, where, f"list.{wanted} holds {profile.list[wanted].kind}, not {' or '.join(kinds)}")
    _check_shape(epoch, place, where)


def _check_chance(epoch: Epoch, place: str, where: str) -> None:
    if (epoch.chance.p is None) == (epoch.chance.by_hour is None):
        _refuse(place, where, "chance gives exactly one of p and by_hour")
    for city, curve in (epoch.chance.by_hour or {}).items():
        if len(curve) != 24:
            _refuse(place, f"{where}, chance.by_hour.{city}", f"has {len(curve)} values, not 24")
    if epoch.chance.by_hour is not None and epoch.chance.city not in epoch.chance.by_hour:
        _refuse(place, where, "chance.city must name one of the curves of chance.by_hour")
    for at, p in _probabilities(epoch):
        if not 0.0 <= p <= 1.0:
            _refuse(place, f"{where}, {at}", f"{p} is not a probability")


def _lists_of(epoch: Epoch) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the lists that an epoch names, each with the kinds of list that it can use there."""
    listed: str | None = getattr(epoch.trigger, "list", None)
    if listed is not None:
        yield listed, ("addresses",) if hasattr(epoch.trigger, "read_header") else ("names", "keywords")
    answer = epoch.reaction.answer
    for pool in (answer.pool, answer.pool6) if answer is not None else ():
        if pool is not None:
            yield pool, ("pool",)


def _check_pool(name: str, pool: NamedList, place: str) -> None:
    if pool.allows:
        _refuse(place, f"list.{name}, allows", "speaks of lists that are compared with, not of pools")
    if not pool.entries and pool.fill is None:
        _refuse(place, f"list.{name}", "a pool needs entries or a network to fill it from")
    try:
        PoolList.build((entry.name for entry in pool.entries), f"{place}: list.{name}")
        ipaddress.ip_network(pool.fill or "0.0.0.0/0")
    except ValueError as error:
        _refuse(place, f"list.{name}, fill", str(error))


def _check_shape(epoch: Epoch, place: str, where: str) -> None:
    """Refuse parts of a box that do not go together: nothing would read them."""
    stateful = epoch.tcb is not None
    if stateful and (epoch.scope.transport != "tcp" or hasattr(epoch.trigger, "read_header")):
        _refuse(place, f"{where}, tcb", "only a box that reads payloads over TCP has a state model")
    for key, given in (("other_device", epoch.other_device), ("reassembles", epoch.reassembles)):
        if given is not None and not stateful:
            _refuse(place, f"{where}, {key}", "needs a state model")
    if epoch.first_only is not None and epoch.scope.transport != "udp":
        _refuse(place, f"{where}, first_only", "speaks of datagrams")


def _probabilities(epoch: Epoch) -> Iterator[tuple[str, float]]:
    if epoch.chance.p is not None:
        yield "chance.p", epoch.chance.p
    for city, curve in (epoch.chance.by_hour or {}).items():
        yield from ((f"chance.by_hour.{city}", p) for p in curve)
    if epoch.residual is not None:
        yield from (("residual.chances", p) for p in epoch.residual.chances)
    if epoch.other_device is not None:
        yield "other_device.share", epoch.other_device.share
    if epoch.reassembles is not None:
        yield "reassembles.tcp", epoch.reassembles.tcp


def _citations(profile: Profile) -> Iterator[tuple[str, str]]:
    for box in profile.middlebox:
        for epoch in box.epoch:
            where = f"middlebox {box.id!r}, epoch {epoch.first_seen}"
            yield from ((where, cited) for cited in epoch.sources)
            for alternative in epoch.alternative:
                yield from ((f"{where}, alternative {alternative.key}", cited) for cited in alternative.sources)
    for name, table in profile.tcb.items():
        yield from ((f"tcb.{name}", cited) for cited in table.sources)
        for number, row in enumerate(table.row, 1):
            yield from ((f"tcb.{name}, row {number}", cited) for cited in row.sources)
    for name, names in profile.list.items():
        yield from ((f"list.{name}", cited) for cited in names.sources)
        yield from ((f"list.{name}, entry {entry.name!r}", entry.source) for entry in names.entries)
    for vantage in profile.vantage:
        yield from ((f"vantage {vantage.name}", cited) for cited in vantage.sources)
