"""One request from end to end: message, record, facts, screening, cards."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Protocol as Shape
from typing import TypeVar

from cds_service.clinical.facts import PatientFacts
from cds_service.errors import MissingRecord, NotConformant
from cds_service.fhir.client import Access, Fetcher
from cds_service.fhir.drafts import Drafts, NotOrders, read_drafts
from cds_service.fhir.fetched import NOTHING_FETCHED, Fetched
from cds_service.fhir.first_look import mentions_none
from cds_service.fhir.reading import read_facts
from cds_service.fhir.records import NoPatient, Records, WrongPatient, from_prefetch
from cds_service.fhir.validation import refused
from cds_service.hooks.request import HookRequest
from cds_service.trials.finding import Answer
from cds_service.trials.orders import Signing, Unreadable, given, orders, signed, standing, weighed_again
from cds_service.trials.outlook import Occasion, Outlook
from cds_service.trials.protocol import Protocol
from cds_service.trials.screening import Screening, Verdict, case_of, screen

# A screening and the hook instance that asked for it -> the cards to show, as JSON.
Compose = Callable[[Screening, HookRequest], list[Mapping[str, object]]]
# The same for what draft orders would change.
ComposeOrders = Callable[[Outlook, HookRequest], list[Mapping[str, object]]]
ORDER_HOOKS = frozenset({"order-select", "order-sign"})


class Desk(Shape):
    """Where people's answers lie, and where the record behind a card is kept for review."""

    def answers(self, patient: str) -> Sequence[Answer]: ...
    def linked(
        self, cards: Sequence[Mapping[str, object]], request: HookRequest, fetched: Fetched, day: date
    ) -> list[Mapping[str, object]]: ...


