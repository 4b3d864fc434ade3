"""Sets of time as sorted, disjoint, half-open spans of whole microseconds since 1970 (UTC).

Whole numbers keep every sum exact. Intersect intervals, never subtract totals.
"""

from bisect import bisect_right
from collections.abc import Iterable

Span = tuple[int, int]
Spans = list[Span]

SECOND = 1_000_000


def union(spans: Iterable[Span]) -> Spans:
    """The time that is in any of `spans`, which may overlap and come in any order."""
    joined: Spans = []
    for start, end in sorted(spans):
        if start >= end:
            continue
        if joined and start <= joined[-1][1]:
            if end > joined[-1][1]:
                joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def intersect(a: Spans, b: Spans) -> Spans:
    """The time that is in both."""
    both: Spans = []
    if not a or not b:
        return both
    i = j = 0
    (a_start, a_end), (b_start, b_end) = a[0], b[0]
    while True:
        start = a_start if a_start > b_start else b_start
        end = a_end if a_end < b_end else b_end
        if start < end:
            both.append((start, end))
        if a_end <= b_end:
            i += 1
            if i == len(a):
                return both
            a_start, a_end = a[i]
        else:
            j += 1
            if j == len(b):
                return both
            b_start, b_end = b[j]


def touches(spans: Spans, span: Span) -> bool:
    """Whether any time of `span` is in `spans`."""
    place = bisect_right(spans, (span[0], span[0])) - 1
    if place >= 0 and spans[place][1] > span[0]:
        return True
    return place + 1 < len(spans) and spans[place + 1][0] < span[1]


def subtract(a: Spans, b: Spans) -> Spans:
    """The time that is in `a` and not in `b`."""
    if not a or not b:
        return list(a)
    left: Spans = []
    j = 0
    for start, end in a:
        begin = start
        while j < len(b) and b[j][1] <= begin:
            j += 1
        k = j
        while k < len(b) and b[k][0] < end:
            if b[k][0] > begin:
                left.append((begin, b[k][0]))
            begin = max(begin, b[k][1])
            k += 1
        if begin < end:
            left.append((begin, end))
    return left


def total(spans: Spans) -> int:
    """How long all of it is, in microseconds."""
    return sum([end - start for start, end in spans])


def merge_gaps(spans: Spans, shorter_than: int) -> Spans:
    """The spans with every gap under `shorter_than` microseconds closed."""
    merged: Spans = []
    for start, end in spans:
        if merged and start - merged[-1][1] < shorter_than:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return merged
