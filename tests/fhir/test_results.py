"""Observations as results: the unit decides, words are doubted, and nothing else is a number."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

import pytest

from cds_service.clinical.dates import DayRange
from cds_service.clinical.interval import Interval
from cds_service.clinical.labs import Result
from cds_service.clinical.quantity import Unusable
from cds_service.clinical.worked_out import same_sample
from cds_service.fhir.reading import read_facts
from tests.fhir.made import (
    AS_OF,
    PATIENT,
    Json,
    coded,
    doubts,
    exactly,
    facts_of,
    file_records,
    index,
    observation,
    resource,
    skipped,
    the_result,
)

UCUM = "http://unitsofmeasure.org"
CREATININE, PLATELETS, ALT, ECOG, KPS, LVEF, HCG = (
    "2160-0",
    "777-3",
    "1742-6",
    "89247-1",
    "89243-0",
    "10230-1",
    "2118-8",
)


def quantity(value: object, unit: str | None = None, **more: Any) -> Json:
    return {"valueQuantity": {"value": value, **({"unit": unit} if unit else {}), **more}}


@pytest.mark.parametrize(
    ("code", "value", "expected"),
    [
        (CREATININE, quantity(1.1, "mg/dL", system=UCUM, code="mg/dL"), exactly("1.1")),
        (CREATININE, quantity(88.4, "µmol/l"), exactly(1)),
        (PLATELETS, quantity(25, "G/L"), exactly(25)),
        (PLATELETS, quantity(25100, " /mm3 "), exactly("25.1")),
        (PLATELETS, quantity(25, "K/uL", comparator="<"), Interval(Fraction(0), Fraction(25), high_open=True)),
        (PLATELETS, quantity(25, "K/uL", comparator=">="), Interval(Fraction(25), None)),
        (PLATELETS, {"valueString": "<20 K/uL"}, Interval(Fraction(0), Fraction(20), high_open=True)),
        (LVEF, {"valueString": "50-55%"}, Interval(Fraction(50), Fraction(55))),
        (LVEF, {"valueRange": {"low": {"value": 50, "unit": "%"}, "high": {"value": 55, "unit": "%"}}},
         Interval(Fraction(50), Fraction(55))),
        (ECOG, {"valueInteger": 2}, exactly(2)),
        (ECOG, {"valueInteger": 1.0}, exactly(1)),
        (ECOG, {"valueString": "ECOG: Grade 1"}, exactly(1)),
        (ECOG, {"valueString": "ECOG评分：1分"}, exactly(1)),
        (ECOG, quantity(1, "points"), exactly(1)),
        (KPS, {"valueString": "KPS 90分"}, exactly(90)),
        (ECOG, {"valueString": "1 - Restricted in strenuous activity (50 %)"}, exactly(1)),
        (ECOG, {"valueCodeableConcept": {"text": "ECOG 1: restricted"}}, exactly(1)),
        (ECOG, {"valueCodeableConcept": {"coding": [{**coded("mii-ecog", "3"), "display": "Begrenzt"}]}}, exactly(3)),
        (KPS, {"valueCodeableConcept": {"coding": [coded("mii-karnofsky", "80%")]}}, exactly(80)),
        (LVEF, {"valueString": "50 to 55 %"}, Interval(Fraction(50), Fraction(55))),
        (LVEF, {"valueString": "50% - 55%"}, Interval(Fraction(50), Fraction(55))),
        (LVEF, {"valueString": "≥55 %"}, Interval(Fraction(55), None)),
        (ECOG, {"valueCodeableConcept": {"coding": [coded("loinc", "LA9623-5")]}}, exactly(1)),
        (ECOG, {"valueCodeableConcept": {"text": "ECOG 1"}}, exactly(1)),
        (ECOG, {"valueString": "ECOG performance status: 2"}, exactly(2)),
        (ECOG, {"valueString": "1-2"}, Interval(Fraction(1), Fraction(2))),
        (KPS, quantity(90, "%"), exactly(90)),
        (HCG, quantity(8, "IU/L"), exactly(8)),
        (HCG, quantity(8, "mIU/mL"), exactly(8)),
    ],
)  # fmt: skip
def test_a_value_is_read_in_the_unit_of_the_rules(code: str, value: Json, expected: Interval) -> None:
    assert the_result(observation(code, **value)).quantity == expected


@pytest.mark.parametrize(
    ("code", "value", "fault"),
    [
        (CREATININE, {}, "no-value"),
        (CREATININE, quantity(None, "mg/dL"), "no-value"),
        (CREATININE, {"valueString": "  "}, "no-value"),
        (CREATININE, {"valueBoolean": True}, "no-value"),
        (CREATININE, {"dataAbsentReason": {"text": "masked"}}, "said-to-be-absent"),
        (CREATININE, {**quantity(1, "mg/dL"), "dataAbsentReason": {"text": "error"}}, "said-to-be-absent"),
        (CREATININE, quantity(1), "no-unit"),
        (CREATININE, quantity(1, "furlongs"), "unit-not-understood"),
        (CREATININE, quantity(88, "mg/dL"), "implausible"),
        (CREATININE, quantity(1, "mg/dL", comparator="~"), "not-a-number"),
        (CREATININE, quantity(1, "mg/dL", comparator="ad"), "not-a-number"),
        (CREATININE, quantity(10**400, "mg/dL"), "not-a-number"),
        (CREATININE, quantity(-1, "mg/dL"), "implausible"),
        (PLATELETS, {"valueString": "Adequate"}, "not-a-number"),
        (PLATELETS, {"valueString": "9" * 400}, "not-a-number"),
        (PLATELETS, {"valueString": "1,200 /uL"}, "unit-not-understood"),
        (ECOG, {"valueInteger": 7}, "implausible"),
        (ECOG, {"valueInteger": 1.5}, "implausible"),
        (ECOG, {"valueString": "2/4"}, "unit-not-understood"),
        (PLATELETS, quantity(150, "/uL"), "implausible"),
        (ECOG, {"valueCodeableConcept": {"coding": [coded("loinc", "LA9627-6")]}}, "implausible"),
        (KPS, {"valueCodeableConcept": {"coding": [coded("loinc", "LA9627-6")]}}, "implausible"),
        (ECOG, {"valueInteger": 10**400}, "not-a-number"),
        (LVEF, {"valueRange": {"low": {"value": 50, "unit": "%"}}}, "no-value"),
        (LVEF, {"valueRange": {"low": {"value": 50, "unit": "%"}, "high": {"value": 55, "unit": "x"}}},
         "unit-not-understood"),
        (HCG, {"valueCodeableConcept": {"text": "Negative"}}, "not-a-number"),
        (HCG, {"valueString": "Positive"}, "not-a-number"),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_used_says_why_and_stays_known(code: str, value: Json, fault: str) -> None:
    found = the_result(observation(code, **value)).quantity
    assert isinstance(found, Unusable)
    assert found.fault == fault


@pytest.mark.parametrize("value", ["1.0", True, "NaN", [1], {"x": 1}])
def test_a_value_that_is_no_number_costs_the_result_and_leaves_a_doubt(value: Any) -> None:
    facts = facts_of(observation(CREATININE, **quantity(value, "mg/dL")))
    assert (facts.results, doubts(facts)) == ((), {("labs", frozenset({"creatinine"}))})


@pytest.mark.parametrize(
    ("elements", "reason"),
    [
        ({"status": "entered-in-error "}, "entered-in-error"),
        ({"status": "cancelled"}, "status"),
        ({"status": "registered"}, "status"),
        ({"effectiveDateTime": "2026-03-17"}, "future"),
        ({"effectiveDateTime": "2026-03-17", "status": None}, "future"),
    ],
)
def test_a_result_without_standing_is_only_listed(elements: Json, reason: str) -> None:
    facts = facts_of(observation(CREATININE, **quantity(1, "mg/dL"), **elements))
    assert (facts.results, skipped(facts), facts.unread) == ((), [("Observation/o1", reason)], ())


@pytest.mark.parametrize(
    ("elements", "reason"),
    [
        ({"status": "unknown"}, "status"),
        ({"status": "~"}, "status"),
        ({"status": None}, "status"),
        ({"effectiveDateTime": None}, "no-date"),
        ({"effectiveDateTime": "10/03/2026"}, "no-date"),
        ({"effectiveDateTime": None, "issued": "2026-03-10"}, "no-date"),
    ],
)
def test_a_result_of_no_known_status_or_day_leaves_a_doubt(elements: Json, reason: str) -> None:
    facts = facts_of(observation(CREATININE, **quantity(1, "mg/dL"), **elements))
    assert (facts.results, skipped(facts)) == ((), [("Observation/o1", reason)])
    assert doubts(facts) == {("labs", frozenset({"creatinine"}))}


@pytest.mark.parametrize("code", [{}, {"coding": [{"code": "2160-0"}]}])
def test_a_result_of_nobody_knows_what_may_be_any(code: Json) -> None:
    facts = facts_of(observation(CREATININE, **quantity(1, "mg/dL"), code=code))
    assert (facts.results, {one.concepts for one in facts.unread}) == ((), {None})


@pytest.mark.parametrize(
    ("status", "preliminary"),
    [
        ("final", False),
        ("amended", False),
        ("corrected", False),
        ("appended", False),
        ("preliminary", True),
    ],
)
def test_what_is_not_final_is_preliminary(status: str | None, preliminary: bool) -> None:
    assert the_result(observation(CREATININE, **quantity(1, "mg/dL"), status=status)).preliminary is preliminary


@pytest.mark.parametrize(
    ("stamps", "day"),
    [
        ({"effectiveDateTime": "2026-03-09T23:30:00-10:00"}, "2026-03-09"),
        ({"effectiveDateTime": None, "effectiveInstant": "2026-03-08T00:00:00Z"}, "2026-03-08"),
        ({"effectiveDateTime": None, "effectivePeriod": {"start": "2026-03-06", "end": "2026-03-07"}}, "2026-03-07"),
        ({"effectiveDateTime": None, "effectivePeriod": {"start": "2026-03-06"}}, "2026-03-06"),
    ],
)  # fmt: skip
def test_the_day_of_a_result_is_the_one_written_in_it(stamps: Json, day: str) -> None:
    when = the_result(observation(CREATININE, **quantity(1, "mg/dL"), **stamps)).when
    assert when == DayRange.of(date.fromisoformat(day))


def test_words_and_unverified_codes_are_text_only() -> None:
    assert the_result(observation(PLATELETS, valueString="30 K/uL")).text_only
    assert not the_result(observation(PLATELETS, **quantity(30, "K/uL"))).text_only


def test_a_name_without_a_code_is_no_result() -> None:
    facts = facts_of(observation(code={"text": "platelet poor plasma"}, **quantity(30, "K/uL")))
    assert (facts.results, facts.unread) == ((), ())


@pytest.mark.parametrize(
    ("code", "unit", "clash"),
    [
        ("2160-0", "umol/L", True),
        ("14682-9", "umol/L", False),
        ("35203-9", "umol/L", False),
        ("14682-9", "mg/dL", True),
    ],
)
def test_a_unit_that_contradicts_the_code_decides_and_is_a_conflict(code: str, unit: str, clash: bool) -> None:
    value = 88.4 if unit == "umol/L" else 1
    found = the_result(observation(code, **quantity(value, unit)))
    assert (found.quantity, found.contradicted) == (exactly(1), clash)


def _interpreted(*codes: str, code: str = ECOG, **elements: Any) -> Result:
    stated = [{"coding": [coded("loinc", one)]} for one in codes]
    return the_result(observation(code, interpretation=stated, **elements))


def test_a_score_may_stand_in_its_interpretation() -> None:
    found = _interpreted("LA9623-5")
    assert (found.quantity, found.contradicted, found.text_only) == (exactly(1), False, False)
    single = the_result(observation(ECOG, interpretation={"coding": [coded("loinc", "LA9623-5")]}))
    assert single.quantity == exactly(1)
    assert _interpreted("LA29176-7", code=KPS).quantity == exactly(90)
    assert _interpreted("LA9623-5", valueString="able to walk").quantity == exactly(1)
    assert _interpreted("N").quantity == Unusable("no-value")
    assert _interpreted("LA9623-5", dataAbsentReason={"text": "error"}).quantity == Unusable("said-to-be-absent")
    assert _interpreted("LA9627-6", valueInteger=1).quantity == Unusable("implausible")


def test_a_score_that_its_interpretation_contradicts_is_a_conflict() -> None:
    assert not _interpreted("LA9623-5", valueInteger=1).contradicted
    assert not _interpreted("N", valueInteger=1).contradicted
    assert not _interpreted("LA9623-5", valueString="1-2").contradicted
    assert _interpreted("LA9625-0", valueInteger=1).contradicted
    assert _interpreted("LA9622-7", valueInteger=1).contradicted
    assert _interpreted("LA9623-5", "LA9625-0").contradicted


def test_an_answer_code_that_its_words_contradict_is_a_conflict() -> None:
    two = [coded("loinc", "LA9623-5"), coded("snomed", "423053003")]
    assert the_result(observation(ECOG, valueCodeableConcept={"coding": two})).contradicted
    word = {"coding": [coded("loinc", "LA9623-5", "ECOG 3")]}
    assert the_result(observation(ECOG, valueCodeableConcept=word)).contradicted
    fitting = {"coding": [coded("loinc", "LA9623-5", "ECOG 1")], "text": "restricted in strenuous activity"}
    found = the_result(observation(ECOG, valueCodeableConcept=fitting))
    assert (found.contradicted, found.text_only) == (False, False)


def test_a_percentage_under_the_code_of_a_volume_is_a_conflict() -> None:
    found = the_result(observation("20150-9", **quantity(62, "%")))
    assert (found.analyte, found.quantity, found.contradicted) == (
        "fev1-percent-predicted",
        exactly(62),
        True,
    )


def test_a_code_that_names_two_analytes_is_a_conflict() -> None:
    both = {"coding": [coded("loinc", ALT), coded("loinc", "1920-8")]}
    assert all(one.contradicted for one in facts_of(observation(code=both, **quantity(30, "U/L"))).results)


@pytest.mark.parametrize(
    ("ranges", "limit"),
    [
        ([{"high": {"value": 40, "unit": "U/L"}}], exactly(40)),
        ([{"high": {"value": 40}}], exactly(40)),
        ([{"high": {"value": 0.5, "unit": "ukat/L"}}], exactly(30)),
        ([{"text": "5–40"}], exactly(40)),
        ([{"text": "5 - 40 U/L"}], exactly(40)),
        ([{"text": "<40"}], exactly(40)),
        ([{"text": "≤ 40 U/L"}], exactly(40)),
        ([{"text": "> 40"}], None),
        ([{"text": "40"}], None),
        ([{"high": {"value": 40}}, {"high": {"value": 50}}], Interval(Fraction(40), Fraction(50))),
        ([{"type": {"coding": [{"code": "normal"}]}, "high": {"value": 40}}], exactly(40)),
        ([{"type": {"coding": [{"code": "critical"}]}, "high": {"value": 400}}], None),
        ([{"type": {"text": "Normal Range"}, "high": {"value": 40}}], exactly(40)),
        ([{"type": {"text": "Abnormal"}, "high": {"value": 400}}], None),
        ([{"type": {"text": "Panic"}, "high": {"value": 400}}], None),
        ([{"high": {"value": 40, "comparator": "<"}}], None),
        ([{"high": {"value": 40, "unit": "parsec"}}], None),
        ([{"low": {"value": 5}}], None),
        ([{"text": "see comment"}], None),
        ([{"high": {"value": 0}}], None),
        (None, None),
    ],
)
def test_the_upper_limit_is_that_of_the_same_report(ranges: object, limit: Interval | None) -> None:
    assert the_result(observation(ALT, **quantity(30, "U/L"), referenceRange=ranges)).upper_limit == limit


MALE = {"coding": [coded("snomed", "248153007", "Male")]}
FEMALE = {"coding": [coded("snomed", "248152002", "Female")]}
OTHERS = {"text": "Hispanic"}


def _ages(low: int | None, high: int | None, unit: str = "a") -> Json:
    ends = {"low": low, "high": high}
    return {"age": {key: {"value": value, "code": unit} for key, value in ends.items() if value is not None}}


def _up_to(high: object, *groups: Json, **elements: Any) -> Json:
    return {"high": {"value": high, "unit": "U/L"}, **({"appliesTo": list(groups)} if groups else {}), **elements}


@pytest.mark.parametrize(
    ("ranges", "limit"),
    [
        ([_up_to(40, FEMALE), _up_to(50, MALE)], exactly(50)),
        ([_up_to(40, {"text": "Females"}), _up_to(50, {"text": "男性"})], exactly(50)),
        ([_up_to(40, {"coding": [coded("administrative-gender", "female")]}), _up_to(50)], exactly(50)),
        ([_up_to(40, {"coding": [coded("v3-gender", "F")]}), _up_to(50, {"coding": [coded("v3-gender", "M")]})],
         exactly(50)),
        ([_up_to(40), _up_to(50, MALE)], exactly(50)),
        ([_up_to(40, FEMALE)], None),
        ([_up_to(40, OTHERS), _up_to(50)], exactly(50)),
        ([_up_to(40, OTHERS), _up_to(50, MALE, OTHERS)], Interval(Fraction(40), Fraction(50))),
        ([_up_to(40, OTHERS)], exactly(40)),
        ([_up_to(40, {"coding": [coded("snomed", "133936004")]}), _up_to(50, FEMALE)], exactly(40)),
        ([_up_to(90, **_ages(0, 17)), _up_to(50, **_ages(18, None))], exactly(50)),
        ([_up_to(90, **_ages(None, 44)), _up_to(50, **_ages(45, 60))], exactly(50)),
        ([_up_to(90, **_ages(None, 45)), _up_to(50, **_ages(46, 60))], exactly(90)),
        ([_up_to(90, **_ages(0, 12, "mo")), _up_to(50, **_ages(12, None, "months"))], exactly(50)),
        ([_up_to(90, **_ages(1, 30, "d")), _up_to(50)], exactly(50)),
        ([_up_to(90, **_ages(1, 3, "furlongs")), _up_to(50)], exactly(50)),
        ([_up_to(40), _up_to(50, **_ages(18, None))], exactly(50)),
        ([_up_to(40, MALE, **_ages(18, 30)), _up_to(50, MALE, **_ages(31, 99)), _up_to(60, MALE)], exactly(50)),
        ([{**_up_to(40), "appliesTo": MALE}, _up_to(50)], exactly(40)),
        ([_up_to(4, MALE), _up_to(50)], exactly(50)),
    ],
)  # fmt: skip
def test_of_several_limits_the_one_for_a_man_of_45_counts(ranges: object, limit: Interval | None) -> None:
    assert the_result(observation(ALT, **quantity(30, "U/L"), referenceRange=ranges)).upper_limit == limit


@pytest.mark.parametrize(
    ("patient", "limit"),
    [
        ({}, exactly(50)),
        ({"gender": "other"}, Interval(Fraction(40), Fraction(50))),
        ({"gender": "female"}, exactly(40)),
    ],
)
def test_whose_sex_is_not_known_may_have_either_limit(patient: Json, limit: Interval) -> None:
    ranges = [_up_to(40, FEMALE), _up_to(50, MALE)]
    records = file_records({**PATIENT, **patient}, observation(ALT, **quantity(30, "U/L"), referenceRange=ranges))
    (found,) = read_facts(records, index(), AS_OF).results
    assert found.upper_limit == limit


def test_a_range_of_an_age_may_be_anybodys_whose_age_is_not_known() -> None:
    ranges = [_up_to(90, **_ages(0, 17)), _up_to(50, **_ages(18, None))]
    patient = {key: value for key, value in PATIENT.items() if key != "birthDate"}
    records = file_records(patient, observation(ALT, **quantity(30, "U/L"), referenceRange=ranges))
    (found,) = read_facts(records, index(), AS_OF).results
    assert found.upper_limit == Interval(Fraction(50), Fraction(90))


def test_an_upper_limit_that_no_laboratory_has_is_doubted() -> None:
    found = the_result(observation("1975-2", **quantity(1, "mg/dL"), referenceRange=[{"high": {"value": 12}}]))
    assert (found.upper_limit, found.limit_doubted) == (None, True)
    found = the_result(observation("1975-2", **quantity(1, "mg/dL"), referenceRange=[{"high": {"value": 1.2}}]))
    assert (found.upper_limit, found.limit_doubted) == (exactly("1.2"), False)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (quantity(88, "mg/dL"), "88 mg/dL"),
        (quantity(88, "mg/dL", comparator="<"), "<88 mg/dL"),
        (quantity(150, "10*3/uL", system=UCUM, code="/uL"), "150 10*3/uL (/uL)"),
        (quantity(150, "K/uL", system=UCUM, code="K/uL"), "150 K/uL"),
        ({"valueRange": {"low": {"value": 1}, "high": {"value": 2}}}, "1 - 2"),
        ({"valueInteger": 7}, "7"),
        ({"valueString": " see note "}, "see note"),
        ({"valueString": "x" * 100}, "x" * 60),
        ({"valueCodeableConcept": {"text": "good"}}, "good"),
        ({"dataAbsentReason": {"text": "error"}, "valueInteger": 7}, None),
        ({}, None),
    ],
)
def test_a_value_is_kept_in_the_words_of_the_record(value: Json, written: str | None) -> None:
    assert the_result(observation(CREATININE, **value)).written == written


def test_components_are_results_of_their_own() -> None:
    parts = [
        {"code": {"coding": [coded("loinc", PLATELETS)]}, **quantity(30, "K/uL")},
        {"code": {"coding": [coded("loinc", "26464-8")]}, **quantity(4, "K/uL")},
        {"code": {"text": "Comment"}, "valueString": "clotted"},
    ]
    facts = facts_of(observation("58410-2", component=parts))
    assert {(one.reference, one.analyte) for one in facts.results} == {
        ("Observation/o1", "platelets"), ("Observation/o1", "wbc"),
    }  # fmt: skip


def _blood(name: str, **elements: Any) -> Json:
    return observation(
        "26464-8", name, **quantity(2, "K/uL"), **{"effectiveDateTime": f"2026-03-1{name[-1]}", **elements}
    )


def _tied(*resources: Json) -> bool:
    one, other = facts_of(*resources).results
    return same_sample(one, other)


def test_results_are_tied_by_specimen_time_report_and_panel() -> None:
    specimen = {"specimen": {"reference": "Specimen/s"}}
    members = [{"reference": f"Observation/o{n}"} for n in (1, 2)]
    report = resource("DiagnosticReport", result=members)
    panel = resource("Observation", code={"text": "CBC"}, hasMember=members)
    assert not _tied(_blood("o1"), _blood("o2"))
    assert _tied(_blood("o1", **specimen), _blood("o2", **specimen))
    assert not _tied(_blood("o1", **specimen), _blood("o2", specimen={"reference": "Specimen/t"}), report)
    assert _tied(_blood("o1"), _blood("o2", effectiveDateTime="2026-03-11"))
    assert not _tied(_blood("o1"), _blood("o2", effectiveDateTime="2026-03-11", **specimen))
    assert not _tied(_blood("o1"), _blood("o2", effectiveDateTime="2026-03-11T08:00:00Z"))
    period = {"effectiveDateTime": None, "effectivePeriod": {"start": "2026-03-10T08:00Z", "end": "2026-03-10T08:05Z"}}
    assert _tied(_blood("o1", **period), _blood("o2", **period))
    assert _tied(_blood("o1"), _blood("o2"), report)
    assert _tied(_blood("o1"), _blood("o2"), panel)


def test_an_unreadable_result_of_no_interest_leaves_no_doubt() -> None:
    assert not facts_of(observation("2951-2", **quantity("x"))).unread


def test_a_result_without_a_code_that_can_be_read_doubts_every_result() -> None:
    everything = {("labs", None), ("body", None), ("function", None)}
    assert doubts(facts_of(observation(code=7))) == everything
    assert doubts(facts_of(observation(code=None))) == everything
    assert not facts_of(observation(code={"coding": [{"system": "urn:local", "code": "9"}]})).results
