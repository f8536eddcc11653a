"""Draft orders as they would stand in the record once they are signed.

Only what says which drug or procedure, how much, when and for whom is kept of a draft. Clients write the rest in shapes
that FHIR does not have (the public Sandbox sends `category` and `reasonCode` as objects), and none of it may cost an
order that can be read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from cds_service.clinical.dates import DayRange
from cds_service.fhir.decoding import decode
from cds_service.fhir.entries import Entry
from cds_service.fhir.envelope import Bundle
from cds_service.fhir.references import local_name
from cds_service.fhir.wire import Answer, is_bundle, read_answer

Document = dict[str, Any]
# What the versions of FHIR call an order of a drug, and of a procedure.
_OF_DRUGS = frozenset({"MedicationRequest", "MedicationOrder", "MedicationPrescription"})
_OF_PROCEDURES = frozenset({"ServiceRequest", "ProcedureRequest"})
_BESIDE = frozenset({"Medication", "Substance"})
_ENDED = frozenset({"stopped", "cancelled", "ended", "discontinued", "revoked"})
# What orders nothing, and ends nothing. So does an order that something must not be done.
_NOTHING = frozenset({"entered-in-error", "completed"})
_IN_FORCE = frozenset({"active", "on-hold"})
_ORDERED = frozenset({"order", "original-order", "reflex-order", "filler-order", "instance-order"})
_DRUG = ("medicationCodeableConcept", "medicationReference", "medication")
# Not the id: where it is none, it takes nothing from the order.
_KEPT = (
    "modifierExtension", "implicitRules", "contained", "subject", "doNotPerform", *_DRUG,
    "effectiveDosePeriod", "dosageInstruction", "renderedDosageInstruction", "dispenseRequest",
)  # fmt: skip
_MOMENTS = ("occurrenceDateTime", "scheduledDateTime")
_PERIODS = ("occurrencePeriod", "scheduledPeriod")
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_DECODER = msgspec.json.Decoder(float_hook=Decimal)
NOTHING = Answer(())


class NotOrders(Exception):
    """What was sent as draft orders is no Bundle, nor a resource."""


@dataclass(frozen=True, slots=True)
class Draft:
    """One draft. `name` is what the client calls it, `words` what it calls the drug or procedure, unchecked.

    `entries` are the references of what stands for it in the record. A draft that `stops` is an order whose end was
    signed.
    """

    name: str
    words: str
    entries: frozenset[str]
    stops: bool = False


@dataclass(frozen=True, slots=True)
class Drafts:
    """All drafts that name something, and what stands for them, and lies beside them, in the record."""

    orders: tuple[Draft, ...] = ()
    answer: Answer = NOTHING


# A draft and the entries that stand for it.
Made = tuple[Draft, tuple[Entry, ...]]


def read_drafts(raw: msgspec.Raw | None, signed_on: date) -> Drafts:
    """The drafts as signed on a day: active orders that were written on it.

    A draft that names no drug and no procedure yet is left out: nothing is chosen. One that cannot be read stays, since
    it may be of a corticosteroid. Raises NotOrders for what is no Bundle.
    """
    if raw is None:
        return Drafts()
    came = read_answer(raw, "draftOrders")
    if came.failed and not is_bundle(bytes(raw)):
        raise NotOrders
    made: list[Made] = []
    beside = [entry for entry in came.entries if entry.type in _BESIDE]
    stock = {entry.reference: _document(entry.raw) for entry in beside}
    for number, entry in enumerate(came.entries):
        try:
            made += _signed(entry, f"draftOrders/{number}", signed_on, stock)
        except RecursionError:  # nested too deeply to be an order that anybody wrote
            made.append(_unreadable(entry.reference))
    made += [_unreadable(place) for place in _junk(raw, came)]
    entries = [one for _, several in made for one in several]
    return Drafts(tuple(draft for draft, _ in made), Answer((*entries, *beside)))


def _document(raw: bytes) -> Document:
    try:
        found = _DECODER.decode(raw)
    except (ValueError, RecursionError, ArithmeticError):
        return {}
    return found if isinstance(found, dict) else {}


def _signed(entry: Entry, place: str, signed_on: date, stock: Mapping[str, Document]) -> Iterator[Made]:
    document = _document(entry.raw)
    status = str(document.get("status") or "").strip().lower()
    named = _named(entry.type, document)
    if status in _NOTHING or _is_blank(named) or document.get("doNotPerform") is True:
        return
    made = [(place, _order(document, status, signed_on))] if entry.type in _OF_DRUGS else []
    stops = status in _ENDED
    if not stops and status != "on-hold":
        made.append((f"{place}/given", _procedure(document, _code(named, stock), signed_on)))
    if not made:
        return
    entries = tuple(_entry(name, one, entry) for name, one in made)
    yield Draft(entry.reference, _words(named, stock), frozenset(one.reference for one in entries), stops), entries


def _named(type_name: str, document: Document) -> list[Any]:
    """The elements that say which drug or procedure is ordered."""
    if type_name in _OF_PROCEDURES:
        return [document.get("code")]
    return [document.get(name) for name in _DRUG] if type_name in _OF_DRUGS else []


def _is_blank(value: Any) -> bool:
    """True for what holds no word at all, however deep: the client has the form open and nothing is chosen."""
    if isinstance(value, dict):
        return all(_is_blank(inner) for inner in value.values())
    if isinstance(value, list):
        return all(map(_is_blank, value))
    return value is None or (isinstance(value, str) and not value.strip())


def _order(document: Document, status: str, signed_on: date) -> Document:
    """The order of a drug with the status, intent and day of writing that a signature gives it.

    An order that is in force already and signed again was written when it says so.
    """
    kept = {name: document[name] for name in _KEPT if name in document}
    if "subject" not in kept and "patient" in document:
        kept["subject"] = document["patient"]
    if isinstance(kept.get("dosageInstruction"), dict):
        kept["dosageInstruction"] = [kept["dosageInstruction"]]
    intent = str(document.get("intent"))
    written = document.get("authoredOn") or document.get("dateWritten") if status in _IN_FORCE else None
    kept["authoredOn"] = written if isinstance(written, str) and DayRange.parse(written) else signed_on.isoformat()
    kept["status"] = "on-hold" if status == "on-hold" else "active"
    kept["intent"] = intent if intent in _ORDERED else "order"
    return {"resourceType": "MedicationRequest", **kept}


def _procedure(document: Document, code: Any, signed_on: date) -> Document:
    """The procedure, done on the day for which it is ordered; cells are ordered as a drug as often as a procedure."""
    made: Document = {name: document[name] for name in ("modifierExtension", "implicitRules") if name in document}
    made |= {"resourceType": "Procedure", "status": "completed", "code": code}
    made["performedDateTime"] = _ordered_for(document, signed_on).isoformat()
    subject = document.get("subject") or document.get("patient")
    return made | ({"subject": subject} if subject else {})


def _ordered_for(document: Document, signed_on: date) -> date:
    """The first day of the order, or the day of the signature where it names none, or one that is past."""
    periods = [one for name in _PERIODS if isinstance(one := document.get(name), dict)]
    stated = [*(document.get(name) for name in _MOMENTS), *(one.get("start") for one in periods)]
    days = [DayRange.parse(one) for one in stated if isinstance(one, str)]
    return max([signed_on, *(day.first for day in days if day)])


def _code(named: list[Any], stock: Mapping[str, Document]) -> Any:
    """The one code of what is ordered, also of R5's choice of a code or a reference, and of a Medication beside it."""
    for one in named:
        if not isinstance(one, dict):
            continue
        if isinstance(one.get("concept"), dict):
            return one["concept"]
        if "coding" in one or "text" in one:
            return one
        pointer = one["reference"] if isinstance(one.get("reference"), dict) else one
        beside = stock.get(local_name(str(pointer.get("reference") or "")) or "", {})
        if beside.get("code") or pointer.get("display"):
            return beside.get("code") or {"text": pointer["display"]}
    return {}


