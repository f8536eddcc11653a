"""The screening as FHIR: never more than a candidate, each criterion with its evidence."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from cds_service.report.fhir_export import fhir_export
from cds_service.report.wording import wording
from cds_service.trials.finding import Answer
from cds_service.trials.screening import Screening, Verdict, answered
from tests.trials.record_of import screened

AT = datetime(2026, 3, 16, 12, tzinfo=UTC)


def exported(screening: Screening) -> dict[str, dict[str, Any]]:
    bundle = fhir_export(screening, wording("en"), AT)
    return {entry["resource"]["resourceType"]: entry["resource"] for entry in bundle["entry"]}


@pytest.fixture(scope="module")
def screening() -> Screening:
    return screened({})


@pytest.mark.parametrize("verdict", list(Verdict))
def test_software_says_no_more_than_candidate(screening: Screening, verdict: Verdict) -> None:
    """Only a candidate is called one, and nobody is called eligible or ineligible."""
    status = exported(replace(screening, verdict=verdict))["ResearchSubject"]["status"]
    assert (status == "candidate") is (verdict is Verdict.CANDIDATE)
    assert not re.search("elig", status)


def test_the_subject_is_the_patient_and_the_study_the_trial(screening: Screening) -> None:
    subject = exported(screening)["ResearchSubject"]
    assert subject["individual"] == {"reference": screening.patient}
    assert subject["study"]["identifier"] == {"system": "http://clinicaltrials.gov", "value": "NCT06920199"}


def test_every_criterion_is_listed_with_all_its_evidence(screening: Screening) -> None:
    entries = exported(screening)["List"]["entry"]
    for finding in screening.findings:
        own = [one["item"] for one in entries if one["flag"]["coding"][0]["code"] == finding.id]
        assert [one.get("reference") for one in own] == [
            *(evidence.reference for evidence in finding.judgement.evidence),
            *([] if finding.judgement.evidence else [None]),
        ]
        assert all(one["display"] for one in own)


def test_an_answer_stands_beside_the_finding(screening: Screening) -> None:
    """Who answered, when and what; the finding of the record stays as it was."""
    finding = screening.finding("I05")
    given = answered(finding, Answer("I05", True, "AB", AT, finding.footing))
    findings = tuple(given if f.id == "I05" else f for f in screening.findings)
    own = [e for e in exported(replace(screening, findings=findings))["List"]["entry"] if "I05" in e["flag"]["text"]]
    assert [one["item"]["display"] for one in own][1:] == ["met, answered by AB on 2026-03-16"]
    assert "ask a person" in own[0]["flag"]["text"]
