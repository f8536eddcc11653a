"""Medication statements, requests, dispenses and administrations as uses of drugs of interest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from cds_service.clinical.dates import DayRange
from cds_service.clinical.interval import ANYTHING
from cds_service.clinical.medications import DoseStep, Kind, MedicationUse, Standing
from cds_service.fhir import elements as el
from cds_service.fhir.dosage import beyond_its_text, dose_step
from cds_service.fhir.effective import effective
from cds_service.fhir.entries import Entry
from cds_service.fhir.ledger import Ledger
from cds_service.fhir.naming import Named, Naming
from cds_service.fhir.not_taking import says_not_taking
from cds_service.fhir.reasons import stated_reasons
from cds_service.fhir.references import resolved
from cds_service.fhir.routes import route_of
from cds_service.fhir.sig_steps import one_after_another
from cds_service.fhir.standings import is_known, is_reported, standing_of, status_of
from cds_service.fhir.strength import Strength
from cds_service.fhir.timing import end_of, length_in_days, schedule_of
from cds_service.terminology.codes import ConceptIndex

_MOST_REPEATS = 99


@dataclass(frozen=True, slots=True)
class Taking:
    """What one medication record says of when and whether the drug was taken, whatever the drug.

    `known` is false for a status that says nothing to us.
    """

    kind: Kind
    standing: Standing | None
    dosages: Sequence[el.Dosage]
    begins: DayRange | None = None
    ends: DayRange | None = None
    supply_ends: date | None = None
    refillable_until: date | None = None
    valid_until: date | None = None
    written: DayRange | None = None
    active: bool = False
    known: bool = True


class MedicationReader:
    """Reads medication records; knows the drugs of interest and the Medication resources of the record."""

    def __init__(
        self,
        index: ConceptIndex,
        ledger: Ledger,
        medications: Mapping[str, el.Medication | el.Substance],
        addresses: Mapping[str, str],
    ) -> None:
        self._index = index
        self._ledger = ledger
        self._addresses = addresses
        self._naming = Naming(index, medications, addresses)

    def read(self, entries: Iterable[Entry]) -> Iterator[MedicationUse]:
        """The uses of drugs of interest. Planned, cancelled, mistaken and future records are left out."""
        for entry in entries:
            record = entry.resource
            readable = isinstance(record, el.MedicationRecord) and not entry.problem
            named = self._naming.name(record) if isinstance(record, el.MedicationRecord) else None
            if not readable or named is None or not isinstance(record, el.MedicationRecord):
                self._ledger.not_read(entry, self._drugs_of)
            else:
                yield from self._uses(entry, record, named)

    def _drugs_of(self, seen: el.Resource) -> frozenset[str] | None:
        named = self._naming.name(seen) if isinstance(seen, el.MedicationRecord) else None
        return named.drugs if named else None

    def _uses(self, entry: Entry, record: el.MedicationRecord, named: Named) -> Iterator[MedicationUse]:
        if status_of(record) == "entered-in-error":
            self._ledger.skip(entry, "entered-in-error")
            return
        if standing_of(record) is None:
            self._ledger.skip(entry, "status")
        elif named.drugs:
            yield from self._uses_of_interest(entry, record, named)

    def _uses_of_interest(self, entry: Entry, record: el.MedicationRecord, named: Named) -> Iterator[MedicationUse]:
        taking = _taking(record)
        if not self._ledger.is_future(entry, taking.begins or _written(record, taking)):
            if taking.known:
                yield from (self._use(entry, record, taking, named, drug) for drug in sorted(named.drugs))
            else:
                self._ledger.not_read(entry.with_problem("status"), self._drugs_of)

    def _use(self, entry: Entry, record: el.MedicationRecord, taking: Taking, named: Named, drug: str) -> MedicationUse:
        begins, ends = taking.begins, taking.ends
        standing = taking.standing or Standing.POSSIBLE
        backwards = bool(begins and ends and ends.last < begins.first)
        steps = _steps(record, taking, named.strengths[drug])
        return MedicationUse(
            entry.reference, taking.kind, drug, _label(named, taking.dosages), named.found.concepts[drug],
            Standing.POSSIBLE if backwards and standing is not Standing.NOT_TAKEN else standing,
            route_of(self._index, named, drug, taking.dosages, _amounts(steps, taking.kind)),
            steps,
            begins, None if backwards else ends, taking.supply_ends, taking.valid_until,
            taking.written.last if taking.written else None, taking.active,
            _links(record, self._addresses), refillable_until=taking.refillable_until,
            conflict=named.conflict or named.strengths[drug].conflict or backwards, misnamed=named.misnamed,
            reasons=stated_reasons(record, self._index, self._addresses),
        )  # fmt: skip


def _amounts(steps: tuple[DoseStep, ...], kind: Kind) -> tuple[DoseStep, ...]:
    """The steps as far as they prove a route: for what was given, the amount does, however it was spread in time."""
    if kind != "administration":
        return steps
    return tuple(replace(step, fault=None) if step.fault == "timing-not-stated" else step for step in steps)


def _steps(record: el.MedicationRecord, taking: Taking, strength: Strength) -> tuple[DoseStep, ...]:
    """The doses; they may be none where the record is active and its words say that the drug is not taken."""
    found = tuple(dose_step(one, strength) for one in one_after_another(taking.dosages))
    steps = found or (DoseStep(ANYTHING, "unknown", fault="dose-not-stated"),)
    is_on_record = isinstance(record, el.MedicationStatement) and taking.active and not taking.ends
    if is_on_record and taking.standing is Standing.TAKEN and len(found) == len(taking.dosages) == 1:
        steps = beyond_its_text(found[0], taking.dosages[0], taking.begins)
    if taking.standing is not Standing.TAKEN or not says_not_taking(record, taking.dosages):
        return steps
    return tuple(replace(step, daily=step.daily.down_to_zero(), conflict=True) for step in steps)


def _written(record: el.MedicationRecord, taking: Taking) -> DayRange | None:
    """The day of writing, unless the record says, if only in a way that nobody can read, when the drug was begun."""
    period = getattr(record, "effectivePeriod", None) or el.Period()
    stated = getattr(record, "effectiveDateTime", None) or period.start or getattr(record, "effectiveTiming", None)
    return None if stated else taking.written


def _taking(record: el.MedicationRecord) -> Taking:
    if isinstance(record, el.MedicationStatement):
        return _stated(record)
    if isinstance(record, el.MedicationRequest):
        return _ordered(record)
    if isinstance(record, el.MedicationDispense):
        return _dispensed(record)
    return _given(record) if isinstance(record, el.MedicationAdministration) else Taking("request", None, ())


def _stated(record: el.MedicationStatement) -> Taking:
    status, standing = status_of(record), standing_of(record)
    when = effective(record.effectiveDateTime, record.effectivePeriod, record.effectiveTiming)
    begins, ends = when.begins, when.ends
    if record.effectivePeriod is None and standing is Standing.ENDED:
        ends = ends or begins
    if not when.understood and standing is Standing.TAKEN:
        standing = Standing.POSSIBLE
    return Taking(
        "statement", standing, _dosages(record.dosage, record.renderedDosageInstruction),
        begins, ends, written=DayRange.parse(record.dateAsserted), active=status in ("active", "recorded"),
        known=is_known(record),
    )  # fmt: skip


def _ordered(record: el.MedicationRequest) -> Taking:
    dosages = _dosages(record.dosageInstruction, record.renderedDosageInstruction)
    written, whole = DayRange.parse(record.authoredOn), record.effectiveDosePeriod or el.Period()
    dispense = record.dispenseRequest or el.DispenseRequest()
    validity = dispense.validityPeriod or el.Period()
    begins = _first_bound(dosages) or DayRange.parse(whole.start) or written or DayRange.parse(validity.start)
    expires = end_of(validity.end)
    return Taking(
        "statement" if is_reported(record) else "request", standing_of(record), dosages, begins, end_of(whole.end),
        _supply_end(begins, dispense.expectedSupplyDuration), _refillable_until(begins, dispense),
        expires.last if expires else None, written, status_of(record) == "active", is_known(record),
    )  # fmt: skip


def _dispensed(record: el.MedicationDispense) -> Taking:
    begins, standing = DayRange.parse(record.whenHandedOver or record.whenPrepared), standing_of(record)
    return Taking(
        "dispense", standing, _dosages(record.dosageInstruction, record.renderedDosageInstruction), begins,
        supply_ends=_supply_end(begins, record.daysSupply), written=begins, active=standing is Standing.TAKEN,
    )  # fmt: skip


def _given(record: el.MedicationAdministration) -> Taking:
    when = effective(
        record.effectiveDateTime or record.occurenceDateTime or record.effectiveTimeDateTime
        or record.occurrenceDateTime,
        record.effectivePeriod or record.occurencePeriod or record.effectiveTimePeriod or record.occurrencePeriod,
        record.occurenceTiming,
    )  # fmt: skip
    begins, ends = when.begins, when.ends
    given = record.dosage or el.AdministrationDosage()
    dose = given.dose or given.quantity
    dosage = el.Dosage(
        text=None if dose else given.text, timing=_once(begins, ends), route=given.route,
        method=given.method, doseQuantity=dose,
    )  # fmt: skip
    return Taking("administration", standing_of(record), [dosage], begins, ends or begins, known=is_known(record))


def _once(begins: DayRange | None, ends: DayRange | None) -> el.Timing | None:
    """One administration; no rate where it went on for days: its dose may be all of it or each day's."""
    if begins and ends and (ends.last - begins.first).days > 1:
        return None
    return el.Timing(repeat=el.Repeat(count=1))


