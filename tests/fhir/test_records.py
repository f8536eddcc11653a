"""Records: five states per query, one patient, each resource once."""

from __future__ import annotations

import json
from datetime import date

import pytest

from cds_service.clinical.facts import Source, State
from cds_service.fhir.queries import ANALYTES_OF, QUERIES, prefetch_templates, source_of_analyte
from cds_service.fhir.reading import read_facts
from cds_service.fhir.records import NoPatient, SeveralPatients, UnreadableRecord, WrongPatient, from_files
from cds_service.fhir.validation import is_valid
from cds_service.terminology.codes import code_sets
from tests.fhir.made import (
    AS_OF,
    PATIENT,
    Json,
    bundle,
    condition,
    doubts,
    facts_of,
    file_records,
    index,
    observation,
    prefetched,
    prefetched_facts,
    references,
    request,
    resource,
    skipped,
)  # fmt: skip

OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
NOTHING_FOUND = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "not-found"}]}
OTHER = {"reference": "Patient/p2"}


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (None, State.NONE),
        (bundle(), State.NONE),
        ({"resourceType": "Bundle", "type": "searchset"}, State.NONE),
        (
            {"resourceType": "Bundle", "entry": [{"resource": NOTHING_FOUND, "search": {"mode": "outcome"}}]},
            State.NONE,
        ),
        (bundle(condition()), State.FOUND),
        (condition(), State.FOUND),
        ({"resource": condition()}, State.FOUND),
        (bundle(condition(subject=OTHER)), State.NONE),
        (OUTCOME, State.FAILED),
        (bundle(condition(), OUTCOME), State.FAILED),
        ("123", State.FAILED),
        ({"name": "Homer"}, State.FAILED),
        (bundle(condition(), link=[{"relation": "next", "url": "https://ehr/2"}]), State.TRUNCATED),
        (bundle(condition(), total=2), State.TRUNCATED),
        (bundle({"resourceType": "Strange", "id": "s"}), State.FOUND),
        (bundle(resource("Encounter")), State.FAILED),
        (resource("Observation"), State.FAILED),
        (bundle(condition(), resource("Encounter")), State.FOUND),
        ({"resourceType": "Bundle", "entry": [None]}, State.FOUND),
        ({"resourceType": "Bundle", "entry": [{"response": {"status": "403", "outcome": OUTCOME}}]}, State.FAILED),
    ],
)
def test_an_answer_has_one_of_five_states(answer: object, state: State) -> None:
    assert prefetched({"conditions": answer}).sources["conditions"].state is state


def test_a_key_that_is_not_there_is_absent() -> None:
    assert {source.state for key, source in prefetched({}).sources.items() if key != "patient"} == {State.ABSENT}


@pytest.mark.parametrize("missing", QUERIES)
def test_any_key_may_be_missing(missing: str) -> None:
    answers = {key: None for key in QUERIES if key not in ("patient", missing)}
    records = prefetched({**answers, **({"patient": None} if missing == "patient" else {})})
    assert set(records.sources) == set(QUERIES)


def test_keys_that_nobody_asked_for_are_ignored() -> None:
    assert facts_of().problems == prefetched_facts({"item9": bundle(condition())}).problems


def _labs(*days: str, **elements: object) -> Json:
    found = [observation(name=f"o{n}", effectiveDateTime=day) for n, day in enumerate(days)]
    return bundle(*found, **{"total": 900, **elements})


@pytest.mark.parametrize(
    ("days", "complete"),
    [
        (("2026-03-10", "2026-02-01", "2026-01-03"), date(2026, 1, 3)),
        (("2026-03-10T09:00:00Z", "2026-03-10T08:00:00Z"), date(2026, 3, 10)),
        (("2026-01-03", "2026-02-01"), None),
        ((), None),
    ],
)
def test_a_truncated_sorted_answer_is_complete_back_to_its_oldest_entry(
    days: tuple[str, ...], complete: date | None
) -> None:
    assert prefetched({"labs": _labs(*days)}).sources["labs"] == Source(State.TRUNCATED, complete)


def test_a_truncated_unsorted_answer_is_complete_back_to_no_day() -> None:
    answer = bundle(request(), total=2)
    assert prefetched({"medicationRequests": answer}).sources["medicationRequests"].complete_back_to is None


def test_another_patient_in_context_is_refused() -> None:
    with pytest.raises(WrongPatient):
        prefetched({"patient": {**PATIENT, "id": "p2"}})
    with pytest.raises(WrongPatient):
        prefetched({"conditions": bundle({**PATIENT, "id": "p2"})})


