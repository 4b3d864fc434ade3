"""Dates and instants: Oslo where nothing is said, exact everywhere."""

from datetime import UTC, date, datetime

import pytest

from fleet.core.moment import from_us, parse_moment, text_of, to_instant, to_us
from fleet.errors import Malformed


def test_a_date_is_its_midnight_in_oslo() -> None:
    assert parse_moment("2026-07-01") == date(2026, 7, 1)
    assert to_instant(date(2026, 7, 1)) == datetime(2026, 6, 30, 22, tzinfo=UTC)
    assert to_instant(date(2026, 1, 1)) == datetime(2025, 12, 31, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-03-01T12:00", "2026-03-01T11:00:00.000000Z"),
        ("2026-07-01 12:00", "2026-07-01T10:00:00.000000Z"),
        ("2026-07-01T12:00:30+05:00", "2026-07-01T07:00:30.000000Z"),
        ("2026-07-01T12:00Z", "2026-07-01T12:00:00.000000Z"),
        ("2025-10-26T02:30+01:00", "2025-10-26T01:30:00.000000Z"),
    ],
)
def test_an_instant_without_offset_is_oslo_time(text: str, utc: str) -> None:
    assert text_of(parse_moment(text)) == utc


@pytest.mark.parametrize(
    "text",
    ["2026-03-29T02:30", "2025-10-26T02:30", "yesterday", "2026-02-30", "2026-13-01", "2026"],
)
def test_what_names_no_instant_or_two_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        parse_moment(text)


def test_microseconds_are_exact() -> None:
    instant = datetime(2026, 11, 21, 12, 0, 0, 123457, tzinfo=UTC)

    assert from_us(to_us(instant)) == instant
