"""Patients in shorthand: a few facts on top of one patient about whom nothing else stands in the way.

The patient is a 45-year-old man of 70 kg with severe chronic GVHD after an allogeneic transplantation, on prednisone
30 mg daily since 2026-01-05, with good results of 2026-03-10, screened on 2026-03-16. Facts change or add to that:

    patient: {born: 1956-03-16, sex: female, died: true}
    weight: 80 kg                                     or [{kg: 70, on: 2026-03-01}, ...], or none; height: 170 cm
    condition: {icd-10-cm: M31.11, recorded: 2022}    one or a list, beside those of the patient
    conditions: [...]                                 instead of them ("none" for none at all)
    procedure, procedures                             the same; {cpt: 38242, on: 2025-12-07}
    prednisone: [{mg: 30, from: 2026-01-05}]          any drug by its id; any steroid replaces the patient's own
    drugs: none                                       without the patient's own prednisone
    labs: {neutrophils: 1.0 10*9/L, on: 2026-03-10}   any analytes, one or a list of such groups; they replace the
    function: {lvef: 50 %}                            patient's own result; none leaves it out
    sources: {procedures: failed, labs: absent}       or truncated, or none (searched, nothing found)
    resources: [{resourceType: Observation, ...}]     FHIR as it stands, beside the rest, for what has no shorthand

`broken: true` in any fact makes its resource unreadable, `patient: other` makes it another person's.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from itertools import count
from typing import Any

import msgspec
import yaml

from cds_service.fhir.queries import QUERIES, source_of_analyte
from cds_service.fhir.records import Records, from_prefetch
from cds_service.pipeline import screen_records
from cds_service.report.screening_json import screening_json
from cds_service.report.wording import wording
from cds_service.terminology.codes import classes
from cds_service.trials.protocol import load_protocol
from cds_service.trials.screening import Screening
from tests.trials import resources_of as one
from tests.trials.resources_of import Resource, Shorthand, analytes_of

SCREENED_ON = date(2026, 3, 16)
PROTOCOL = load_protocol("nct06920199")
Answers = dict[str, list[Resource]]
_CONDITIONS = [{"icd-10-cm": "D89.811", "severity": "NIH severe", "recorded": "2026-02-01"}]
_PROCEDURES = [{"icd-10-pcs": "30243Y3", "on": "2024-05-10"}]
_PREDNISONE = {"mg": 30, "from": "2026-01-05"}
_WEIGHED_ON = ("2025-08-20", "2025-09-20", "2025-10-20", "2025-11-20", "2025-12-20", "2026-01-20",
               "2026-02-18", "2026-03-09")  # fmt: skip
_LABS = {
    "creatinine": "0.9 mg/dL", "neutrophils": "3.1 10*9/L", "platelets": "140 10*9/L",
    "bilirubin-total": {"value": "0.6 mg/dL", "high": "1.2 mg/dL"},
    "alt": {"value": "30 U/L", "high": "50 U/L"}, "ast": {"value": "30 U/L", "high": "40 U/L"},
}  # fmt: skip
_FUNCTION = {"lvef": "60 %", "fev1-percent-predicted": "85 %", "ecog": 1}
_ON = "2026-03-10"
_STEROIDS = frozenset(classes()["corticosteroids"])
_DRUGS = frozenset(drug for drugs in classes().values() for drug in drugs)
_SUBJECT = {"AllergyIntolerance": "patient", "ResearchSubject": "individual"}
_PLAIN = frozenset({"patient", "weight", "height", "condition", "conditions", "procedure", "procedures", "drugs",
                    "labs", "function", "sources", "resources", "allergy", "study"})  # fmt: skip


class CaseLoader(yaml.SafeLoader):
    """YAML in which `on` is a word, as in YAML 1.2, and not a truth value."""


CaseLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if first not in "oO" or not tag.endswith(":bool")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def answers_of(facts: Shorthand) -> Answers:
    """What each query of the record would bring, before any of them fails."""
    unknown = set(facts) - _PLAIN - _DRUGS
    if unknown:
        raise KeyError(f"the shorthand has no {sorted(unknown)}")
    answers: Answers = {key: [] for key in QUERIES}
    answers["patient"] = [one.patient({"born": "1980-06-15", "sex": "male", **facts.get("patient", {})})]
    for kind in ("condition", "procedure"):
        own = _CONDITIONS if kind == "condition" else _PROCEDURES
        made = one.condition if kind == "condition" else one.procedure
        stated = [*_listed(facts.get(f"{kind}s", own)), *_listed(facts.get(kind))]
        answers[f"{kind}s"] = [made(f"{kind[0]}{n}", fact) for n, fact in enumerate(stated, 1)]
    answers["allergies"] = [one.allergy(f"a{n}", fact) for n, fact in enumerate(_listed(facts.get("allergy")), 1)]
    answers["researchSubjects"] = [one.study(f"s{n}", fact) for n, fact in enumerate(_listed(facts.get("study")), 1)]
    for drug, fact in _medications(facts):
        source = {"statement": "medicationStatements", "request": "medicationRequests",
                  "administration": "medicationAdministrations"}[fact.get("kind", "statement")]  # fmt: skip
        answers[source].append(one.medication(f"m{sum(len(answers[s]) for s in answers)}", drug, fact))
    for analyte, resource in _observations(facts):
        answers[source_of_analyte(analyte)].append(resource)
    for resource in _listed(facts.get("resources")):
        whose = _SUBJECT.get(resource["resourceType"], "subject")
        answers[_query_of(resource["resourceType"])].append({whose: one.PATIENT, **resource})
    return answers


def _query_of(type_name: str) -> str:
    """The first query that brings resources of the type; what none asks for comes with a related one."""
    asked = "MedicationRequest" if type_name == "MedicationDispense" else type_name
    return next((query.key for query in QUERIES.values() if query.type == asked), "labs")


def _medications(facts: Shorthand) -> Iterator[tuple[str, Shorthand]]:
    if facts.get("drugs") != "none" and not _STEROIDS & set(facts):
        yield "prednisone", _PREDNISONE
    for drug in facts:
        if drug in _DRUGS:
            yield from ((drug, fact) for fact in _listed(facts[drug]))


def _observations(facts: Shorthand) -> Iterator[tuple[str, Resource]]:
    names = (f"o{number}" for number in count(1))
    groups = [*_listed(facts.get("labs")), *_listed(facts.get("function"))]
    mentioned = {analyte for group in groups for analyte in analytes_of(group)}
    own = {name: value for name, value in {**_LABS, **_FUNCTION}.items() if name not in mentioned}
    weights = facts.get("weight", "70 kg")
    if not isinstance(weights, list):
        weights = [] if weights == "none" else [{"weight": weights, "on": day} for day in _WEIGHED_ON]
    else:
        weights = [w if "weight" in w else _weight_in_kg(w) for w in weights]
    heights = [{"height": facts["height"], "on": _ON}] if "height" in facts else []
    for group in ({**own, "on": _ON}, *({"on": _ON, **group} for group in groups), *weights, *heights):
        yield from one.results(names, group)


def _weight_in_kg(fact: Shorthand) -> Shorthand:
    return {"weight": {"value": f"{fact['kg']} kg", **{k: v for k, v in fact.items() if k not in ("kg", "on")}},
            "on": fact["on"]}  # fmt: skip


def _listed(facts: Any) -> list[Any]:
    if facts is None or facts == "none":
        return []
    return facts if isinstance(facts, list) else [facts]


def bundle(resources: Iterable[Resource], truncated: bool = False) -> Resource:
    found: Resource = {"resourceType": "Bundle", "type": "searchset"}
    found["entry"] = [{"resource": resource, "search": {"mode": "match"}} for resource in resources]
    return found | ({"link": [{"relation": "next", "url": "http://example.org/next"}]} if truncated else {})


def prefetch_of(answers: Answers, states: Mapping[str, str] | None = None) -> dict[str, Resource]:
    """The prefetch with each answer as a Bundle, newest results first, in the state that is asked for."""
    found: dict[str, Resource] = {}
    for key, resources in answers.items():
        state = (states or {}).get(key, "found")
        if state == "absent":
            continue
        if state == "failed":
            found[key] = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
        elif key == "patient":
            found[key] = resources[0]
        else:
            kept = [] if state == "none" else sorted(resources, key=_stamp, reverse=True)
            found[key] = bundle(kept, truncated=state == "truncated")
    return found


def _stamp(resource: Resource) -> str:
    return str(resource.get("effectiveDateTime") or resource.get("effectiveInstant") or "")


def as_json(value: Any) -> bytes:
    """JSON with every decimal as it was written."""
    return msgspec.json.Encoder(decimal_format="number").encode(value)


def records_of(answers: Answers, states: Mapping[str, str] | None = None) -> Records:
    prefetch = {key: msgspec.Raw(as_json(value)) for key, value in prefetch_of(answers, states).items()}
    return from_prefetch(prefetch, "p1")


def screened(facts: Shorthand, as_of: date = SCREENED_ON, infusion_on: date | None = None) -> Screening:
    """The screening of the patient with these facts, by the way that a request takes."""
    return screen_records(records_of(answers_of(facts), facts.get("sources")), PROTOCOL, as_of, infusion_on)


def printed(screening: Screening) -> dict[str, Any]:
    """The screening as JSON, so that every sentence was made too."""
    return screening_json(screening, wording("en"))


def criterion(screening: Screening, criterion_id: str) -> dict[str, Any]:
    return next(row for row in printed(screening)["criteria"] if row["id"] == criterion_id)


def text_of(screening: Screening) -> str:
    return json.dumps(printed(screening), ensure_ascii=False)
