"""Code sets and the index that recognises codes and words."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
import yaml

from cds_service.clinical.coded import Certainty
from cds_service.strict_yaml import MalformedFile
from cds_service.terminology import codes
from cds_service.terminology.codes import (
    ConceptIndex,
    alias_of,
    certainty_mark,
    classes,
    code_set_texts,
    code_sets,
    members,
    system_address,
    systems,
)  # fmt: skip
from cds_service.terminology.words import plain

EVERYTHING = ConceptIndex(code_sets())


def concepts(alias: str, code: str) -> set[str]:
    return set(EVERYTHING.recognise([(system_address(alias), code)], ()).concepts)


@pytest.mark.parametrize("name", [name for name, _ in code_set_texts()])
def test_every_file_is_covered_by_the_hash_and_can_be_read(name: str) -> None:
    assert yaml.safe_load(dict(code_set_texts())[name])


def test_an_id_is_used_once(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text("id: twice\ntitle: Twice\nwords: {en: [twice]}\n")
    with pytest.raises(MalformedFile, match=r"b\.yaml: the id twice"):
        codes._sets_by_id(codes._parsed(tmp_path))


@pytest.mark.parametrize("name", sorted(code_sets()))
def test_every_row_names_a_known_system_and_says_where_it_was_checked(name: str) -> None:
    one = code_sets()[name]
    assert one.title
    assert all(row["system"] in systems().values() and str(row["code"]).strip() for row in one.rows)
    assert all("checked" in row for row in one.rows)
    assert all(row["checked"] is False or str(row["checked"]).strip() for row in one.rows)


@pytest.mark.parametrize("name", sorted(code_sets()))
def test_every_code_is_recognised_as_its_concept(name: str) -> None:
    assert all(name in concepts(row["system"], str(row["code"])) for row in code_sets()[name].rows)


@pytest.mark.parametrize("name", sorted(code_sets()))
def test_every_word_stands_for_its_concept(name: str) -> None:
    one = code_sets()[name]
    assert all(name in EVERYTHING.in_words(word) for word in one.words)


def test_no_words_but_its_own_are_in_cpt() -> None:
    rows = [row for one in code_sets().values() for row in one.rows if row["system"] == "cpt"]
    assert rows
    assert not any("display" in row for row in rows)


@pytest.mark.parametrize(
    ("alias", "code", "concept", "known"),
    [
        ("icd-10-gm", "T86.02", "acute-gvhd", True),
        ("icd-10-cm", "T86.02", "acute-gvhd", False),
        ("icd-10-cm", "D89.811", "chronic-gvhd", True),
        ("icd-10", "D89.811", "chronic-gvhd", False),
        ("snomed", "402356004", "chronic-gvhd", True),
        ("loinc", "402356004", "chronic-gvhd", False),
    ],
)
def test_a_code_means_nothing_in_another_system(alias: str, code: str, concept: str, known: bool) -> None:
    assert (concept in concepts(alias, code)) is known


@pytest.mark.parametrize("system", [None, "", "urn:local", "icd-10-gm"])
def test_a_code_of_an_unknown_system_means_nothing(system: str | None) -> None:
    assert not EVERYTHING.recognise([(system, "T86.02")], ()).concepts
    assert alias_of(system) is None


@pytest.mark.parametrize("alias", sorted(set(systems().values())))
def test_every_spelling_of_a_system_is_the_same_system(alias: str) -> None:
    spellings = [address for address, name in systems().items() if name == alias]
    assert {alias_of(f" {address} ") for address in spellings} == {alias}
    assert system_address(alias) in spellings


@pytest.mark.parametrize(
    ("code", "known"),
    [("H02AB07", False), ("D07", True), ("D07A", True), ("D07AC01", True), ("D0", False), ("D06", False)],
)
def test_a_code_may_stand_for_all_below_it(code: str, known: bool) -> None:
    assert ("corticosteroid-skin" in concepts("atc", code)) is known


@pytest.mark.parametrize("code", ["D89.811", "D89811", "d89.811", " D89.811 "])
def test_icd_10_is_recognised_without_its_dot_and_in_lower_case(code: str) -> None:
    assert "chronic-gvhd" in concepts("icd-10-cm", code)


@pytest.mark.parametrize(
    ("code", "mark"),
    [("T86.07", None), ("T86.07G", "G"), ("T86.07 A", "A"), ("T86.07+V", "V"), ("T86.07V!", "V"), ("T86.07* Z", "Z"),
     ("T86.07X", None), ("T86.0-", None)],
)  # fmt: skip
def test_a_german_code_keeps_its_meaning_under_its_mark(code: str, mark: str | None) -> None:
    assert certainty_mark(system_address("icd-10-gm"), code) == mark
    assert certainty_mark(system_address("icd-10-cm"), code) is None
    assert ("chronic-gvhd" in concepts("icd-10-gm", code)) is (code.startswith("T86.07") and code != "T86.07X")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Chronic GVHD of the skin", True),
        ("CHRONIC  graft-versus-host\ndisease", True),
        ("chronic graft–versus–host disease", True),
        ("慢性移植物抗宿主病（中度）", True),
        ("ｃＧＶＨＤ", True),
        ("no evidence of chronic GVHD", False),
        ("除外慢性移植物抗宿主病", False),
        ("acgvhdx", False),
        ("chronic kidney disease", False),
    ],
)
def test_words_are_whole_and_can_be_cancelled(text: str, found: bool) -> None:
    assert ("chronic-gvhd" in EVERYTHING.in_words(text)) is found


def test_prednisone_is_not_prednisolone_nor_a_cream() -> None:
    assert EVERYTHING.in_words("Prednisolone 5 mg tablet") == ["prednisolone"]
    assert EVERYTHING.in_words("甲泼尼松龙片 4mg") == ["methylprednisolone"]
    assert EVERYTHING.in_words("氢化可的松栓") == ["corticosteroid-rectal"]
    assert EVERYTHING.in_words("甲泼尼松 和 甲泼尼松龙") == ["meprednisone", "methylprednisolone"]
    assert ConceptIndex(["tocilizumab"]).in_words("阿托珠单抗") == []
    assert "hydrocortisone" not in EVERYTHING.in_words("Hydrocortisone 10 MG/ML Topical Cream")


def test_a_code_says_more_than_the_words_beside_it() -> None:
    found = EVERYTHING.recognise([(system_address("rxnorm"), "8640")], ["tacrolimus"])
    assert found.concepts == {"prednisone": Certainty.CODED}
    assert EVERYTHING.recognise([("urn:x", "8640")], ["tacrolimus"]).concepts == {"tacrolimus": Certainty.TEXT}


def test_an_unchecked_code_is_unverified() -> None:
    unchecked = [(one.id, row) for one in code_sets().values() for row in one.rows if row["checked"] is False]
    for name, row in unchecked:
        found = EVERYTHING.recognise([(system_address(row["system"]), str(row["code"]))], ()).concepts
        assert found[name] in (Certainty.UNVERIFIED, Certainty.CODED)


def test_a_product_tells_its_form_and_strength() -> None:
    product = EVERYTHING.recognise([(system_address("rxnorm"), "312617")], ()).product
    assert product is not None
    assert (product.drug, product.form, product.mg, product.mg_per_ml) == ("prednisone", "tablet", Fraction(5), None)
    assert EVERYTHING.recognise([(system_address("rxnorm"), "8640")], ()).product is None


def test_an_index_knows_only_what_it_was_made_for() -> None:
    few = ConceptIndex(["chronic-gvhd", "prednisone"])
    assert few.drugs == {"prednisone"}
    assert not few.in_words("acute gvhd")
    with pytest.raises(KeyError):
        ConceptIndex(["no-such-thing"])


def test_properties_are_those_of_the_codes() -> None:
    assert EVERYTHING.properties([(system_address("loinc"), "2160-0")]) == {"mass"}
    assert EVERYTHING.properties([(system_address("loinc"), "777-3"), (None, None)]) == frozenset()


def test_a_class_is_all_its_drugs_and_anything_else_is_itself() -> None:
    assert "prednisone" in members(["corticosteroids"])
    assert members(["chronic-gvhd"]) == ("chronic-gvhd",)
    assert set(classes()["corticosteroids"]) == set(members(["corticosteroids"]))


def test_text_is_compared_plainly() -> None:
    assert plain("  Ｇraft‑versus—Host\tDisease ") == "graft-versus-host disease"


@pytest.mark.parametrize("name", sorted(set(code_sets()) - EVERYTHING.drugs))
def test_the_display_of_a_code_does_not_contradict_it(name: str) -> None:
    for row in code_sets()[name].rows:
        seen = EVERYTHING.recognise([(system_address(row["system"]), str(row["code"]))], [row.get("display") or ""])
        assert not seen.contradicted, row


@pytest.mark.parametrize(
    ("text", "named"),
    [("No heart failure", False), ("CHF: excluded", False), ("without congestive heart failure", False),
     ("heart failure was ruled out", False), ("无心力衰竭证据", False), ("心衰已排除", False),
     ("Heart failure, no oedema", True), ("No heart failure exacerbation", True), ("未发现心力衰竭加重", True),
     ("No angina, heart failure NYHA II", True), ("Heart failure not excluded", True)],
)  # fmt: skip
def test_what_is_denied_right_beside_its_name_is_not_there(text: str, named: bool) -> None:
    assert ("heart-failure-arrhythmia" in EVERYTHING.in_words(text)) is named


@pytest.mark.parametrize(
    ("codings", "text", "against"),
    [([("icd-10-cm", "I50.9")], "No evidence of heart failure", True),
     ([("icd-10-cm", "I50.9")], "Heart failure", False),
     ([("icd-10-cm", "I50.9")], "Cardiac decompensation", False),
     ([("icd-10-cm", "M31.11")], "TMA ruled out", True),
     ([("icd-10-cm", "O09.00")], "Supervision of pregnancy with history of infertility", False),
     ([("snomed", "234336002")], "Autologous stem cell transplantation", False),
     ([("cpt", "38240"), ("cpt", "38241")], "", True)],
)  # fmt: skip
def test_words_beside_a_code_may_speak_against_it(codings: list[tuple[str, str]], text: str, against: bool) -> None:
    pairs = [(system_address(alias), code) for alias, code in codings]
    assert EVERYTHING.recognise(pairs, [text] if text else []).contradicted is against


def test_some_words_count_beside_a_code_of_something_else_as_words() -> None:
    pairs = [(system_address("icd-10-cm"), "D89.811")]
    found = EVERYTHING.recognise(pairs, ["Overlap cGVHD"]).concepts
    assert found["chronic-gvhd"] is Certainty.CODED
    assert found["acute-on-chronic-gvhd"] is Certainty.TEXT
    assert "acute-on-chronic-gvhd" not in EVERYTHING.recognise(pairs, ["Chronic graft-versus-host disease"])
    assert "heart-failure-arrhythmia" not in EVERYTHING.recognise(pairs, ["cGVHD and heart failure"])