class Watch(Shape):
    """Who counts the patients whose charts are opened."""

    def screened(self, screening: Screening) -> None: ...
    def passed_over(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Means:
    """What the service has beside what a call brings: without a fetcher only what was prefetched is read, without a
    desk nobody has answered anything and nothing is kept, without a watch nobody counts. `in_full` screens everybody to
    the end, also where a first look tells that there is nothing to screen.
    """

    fetcher: Fetcher | None = None
    desk: Desk | None = None
    in_full: bool = False
    watch: Watch | None = None


ALONE = Means()

# How often invalid evidence is taken away bit by bit before the whole record is validated at once: a record made of
# invalid resources must not cost a screening for each of them.
_ATTEMPTS = 3
# What no person's answer changes.
_SETTLED = frozenset({Verdict.NOT_APPLICABLE, Verdict.RULED_OUT})


def patient_view(
    request: HookRequest, protocol: Protocol, compose: Compose, as_of: date, means: Means = ALONE
) -> dict[str, object]:
    """The response to a chart opening.

    Where a first look tells that there is nothing to screen, nothing is.

    Raises MissingRecord when the record cannot be screened and silence is not allowed, NotConformant when it is
    another patient's.
    """
    desk, watch = means.desk, means.watch
    if not means.in_full and nothing_to_screen(request, protocol):
        if watch:
            watch.passed_over()
        return {"cards": []}
    fetched = fetch(request, means.fetcher)
    records = record_of(request, fetched)
    require(records, fetched)
    screening = answerable(lambda: screen_records(records, protocol, as_of), fetched)
    screening = answered(screening, protocol, request.patient_id, desk)
    if watch:
        watch.screened(screening)
    cards = compose(screening, request)
    return {"cards": desk.linked(cards, request, fetched, as_of) if desk and cards else cards}


def order_guard(
    request: HookRequest, protocol: Protocol, compose: ComposeOrders, as_of: date, means: Means = ALONE
) -> dict[str, object]:
    """The response to drafted orders: what signing them would change, and nothing where that is nothing.

    Orders that no criterion reads, and patients who are ruled out or none for the trial, by the record or by what a
    person answered, are left early. Raises as patient_view does.
    """
    drafts = drafts_of(request, as_of)
    if not drafts.orders:
        return {"cards": []}
    fetched = fetch(request, means.fetcher)
    records = record_of(request, fetched, drafts)
    require(records, fetched)
    signing = signing_of(drafts, as_of)
    if not signing.matters(read_facts(records.only(signing.entries), protocol.index, protocol.readings.later(as_of))):
        return {"cards": []}
    recorded = records.leaving_out(signing.entries)
    standing = answerable(lambda: screen_records(recorded, protocol, as_of), fetched)
    if not answered(standing, protocol, request.patient_id, means.desk).may_fit:
        return {"cards": []}
    outlook = _validated(records, partial(look_ahead, drafts=drafts, signing=signing, protocol=protocol))
    return {"cards": compose(outlook, request) if outlook.effects else []}


def no_order_cards(outlook: Outlook, request: HookRequest) -> list[Mapping[str, object]]:
    """For whoever has nothing to say about orders."""
    return []


def drafts_of(request: HookRequest, as_of: date) -> Drafts:
    """The draft orders as they would be signed. Raises NotConformant for what cannot hold any."""
    try:
        return read_drafts(request.draft_orders, as_of)
    except NotOrders:
        raise NotConformant("context.draftOrders must be a Bundle of orders.", "structure") from None


def nothing_to_screen(request: HookRequest, protocol: Protocol) -> bool:
    """True when the verdict can only be not-applicable, and a card therefore none: seen at a glance, without a
    screening."""
    concepts = protocol.readings.applicable.concepts
    return mentions_none(concepts, request.prefetch, request.patient_id, protocol.index)


def signing_of(drafts: Drafts, as_of: date) -> Signing:
    """The signature of all drafts on a day."""
    names = {entry: draft.name for draft in drafts.orders for entry in draft.entries}
    stops = frozenset(entry for draft in drafts.orders if draft.stops for entry in draft.entries)
    return Signing(as_of, names, stops)


def fetch(request: HookRequest, fetcher: Fetcher | None) -> Fetched:
    """What the request did not bring and its FHIR server did."""
    if fetcher is None or request.fhir_server is None:
        return NOTHING_FETCHED
    access = Access(request.fhir_server, request.token)
    return fetcher.missing(request.prefetch, request.patient_id, access, request.draft_orders)


def record_of(request: HookRequest, fetched: Fetched, drafts: Drafts | None = None) -> Records:
    """The record that was sent and fetched. Raises NotConformant when it is another patient's."""
    try:
        return from_prefetch(request.prefetch, request.patient_id, fetched, drafts.answer if drafts else None)
    except WrongPatient:
        raise NotConformant("The Patient that was sent or fetched is not the patient in context.", "conflict") from None


def require(records: Records, fetched: Fetched) -> None:
    """Raises MissingRecord unless the Patient and the conditions came."""
    patient = records.patient
    lacking = [] if patient and patient.resource and not patient.problem else ["patient"]
    if not records.sources["conditions"].was_searched:
        lacking.append("conditions")
    if lacking:
        raise missing(lacking, fetched)


def answerable(screened: Callable[[], Screening], fetched: Fetched) -> Screening:
    """A screening on which an answer may rest. Raises MissingRecord where silence would, and may not."""
    try:
        screening = screened()
    except NoPatient:
        raise missing(["patient"], fetched) from None
    if screening.unsearched and not screening.is_shown and not screening.applicable:
        raise missing(screening.unsearched, fetched)
    return screening


def answered(screening: Screening, protocol: Protocol, patient_id: str, desk: Desk | None) -> Screening:
    """The screening with what people answered, where that may change it."""
    if desk is None or screening.verdict in _SETTLED:
        return screening
    answers = desk.answers(patient_id)
    return screen(screening.case, protocol, answers) if answers else screening


def missing(keys: Iterable[str], fetched: Fetched) -> MissingRecord:
    """The refusal that names the queries, each with why it could not be fetched, where that was tried."""
    why = {key: reason for key in keys if (reason := fetched.why_not(key))}
    return MissingRecord(tuple(keys), why)


def screen_records(
    records: Records,
    protocol: Protocol,
    as_of: date,
    infusion_on: date | None = None,
    answers: Iterable[Answer] = (),
) -> Screening:
    """The screening of a record whose evidence has been validated.

    Validation can only take away: a resource that a finding prints and that is not valid FHIR is marked unreadable
    and the record is screened again. Raises NoPatient.
    """
    said = tuple(answers)
    return _validated(
        records, partial(_screened, protocol=protocol, as_of=as_of, infusion_on=infusion_on, answers=said)
    )


def look_ahead(records: Records, drafts: Drafts, signing: Signing, protocol: Protocol) -> Outlook:
    """What the signature of the drafts in a record means, on its day and later as the protocol's readings say."""
    days = (signing.on, protocol.readings.later(signing.on))
    facts = [read_facts(records, protocol.index, day) for day in days]
    facts[-1] = weighed_again(facts[-1], (days[-1] - signing.on).days)
    signing = signing.with_ends(facts[0])
    occasions = tuple(_occasion(one, signing, protocol, day) for one, day in zip(facts, days, strict=True))
    words = {draft.name: draft.words for draft in drafts.orders}
    names = ((signing.entries[one.reference], one.concepts) for one in signing.unread(facts[0]))
    unread = tuple(Unreadable(name, words[name], concepts) for name, concepts in names)
    left_out = (replace(one, reference=signing.entries[one.reference]) for one in facts[0].skipped
                if one.reference in signing.entries)  # fmt: skip
    skipped = tuple(dict.fromkeys(left_out))
    return Outlook(protocol, occasions, signing, tuple(orders(facts[-1], signing)), unread, skipped)


def _occasion(facts: PatientFacts, signing: Signing, protocol: Protocol, day: date) -> Occasion:
    seen = (standing(facts, signing), signed(facts, signing, day), given(facts, signing, day))
    return Occasion(*(case_of(one, protocol, day) for one in seen))


class _Rests(Shape):
    """An answer that says which resources it rests on."""

    @property
    def evidence_references(self) -> frozenset[str]: ...


_Answer = TypeVar("_Answer", bound=_Rests)


def _validated(records: Records, answer: Callable[[Records], _Answer]) -> _Answer:
    """The answer to a record without those resources that it rests on and that are no valid FHIR."""
    answered = answer(records)
    for attempt in range(_ATTEMPTS + 1):
        everything = frozenset(entry.reference for entry in records.entries)
        printed = answered.evidence_references if attempt < _ATTEMPTS else everything
        invalid = refused(records.entries, printed)
        if not invalid:
            break
        records = records.without(dict.fromkeys(invalid, "invalid"))
        answered = answer(records)
    return answered


def _screened(
    records: Records, protocol: Protocol, as_of: date, infusion_on: date | None, answers: Sequence[Answer]
) -> Screening:
    facts = read_facts(records, protocol.index, as_of)
    return screen(case_of(facts, protocol, as_of, infusion_on), protocol, answers)
