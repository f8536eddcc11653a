"""How a day's dose is divided over its administrations."""

from __future__ import annotations

from fractions import Fraction

import pytest

from cds_service.clinical.interval import ANYTHING, Interval
from cds_service.clinical.medications import Shares, even_shares, shares_of
from tests.clinical.builders import exactly, span

THIRDS = (Fraction(2, 3), Fraction(1, 3))


@pytest.mark.parametrize(
    ("amounts", "shares"),
    [
        ([exactly(20), exactly(10)], THIRDS),
        ([exactly(10), exactly(20)], THIRDS),
        ([exactly(5)], (Fraction(1),)),
        ([], ()),
        ([exactly(0), exactly(0)], ()),
        ([exactly(20), span(5, 10)], ()),
    ],
)
def test_the_largest_share_stands_first_and_what_is_not_told_has_none(amounts: list[Interval], shares: Shares) -> None:
    assert shares_of(amounts) == shares


@pytest.mark.parametrize(
    ("per_day", "shares"),
    [
        (exactly(1), (Fraction(1),)),
        (exactly(3), (Fraction(1, 3),) * 3),
        (exactly("0.5"), (Fraction(1),)),
        (exactly("1.5"), ()),
        (exactly(24), (Fraction(1, 24),) * 24),
        (exactly(25), ()),
        (span(1, 2), ()),
        (ANYTHING, ()),
        (None, ()),
    ],
)
def test_equal_administrations_have_equal_shares(per_day: Interval | None, shares: Shares) -> None:
    assert even_shares(per_day) == shares
