"""Telling people what fails: after each poll, what is new is sent through each channel."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

from fleet.core.alerts import URGENT, Due, Failing, Phase, Told, find_due
from fleet.core.hours import hours_of, scheduled
from fleet.core.inventory import Inventory
from fleet.core.limit import Limits
from fleet.core.moment import short_text, to_us
from fleet.core.states import State
from fleet.errors import FleetError
from fleet.flows.alert_limits import failing_limits, is_limit, limit_message, limit_well_since
from fleet.flows.alert_text import facts_of, place_of, whom_to_ring
from fleet.flows.status import RootCause, Situation, open_situation
from fleet.report.notify import Message
from fleet.report.words import Words

if TYPE_CHECKING:
    from fleet.store.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """Somebody who is told.

    Args:
        members: only what concerns these; None: all.
        keeps_quiet: outside the hours of the sites that are hit.
        deliver: hands a message over.
    """

    name: str
    members: frozenset[str] | None
    keeps_quiet: bool
    deliver: Callable[[Message], None]


def tell(
    store: "Store",
    channels: Sequence[Channel],
    words: Words,
    now: datetime,
    interval: timedelta,
    from_site: str | None,
    limits: Limits = MappingProxyType({}),
) -> list[str]:
    """Send what is new, and keep what was sent; what went wrong with it, a line each.

    A message that was not taken is due again after the next poll. Who is killed between sending
    and keeping sends it once more, with the same id.
    """
    with store.reader() as reader:
        situation = open_situation(reader, now, interval, from_site)
        known = {channel.name: reader.told(channel.name) for channel in channels}
    causes = {f"{cause.kind} {cause.name}": cause for cause in situation.root_causes}
    failing = {key: _failing(situation, key, cause) for key, cause in causes.items()}
    failing |= failing_limits(situation)
    troubles = []
    for channel in channels:
        concerns = {
            key: one
            for key, one in failing.items()
            if channel.members is None or one.members & channel.members
        }
        due = find_due(
            concerns,
            known[channel.name],
            lambda key: _well_since(situation, key),
            to_us(now),
            keeps_quiet=channel.keeps_quiet,
        )
        for one in due:
            if is_limit(one.key):
                message = limit_message(situation, one, words, limits)
            else:
                message = compose(situation, one, causes.get(one.key), words)
            try:
                channel.deliver(message)
            except FleetError as error:
                troubles.append(f"alert {channel.name}: {error.message}")
                continue
            said = Told(key=one.key, phase=one.phase, since=one.since, at=to_us(now))
            store.keep_alert(channel.name, said, message.text)
    return troubles


def send_test(store: "Store", channel: Channel, words: Words, now: datetime) -> Message:
    """A message that says that it is a test."""
    key = f"test {channel.name}"
    due = Due(key=key, phase=Phase.TEST, since=to_us(now))
    title = words("alert_test", channel=channel.name)
    facts = {"phase": Phase.TEST.value, "channel": channel.name}
    message = Message(id=due.id, title=title, text=title, facts=facts)
    channel.deliver(message)
    said = Told(key=key, phase=Phase.TEST, since=due.since, at=due.since)
    store.keep_alert(channel.name, said, message.text)
    return message


def _failing(situation: Situation, key: str, cause: RootCause) -> Failing:
    inventory = situation.inventory
    hit = sites_hit(inventory, cause)
    members = frozenset(inventory.sites[site].member for site in hit)
    return Failing(
        key=key,
        since=to_us(cause.since),
        members=members,
        is_maintained=cause.is_maintained,
        is_quiet=_is_quiet(inventory, cause, hit, to_us(situation.now)),
    )


def sites_hit(inventory: Inventory, cause: RootCause) -> tuple[str, ...]:
    """The sites that a cause is at, and those behind it."""
    at = set(cause.sites_behind)
    if cause.kind == "device" and cause.name in inventory.devices:
        at.add(inventory.devices[cause.name].site)
    elif cause.kind == "link" and cause.name in inventory.links:
        link = inventory.links[cause.name]
        ends = (inventory.end(link.a), inventory.end(link.b))
        at |= {end.site for end in ends if end.site is not None}
    return tuple(sorted(at & inventory.sites.keys()))


def _is_quiet(inventory: Inventory, cause: RootCause, hit: Sequence[str], now: int) -> bool:
    """Whether no site that is hit is in use now, and no service that may not wait."""
    services = (inventory.services[slug] for slug in cause.services_behind)
    if any(service.criticality in URGENT for service in services):
        return False
    minute = (now, now + 1)
    return not any(scheduled(hours_of(inventory.sites[site]), minute) for site in hit)


def _well_since(situation: Situation, key: str) -> int | None:
    """Since when what a key names is well; None: it fails, hangs behind another, or is unknown."""
    if is_limit(key):
        return limit_well_since(situation, key)
    kind, _, name = key.partition(" ")
    if kind == "device":
        if name not in situation.polled:
            return 0  # it was taken away
        track = situation.tracks.get(name)
        return to_us(track.since) if track is not None and track.state is State.UP else None
    link = situation.inventory.links.get(name)
    if link is None:
        return 0
    ends = (situation.inventory.end(text).device for text in (link.a, link.b))
    tracks = [situation.tracks.get(device) for device in ends if device in situation.polled]
    well = [track.since for track in tracks if track is not None and track.state is State.UP]
    return max(map(to_us, well)) if len(well) == len(tracks) and well else None


def compose(situation: Situation, due: Due, cause: RootCause | None, words: Words) -> Message:
    """What people read: what, where, since when, who is behind it, whom to ring."""
    inventory = situation.inventory
    name = due.key.partition(" ")[2]
    device, site = place_of(inventory, name)
    where = site.name if site else ""
    what = f"{name} ({where})" if where else name
    title = words(f"alert_{due.phase.value}", what=what)
    lines = [title, *_body(situation, due, cause, words)]
    if cause is not None:
        lines += whom_to_ring(inventory, device, site, words)
    facts = facts_of(situation, due, site) | {
        "devices_behind": cause.devices_behind if cause else 0,
        "sites_behind": list(cause.sites_behind) if cause else [],
        "services_behind": list(cause.services_behind) if cause else [],
    }
    return Message(id=due.id, title=title, text="\n".join(lines), facts=facts)


def _body(situation: Situation, due: Due, cause: RootCause | None, words: Words) -> Iterator[str]:
    if cause is None:
        return
    yield words("alert_since", since=short_text(cause.since))
    if cause.devices_behind:
        yield words(
            "alert_behind",
            devices=cause.devices_behind,
            sites=len(cause.sites_behind),
            users=cause.users_behind,
        )
    if cause.services_behind:
        services = situation.inventory.services
        names = ", ".join(services[slug].name for slug in cause.services_behind)
        yield words("alert_services", services=names)
    if due.phase is Phase.FLAPS:
        yield words("alert_rest")
