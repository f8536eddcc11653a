"""A score of a scale: its number, its answer code, its words, and what the interpretation beside it says."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from cds_service.clinical.interval import Interval
from cds_service.clinical.quantity import Converted, RawQuantity, Unusable, convert
from cds_service.fhir import elements as el
from cds_service.fhir.values import read_words, value_of
from cds_service.terminology.answers import scores


@dataclass(frozen=True, slots=True)
class Score:
    """The score of one Observation. `contradicted` when its parts name different scores."""

    value: Converted | Unusable
    from_text: bool
    contradicted: bool


def score_of(part: el.Observation, analyte: str) -> Score:
    """The score by its answer code, else by its value; where that says nothing, by the code that interprets it.

    mCODE writes a number and interprets it by the answer code; others write only one of them.
    """
    value, from_text = value_of(part, analyte)
    if part.dataAbsentReason is not None:
        return Score(value, from_text, contradicted=False)
    answer = part.valueCodeableConcept or el.CodeableConcept()
    coded, interpreted = _graded([answer], analyte), _graded(_interpretations(part), analyte)
    words = [read_words(text, analyte) for text in answer.texts()]
    said_nothing = value in (Unusable("no-value"), Unusable("not-a-number"))
    if coded or (interpreted and said_nothing):
        value, from_text = [*coded, *interpreted][0], False
    named = [value, *coded, *interpreted, *words]
    slip = next((one for one in named if one == Unusable("implausible")), None)
    spans = [one.interval for one in named if isinstance(one, Converted)]
    return Score(slip or value, from_text, any(_are_apart(one, other) for one in spans for other in spans))


def _interpretations(part: el.Observation) -> list[el.CodeableConcept]:
    listed = part.interpretation or []
    return [listed] if isinstance(listed, el.CodeableConcept) else listed


def _graded(concepts: list[el.CodeableConcept], analyte: str) -> list[Converted | Unusable]:
    """The scores that answer codes stand for."""
    pairs = [pair for one in concepts for pair in one.pairs()]
    return [convert(analyte, RawQuantity(Decimal(grade))) for grade in sorted(scores(analyte, pairs))]


def _are_apart(one: Interval, other: Interval) -> bool:
    return other.high is not None and other.high < one.low
