"""Which devices a change is on."""

from typing import TYPE_CHECKING

from fleet.core.journal import Stage, latest

if TYPE_CHECKING:
    from fleet.store.reader import Reader


def changed_by(reader: "Reader", plan: str) -> dict[str, int]:
    """The devices that have a change now, with the wave that brought it."""
    found: dict[str, int] = {}
    for run in reader.runs():
        if run.plan != plan:
            continue
        for device, step in latest(reader.steps(run.number)).items():
            if step.stage in (Stage.DONE, Stage.CHANGED, Stage.BEGUN):
                found[device] = step.wave
            elif step.stage is Stage.REVERTED:
                found.pop(device, None)
    return found
