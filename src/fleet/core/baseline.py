"""Baselines: named pieces of common configuration, and which variables hold for which device."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from fleet.core.inventory import Device, Site
from fleet.core.record import Json

# From the general to the particular: the later one wins.
SELECTORS = ("member", "site_kind", "site", "role", "device")


class ChangeClass(StrEnum):
    """Which quorum rule a change of this baseline needs."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """Variables for the devices that fit all of its selectors."""

    selectors: Mapping[str, str]
    variables: Mapping[str, Json]

    @property
    def rank(self) -> int:
        return max(SELECTORS.index(name) for name in self.selectors)

    @property
    def label(self) -> str:
        """A name for people and files: `member-smola`."""
        parts = (f"{name}-{self.selectors[name]}" for name in SELECTORS if name in self.selectors)
        return "-".join(parts).replace("_", "-")

    def fits(self, device: Device, site: Site) -> bool:
        facts = {
            "member": site.member,
            "site_kind": site.kind.value,
            "site": site.slug,
            "role": device.role,
            "device": device.name,
        }
        return all(facts[name] == value for name, value in self.selectors.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """A named piece of common configuration.

    Args:
        risk: what can go wrong with it, for those who decide.
        by_name: taken only when it is named, not with all.
    """

    name: str
    description: str
    risk: str = ""
    by_name: bool = False
    change_class: ChangeClass = ChangeClass.NORMAL
    variables: Mapping[str, Json] = field(default_factory=dict)
    overrides: tuple[Override, ...] = ()

    def variables_of(self, device: Device, site: Site) -> tuple[Mapping[str, Json], str]:
        """The variables that hold for a device, and a label for the overrides that made them."""
        fitting = sorted((o for o in self.overrides if o.fits(device, site)), key=lambda o: o.rank)
        variables = dict(self.variables)
        for override in fitting:
            variables |= override.variables
        return variables, "_".join(o.label for o in fitting) or "common"
