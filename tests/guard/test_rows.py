"""Every row of the table of the order guard, each bound in time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.guard.guarded import card_for, day, drafted, effects_of, service
from tests.trials.record_of import screened

BY_MOUTH: dict[str, Any] = {"mg": 10, "every": "bid"}


# corticosteroid started, raised, lowered, or a re-signed order stopped: stable for 4 weeks again on day + 28


@pytest.mark.parametrize("mg", [20, 25, 40, 60])
def test_another_dose_of_prednisone_is_stable_again_after_four_weeks(mg: int) -> None:
    """The dose of the draft takes over from what is reported today, so that it is one change and no doubt."""
    found = effects_of(drafted("prednisone", mg=mg))
    assert found["I03b"]["after"] == "fail"
    assert found["I03b"]["until"] == day(28).isoformat()


def test_the_day_that_is_named_is_the_first_on_which_the_screening_agrees() -> None:
    """Held against the patient-view of the record as it would then stand."""
    later = {"prednisone": [{"mg": 30, "from": "2026-01-05", "to": "2026-03-15", "status": "completed"},
                            {"kind": "request", "mg": 40, "from": "2026-03-16"}]}  # fmt: skip
    assert screened(later, day(27)).finding("I03b").status == "fail"
    assert screened(later, day(28)).finding("I03b").status == "pass"


def test_the_present_dose_once_more_has_no_effect() -> None:
    assert card_for(drafted("prednisone", mg=30)) is None


def test_another_corticosteroid_beside_it_is_a_change() -> None:
    found = effects_of(drafted("methylprednisolone", mg=8))
    assert found["I03b"]["until"] == day(28).isoformat()


def test_a_small_change_is_for_a_person() -> None:
    """Up to 10 %: 30 mg to 32 mg."""
    assert effects_of(drafted("prednisone", mg=32))["I03b"]["after"] == "review"


def test_a_dose_that_is_lowered_too_far_speaks_against_the_dose_itself() -> None:
    """15 mg / 70 kg = 0.2143 mg/kg/day; 17.5 mg is 0.25, which is not above 0.25, 18 mg is 0.2571."""
    found = effects_of(drafted("prednisone", mg=15))
    assert (found["I03a"]["after"], "until" in found["I03a"]) == ("fail", False)
    assert effects_of(drafted("prednisone", mg="17.5"))["I03a"]["after"] == "fail"
    assert "I03a" not in effects_of(drafted("prednisone", mg=18))


def test_a_dose_as_needed_is_taken_beside_the_other() -> None:
    """30 mg, and up to 10 mg more: whether it changes cannot be told."""
    found = effects_of(drafted("prednisone", mg=10, as_needed=True))
    assert (found["I03b"]["after"], set(found) & {"I03a", "E02"}) == ("review", set())


def test_a_dose_in_addition_is_added() -> None:
    """30 mg and 50 mg are 80 mg: above 1 mg/kg/day, which 50 mg alone are not."""
    added = drafted("prednisone", sig="50 mg daily in addition to 30 mg")
    assert effects_of(added)["E02"]["after"] == "fail"
    assert "E02" not in effects_of(drafted("prednisone", mg=50))


def test_one_corticosteroid_for_another_at_the_same_dose_is_no_change() -> None:
    """Prednisolone instead of prednisone."""
    instead = drafted("prednisolone", "draft-2", mg=30)
    stop = drafted("prednisone", "order-1", mg=30, status="stopped")
    assert card_for(instead, stop, **recorded_order()) is None
    assert "I03b" in effects_of(instead, **recorded_order())


def test_after_a_short_course_the_earlier_dose_may_be_taken_again() -> None:
    """40 mg for 5 days: nobody knows what follows, which is no reason to call the dose ended."""
    found = effects_of(drafted("prednisone", mg=40, **{"from": "2026-03-16", "to": "2026-03-20"}))
    assert found["I03b"]["until"] == day(28).isoformat()
    assert "I03a" not in found


def test_what_was_signed_for_day_by_day_is_taken_over_as_well() -> None:
    given = [{"kind": "administration", "mg": 30, "on": day(-back).isoformat()} for back in range(1, 60)]
    assert effects_of(drafted("prednisone", mg=20), prednisone=given)["I03b"]["until"] == day(28).isoformat()
    assert card_for(drafted("prednisone", mg=30), prednisone=given) is None


def test_taking_over_makes_nothing_sure_that_was_not() -> None:
    """An order that ran out of supply proves no dose until today, and the present dose is then a new one."""
    run_out = {"kind": "request", "mg": 30, "from": "2025-12-01", "supply": 60}
    found = effects_of(drafted("prednisone", mg=30), prednisone=run_out)
    assert found == {} or found["I03b"]["after"] != "pass"


def test_a_pulse_counts_from_its_last_day() -> None:
    """Three days of methylprednisolone: the dose changes once more on day + 3."""
    pulse = drafted("methylprednisolone", mg=500, **{"from": "2026-03-16", "to": "2026-03-18"})
    assert effects_of(pulse)["I03b"]["until"] == day(3 + 28).isoformat()


@pytest.mark.parametrize(("first", "shown"), [(27, True), (28, True), (29, False)])
def test_a_dose_planned_for_later_counts_from_its_first_day(first: int, shown: bool) -> None:
    """The guard looks 28 days ahead; what begins after that shows when it comes near."""
    begins = day(first).isoformat()
    found = effects_of(drafted("prednisone", mg=40, **{"from": begins, "to": "2026-12-31"}))
    assert ("I03b" in found) is shown
    if shown:
        assert found["I03b"]["until"] == day(first + 28).isoformat()
        assert found["I03b"]["onlyIfItGoesOn"] is True


def recorded_order(**facts: Any) -> dict[str, Any]:
    return {"prednisone": {"kind": "request", "id": "order-1", "mg": 30, "from": "2026-01-05", **facts}}


def test_a_signed_stop_ends_the_dose() -> None:
    found = effects_of(drafted("prednisone", "order-1", mg=30, status="stopped"), **recorded_order())
    assert (found["I03b"]["after"], found["I03b"]["until"]) == ("fail", day(28).isoformat())
    assert found["I03a"]["after"] == "fail"
    assert found["I03b"]["drafts"] == ["MedicationRequest/order-1"]


def test_a_signed_stop_ends_what_is_reported_too() -> None:
    """The record has the medication list only, not the order that is ended."""
    assert effects_of(drafted("prednisone", "order-9", mg=30, status="cancelled"))["I03b"]["after"] == "fail"


def test_the_stop_of_one_order_leaves_the_other() -> None:
    two = {"prednisone": [{"kind": "request", "id": "order-1", "mg": 30, "from": "2026-01-05"},
                          {"kind": "request", "id": "order-2", "mg": 30, "from": "2026-01-05"}]}  # fmt: skip
    assert card_for(drafted("prednisone", "order-2", mg=30, status="stopped"), **two) is None


@pytest.mark.parametrize("status", ["stopped", "completed"])
def test_the_stop_of_an_order_that_was_over_ends_nothing(status: str) -> None:
    two = {"prednisone": [{"kind": "request", "id": "order-1", "mg": 50, "from": "2025-10-01", "to": "2026-01-04",
                           "status": status}, {"mg": 30, "from": "2026-01-05"}]}  # fmt: skip
    assert card_for(drafted("prednisone", "order-1", mg=50, status=status), **two) is None


def test_an_order_that_is_held_leaves_a_doubt() -> None:
    held = drafted("prednisone", "order-1", mg=30, status="on-hold")
    assert effects_of(held, **recorded_order())["I03b"]["after"] == "review"


def test_an_order_that_is_signed_again_changes_nothing() -> None:
    again = drafted("prednisone", "order-1", mg=30, status="active", **{"from": "2026-01-05"})
    assert card_for(again, **recorded_order()) is None


def test_an_order_that_is_signed_again_with_another_dose_changes_it_from_today() -> None:
    """What was taken until today stays as it was: the new version rewrites no history."""
    again = drafted("prednisone", "order-1", mg=40, status="active", **{"from": "2026-01-05"})
    found = effects_of(again, **recorded_order())
    assert found["I03b"]["until"] == day(28).isoformat()
    assert "I03a" not in found


def test_a_change_after_a_change_is_stable_later() -> None:
    """The record has a change on 2026-03-01, stable again on 2026-03-29; the draft makes that 2026-04-13."""
    changed = [{"mg": 40, "from": "2026-01-05", "to": "2026-02-28", "status": "completed"},
               {"mg": 30, "from": "2026-03-01"}]  # fmt: skip
    found = effects_of(drafted("prednisone", mg=20), prednisone=changed)
    assert (found["I03b"]["before"], found["I03b"]["after"]) == ("fail", "fail")
    assert found["I03b"]["until"] == day(28).isoformat()


# corticosteroid above 1 mg/kg/day: above the limit if it goes on


@pytest.mark.parametrize(("mg", "above"), [(70, False), (71, True), (80, True)])
def test_a_dose_above_the_ceiling_stands_against_it_if_it_goes_on(mg: int, above: bool) -> None:
    """70 kg: exactly 1 mg/kg/day is not above it."""
    found = effects_of(drafted("prednisone", mg=mg))
    assert ("E02" in found) is above
    if above:
        assert (found["E02"]["after"], found["E02"]["onlyIfItGoesOn"]) == ("fail", True)


@pytest.mark.parametrize(("last", "after"), [(26, None), (27, None), (28, "fail")])
def test_above_the_ceiling_for_a_short_time_is_no_continuous_need(last: int, after: str | None) -> None:
    """A course is over before day + 28, or goes on until then."""
    course = drafted("prednisone", mg=80, **{"from": "2026-03-16", "to": day(last).isoformat()})
    assert effects_of(course).get("E02", {}).get("after") == after


def test_an_old_weight_is_no_reason_to_keep_silent_about_the_ceiling() -> None:
    """A weight of 80 days ago counts today; the guard takes it that the same is measured again until day + 28."""
    weighed = [{"kg": 70, "on": (day(0) - timedelta(days=80)).isoformat()}]
    found = effects_of(drafted("prednisone", mg=80), weight=weighed)
    assert found["E02"]["after"] == "fail"


# ruxolitinib, belumosudil, ibrutinib, rituximab, first dose: not before day + 29


@pytest.mark.parametrize("drug", ["ruxolitinib", "belumosudil", "ibrutinib", "imatinib"])
def test_a_first_cgvhd_therapy_starts_the_four_weeks(drug: str) -> None:
    found = effects_of(drafted(drug, **BY_MOUTH))["E12"]
    assert (found["before"], found["after"], found["until"]) == ("pass", "fail", day(29).isoformat())


def test_an_infusion_counts_as_given_on_the_day_of_its_order() -> None:
    """An order proves no dose; that is why the criterion's YAML says it."""
    assert effects_of(drafted("rituximab", sig="375 mg/m2 once"))["E12"]["until"] == day(29).isoformat()


