"""Every broken file leads to what fhir_fixtures/broken/README.md says of it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import pytest

import fhir_fixtures
from cds_service.cli import Unreadable, screened
from cds_service.trials.protocol import Protocol, load_protocol

FOLDER = Path(fhir_fixtures.__file__).parent / "broken"
INDEX = date(2026, 3, 16)


@dataclass(frozen=True)
class Row:
    """One line of the README's table."""

    file: str
    exit_code: int
    told: str
    statuses: str

    @property
    def skipped(self) -> set[tuple[str, str]]:
        """The skipped entries with their reasons; an entry without a name by its place in the file."""
        listed = (one.split() for one in self.told.split(",") if one.strip())
        return {(name.replace("[", f"{FOLDER / self.file}["), reason) for name, reason in listed}


def rows() -> list[Row]:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if ".json |" in line]
    return [Row(file, int(code), told, statuses) for file, _, code, told, statuses in table]


refused = [row for row in rows() if row.exit_code == 2]
read = [row for row in rows() if row.exit_code == 0]


@cache
def protocol() -> Protocol:
    return load_protocol("nct06920199")


def test_the_readme_names_every_file() -> None:
    assert sorted(row.file for row in rows()) == sorted(path.name for path in FOLDER.glob("*.json"))
    assert len(refused) + len(read) == len(rows())


@pytest.mark.parametrize("row", refused, ids=lambda row: row.file)
def test_unreadable_input_is_refused_with_a_message(row: Row) -> None:
    """The command ends with exit code 2 and says what is wrong, without repeating the content."""
    with pytest.raises(Unreadable) as refusal:
        screened([str(FOLDER / row.file)], protocol(), INDEX)
    assert refusal.value.exit_code == 2
    assert row.told in refusal.value.message
    assert "Testpatient" not in refusal.value.message


@pytest.mark.parametrize("row", read, ids=lambda row: row.file)
def test_what_can_be_read_is_screened_and_the_rest_is_listed(row: Row) -> None:
    screening = screened([str(FOLDER / row.file)], protocol(), INDEX)
    assert {(one.reference, one.reason) for one in screening.skipped} == row.skipped
    expected = dict(one.split() for one in row.statuses.split(","))
    assert {one: screening.finding(one).status.value for one in expected} == expected
    assert screening.is_shown


def test_two_patients_are_no_fault_when_one_is_named() -> None:
    screening = screened([str(FOLDER / "two-patients.json")], protocol(), INDEX, patient="p1")
    assert screening.patient == "Patient/p1"
    assert [(one.reference, one.reason) for one in screening.skipped] == [("Patient/p2", "other-patient")]


@pytest.mark.parametrize("opening", ["[", '{"a":', '{"resourceType": "Bundle", "entry": [{"resource":'])
def test_nesting_without_end_is_refused(tmp_path: Path, opening: str) -> None:
    """Neither the parser nor the stack gives way."""
    closing = {"[": "]", "{": "}"}
    close = "".join(closing[sign] for sign in reversed(re.findall(r"[\[{]", opening)))
    path = tmp_path / "deep.json"
    path.write_text(opening * 50_000 + "null" + close * 50_000, encoding="utf-8")
    with pytest.raises(Unreadable, match="nested too deeply"):
        screened([str(path)], protocol(), INDEX)


def test_a_bundle_inside_bundles_is_read_no_deeper_than_anyone_sends_it(tmp_path: Path) -> None:
    """Six Bundles around a Patient are no record."""
    document: dict[str, object] = {"resourceType": "Patient", "id": "p1", "birthDate": "1981-02-24"}
    for _ in range(6):
        document = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": document}]}
    path = tmp_path / "bundles.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(Unreadable):
        screened([str(path)], protocol(), INDEX)
