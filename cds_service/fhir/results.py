"""Observation resources as results in the units that the rules use."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple

from cds_service.clinical.coded import Certainty
from cds_service.clinical.dates import DayRange
from cds_service.clinical.labs import Result
from cds_service.clinical.quantity import Converted, analyte_units
from cds_service.fhir import elements as el
from cds_service.fhir.contained import members_of, name_inside
from cds_service.fhir.entries import Entry
from cds_service.fhir.ledger import Ledger, is_readable
from cds_service.fhir.promised import Promised
from cds_service.fhir.queries import READ_ANALYTES
from cds_service.fhir.references import resolved
from cds_service.fhir.result_names import names_another
from cds_service.fhir.scores import Score, score_of
from cds_service.fhir.states import observed
from cds_service.fhir.upper_limits import Person, StatedLimit, upper_limit
from cds_service.fhir.values import SCORES, answer_of, as_written, value_of
from cds_service.terminology.codes import ConceptIndex

_FINAL = frozenset({"final", "amended", "corrected", "appended"})
_PRELIMINARY = "preliminary"
_RESULTED = _FINAL | {_PRELIMINARY}
_NOT_RESULTED = frozenset({"registered", "cancelled", "specimen-in-process"})

# The reference of an Observation -> the reports and panels that it is part of.
Panels = Mapping[str, frozenset[str]]
_NO_WHOLES: frozenset[str] = frozenset()
# What of interest a resource is about, None where that cannot be told.
Within = Callable[[el.Resource], frozenset[str] | None]


def panels(entries: Iterable[Entry], addresses: Mapping[str, str]) -> Panels:
    """Which results are of one report or one panel."""
    found: dict[str, set[str]] = defaultdict(set)
    for entry in entries:
        for member in members_of(entry.resource):
            name = resolved(member, addresses)
            if name:
                found[name_inside(entry, name)].add(entry.reference)
    return {name: frozenset(wholes) for name, wholes in found.items()}


def read_results(
    entries: Iterable[Entry], index: ConceptIndex, ledger: Ledger, tied: Panels, person: Person
) -> Iterator[Result]:
    """The observations of interest, each in its analyte's unit or with the reason why it cannot be used.

    `person` is whose they are: ranges of normal are chosen by it.
    """
    naming = _Naming(index)
    for entry in entries:
        observation = entry.resource
        parts = naming.parts(observation) if isinstance(observation, el.Observation) else None
        if entry.problem or parts is None or not isinstance(observation, el.Observation):
            ledger.not_read(entry, naming.analytes_within)
        elif parts and (when := _counted_day(entry, observation, naming.analytes_within, ledger)) is not None:
            wholes = tied.get(entry.reference, _NO_WHOLES)
            yield from _results(_Taken(entry.reference, observation, when, wholes, person), parts, index)


# The analytes that a code names, in a fixed order.
_Analytes = tuple[tuple[str, Certainty], ...]
# An Observation or a component of one, and what it names.
_Part = tuple[el.Observation, _Analytes]


class _Named(NamedTuple):
    """What a code names; `is_readable` when anybody could tell what it means."""

    analytes: _Analytes
    is_readable: bool


class _Naming:
    """Tells the analytes of Observations."""

    def __init__(self, index: ConceptIndex) -> None:
        self._index = index
        self._known = el.Known[_Named]()

    def parts(self, seen: el.Observation) -> list[_Part] | None:
        """An Observation and its components, as far as they name analytes; None where no code of them tells."""
        named = [(part, self._known.of(part.code, self._name)) for part in seen.parts() if part.code]
        if not any(one.is_readable for _, one in named):
            return None
        return [(part, one.analytes) for part, one in named if one.analytes]

    def analytes_within(self, seen: el.Resource) -> frozenset[str] | None:
        """The analytes of an Observation and its components; None where nobody can tell."""
        parts = self.parts(seen) if isinstance(seen, el.Observation) else None
        return None if parts is None else frozenset(analyte for _, analytes in parts for analyte, _ in analytes)

    def _name(self, code: el.CodeableConcept) -> _Named:
        return _Named(tuple(sorted(self._analytes(code))), is_readable(code))

    def _analytes(self, code: el.CodeableConcept) -> Iterator[tuple[str, Certainty]]:
        """Words never name one: "platelet poor plasma" is no platelet count."""
        found = self._index.recognise(code.pairs(), ()).concepts
        return ((analyte, certainty) for analyte, certainty in found.items() if analyte in READ_ANALYTES)


def _counted_day(entry: Entry, observation: el.Observation, within: Within, ledger: Ledger) -> DayRange | None:
    """The day of a result that counts; None, and listed, for any other.

    One without a day may be the newest, one of no known status may be final: both leave a doubt.
    """
    status, when = _status(observation), observed(observation)
    if status == "entered-in-error" or status in _NOT_RESULTED:
        ledger.skip(entry, "entered-in-error" if status == "entered-in-error" else "status")
        return None
    if when is not None and ledger.is_future(entry, when):
        return None
    if when is None or status not in _RESULTED:
        ledger.not_read(entry.with_problem("no-date" if when is None else "status"), within)
        return None
    return ledger.past(when)


def _status(observation: el.Observation) -> str:
    return (observation.status or "").strip().lower()


def _results(taken: _Taken, parts: Iterable[_Part], index: ConceptIndex) -> Iterator[Result]:
    """The results of the Observation itself and of its components."""
    for part, analytes in parts:
        for named, certainty in analytes:
            analyte, clash = _as_unit_says(part, named)
            doubts = _Doubts(clash or len(analytes) > 1, certainty is not Certainty.CODED)
            read = partial(_result, taken, part, analyte, doubts, index)
            yield Promised.of(taken.reference, analyte, taken.when, read)


class _Doubts(NamedTuple):
    """What is doubtful about a result before its value is looked at."""

    contradicted: bool
    text_only: bool


class _Taken(NamedTuple):
    """One Observation: what its results share. `wholes` are the reports and panels that it is part of."""

    reference: str
    whole: el.Observation
    when: DayRange
    wholes: frozenset[str]
    person: Person

    @property
    def specimen(self) -> str | None:
        return self.whole.specimen.reference if self.whole.specimen else None

    @property
    def tied(self) -> frozenset[str]:
        dated_only = not (self.specimen or self.wholes)
        return self.wholes | {self.reference} | _collected(self.whole, dated_only)

    @property
    def preliminary(self) -> bool:
        return _status(self.whole) == _PRELIMINARY


def _result(taken: _Taken, part: el.Observation, analyte: str, doubts: _Doubts, index: ConceptIndex) -> Result:
    read = score_of(part, analyte) if analyte in SCORES else Score(*value_of(part, analyte), contradicted=False)
    value = read.value
    converted = value if isinstance(value, Converted) else None
    upper = upper_limit(part, analyte, converted, taken.person, taken.when) if converted else StatedLimit()
    return Result(
        taken.reference, analyte, part.code.label() if part.code else "", taken.when,
        value.interval if isinstance(value, Converted) else value,
        upper_limit=upper.limit,
        limit_doubted=upper.doubted,
        written_in=converted.written_in if converted else None,
        specimen=taken.specimen,
        tied=taken.tied,
        preliminary=taken.preliminary,
        estimated="estimate" in index.properties(part.code.pairs() if part.code else ()),
        unit_was_assumed=bool(converted and converted.unit_was_assumed),
        contradicted=read.contradicted or doubts.contradicted or _contradicts_code(part, analyte, converted, index)
        or names_another(analyte, part.code.texts() if part.code else ()),
        text_only=read.from_text or doubts.text_only,
        answer=answer_of(part, analyte),
        written=as_written(part),
    )  # fmt: skip


def _as_unit_says(part: el.Observation, analyte: str) -> tuple[str, bool]:
    """A volume of FEV1 given in percent is a percentage under the wrong code: a person must look at it."""
    if analyte != "fev1-volume" or part.valueQuantity is None:
        return analyte, False
    written = [text for text in (part.valueQuantity.code, part.valueQuantity.unit) if text]
    volume, share = analyte_units()["fev1-volume"], analyte_units()["fev1-percent-predicted"]
    if any(share.understands(t) and not volume.understands(t) for t in written):
        return "fev1-percent-predicted", True
    return analyte, False


def _collected(observation: el.Observation, dated_only: bool) -> frozenset[str]:
    """The very moment of collection.

    A day without a time is one only where nothing better tells samples apart: two may be taken on one day.
    """
    period = observation.effectivePeriod
    both = f"{period.start}/{period.end}" if period and period.start and period.end else ""
    stamp = (observation.effectiveDateTime or observation.effectiveInstant or both).strip()
    if "T" not in stamp:
        return frozenset({stamp} - {""}) if dated_only else frozenset()
    try:
        moment = datetime.fromisoformat(stamp)
    except ValueError:
        return frozenset({stamp})
    return frozenset({moment.astimezone(UTC).isoformat() if moment.tzinfo else stamp})


def _contradicts_code(part: el.Observation, analyte: str, value: Converted | None, index: ConceptIndex) -> bool:
    """True when the code says mass and the unit moles, or the reverse. The unit decides the number."""
    if value is None:
        return False
    units_of = analyte_units()[analyte].properties
    pairs = part.code.pairs() if part.code else []
    stated = [kind for kind in index.properties(pairs) if kind in units_of]
    return bool(stated) and not any(value.written_in in units_of[kind] for kind in stated)
