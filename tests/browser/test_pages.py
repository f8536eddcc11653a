"""Pages without a script of their own, seen in a browser."""

import pytest

from tests.browser.conftest import PHONE, Visit


@pytest.mark.parametrize("address", ["/integrate", "/demo/stories", "/protocol/nct06920199"])
def test_no_page_has_a_barrier_that_axe_finds(visit: Visit, address: str) -> None:
    visit.page.goto(f"{visit.site}{address}")
    assert visit.violations() == []


@pytest.mark.parametrize("address", ["/integrate", "/demo/stories", "/protocol/nct06920199"])
def test_every_page_fits_a_narrow_phone(visit: Visit, address: str) -> None:
    visit.page.set_viewport_size(PHONE)
    visit.page.goto(f"{visit.site}{address}")
    assert not visit.is_wider_than_the_window()