def test_a_patient_without_an_id_is_neither_the_one_nor_another() -> None:
    nameless = {"resourceType": "Patient", "birthDate": "1980"}
    with pytest.raises(NoPatient):
        read_facts(prefetched({"patient": nameless}), index(), AS_OF)


@pytest.mark.parametrize(
    "patient", [None, OUTCOME, "x", {**PATIENT, "gender": 5}, {**PATIENT, "modifierExtension": [{}]}]
)
def test_without_a_readable_patient_there_are_no_facts(patient: object) -> None:
    with pytest.raises(NoPatient):
        read_facts(prefetched({"patient": patient}), index(), AS_OF)


@pytest.mark.parametrize("patient_id", ["p1", "Patient/p1", "https://ehr/Patient/p1"])
def test_the_patient_in_context_may_be_an_id_or_a_reference(patient_id: str) -> None:
    assert prefetched({}, patient_id).patient is not None


@pytest.mark.parametrize(
    "subject", ["Patient/p1", "https://ehr/fhir/Patient/p1", "Patient/p1/_history/2", "#contained", ""]
)
def test_the_patients_own_entries_are_kept_however_they_refer(subject: str) -> None:
    assert references(facts_of(condition(subject={"reference": subject})).problems) == ["Condition/c1"]


def test_an_entry_without_a_subject_is_the_patients() -> None:
    assert facts_of(condition(subject=None)).problems


@pytest.mark.parametrize("kind", ["Condition", "AllergyIntolerance", "Encounter"])
def test_another_patients_entry_is_only_listed(kind: str) -> None:
    other = {**condition(), "resourceType": kind, "subject": OTHER}
    facts = facts_of(other)
    assert skipped(facts) == [(f"{kind}/c1", "other-patient")]
    assert not facts.problems
    assert not facts.unread
    assert {source.state for key, source in facts.sources.items() if key != "patient"} == {State.NONE}


def test_another_patients_unreadable_entry_leaves_no_doubt() -> None:
    facts = facts_of(condition(subject=OTHER, onsetDateTime=7))
    assert (skipped(facts), facts.unread) == ([("Condition/c1", "other-patient")], ())


def test_a_result_about_somebody_else_than_its_subject_is_only_listed() -> None:
    facts = facts_of(observation(valueQuantity={"value": 1, "unit": "mg/dL"}, focus=[{"reference": "Patient/donor"}]))
    assert (skipped(facts), facts.results) == ([("Observation/o1", "other-patient")], ())


def test_an_entry_of_an_unknown_subject_leaves_a_doubt() -> None:
    facts = facts_of(condition(subject={"reference": "urn:uuid:nobody"}))
    assert not facts.problems
    assert doubts(facts) == {("conditions", frozenset({"chronic-gvhd"}))}


_MRN = {"system": "https://ehr.example/mrn", "value": "42"}
_DOUBT = {("conditions", frozenset({"chronic-gvhd"}))}


@pytest.mark.parametrize(
    ("identifier", "own"),
    [
        (_MRN, True),
        ({**_MRN, "value": " 42 "}, True),
        ({**_MRN, "value": "43"}, False),
        ({**_MRN, "system": "https://other.example/mrn"}, False),
        ({"value": "42"}, False),
        ({"system": "https://ehr.example/mrn"}, True),  # names nobody, as if there were no subject
    ],
)
@pytest.mark.parametrize("identifiers", [[_MRN], [7, {"value": 7}, _MRN]])
def test_a_subject_named_by_an_identifier_is_the_patient_only_with_the_patients_own(
    identifier: Json, own: bool, identifiers: list[object]
) -> None:
    named = bundle({**PATIENT, "identifier": identifiers}, condition(subject={"identifier": identifier}))
    facts = read_facts(from_files({"f": [json.dumps(named).encode()]}, index(), None), index(), AS_OF)
    assert (bool(facts.problems), doubts(facts)) == (own, set() if own else _DOUBT)


@pytest.mark.parametrize(
    ("reference", "own"),
    [
        ("Patient?identifier=https://ehr.example/mrn|42", True),
        ("Patient?identifier=https%3A%2F%2Fehr.example%2Fmrn%7C42", True),
        ("https://ehr.example/fhir/Patient?identifier=https://ehr.example/mrn|42", True),
        ("Patient?identifier=https://ehr.example/mrn|43", False),
        ("Patient?identifier=42", False),
        ("Patient?name=Ada", False),
        ("Patient?identifier=https://ehr.example/mrn|42&identifier=x|7", False),
    ],
)
def test_a_conditional_reference_is_the_patient_only_with_the_patients_own_identifier(
    reference: str, own: bool
) -> None:
    named = bundle({**PATIENT, "identifier": [_MRN]}, condition(subject={"reference": reference}))
    facts = read_facts(from_files({"f": [json.dumps(named).encode()]}, index(), None), index(), AS_OF)
    assert (bool(facts.problems), doubts(facts)) == (own, set() if own else _DOUBT)


