"""The languages say the same: the same keys, the same blanks, and nothing left untranslated."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml

from cards.card import LONGEST_SUMMARY
from cards.compose import Site, card
from cds_service.clinical.dates import Span
from cds_service.clinical.evidence import Measure
from cds_service.clinical.interval import Interval, Limit
from cds_service.report.columns import columns
from cds_service.report.screening_json import screening_json
from cds_service.report.text import screening_text
from cds_service.report.wording import LANGUAGES, wording
from cds_service.strict_yaml import MalformedFile
from cds_service.terminology.codes import classes, code_sets
from cds_service.trials.protocol import load_protocol
from cds_service.trials.rules.new_therapy import NewTherapy
from cds_service.trials.rules.therapy_stability import TherapyStability
from cds_service.trials.spoken import in_language, protocol_in_language
from cds_service.trials.translation import translation
from fhir_fixtures.story import load_stories
from fhir_fixtures.translations import told_in_other_languages
from tests.report.histories import HISTORIES
from tests.stories.test_stories import INDEX, by_file
from tests.synthetic import ROOT
from tests.trials.record_of import screened

CATALOGUES = ROOT / "cds_service" / "report" / "catalogues"
TRIAL = ROOT / "cds_service" / "trials" / "nct06920199"
PROTOCOL = load_protocol("nct06920199")
CHINESE = wording("zh-CN")
others = pytest.mark.parametrize("language", [one for one in LANGUAGES if one != "en"])
every_story = pytest.mark.parametrize("name", [one.id for one in load_stories()])
# Words of Latin letters that Chinese clinicians and engineers write as they are.
LATIN = {
    "mg", "kg", "d", "dL", "mL", "min", "mmHg", "U", "L", "ULN", "FEV", "ECOG", "KPS", "Karnofsky", "NIH", "ALT", "AST",
    "CAR", "T", "NK", "FHIR", "HL", "SNOMED", "CT", "LOINC", "RxNorm", "ICD", "CM", "GM", "PCS", "CPT", "HCPCS", "ATC",
    "NCI", "Thesaurus", "caDSR", "v", "MII", "could", "be", "included", "etc", "itacitinib", "axatilimab",
    "comments", "µmol", "IU", "Trialhook", "CDS", "Hooks", "JSON", "http", "https",
}  # fmt: skip

# The classes of drugs, and the procedures, that a draft order is said to be of.
ORDERED = ("corticosteroids", "il2-axis", "growth-factors", "thrombopoietics", "car-t-products",
           "dli", "dli-like", "car-t", "car-t-preparation", "platelet-transfusion")  # fmt: skip


def leaves(part: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    for key, value in part.items():
        if isinstance(value, Mapping):
            yield from leaves(value, (*path, str(key)))
        else:
            yield (*path, str(key)), str(value)


def catalogue(language: str) -> dict[tuple[str, ...], str]:
    loaded = yaml.safe_load((CATALOGUES / f"{language}.yaml").read_text(encoding="utf-8"))
    return {path: word for path, word in leaves(loaded) if path[0] != "drugs"}


def latin(text: str) -> set[str]:
    # Blanks and the options of a command are the same in every language.
    return set(re.findall(r"[A-Za-zµμ]+", re.sub(r"\{\w*\}|--\w+", "", text))) - LATIN


@others
def test_every_language_has_the_same_keys(language: str) -> None:
    assert list(catalogue(language)) == list(catalogue("en"))


@others
def test_every_phrase_has_the_same_blanks(language: str) -> None:
    english, other = catalogue("en"), catalogue(language)
    blanks = re.compile(r"\{(\w+)\}")
    assert [p for p in english if set(blanks.findall(english[p])) != set(blanks.findall(other[p]))] == []


@others
def test_nothing_is_empty_that_is_not_in_english(language: str) -> None:
    english, other = catalogue("en"), catalogue(language)
    assert [p for p in english if bool(english[p]) != bool(other[p])] == []


def test_no_english_is_left_in_the_chinese_catalogue() -> None:
    assert {path: latin(word) for path, word in catalogue("zh-CN").items() if latin(word)} == {}


def test_the_program_never_says_in_chinese_that_a_patient_may_take_part() -> None:
    for path in (CATALOGUES / "zh-CN.yaml", TRIAL / "zh-CN.yaml"):
        text = path.read_text(encoding="utf-8")
        assert not [word for word in ("合格", "可入组", "可以入组", "符合入组", "具备资格") if word in text]


def test_every_drug_that_is_named_has_a_chinese_entry() -> None:
    drugs = {d for c in PROTOCOL.criteria if isinstance(c.rule, TherapyStability | NewTherapy) for d in c.rule.drugs}
    ordered = {concept for name in ORDERED for concept in classes().get(name, [name])}
    titles = {code_sets()[concept].title for concept in {*drugs, *ordered, "photopheresis"}}
    named = yaml.safe_load((CATALOGUES / "zh-CN.yaml").read_text(encoding="utf-8"))["drugs"]
    assert set(named) == titles
    assert {title for title, word in named.items() if latin(word) and title != word} == set()


def test_terms_that_a_native_clinician_has_to_check_are_marked() -> None:
    for path in (CATALOGUES / "zh-CN.yaml", TRIAL / "zh-CN.yaml"):
        lines = path.read_text(encoding="utf-8").splitlines()
        doubted = ("肌酐", "卡氏评分", "总胆红素：", "射血分数", "伊布替尼", "透析")
        unmarked = [line for line in lines if any(d in line for d in doubted) and not line.endswith("# check")]
        assert [line for line in unmarked if not line.startswith("#")] == []


# the trial's own words


def test_the_trial_says_everything_in_chinese() -> None:
    made = PROTOCOL.translations["zh-CN"]
    assert list(made.criteria) == [criterion.id for criterion in PROTOCOL.criteria]
    said = [word for one in made.criteria.values() for word in one.model_dump().values() if word]
    assert [word for word in said if latin(word)] == []


def test_the_registrys_words_stay_as_registered() -> None:
    translated = protocol_in_language(PROTOCOL, "zh-CN")
    assert [c.text for c in translated.criteria] == [c.text for c in PROTOCOL.criteria]
    assert translated.trial.title == PROTOCOL.trial.title
    assert translated.ruleset == PROTOCOL.ruleset


def test_a_trial_without_a_translation_stays_as_it_is() -> None:
    assert protocol_in_language(PROTOCOL, "fr") is PROTOCOL
    screening = screened({})
    assert in_language(screening, "en") is screening


def test_a_translated_screening_has_the_same_answers() -> None:
    screening = screened({})
    translated = in_language(screening, "zh-CN")
    assert [f.judgement for f in translated.findings] == [f.judgement for f in screening.findings]
    assert translated.verdict is screening.verdict


def document(**changes: Any) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((TRIAL / "zh-CN.yaml").read_text(encoding="utf-8"))
    loaded["criteria"] = {**loaded["criteria"], **changes}
    return {**loaded, "criteria": {key: value for key, value in loaded["criteria"].items() if value}}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"I08": None}, "I08 differs"),
        ({"X1": {"name": "多余"}}, "X1 differs"),
        ({"I08": {"name": "知情同意"}}, "criterion I08, question"),
        ({"SEX": {"name": "性别", "reading": "多余"}}, "criterion SEX, reading"),
        ({"SEX": {"name": "性别", "colour": "红"}}, "criteria.SEX.colour"),
    ],
)
def test_a_translation_that_is_not_in_step_stops_the_start(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(MalformedFile, match=re.escape(message)):
        translation("zh-CN.yaml", document(**changes), PROTOCOL.criteria)


def test_every_story_of_the_demo_is_told_in_chinese() -> None:
    for told in told_in_other_languages().values():
        assert list(told) == [one.id for one in load_stories()]
        assert all(set(one) == {"title", "line"} for one in told.values())
        assert not [word for one in told.values() for text in one.values() for word in latin(text)]


# numbers and units


@pytest.mark.parametrize(
    ("interval", "unit", "words"),
    [
        (Interval.exactly(30), "mg/d", "30 mg/d"),
        (Interval(Fraction(30), Fraction(40)), "mg/d", "30 至 40 mg/d"),
        (Interval(Fraction(5), None), "mg/d", "至少 5 mg/d"),
        (Interval.exactly(38), "a", "38岁"),
        (Interval.exactly(70), "kg", "70 kg"),
    ],
)
def test_a_measure_in_chinese(interval: Interval, unit: str, words: str) -> None:
    assert CHINESE.measure(Measure(interval, unit)) == words


def test_limits_and_spans_in_chinese() -> None:
    assert CHINESE.value(Limit.parse(">= 60 mL/min")) == "≥ 60 mL/min"
    assert CHINESE.value(Span(28, "d")) == "28天"


# whole doors


@every_story
@others
def test_every_story_can_be_told_and_no_line_is_too_wide(name: str, language: str) -> None:
    text = screening_text(by_file(name, INDEX), wording(language))
    judged = text.split("\n\n", 2)[2]
    lines = [line for line in judged.splitlines() if "/" not in line]
    assert max(map(columns, lines)) <= 100


@every_story
def test_what_is_said_in_chinese_is_chinese(name: str) -> None:
    """Only codes, units and the record's own words are in Latin letters."""
    printed = screening_json(by_file(name, INDEX), CHINESE)
    for one in printed["criteria"]:
        assert not latin(one["because"]), one["because"]
        assert one["ask"] is None or not latin(one["ask"])


