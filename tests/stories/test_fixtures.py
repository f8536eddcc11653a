"""The stories as fixtures: synthetic, never ageing, coded by our own code sets, and sent as an EHR would."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from cds_service.fhir.queries import ANALYTES_OF, QUERIES
from cds_service.hooks.request import read_request
from cds_service.terminology.codes import ConceptIndex, code_sets, systems
from fhir_fixtures.hook_request import ANALYTES, KEYS
from fhir_fixtures.relative_dates import dated
from fhir_fixtures.sheets import MalformedStory, read_sheet
from fhir_fixtures.story import SYNTHETIC, Story, load_stories, story

INDEX = date(2026, 3, 16)
every_story = pytest.mark.parametrize("one", load_stories(), ids=lambda one: one.id)


def resources(one: Story, day: date = INDEX) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in one.bundle(day)["entry"]]


def values(document: object) -> Iterator[object]:
    """Every value inside a document, nested ones too."""
    yield document
    inner = document.values() if isinstance(document, dict) else document if isinstance(document, list) else ()
    for value in inner:
        yield from values(value)


def test_the_order_is_fixed_and_the_ids_are_unique() -> None:
    names = [one.id for one in load_stories()]
    assert names[0] == "nearly-a-candidate"
    assert len(names) == len(set(names))
    assert all(story(name).id == name for name in names)
    with pytest.raises(KeyError):
        story("nobody")


@every_story
def test_every_patient_is_marked_as_synthetic(one: Story) -> None:
    for resource in resources(one):
        assert SYNTHETIC in resource["meta"]["tag"]
        assert all(name["family"] == "Testpatient" for name in resource.get("name", []))


@every_story
def test_no_date_is_written_absolutely(one: Story) -> None:
    """A story that named a day would age."""
    for template, _ in one.templates:
        assert not re.search(r"\d{4}-\d\d-\d\d", json.dumps(template))


@every_story
def test_every_clinical_code_stands_in_our_code_sets(one: Story) -> None:
    known = ConceptIndex(code_sets())
    for value in values(resources(one)):
        if isinstance(value, dict) and value.get("system") in systems() and "value" not in value:
            assert known.recognise([(value["system"], value["code"])], ()).concepts, value


@every_story
def test_all_resources_are_about_the_patient(one: Story) -> None:
    """Only the broken record holds something of another patient."""
    own = (None, f"Patient/{one.patient_id}")
    others = [r["id"] for r in resources(one) if r.get("subject", {}).get("reference") not in own]
    assert others == (["broken-resources-procedure-of-another"] if one.id == "broken-resources" else [])


def test_all_stories_can_stand_on_one_server() -> None:
    """No two resources have the same type and id, and every id is one that FHIR allows."""
    ids = [(resource["resourceType"], resource["id"]) for one in load_stories() for resource in resources(one)]
    assert len(ids) == len(set(ids))
    assert [name for _, name in ids if not re.fullmatch(r"[A-Za-z0-9.-]{1,64}", name)] == []


def test_a_reference_inside_a_record_leads_to_the_id_that_the_server_knows() -> None:
    """Sheets use short names; what is outside of the record keeps its own."""
    sheet: list[tuple[dict[str, Any], timedelta]] = [
        ({"resourceType": "Patient", "id": "patient"}, timedelta()),
        ({"resourceType": "Medication", "id": "m", "code": {"text": "x"}}, timedelta()),
        (
            {"resourceType": "MedicationRequest", "id": "r", "subject": {"reference": "Patient/patient"},
             "medicationReference": {"reference": "Medication/m"}, "basedOn": [{"reference": "CarePlan/c"}]},
            timedelta(),
        ),
    ]  # fmt: skip
    made = replace(story("too-old"), id="made", templates=tuple(sheet))
    patient, medication, request = made.resources(INDEX)
    assert (patient["id"], medication["id"], request["id"]) == ("made", "made-m", "made-r")
    assert request["subject"] == {"reference": "Patient/made"}
    assert request["medicationReference"] == {"reference": "Medication/made-m"}
    assert request["basedOn"] == [{"reference": "CarePlan/c"}]


def test_the_queries_are_those_of_the_service() -> None:
    """What the fixtures answer and what the service asks for are stated apart and must agree."""
    assert {key: query.type for key, query in QUERIES.items()} == dict(KEYS)
    assert dict(ANALYTES_OF) == dict(ANALYTES)


@every_story
def test_a_hook_request_answers_every_query(one: Story) -> None:
    """Every key is there; a search says how many it found, each observation once and the newest first."""
    request = one.hook_request(INDEX)
    assert list(request["prefetch"]) == list(QUERIES)
    assert request["prefetch"]["patient"]["id"] == request["context"]["patientId"]
    observations: list[str] = []
    for key, answer in list(request["prefetch"].items())[1:]:
        entries = answer.get("entry", [])
        assert (answer["type"], answer["total"]) == ("searchset", len(entries))
        if QUERIES[key].type == "Observation":
            stamps = [entry["resource"]["effectiveDateTime"] for entry in entries]
            assert stamps == sorted(stamps, reverse=True)
            observations += [entry["resource"]["id"] for entry in entries]
    assert sorted(observations) == sorted(r["id"] for r in resources(one) if r["resourceType"] == "Observation")


@every_story
def test_a_hook_request_is_taken_by_the_service(one: Story) -> None:
    """Its instance is the same on every day, so that a repeated request is known as one."""
    request = one.hook_request(INDEX)
    read = read_request(json.dumps(request).encode(), "patient-view")
    assert (read.patient_id, read.hook_instance) == (one.patient_id, request["hookInstance"])
    assert one.hook_request(date(2028, 2, 29))["hookInstance"] == request["hookInstance"]


def test_every_story_has_a_hook_instance_of_its_own() -> None:
    assert len({one.hook_request(INDEX)["hookInstance"] for one in load_stories()}) == len(load_stories())


def test_a_record_may_be_changed_without_changing_the_story() -> None:
    """What a caller does to one record is not seen in the next."""
    first = story("nearly-a-candidate").bundle(INDEX)
    before = json.dumps(first)
    for value in list(values(first)):
        if isinstance(value, dict):
            value.clear()
    assert json.dumps(story("nearly-a-candidate").bundle(INDEX)) == before


@pytest.mark.parametrize(
    ("written", "day", "meant"),
    [
        ("T", INDEX, "2026-03-16"),
        ("T-70d", INDEX, "2026-01-05"),
        ("T+14d", INDEX, "2026-03-30"),
        ("T-3mo", date(2026, 5, 31), "2026-02-28"),
        ("T-45y-20d", INDEX, "1981-02-24"),
        ("T-45y-20d", date(2028, 2, 29), "1983-02-08"),
        ("T-70d@08:30", INDEX, "2026-01-05T08:30:00+08:00"),
        ("T-cells", INDEX, "T-cells"),
        ("on T-70d", INDEX, "on T-70d"),
    ],
)
def test_a_relative_date_means_a_day(written: str, day: date, meant: str) -> None:
    assert dated({"in": [written]}, day) == {"in": [meant]}


def sheet(folder: Path, resource: str, name: str = "01-odd.yaml", more: str = "") -> Path:
    path = folder / name
    path.write_text(
        f"id: odd\ntitle: t\nline: l\nverdict: not-yet\ncard: false\ncriteria: {{AGE: pass}}\n{more}"
        f"resources:\n  - {resource}\n",
        encoding="utf-8",
    )
    return path


def test_numbers_are_what_is_written(tmp_path: Path) -> None:
    read = read_sheet(sheet(tmp_path, "{a: 7.2, b: 70.0, c: 30, d: 2026-03-16}"))
    assert json.dumps(read.resources) == '[{"a": 7.2, "b": 70.0, "c": 30, "d": "2026-03-16"}]'


@pytest.mark.parametrize(
    ("resource", "name", "more", "message"),
    [
        ("{a: 7.20}", "01-odd.yaml", "", "write 7.20 as 7.2"),
        ("{a: 1, a: 2}", "01-odd.yaml", "", "a key stands twice"),
        ("{a: [}", "01-odd.yaml", "", "not YAML"),
        ("{a: 1}", "01-other.yaml", "", "01-odd.yaml"),
        ("{a: 1}", "01-odd.yaml", "rechek: 3\n", "rechek"),
    ],
)
def test_a_malformed_story_is_refused(tmp_path: Path, resource: str, name: str, more: str, message: str) -> None:
    """The message names the place and what was expected."""
    with pytest.raises(MalformedStory, match=message):
        read_sheet(sheet(tmp_path, resource, name, more))