def test_a_subject_named_by_an_identifier_is_in_doubt_where_the_patient_has_none() -> None:
    assert doubts(facts_of(condition(subject={"identifier": _MRN}))) == _DOUBT


@pytest.mark.parametrize(
    ("full_url", "subject", "own"),
    [
        ("https://ehr.example/fhir/Patient/p1", "https://ehr.example/fhir/Patient/p1", True),
        ("https://ehr.example/fhir/Patient/p1", "http://EHR.example/fhir/Patient/p1/_history/2", True),
        ("https://ehr.example/fhir/Patient/p1", "Patient/p1", True),
        ("https://ehr.example/fhir/Patient/p1", "https://other.example/fhir/Patient/p1", False),
        ("https://ehr.example/fhir/Patient/p1", "https://ehr.example/other/Patient/p1", False),
        (None, "https://other.example/fhir/Patient/p1", True),
        ("urn:uuid:a", "https://other.example/fhir/Patient/p1", True),
    ],
)
def test_the_same_id_on_another_server_leaves_a_doubt(full_url: str | None, subject: str, own: bool) -> None:
    entries = [
        {"resource": PATIENT} | ({"fullUrl": full_url} if full_url else {}),
        {"resource": condition(subject={"reference": subject})},
    ]
    body = json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()
    facts = read_facts(from_files({"f": [body]}, index(), None), index(), AS_OF)
    assert (bool(facts.problems), doubts(facts)) == (own, set() if own else _DOUBT)


def test_addresses_of_a_transaction_are_followed() -> None:
    entries = [
        {"fullUrl": "urn:uuid:a", "resource": {"resourceType": "Patient", "gender": "female"}},
        {"fullUrl": "urn:uuid:b", "resource": {**condition(), "subject": {"reference": "urn:uuid:a"}}},
    ]
    body = json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries}).encode()
    facts = read_facts(from_files({"f": [body]}, index(), None), index(), AS_OF)
    assert (facts.reference, references(facts.problems)) == ("urn:uuid:a", ["Condition/c1"])


def test_two_patients_must_be_told_apart() -> None:
    with pytest.raises(SeveralPatients) as refusal:
        file_records(PATIENT, {**PATIENT, "id": "p2"})
    assert refusal.value.references == ["Patient/p1", "Patient/p2"]
    chosen = file_records(PATIENT, {**PATIENT, "id": "p2"}, condition(subject=OTHER), patient_id="p2")
    assert {entry.reference for entry in chosen.entries} == {"Patient/p2", "Condition/c1"}


@pytest.mark.parametrize("patient_id", [None, "p9"])
def test_a_file_without_the_patient_is_refused(patient_id: str | None) -> None:
    with pytest.raises(NoPatient):
        file_records(*([PATIENT] if patient_id else []), condition(), patient_id=patient_id)


@pytest.mark.parametrize("junk", [b"{}", b"[]", b'"x"', b"7", b"not json", b'{"resourceType": "Bundle", "entry": 7}'])
def test_a_file_that_is_no_resource_is_refused_by_name(junk: bytes) -> None:
    with pytest.raises(UnreadableRecord, match="lab"):
        from_files({"p": [json.dumps(PATIENT).encode()], "lab": [junk]}, index(), None)


def test_several_files_and_lines_are_one_record_whatever_they_are_called() -> None:
    lines = [json.dumps(condition(name=f"c{n}")).encode() for n in range(3)]
    records = from_files({"patient": [json.dumps(PATIENT).encode()], "conditions": lines}, index(), None)
    assert references(records.entries) == ["Condition/c0", "Condition/c1", "Condition/c2", "Patient/p1"]


def test_what_is_not_in_a_file_was_searched_and_none_was_recorded() -> None:
    sources = file_records(PATIENT, condition(), observation("29463-7")).sources
    found = {key for key, source in sources.items() if source.state is State.FOUND}
    assert found == {"patient", "conditions", "body"}
    assert {source.state for key, source in sources.items() if key not in found} == {State.NONE}


