"""One request from end to end: message, record, facts, screening, cards."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from functools import partial

from cds_service.errors import MissingRecord, NotConformant
from cds_service.fhir.client import Access, Fetcher
from cds_service.fhir.fetched import NOTHING_FETCHED, Fetched
from cds_service.fhir.first_look import mentions_none
from cds_service.fhir.reading import read_facts
from cds_service.fhir.records import NoPatient, Records, WrongPatient, from_prefetch
from cds_service.fhir.validation import refused
from cds_service.hooks.request import HookRequest
from cds_service.trials.protocol import Protocol
from cds_service.trials.screening import Screening, case_of, screen

# A screening and the hook instance that asked for it -> the cards to show, as JSON.
Compose = Callable[[Screening, HookRequest], list[Mapping[str, object]]]

# How often invalid evidence is taken away bit by bit before the whole record is validated at once: a record made of
# invalid resources must not cost a screening for each of them.
_ATTEMPTS = 3


def patient_view(
    request: HookRequest, protocol: Protocol, compose: Compose, as_of: date, fetcher: Fetcher | None = None,
    in_full: bool = False,
) -> dict[str, object]:  # fmt: skip
    """The response to a chart opening; without a fetcher only what was prefetched is read.

    Where a first look tells that there is nothing to screen, nothing is, unless all is to be screened `in_full`.

    Raises MissingRecord when the record cannot be screened and silence is not allowed, NotConformant when it is
    another patient's.
    """
    if not in_full and nothing_to_screen(request, protocol):
        return {"cards": []}
    fetched = fetch(request, fetcher)
    try:
        records = from_prefetch(request.prefetch, request.patient_id, fetched)
    except WrongPatient:
        raise NotConformant("The Patient that was sent or fetched is not the patient in context.", "conflict") from None
    require(records, fetched)
    try:
        screening = screen_records(records, protocol, as_of)
    except NoPatient:
        raise missing(["patient"], fetched) from None
    if screening.unsearched and not screening.is_shown and not screening.applicable:
        raise missing(screening.unsearched, fetched)
    return {"cards": compose(screening, request)}


def nothing_to_screen(request: HookRequest, protocol: Protocol) -> bool:
    """True when the verdict can only be not-applicable, and a card therefore none: seen at a glance, without a
    screening."""
    concepts = protocol.readings.applicable.concepts
    return mentions_none(concepts, request.prefetch, request.patient_id, protocol.index)


def fetch(request: HookRequest, fetcher: Fetcher | None) -> Fetched:
    """What the request did not bring and its FHIR server did."""
    if fetcher is None or request.fhir_server is None:
        return NOTHING_FETCHED
    return fetcher.missing(request.prefetch, request.patient_id, Access(request.fhir_server, request.token))


def require(records: Records, fetched: Fetched) -> None:
    """Raises MissingRecord unless the Patient and the conditions came."""
    patient = records.patient
    lacking = [] if patient and patient.resource and not patient.problem else ["patient"]
    if not records.sources["conditions"].was_searched:
        lacking.append("conditions")
    if lacking:
        raise missing(lacking, fetched)


def missing(keys: Iterable[str], fetched: Fetched) -> MissingRecord:
    """The refusal that names the queries, each with why it could not be fetched, where that was tried."""
    why = {key: reason for key in keys if (reason := fetched.why_not(key))}
    return MissingRecord(tuple(keys), why)


def screen_records(records: Records, protocol: Protocol, as_of: date, infusion_on: date | None = None) -> Screening:
    """The screening of a record whose evidence has been validated.

    Validation can only take away: a resource that a finding prints and that is not valid FHIR is marked unreadable
    and the record is screened again. Raises NoPatient.
    """
    screened = partial(_screened, protocol=protocol, as_of=as_of, infusion_on=infusion_on)
    screening = screened(records)
    for attempt in range(_ATTEMPTS + 1):
        everything = frozenset(entry.reference for entry in records.entries)
        printed = screening.evidence_references if attempt < _ATTEMPTS else everything
        invalid = refused(records.entries, printed)
        if not invalid:
            break
        records = records.without(dict.fromkeys(invalid, "invalid"))
        screening = screened(records)
    return screening


def _screened(records: Records, protocol: Protocol, as_of: date, infusion_on: date | None) -> Screening:
    facts = read_facts(records, protocol.index, as_of)
    return screen(case_of(facts, protocol, as_of, infusion_on), protocol)
