"""Every story gets its verdict, on three days and through both doors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache
from typing import Any

import msgspec
import pytest

from cds_service.clinical.interval import Interval
from cds_service.fhir.records import from_files, from_prefetch
from cds_service.pipeline import screen_records
from cds_service.trials.finding import Flag
from cds_service.trials.protocol import Protocol, load_protocol
from cds_service.trials.screening import Screening
from fhir_fixtures.story import Story, load_stories, story

INDEX = date(2026, 3, 16)
DAYS = (INDEX, date(2026, 11, 23), date(2028, 2, 29))
STORIES = [one.id for one in load_stories()]
every_story = pytest.mark.parametrize("name", STORIES)
every_day = pytest.mark.parametrize("day", DAYS, ids=str)


@cache
def protocol() -> Protocol:
    return load_protocol("nct06920199")


@cache
def by_hook(name: str, day: date) -> Screening:
    """The screening of what an EHR would send."""
    request = story(name).hook_request(day)
    prefetch = {key: msgspec.Raw(json.dumps(answer).encode()) for key, answer in request["prefetch"].items()}
    return screen_records(from_prefetch(prefetch, request["context"]["patientId"]), protocol(), day)


@cache
def by_file(name: str, day: date) -> Screening:
    """The screening of the record as one file."""
    record = json.dumps(story(name).bundle(day)).encode()
    return screen_records(from_files({name: [record]}, protocol().index, None), protocol(), day)


def statuses(screening: Screening) -> Mapping[str, str]:
    return {finding.id: finding.status.value for finding in screening.findings}


def expected_verdict(one: Story, day: date) -> str:
    """After the trial's end a date is no cure any more, and what only time could cure is ruled out."""
    if one.recheck is not None and day + timedelta(days=one.recheck) > protocol().trial.ends:
        return "ruled-out"
    return one.verdict


@every_day
@every_story
def test_a_story_gets_its_statuses(name: str, day: date) -> None:
    """The statuses worked out by hand hold on every day: none depends on the trial's end."""
    told = story(name).criteria
    found = statuses(by_hook(name, day))
    assert {one: found[one] for one in told} == told


@every_day
@every_story
def test_a_story_gets_its_verdict_and_recheck_date(name: str, day: date) -> None:
    """The verdict and its date follow from the statuses by the contract's table."""
    one, screening = story(name), by_hook(name, day)
    verdict = expected_verdict(one, day)
    due = one.recheck if verdict == one.verdict else None
    assert screening.verdict.value == verdict
    assert screening.recheck_on == (None if due is None else day + timedelta(days=due))


@every_day
@every_story
def test_a_story_shows_a_card_or_none(name: str, day: date) -> None:
    assert by_hook(name, day).is_shown is story(name).shows_card


@every_day
@every_story
def test_both_doors_say_the_same(name: str, day: date) -> None:
    """A prefetch and a file of the same record lead to the same findings, verdict and date."""
    hooked, filed = by_hook(name, day), by_file(name, day)
    assert statuses(hooked) == statuses(filed)
    assert (hooked.verdict, hooked.recheck_on, hooked.is_shown) == (
        filed.verdict,
        filed.recheck_on,
        filed.is_shown,
    )
    assert {f.id: f.flags for f in hooked.findings} == {f.id: f.flags for f in filed.findings}


@pytest.mark.parametrize(
    ("name", "criterion", "flags"),
    [
        ("nearly-a-candidate", "I03a", set()),
        ("boundary-dose", "I03a", {Flag.BOUNDARY}),
        ("boundary-dose-not-above", "I03a", {Flag.BOUNDARY}),
        ("supported-count", "I07a", {Flag.SUPPORTED}),
        ("stale-labs", "I07a", {Flag.STALE}),
        ("tablets-and-chinese", "I01", {Flag.TEXT_ONLY}),
        ("tablets-and-chinese", "I02.dx", {Flag.TEXT_ONLY}),
        ("tablets-and-chinese", "I03a", {Flag.TEXT_ONLY}),
        ("ordered-not-reported", "I03a", {Flag.ASSUMED}),
        ("methylprednisolone", "I03a", {Flag.EQUIVALENT}),
        ("every-other-day", "I03a", set()),
    ],
)
def test_the_flags_that_a_story_is_about(name: str, criterion: str, flags: set[Flag]) -> None:
    assert by_hook(name, INDEX).finding(criterion).flags == flags


@pytest.mark.parametrize(
    ("name", "milligrams"),
    [
        ("nearly-a-candidate", 30),
        ("dependence-to-be-confirmed", 20),
        ("tablets-and-chinese", 30),
        ("ordered-not-reported", 30),
        ("methylprednisolone", 30),
        ("every-other-day", 30),
        ("not-a-transplant-patient", 0),
    ],
)
def test_the_dose_of_the_day(name: str, milligrams: int) -> None:
    """The prednisone-equivalent dose of a story on its index date, in mg a day."""
    assert by_hook(name, INDEX).steroids.per_day == Interval.exactly(milligrams)


def test_an_unreadable_dose_is_any_dose() -> None:
    """From nothing upwards without an end, and never 0 mg."""
    dose = by_hook("unreadable-dose", INDEX).steroids.per_day
    assert dose is not None
    assert dose.low == 0
    assert dose.high is None


def skips(screening: Screening) -> set[tuple[str, str]]:
    return {(one.reference, one.reason) for one in screening.skipped}


def test_broken_entries_are_listed() -> None:
    """Whatever is left out of the broken record is named with its reason; no query asks for a FooType."""
    listed = {
        ("Observation/broken-resources-alt-written-as-text", "unreadable"),
        ("Observation/broken-resources-neutrophils-in-error", "entered-in-error"),
        ("Condition/broken-resources-condition-with-a-number", "unreadable"),
        ("Procedure/broken-resources-procedure-of-another", "other-patient"),
    }
    assert skips(by_hook("broken-resources", INDEX)) == listed
    assert skips(by_file("broken-resources", INDEX)) == listed | {("FooType/broken-resources-foo", "unknown-type")}


@pytest.mark.parametrize("name", [one for one in STORIES if one != "broken-resources"])
def test_nothing_is_skipped_of_an_unbroken_story(name: str) -> None:
    assert skips(by_file(name, INDEX)) == set()


def resources(one: Story) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in one.bundle(INDEX)["entry"]]


@pytest.mark.parametrize("name", [one for one in STORIES if one != "broken-resources"])
def test_a_story_is_valid_fhir(name: str) -> None:
    """Every resource of a story that is not meant to be broken is valid by the models of fhir.resources."""
    from fhir.resources.R4B import get_fhir_model_class  # noqa: PLC0415 - slow to import

    for resource in resources(story(name)):
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)