def test_the_json_has_the_same_keys_and_codes_in_every_language() -> None:
    english, chinese = (screening_json(screened({}), wording(one)) for one in ("en", "zh-CN"))
    said = {"because", "evidence", "ask"}
    assert english.keys() == chinese.keys()
    for one, other in zip(english["criteria"], chinese["criteria"], strict=True):
        assert {k: v for k, v in one.items() if k not in said} == {k: v for k, v in other.items() if k not in said}


@pytest.mark.parametrize("name", [*HISTORIES, "not yet"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_summary_is_short_enough_in_every_language(name: str, language: str) -> None:
    facts = HISTORIES.get(name, {"procedure": {"cpt": "38242", "on": "2026-01-01"}})
    made = card(screened(facts), "h1", Site(language=language), wording(language))
    assert len(made.summary) <= LONGEST_SUMMARY


def test_a_card_in_chinese() -> None:
    made = card(screened({}), "h1", Site(language="zh-CN"), CHINESE)
    assert made.summary.startswith("可能适合慢性移植物抗宿主病试验 NCT06920199：")
    assert "**请确认**" in made.detail
    assert "激素耐药（I02a）" in made.detail or "激素耐药 (I02a)" in made.detail
    assert made.suggestions[0].label == "转介至 NCT06920199 研究团队（研究协调员）"
    assert {reason["display"] for reason in made.override_reasons} >= {"患者拒绝参加", "卡片信息有误"}


def test_the_files_are_the_languages() -> None:
    assert set(LANGUAGES) == {Path(path).stem for path in CATALOGUES.glob("*.yaml")} == {"en", "zh-CN"}
