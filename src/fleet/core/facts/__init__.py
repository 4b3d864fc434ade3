"""What a device says of itself: SNMP walks read into named facts, as pure functions.

Each module reads one subject; `read` puts all of them into one value.
"""

from fleet.core.facts.findings import Finding, find_differences, short_name
from fleet.core.facts.identity import Platforms
from fleet.core.facts.read import TABLES, Facts, read_facts, scalars_to_ask
from fleet.core.facts.system import ENGINE_BOOTS, SYS_UP_TIME, SYSTEM, read_boots, read_uptime

__all__ = [
    "ENGINE_BOOTS",
    "SYSTEM",
    "SYS_UP_TIME",
    "TABLES",
    "Facts",
    "Finding",
    "Platforms",
    "find_differences",
    "read_boots",
    "read_facts",
    "read_uptime",
    "scalars_to_ask",
    "short_name",
]
