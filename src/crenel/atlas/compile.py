"""A checked profile and a date in, a compiled wall out."""

import datetime as dt
import hashlib
import ipaddress
from collections.abc import Mapping, Sequence

import msgspec

from crenel.atlas.assume import apply_assumptions, assumed_for
from crenel.atlas.check import check_epoch
from crenel.atlas.dates import epoch_in_force, first_day, short_epochs_on
from crenel.atlas.load import DEFAULT_WALL, load_profile, load_vantage
from crenel.atlas.moment import Moment, parse_moment
from crenel.atlas.schema import Epoch, Middlebox, NamedList, Profile
from crenel.atlas.userlist import read_addresses, read_names, read_pool
from crenel.atlas.vantage import Vantage
from crenel.errors import ProfileError, UsageError
from crenel.instant import NANOSECONDS
from crenel.wall.box import Box, Facts
from crenel.wall.match import AddressList, Entry, NameList, OtherAddresses, OtherNames, PoolList
from crenel.wall.reaction import Reaction
from crenel.wall.tcb import CompiledTcb
from crenel.wall.wall import Wall

SHOWN_ADDRESSES = 1 << 12
"""A pool is filled up to its counted size, and never past this many addresses."""
_NOON = 12


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for when a wall was loaded, for reports and repetition."""

    name: str
    title: str
    sha256: str
    as_of: str
    seed: int
    assume: dict[str, str]
    lists: dict[str, str]
    listed: tuple[str, ...]
    vantage: str
    utc_offset: int
    notes: tuple[str, ...]
    """Epochs that fall on the date and are not in force because no hour was given."""
    examples: int
    """Names on the example lists that stand in for the real ones."""
    example_boxes: bool
    """Does any box compare names with an example list?"""
    place: Vantage
    """The vantage."""
    noon: int
    """Nanoseconds since 1970 at which a simulated exchange begins: the hour that was asked for, noon in the wall's own time where none was."""

    def strategy(self, name: str) -> str:
        """Return the text of a strategy of the library; raises StrategyError where none has that name."""
        from crenel.atlas.strategies import named  # noqa: PLC0415  only who names a strategy reads the library

        return named(name).dna


def load_wall(
    name: str = DEFAULT_WALL,
    as_of: str | dt.date | None = None,
    seed: int = 0,
    assume: Mapping[str, str] | None = None,
    lists: Mapping[str, str] | None = None,
    listed: Sequence[str] = (),
    vantage: str | None = None,
) -> Wall:
    """Return a wall compiled for one date.

    Args:
        name: a shipped wall, or the path of a TOML file.
        as_of: `YYYY-MM-DD` or `YYYY-MM-DDTHH:MM` in the wall's own time, or a date; None: today.
        seed: of every random decision of runs that this wall's carriers start.
        assume: values to take instead of the profile's, by `BOX.KEY`.
        lists: files to take instead of the profile's lists, by the list's name.
        listed: names to treat as listed on every box that reads names; `*` for all.
        vantage: a shipped vantage or the path of a file; None: the wall's own for that date.

    Raises:
        ProfileError: a file is wrong, or the wall did not exist yet.
        UsageError: an argument is wrong.
    """
    profile, place, text = load_profile(name)
    moment = _moment(as_of, profile.utc_offset)
    if moment.day < first_day(profile.middlebox):
        message = f"{place}: nothing is known of this wall before {first_day(profile.middlebox)}; {moment} is too early"
        raise ProfileError(message)
    point = load_vantage(vantage if vantage is not None else default_vantage(profile, moment))
    return compile_profile(profile, moment, point, seed=seed, assume=assume, lists=lists, listed=listed, sha256=hashlib.sha256(text).hexdigest())


