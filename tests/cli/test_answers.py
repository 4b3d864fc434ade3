"""What cooperations asked for is answered, and the page that says so was printed by fleet."""

from tests.answers import PAGE, render


def test_the_page_of_answers_is_what_fleet_prints() -> None:
    assert PAGE.read_text() == render(), "run `make docs`"
