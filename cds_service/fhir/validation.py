"""Validation of the resources that a finding prints, with fhir.resources; it can only veto.

Only the elements that we read are validated, each resource alone. A dateTime is cut to the day that we use, since
a missing zone or an odd second takes nothing from it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from decimal import Decimal
from functools import cache
from typing import Any

import msgspec

from cds_service.fhir import elements as el
from cds_service.fhir.wire import Entry

_STAMP = re.compile(r"(\d{4}-\d\d-\d\d)T.*")
_BEYOND_R4 = frozenset({"medication", "occurrenceDateTime", "occurrencePeriod", "reported", "taken", "notDone"})
_CODES_IN_STU3 = ("clinicalStatus", "verificationStatus")
# Of a reaction we read one element only, and the model would miss the others.
_NOT_VALIDATED = frozenset({"contained", "modifierExtension", "implicitRules", "reaction"})


def refused(entries: Iterable[Entry], references: Collection[str]) -> list[str]:
    """The references of the given resources that are not valid FHIR.

    The Patient is not among them: of it only single elements count, each checked where it is read.
    """
    printed = [e for e in entries if e.reference in references and e.resource and e.type != "Patient"]
    return [entry.reference for entry in printed if not is_valid(entry)]


def is_valid(entry: Entry) -> bool:
    """True when the elements that we read are valid R4; shapes of other versions are taken as they were read."""
    if entry.resource is None or _is_of_another_version(entry.resource):
        return True
    try:
        _model(entry.type).model_validate({"resourceType": entry.type, **_as_read(entry.resource)})
    except (ValueError, KeyError, TypeError, RecursionError, ArithmeticError):
        return False
    return True


def _is_of_another_version(resource: el.Resource) -> bool:
    """True for elements that R4 does not have, or has in another shape."""
    renamed = any(getattr(resource, name, None) is not None for name in _BEYOND_R4)
    single = isinstance(getattr(resource, "interpretation", None), el.CodeableConcept)
    return renamed or single or any(isinstance(getattr(resource, name, None), str) for name in _CODES_IN_STU3)


def _as_read(resource: el.Resource) -> dict[str, Any]:
    """The elements of a resource that we read, as JSON, dateTimes cut to days."""
    kept = {
        name: value
        for name in resource.__struct_fields__
        if name not in _NOT_VALIDATED and (value := getattr(resource, name)) is not None
    }
    elements: dict[str, Any] = _tidy(msgspec.to_builtins(kept, enc_hook=_plain))
    if "effectiveInstant" in elements:  # a day is a dateTime, but no instant
        elements["effectiveDateTime"] = elements.pop("effectiveInstant")
    return elements


def _plain(value: object) -> Decimal | None:
    """A number as fhir.resources takes it; nothing for an element that was left undecoded."""
    return Decimal(value) if isinstance(value, el.Number) else None


def _tidy(value: Any) -> Any:
    """The value without absent and empty elements; only the day is left of a dateTime."""
    if isinstance(value, dict):
        return {key: _tidy(one) for key, one in value.items() if one is not None and one != ""}
    if isinstance(value, list):
        return [_tidy(one) for one in value]
    return _STAMP.sub(r"\1", value) if isinstance(value, str) else value


@cache
def _model(type_name: str) -> Any:
    """The R4B model of a resource type, set to ignore what we do not read and to keep content out of errors."""
    from fhir_core.fhirabstractmodel import FHIRAbstractModel  # noqa: PLC0415 - 0.3 s that only a server pays

    FHIRAbstractModel.set_global_model_config(extra="ignore", hide_input_in_errors=True)
    from fhir.resources.R4B import get_fhir_model_class  # noqa: PLC0415

    return get_fhir_model_class(type_name)


def warm() -> None:
    """Loads the models of every type that findings print, so that no request pays for it."""
    for type_name in el.RESOURCE_TYPES:
        _model(type_name).model_validate({"resourceType": type_name, **_SMALLEST.get(type_name, {})})


_SUBJECT = {"reference": "Patient/1"}
_CODE: dict[str, Any] = {"coding": [{"system": "http://loinc.org", "code": "1"}]}
_SMALLEST: dict[str, dict[str, Any]] = {
    "Condition": {"subject": _SUBJECT, "code": _CODE},
    "Procedure": {"subject": _SUBJECT, "status": "completed"},
    "Observation": {"status": "final", "code": _CODE, "valueQuantity": {"value": 1}},
    "MedicationStatement": {"subject": _SUBJECT, "status": "active", "medicationCodeableConcept": _CODE},
    "MedicationRequest": {
        "subject": _SUBJECT, "status": "active", "intent": "order", "medicationCodeableConcept": _CODE,
    },
    "AllergyIntolerance": {"patient": _SUBJECT, "code": _CODE},
    "ResearchSubject": {"status": "on-study", "study": {"reference": "ResearchStudy/1"}, "individual": _SUBJECT},
    "MedicationAdministration": {
        "subject": _SUBJECT, "status": "completed", "medicationCodeableConcept": _CODE, "effectiveDateTime": "2026",
    },
}  # fmt: skip
