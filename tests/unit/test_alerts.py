"""When somebody is told, and when not."""

from fleet.core.alerts import HOUR, Due, Failing, Phase, Told, find_due

MINUTE = HOUR // 60
KEY = "device r1"


class Channel:
    """Somebody who is told, minute by minute."""

    def __init__(self, *, keeps_quiet: bool = False) -> None:
        self.told: list[Told] = []
        self.keeps_quiet = keeps_quiet

    def at(
        self,
        minute: int,
        *,
        fails: bool,
        well_since: int | None = None,
        maintained: bool = False,
        quiet: bool = False,
    ) -> list[Phase]:
        now = minute * MINUTE
        cause = Failing(
            key=KEY,
            since=now,
            members=frozenset({"aure"}),
            is_maintained=maintained,
            is_quiet=quiet,
        )
        well = None if well_since is None else well_since * MINUTE
        due: list[Due] = find_due(
            {KEY: cause} if fails else {},
            self.told,
            lambda _: well,
            now,
            keeps_quiet=self.keeps_quiet,
        )
        self.told += [Told(key=d.key, phase=d.phase, since=d.since, at=now) for d in due]
        return [one.phase for one in due]


def test_once_when_it_begins_and_once_when_it_ends() -> None:
    to = Channel()

    assert to.at(0, fails=True) == [Phase.BEGAN]
    assert to.at(1, fails=True) == []
    assert to.at(2, fails=False, well_since=2) == [Phase.ENDED]
    assert to.at(3, fails=False, well_since=2) == []


def test_what_hangs_behind_another_by_now_has_not_ended() -> None:
    to = Channel()

    to.at(0, fails=True)
    assert to.at(1, fails=False, well_since=None) == []
    assert to.at(9, fails=False, well_since=9) == [Phase.ENDED]


def test_maintenance_is_silent_and_what_outlasts_it_is_told() -> None:
    to = Channel()

    assert to.at(0, fails=True, maintained=True) == []
    assert to.at(60, fails=True) == [Phase.BEGAN]
    assert to.at(61, fails=False, well_since=61) == [Phase.ENDED]
    assert to.at(70, fails=True, maintained=True) == []
    assert to.at(80, fails=False, well_since=80) == []


def test_flapping_is_told_once_and_ends_when_it_has_been_well_for_an_hour() -> None:
    to = Channel()
    said = []
    for minute in range(0, 40, 2):
        said += to.at(minute, fails=True)
        said += to.at(minute + 1, fails=False, well_since=minute + 1)

    assert said == [Phase.BEGAN, Phase.ENDED] * 3 + [Phase.FLAPS]
    assert to.at(98, fails=False, well_since=39) == []
    assert to.at(99, fails=False, well_since=39) == [Phase.ENDED]
    assert to.at(200, fails=True) == [Phase.BEGAN]


def test_at_quiet_hours_it_waits_and_is_not_told_if_it_is_well_by_then() -> None:
    night, loud = Channel(keeps_quiet=True), Channel()

    assert night.at(0, fails=True, quiet=True) == []
    assert loud.at(0, fails=True, quiet=True) == [Phase.BEGAN]
    assert night.at(1, fails=False, well_since=1) == []
    assert night.at(2, fails=True, quiet=True) == []
    assert night.at(480, fails=True) == [Phase.BEGAN]


def test_a_test_message_opens_nothing() -> None:
    to = Channel()
    to.told.append(Told(key=KEY, phase=Phase.TEST, since=0, at=0))

    assert to.at(1, fails=False, well_since=0) == []
    assert to.at(2, fails=True) == [Phase.BEGAN]
