"""MedicationStatement, MedicationRequest and MedicationAdministration as uses of drugs of interest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from cds_service.clinical.coded import Certainty
from cds_service.clinical.dates import DayRange
from cds_service.clinical.interval import ANYTHING
from cds_service.clinical.medications import DoseStep, Kind, MedicationUse, Route, Standing
from cds_service.fhir import elements as el
from cds_service.fhir.dosage import dose_step
from cds_service.fhir.ledger import Ledger
from cds_service.fhir.references import local_name, resolved
from cds_service.fhir.strength import Strength, strength_of
from cds_service.fhir.timing import schedule_of
from cds_service.fhir.wire import Entry, decode
from cds_service.terminology.codes import ConceptIndex, Recognised, plain

_LOCAL_FORMS = frozenset({"rinse", "paste"})
_STATEMENT_STANDING = {
    "active": Standing.TAKEN, "recorded": Standing.TAKEN, "completed": Standing.ENDED, "stopped": Standing.ENDED,
    "on-hold": Standing.HELD, "not-taken": Standing.NOT_TAKEN, "unknown": Standing.POSSIBLE,
}  # fmt: skip
_REQUEST_STANDING = {
    "active": Standing.TAKEN, "completed": Standing.ENDED, "stopped": Standing.ENDED, "ended": Standing.ENDED,
    "on-hold": Standing.HELD, "unknown": Standing.POSSIBLE,
}  # fmt: skip
_ADMINISTRATION_STANDING = {
    "completed": Standing.TAKEN, "in-progress": Standing.TAKEN, "stopped": Standing.POSSIBLE,
    "on-hold": Standing.POSSIBLE, "unknown": Standing.POSSIBLE, "not-done": Standing.NOT_TAKEN,
}  # fmt: skip
_NOT_ORDERED = frozenset({"proposal", "option"})


@dataclass(frozen=True, slots=True)
class Named:
    """What a medication record is about: the drug or drugs recognised, and the product's names and strength."""

    found: Recognised
    label: str
    names: tuple[str, ...]
    strength: Strength


