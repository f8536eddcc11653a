"""The search parameters of FHIR R4 that the server knows, and how a resource answers to each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from cds_service.web.fhir_server.archive import Filed
from cds_service.web.fhir_server.moments import Moments, Wanted

Kind = Literal["reference", "token", "date"]
_UNESCAPED_COMMA = re.compile(r"(?<!\\),")
_UNESCAPED_BAR = re.compile(r"(?<!\\)\|")
_ESCAPE = re.compile(r"\\([\\,|$])")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A search parameter: its name, its kind, and the elements that it looks at (dots lead inside)."""

    name: str
    kind: Kind
    elements: tuple[str, ...] = ()

    def alternatives(self, text: str) -> list[str]:
        """The values of which one is enough, none when nothing is said. Raises ValueError for what is no such value."""
        values = [one for one in _UNESCAPED_COMMA.split(text) if one.strip()]
        if self.kind == "date" and not all(Wanted.parse(one) for one in values):
            raise ValueError(f"{self.name} takes dates such as 2026-03, ge2026-03-16, lt2026")
        return values

    def finds(self, filed: Filed, value: str) -> bool:
        """True when the resource answers to the value."""
        if self.kind == "reference":
            return filed.patient_id is not None and _is_patient(value, filed.patient_id)
        if self.kind == "token":
            system, code = _token(value)
            return any(_matches(coding, system, code) for coding in self._codings(filed))
        wanted = Wanted.parse(value)
        return wanted is not None and any(wanted.is_met_by(moments) for moments in self.moments(filed))

    def moments(self, filed: Filed) -> Iterator[Moments]:
        """When the resource was, by this parameter."""
        for one in self._values(filed):
            period = isinstance(one, dict)
            found = Moments.of_period(one.get("start"), one.get("end")) if period else Moments.parse(one)
            if found:
                yield found

    def _codings(self, filed: Filed) -> Iterator[tuple[str | None, object]]:
        """System and code of every coding; the system of an element of type code is not written: None."""
        for one in self._values(filed):
            if isinstance(one, bool | str):
                yield None, str(one).lower() if isinstance(one, bool) else one
            codings = one.get("coding") if isinstance(one, dict) else None
            for coding in codings if isinstance(codings, list) else []:
                if isinstance(coding, dict):
                    yield str(coding.get("system", "")), coding.get("code")

    def _values(self, filed: Filed) -> Iterator[Any]:
        for path in self.elements:
            yield from _inside(filed.resource, path.split("."))


def parameters_of(type_name: str) -> Mapping[str, Parameter]:
    """The parameters by which resources of the type can be searched."""
    return _by_name(type_name)


@cache
def _by_name(type_name: str) -> Mapping[str, Parameter]:
    return {one.name: one for one in (_ID, *_OF_TYPE.get(type_name, ()))}


def _dates(name: str, *elements: str) -> Parameter:
    return Parameter(name, "date", elements)


def _tokens(*elements: str, **named: str) -> tuple[Parameter, ...]:
    """Token parameters that are called like their elements, or otherwise: `clinical_status="clinicalStatus"`."""
    both = {**{one: one for one in elements}, **named}
    return tuple(Parameter(name.replace("_", "-"), "token", (element,)) for name, element in both.items())


_ID = Parameter("_id", "token", ("id",))
_PATIENT, _SUBJECT, _INDIVIDUAL = (Parameter(name, "reference") for name in ("patient", "subject", "individual"))
_STATES = _tokens(clinical_status="clinicalStatus", verification_status="verificationStatus")
_DRUG = _tokens(code="medicationCodeableConcept")
_OF_TYPE: Mapping[str, tuple[Parameter, ...]] = {
    "Patient": (*_tokens("gender"), _dates("birthdate", "birthDate")),
    "Condition": (
        _PATIENT, _SUBJECT, *_tokens("code", "category"), *_STATES,
        _dates("onset-date", "onsetDateTime", "onsetPeriod"), _dates("recorded-date", "recordedDate"),
        _dates("abatement-date", "abatementDateTime", "abatementPeriod"),
    ),
    "Procedure": (
        _PATIENT, _SUBJECT, *_tokens("code", "category", "status"),
        _dates("date", "performedDateTime", "performedPeriod"),
    ),
    "Observation": (
        _PATIENT, _SUBJECT, *_tokens("code", "category", "status"),
        _dates("date", "effectiveDateTime", "effectivePeriod", "effectiveInstant", "effectiveTiming.event"),
    ),
    "MedicationStatement": (
        _PATIENT, _SUBJECT, *_DRUG, *_tokens("category", "status"),
        _dates("effective", "effectiveDateTime", "effectivePeriod"),
    ),
    "MedicationRequest": (
        _PATIENT, _SUBJECT, *_DRUG, *_tokens("category", "status", "intent"),
        _dates("authoredon", "authoredOn"), _dates("date", "dosageInstruction.timing.event"),
    ),
    "MedicationAdministration": (
        _PATIENT, _SUBJECT, *_DRUG, *_tokens("status"),
        _dates("effective-time", "effectiveDateTime", "effectivePeriod"),
    ),
    "AllergyIntolerance": (
        _PATIENT, *_tokens("code", "category"), *_STATES, _dates("date", "recordedDate"),
    ),
    "ResearchSubject": (_PATIENT, _INDIVIDUAL, *_tokens("status"), _dates("date", "period")),
}  # fmt: skip


def _inside(value: Any, path: list[str]) -> Iterator[Any]:
    """The values at the end of the path; lists are looked through, and what is no object has nothing inside."""
    if isinstance(value, list):
        for one in value:
            yield from _inside(one, path)
    elif not path:
        yield value
    elif isinstance(value, Mapping) and path[0] in value:
        yield from _inside(value[path[0]], path[1:])


def _is_patient(value: str, patient_id: str) -> bool:
    return _plain(value).removeprefix("Patient/") == patient_id


def _token(value: str) -> tuple[str | None, str]:
    """System and code: "code" in any system (None), "|code" in none (""), "system|" any code ("")."""
    system, *code = _UNESCAPED_BAR.split(value, maxsplit=1)
    return (_plain(system), _plain(code[0])) if code else (None, _plain(system))


def _matches(coding: tuple[str | None, object], system: str | None, code: str) -> bool:
    its_system, its_code = coding
    # The system of a code element is implied, so the code alone decides.
    return (system is None or its_system is None or system == its_system) and (not code or code == its_code)


def _plain(text: str) -> str:
    return _ESCAPE.sub(r"\1", text)