def test_a_file_that_goes_on_elsewhere_is_truncated() -> None:
    body = json.dumps(bundle(PATIENT, link=[{"relation": "next"}])).encode()
    records = from_files({"f": [body]}, index(), None)
    assert {source.state for source in records.sources.values()} == {State.TRUNCATED}


def test_a_search_for_one_type_that_goes_on_elsewhere_cuts_short_only_what_it_answers() -> None:
    whole = json.dumps(bundle(PATIENT, condition(), observation("29463-7", name="w1"))).encode()
    results = [observation(name=f"o{n}", effectiveDateTime=f"2026-03-0{9 - n}") for n in range(3)]
    labs = json.dumps(bundle(*results, link=[{"relation": "next"}])).encode()
    sources = from_files({"f": [whole], "labs": [labs]}, index(), None).sources
    assert sources["labs"] == Source(State.TRUNCATED, date(2026, 3, 7))
    assert {sources[key].state for key in ("conditions", "body")} == {State.FOUND}
    assert sources["procedures"].state is State.NONE
    procedures = json.dumps(bundle({"resourceType": "Procedure", "id": "x"}, link=[{"relation": "next"}])).encode()
    sources = from_files({"f": [whole], "procedures": [procedures]}, index(), None).sources
    assert (sources["procedures"], sources["labs"].state) == (Source(State.TRUNCATED), State.NONE)


def test_a_part_of_a_file_that_failed_leaves_nothing_searched_for_sure() -> None:
    sources = file_records(PATIENT, condition(), OUTCOME).sources
    assert sources["conditions"].state is State.TRUNCATED
    assert sources["procedures"].state is State.FAILED


@pytest.mark.parametrize("answer", [OUTCOME, bundle(OUTCOME), {"resource": OUTCOME}])
def test_a_file_that_holds_only_an_error_is_a_part_that_failed(answer: Json) -> None:
    whole, failed = json.dumps(bundle(PATIENT, condition())).encode(), json.dumps(answer).encode()
    sources = from_files({"f": [whole], "lab": [failed]}, index(), None).sources
    assert (sources["conditions"].state, sources["procedures"].state) == (State.TRUNCATED, State.FAILED)
    with pytest.raises(NoPatient) as refusal:
        from_files({"lab": [failed]}, index(), None)
    assert refusal.value.failed == ("lab",)


def test_a_request_of_a_batch_that_failed_leaves_nothing_searched_for_sure() -> None:
    entries = [
        {"resource": bundle(PATIENT, condition())},
        {"response": {"status": "403 Forbidden", "outcome": OUTCOME}},
    ]
    body = json.dumps({"resourceType": "Bundle", "type": "batch-response", "entry": entries}).encode()
    sources = from_files({"f": [body]}, index(), None).sources
    assert (sources["conditions"].state, sources["procedures"].state) == (State.TRUNCATED, State.FAILED)


@pytest.mark.parametrize(
    ("kind", "source"),
    [("MedicationOrder", "medicationRequests"), ("MedicationPrescription", "medicationRequests"),
     ("MedicationUsage", "medicationStatements")],
)  # fmt: skip
def test_other_versions_names_for_a_medication_record_are_never_none(kind: str, source: str) -> None:
    facts = facts_of({**request(), "resourceType": kind})
    assert skipped(facts) == [(f"{kind}/r1", "unknown-type")]
    assert doubts(facts) == {(source, None)}
    assert facts.sources[source].state is State.FOUND


def test_an_unknown_type_in_an_answer_leaves_a_doubt_about_that_query() -> None:
    facts = prefetched_facts({"procedures": bundle({"resourceType": "Operation", "id": "x"})})
    assert doubts(facts) == {("procedures", None)}


def test_an_entry_that_is_no_resource_leaves_a_doubt_about_what_it_may_be() -> None:
    broken = {"resourceType": "Bundle", "entry": [{"resource": {"id": "x"}}]}
    assert doubts(prefetched_facts({"procedures": broken})) == {("procedures", None)}
    body = json.dumps({"resourceType": "Bundle", "entry": [{"resource": PATIENT}, {"resource": {"id": "x"}}]}).encode()
    facts = read_facts(from_files({"f": [body]}, index(), None), index(), AS_OF)
    assert doubts(facts) == {(key, None) for key in QUERIES}


def test_a_type_of_fhir_that_is_not_read_is_not_mentioned() -> None:
    facts = facts_of(resource("Encounter"), resource("CarePlan"), resource("Coverage"))
    assert (facts.skipped, facts.unread) == ((), ())


