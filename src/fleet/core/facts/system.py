"""The system group, which every agent has (SNMPv2-MIB, RFC 3418)."""

from datetime import timedelta

from fleet.core.walk import Walk, oid

SYS_DESCR = oid("1.3.6.1.2.1.1.1.0")
SYS_OBJECT_ID = oid("1.3.6.1.2.1.1.2.0")
SYS_UP_TIME = oid("1.3.6.1.2.1.1.3.0")
SYS_CONTACT = oid("1.3.6.1.2.1.1.4.0")
SYS_NAME = oid("1.3.6.1.2.1.1.5.0")
SYS_LOCATION = oid("1.3.6.1.2.1.1.6.0")
ENGINE_BOOTS = oid("1.3.6.1.6.3.10.2.1.2.0")  # SNMP-FRAMEWORK-MIB, RFC 3411
SYSTEM = (SYS_DESCR, SYS_OBJECT_ID, SYS_UP_TIME, SYS_CONTACT, SYS_NAME, SYS_LOCATION)


def read_uptime(walk: Walk) -> timedelta | None:
    """How long the agent has been running, or None if it does not say.

    sysUpTime counts 1/100 s in 32 bits and starts over after 497 days.
    """
    ticks = walk.get(SYS_UP_TIME)
    if not isinstance(ticks, int) or not 0 <= ticks < 2**32:
        return None
    return timedelta(milliseconds=10 * ticks)


def read_boots(walk: Walk) -> int | None:
    """How often the agent's SNMP engine has started, or None if it does not say."""
    boots = walk.get(ENGINE_BOOTS)
    return boots if isinstance(boots, int) and 0 < boots < 2**31 - 1 else None


def read_object_id(walk: Walk) -> str | None:
    """sysObjectID in dotted form; 0.0 says nothing."""
    value = walk.get(SYS_OBJECT_ID)
    if not isinstance(value, tuple) or len(value) < 3:
        return None
    return ".".join(map(str, value))