def compile_profile(
    profile: Profile,
    moment: Moment,
    vantage: Vantage,
    *,
    seed: int = 0,
    assume: Mapping[str, str] | None = None,
    lists: Mapping[str, str] | None = None,
    listed: Sequence[str] = (),
    sha256: str = "",
) -> Wall:
    """Return the wall of a checked profile at a moment, seen from a vantage; the rest is as for `load_wall`.

    Raises:
        ProfileError: a list that the user brings is wrong.
        UsageError: an argument is wrong.
    """
    builder = _Builder(profile, moment, dict(assume or {}), dict(lists or {}), tuple(listed), vantage)
    boxes = builder.boxes()
    about = About(
        name=profile.name, title=profile.title, sha256=sha256, as_of=str(moment), seed=seed,
        assume=dict(assume or {}), lists=dict(lists or {}), listed=tuple(listed), vantage=vantage.name, utc_offset=profile.utc_offset,
        notes=builder.notes, examples=builder.examples, example_boxes=any(box.facts.example_list for box in boxes),
        place=vantage, noon=_start(moment, profile.utc_offset),
    )

    def elsewhere(name: str) -> Wall:
        point = load_vantage(name)
        return compile_profile(profile, moment, point, seed=seed, assume=assume, lists=lists, listed=listed, sha256=sha256)

    hour = moment.hour
    return Wall(profile.name, profile.title, boxes, limits=profile.limits, utc_offset=profile.utc_offset, hour=hour, about=about, elsewhere=elsewhere)


def _start(moment: Moment, utc_offset: int) -> int:
    zone = dt.timezone(dt.timedelta(hours=utc_offset))
    begins = moment.start.replace(hour=_NOON) if moment.bare else moment.start
    return round(begins.replace(tzinfo=zone).timestamp()) * NANOSECONDS


def _moment(as_of: str | dt.date | None, utc_offset: int) -> Moment:
    if as_of is None:
        return Moment(dt.datetime.now(dt.timezone(dt.timedelta(hours=utc_offset))).date())
    return parse_moment(as_of) if isinstance(as_of, str) else Moment(as_of)


def default_vantage(profile: Profile, moment: Moment) -> str:
    """Return the name of the vantage from which a wall is judged at a moment, unless another is asked for.

    Raises:
        ProfileError: the profile names none for so early a day.
    """
    begun = [vantage for vantage in profile.vantage if vantage.from_ <= moment.day]
    if not begun:
        message = f"{profile.name}: the profile names no vantage for {moment}; name one"
        raise ProfileError(message)
    return max(begun, key=lambda vantage: vantage.from_).name


