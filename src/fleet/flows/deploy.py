"""The plan of a rollout: what devices are to have, what they have, and in which order."""

import hmac
import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from fleet.ansible.platforms import PLATFORMS
from fleet.core.baseline import Baseline, ChangeClass
from fleet.core.configuration import Language, missing, parse
from fleet.core.configuration import diff as diff_lines
from fleet.core.desired import Desired
from fleet.core.inventory import Device, Inventory
from fleet.core.masking import without_secrets
from fleet.core.observed import Difference, Observed, compare_files
from fleet.core.record import Record, encode, from_record
from fleet.core.rollout import Group, Item, LeftOut, Plan, group_alike
from fleet.core.secrets import MARK, filled, hide, masked, references_in
from fleet.core.topology import Network
from fleet.core.waves import Caps, Danger, Wave, WaveBuilder
from fleet.errors import PlanStale

if TYPE_CHECKING:
    from fleet.ansible.generate import Generator
    from fleet.ansible.render import Renderer
    from fleet.ansible.secrets import Secrets

Read = Callable[[Sequence[tuple[Device, Sequence[str]]]], Mapping[str, Observed]]
_CLASSES = list(ChangeClass)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wants rolled out.

    Args:
        devices: who is meant; those that cannot be driven are left out with a reason.
        is_at_once: all in one wave, or not at all.
    """

    baselines: Sequence[Baseline]
    devices: Sequence[Device]
    caps: Caps
    is_at_once: bool = False


@dataclass(frozen=True, slots=True)
class Prepared:
    """A plan, and what it rests on.

    Args:
        desired: what every device in question is to have.
        observed: what the devices had; empty if nobody looked.
    """

    plan: Plan
    desired: Sequence[Desired]
    observed: Mapping[str, Observed]


class Planner:
    """Makes plans of rollouts.

    Args:
        read: asks devices what they have; None: nobody is asked, and everything counts as new.
        owners: whether the owner of a file matters.
    """

    def __init__(
        self,
        network: Network,
        renderer: "Renderer",
        generator: "Generator",
        secrets: "Secrets",
        read: Read | None,
        *,
        owners: bool,
    ) -> None:
        self.network = network
        self.inventory: Inventory = network.inventory
        self._renderer = renderer
        self._generator = generator
        self._secrets = secrets
        self._read = read
        self._owners = owners
        self._compared: dict[object, tuple[str, str]] = {}

    def make(self, wish: Wish) -> Prepared:
        """What would be done.

        Raises:
            Malformed: a template or a variable cannot be used.
            NotPermitted: a secret would stand in a playbook.
        """
        targets, left_out = _drivable(wish.devices)
        desired, without = self.render(wish.baselines, targets)
        self._secrets.values(references_in(text for d in desired for text in d.texts()))
        observed = self._read(paths_of(desired, self.inventory)) if self._read else {}
        unread = {name: o.error for name, o in observed.items() if o.error}
        left_out += [
            *without,
            *(LeftOut(device=n, reason=f"it could not be read: {e}") for n, e in unread.items()),
        ]
        differences = [
            self.compare(d, observed.get(d.device)) for d in desired if d.device not in unread
        ]
        needed = [d for d in differences if d.is_needed]
        waves, refused = self._waves(wish, {d.device for d in needed})
        plan = Plan(
            baselines=tuple(sorted(b.name for b in wish.baselines)),
            change_class=max((b.change_class for b in wish.baselines), key=_CLASSES.index),
            items=self._items(desired, needed),
            waves=waves,
            left_out=tuple(sorted(left_out, key=lambda o: (o.device, o.reason))),
            refused=refused,
            groups=group_alike((d.device, d.baseline, d.text) for d in needed),
            unchanged=tuple(sorted({d.device for d in differences} - {d.device for d in needed})),
            devices_read=self._read is not None,
            risks={b.name: b.risk for b in wish.baselines if b.risk},
            files={},
        )
        files = self._generator.generate(
            wish.baselines, desired, plan.waves, self.inventory, plan.id
        )
        return Prepared(replace(plan, files=files), desired, observed)

    def reopen(self, document: Record, baselines: Sequence[Baseline]) -> Prepared:
        """A plan that was kept, with what devices are to have by it.

        Raises:
            PlanStale: the baselines, the templates or the inventory say something else by now.
        """
        plan = plan_of(document)
        names = sorted({item.device for item in plan.items})
        gone = [name for name in names if name not in self.inventory.devices]
        desired: list[Desired] = []
        if not gone:
            desired, _ = self.render(baselines, [self.inventory.devices[name] for name in names])
        wanted = {(d.device, d.baseline): d.digest() for d in desired}
        if gone or any(wanted.get((i.device, i.baseline)) != i.wanted for i in plan.items):
            raise PlanStale(
                f"what the plan {plan.id} was made of has changed since",
                hint="make a new one: fleet deploy --plan",
            )
        files = self._generator.generate(baselines, desired, plan.waves, self.inventory, plan.id)
        return Prepared(replace(plan, files=files), desired, {})

    def render(
        self, baselines: Sequence[Baseline], targets: Sequence[Device]
    ) -> tuple[list[Desired], list[LeftOut]]:
        """What devices are to have, by baseline and device, and who has no template."""
        desired, without = [], []
        for baseline in sorted(baselines, key=lambda b: b.name):
            for device in targets:
                if (item := self._renderer.render(baseline, self.inventory, device)) is not None:
                    desired.append(item)
                    continue
                family = PLATFORMS[device.platform or ""].name
                reason = f"the baseline {baseline.name} has no template for {family}"
                without.append(LeftOut(device=device.name, reason=reason))
        return desired, without

    def compare(self, wanted: Desired, observed: Observed | None) -> Difference:
        """How one baseline differs on one device; alike cases are worked out once."""
        seen = observed or Observed(device=wanted.device, config="")
        files = tuple(seen.files.get(f.path) for f in wanted.files)
        key = (wanted.family, wanted.content(), files, seen.config)
        if key not in self._compared:
            found = self._difference(wanted, seen)
            self._compared[key] = found.text, found.state
        text, state = self._compared[key]
        return Difference(
            device=wanted.device,
            baseline=wanted.baseline,
            text=text,
            state=state if observed is not None else "",
        )

    def _difference(self, wanted: Desired, seen: Observed) -> Difference:
        values = self._secrets.values(references_in(wanted.texts()))
        platform = next(p for p in PLATFORMS.values() if p.name == wanted.family)
        language = platform.language
        if language is None:
            found = compare_files(wanted, seen, values, owners=self._owners)
            return replace(found, text=hide(found.text, self._secrets.known()))
        text = filled(wanted.text, values)
        hidden = _hidden(wanted.text, text, language)
        plain = text if text is not None else wanted.text
        lines = missing(plain, seen.config or "", language, hidden, platform.implied)
        shown = diff_lines(_named(lines, wanted.text, text, language), language)
        key = "".join(v or "" for v in values.values()) or "-"
        return Difference(
            device=wanted.device,
            baseline=wanted.baseline,
            text=masked(hide(_without_theirs(shown), self._secrets.known())),
            state=hmac.new(key.encode(), str(sorted(lines)).encode(), "sha256").hexdigest(),
        )

    def _waves(self, wish: Wish, names: set[str]) -> tuple[tuple[Wave, ...], tuple[Danger, ...]]:
        builder = WaveBuilder(self.network)
        if wish.is_at_once:
            danger = builder.danger(sorted(names))
            wave = Wave(number=1, why="all", devices=tuple(sorted(names)))
            return ((wave,) if names else ()), (() if danger is None else (danger,))
        devices = self.inventory.devices
        targets = {n: (devices[n].platform or "", devices[n].role) for n in sorted(names)}
        return builder.build(targets, wish.caps), ()

    def _items(self, desired: Sequence[Desired], needed: Sequence[Difference]) -> tuple[Item, ...]:
        wanted = {(d.device, d.baseline): d for d in desired}
        return tuple(
            Item(
                device=found.device,
                member=self.inventory.sites[self.inventory.devices[found.device].site].member,
                site=self.inventory.devices[found.device].site,
                baseline=found.baseline,
                wanted=wanted[found.device, found.baseline].digest(),
                state=found.state,
            )
            for found in sorted(needed, key=lambda d: (d.device, d.baseline))
        )


def _hidden(wanted: str, text: str | None, language: Language) -> Mapping[tuple[str, ...], str]:
    """Lines with a secret, and how they go up to it."""
    marked, plain = parse(wanted, language), parse(text or wanted, language)
    if len(marked) != len(plain):
        return {}
    pairs = zip(plain, marked, strict=True)
    return {p: MARK.split(m[-1], maxsplit=1)[0].rstrip('"') for p, m in pairs if MARK.search(m[-1])}


def _without_theirs(diff: str) -> str:
    """A difference without the secrets of lines that a device has and is to lose."""
    lines = diff.splitlines(keepends=True)
    return "".join(without_secrets(x) if x.startswith("-") else x for x in lines)


def _named(
    lines: Sequence[tuple[str, ...]], wanted: str, text: str | None, language: Language
) -> list[tuple[str, ...]]:
    """Lines with the marks of secrets in them again, as they are shown to people."""
    marked, plain = parse(wanted, language), parse(text or wanted, language)
    if len(marked) != len(plain):  # a secret with line breaks or the like
        return [("<lines that hold a secret>",)]
    names = dict(zip(plain, marked, strict=True))
    return [names.get(line, line) for line in lines]


def _drivable(devices: Sequence[Device]) -> tuple[list[Device], list[LeftOut]]:
    """Who can be driven, and why the others cannot."""
    targets, left_out = [], []
    for device in sorted(devices, key=lambda d: d.name):
        if not device.is_polled:
            reason = f"its status is {device.status.value}"
        elif device.platform is None:
            reason = "its platform is not known"
        elif device.platform not in PLATFORMS:
            reason = f"fleet does not know how to configure {device.platform}"
        elif device.address is None:
            reason = "it has no address"
        else:
            targets.append(device)
            continue
        left_out.append(LeftOut(device=device.name, reason=reason))
    return targets, left_out


def paths_of(
    desired: Sequence[Desired], inventory: Inventory
) -> list[tuple[Device, Sequence[str]]]:
    """What is to be looked at, device by device."""
    paths: dict[str, list[str]] = defaultdict(list)
    for item in desired:
        paths[item.device] += [file.path for file in item.files]
    return [(inventory.devices[name], sorted(set(mine))) for name, mine in sorted(paths.items())]


def to_document(plan: Plan) -> Record:
    """A plan as other programs read it."""
    return {
        "id": plan.id,
        "digest": plan.digest,
        "class": plan.change_class.value,
        "baselines": list(plan.baselines),
        "risks": dict(sorted(plan.risks.items())),
        "targets": plan.targets,
        "unchanged": len(plan.unchanged),
        "read": plan.devices_read,
        "groups": encode(plan.groups),
        "waves": encode(plan.waves),
        "left_out": encode(plan.left_out),
        "refused": encode(plan.refused),
        "files": sorted(plan.files),
    }


def plan_of(document: Record) -> Plan:
    """A plan as it was kept, without its files."""
    return Plan(
        baselines=tuple(document["baselines"]),
        change_class=ChangeClass(document["class"]),
        items=tuple(from_record(Item, item) for item in document["items"]),
        waves=tuple(from_record(Wave, wave) for wave in document["waves"]),
        left_out=tuple(from_record(LeftOut, one) for one in document["left_out"]),
        refused=(),
        groups=tuple(from_record(Group, group) for group in document["groups"]),
        files={},
    )


def save_plan(plan: Plan, folder: Path) -> Path:
    """Keep a plan beside the database, under its id."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{plan.id}.json"
    path.write_text(json.dumps(to_document(plan), ensure_ascii=False, indent=2), encoding="utf-8")
    return path
