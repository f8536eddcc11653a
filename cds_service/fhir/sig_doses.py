"""Several doses of one dosage text put together: those of one day, and two that alternate day by day."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from cds_service.clinical.interval import ZERO, Interval
from cds_service.clinical.medications import Shares, shares_of
from cds_service.fhir.sig_words import ONE, Unreadable, Word

_SEVERAL_TIMES_A_DAY = re.compile(r"A[SQ](?:&?A[SQ]){1,2}|[SQ]A(?:&?[SQ]A){1,2}")
# "40 mg alternating with 20 mg", "alternate 40 mg and 20 mg", "40 mg and 20 mg on alternate days"; n: alternate days.
_ALTERNATING = re.compile(r"[Yr]*(?:A[FSQ]*aA|aA[&a]?A|A&?A(?=[FSQ]*[an]))[FSQJKpan]*")
_ALTERNATE_DAYS = "alternate days"


@dataclass(frozen=True, slots=True)
class Dose(Word):
    """An amount per administration: kind "A", its unit as text ("" for a bare number).

    `shares` are those of a sum over one day.
    """

    milligrams: Interval | None = None
    per_tablet: Interval | None = None
    shares: Shares | None = None

    @property
    def in_milligrams(self) -> Interval | None:
        """What the text itself tells of it in mg."""
        from_strength = self.per_tablet and self.number.times(self.per_tablet)
        return self.number if self.text == "mg" else self.milligrams or from_strength


def sum_of_day(words: Sequence[Word]) -> list[Word]:
    """The doses of different times of one day added up. Any other several doses are a fault."""
    doses = [word for word in words if isinstance(word, Dose)]
    named = doses[0].text != ""  # a bare number after a drug may be milligrams
    rest = [word for word in words if word != Word("F", "", ONE) and not (named and word.kind == "Y")]
    times = {word.text for word in rest if word.kind in "SQ" and " " not in word.text}
    alike = {(dose.text, dose.per_tablet, dose.milligrams is None) for dose in doses}
    kinds = "".join(word.kind for word in rest)
    if not _SEVERAL_TIMES_A_DAY.fullmatch(kinds) or len(alike) > 1 or len(times) < len(doses):
        raise Unreadable("several-doses")
    milligrams = sum((dose.milligrams for dose in doses if dose.milligrams), ZERO)
    number = sum((dose.number for dose in doses), ZERO)
    shares = shares_of([dose.number for dose in doses])
    whole = replace(doses[0], number=number, milligrams=milligrams if doses[0].milligrams else None, shares=shares)
    return [whole, Word("F", "", ONE)]


def alternates(words: Sequence[Word]) -> bool:
    """True where the words say that doses alternate, or name two doses for alternate days."""
    doses = sum(isinstance(word, Dose) for word in words)
    return any(word.kind == "a" or (word.text == _ALTERNATE_DAYS and doses > 1) for word in words)


def mean_of_alternating(words: Sequence[Word]) -> list[Word]:
    """The mean of two doses taken in turn, day by day. In any other turn they are a fault."""
    # The second of two doses "with" each other has become one that is added to it.
    words = [Dose("A", "mg", one.number) if one.kind == "+" and one.text == "q" else one for one in words]
    doses = [word for word in words if isinstance(word, Dose)]
    alike = {(dose.text, dose.per_tablet, dose.milligrams is None) for dose in doses}
    kinds = "".join("n" if word.text == _ALTERNATE_DAYS else word.kind for word in words)
    often = {word.number for word in words if word.kind == "F"}
    times = {word.text for word in words if word.kind in "SQ"}
    by_day = often <= {ONE, ONE.scaled(Fraction(1, 2))} and len(times) < 2 and not any(" " in time for time in times)
    if not _ALTERNATING.fullmatch(kinds) or len(alike) > 1 or not by_day or doses[0].text == "":
        raise Unreadable("several-doses")
    number = (doses[0].number + doses[1].number).scaled(Fraction(1, 2))
    both = [dose.milligrams for dose in doses if dose.milligrams]
    milligrams = (both[0] + both[1]).scaled(Fraction(1, 2)) if both else None
    mean = replace(doses[0], number=number, milligrams=milligrams)
    return [*(word for word in words if word.kind in "YrJKp"), mean, Word("F", "alternating", ONE)]
