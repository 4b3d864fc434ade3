"""Telling people what is beyond its limits: full disks, empty toner and batteries, warm rooms."""

from fleet.core.alerts import URGENT, Due, Failing
from fleet.core.conditions import NORMAL, Condition
from fleet.core.hours import hours_of, scheduled
from fleet.core.impact import services_hit
from fleet.core.limit import Limits, Watched
from fleet.core.limits import limit_of
from fleet.core.moment import short_text, to_us
from fleet.flows.alert_text import facts_of, place_of, whom_to_ring
from fleet.flows.status import Situation
from fleet.report.notify import Message
from fleet.report.words import Words

_KIND = "limit "
_UNITS = {Watched.TEMPERATURE: "°C"}


def is_limit(key: str) -> bool:
    """Whether a message's key is about a limit, and not about what fails."""
    return key.startswith(_KIND)


def failing_limits(situation: Situation) -> dict[str, Failing]:
    """What is beyond its limits now, by key; of a device that hangs behind another nobody knows."""
    return {_key(one): _failing(situation, one) for one in situation.beyond}


def _key(one: Condition) -> str:
    return f"{_KIND}{one.device} : {one.subject.removeprefix(_KIND)}"


def _failing(situation: Situation, one: Condition) -> Failing:
    inventory = situation.inventory
    site = inventory.sites[inventory.devices[one.device].site]
    hit = services_hit(inventory, {one.device})
    may_not_wait = any(inventory.services[slug].criticality in URGENT for slug in hit)
    now = to_us(situation.now)
    return Failing(
        key=_key(one),
        since=to_us(one.since),
        members=frozenset({site.member}),
        is_maintained=one.device in situation.maintained,
        is_quiet=not may_not_wait and not scheduled(hours_of(site), (now, now + 1)),
    )


def _parts(key: str) -> tuple[str, str]:
    """The device and the condition's subject of a key."""
    device, _, about = key.removeprefix(_KIND).partition(" : ")
    return device, _KIND + about


def limit_well_since(situation: Situation, key: str) -> int | None:
    """Since when it is within its limits; None: it is not, or nobody knows."""
    device, subject = _parts(key)
    if device not in situation.polled:
        return 0  # it was taken away
    for one in situation.conditions:
        if (one.device, one.subject) == (device, subject) and one.state == NORMAL:
            return to_us(one.since)
    return None


def limit_message(situation: Situation, due: Due, words: Words, limits: Limits) -> Message:
    """What people read: what, where, which limit, since when, whom to ring."""
    inventory = situation.inventory
    name, subject = _parts(due.key)
    watched, part = limit_of(subject) or (Watched.STORAGE, "")
    device, site = place_of(inventory, name)
    what = f"{name} {part}".rstrip() + (f" ({site.name})" if site else "")
    about = words(f"alert_limit_{watched.value}")
    title = words(f"alert_limit_{due.phase.value}", about=about, what=what)
    lines = [title]
    current = next((c for c in situation.beyond if _key(c) == due.key), None)
    limit = limits.get(watched)
    if current is not None and limit is not None:
        unit = _UNITS.get(watched, "%")
        side = "above" if limit.at >= limit.back else "below"
        value = words.decimal(f"{limit.at:g}")
        since = short_text(current.since)
        lines.append(words(f"alert_limit_{side}", limit=f"{value} {unit}", since=since))
    if current is not None:
        lines += whom_to_ring(inventory, device, site, words)
    facts = facts_of(situation, due, site) | {
        "device": name,
        "limit": watched.value,
        "part": part or None,
    }
    return Message(id=due.id, title=title, text="\n".join(lines), facts=facts)
