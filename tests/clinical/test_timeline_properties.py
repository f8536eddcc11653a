"""What holds of every dose timeline, whatever the records are."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.clinical.coded import Certainty
from cds_service.clinical.dates import DayRange
from cds_service.clinical.doses import DoseSegment, Timeline
from cds_service.clinical.interval import Interval
from cds_service.clinical.medications import DoseStep, Kind, MedicationUse, Standing
from tests.clinical.builders import AS_OF, ago, doses, exactly, span, statement, unreadable, weights

WEIGHTS = weights((ago(200), 70), (ago(100), 66), (ago(12), 71))
REFERENCES = [f"use/{number}" for number in range(5)]
DOSES = st.sampled_from([exactly(5), exactly(20), exactly(40), span(0, 20), span(10, 20)])


@st.composite
def day_ranges(draw: st.DrawFn, earliest: int = 260, latest: int = -20) -> DayRange:
    first = ago(draw(st.integers(latest, earliest)))
    return DayRange(first, first + timedelta(days=draw(st.sampled_from([0, 0, 0, 27]))))


@st.composite
def dose_steps(draw: st.DrawFn) -> DoseStep:
    if draw(st.integers(0, 5)) == 0:
        return unreadable(draw(st.sampled_from(["dose-not-stated", "timing-not-stated"])))
    bounded = draw(st.booleans())
    return DoseStep(
        draw(DOSES),
        pattern=draw(st.sampled_from(["daily", "qod", "as-needed"])),
        per_kilogram=draw(st.integers(0, 7)) == 0,
        first=draw(st.none() | day_ranges()) if bounded else None,
        last=draw(st.none() | day_ranges()) if bounded else None,
        length_days=draw(st.none() | st.integers(1, 40)),
        order=draw(st.sampled_from([None, 1, 2])),
        part_of_day=draw(st.booleans()),
        added_to=draw(st.integers(0, 7)) == 0,
    )


@st.composite
def medication_uses(draw: st.DrawFn, reference: str) -> MedicationUse:
    shifts = st.none() | st.integers(-20, 250).map(ago)
    return MedicationUse(
        reference,
        draw(st.sampled_from(["request", "request", "statement", "administration"])),
        draw(st.sampled_from(["prednisone", "prednisone", "methylprednisolone", "meprednisone"])),
        "label",
        draw(st.sampled_from(Certainty)),
        draw(st.sampled_from([Standing.TAKEN, Standing.TAKEN, *Standing])),
        draw(st.sampled_from(["systemic", "systemic", "unknown", "depot", "local"])),
        tuple(draw(st.lists(dose_steps(), min_size=1, max_size=3))),
        begins=draw(st.none() | day_ranges()),
        ends=draw(st.none() | day_ranges()),
        supply_ends=draw(shifts),
        valid_until=draw(shifts),
        written=draw(shifts),
        active=draw(st.booleans()),
        links=frozenset(draw(st.sets(st.sampled_from(REFERENCES), max_size=1))),
    )


@st.composite
def records(draw: st.DrawFn) -> list[MedicationUse]:
    return [draw(medication_uses(reference)) for reference in REFERENCES[: draw(st.integers(0, 4))]]


def apart(use: MedicationUse) -> MedicationUse:
    """The record without anything that ties it to another one."""
    return replace(use, links=frozenset(), steps=tuple(replace(step, added_to=False) for step in use.steps))


def built(uses: list[MedicationUse]) -> Timeline:
    return doses(*uses, kilograms=WEIGHTS)


def seen(found: Timeline) -> list[DoseSegment]:
    return list(found.segments)


@settings(deadline=None)
@given(records(), st.randoms(use_true_random=False))
def test_the_order_of_the_records_does_not_matter(uses: list[MedicationUse], random: object) -> None:
    shuffled = list(uses)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert seen(built(shuffled)) == seen(built(uses))


@settings(deadline=None)
@given(records())
def test_there_is_no_hole_and_no_overlap_up_to_the_day_of_screening(uses: list[MedicationUse]) -> None:
    segments = seen(built(uses))
    for one, after in pairwise(segments):
        assert after.first == one.last + timedelta(days=1)
    assert all(s.first <= s.last for s in segments)
    assert not segments or segments[-1].last == AS_OF


@settings(deadline=None)
@given(records())
def test_every_dose_goes_from_a_low_to_a_high_end_and_has_sources_unless_it_is_zero(
    uses: list[MedicationUse],
) -> None:
    for segment in seen(built(uses)):
        assert segment.dose.low >= 0
        assert segment.dose.high is None or segment.dose.low <= segment.dose.high
        assert bool(segment.sources) is not segment.dose.is_zero


@settings(deadline=None)
@given(records())
def test_neighbours_differ_in_more_than_their_days(uses: list[MedicationUse]) -> None:
    segments = seen(built(uses))
    for one, after in pairwise(segments):
        differences = [
            getattr(one, name) != getattr(after, name)
            for name in ("dose", "pattern", "sources", "per_dose", "flags", "faults")
        ]
        assert any(differences)


@settings(deadline=None)
@given(records())
def test_the_weighed_timeline_covers_the_same_days(uses: list[MedicationUse]) -> None:
    found = built(uses)
    parts = found.weighed(WEIGHTS)
    assert [p.first for p in parts[1:]] == [p.last + timedelta(days=1) for p in parts[:-1]]
    assert {(p.segment.first, p.segment.last) for p in parts} == {(s.first, s.last) for s in found.segments}


def encloses(wider: Interval, narrower: Interval) -> bool:
    above = wider.high is None or (narrower.high is not None and narrower.high <= wider.high)
    return wider.low <= narrower.low and above


@pytest.mark.parametrize("kind", ["statement", "request", "administration"])
@settings(deadline=None)
@given(records(), st.integers(0, 200), st.integers(0, 60))
def test_an_unreadable_record_never_narrows_the_dose_of_its_days(
    kind: Kind, found: list[MedicationUse], begin: int, length: int
) -> None:
    first = ago(begin)
    last = first if kind == "administration" else min(first + timedelta(days=length), AS_OF)
    uses = [apart(use) for use in found]
    added = replace(statement("unreadable", unreadable(), first, last), kind=kind, active=True)
    before, after = built(uses), built([*uses, added])
    for shift in range((last - first).days + 1):
        on = first + timedelta(days=shift)
        assert encloses(after.on(on).dose, before.on(on).dose), on


@settings(deadline=None)
@given(medication_uses("use/0"), st.integers(0, 60), st.sampled_from(["dose-not-stated", "timing-not-stated"]))
def test_an_unreadable_report_of_an_order_never_narrows_its_dose(use: MedicationUse, begin: int, fault: str) -> None:
    ordered = replace(apart(use), kind="request")
    report = statement("report", unreadable(fault), ago(begin), links=["use/0"])
    before, after = built([ordered]), built([ordered, report])
    for shift in range(begin + 1):
        assert encloses(after.on(ago(shift)).dose, before.on(ago(shift)).dose), ago(shift)
