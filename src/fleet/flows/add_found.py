"""Proposals of a discovery, written into the declared inventory as planned."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from fleet.core.discovery import (
    Discovery,
    LinkMatch,
    LinkVerdict,
    Match,
    Verdict,
    is_addable,
    match_links,
)
from fleet.core.inventory import Inventory
from fleet.core.record import Record
from fleet.sources.append import all_or_none, append_entries


@dataclass(frozen=True, slots=True, kw_only=True)
class Addition:
    """What is written, by member and section, and what is not."""

    entries: Mapping[tuple[str, str], list[Record]]
    left_out: tuple[tuple[str, str], ...]  # what, why

    @property
    def devices(self) -> int:
        return sum(len(e) for (_, section), e in self.entries.items() if section == "devices")

    @property
    def links(self) -> int:
        return sum(len(e) for (_, section), e in self.entries.items() if section == "links")


def plan_addition(found: Discovery, inventory: Inventory, declared: Inventory) -> Addition:
    """Which entries the proposals come to.

    Args:
        inventory: the joint one, with which the finds were compared.
        declared: the files as they are now: what stands there already is not written again.
    """
    entries: dict[tuple[str, str], list[Record]] = {}
    left_out: list[tuple[str, str]] = []
    sites = {d.name: d.site for d in inventory.devices.values() if not d.retired}
    for match in found.devices:
        if match.verdict is not Verdict.NEW or _is_declared(match, declared):
            continue
        site = inventory.sites.get(_site_by_links(match, found, sites) or match.site or "")
        if site is None:
            left_out.append((match.name, "nothing says at which site it is: use --site"))
        elif match.facts.role is None:
            left_out.append((match.name, "nobody knows what it is: declare it with its role"))
        else:
            entries.setdefault((site.member, "devices"), []).append(_device(match, site.slug))
            sites[match.name] = site.slug
    for link in found.links:
        if not is_addable(link, sites) or _are_linked(link, declared):
            continue
        a, b = link.link.a, link.link.b
        site = inventory.sites[sites[a.device]]
        # What a cable is made of, no protocol tells: within a house copper, else fibre.
        kind = "copper" if sites[a.device] == sites[b.device] else "fibre"
        entry = {"a": str(a), "b": str(b), "kind": kind}
        entries.setdefault((site.member, "links"), []).append(entry)
    return Addition(entries=entries, left_out=tuple(left_out))


def _is_declared(match: Match, declared: Inventory) -> bool:
    return any(
        device.name.casefold() == match.name.casefold()
        or (device.serial and device.serial == match.facts.serial)
        or (device.address, device.port) == (match.address, match.port)
        for device in declared.devices.values()
    )


def _are_linked(link: LinkMatch, declared: Inventory) -> bool:
    (again,) = match_links([link.link], declared)
    return again.verdict is not LinkVerdict.NEW


def _site_by_links(match: Match, found: Discovery, sites: Mapping[str, str]) -> str | None:
    """The site of its neighbours, if they are all at one."""
    near = set()
    for link in found.links:
        ends = {link.link.a.device, link.link.b.device}
        if match.name in ends:
            near |= {sites[name] for name in ends - {match.name} if name in sites}
    return near.pop() if len(near) == 1 else None


def _device(match: Match, site: str) -> Record:
    facts = match.facts
    entry: Record = {
        "name": match.name,
        "site": site,
        "role": facts.role,
        "address": match.address,
        "port": match.port if match.port != 161 else None,
        "credential": match.credential if match.credential != "default" else None,
        "platform": facts.platform,
        "vendor": facts.vendor,
        "model": facts.model,
        "serial": facts.serial,
        "status": "planned",
    }
    return {key: value for key, value in entry.items() if value is not None}


def add(addition: Addition, folder: Path, check: Callable[[], object]) -> list[Path]:
    """Write the entries; the files that were written.

    Args:
        folder: `inventory/` of the workspace.
        check: reads the whole inventory; if it does not like it, all files are put back.
    """
    paths = [
        folder / member / f"{section}{suffix}"
        for member, section in addition.entries
        for suffix in (".csv", ".yaml")
    ]
    with all_or_none(paths):
        written = [
            append_entries(folder / member, section, entries)
            for (member, section), entries in sorted(addition.entries.items())
        ]
        check()
    return written
