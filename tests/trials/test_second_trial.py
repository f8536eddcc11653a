"""A second trial is a folder: REACH3 (NCT03112603) is loaded from YAML alone and screened by the same rule kinds."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cards.compose import Site, composer
from cds_service.hooks.request import HookRequest, read_request
from cds_service.pipeline import screen_records
from cds_service.report.protocol_outline import outline
from cds_service.report.protocol_text import protocol_text
from cds_service.report.protocol_words import ProtocolWords
from cds_service.report.screening_json import screening_json
from cds_service.report.text import screening_text
from cds_service.report.wording import wording
from cds_service.trials.protocol import load_protocol, protocol_in
from cds_service.trials.screening import Screening
from tests.synthetic import ROOT
from tests.trials.record_of import SCREENED_ON, answers_of, records_of
from tests.web.calls import app_of, call, wiring

REACH3 = protocol_in(Path(__file__).parent / "reach3")
ENOUGH = {"prednisone": {"mg": 40, "from": "2026-01-05"}}  # 0.571 mg/kg/day at 70 kg


def screened(facts: Mapping[str, Any], as_of: date = SCREENED_ON) -> Screening:
    return screen_records(records_of(answers_of(dict(facts)), facts.get("sources")), REACH3, as_of)


def statuses(screening: Screening) -> dict[str, str]:
    return {finding.id: finding.status.value for finding in screening.findings}


def request() -> HookRequest:
    return read_request(json.dumps(call()).encode(), "patient-view")


def test_its_criteria_stand_in_its_own_order() -> None:
    assert [c.id for c in REACH3.criteria] == [
        "MinimumAge", "R1", "R2.anc", "R2.plt", "R3.dx", "R3.sev", "R4a", "R4b", "R4c", "X1", "X2",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "verdict", "differs"),
    [
        (ENOUGH, "candidate", {}),
        ({"prednisone": {"mg": 35, "from": "2026-01-05"}}, "needs-review", {"R4b": "fail"}),  # exactly 0.5: boundary
        ({"prednisone": {"mg": 30, "from": "2026-01-05"}}, "ruled-out", {"R4b": "fail"}),
        ({**ENOUGH, "labs": {"neutrophils": "0.9 10*9/L", "on": "2026-03-10"}}, "not-yet", {"R2.anc": "fail"}),
        ({**ENOUGH, "labs": {"platelets": "25100 /mm3", "on": "2026-03-10"}}, "candidate", {}),
        ({**ENOUGH, "patient": {"born": "2013-03-16"}}, "candidate", {}),
        ({**ENOUGH, "patient": {"born": "1920-03-16"}}, "candidate", {}),
        ({**ENOUGH, "patient": {"born": "2014-03-17"}}, "ruled-out", {"MinimumAge": "fail"}),
        ({**ENOUGH, "patient": {"born": "2014"}}, "needs-review", {"MinimumAge": "unknown"}),
        ({**ENOUGH, "condition": {"icd-10-cm": "D89.810"}}, "needs-review", {"X2": "review"}),
        ({**ENOUGH, "sources": {"labs": "failed"}}, "needs-review", {"R2.anc": "unknown", "R2.plt": "unknown"}),
        ({**ENOUGH, "conditions": "none", "procedures": "none"}, "not-applicable",
         {"R1": "unknown", "R3.dx": "unknown", "R3.sev": "unknown"}),
    ],
)  # fmt: skip
def test_patients_get_their_statuses_and_their_verdict(
    facts: dict[str, Any], verdict: str, differs: dict[str, str]
) -> None:
    asked = dict.fromkeys(("R4a", "R4c", "X1", "X2"), "human")
    met = dict.fromkeys(("MinimumAge", "R1", "R2.anc", "R2.plt", "R3.dx", "R3.sev", "R4b"), "pass")
    screening = screened(facts)
    assert statuses(screening) == met | asked | differs
    assert screening.verdict.value == verdict
    assert all(row["because"] for row in screening_json(screening, wording("en"))["criteria"])


def test_the_same_patient_is_judged_by_each_protocol_on_its_own_terms() -> None:
    records = records_of(answers_of({"prednisone": {"mg": 30, "from": "2026-01-05"}}), None)
    ours = screen_records(records, load_protocol("nct06920199"), SCREENED_ON)
    theirs = screen_records(records, REACH3, SCREENED_ON)
    assert ours.finding("I03a").status.value == "pass"
    assert theirs.finding("R4b").status.value == "fail"
    assert ours.ruleset != theirs.ruleset


def test_it_is_printed_as_json_and_text_and_makes_a_card() -> None:
    screening, words = screened(ENOUGH), wording("en")
    printed = screening_json(screening, words)
    assert printed["trial"]["id"] == "NCT03112603"
    assert "NCT03112603" in screening_text(screening, words)
    (card,) = composer(Site())(screening, request())
    assert str(card["summary"]).startswith("May fit chronic GVHD trial NCT03112603:")
    assert "donor" not in str(card["detail"]).lower()


def test_its_protocol_can_be_proofread_too() -> None:
    text = protocol_text(outline(REACH3, "0"), ProtocolWords(wording("en")))
    assert "more than 0.5 mg/kg/day" in text
    page = app_of(wiring(REACH3)).test_client().get("/protocol/nct03112603")
    assert page.status_code == 200
    assert 'id="R4b"' in page.text


def test_no_python_names_a_criterion_or_a_number_of_a_trial() -> None:
    """Ids of criteria are data; the trial that is served is named in one place only."""
    ids = {re.escape(c.id) for c in load_protocol("nct06920199").criteria if re.fullmatch(r"[IED]\d\d\S*", c.id)}
    quoted = re.compile(rf"""["'](?:{"|".join(sorted(ids))})["']""")
    for path in [*(ROOT / "cds_service").rglob("*.py"), *(ROOT / "cards").rglob("*.py"), ROOT / "app.py"]:
        text = path.read_text(encoding="utf-8")
        assert not quoted.search(text), path
        assert "nct06920199" not in text.lower() or path.name == "protocol.py", path
