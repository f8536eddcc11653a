"""Observation resources as results in the units that the rules use."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from fractions import Fraction

from cds_service.clinical.interval import Interval
from cds_service.clinical.labs import Result
from cds_service.clinical.quantity import Converted, RawQuantity, Unusable, analyte_units, convert
from cds_service.fhir import elements as el
from cds_service.fhir.ledger import Ledger, concepts_of
from cds_service.fhir.queries import ANALYTES_OF
from cds_service.fhir.records import observed
from cds_service.fhir.wire import Entry
from cds_service.terminology.codes import ConceptIndex, plain

_FINAL = frozenset({"final", "amended", "corrected"})
_NOT_RESULTED = frozenset({"registered", "cancelled", "unknown"})
_ANALYTES = frozenset(analyte for analytes in ANALYTES_OF.values() for analyte in analytes)
_SCORES = frozenset({"ecog", "karnofsky"})
_WRITTEN = re.compile(
    r"(?P<sign><=|>=|<|>)?\s*(?P<low>\d+(?:\.\d+)?)(?:\s*[-–~]\s*(?P<high>\d+(?:\.\d+)?))?\s*(?P<unit>\S.*)?"
)
_SCORE_WORDS = re.compile(r"^(?:ecog|kps|karnofsky)?(?:\s*(?:ps|performance status|score|grade|评分))*\s*[:=]?\s*")


def read_results(entries: Iterable[Entry], index: ConceptIndex, ledger: Ledger) -> Iterator[Result]:
    """The observations of interest, each in its analyte's unit or with the reason why it cannot be used."""
    for entry in entries:
        observation = entry.resource
        if entry.problem or not isinstance(observation, el.Observation):
            ledger.not_read(entry, lambda seen: _analytes(index, getattr(seen, "code", None)))
            continue
        if observation.code is None:
            continue
        for analyte in sorted(_analytes(index, observation.code) or ()):
            result = _result(entry, observation, analyte, index, ledger)
            if result is not None:
                yield result


def _analytes(index: ConceptIndex, code: el.CodeableConcept | None) -> frozenset[str] | None:
    """The analytes that the code names. Words never name one: "platelet poor plasma" is no platelet count."""
    found = concepts_of(index, code, texts=False)
    return None if found is None else found & _ANALYTES


def _result(
    entry: Entry, observation: el.Observation, analyte: str, index: ConceptIndex, ledger: Ledger
) -> Result | None:
    status = (observation.status or "").strip()
    when = observed(observation)
    if status == "entered-in-error" or status in _NOT_RESULTED:
        ledger.skip(entry, "entered-in-error" if status == "entered-in-error" else "status")
        return None
    if when is None:
        ledger.skip(entry, "no-date")
        return None
    if ledger.is_future(entry, when):
        return None
    analyte, clash = _as_unit_says(observation, analyte)
    value, from_text = _value(observation, analyte, index)
    usable = isinstance(value, Converted)
    return Result(
        entry.reference, analyte, _label(observation), when,
        value.interval if isinstance(value, Converted) else value,
        upper_limit=_upper_limit(observation, analyte, value) if isinstance(value, Converted) else None,
        specimen=_specimen(observation),
        preliminary=status not in _FINAL,
        unit_was_assumed=usable and isinstance(value, Converted) and value.unit_was_assumed,
        units_conflict=clash or _contradicts_code(observation, analyte, value, index),
        text_only=from_text,
    )  # fmt: skip


def _as_unit_says(observation: el.Observation, analyte: str) -> tuple[str, bool]:
    """A volume of FEV1 given in percent is a percentage under the wrong code: a person must look at it."""
    quantity = observation.valueQuantity
    if analyte == "fev1-volume" and quantity and "%" in (quantity.code or quantity.unit or ""):
        return "fev1-percent-predicted", True
    return analyte, False


def _label(observation: el.Observation) -> str:
    return observation.code.label() if observation.code else ""