def _words(named: list[Any], stock: Mapping[str, Document]) -> str:
    """What a person would call what is ordered: the text, a display, a code."""
    code = _code(named, stock)
    codings = code.get("coding") if isinstance(code, dict) else None
    listed = [one for one in codings if isinstance(one, dict)] if isinstance(codings, list) else []
    words = [code.get("text") if isinstance(code, dict) else None, *(one.get("display") for one in listed)]
    words += [one.get("code") for one in listed]
    return next((one for one in words if isinstance(one, str) and one.strip()), "")


def _entry(name: str, document: Document, came: Entry) -> Entry:
    """The document as an entry of the record, under a name that no recorded resource has."""
    made = read_answer(_ENCODER.encode(document), name).entries[0]
    # What could not be read may be what was left out; a modifier stands around the whole.
    around = None if came.problem == "unreadable" else came.problem
    return msgspec.structs.replace(made, reference=name, full_url=None, problem=made.problem or around)


def _junk(raw: msgspec.Raw, came: Answer) -> Iterator[str]:
    """The places of entries that are no resource; one that is null is none."""
    bundle = decode(raw, Bundle)
    empty = {f"draftOrders[{at}]" for at, one in enumerate((bundle and bundle.entry) or ()) if bytes(one) == b"null"}
    yield from (place for place, _ in came.problems if place not in empty)


def _unreadable(name: str) -> Made:
    """An order of nobody knows what."""
    entry = Entry("MedicationRequest", f"draftOrders/{name}", None, b"", None, "unreadable")
    return Draft(name, "", frozenset({entry.reference})), (entry,)
