"""Single facts in shorthand as FHIR R4 resources. `record_of` puts them together and documents the shorthand."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from cds_service.clinical.quantity import UCUM, analyte_units
from cds_service.terminology.codes import code_sets, system_address, systems

Resource = dict[str, Any]
Shorthand = Mapping[str, Any]
PATIENT = {"reference": "Patient/p1"}
_SYSTEMS = frozenset(systems().values())
_NUMBER = r"\d+(?:\.\d+)?"
_MEASURED = re.compile(rf"(?P<sign><=|>=|<|>)?\s*(?P<value>{_NUMBER})(?:-(?P<high>{_NUMBER}))?(?:\s+(?P<unit>\S+))?")
_RESULT_KEYS = frozenset({"on", "specimen", "status", "method"})
_MEDICATION_KEYS = {
    "id", "kind", "mg", "mg_per_kg", "unit", "every", "as_needed", "sig", "route", "from", "to", "on", "status",
    "asserted", "named", "display", "code", "derived_from", "supply", "intent",
    "reason", "reason_code", "reason_to", "note", "note_on", "broken", "patient",
}  # fmt: skip
_EVERY = {"daily": (1, 1, "d"), "bid": (2, 1, "d"), "qod": (1, 2, "d"), "weekly": (1, 1, "wk")}


def patient(facts: Shorthand) -> Resource:
    _only(facts, {"born", "sex", "died"})
    found: Resource = {"resourceType": "Patient", "id": "p1"}
    if facts.get("born"):
        found["birthDate"] = str(facts["born"])
    if facts.get("sex"):
        found["gender"] = facts["sex"]
    if facts.get("died"):
        found["deceasedBoolean"] = True
    return found


def condition(name: str, facts: Shorthand) -> Resource:
    _only(facts, {*_SYSTEMS, "text", "status", "verification", "onset", "over", "recorded", "severity", "broken",
                  "patient", "note", "note_on"})  # fmt: skip
    found = _resource("Condition", name, facts)
    found["code"] = _concept(facts)
    if facts.get("status", "active") != "not stated":
        found["clinicalStatus"] = _coded("condition-clinical", facts.get("status", "active"))
    found["verificationStatus"] = _coded("condition-ver-status", facts.get("verification", "confirmed"))
    if facts.get("onset"):
        found["onsetDateTime"] = str(facts["onset"])
    if facts.get("over"):
        found["abatementDateTime"] = str(facts["over"])
    if facts.get("recorded"):
        found["recordedDate"] = str(facts["recorded"])
    if facts.get("severity"):
        found["severity"] = {"text": facts["severity"]}
    return found | _noted(facts)


def procedure(name: str, facts: Shorthand) -> Resource:
    _only(facts, {*_SYSTEMS, "text", "status", "on", "from", "to", "broken", "patient"})
    found = _resource("Procedure", name, facts) | {"status": facts.get("status", "completed"), "code": _concept(facts)}
    if facts.get("on"):
        found["performedDateTime"] = str(facts["on"])
    elif facts.get("from") or facts.get("to"):
        found["performedPeriod"] = _period(facts)
    return found


def allergy(name: str, facts: Shorthand) -> Resource:
    _only(facts, {*_SYSTEMS, "text", "status", "verification", "recorded", "broken", "patient"})
    found = _resource("AllergyIntolerance", name, facts) | {"code": _concept(facts)}
    found["patient"] = found.pop("subject")
    found["clinicalStatus"] = _coded("allergyintolerance-clinical", facts.get("status", "active"))
    found["verificationStatus"] = _coded("allergyintolerance-verification", facts.get("verification", "confirmed"))
    return found | ({"recordedDate": str(facts["recorded"])} if facts.get("recorded") else {})


def study(name: str, facts: Shorthand) -> Resource:
    """A part in a study; `of` is what the study is called."""
    _only(facts, {"of", "status", "from", "to", "broken", "patient"})
    found = _resource("ResearchSubject", name, facts) | {"status": facts.get("status", "on-study")}
    found["individual"] = found.pop("subject")
    found["study"] = {"display": facts.get("of", "a made-up study")}
    period = _period(facts)
    return found | ({"period": period} if period else {})


def medication(name: str, drug: str, facts: Shorthand) -> Resource:
    _only(facts, _MEDICATION_KEYS)
    kind = facts.get("kind", "statement")
    name = facts.get("id", name)
    made = {"statement": _statement, "request": _request, "administration": _administration}[kind]
    found = made(name, facts)
    found["medicationCodeableConcept"] = _drug(drug, facts)
    if facts.get("reason_code") or facts.get("reason"):
        coded = (
            [{"system": system_address("icd-10-cm"), "code": facts["reason_code"]}] if "reason_code" in facts else []
        )
        found["reasonCode"] = [{**({"coding": coded} if coded else {}), "text": facts.get("reason", "see code")}]
    if facts.get("reason_to"):
        found["reasonReference"] = [{"reference": facts["reason_to"]}]
    return found | _noted(facts)


def _noted(facts: Shorthand) -> Resource:
    if not facts.get("note"):
        return {}
    return {"note": [{"text": facts["note"]} | ({"time": str(facts["note_on"])} if facts.get("note_on") else {})]}


def results(names: Iterator[str], facts: Shorthand) -> Iterator[tuple[str, Resource]]:
    """Each analyte of a group of results with its Observation; `none` as a value makes no resource."""
    for analyte in facts:
        if analyte in _RESULT_KEYS or facts[analyte] == "none":
            continue
        stated = facts[analyte]
        own = stated if isinstance(stated, Mapping) else {"value": stated}
        yield analyte, _observation(next(names), analyte, {**{k: facts[k] for k in _RESULT_KEYS & set(facts)}, **own})


def analytes_of(facts: Shorthand) -> set[str]:
    return {name for name in facts if name not in _RESULT_KEYS}


def _observation(name: str, analyte: str, facts: Shorthand) -> Resource:
    _only(facts, {*_RESULT_KEYS, "value", "high", "loinc", "broken", "patient"})
    code = facts.get("loinc") or next(row["code"] for row in code_sets()[analyte].rows if row["system"] == "loinc")
    found = _resource("Observation", name, facts) | {"status": facts.get("status", "final")}
    found |= {"code": {"coding": [{"system": system_address("loinc"), "code": str(code)}]}}
    if facts.get("on"):
        found["effectiveDateTime"] = str(facts["on"])
    if facts.get("specimen"):
        found["specimen"] = {"reference": f"Specimen/{facts['specimen']}"}
    found |= _value(analyte, facts["value"])
    if facts.get("high"):
        found["referenceRange"] = [{"high": _value(analyte, facts["high"])["valueQuantity"]}]
    return found


def _value(analyte: str, stated: Any) -> Resource:
    """A number with a unit as a Quantity, two as a Range, a bare whole number as an integer, words as a string.

    {snomed: "…"} is an answer by its code alone.
    """
    if isinstance(stated, Mapping):
        return {"valueCodeableConcept": _concept(stated)}
    if isinstance(stated, int):
        return {"valueInteger": stated}
    match = _MEASURED.fullmatch(str(stated))
    if match is None:
        return {"valueString": str(stated)}
    ends = [_quantity(analyte, match[end], match["unit"]) for end in ("value", "high") if match[end]]
    if match["high"]:
        return {"valueRange": {"low": ends[0], "high": ends[1]}}
    return {"valueQuantity": ends[0] | ({"comparator": match["sign"]} if match["sign"] else {})}


def _quantity(analyte: str, number: str, unit: str | None) -> Resource:
    """A coded UCUM unit where our table knows it as one, words otherwise."""
    found: Resource = {"value": Decimal(number)}
    if unit is None:
        return found
    coded = unit in analyte_units()[analyte].factors
    return found | {"unit": unit} | ({"system": UCUM, "code": unit} if coded else {})


def _statement(name: str, facts: Shorthand) -> Resource:
    found = _resource("MedicationStatement", name, facts) | {"status": facts.get("status", "active")}
    if facts.get("asserted", "2026-03-10") != "none":
        found["dateAsserted"] = str(facts.get("asserted", "2026-03-10"))
    if facts.get("on"):
        found["effectiveDateTime"] = str(facts["on"])
    elif facts.get("from") or facts.get("to"):
        found["effectivePeriod"] = _period(facts)
    if facts.get("derived_from"):
        found["derivedFrom"] = [{"reference": facts["derived_from"]}]
    return found | {"dosage": [_dosage(facts)]}


def _request(name: str, facts: Shorthand) -> Resource:
    found = _resource("MedicationRequest", name, facts) | {"status": facts.get("status", "active")}
    dosage = _dosage(facts)
    if facts.get("to"):
        dosage.setdefault("timing", {}).setdefault("repeat", {})["boundsPeriod"] = _period(facts)
    found |= {"intent": facts.get("intent", "order"), "dosageInstruction": [dosage]}
    if facts.get("from") or facts.get("on"):
        found["authoredOn"] = str(facts.get("from") or facts["on"])
    if facts.get("supply"):
        days = {"value": facts["supply"], "system": UCUM, "code": "d"}
        found["dispenseRequest"] = {"expectedSupplyDuration": days}
    return found


def _administration(name: str, facts: Shorthand) -> Resource:
    found = _resource("MedicationAdministration", name, facts) | {"status": facts.get("status", "completed")}
    if facts.get("on"):
        found["effectiveDateTime"] = str(facts["on"])
    elif facts.get("from"):
        found["effectivePeriod"] = _period(facts)
    dose = _dosage(facts)
    amount = dose.get("doseAndRate", [{}])[0].get("doseQuantity")
    given = {"route": dose["route"]} if "route" in dose else {}
    return found | {"dosage": given | ({"dose": amount} if amount else {"text": "given"})}


def _dosage(facts: Shorthand) -> Resource:
    found: Resource = {"route": {"text": facts.get("route", "oral")}} if facts.get("route", "oral") != "none" else {}
    if facts.get("sig"):
        found["text"] = facts["sig"]
    amount = facts.get("mg", facts.get("mg_per_kg"))
    if amount is not None:
        unit = "mg/kg" if "mg_per_kg" in facts else facts.get("unit", "mg")
        low, _, high = str(amount).partition("-")
        ends = [{"value": Decimal(one), "unit": unit, "system": UCUM, "code": unit} for one in (low, high) if one]
        dose = {"doseRange": {"low": ends[0], "high": ends[1]}} if high else {"doseQuantity": ends[0]}
        frequency, period, per = _EVERY[facts.get("every", "daily")]
        found |= {"doseAndRate": [dose]}
        found |= {"timing": {"repeat": {"frequency": frequency, "period": period, "periodUnit": per}}}
    if facts.get("as_needed"):
        found["asNeededBoolean"] = True
    return found or {"text": ""}


def _drug(drug: str, facts: Shorthand) -> Resource:
    """The drug by its first RxNorm or ATC code, or by the words of `named` alone."""
    if facts.get("named"):
        return {"text": facts["named"]}
    row = {"system": "rxnorm", "code": facts["code"]} if "code" in facts else code_sets()[drug].rows[0]
    display = facts.get("display", drug)
    return {"coding": [{"system": system_address(row["system"]), "code": str(row["code"]), "display": display}]}


def _resource(type_name: str, name: str, facts: Shorthand) -> Resource:
    """The start of a resource; a broken one has an id list that no reader takes, and is otherwise whole."""
    subject = {"reference": f"Patient/{facts['patient']}"} if facts.get("patient") else PATIENT
    found: Resource = {"resourceType": type_name, "id": name, "subject": subject}
    return found | ({"modifierExtension": [{"url": "http://example.org/unknown"}]} if facts.get("broken") else {})


def _concept(facts: Shorthand) -> Resource:
    coding = [{"system": system_address(alias), "code": str(facts[alias])} for alias in facts if alias in _SYSTEMS]
    found: Resource = {"coding": coding} if coding else {}
    return found | ({"text": facts["text"]} if facts.get("text") else {})


def _coded(system: str, code: str) -> Resource:
    return {"coding": [{"system": f"http://terminology.hl7.org/CodeSystem/{system}", "code": code}]}


def _period(facts: Shorthand) -> Resource:
    return {key: str(facts[name]) for key, name in (("start", "from"), ("end", "to")) if facts.get(name)}


def _only(facts: Shorthand, known: set[str]) -> None:
    unknown = set(facts) - known
    if unknown:
        raise KeyError(f"the shorthand has no {sorted(map(str, unknown))}; it knows {sorted(known)}")


def days(text: Any) -> date:
    return text if isinstance(text, date) else date.fromisoformat(str(text))