def test_an_infusion_given_often_before_starts_the_time_anew() -> None:
    earlier = [{"kind": "administration", "mg": 700, "on": one} for one in ("2025-09-01", "2025-09-08", "2025-09-15")]
    found = effects_of(drafted("rituximab", mg=700), rituximab=earlier)["E12"]
    assert (found["after"], found["until"]) == ("fail", day(29).isoformat())


def test_an_infusion_planned_for_later_counts_from_its_day() -> None:
    later = drafted("rituximab", mg=700, **{"from": day(10).isoformat(), "to": day(10).isoformat()})
    assert effects_of(later)["E12"]["until"] == day(10 + 29).isoformat()


def test_more_of_a_therapy_that_goes_on_is_no_new_one() -> None:
    """It is for a person before and after; only that it was raised is new."""
    ongoing = {"mg": 5, "every": "bid", "from": "2025-10-01"}
    assert set(effects_of(drafted("ruxolitinib", **BY_MOUTH), ruxolitinib=ongoing)) == {"I03c"}


def test_a_second_new_therapy_moves_the_date() -> None:
    begun = {"mg": 10, "every": "bid", "from": "2026-03-01"}
    found = effects_of(drafted("belumosudil", mg=200), ruxolitinib=begun)["E12"]
    assert (found["before"], found["after"], found["until"]) == ("fail", "fail", day(29).isoformat())