def _dosages(stated: Sequence[el.Dosage] | None, rendered: str | None) -> Sequence[el.Dosage]:
    """The instructions; where there are none the one that R5 writes out for a reader."""
    return stated or ([el.Dosage(text=rendered)] if rendered and rendered.strip() else [])


def _label(named: Named, dosages: Iterable[el.Dosage]) -> str:
    """The record's own words: the product, and the instruction where it has one."""
    sigs = [text for dosage in dosages if (text := dosage.text or dosage.patientInstruction)]
    return ", ".join([named.label, *sigs[:2]])


def _links(record: el.MedicationRecord, addresses: Mapping[str, str]) -> frozenset[str]:
    """The references and identifiers that tie records of one therapy together."""
    references = [*(record.basedOn or ()), *(record.derivedFrom or ()), *(record.partOf or ())]
    references += getattr(record, "authorizingPrescription", None) or ()
    single = (getattr(record, name, None) for name in ("priorPrescription", "request", "prescription"))
    references += [one for one in single if one]
    identifiers = [*(record.identifier or ()), getattr(record, "groupIdentifier", None)]
    named = {resolved(one, addresses) for one in references}
    marked = {f"{one.system}|{one.value}" for one in identifiers if one and one.system and one.value}
    return frozenset(name for name in named if name) | marked


def _first_bound(dosages: Iterable[el.Dosage]) -> DayRange | None:
    """The earliest beginning that the instructions state; None when one of them states none."""
    starts = [schedule_of(dosage.timing).first for dosage in dosages]
    known = [start for start in starts if start is not None]
    return min(known, key=lambda start: start.first) if known and len(known) == len(starts) else None


def _supply_end(begins: DayRange | None, duration: el.Quantity | None) -> date | None:
    """The last day that the dispensed supply covers."""
    days = length_in_days(duration, begins)
    return begins.first + timedelta(days=days - 1) if begins and days and begins.first.year < 2900 else None


def _refillable_until(begins: DayRange | None, dispense: el.DispenseRequest) -> date | None:
    """The last day that the supply covers when every repeat that is allowed is used, one after the other."""
    once, repeats = _supply_end(begins, dispense.expectedSupplyDuration), dispense.numberOfRepeatsAllowed or 0
    if begins is None or once is None or not 0 < repeats <= _MOST_REPEATS:
        return once
    return once + repeats * (once - begins.first + timedelta(days=1))