class MedicationReader:
    """Reads medication records; knows the drugs of interest and the Medication resources of the record."""

    def __init__(
        self,
        index: ConceptIndex,
        ledger: Ledger,
        medications: Mapping[str, el.Medication],
        addresses: Mapping[str, str],
    ) -> None:
        self._index = index
        self._drugs = index.drugs
        self._ledger = ledger
        self._medications = medications
        self._addresses = addresses

    def read(self, entries: Iterable[Entry]) -> Iterator[MedicationUse]:
        """The uses of drugs of interest. Planned, cancelled, mistaken and future records are left out."""
        for entry in entries:
            record = entry.resource
            if entry.problem or not isinstance(record, el.MedicationRecord):
                self._ledger.not_read(entry, self._drugs_of)
                continue
            named = self._named(record)
            if named is None:
                self._ledger.not_read(entry, lambda seen: None)
                continue
            yield from self._uses(entry, record, named)

    def _drugs_of(self, seen: el.Resource) -> frozenset[str] | None:
        if not isinstance(seen, el.MedicationRecord) or (named := self._named(seen)) is None:
            return None
        return frozenset(named.found.concepts) & self._drugs

    def _named(self, record: el.MedicationRecord) -> Named | None:
        """What the record is about; None when it does not say, or points to a Medication that is not there."""
        concept = record.medicationCodeableConcept or (record.medication.concept if record.medication else None)
        reference = record.medicationReference or (record.medication.reference if record.medication else None)
        medication = self._medication(record, reference)
        concepts = [one for one in (concept, medication.code if medication else None) if one is not None]
        names = [text for one in concepts for text in one.texts()]
        if reference and reference.display:
            names.append(reference.display)
        pairs = [pair for one in concepts for pair in one.pairs()]
        if not names and not any(code for _, code in pairs):
            return None
        found = self._index.recognise(pairs, names)
        label = names[0] if names else next(code for _, code in pairs if code)
        return Named(found, label, tuple(names), strength_of(found.product, names, medication))

    def _medication(self, record: el.MedicationRecord, reference: el.Reference | None) -> el.Medication | None:
        if reference is None or not reference.reference:
            return None
        if reference.reference.startswith("#"):
            contained = [decode(raw, el.Medication) for raw in record.contained or ()]
            return next((one for one in contained if one and f"#{one.id}" == reference.reference), None)
        return self._medications.get(resolved(reference, self._addresses) or "")

    def _uses(self, entry: Entry, record: el.MedicationRecord, named: Named) -> Iterator[MedicationUse]:
        for drug in sorted(self._drugs & set(named.found.concepts)):
            if isinstance(record, el.MedicationStatement):
                use = self._statement(entry, record, named, drug)
            elif isinstance(record, el.MedicationRequest):
                use = self._request(entry, record, named, drug)
            else:
                assert isinstance(record, el.MedicationAdministration)
                use = self._administration(entry, record, named, drug)
            if use is not None and not self._ledger.is_future(entry, use.begins):
                yield use

    def _counts(self, entry: Entry, standing: Standing | None, mistaken: bool) -> bool:
        if mistaken or standing is None:
            self._ledger.skip(entry, "entered-in-error" if mistaken else "status")
        return not mistaken and standing is not None

    def _statement(
        self, entry: Entry, record: el.MedicationStatement, named: Named, drug: str
    ) -> MedicationUse | None:
        status = (record.status or "").strip()
        standing = _STATEMENT_STANDING.get("not-taken" if record.taken == "n" else status)
        if not self._counts(entry, standing, status == "entered-in-error") or standing is None:
            return None
        begins, ends = _period(record.effectiveDateTime, record.effectivePeriod)
        if record.effectiveDateTime and standing is Standing.ENDED:
            ends = begins
        return self._use(
            entry, record, named, drug, "statement", standing, record.dosage or [],
            begins=begins, ends=ends, written=_day(record.dateAsserted), active=status == "active",
        )  # fmt: skip

    def _request(self, entry: Entry, record: el.MedicationRequest, named: Named, drug: str) -> MedicationUse | None:
        status = (record.status or "").strip()
        standing = _REQUEST_STANDING.get(status)
        if record.intent in _NOT_ORDERED or record.doNotPerform:
            standing = None
        if not self._counts(entry, standing, status == "entered-in-error") or standing is None:
            return None
        reported = bool(record.reportedBoolean or record.reported)
        if record.intent == "plan" and not reported:
            standing = Standing.POSSIBLE
        dispense = record.dispenseRequest or el.DispenseRequest()
        begins = DayRange.parse(record.authoredOn)
        first = _first_bound(record.dosageInstruction) or begins
        validity = dispense.validityPeriod
        return self._use(
            entry, record, named, drug, "statement" if reported else "request", standing,
            record.dosageInstruction or [], begins=first or DayRange.parse(validity.start if validity else None),
            supply_ends=_supply_end(first, dispense.expectedSupplyDuration),
            valid_until=_day(validity.end if validity else None),
            written=_day(record.authoredOn), active=status == "active",
        )  # fmt: skip

    def _administration(
        self, entry: Entry, record: el.MedicationAdministration, named: Named, drug: str
    ) -> MedicationUse | None:
        status = (record.status or "").strip()
        standing = _ADMINISTRATION_STANDING.get(status)
        if not self._counts(entry, standing, status == "entered-in-error") or standing is None:
            return None
        begins, ends = _period(
            record.effectiveDateTime or record.occurenceDateTime, record.effectivePeriod or record.occurencePeriod
        )
        given = record.dosage or el.AdministrationDosage()
        once = el.Timing(repeat=el.Repeat(count=1))
        dosage = el.Dosage(text=None, route=given.route, timing=once, doseQuantity=given.dose)
        return self._use(
            entry, record, named, drug, "administration", standing, [dosage], begins=begins, ends=ends or begins
        )

    def _use(self, entry: Entry, record: el.MedicationRecord, named: Named, drug: str, kind: Kind,
             standing: Standing, dosages: list[el.Dosage], begins: DayRange | None = None,
             ends: DayRange | None = None, supply_ends: date | None = None, valid_until: date | None = None,
             written: date | None = None, active: bool = False) -> MedicationUse:  # fmt: skip
        steps = tuple(dose_step(dosage, named.strength) for dosage in dosages)
        if not steps:
            steps = (DoseStep(ANYTHING, "unknown", fault="dose-not-stated"),)
        return MedicationUse(
            entry.reference, kind, drug, _label(named, dosages), named.found.concepts[drug], standing,
            self._route(named, dosages, steps), steps, begins, ends, supply_ends, valid_until, written, active,
            _links(record, self._addresses), conflict=_names_differ(named, drug, self._index),
        )  # fmt: skip

    def _route(self, named: Named, dosages: Iterable[el.Dosage], steps: Iterable[DoseStep]) -> Route:
        """How the drug reaches the body: as stated, else as its form or unit of dose proves."""
        product = named.found.product
        stated = [one for dosage in dosages for one in (dosage.route, dosage.method) if one]
        pairs = [pair for one in stated for pair in one.pairs()]
        texts = [text for one in stated for text in one.texts()]
        found = self._index.recognise(pairs, texts).concepts
        by_words = self._index.in_words(" ".join(named.names))
        if "route-local" in found or "route-local" in by_words or (product and product.form in _LOCAL_FORMS):
            return "local"
        if "route-intramuscular" in found or (product and product.form == "depot"):
            return "depot"
        if "route-systemic" in found or named.strength.solid:
            return "systemic"
        in_milligrams = any(step.fault is None and step.per_dose for step in steps)
        liquid = named.strength.per_ml is not None or bool(product and product.form == "injection")
        unclear = bool(stated) or liquid or not (in_milligrams or "route-systemic" in by_words)
        return "unknown" if unclear and not _nothing_said(dosages) else "systemic"