def test_a_therapy_in_words_alone_is_for_a_person() -> None:
    card = card_for(drafted("ruxolitinib", named="Ruxolitinib 10 mg", mg=10))
    assert card is not None
    assert "for a person to judge for NCT06920199 (E12, new cGVHD therapy within 4 weeks)" in card["detail"]


def test_photopheresis_is_for_a_person() -> None:
    found = effects_of(service(**{"http://www.ama-assn.org/go/cpt": "36522"}))["E12"]
    assert (found["before"], found["after"]) == ("pass", "review")


# tacrolimus, ciclosporin, sirolimus started or raised: to be judged, window day + 28


@pytest.mark.parametrize("drug", ["tacrolimus", "cyclosporine", "sirolimus"])
def test_another_immunosuppressant_that_is_started_is_to_be_judged(drug: str) -> None:
    found = effects_of(drafted(drug, mg=2))["I03c"]
    assert (found["before"], found["after"], found["until"]) == ("pass", "review", day(28).isoformat())


def test_tacrolimus_that_is_raised_is_to_be_judged_and_lowered_is_not() -> None:
    taken = {"mg": 4, "from": "2025-06-01"}
    assert effects_of(drafted("tacrolimus", mg=6), tacrolimus=taken)["I03c"]["until"] == day(28).isoformat()
    assert card_for(drafted("tacrolimus", mg=3), tacrolimus=taken) is None
    assert card_for(drafted("tacrolimus", mg=4), tacrolimus=taken) is None


def test_the_window_of_tacrolimus_is_over_when_the_card_says() -> None:
    started = {"tacrolimus": {"kind": "request", "mg": 2, "from": "2026-03-16"}}
    assert screened(started, day(27)).finding("I03c").status == "review"
    assert screened(started, day(28)).finding("I03c").status == "pass"


