"""Dosages: every way in which a dose is written, as mg per day or as a doubt."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from cds_service.clinical.interval import ANYTHING, Interval
from cds_service.clinical.medications import DoseStep
from tests.fhir.made import (
    TABLET_5_MG,
    Json,
    dose,
    exactly,
    facts_of,
    repeat,
    request,
    statement,
    the_step,
    the_use,
)

DAILY = repeat(1, 1)
TABLET = {"medicationCodeableConcept": {"coding": [TABLET_5_MG]}}
UCUM = "http://unitsofmeasure.org"


def step(dosage: Json) -> DoseStep:
    return the_step(dosage)


def tablet_step(dosage: Json) -> DoseStep:
    return the_step(dosage, **TABLET)


def span(low: object, high: object) -> Interval:
    return Interval(Fraction(str(low)), Fraction(str(high)))


@pytest.mark.parametrize(
    ("dosage", "daily", "pattern"),
    [
        ({**dose(20), **DAILY}, exactly(20), "daily"),
        ({**dose(10), **repeat(2, 1)}, exactly(20), "daily"),
        ({**dose(0.04, "g"), **DAILY}, exactly(40), "daily"),
        ({**dose(40000, "µg"), **DAILY}, exactly(40), "daily"),
        ({**dose(60), **repeat(1, 2)}, exactly(30), "qod"),
        ({**dose(60), "timing": {"code": {"text": "QOD"}}}, exactly(30), "qod"),
        ({**dose(70), **repeat(1, 1, "wk")}, exactly(10), "weekly"),
        ({**dose(20), "timing": {"code": {"coding": [{"code": "BID"}]}}}, exactly(40), "daily"),
        ({**dose(42), **repeat(3, 1, "wk", dayOfWeek=["mon", "wed", "fri"])}, span(18, 21), "qod"),
        ({**dose(20), **repeat(1, 1, frequencyMax=2)}, span(20, 40), "daily"),
        ({**dose(20, "mg/d")}, exactly(20), "daily"),
        ({**dose(0), **DAILY}, exactly(0), "daily"),
    ],
)
def test_a_dose_in_milligrams_is_taken_as_often_as_stated(dosage: Json, daily: Interval, pattern: str) -> None:
    found = step(dosage)
    assert (found.daily, found.pattern, found.fault, found.conflict) == (daily, pattern, None, False)


@pytest.mark.parametrize(
    "unit",
    ["TAB", "tab", "tbl", "{tbl}", "Tablet(s)", "{TAB}", "{pill}", "pills", "片", "each",
     "Tablet - unit of product usage", None],
)  # fmt: skip
def test_tablets_count_their_strength_and_a_bare_number_counts_tablets(unit: str | None) -> None:
    assert tablet_step({**dose(4, unit), **DAILY}).daily == exactly(20)


def test_a_bare_number_counts_no_tablets_where_the_text_measures_a_volume() -> None:
    counted = {"doseAndRate": [{"doseQuantity": {"value": 5}}], **DAILY}
    assert tablet_step({**counted, "text": "5 tablets once daily"}).daily == exactly(25)
    assert tablet_step({**counted, "text": "5 ml once daily"}).fault == "unit-not-understood"
    assert tablet_step({**counted, "text": "5 ml once daily"}).daily == ANYTHING


def test_synthea_writes_one_tablet_of_five_milligrams_as_one() -> None:
    found = tablet_step({"sequence": 1, "asNeededBoolean": False, **dose(1, None), **DAILY})
    assert (found.daily, found.fault, found.order) == (exactly(5), None, 1)


@pytest.mark.parametrize(
    ("dosage", "fault"),
    [
        ({**dose(20, None), **DAILY}, "unit-not-stated"),
        ({**dose(2, "tablet"), **DAILY}, "strength-unknown"),
        ({**dose(2, "mL"), **DAILY}, "strength-unknown"),
        ({**dose(36, "mg/m2"), **DAILY}, "unit-not-understood"),
        ({**dose(2, "puff"), **DAILY}, "unit-not-understood"),
        ({**dose(2, "each"), **DAILY}, "unit-not-stated"),
        ({**dose(10**400), **DAILY}, "dose-not-stated"),
        ({**dose(None), **DAILY}, "dose-not-stated"),
        ({**dose(-5), **DAILY}, "dose-not-stated"),
        ({"doseAndRate": [{"doseQuantity": {"value": 5, "unit": "mg", "comparator": "<"}}], **DAILY},
         "dose-not-stated"),
        ({"doseAndRate": [{"doseQuantity": {"value": 1, "unit": "tablet", "code": "mg", "system": UCUM}}], **DAILY},
         "unit-not-understood"),
        ({"doseAndRate": [{"rateQuantity": {"value": 5, "unit": "mg/h"}}], **DAILY}, "unit-not-understood"),
        ({"doseAndRate": [{"doseRange": {"low": {"value": 5, "unit": "mg"}}}], **DAILY}, "dose-not-stated"),
        (dose(20), "timing-not-stated"),
        ({**dose(20), "timing": {"event": ["2026-01-05", "2026-02-05"]}}, "timing-not-understood"),
        ({**dose(20), **repeat(1, 0)}, "timing-not-understood"),
        ({**dose(20), "timing": {"code": {"text": "4711"}}}, "timing-not-understood"),
        ({"text": "Use as directed.", **DAILY}, "as-directed"),
        ({"text": "Taper by 5 mg every 4 weeks to stop."}, "taper"),
        ({"text": "   ", **DAILY}, "dose-not-stated"),
        (DAILY, "dose-not-stated"),
        ({}, "dose-not-stated"),
        ({**dose(20), **DAILY, "modifierExtension": [{"url": "u"}]}, "modifier-extension"),
    ],
)  # fmt: skip
def test_a_dose_that_cannot_be_told_may_be_any(dosage: Json, fault: str) -> None:
    found = step(dosage)
    assert (found.daily, found.fault) == (ANYTHING, fault)


@pytest.mark.parametrize(
    ("views", "daily", "conflict"),
    [
        ([dose(20), dose(1, "tablet"), dose(4, "mL")], exactly(20), False),
        ([{"doseQuantity": {"value": 0.3, "unit": "mg/kg"}}, dose(20)], exactly(20), False),
        ([dose(20), dose(25)], span(20, 25), True),
    ],
)
def test_views_of_one_dose_are_never_added(views: list[Json], daily: Interval, conflict: bool) -> None:
    views = [one["doseAndRate"][0] if "doseAndRate" in one else one for one in views]
    found = step({"doseAndRate": views, **DAILY})
    assert (found.daily, found.conflict) == (daily, conflict)


def test_views_in_milligrams_and_tablets_must_agree() -> None:
    agreeing = [dose(20)["doseAndRate"][0], dose(4, "tablet")["doseAndRate"][0]]
    assert not tablet_step({"doseAndRate": agreeing, **DAILY}).conflict
    differing = [dose(20)["doseAndRate"][0], dose(2, "tablet")["doseAndRate"][0]]
    assert tablet_step({"doseAndRate": differing, **DAILY}).daily == span(10, 20)


def test_a_range_of_doses_spans_both_ends() -> None:
    ends = {"low": {"value": 30, "unit": "mg"}, "high": {"value": 40, "unit": "mg"}}
    assert step({"doseAndRate": [{"doseRange": ends}], **DAILY}).daily == span(30, 40)
    assert step({"doseAndRate": [{"doseRange": {"high": ends["high"]}}], **DAILY}).daily == span(0, 40)


@pytest.mark.parametrize(
    "needed", [{"asNeededBoolean": True}, {"asNeededCodeableConcept": {"text": "flare"}}, {"asNeeded": True},
               {"asNeededFor": [{"text": "flare"}]}],
)  # fmt: skip
def test_a_dose_as_needed_may_be_none(needed: Json) -> None:
    found = step({**dose(20), **DAILY, **needed})
    assert (found.daily, found.pattern) == (span(0, 20), "as-needed")


@pytest.mark.parametrize(
    ("dosage", "daily"),
    [
        ({**dose(10), **repeat(1, 4, "h"), "asNeededBoolean": True}, span(0, 40)),
        ({**dose(10), "asNeededBoolean": True}, span(0, 40)),
        ({"text": "as needed", "asNeededBoolean": True}, span(0, 40)),
        ({**dose(20), **repeat(1, 1), "asNeededBoolean": True}, span(0, 20)),
        ({**dose(20), **repeat(1, 1)}, exactly(20)),
        ({"text": "as directed"}, ANYTHING),
        ({**dose(1, "mg/kg"), **repeat(1, 4, "h"), "asNeededBoolean": True}, span(0, 6)),
    ],
)
def test_the_most_of_a_day_bounds_only_what_is_taken_as_needed(dosage: Json, daily: Interval) -> None:
    most = {"numerator": {"value": 40, "unit": "mg"}, "denominator": {"value": 1, "unit": "d"}}
    assert step({**dosage, "maxDosePerPeriod": most}).daily == daily
    assert step({**dosage, "maxDosePerPeriod": [most]}).daily == daily


def test_the_most_of_a_week_or_per_kilogram_bounds_nothing() -> None:
    week = {"numerator": {"value": 40, "unit": "mg"}, "denominator": {"value": 1, "unit": "wk"}}
    per_kg = {"numerator": {"value": 1, "unit": "mg/kg"}, "denominator": {"value": 1, "unit": "d"}}
    for most in (week, per_kg):
        assert step({**dose(10), "asNeededBoolean": True, "maxDosePerPeriod": most}).daily == ANYTHING


@pytest.mark.parametrize(("unit", "daily"), [("mg/kg", "1.0"), ("mg/kg/d", "0.5")])
def test_a_dose_per_kilogram_stays_per_kilogram(unit: str, daily: str) -> None:
    found = step({**dose(0.5, unit), **repeat(2, 1)})
    assert (found.daily, found.per_kilogram) == (exactly(daily), True)


def test_the_japanese_prescription_states_tablets_per_day_as_a_ratio() -> None:
    ratio = {
        "numerator": {"value": 7, "unit": "錠", "code": "TAB"},
        "denominator": {"value": 1, "unit": "日", "code": "d"},
    }
    found = tablet_step({
        "text": "内服・経口・１日３回朝昼夕食後", "doseAndRate": [{"rateRatio": ratio}],
        "timing": {"repeat": {"boundsDuration": {"value": 7, "unit": "日", "code": "d"}}},
    })  # fmt: skip
    assert (found.daily, found.length_days, found.fault, found.text_only) == (exactly(35), 7, None, False)


@pytest.mark.parametrize(
    ("unit", "daily", "per_kilogram"),
    [("mg/d", exactly(30), False), ("mg/kg/d", exactly(30), True), ("mg/h", ANYTHING, False), ("mg", ANYTHING, False)],
)
def test_a_rate_is_a_dose_where_it_is_one_of_a_day(unit: str, daily: Interval, per_kilogram: bool) -> None:
    """How long an infusion runs is not stated."""
    found = step({"doseAndRate": [{"rateQuantity": {"value": 30, "unit": unit}}]})
    assert (found.daily, found.per_kilogram) == (daily, per_kilogram)


def test_a_ratio_of_another_time_is_not_understood() -> None:
    ratio = {"numerator": {"value": 7, "unit": "mg"}, "denominator": {"value": 1, "unit": "h"}}
    assert step({"doseAndRate": [{"rateRatio": ratio}]}).fault == "unit-not-understood"


def test_the_french_taper_may_be_weekly_or_daily() -> None:
    found = step({
        "sequence": 1, "text": "60 mg daily", **dose(60),
        "timing": {"repeat": {"frequency": 1, "periodUnit": "wk", "duration": 1, "durationUnit": "wk"}},
    })  # fmt: skip
    assert (found.daily, found.conflict) == (span("60/7", 60), True)


def test_the_hl7_taper_keeps_its_hole_and_its_contradiction() -> None:
    def of(sequence: int, tablets: int, first: str, last: str, text: str) -> Json:
        repeated = repeat(1, 1, boundsPeriod={"start": first, "end": last})
        return {"sequence": sequence, "text": text, **dose(tablets, "TAB"), **repeated}

    steps = the_use(
        request(
            of(1, 4, "2015-01-16", "2015-01-20", "Take 4 tablets daily for 7 days starting January 16, 2015"),
            of(2, 2, "2015-01-23", "2015-01-30", "Take 2 tablets daily for 7 days starting January 23, 2015"),
            of(3, 1, "2015-01-31", "2015-02-06", "Take 1 tablets daily for 7 days starting January 31, 2015"),
            medicationCodeableConcept={"coding": [{"system": "http://snomed.info/sct", "code": "373994007"}]},
        )
    ).steps
    assert [one.daily for one in steps] == [exactly(20), exactly(10), exactly(5)]
    assert [one.conflict for one in steps] == [True, False, False]
    assert [(str(one.first), str(one.last)) for one in steps][:2] == [
        ("2015-01-16", "2015-01-20"), ("2015-01-23", "2015-01-30"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "daily"),
    [
        ("20 mg = 1 tab, Oral, Daily", 20),
        ("Take 3 tabs (12 mg total) BID", 24),
        ("Take 3 tablets (12 mg total) twice daily", 24),
        ("Take 20 mg by mouth daily", 20),
        ("20 mg every other day", 10),
        ("1 tab 4 mg qd", 4),
        ("0.5 tablet (2 mg total) daily", 2),
    ],
)
def test_a_text_alone_is_read_and_is_text_only(text: str, daily: int) -> None:
    found = step({"text": text})
    assert (found.daily, found.fault, found.text_only) == (exactly(daily), None, True)


def test_oracle_states_the_dose_in_words_and_how_often_in_a_local_code() -> None:
    local = {"coding": [{"system": "https://fhir.cerner.com/x/codeSet/4003", "code": "2224561", "display": "Daily"}]}
    found = step({"text": "20 mg = 1 tab, Oral, Daily", "timing": {"code": local}, **dose(1, "tab")})
    assert (found.daily, found.conflict) == (exactly(20), False)


@pytest.mark.parametrize(
    ("dosage", "daily"),
    [
        ({**dose(20), **DAILY, "text": "Take 30 mg daily"}, span(20, 30)),
        ({**dose(20), **DAILY, "text": "Take 20 mg twice daily"}, span(20, 40)),
        ({**dose(20), **DAILY, "text": "Taper as directed"}, span(0, 20)),
        (
            {**dose(20), **DAILY, "text": "20 mg daily", "patientInstruction": "Take 40 mg daily"},
            span(20, 40),
        ),
        (
            {**dose(20), **DAILY, "text": "20 mg daily", "patientInstruction": "Taper as directed"},
            span(0, 20),
        ),
    ],
)
def test_text_and_structure_that_differ_span_both_and_are_a_conflict(dosage: Json, daily: Interval) -> None:
    found = step(dosage)
    assert (found.daily, found.conflict) == (daily, True)


@pytest.mark.parametrize("text", ["Taper as directed", "Take 3 tabs then 2 tabs daily"])
def test_an_unclear_text_contradicts_only_where_there_is_a_dose(text: str) -> None:
    assert not step({"text": text}).conflict
    assert step({**dose(20), **DAILY, "text": text}).conflict


def test_a_text_of_several_doses_leaves_the_dose_open_above_what_is_coded() -> None:
    found = step({**dose(5), **DAILY, "text": "Take 3 tabs then 2 tabs daily"})
    assert (found.daily, found.fault) == (ANYTHING, "several-doses")


def test_two_doses_in_turn_are_a_mean_without_a_single_dose() -> None:
    """What was taken on one day is not held against a limit for every other day."""
    alternating = step({"text": "40 mg alternating with 20 mg"})
    assert (alternating.daily, alternating.pattern, alternating.per_dose) == (exactly(30), "alternating", None)
    assert step({"text": "40 mg alternating with 20 mg", **DAILY}).pattern == "alternating"


@pytest.mark.parametrize(
    ("dosage", "shares"),
    [
        ({**dose(10), **repeat(2, 1)}, "1/2 1/2"),
        ({**dose(60), **repeat(1, 2)}, "1"),
        ({"text": "20 mg in the morning and 10 mg at night"}, "2/3 1/3"),
        ({"text": "2 tablets (10 mg total) in the morning and 1 tablet (5 mg total) at night"}, "2/3 1/3"),
        ({"text": "30 mg daily in 3 divided doses"}, "1/3 1/3 1/3"),
        ({"text": "30 mg daily in divided doses"}, ""),
        ({**dose(20, "mg/d"), **DAILY}, ""),
        ({**dose(20), **repeat(1, 1, frequencyMax=2)}, ""),
        ({**dose(20)}, ""),
    ],
)
def test_how_a_days_dose_is_divided_is_told_where_it_can_be(dosage: Json, shares: str) -> None:
    """The largest share comes first; where it is not told there are none."""
    assert " ".join(map(str, step(dosage).shares)) == shares


@pytest.mark.parametrize(
    ("dosage", "times"),
    [
        ({"text": "Take 20 mg every morning"}, {"morning"}),
        ({**dose(20), **repeat(1, 1, when=["ACM"])}, {"morning"}),
        ({**dose(20), **repeat(1, 1, when=["HS"])}, {"evening"}),
        ({**dose(20), **repeat(1, 1, when=["CD"])}, {"noon"}),
        ({**dose(20), **repeat(1, 1, when=["WAKE"])}, {"WAKE"}),
        ({**dose(20), **repeat(1, 1, timeOfDay=["08:00:00"])}, {"08:00:00"}),
        ({**dose(20), **DAILY}, set()),
    ],
)
def test_the_time_of_day_is_read_from_structure_and_text(dosage: Json, times: set[str]) -> None:
    found = step(dosage)
    assert (found.times, found.part_of_day) == (frozenset(times), bool(times))


def test_a_text_that_agrees_with_the_structure_adds_nothing() -> None:
    found = tablet_step({**dose(4, "tablet"), **DAILY, "text": "Take 4 tablets (20 mg total) by mouth daily"})
    assert (found.daily, found.conflict, found.text_only) == (exactly(20), False, False)


def test_a_text_that_names_another_strength_than_the_product_is_a_conflict() -> None:
    assert tablet_step({"text": "Take 1 tablet (20 mg total) daily"}).conflict
    assert tablet_step({"text": "Take 2 tablets of 20 mg daily"}).conflict


def test_a_text_of_another_length_than_the_bounds_is_a_conflict() -> None:
    bounds: Json = {"boundsPeriod": {"start": "2026-01-05", "end": "2026-01-08"}}
    assert step({**dose(20), **repeat(1, 1, **bounds), "text": "20 mg daily for 7 days"}).conflict
    assert not step({**dose(20), **repeat(1, 1, **bounds), "text": "20 mg daily for 4 days"}).conflict


def test_what_a_text_adds_to_another_dose_is_marked() -> None:
    assert step({"text": "5 mg daily with 20 mg, total 25 mg"}).added_to


def test_stu3_states_the_dose_beside_the_timing() -> None:
    found = step({"doseQuantity": {"value": 20, "unit": "mg"}, **DAILY})
    assert (found.daily, found.fault) == (exactly(20), None)
    ranged = {"low": {"value": 10, "unit": "mg"}, "high": {"value": 20, "unit": "mg"}}
    assert step({"doseRange": ranged, **DAILY}).daily == span(10, 20)


@pytest.mark.parametrize(("when", "times"), [({}, 1), ({"when": "MORN"}, 1), ({"frequency": 2}, 2)])
def test_dstu2_had_other_names_for_the_dose_and_the_period(when: Json, times: int) -> None:
    found = step(
        {
            "quantityQuantity": {"value": 20, "unit": "mg"},
            "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnits": "d", **when}},
        }
    )
    assert (found.daily, found.fault) == (exactly(20 * times), None)


def test_bounds_that_end_before_they_begin_make_the_dose_doubtful() -> None:
    found = step({**dose(20), **repeat(1, 1, boundsPeriod={"start": "2026-02-01", "end": "2026-01-01"})})
    assert (found.daily, found.conflict) == (span(0, 20), True)


@pytest.mark.parametrize(
    "broken", [{"timing": 5}, {"doseAndRate": {"doseQuantity": 5}}, {"timing": {"repeat": {"frequency": "1"}}},
               {"asNeededBoolean": "false"}, {"doseAndRate": [{"doseQuantity": {"value": "NaN", "unit": "mg"}}]}],
)  # fmt: skip
def test_a_dosage_of_another_shape_costs_the_record_and_leaves_a_doubt(broken: Any) -> None:
    facts = facts_of(statement(broken))
    assert not facts.medications
    assert [(one.source, one.concepts) for one in facts.unread] == [("medicationStatements", frozenset({"prednisone"}))]


def test_an_active_statement_possibly_goes_on_after_the_length_that_its_text_states() -> None:
    record = {**statement({"text": "20 mg daily for 30 days"}), "effectivePeriod": {"start": "2026-01-05"}}
    own, after = the_use(record).steps
    assert (own.daily, str(own.last.last if own.last else None), own.conflict) == (exactly(20), "2026-02-03", False)
    assert (after.daily, str(after.first.first if after.first else None)) == (exactly(20).down_to_zero(), "2026-02-04")
    assert (after.last, after.conflict) == (None, True)


@pytest.mark.parametrize(
    "elements",
    [{"status": "completed"}, {"effectivePeriod": {"start": "2026-01-05", "end": "2026-02-03"}},
     {"effectivePeriod": {}}, {"dosage": [{"text": "20 mg daily"}]}, {"dosage": [{"text": "20 mg once"}]}],
)  # fmt: skip
def test_any_other_statement_is_one_step(elements: Json) -> None:
    record = {**statement({"text": "20 mg daily for 30 days"}), "effectivePeriod": {"start": "2026-01-05"}, **elements}
    assert len(the_use(record).steps) == 1