class _Builder:
    """Turns the epochs in force into boxes."""

    def __init__(
        self, profile: Profile, moment: Moment, assume: dict[str, str], lists: dict[str, str], listed: tuple[str, ...], vantage: Vantage
    ) -> None:
        self._profile = profile
        self._moment = moment
        self._assume = assume
        self._lists = lists
        self._listed = listed
        self._vantage = vantage
        self._tcbs = {name: CompiledTcb(name, table) for name, table in profile.tcb.items()}
        self._pools: dict[str, tuple[bytes, ...]] = {}
        self.notes: tuple[str, ...] = ()
        self.examples = 0
        for name in lists:
            if name not in profile.list:
                message = f"--list {name}: this wall has no such list; it has {', '.join(profile.list)}"
                raise UsageError(message)

    def boxes(self) -> list[Box]:
        """Return the boxes in force, in the profile's order."""
        made: list[Box] = []
        known = {box.id for box in self._profile.middlebox}
        for key in self._assume:
            if key.partition(".")[0] not in known:
                message = f"--assume {key}: this wall has no box {key.partition('.')[0]!r}; it has {', '.join(sorted(known))}"
                raise UsageError(message)
        names: set[str] = set()
        for box in self._profile.middlebox:
            for short in short_epochs_on(box, self._moment):
                self.notes += (f"{box.id} was seen only from {short.first_seen} to {short.ended}: give an hour to judge by it",)
            epoch = epoch_in_force(box, self._moment)
            wanted = assumed_for(box.id, self._assume)
            if epoch is None:
                if wanted:
                    message = f"--assume {box.id}.{next(iter(wanted))}: this box is not in force on {self._moment!s}"
                    raise UsageError(message)
                continue
            made.append(self._box(len(made), box, self._assumed(box, epoch, wanted)))
            if made[-1].facts.example_list and made[-1].facts.list_name is not None:
                names.update(entry.name for entry in self._entries(self._profile.list[made[-1].facts.list_name]))
        self.examples = len(names)
        return made

    def _assumed(self, box: Middlebox, epoch: Epoch, wanted: dict[str, str]) -> Epoch:
        """Return an epoch with what the user takes for granted, held to the same rules as one of a file."""
        changed = apply_assumptions(box.id, epoch, wanted)
        if wanted:
            try:
                check_epoch(self._profile, box, changed, f"--assume {box.id}.{', '.join(wanted)}")
            except ProfileError as error:
                raise UsageError(str(error)) from error
        return changed

    def _box(self, index: int, box: Middlebox, epoch: Epoch) -> Box:
        list_name = getattr(epoch.trigger, "list", None)
        shipped = self._profile.list[list_name] if list_name is not None else None
        facts = Facts(
            box.id, box.title, box.placement, str(epoch.first_seen), str(epoch.last_seen), epoch.confidence, epoch.sources,
            tuple(f"{key}: {why}" for key, why in epoch.assumed.items()), list_name,
            shipped is not None and shipped.kind == "names" and list_name not in self._lists,
        )
        chance = epoch.chance
        if chance.by_hour is not None and chance.city is not None:
            hours = chance.by_hour.get(self._vantage.city or "", chance.by_hour[chance.city])
        else:
            hours = (chance.p if chance.p is not None else 0.0,) * 24
        other = (self._tcbs[epoch.other_device.tcb], epoch.other_device.share) if epoch.other_device is not None else None
        return Box(
            index, facts, scope=epoch.scope, reader=epoch.trigger, names=self._names(list_name, shipped), hours=tuple(hours),
            coin_scope=chance.per, reaction=epoch.reaction, residual=epoch.residual, pools=self._pools_of(epoch.reaction),
            tcb=self._tcbs[epoch.tcb] if epoch.tcb is not None else None, other=other,
            joins=epoch.reassembles.tcp if epoch.reassembles is not None else 0.0, first_only=epoch.first_only,
            sees_injected=box.sees_injected,
        )

    def _entries(self, names: NamedList) -> list[Entry]:
        day = self._moment.day
        return [
            Entry(entry.name, entry.form, entry.source)
            for entry in names.entries
            if (entry.from_ is None or entry.from_ <= day) and (entry.until is None or day <= entry.until)
        ]

    def _names(self, list_name: str | None, shipped: NamedList | None) -> NameList | AddressList | None:
        if list_name is None or shipped is None:
            return None
        file = self._lists.get(list_name)
        if shipped.kind == "addresses":
            where = f"list.{list_name}"
            addresses = read_addresses(file) if file is not None else AddressList(self._entries(shipped), where)
            return OtherAddresses(addresses.entries, where) if shipped.allows else addresses
        names = read_names(file) if file is not None else NameList(self._entries(shipped))
        return OtherNames(names.entries) if shipped.allows else names.with_listed(self._listed if shipped.kind == "names" else ())

    def _pools_of(self, reaction: Reaction) -> dict[str, tuple[bytes, ...]]:
        if reaction.answer is None:
            return {}
        wanted = [name for name in (reaction.answer.pool, reaction.answer.pool6) if name is not None]
        return {name: self._pool(name) for name in wanted}

    def _pool(self, name: str) -> tuple[bytes, ...]:
        if name not in self._pools:
            shipped = self._profile.list[name]
            file = self._lists.get(name)
            if file is not None:
                self._pools[name] = read_pool(file)
                return self._pools[name]
            addresses = list(PoolList.build((entry.name for entry in self._entries(shipped)), f"list.{name}").addresses)
            missing = min(shipped.size or 0, SHOWN_ADDRESSES) - len(addresses)
            if missing > 0 and shipped.fill is not None:
                # The first and the last address of a network are no hosts.
                network = ipaddress.ip_network(shipped.fill)
                first, size = int(network.network_address) + 1, network.max_prefixlen // 8
                addresses += [(first + number).to_bytes(size, "big") for number in range(min(missing, network.num_addresses - 2))]
            self._pools[name] = tuple(addresses)
        return self._pools[name]
