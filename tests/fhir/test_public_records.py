"""Records that others made: each is read, or refused by name. The folder lies beside the repository, if at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cds_service.clinical.facts import PatientFacts
from cds_service.clinical.medications import MedicationUse
from cds_service.fhir.ledger import Ledger
from cds_service.fhir.medications import MedicationReader
from cds_service.fhir.reading import read_facts
from cds_service.fhir.records import NoPatient, SeveralPatients, UnreadableRecord, from_files
from cds_service.fhir.sig import Sig, read_sig
from cds_service.fhir.wire import read_answer
from cds_service.strict_json import NotJson, check_json
from cds_service.terminology.codes import members
from tests.fhir.made import AS_OF, index

FOLDER = Path(__file__).parents[3] / "shared" / "data"
NOT_SYSTEMIC = frozenset({"inhaled", "topical", "otic/ophthalmic", "rectal", "nasal"})
READ_KINDS = ("MedicationRequest", "MedicationAdministration")

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the folder of public records is not there")


def _rows() -> list[dict[str, Any]]:
    path = FOLDER / "steroid-dosages.jsonl"
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.is_file() else []


def _route(row: dict[str, Any]) -> str:
    return str(row["route_class"])


def _uses(row: dict[str, Any]) -> list[MedicationUse]:
    """What the row is read as; a dispensing or a pharmacy's row as an order."""
    kind = row["resourceType"] if row["resourceType"] in READ_KINDS else "MedicationRequest"
    element = "dosage" if kind == "MedicationAdministration" else "dosageInstruction"
    record = {
        "resourceType": kind, "id": "row", "status": row.get("status") or "active", "intent": row.get("intent"),
        "authoredOn": row.get("effective"), "effectiveDateTime": row.get("effective"),
        "medicationCodeableConcept": row["medication"], element: row["dosage"],
    }  # fmt: skip
    ledger = Ledger(AS_OF)
    answer = read_answer(json.dumps(record).encode(), "row")
    uses = list(MedicationReader(index(), ledger, {}, {}).read(answer.entries))
    assert not ledger.unread
    return uses


@pytest.mark.parametrize("row", _rows(), ids=_route)
def test_a_public_dosage_is_a_dose_with_its_derivation_or_says_why_it_is_none(row: dict[str, Any]) -> None:
    for use in _uses(row):
        assert use.steps
        for step in use.steps:
            computed = step.daily.high is not None and step.derivation is not None
            assert computed is (step.fault is None)


@pytest.mark.parametrize("row", [row for row in _rows() if row["route_class"] in NOT_SYSTEMIC], ids=_route)
def test_a_public_local_steroid_contributes_nothing(row: dict[str, Any]) -> None:
    counted = members(["corticosteroids"])
    assert all(use.route == "local" or use.drug not in counted for use in _uses(row))


@pytest.mark.parametrize("row", [row for row in _rows() if row["route_class"].startswith("systemic")], ids=_route)
def test_a_public_systemic_steroid_is_counted_as_systemic(row: dict[str, Any]) -> None:
    uses = [use for use in _uses(row) if use.drug in members(["corticosteroids"])]
    assert [use.route for use in uses] == ["systemic"]


@pytest.mark.parametrize("row", [row for row in _rows() if isinstance(row["dosage"], list)], ids=_route)
def test_a_public_text_is_understood_or_says_why_not(row: dict[str, Any]) -> None:
    for text in (one["text"] for one in row["dosage"] if one.get("text")):
        assert isinstance(read_sig(text), Sig | str)


def _read(path: Path) -> PatientFacts | None:
    """The facts of a file; None when it is refused by name."""
    try:
        records = from_files({path.name: [check_json(path.read_bytes())]}, index(), None)
        return read_facts(records, index(), AS_OF)
    except (NotJson, NoPatient, SeveralPatients, UnreadableRecord):
        return None


def test_every_public_file_is_read_or_refused_by_name() -> None:
    paths = sorted((FOLDER / "public").rglob("*.json"))
    read = [facts for path in paths if (facts := _read(path)) is not None]
    assert len(paths) > 1000
    assert len(read) > 200


@pytest.mark.parametrize("folder", ["synthea-2019-r4", "mcode-trial-app"])
def test_whole_public_patients_are_read_without_a_doubt(folder: str) -> None:
    for path in sorted((FOLDER / "public" / folder).rglob("*.json")):
        facts = _read(path)
        assert facts is None or not facts.unread
