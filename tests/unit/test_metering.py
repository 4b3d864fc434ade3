"""What devices are asked for when they are measured."""

from datetime import UTC, datetime, timedelta

from fleet.core.metric.ports import PORTS
from fleet.core.walk import Answer, Walk, oid
from fleet.flows.measure import LEARN_EVERY, Metering

BEGIN = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)
IN_64, NAME = oid("1.3.6.1.2.1.31.1.1.1.6"), oid("1.3.6.1.2.1.31.1.1.1.1")


def answer(at: datetime, *, is_whole: bool = True) -> Answer:
    columns = {NAME: {(1,): b"Gi1"}, IN_64: {(1,): 7}} if is_whole else {}
    walk = Walk(scalars={oid("1.3.6.1.2.1.1.3.0"): 100}, columns=columns)
    return Answer(target="sw1", at=at, walk=walk, unread=() if is_whole else (PORTS.name,))


def asked(metering: Metering, at: datetime) -> set[str]:
    return {table.name for table in metering.more_of("sw1", at, Walk()).tables}


def test_a_device_is_asked_for_everything_once_a_day_and_else_for_what_it_has() -> None:
    metering = Metering(None)
    assert len(asked(metering, BEGIN)) > 5
    metering.record({"sw1": answer(BEGIN)}, BEGIN)
    assert asked(metering, BEGIN + timedelta(minutes=5)) == {PORTS.name}
    assert len(asked(metering, BEGIN + LEARN_EVERY)) > 5


def test_what_broke_off_when_everything_was_asked_for_is_asked_for_again() -> None:
    metering = Metering(None)
    metering.record({"sw1": answer(BEGIN)}, BEGIN)
    later = BEGIN + LEARN_EVERY
    metering.record({"sw1": answer(later, is_whole=False)}, later)
    assert asked(metering, later + timedelta(minutes=5)) == {PORTS.name}
