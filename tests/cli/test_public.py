"""Public variants: the same figures, and nothing that only concerns operators."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.worlds import fleet, make_example


@pytest.fixture(scope="module")
def orkide(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    yield make_example(tmp_path_factory.mktemp("public"))


# Names of machines, circuits and rooms, and whom to ring: each stands in the internal variant.
INTERNAL = ("smo-rh-r1", "krs-dc-nas1", "sur-dc-nas1", "Bedriftssenter", "drift-2", "90 54 00 00")


@pytest.mark.parametrize(
    ("report", "secret"),
    [
        (("procurement",), None),
        (("lifecycle", "--months", "12"), "Bedriftssenter"),
        (("lifecycle", "--budget", "--months", "36"), "smo-rh-r1"),
        (("capacity",), "krs-dc-nas1"),
        (("inventory",), "aur-vann-sen1"),
        (("access",), None),
        (("training",), "drift-2"),
        (("adoption",), None),
        (("cost", "--year", "2024"), None),
    ],
)
def test_a_public_report_has_the_figures_without_what_is_internal(
    orkide: Path, report: tuple[str, ...], secret: str | None
) -> None:
    internal = fleet(orkide, "report", *report, "-o", "json")
    public = fleet(orkide, "report", *report, "--public", "-o", "json")

    counts = [
        len(r.json["rows"] if isinstance(r.json, dict) else r.json) for r in (internal, public)
    ]
    said = public.out + public.err
    assert 0 < counts[1] <= counts[0]
    assert not [name for name in (*INTERNAL, secret) if name and name in said]
    if secret:
        assert secret in internal.out + internal.err


def test_a_public_statement_names_no_supplier(orkide: Path, tmp_path: Path) -> None:
    pages = {}
    for variant in ((), ("--public",)):
        out = tmp_path / f"cost{len(variant)}.html"
        ask = ("report", "cost", "--year", "2024", *variant, "--out", str(out))
        assert fleet(orkide, *ask).status == 0
        pages[variant] = out.read_text()

    assert "Nordmøre Breiband" in pages[()]
    assert "Nordmøre Breiband" not in pages["--public",]
    assert "Offentlig utgave" in pages["--public",]
    assert "801\xa0480,76" in pages["--public",]