# basiliximab, aldesleukin: not before day + 29


@pytest.mark.parametrize("drug", ["basiliximab", "aldesleukin"])
def test_a_drug_of_interleukin_2_starts_the_four_weeks(drug: str) -> None:
    found = effects_of(drafted(drug, sig="once"))["E09"]
    assert (found["before"], found["after"], found["until"]) == ("pass", "fail", day(29).isoformat())


# filgrastim, platelet transfusion: counts within the support window will not count


@pytest.mark.parametrize("labs", [{}, {"neutrophils": "none"}])
def test_a_growth_factor_lifts_the_next_neutrophil_count(labs: dict[str, str]) -> None:
    """Whether there is a count yet or not: the next one will not count."""
    card = card_for(drafted("filgrastim", mg="0.3"), **({"labs": labs} if labs else {}))
    assert card is not None
    assert "a count within 7 days after the last dose will not count" in card["summary"]
    assert "I07a" in card["summary"]


def test_a_pegylated_growth_factor_does_so_for_longer() -> None:
    card = card_for(drafted("pegfilgrastim", mg=6))
    assert card is not None
    assert "a count within 2 weeks after the last dose" in card["summary"]


def test_a_growth_factor_that_is_given_anyhow_changes_nothing() -> None:
    given = {"mg": "0.3", "from": "2026-03-10"}
    assert card_for(drafted("filgrastim", mg="0.3"), filgrastim=given) is None


def test_a_growth_factor_of_two_weeks_ago_does_not_lift_the_next_count_any_more() -> None:
    given = {"kind": "administration", "mg": "0.3", "from": "2026-03-02", "to": "2026-03-02"}
    card = card_for(drafted("filgrastim", mg="0.3"), filgrastim=given)
    assert card is not None
    assert "I07a" in card["summary"]


def test_a_platelet_transfusion_lifts_the_next_platelet_count() -> None:
    card = card_for(service(**{"http://snomed.info/sct": "12719002"}))
    assert card is not None
    assert set(effects_of(service(**{"http://snomed.info/sct": "12719002"}))) == {"I07b"}
    assert "platelet transfusion today: a count within 7 days" in card["summary"].lower()


# donor lymphocytes, CAR-T: not before day + 101

DLI = {"http://www.ama-assn.org/go/cpt": "38242"}


def test_donor_lymphocytes_start_the_hundred_days() -> None:
    found = effects_of(service("Donor lymphocyte infusion", **DLI))["E10"]
    assert (found["before"], found["after"], found["until"]) == ("pass", "fail", day(101).isoformat())


def test_donor_lymphocytes_in_words_alone_are_for_a_person() -> None:
    found = effects_of(service("Donor lymphocyte infusion"))["E10"]
    assert (found["after"], "until" in found) == ("review", False)


def test_donor_lymphocytes_ordered_as_a_drug_count_as_well() -> None:
    coding = [{"system": system, "code": code} for system, code in DLI.items()]
    cells = drafted("prednisone") | {"medicationCodeableConcept": {"coding": coding, "text": "DLI"}}
    assert effects_of(cells)["E10"]["until"] == day(101).isoformat()


def test_donor_lymphocytes_ordered_for_a_day_count_from_it() -> None:
    planned = service("DLI", **DLI) | {"occurrenceDateTime": day(7).isoformat()}
    assert effects_of(planned)["E10"]["until"] == day(7 + 101).isoformat()


def test_car_t_cells_count_as_a_drug_and_as_a_procedure() -> None:
    assert effects_of(drafted("car-t-product"))["E11"]["until"] == day(101).isoformat()
    assert effects_of(service("tisagenlecleucel infusion"))["E11"]["after"] == "review"


# a draft whose dose cannot be read: named as unreadable, never silent for a corticosteroid


def test_a_corticosteroid_without_a_dose_is_named() -> None:
    card = card_for(drafted("prednisone", sig="as directed"))
    assert card is not None
    assert "what it changes for NCT06920199 cannot be told (I03a, I03b, E02)" in card["summary"]
    assert "the dose cannot be computed" in card["detail"]
    found = effects_of(drafted("prednisone", sig="as directed"))
    assert {found[one]["after"] for one in ("I03a", "I03b")} == {"unknown"}


def test_a_topical_corticosteroid_has_no_effect() -> None:
    assert card_for(drafted("prednisolone", mg=30, route="topical")) is None


def test_a_drug_that_the_trial_does_not_speak_of_has_no_effect() -> None:
    assert card_for(drafted("prednisone", named="Paracetamol 500 mg", mg=500)) is None
