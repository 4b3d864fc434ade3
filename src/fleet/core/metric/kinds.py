"""The kinds of things that are measured, and their units."""

from dataclasses import dataclass
from typing import NamedTuple

MISSING = -(2**63)
"""What stands for a value that nobody knows; values are whole numbers of 64 bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One kind of thing that is measured.

    Args:
        unit: as people read it.
        digits: decimal digits of the whole numbers that are kept.
        factor: of a counter: what a step of one is, per second, in the unit.
        is_counter: it only grows, and what counts is by how much in which time.
    """

    name: str
    unit: str
    digits: int = 0
    factor: int = 1
    is_counter: bool = False


class Key(NamedTuple):
    """What a series is about: the kind, and the part of the device; empty: all of it."""

    metric: str
    part: str


IN_TRAFFIC, OUT_TRAFFIC = "in_traffic", "out_traffic"
IN_ERRORS, OUT_ERRORS = "in_errors", "out_errors"
IN_DISCARDS, OUT_DISCARDS = "in_discards", "out_discards"
TRAFFIC = (IN_TRAFFIC, OUT_TRAFFIC)
FAULTS = (IN_ERRORS, OUT_ERRORS, IN_DISCARDS, OUT_DISCARDS)
PORT_METRICS = (*TRAFFIC, *FAULTS)
STORAGE_USED, STORAGE_SIZE = "storage_used", "storage_size"
MEMORY_USED, MEMORY_SIZE = "memory_used", "memory_size"
PROCESSOR, MEMORY_LOAD = "processor", "memory_load"
SUPPLY, PAGES_PRINTED = "supply", "pages"
UPS_LOAD, UPS_CHARGE, UPS_RUNTIME, UPS_POWER = "ups_load", "ups_charge", "ups_runtime", "ups_power"
TEMPERATURE, HUMIDITY, POE_POWER = "temperature", "humidity", "poe_power"

METRICS = {
    metric.name: metric
    for metric in (
        *(Metric(name=name, unit="bit/s", factor=8, is_counter=True) for name in TRAFFIC),
        *(Metric(name=name, unit="/s", is_counter=True) for name in FAULTS),
        Metric(name=STORAGE_USED, unit="B"),
        Metric(name=STORAGE_SIZE, unit="B"),
        Metric(name=MEMORY_USED, unit="B"),
        Metric(name=MEMORY_SIZE, unit="B"),
        Metric(name=PROCESSOR, unit="%"),
        Metric(name=MEMORY_LOAD, unit="%"),
        Metric(name=SUPPLY, unit="%", digits=1),
        Metric(name=PAGES_PRINTED, unit="pages"),
        Metric(name=UPS_LOAD, unit="%"),
        Metric(name=UPS_CHARGE, unit="%"),
        Metric(name=UPS_RUNTIME, unit="min"),
        Metric(name=UPS_POWER, unit="W"),
        Metric(name=TEMPERATURE, unit="°C", digits=1),
        Metric(name=HUMIDITY, unit="%", digits=1),
        Metric(name=POE_POWER, unit="W"),
    )
}
