"""The card of a screening."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from fhir.resources.R4B import get_fhir_model_class

from cards.card import Card, Source, TooLong
from cards.compose import Site, composer
from cards.markdown import escaped
from cds_service.fhir.records import from_prefetch
from cds_service.hooks.request import HookRequest
from cds_service.pipeline import screen_records
from cds_service.trials.screening import Screening
from tests.synthetic import (
    INDEX_DAY,
    but,
    condition,
    observation,
    patient,
    prednisone,
    procedure,
    protocol,
    resources,
    screened,
)

INSTANCE = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"


def cards_of(screening: Screening, site: Site | None = None, instance: str = INSTANCE) -> list[dict[str, Any]]:
    request = HookRequest("patient-view", instance, "p1")
    return [dict(card) for card in composer(site or Site())(screening, request)]


def the_card(site: Site | None = None, **changes: Any) -> dict[str, Any]:
    (card,) = cards_of(screened(but(changes)), site)
    return card


def test_a_patient_who_may_fit_gets_one_info_card() -> None:
    card = the_card()
    assert card["indicator"] == "info"
    assert card["summary"].startswith("May fit chronic GVHD trial NCT06920199:")
    assert len(card["summary"]) < 140
    assert card["source"]["topic"]["code"] == "NCT06920199"
    assert card["selectionBehavior"] == "any"


def test_the_prednisone_dose_is_the_first_key_fact_with_value_unit_and_limit() -> None:
    facts = the_card()["detail"].split("**Key facts**")[1]
    assert facts.strip().startswith("- Prednisone dose (I03a): 30 mg/day for 70 days at 70 kg: 0.4286 mg/kg/day, limit")


def test_the_card_says_that_it_decides_nothing_and_delays_nothing() -> None:
    detail = the_card()["detail"]
    assert "no decision about eligibility" in detail
    assert "Needed treatment never waits" in detail


def test_there_is_no_identifier_of_the_patient_in_what_is_read() -> None:
    card = the_card(p1={"resourceType": "Patient", "id": "p1", "birthDate": "1980-05-01", "gender": "male",
                        "name": [{"family": "Testpatient"}]})  # fmt: skip
    read = card["summary"] + card["detail"]
    assert "Testpatient" not in read
    assert "1980" not in read


def test_words_of_the_record_cannot_become_markup() -> None:
    nasty = "<img src=x onerror=alert(1)> [click](javascript:alert(1)) **bold** | `code`"
    dosage = prednisone()["dosage"][0] | {"text": nasty}
    detail = the_card(m1=prednisone(dosage=[dosage]))["detail"]
    assert "<img" not in detail
    assert not re.search(r"(?<!\\)\]\(", detail)
    assert "&lt;img" in detail


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("graft-versus-host", "graft-versus-host"),
        ("[#/volume]", r"\[#/volume\]"),
        ("**bold** _it_ ~~no~~ `c` | a", r"\*\*bold\*\* \_it\_ \~\~no\~\~ \`c\` \| a"),
        ("http://x.org", r"http\://x.org"),
        ("WWW.x.org", r"WWW\.x.org"),
        ("a@b.org", r"a\@b.org"),
        ("<b>&amp;", "&lt;b&gt;&amp;amp;"),
        ("a\\b", r"a\\b"),
    ],
)
def test_what_could_become_markup_inside_a_line_is_escaped_and_nothing_else(text: str, shown: str) -> None:
    assert escaped(text) == shown


@pytest.mark.parametrize("text", ["a\nb", "a\x00b", "a\u202eb", "  a   b  "])
def test_control_characters_become_single_spaces(text: str) -> None:
    assert escaped(text) == "a b"


def test_a_long_text_of_the_record_is_cut_at_eighty_characters() -> None:
    assert len(escaped("x" * 500)) == 80


def test_a_referral_is_suggested_as_one_valid_order() -> None:
    suggestion = the_card()["suggestions"][0]
    assert suggestion["label"] == "Refer to the study team of NCT06920199"
    (action,) = suggestion["actions"]
    assert action["type"] == "create"
    assert action["description"] == suggestion["label"]
    get_fhir_model_class("ServiceRequest").model_validate(action["resource"])
    assert action["resource"]["subject"] == {"reference": "Patient/p1"}


def test_the_site_chooses_the_code_of_the_referral() -> None:
    coding = {"system": "urn:oid:1.2.3", "code": "REF-7", "display": "Referral"}
    resource = the_card(Site(referral_coding=coding))["suggestions"][0]["actions"][0]["resource"]
    assert resource["code"]["coding"] == [coding]


def test_no_contact_is_promised_unless_the_site_names_one() -> None:
    assert "Study team" not in the_card()["detail"]
    assert "Study team: ward 5" in the_card(Site(coordinator_contact="ward 5"))["detail"]


def test_missing_and_old_tests_are_suggested_if_clinically_due_and_at_most_three() -> None:
    old = observation("alt", "1742-6", 30, "U/L", 45)
    card = the_card(creatinine=None, bilirubin=None, lvef=None, alt=old)
    labels = [one["label"] for one in card["suggestions"][1:]]
    assert labels == [
        "Order Creatinine, only if clinically due",
        "Order Echocardiography (ejection fraction), only if clinically due",
        "Order Total bilirubin, only if clinically due",
    ]


def test_a_suggested_test_is_coded_in_loinc() -> None:
    resource = the_card(creatinine=None)["suggestions"][1]["actions"][0]["resource"]
    assert resource["code"]["coding"][0]["system"] == "http://loinc.org"
    assert resource["code"]["coding"][0]["code"] == "2160-0"
    get_fhir_model_class("ServiceRequest").model_validate(resource)


def test_a_site_can_switch_test_suggestions_off() -> None:
    assert len(the_card(Site(suggest_tests=False), creatinine=None)["suggestions"]) == 1


def test_ids_are_stable_for_the_same_call_and_differ_between_calls() -> None:
    screening = screened(resources())
    once, again = cards_of(screening)[0], cards_of(screening)[0]
    other = cards_of(screening, instance="another")[0]
    assert once == again
    assert once["uuid"] != other["uuid"]
    assert once["suggestions"][0]["uuid"] not in (once["uuid"], other["suggestions"][0]["uuid"])
    assert str(uuid.UUID(once["uuid"])) == once["uuid"]


def test_override_reasons_have_code_system_and_display() -> None:
    reasons = the_card()["overrideReasons"]
    assert 0 < len(reasons) <= 7
    assert all(set(reason) == {"code", "system", "display"} for reason in reasons)


def test_the_registry_entry_is_linked() -> None:
    (link,) = the_card()["links"]
    assert link["type"] == "absolute"
    assert link["url"] == "https://clinicaltrials.gov/study/NCT06920199"


def test_the_screening_stands_in_the_extension_without_evidence_and_valueless_keys() -> None:
    extension = the_card()["extension"]["org.trialhook.screening"]
    assert extension["verdict"] == "needs-review"
    assert "recheckOn" not in extension
    assert not any("evidence" in one for one in extension["criteria"])


def test_no_key_of_a_card_is_without_a_value() -> None:
    for value in walk(the_card(m1=prednisone(dosage=[{"text": "taper"}]), creatinine=None)):
        assert value is not None
        assert value not in ("", [], {})


def walk(value: Any) -> Iterator[Any]:
    yield value
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from walk(one)


def test_a_card_is_json() -> None:
    assert json.loads(json.dumps(the_card())) == the_card()


def test_a_patient_who_is_ruled_out_gets_no_card() -> None:
    tma = condition("tma", "http://hl7.org/fhir/sid/icd-10-cm", "M31.11")
    assert cards_of(screened(but({"tma": tma}))) == []


def test_not_yet_gets_a_card_only_where_the_site_wants_it() -> None:
    dli = procedure("dli", "http://www.ama-assn.org/go/cpt", "38242", "2026-02-01")
    screening = screened(but({"dli": dli}))
    assert cards_of(screening) == []
    (card,) = cards_of(screening, Site(show_not_yet=True))
    assert card["summary"].startswith("Not yet for chronic GVHD trial")
    assert "Screen again on 2026-05-13" in card["detail"]


@pytest.mark.parametrize("length", [0, 140, 300])
def test_a_summary_outside_the_limits_of_the_specification_is_refused(length: int) -> None:
    with pytest.raises(TooLong):
        Card("id", "x" * length, "", Source("s", "https://example.org", {}))


def test_a_summary_of_139_characters_is_allowed() -> None:
    assert Card("id", "x" * 139, "", Source("s", "https://example.org", {})).as_json()["indicator"] == "info"


def test_the_parts_of_the_record_that_were_not_read_are_named_once() -> None:
    answers = {
        "patient": patient(),
        "conditions": searchset(condition("cgvhd", "http://hl7.org/fhir/sid/icd-10-cm", "D89.811")),
        "procedures": {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]},
    }
    (card,) = cards_of(screened_from(answers))
    unread = card["detail"].split("**Parts of the record that were not read**")[1].split("**")[0].strip().splitlines()
    assert unread[:3] == [
        "- medication statements: not sent",
        "- medication orders: not sent",
        "- heart, lung and performance results: not sent",
    ]
    assert "- procedures: could not be read" in unread
    assert unread[-1].startswith("- this leaves open: I02a, I02b, I03a, I03b")


def test_a_transplant_patient_whose_record_was_not_read_gets_a_card_that_says_so() -> None:
    answers = {
        "patient": patient(),
        "conditions": searchset(condition("status", "http://hl7.org/fhir/sid/icd-10-cm", "Z94.84")),
    }
    (card,) = cards_of(screened_from(answers))
    assert card["summary"].startswith("Screening incomplete for chronic GVHD trial")


def test_a_diagnosis_that_may_stand_in_an_unreadable_entry_is_no_reason_for_silence() -> None:
    """All was searched; but the one condition that may be chronic GVHD cannot be read."""
    empty = dict.fromkeys(("procedures", "medicationStatements", "medicationRequests"), searchset())
    transplant = condition("status", "http://hl7.org/fhir/sid/icd-10-cm", "Z94.84")
    unreadable = condition("unreadable", "http://hl7.org/fhir/sid/icd-10-cm", "D89.811") | {"code": [7]}
    silent = {"patient": patient(), "conditions": searchset(transplant), **empty}
    (card,) = cards_of(screened_from(silent | {"conditions": searchset(transplant, unreadable)}))
    assert card["summary"].startswith("Screening incomplete for chronic GVHD trial")
    assert cards_of(screened_from(silent)) == []


def searchset(*resources: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": one} for one in resources]}


def screened_from(answers: dict[str, Any]) -> Screening:
    """The screening of what a hook call brings along."""
    prefetch = {key: msgspec.Raw(json.dumps(answer).encode()) for key, answer in answers.items()}
    return screen_records(from_prefetch(prefetch, "p1"), protocol(), INDEX_DAY)