def _value(observation: el.Observation, analyte: str, index: ConceptIndex) -> tuple[Converted | Unusable, bool]:
    """The value, and whether it had to be read from words."""
    if observation.valueQuantity is not None:
        return convert(analyte, _raw(observation.valueQuantity)), False
    if observation.valueInteger is not None:
        return convert(analyte, RawQuantity(Decimal(observation.valueInteger))), False
    if observation.valueRange is not None:
        return _range(observation.valueRange, analyte), False
    concept = observation.valueCodeableConcept
    if concept is not None:
        grade = index.answer(analyte, concept.pairs()) if analyte in _SCORES else None
        if grade is not None:
            return Converted(Interval.exactly(grade), analyte_units()[analyte].unit), False
        return _written(concept.label(), analyte), True
    return (_written(observation.valueString, analyte), True) if observation.valueString else (Unusable("no-value"), False)


def _raw(quantity: el.Quantity) -> RawQuantity:
    return RawQuantity(quantity.value, quantity.unit, quantity.system, quantity.code, quantity.comparator)


def _range(stated: el.Range, analyte: str) -> Converted | Unusable:
    ends = [convert(analyte, _raw(end)) for end in (stated.low, stated.high) if end is not None]
    readable = [end for end in ends if isinstance(end, Converted)]
    if len(ends) != 2 or len(readable) != 2:
        return next((end for end in ends if isinstance(end, Unusable)), Unusable("no-value"))
    return Converted(readable[0].interval.hull(readable[1].interval), readable[0].written_in)


def _written(text: str, analyte: str) -> Converted | Unusable:
    """A value written in words: a number or a range, with a unit that the table knows."""
    folded = _SCORE_WORDS.sub("", plain(text)) if analyte in _SCORES else text.strip()
    match = _WRITTEN.fullmatch(folded)
    if match is None:
        return Unusable("not-a-number")
    ends = [
        convert(analyte, RawQuantity(Decimal(match[name]), match["unit"], comparator=match["sign"]))
        for name in ("low", "high")
        if match[name]
    ]
    readable = [end for end in ends if isinstance(end, Converted)]
    if len(readable) != len(ends):
        return next(end for end in ends if isinstance(end, Unusable))
    return Converted(readable[0].interval.hull(readable[-1].interval), readable[0].written_in)


def _upper_limit(observation: el.Observation, analyte: str, value: Converted) -> Interval | None:
    """The upper limit of normal that the same report states; the span of several that may apply."""
    limits = [limit for one in observation.referenceRange or () if (limit := _limit(one, analyte, value))]
    if not limits:
        return None
    span = limits[0]
    for limit in limits[1:]:
        span = span.hull(limit)
    return span


def _limit(stated: el.ReferenceRange, analyte: str, value: Converted) -> Interval | None:
    kinds = [code for _, code in stated.type.pairs()] if stated.type else []
    if kinds and "normal" not in kinds:
        return None
    if stated.high is not None:
        high = _raw(stated.high)
        if not (high.unit or high.code):
            high = RawQuantity(high.value, value.written_in)
        found = convert(analyte, high)
        return found.interval if isinstance(found, Converted) and found.interval.is_exact else None
    match = _WRITTEN.fullmatch((stated.text or "").strip())
    if match is None or not match["high"]:
        return None
    found = convert(analyte, RawQuantity(Decimal(match["high"]), match["unit"] or value.written_in))
    return found.interval if isinstance(found, Converted) and found.interval.low > Fraction(0) else None


def _specimen(observation: el.Observation) -> frozenset[str]:
    """What ties results of one blood sample together: the specimen, or the very same collection time."""
    names = {observation.specimen.reference if observation.specimen else None, observation.effectiveDateTime}
    return frozenset(name for name in names if name)


def _contradicts_code(
    observation: el.Observation, analyte: str, value: Converted | Unusable, index: ConceptIndex
) -> bool:
    """True when the code says mass and the unit moles, or the other way round. The unit decides the number."""
    if observation.code is None or not isinstance(value, Converted):
        return False
    units_of = analyte_units()[analyte].properties
    stated = [kind for kind in index.properties(observation.code.pairs()) if kind in units_of]
    return bool(stated) and not any(value.written_in in units_of[kind] for kind in stated)
