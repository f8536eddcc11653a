"""Whether a drug was taken as far as the status of its record tells."""

from __future__ import annotations

from cds_service.clinical.medications import Standing
from cds_service.fhir import elements as el
from cds_service.fhir.adherence import adhered

# What a record says of the taking; None where it says that nothing was ordered or given. A status that proves nothing
# leaves it possible; one that is not here cannot be read, and may say that nothing was taken.
_STATEMENTS = {
    "active": Standing.TAKEN, "recorded": Standing.TAKEN, "completed": Standing.ENDED,
    "stopped": Standing.ENDED, "on-hold": Standing.HELD, "not-taken": Standing.NOT_TAKEN,
    "unknown": Standing.POSSIBLE, "intended": None, "draft": None,
}  # fmt: skip
_REQUESTS = {
    "active": Standing.TAKEN, "completed": Standing.ENDED, "stopped": Standing.ENDED, "ended": Standing.ENDED,
    "on-hold": Standing.HELD, "unknown": Standing.POSSIBLE, "cancelled": None, "draft": None,
    "": Standing.POSSIBLE,  # STU3 and DSTU2 let an order go without
}  # fmt: skip
_ADMINISTRATIONS = {
    "completed": Standing.TAKEN, "in-progress": Standing.TAKEN, "not-done": Standing.NOT_TAKEN,
    "stopped": Standing.POSSIBLE, "on-hold": Standing.POSSIBLE, "unknown": Standing.POSSIBLE,
}  # fmt: skip
# What is being prepared, or was not handed over, was not taken.
_DISPENSES = {
    "completed": Standing.TAKEN, "in-progress": Standing.POSSIBLE, "stopped": Standing.POSSIBLE,
    "preparation": None, "cancelled": None, "declined": None, "on-hold": None,
}  # fmt: skip
_NOT_ORDERED = frozenset({"proposal", "option"})


def standing_of(record: el.MedicationRecord) -> Standing | None:
    """Whether the drug was taken as far as the status tells; None where nothing was ordered or given."""
    status = status_of(record)
    if isinstance(record, el.MedicationStatement):
        return adhered(record, _STATEMENTS.get(status, Standing.POSSIBLE))
    if isinstance(record, el.MedicationRequest):
        return None if record.intent in _NOT_ORDERED or record.doNotPerform else _of_order(record, status)
    if isinstance(record, el.MedicationDispense):
        return None if record.notDone else _DISPENSES.get(status, Standing.POSSIBLE)
    if isinstance(record, el.MedicationAdministration):
        not_given = record.wasNotGiven or record.notGiven
        return Standing.NOT_TAKEN if not_given else _ADMINISTRATIONS.get(status, Standing.POSSIBLE)
    return None


def _of_order(record: el.MedicationRequest, status: str) -> Standing | None:
    """What is planned and not reported as taken may or may not have been."""
    standing = _REQUESTS.get(status, Standing.POSSIBLE)
    planned = record.intent == "plan" and not is_reported(record)
    return Standing.POSSIBLE if planned and standing is not None else standing


def is_reported(record: el.MedicationRequest) -> bool:
    return bool(record.reportedBoolean or record.reported or record.reportedReference)


def status_of(record: el.MedicationRecord) -> str:
    return (record.status or "").strip().lower()


def is_known(record: el.MedicationRecord) -> bool:
    """False for a status that says nothing to us; that of a dispense is never asked for more than it tells."""
    if isinstance(record, el.MedicationStatement):
        return status_of(record) in _STATEMENTS
    if isinstance(record, el.MedicationRequest):
        return status_of(record) in _REQUESTS
    return not isinstance(record, el.MedicationAdministration) or status_of(record) in _ADMINISTRATIONS
