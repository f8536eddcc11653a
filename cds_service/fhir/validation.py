"""Validation of the resources that a finding prints, with fhir.resources; it can only veto.

Only the elements that we read are validated, each resource alone. A dateTime is cut to the day that we use, since
a missing zone or an odd second takes nothing from it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable
from decimal import Decimal
from functools import cache
from typing import Any

from cds_service.fhir import elements as el
from cds_service.fhir.wire import Entry

_STAMP = re.compile(r"(\d{4}-\d\d-\d\d)T.*")
_BEYOND_R4 = frozenset({"medication", "occurrenceDateTime", "occurrencePeriod", "reported", "taken", "notDone"})
_NOT_VALIDATED = frozenset({"contained", "modifierExtension", "implicitRules"})


def refused(entries: Iterable[Entry], references: Collection[str]) -> list[str]:
    """The references of the given resources that are not valid FHIR."""
    return [e.reference for e in entries if e.reference in references and e.resource and not is_valid(e)]


def is_valid(entry: Entry) -> bool:
    """True when the elements that we read are valid R4; shapes of other versions are taken as read."""
    document = _as_read(json.loads(entry.raw, parse_float=Decimal), type(entry.resource))
    if _BEYOND_R4 & set(document) or not isinstance(document, dict):
        return True
    try:
        _model(entry.type).model_validate({"resourceType": entry.type, **document})
    except (ValueError, KeyError, TypeError, RecursionError, ArithmeticError):
        return False
    return True


def _as_read(document: Any, kind: type[el.Resource]) -> dict[str, Any]:
    """The elements of a resource that we read, with their primitive extensions, dateTimes cut to days."""
    names = set(kind.__struct_fields__) - _NOT_VALIDATED
    kept = {name: value for name, value in document.items() if name.removeprefix("_") in names}
    return {name: _days_only(value) for name, value in kept.items() if value is not None}


def _days_only(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _days_only(one) for key, one in value.items() if key not in ("extension", "period")} | {
            key: value[key] for key in ("period",) if key in value and not isinstance(value[key], dict)
        }
    if isinstance(value, list):
        return [_days_only(one) for one in value]
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
    "MedicationAdministration": {
        "subject": _SUBJECT, "status": "completed", "medicationCodeableConcept": _CODE, "effectiveDateTime": "2026",
    },
}  # fmt: skip
