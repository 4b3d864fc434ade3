"""The page on traffic: which ports are full, busy, silent, faulty, and how the fullest went."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from markupsafe import Markup

from fleet.core.course import Course, Window
from fleet.core.metric.kinds import TRAFFIC
from fleet.core.moment import from_us, local, to_us
from fleet.core.traffic import List, PortTraffic, Total
from fleet.core.units import bits, octets
from fleet.report.line_chart import Axis, line_chart
from fleet.report.look import Look
from fleet.report.template import load_template
from fleet.report.words import Words, words

_COLUMNS = {
    List.FULLEST: ("fullness", "received_busy", "sent_busy", "capacity"),
    List.BUSIEST: ("received_mean", "sent_mean", "octets", "fullness"),
    List.ERRORS: ("errors", "discards", "per_hour", "octets"),
    List.SILENT: ("silent_days", "capacity"),
}
_DAYS_IN_MONTH_MARKS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficPage:
    """What the page shows.

    Args:
        days: first and last, included.
        courses: of some ports, by `device : port`.
    """

    days: tuple[date, date]
    ports: int
    lists: Mapping[List, Sequence[PortTraffic]]
    members: Sequence[Total]
    courses: Mapping[str, Sequence[Course]]
    is_sampled: bool


def render_traffic(page: TrafficPage, look: Look, names: Mapping[str, str]) -> str:
    """The page; the same figures give the same bytes.

    Args:
        names: of sites and members, by slug.
    """
    say = words(look.language)
    tables = [
        {
            "head": say(f"traffic_{which.value}"),
            "note": say(f"traffic_{which.value}_note"),
            "columns": _COLUMNS[which],
            "rows": [_row(port, say, names) for port in page.lists.get(which, ())],
        }
        for which in _COLUMNS
    ]
    return load_template(look, "report/traffic.html.j2").render(
        say=say,
        look=look,
        language=look.language,
        cooperation=look.cooperation,
        period=f"{say.day(page.days[0])} – {say.day(page.days[1])}",
        summary=say("traffic_summary", ports=say.number(page.ports)),
        tables=[] if look.is_public else tables,
        totals=[_total(total, say, names) for total in page.members],
        charts=[] if look.is_public else _charts(page, say),
        until=say("traffic_until", day=say.day(page.days[1])),
        method=[say("traffic_method"), *([] if page.is_sampled else [say("traffic_rolled_up")])],
    )


def _row(port: PortTraffic, say: Words, names: Mapping[str, str]) -> dict[str, str]:
    fullness = port.fullness
    return {
        "port": f"{port.device} : {port.port}",
        "place": f"{names.get(port.site, port.site)}, {names.get(port.member, port.member)}",
        "link": "" if port.link is None or " : " in port.link else port.link,
        "fullness": say.percent(f"{100 * fullness:.1f}") if fullness is not None else "–",
        "capacity": _localised(bits, say)(port.capacity) if port.capacity else "–",
        "received_busy": _localised(bits, say)(port.received.busy),
        "sent_busy": _localised(bits, say)(port.sent.busy),
        "received_mean": _localised(bits, say)(port.received.mean),
        "sent_mean": _localised(bits, say)(port.sent.mean),
        "octets": _localised(octets, say)(port.received.octets + port.sent.octets),
        "errors": say.number(port.errors),
        "discards": say.number(port.discards),
        "per_hour": say.decimal(f"{port.faults_per_hour:.2f}"),
        "silent_days": say.number(port.silent_days or 0),
    }


def _total(total: Total, say: Words, names: Mapping[str, str]) -> dict[str, str]:
    return {
        "name": names.get(total.name, total.name),
        "ports": say.number(total.ports),
        "received_mean": _localised(bits, say)(total.received),
        "sent_mean": _localised(bits, say)(total.sent),
        "octets": _localised(octets, say)(total.octets),
        "fullest_day": "–" if total.fullest is None else say.percent(f"{100 * total.fullest:.1f}"),
    }


def _localised(form: Callable[[float], str], say: Words) -> Callable[[float], str]:
    return lambda value: say.measure(form(value))


def _charts(page: TrafficPage, say: Words) -> list[dict[str, object]]:
    return [
        {
            "name": name,
            "courses": [
                {"head": say(f"over_{one.window.value}"), "svg": Markup(_chart(name, one, say))}
                for one in courses
            ],
        }
        for name, courses in page.courses.items()
    ]


def _chart(name: str, course: Course, say: Words) -> str:
    own = {key.metric: series for key, series in course.means.items()}
    came, went = (own.get(metric, []) for metric in TRAFFIC)
    unit = _localised(bits, say)
    label = say(
        "traffic_chart",
        name=name,
        over=say(f"over_{course.window.value}").lower(),
        received=unit(_mean([value for _, value in came])),
        sent=unit(_mean([value for _, value in went])),
        most=unit(max((v for series in course.highs.values() for _, v in series), default=0.0)),
    )
    axis = Axis(
        begin=course.begin, end=course.end, step=course.step, marks=list(_marks(course, say))
    )
    return line_chart(came, went, axis, label, unit)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _marks(course: Course, say: Words) -> list[tuple[int, str]]:
    """What stands below: hours of a day, days of a week or a month, months of a year."""
    begin, end = (local(from_us(us)) for us in (course.begin, course.end))
    midnight = begin.replace(hour=0, minute=0, second=0, microsecond=0)
    found: list[tuple[datetime, str]] = []
    match course.window:
        case Window.DAY:
            hours = (midnight + timedelta(hours=6 * n) for n in range(9))
            found = [(at, f"{at:%H}") for at in hours]
        case Window.WEEK:
            names = say.weekdays()
            noons = (midnight + timedelta(days=n, hours=12) for n in range(9))
            found = [(at, names[at.weekday()]) for at in noons]
        case Window.MONTH:
            days = (midnight + timedelta(days=n) for n in range(0, 33, _DAYS_IN_MONTH_MARKS))
            found = [
                (at, f"{at.day}.{at.month}." if say.language != "en" else f"{at.day}/{at.month}")
                for at in days
            ]
        case Window.YEAR:
            names = say.months()
            first = midnight.replace(day=1)
            middles = ((first + timedelta(days=31 * n)).replace(day=15) for n in range(14))
            found = [(at, names[at.month - 1][:1].upper()) for at in middles]
    room = (course.end - course.begin) // 40  # so that nothing is cut off at the sides
    return [
        (to_us(at), text)
        for at, text in found
        if course.begin + room <= to_us(at) <= course.end - room and begin <= at <= end
    ]
