"""The age and the tests of a UPS's batteries (RFC 1628; PowerNet-MIB of APC; XUPS-MIB of Eaton)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from fleet.core.facts.values import text
from fleet.core.walk import Value, Walk, oid

_TEST = oid("1.3.6.1.2.1.33.1.7.3.0")  # upsTestResultsSummary
_APC = oid("1.3.6.1.4.1.318.1.1.1")
_APC_REPLACED = (*_APC, 2, 1, 3, 0)  # upsBasicBatteryLastReplaceDate
_APC_REPLACE = (*_APC, 2, 2, 4, 0)  # upsAdvBatteryReplaceIndicator
_APC_TEST = (*_APC, 7, 2, 3, 0)  # upsAdvTestDiagnosticsResults
_APC_TESTED = (*_APC, 7, 2, 4, 0)  # upsAdvTestLastDiagnosticsDate
_EATON = oid("1.3.6.1.4.1.534.1")
_EATON_REPLACED = (*_EATON, 2, 6, 0)  # xupsBatteryLastReplacedDate
_EATON_TEST = (*_EATON, 8, 2, 0)  # xupsTestBatteryStatus

BATTERY_SCALARS = (_TEST,)
APC_BATTERY_SCALARS = (_APC_REPLACED, _APC_REPLACE, _APC_TEST, _APC_TESTED)
EATON_BATTERY_SCALARS = (_EATON_REPLACED, _EATON_TEST)

PASSED, WARNING, FAILED = "passed", "warning", "failed"
_RESULTS = {1: PASSED, 2: WARNING, 3: FAILED}
_APC_RESULTS = {1: PASSED, 2: FAILED}
_EATON_RESULTS = {2: PASSED, 3: FAILED}
_REPLACE = {1: False, 2: True}
_DATE = re.compile(r"(\d\d?)/(\d\d?)/(\d{4}|\d\d)")
_Name = TypeVar("_Name")
_OLDEST = date(2002, 1, 1)  # clocks that nobody set stand at 1970, 2000 or 2001


@dataclass(frozen=True, slots=True, kw_only=True)
class Battery:
    """How old a UPS's batteries are, and what its last test of them said.

    Args:
        replaced_on: when they were put in, as somebody told the UPS.
        must_be_replaced: the UPS says so.
        self_test: passed, warning or failed.
    """

    replaced_on: date | None = None
    must_be_replaced: bool | None = None
    self_test: str | None = None
    self_test_on: date | None = None


def read_battery(walk: Walk) -> Battery | None:
    """What a UPS says of its batteries; None: nothing."""
    found = Battery(
        replaced_on=_day(walk.get(_APC_REPLACED)) or _day(walk.get(_EATON_REPLACED)),
        must_be_replaced=_named(_REPLACE, walk.get(_APC_REPLACE)),
        self_test=_named(_APC_RESULTS, walk.get(_APC_TEST))
        or _named(_EATON_RESULTS, walk.get(_EATON_TEST))
        or _named(_RESULTS, walk.get(_TEST)),
        self_test_on=_day(walk.get(_APC_TESTED)),
    )
    return None if found == Battery() else found


def _named(names: Mapping[int, _Name], value: Value | None) -> _Name | None:
    return names.get(value) if isinstance(value, int) else None


def _day(value: Value | None) -> date | None:
    """Month, day and year, as both makers write them."""
    match = _DATE.fullmatch((text(value) or "").strip())
    if match is None:
        return None
    month, day, year = map(int, match.groups())
    try:
        found = date(year if year > 99 else 2000 + year, month, day)
    except ValueError:
        return None
    return found if found >= _OLDEST else None
