"""Validation of the resources that a finding prints, with fhir.resources; it can only veto.

Only the elements that we read are validated, each resource alone. A dateTime is cut to the day that we use, since
a missing zone or an odd second takes nothing from it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from decimal import Decimal
from functools import cache
from importlib import import_module
from typing import Any

import msgspec

from cds_service.fhir import elements as el
from cds_service.fhir.declared import Declared, declared
from cds_service.fhir.entries import Entry
from cds_service.fhir.versions import Version, version_of

_MODELS = {Version.R4: "fhir.resources.R4B", Version.R5: "fhir.resources", Version.STU3: "fhir.resources.STU3"}
_STAMP = re.compile(r"(\d{4}-\d\d-\d\d)T.*")
_TIME = re.compile(r"\d\d:\d\d")
# What we do not hold against a resource: how a server names it takes nothing from it. Of a reaction and an ingredient
# we read some elements only, and the model would miss the others.
_NOT_VALIDATED = frozenset({"id", "meta", "contained", "modifierExtension", "implicitRules", "reaction", "ingredient"})
# Of the Patient only single elements count, each checked where it is read; of a study only its names do.
_NEVER_PRINTED = frozenset({"Patient", "ResearchStudy"})


def refused(entries: Iterable[Entry], references: Collection[str]) -> list[str]:
    """The references of the given resources that are not valid FHIR."""
    printed = [e for e in entries if e.reference in references and e.resource and e.type not in _NEVER_PRINTED]
    return [entry.reference for entry in printed if not is_valid(entry)]


def is_valid(entry: Entry) -> bool:
    """True when the elements that we read are valid in the version of FHIR whose shapes they have.

    Of DSTU2, which fhir.resources does not know, they are taken as they were read.
    """
    version = version_of(entry.resource) if entry.resource else Version.DSTU2
    if entry.resource is None or version is Version.DSTU2:
        return True
    try:
        _declared(entry.type, version).refuse(as_read(entry.resource))
    except (ValueError, KeyError, TypeError, RecursionError, ArithmeticError):
        return False
    return True


def as_read(resource: el.Resource) -> dict[str, Any]:
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
    """The value without absent and empty elements and without blanks around it; of a dateTime only the day is left."""
    if isinstance(value, dict):
        return {key: _tidy(one) for key, one in value.items() if one is not None and one != ""}
    if isinstance(value, list):
        return [_tidy(one) for one in value if one is not None]
    return _tidy_text(value) if isinstance(value, str) else value


def _tidy_text(text: str) -> str:
    if len(text) == len("12:30") and _TIME.fullmatch(text):
        return f"{text}:00"
    stripped = text.strip()
    return _STAMP.sub(r"\1", stripped) if "T" in stripped else stripped


@cache
def _declared(type_name: str, version: Version) -> Declared:
    """What a version of FHIR asks of a resource type."""
    return declared(model_of(type_name, version), el.READ_TYPES[type_name])


def model_of(type_name: str, version: Version) -> Any:
    """The model of a resource type in fhir.resources."""
    be_tolerant()
    return import_module(_MODELS[version]).get_fhir_model_class(type_name)


def be_tolerant() -> None:
    """Sets fhir.resources to ignore what we do not read, to keep content out of errors, and to make no validator of a
    model before it is asked for: most models only declare.

    A model keeps the setting with which it was built: this must come before any is.
    """
    from fhir_core.fhirabstractmodel import FHIRAbstractModel  # noqa: PLC0415 - 0.3 s that only a server pays

    FHIRAbstractModel.set_global_model_config(extra="ignore", hide_input_in_errors=True, defer_build=True)


def warm() -> None:
    """Loads the models of every type that findings print, so that no request pays for it."""
    for type_name in el.RESOURCE_TYPES:
        _declared(type_name, Version.R4)