def _nothing_said(dosages: Iterable[el.Dosage]) -> bool:
    """True when no instruction says anything of dose or route: then the drug's usual way is all there is."""
    return not any(d.route or d.doseAndRate or d.doseQuantity or d.method for d in dosages)


def _label(named: Named, dosages: Iterable[el.Dosage]) -> str:
    """The record's own words: the product, and the instruction where it has one."""
    sigs = [text for dosage in dosages if (text := dosage.text or dosage.patientInstruction)]
    return ", ".join([named.label, *sigs[:2]])


def _names_differ(named: Named, drug: str, index: ConceptIndex) -> bool:
    """True when the words beside a code name another drug of interest than the code does."""
    if named.found.concepts[drug] is Certainty.TEXT:
        return False
    said = {concept for name in named.names for concept in index.in_words(name) if concept in index.drugs}
    return bool(said) and drug not in said


def _links(record: el.MedicationRecord, addresses: Mapping[str, str]) -> frozenset[str]:
    """The references and identifiers that tie records of one therapy together."""
    references = [*(record.basedOn or ()), *(record.derivedFrom or ()), *(record.partOf or ())]
    single = (getattr(record, name, None) for name in ("priorPrescription", "request"))
    references += [one for one in single if one]
    identifiers = [*(record.identifier or ()), getattr(record, "groupIdentifier", None)]
    named = {resolved(one, addresses) or local_name(one.reference) for one in references}
    marked = {f"{one.system}|{one.value}" for one in identifiers if one and one.value}
    return frozenset(name for name in named if name) | marked


def _first_bound(dosages: Iterable[el.Dosage] | None) -> DayRange | None:
    """The earliest beginning that the instructions state; None when one of them states none."""
    starts = [schedule_of(dosage.timing).first for dosage in dosages or ()]
    known = [start for start in starts if start is not None]
    return min(known, key=lambda start: start.first) if known and len(known) == len(starts) else None


def _supply_end(begins: DayRange | None, duration: el.Quantity | None) -> date | None:
    """The last day that the dispensed supply covers."""
    if begins is None or duration is None or duration.value is None or not duration.value.is_finite():
        return None
    days = {"d": 1, "day": 1, "days": 1, "wk": 7, "week": 7, "weeks": 7}.get(plain(duration.code or duration.unit or ""))
    if days is None or not 0 < duration.value * days < 3660:
        return None
    return begins.first + timedelta(days=int(duration.value * days) - 1)


def _period(stamp: str | None, period: el.Period | None) -> tuple[DayRange | None, DayRange | None]:
    if period is not None:
        return DayRange.parse(period.start), DayRange.parse(period.end)
    return DayRange.parse(stamp), None


def _day(stamp: str | None) -> date | None:
    """The last day that a stamp can mean."""
    found = DayRange.parse(stamp)
    return found.last if found else None