def test_a_resource_that_answers_two_queries_counts_once() -> None:
    lab = observation(valueQuantity={"value": 1, "unit": "mg/dL"})
    assert len(prefetched_facts({"labs": bundle(lab, lab), "body": bundle(lab)}).results) == 1


def test_a_resource_without_a_name_counts_once_too() -> None:
    nameless = {key: value for key, value in condition().items() if key != "id"}
    assert len(facts_of(nameless, nameless).problems) == 1


@pytest.mark.parametrize("newest_first", [True, False])
def test_of_two_versions_the_one_that_was_changed_last_counts(newest_first: bool) -> None:
    old = condition(meta={"lastUpdated": "2026-01-01T00:30:00+02:00"}, clinicalStatus="active")
    new = condition(meta={"lastUpdated": "2026-01-01T00:00:00Z"}, clinicalStatus="resolved")
    (problem,) = facts_of(*((new, old) if newest_first else (old, new))).problems
    assert problem.activity == "resolved"


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ({"lastUpdated": "2025-12-31T23:59:59Z", "versionId": "9"}, {"lastUpdated": "2026-01-01T00:00:00Z"}),
        ({"versionId": "9"}, {"versionId": "10"}),
        ({"versionId": "9", "lastUpdated": "yesterday"}, {"versionId": "10", "lastUpdated": 7}),
        ({"versionId": "W/x"}, {"versionId": "1"}),
        (None, {"versionId": "1"}),
        ({}, {"lastUpdated": "2026-01-01T00:00:00Z"}),
        ({"tag": [{"code": "SUBSETTED"}]}, {}),
        ({"versionId": "2", "tag": [{"code": "SUBSETTED"}]}, {"versionId": "2"}),
    ],
)
def test_of_one_resource_in_several_answers_the_newest_and_whole_one_counts(earlier: Json, later: Json) -> None:
    """Whatever the versions hold: the one that is read last by its bytes must not win."""
    for old, new in (("active", "resolved"), ("resolved", "active")):
        first = condition(meta=earlier, clinicalStatus=old)
        second = condition(meta=later, clinicalStatus=new)
        for answers in ({"conditions": bundle(first), "procedures": bundle(second)},
                        {"conditions": bundle(second), "procedures": bundle(first)}):  # fmt: skip
            (problem,) = prefetched_facts(answers).problems
            assert problem.activity == new


def test_a_resource_that_validation_refuses_is_unreadable_but_leaves_its_doubt() -> None:
    records = file_records(PATIENT, condition()).without({"Condition/c1": "invalid"})
    facts = read_facts(records, index(), AS_OF)
    assert skipped(facts) == [("Condition/c1", "invalid")]
    assert doubts(facts) == {("conditions", frozenset({"chronic-gvhd"}))}


@pytest.mark.parametrize(
    "elements",
    [
        {"effectiveDateTime": None, "effectiveInstant": "2026-03-10T08:00:00Z"},
        {"valueQuantity": {"value": 1, "unit": "", "code": "mg/dL", "system": "http://unitsofmeasure.org"}},
        {"interpretation": {"text": "H"}},
    ],
)
def test_validation_does_not_refuse_what_takes_nothing_from_a_result(elements: Json) -> None:
    stated = {"valueQuantity": {"value": 1, "unit": "mg/dL"}, **elements}
    (entry,) = [one for one in file_records(PATIENT, observation(**stated)).entries if one.type == "Observation"]
    assert is_valid(entry)


def test_a_patient_that_validation_refuses_is_no_patient() -> None:
    with pytest.raises(NoPatient):
        read_facts(file_records(PATIENT).without({"Patient/p1": "invalid"}), index(), AS_OF)


def test_templates_ask_for_one_patient_and_for_every_code_once() -> None:
    templates = prefetch_templates()
    assert set(templates) == set(QUERIES)
    assert templates["patient"] == "Patient/{{context.patientId}}"
    assert all("patient={{context.patientId}}" in t for key, t in templates.items() if key != "patient")
    labs = templates["labs"]
    assert labs.endswith("&_sort=-date&_count=200")
    assert labs.count("http://loinc.org|2160-0") == labs.count("http://loinc.org|2118-8") == 1


def test_every_analyte_has_codes_and_a_query() -> None:
    assert source_of_analyte("hcg") == "labs"
    assert source_of_analyte("weight") == "body"
    with pytest.raises(KeyError):
        source_of_analyte("sodium")
    assert all(code_sets()[analyte].rows for analytes in ANALYTES_OF.values() for analyte in analytes)
