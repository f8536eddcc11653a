"""Public FHIR data through the command's own function: a screening or a message, never a crash.

The data lie beside the project and are never copied into it.
"""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from cds_service.cli import Unreadable, screened
from cds_service.report.screening_json import screening_json
from cds_service.report.text import screening_text
from cds_service.report.wording import wording
from cds_service.trials.screening import Screening, Verdict
from tests.synthetic import ROOT, protocol

PUBLIC = ROOT.parent / "shared" / "data" / "public"
DAY = date(2026, 3, 16)
WORDS = wording("en")

pytestmark = pytest.mark.skipif(not PUBLIC.is_dir(), reason="the public test data are not beside the project")


def outcome(path: Path) -> Screening | None:
    """The screening of a file, or None where the command would end with a message that names the place."""
    try:
        return screened([str(path)], protocol(), DAY)
    except Unreadable as refusal:
        assert refusal.exit_code == 2
        assert refusal.message.strip()
        return None


def test_every_public_file_is_screened_or_refused_and_none_is_a_candidate() -> None:
    files = sorted(PUBLIC.rglob("*.json"))
    screenings = [found for path in files if (found := outcome(path)) is not None]
    assert len(files) > 1000
    assert len(screenings) > 50
    for screening in screenings:
        assert screening.verdict is not Verdict.CANDIDATE
        assert screening.finding("I02.dx").status != "pass"
        assert screening_text(screening, WORDS)
        assert screening_json(screening, WORDS)["criteria"]


def test_the_patients_of_synthea_are_no_patients_for_this_trial() -> None:
    screenings = [outcome(path) for path in sorted((PUBLIC / "synthea-2019-r4").glob("*.json"))]
    assert {one and one.verdict for one in screenings} == {Verdict.NOT_APPLICABLE}


def three_files() -> list[Path]:
    synthea = sorted((PUBLIC / "synthea-2019-r4").glob("*.json"))[0]
    broken = PUBLIC / "fhir-test-cases" / "validator" / "list-bad-syntax.json"
    patient = sorted((PUBLIC / "us-core-examples").glob("*[Pp]atient*.json"))[0]
    return [synthea, broken, patient]


@pytest.mark.parametrize("position", range(3))
def test_three_files_through_real_processes_end_as_in_this_one(position: int) -> None:
    path = three_files()[position]
    command = [sys.executable, "-m", "cds_service", "screen", str(path), "--as-of", DAY.isoformat()]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    expected = outcome(path)
    assert done.returncode == (2 if expected is None else 0)
    assert b"Traceback" not in done.stderr
    assert bool(done.stdout) == (expected is not None)
