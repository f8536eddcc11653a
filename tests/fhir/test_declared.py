"""What is declared refuses what the models of fhir.resources refuse, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from copy import deepcopy
from datetime import date
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.fhir import elements as el
from cds_service.fhir.declared import declared
from cds_service.fhir.validation import as_read, model_of
from cds_service.fhir.versions import Version
from cds_service.fhir.wire import read_answer
from fhir_fixtures.story import load_stories
from tests.fhir.made import Json, observation, resource, statement

DAY = date(2026, 9, 15)
VERSIONS = (Version.R4, Version.R5, Version.STU3)
PERIOD = {"start": "2026-01-01", "end": "2026-02-01"}
QUANTITY = {"value": 1.5, "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"}
DOSAGE = {
    "timing": {"repeat": {"boundsPeriod": PERIOD, "frequency": 1, "period": 1, "periodUnit": "d", "when": ["MORN"]}},
    "asNeededBoolean": False, "doseAndRate": [{"doseQuantity": QUANTITY}], "maxDosePerDay": QUANTITY,
}  # fmt: skip
# What the stories have not.
OTHERS = (
    statement(DOSAGE, effectivePeriod=PERIOD, note=[{"text": "at night", "time": "2026-01-01"}]),
    observation(component=[{"code": {"text": "part"}, "valueRange": {"low": QUANTITY}}]),
    observation(interpretation=[{"text": "H"}]),
    resource("MedicationDispense", status="completed", medicationCodeableConcept={"text": "prednisone"},
             whenHandedOver="2026-01-02", daysSupply=QUANTITY, dosageInstruction=[DOSAGE]),
    resource("DiagnosticReport", status="final", code={"text": "ECG"}, conclusion="abnormal"),
)  # fmt: skip
# A null by itself is not among them: what is held against the declarations has none.
ODD: Sequence[Any] = (
    "", " ", "x y", "2026-13-01", "2026-02", "2026-02-30", "12:30:00", "no such code ", -1, 0, 1, 1.5, True,
    [], {}, [None], ["x"], [{}], {"value": "12"}, {"value": 1.25, "unit": 3}, {"reference": 5}, {"text": ["x"]},
    {"coding": [{"system": 1}]}, {"coding": [None]}, {"start": "yesterday"}, [{"coding": {"code": "x"}}],
    {"boundsPeriod": PERIOD, "boundsDuration": QUANTITY}, [{"time": "2026-01-01"}],
)  # fmt: skip


@cache
def samples() -> list[tuple[str, Json]]:
    """Resources of every type, as they are held against what is declared."""
    records = [*OTHERS, *(one for story in load_stories() for one in story.resources(DAY))]
    entries = [one for record in records for one in read_answer(json.dumps(record).encode(), "a record").entries]
    return [(one.type, as_read(one.resource)) for one in entries if one.resource]


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where something stands in a document."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inside:
        yield (*path, key)
        yield from places(one, (*path, key))


def changed(document: Json, place: Sequence[str | int], odd: Any) -> Json:
    """The document with something odd in one place; with ... nothing is left there."""
    document = deepcopy(document)
    at: Any = document
    for key in place[:-1]:
        at = at[key]
    if odd is ...:
        del at[place[-1]]
    else:
        at[place[-1]] = deepcopy(odd)
    return document


def refused_by_its_model(kind: str, version: Version, document: Json) -> bool:
    try:
        model_of(kind, version).model_validate({"resourceType": kind, **deepcopy(document)})
    except ValueError:
        return True
    return False


def refused(kind: str, version: Version, document: Json) -> bool:
    try:
        declared(model_of(kind, version), el.READ_TYPES[kind]).refuse(document)
    except ValueError:
        return True
    return False


@pytest.mark.parametrize("version", VERSIONS)
def test_it_says_of_every_resource_what_its_model_says(version: Version) -> None:
    verdicts = set()
    for kind, document in {json.dumps(one): one for one in samples()}.values():
        verdicts.add(refused_by_its_model(kind, version, document))
        assert refused(kind, version, document) is refused_by_its_model(kind, version, document), (kind, document)
    assert False in verdicts


@settings(max_examples=300, deadline=None)
@given(data=st.data(), version=st.sampled_from(VERSIONS), odd=st.sampled_from((..., *ODD)))
def test_wherever_something_odd_stands_both_say_the_same(data: st.DataObject, version: Version, odd: Any) -> None:
    kind, document = data.draw(st.sampled_from(samples()))
    place = data.draw(st.sampled_from(list(places(document))))
    broken = changed(document, place, odd)
    assert refused(kind, version, broken) is refused_by_its_model(kind, version, broken), (kind, place, odd)


@settings(max_examples=200, deadline=None)
@given(data=st.data(), version=st.sampled_from(VERSIONS))
def test_of_a_choice_both_refuse_two(data: st.DataObject, version: Version) -> None:
    """An element is added that another resource of the type has."""
    kind, document = data.draw(st.sampled_from(samples()))
    added = {name: one for other, elements in samples() if other == kind for name, one in elements.items()}
    name = data.draw(st.sampled_from(sorted(added)))
    broken = {**document, name: added[name]}
    assert refused(kind, version, broken) is refused_by_its_model(kind, version, broken), (kind, name)
