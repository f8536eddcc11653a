"""Observation resources as results in the units that the rules use."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from cds_service.clinical.coded import Certainty
from cds_service.clinical.dates import DayRange
from cds_service.clinical.labs import Result
from cds_service.clinical.quantity import Converted, analyte_units
from cds_service.fhir import elements as el
from cds_service.fhir.ledger import Ledger, concepts_of
from cds_service.fhir.queries import ANALYTES_OF
from cds_service.fhir.references import resolved
from cds_service.fhir.states import codes_of, observed
from cds_service.fhir.values import answer_of, upper_limit, value_of
from cds_service.fhir.wire import Entry
from cds_service.terminology.codes import ConceptIndex

_FINAL = frozenset({"final", "amended", "corrected", "appended"})
_PRELIMINARY = "preliminary"
_NOT_RESULTED = frozenset({"registered", "cancelled", "specimen-in-process"})
_ANALYTES = frozenset(analyte for analytes in ANALYTES_OF.values() for analyte in analytes)

# The reference of an Observation -> the reports and panels that it is part of.
Panels = Mapping[str, frozenset[str]]


def panels(entries: Iterable[Entry], addresses: Mapping[str, str]) -> Panels:
    """Which results are of one report or one panel."""
    found: dict[str, set[str]] = defaultdict(set)
    for entry in entries:
        seen = entry.resource
        members = seen.result if isinstance(seen, el.DiagnosticReport) else getattr(seen, "hasMember", None)
        for member in members or ():
            name = resolved(member, addresses)
            if name:
                found[name].add(entry.reference)
    return {name: frozenset(wholes) for name, wholes in found.items()}


def read_results(entries: Iterable[Entry], index: ConceptIndex, ledger: Ledger, tied: Panels) -> Iterator[Result]:
    """The observations of interest, each in its analyte's unit or with the reason why it cannot be used."""
    for entry in entries:
        observation = entry.resource
        within = _analytes_within(index, observation) if isinstance(observation, el.Observation) else None
        if entry.problem or within is None or not isinstance(observation, el.Observation):
            ledger.not_read(entry, lambda seen: _analytes_within(index, seen))
            continue
        if not within:
            continue
        when = _counted_day(entry, observation, within, ledger)
        if when is not None:
            yield from _results(entry, observation, when, index, tied.get(entry.reference, frozenset()))


def _analytes_within(index: ConceptIndex, seen: el.Resource) -> frozenset[str] | None:
    """The analytes of an Observation and its components; None when no code tells."""
    codes = codes_of(seen)
    if not codes or all(concepts_of(index, code) is None for code in codes):
        return None
    return frozenset(analyte for code in codes for analyte in _analytes(index, code))


def _analytes(index: ConceptIndex, code: el.CodeableConcept | None) -> Mapping[str, Certainty]:
    """The analytes that a code names. Words never name one: "platelet poor plasma" is no platelet count."""
    found = index.recognise(code.pairs() if code else (), ()).concepts
    return {analyte: certainty for analyte, certainty in found.items() if analyte in _ANALYTES}


def _counted_day(entry: Entry, observation: el.Observation, within: frozenset[str], ledger: Ledger) -> DayRange | None:
    """The day of a result that counts; None, and listed, for any other.

    One without a day may be the newest, one of no known status may be final: both leave a doubt.
    """
    status, when = _status(observation), observed(observation)
    if status == "entered-in-error" or status in _NOT_RESULTED:
        ledger.skip(entry, "entered-in-error" if status == "entered-in-error" else "status")
        return None
    if when is not None and ledger.is_future(entry, when):
        return None
    if when is None or status not in (*_FINAL, _PRELIMINARY):
        ledger.not_read(replace(entry, problem="no-date" if when is None else "status"), lambda _: within)
        return None
    return ledger.past(when)


def _status(observation: el.Observation) -> str:
    return (observation.status or "").strip().lower()


def _results(
    entry: Entry, whole: el.Observation, when: DayRange, index: ConceptIndex, tied: frozenset[str]
) -> Iterator[Result]:
    """The results of the Observation itself and of its components."""
    taken = _Taken(entry.reference, when, tied | _specimen(whole), _status(whole) == _PRELIMINARY)
    for part in (whole, *(whole.component or ())):
        analytes = _analytes(index, part.code)
        for analyte, certainty in sorted(analytes.items()):
            result = _result(taken, part, analyte, index)
            if len(analytes) > 1:
                result = replace(result, units_conflict=True)
            yield result if certainty is Certainty.CODED else replace(result, text_only=True)


@dataclass(frozen=True, slots=True)
class _Taken:
    """What the results of one Observation share."""

    reference: str
    when: DayRange
    specimen: frozenset[str]
    preliminary: bool


def _result(taken: _Taken, part: el.Observation, analyte: str, index: ConceptIndex) -> Result:
    analyte, clash = _as_unit_says(part, analyte)
    value, from_text = value_of(part, analyte)
    converted = value if isinstance(value, Converted) else None
    return Result(
        taken.reference, analyte, part.code.label() if part.code else "", taken.when,
        value.interval if isinstance(value, Converted) else value,
        upper_limit=upper_limit(part, analyte, converted) if converted else None,
        specimen=taken.specimen,
        preliminary=taken.preliminary,
        unit_was_assumed=bool(converted and converted.unit_was_assumed),
        units_conflict=clash or bool(converted and _contradicts_code(part, analyte, converted, index)),
        text_only=from_text,
        answer=answer_of(part, analyte),
    )  # fmt: skip


def _as_unit_says(part: el.Observation, analyte: str) -> tuple[str, bool]:
    """A volume of FEV1 given in percent is a percentage under the wrong code: a person must look at it."""
    quantity = part.valueQuantity
    if analyte == "fev1-volume" and quantity and "%" in (quantity.code or quantity.unit or ""):
        return "fev1-percent-predicted", True
    return analyte, False


def _specimen(observation: el.Observation) -> frozenset[str]:
    """What ties results of one blood sample together: the specimen, or the very same collection time."""
    stamp = observation.effectiveDateTime or observation.effectiveInstant
    names = {observation.specimen.reference if observation.specimen else None, stamp}
    return frozenset(name for name in names if name)


def _contradicts_code(part: el.Observation, analyte: str, value: Converted, index: ConceptIndex) -> bool:
    """True when the code says mass and the unit moles, or the reverse. The unit decides the number."""
    units_of = analyte_units()[analyte].properties
    pairs = part.code.pairs() if part.code else []
    stated = [kind for kind in index.properties(pairs) if kind in units_of]
    return bool(stated) and not any(value.written_in in units_of[kind] for kind in stated)
