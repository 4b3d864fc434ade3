"""The pages in a real browser: on a telephone, on a desk and on paper, with axe-core."""

import json
import os
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fleet.app import App
from tests.cli.test_uptime_report import FEBRUARY, correct, measured, window
from tests.measured import Device, measure
from tests.worlds import fleet

pytestmark = pytest.mark.browser

HERE = Path(__file__).parent
assert measured  # a fixture


@pytest.fixture(scope="session")
def chromium() -> str:
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    if found is None or not (HERE / "node_modules").is_dir():
        if os.environ.get("FLEET_REQUIRE_BROWSER"):
            raise AssertionError("no Chromium, or `npm ci` was not run in tests/browser")
        pytest.skip("no Chromium, or `npm ci` was not run in tests/browser")
    return found


def test_no_page_violates_wcag_on_phone_desk_or_paper(
    measured: Path, chromium: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    window(measured, "--site", "skole", "--start", "2026-02-05T10:00", "--end", "2026-02-05T12:00")
    correct(measured, "bhg-r1@2026-02-04T09:00:00Z", "excluded")
    pages = []
    for language in ("nb", "nn", "en"):
        every = ("site", "device", "member", "service", "kind", "cooperation", "cause")
        for by in every if language == "nb" else ("site", "cause"):
            pages.append(f"{by}-{language}.html")
            arguments = ("--by", by, "--language", language, "--out", pages[-1])
            assert fleet(measured, "report", "uptime", *FEBRUARY, *arguments).status in (0, 1)
    fleet(measured, "report", "uptime", *FEBRUARY, "--public", "--out", "public.html")
    fleet(measured, "report", "uptime", *FEBRUARY, "--out", "reports")
    pages += ["public.html", "reports/index.html"]
    for language in ("nb", "nn"):
        year = ("report", "cost", "--amount", "1000.01", "--year", "2013", "--language", language)
        pages += [f"cost-{language}.html", f"smola-{language}.html"]
        assert fleet(measured, *year, "--out", pages[-2]).status == 0
        assert fleet(measured, *year, "--member", "smola", "--out", pages[-1]).status == 0
        quarter = ("report", "board", "--quarter", "2026-Q1", "--language", language)
        pages += [f"board-{language}.html", f"board-smola-{language}.html"]
        assert fleet(measured, *quarter, "--out", pages[-2]).status == 0
        assert fleet(measured, *quarter, "--member", "smola", "--out", pages[-1]).status == 0
    now = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
    monkeypatch.setattr(App, "now", lambda _: now)
    ports = {"Gi1": 4e8, "Gi2": 3e7, "Gi3": 0.0}
    many = [Device(name, ports, errors=2) for name in ("dc-r1", "skole-r1")]
    begin = now - timedelta(days=40)
    measure(measured / ".fleet/metrics.db", many, begin, now, every_s=1800)
    for language in ("nb", "nn", "en"):
        for report in (("traffic",), ("capacity", "--by", "device"), ("power",)):
            pages.append(f"{report[0]}-{language}.html")
            arguments = ("--language", language, "--out", pages[-1])
            ran = fleet(measured, "report", *report, *arguments)
            assert ran.status == 0, ran.err

    done = subprocess.run(
        ["node", str(HERE / "look.js"), chromium, str(measured), *pages],
        cwd=measured,
        env={**os.environ, "NODE_PATH": str(HERE / "node_modules")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert len(found) == 3 * len(pages)
    assert all(look["checked"] > 5 for look in found)
    assert [(f["file"], f["view"], f["violations"]) for f in found if f["violations"]] == []
    assert [(f["file"], f["view"]) for f in found if f["overflows"]] == []
    assert [f["file"] for f in found if f["view"] == "paper" and f["cut"]] == []
