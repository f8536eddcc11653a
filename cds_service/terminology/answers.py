"""The lists of answers that results are coded with: a score's number, or what a test says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from cds_service.terminology.codes import Row, alias_of, code_sets

Outcome = Literal["positive", "negative", "equivocal"]
Codings = Iterable[tuple[str | None, str | None]]


def scores(analyte: str, codings: Codings) -> frozenset[int]:
    """The numbers that answer codes (system, code) stand for, such as grade 1 of ECOG; none that are not known."""
    return frozenset(int(row["value"]) for row in _answers(analyte, codings) if "value" in row)


def outcomes(analyte: str, codings: Codings) -> frozenset[Outcome]:
    """What answer codes say of a test; two things where they contradict each other."""
    return frozenset(row["says"] for row in _answers(analyte, codings) if "says" in row)


def _answers(analyte: str, codings: Codings) -> Iterator[Row]:
    """The checked answers of the analyte's list that the codings name."""
    answers = {
        (row["system"], str(row["code"])): row
        for row in code_sets()[analyte].kind.get("answers", ())
        if row.get("checked", False) is not False
    }
    keys = ((alias_of(system) or "", (code or "").strip()) for system, code in codings)
    yield from (answers[key] for key in keys if key in answers)
