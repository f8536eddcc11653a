"""Every table, code set and catalogue is read strictly: a slip of the pen stops the start."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from cds_service.clinical import tables
from cds_service.clinical.tables import checked, every_table, table_texts
from cds_service.clinical.tables.shape import SHAPES
from cds_service.strict_yaml import MalformedFile, read_yaml
from cds_service.terminology import codes
from cds_service.terminology.codes import code_set_texts
from cds_service.terminology.shape import check_systems

CATALOGUES = Path(tables.__file__).parents[2] / "report" / "catalogues"
OWN = [*table_texts(), *code_set_texts(), *((path.name, path.read_bytes()) for path in CATALOGUES.glob("*.yaml"))]
SET = "id: some\ntitle: Some\ncodes:\n  - {system: loinc, code: '1-1', checked: here}\n"


@pytest.mark.parametrize(("name", "content"), OWN, ids=[name for name, _ in OWN])
def test_no_key_stands_twice_in_a_file_of_ours(name: str, content: bytes) -> None:
    assert read_yaml(name, content)


def test_every_table_says_where_its_numbers_are_from() -> None:
    assert all(one["source"] for one in every_table().values())


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("a: 1\nb: 2\na: 3\n", ("line 1", "'a'", "twice")),
        ("a:\n  b: {c: 1, c: 2}\n", ("line 2", "'c'", "twice")),
        ("a: [{b: 1,\n b: 2}]\n", ("'b'", "twice")),
        ("[a]: 1\n", ("line 1",)),
        ("{a: 1}: 1\n", ("line 1", "expected")),
        ("a: 2026-02-30\n", ("expected YAML",)),
        ("a: \xff\n", ("expected YAML",)),
        ("a: &x {b: 1}\nc: {<<: *x, b: 2, b: 3}\n", ("'b'", "twice")),
    ],
)
def test_a_key_that_stands_twice_is_refused_wherever_it_stands(text: str, named: tuple[str, ...]) -> None:
    with pytest.raises(MalformedFile) as refused:
        read_yaml("file.yaml", text.encode("latin-1"))
    assert all(word in str(refused.value) for word in ("file.yaml", *named)), str(refused.value)


def test_a_key_may_replace_one_that_is_merged_in() -> None:
    assert read_yaml("f", b"a: &x {b: 1}\nc: {<<: *x, b: 2}\n")["c"] == {"b": 2}


@pytest.mark.parametrize(
    ("name", "old", "new", "named"),
    [
        ("equivalents", "prednisone: 5", "prednisone: five", ("equivalents.prednisone", "five")),
        ("equivalents", "prednisone: 5", "prednisone: 0", ("equivalents.prednisone", "positive")),
        ("equivalents", '"0.75"', "0.75", ("equivalents.dexamethasone", "quotes")),
        ("equivalents", '["0.6", "0.75"]', '["0.75", "0.6"]', ("betamethasone", "range")),
        ("equivalents", '["0.6", "0.75"]', '["0.6", "0.6"]', ("betamethasone", "range")),
        ("equivalents", '["0.6", "0.75"]', '["0.6", "0.7", "0.75"]', ("betamethasone", "range")),
        ("units", "plausible: [30, 200]", "plausible: 30", ("weight.plausible", "range")),
        ("equivalents", "reference_mg: 5", "reference: 5", ("reference",)),
        ("equivalents", "source:", "sources:", ("source",)),
        ("exposure", "gap_possible: 30 d", "gap_possible: 30", ("gap_possible", "28 d")),
        ("exposure", "gap_possible: 30 d", "gap_possible: 1 mo", ("gap_possible", "28 d")),
        ("exposure", "gap_possible: 30 d", "gap_possible: -30 d", ("gap_possible", "28 d")),
        ("exposure", "gap_possible: 30 d", "gap_carried: 30 d", ("gap_carried", "twice")),
        ("renal", "male: 50", "males: 50", ("ideal_weight",)),
        ("weights", "usable: 90 d", "usable: 90 days", ("usable", "28 d")),
        ("upper_limits", "from: 35, to: 60", "from: 35, to: 30", ("alt", "range")),
        ("upper_limits", "from: 35, to: 60", "from: 35", ("alt.to", "missing")),
        ("units", "unit: kg\n", "unit: kgg\n", ("weight", "kgg")),
        ("units", "公斤: kg", "公斤: kilo", ("weight", "kilo")),
        ("units", "plausible: [30, 200]", "plausible: [200, 30]", ("weight.plausible", "range")),
        ("units", 'umol/L: "10/884"', 'umol/L: "10/0"', ("creatinine", "10/0")),
    ],
)
def test_a_malformed_table_is_refused_with_its_place(name: str, old: str, new: str, named: tuple[str, ...]) -> None:
    text = dict(table_texts())[f"{name}.yaml"].decode()
    assert old in text
    with pytest.raises(MalformedFile) as refused:
        checked(name, text.replace(old, new, 1).encode())
    assert all(word in str(refused.value) for word in (f"{name}.yaml", *named)), str(refused.value)


@pytest.mark.parametrize("name", [name.removesuffix(".yaml") for name, _ in table_texts()])
def test_a_table_as_it_stands_is_taken(name: str) -> None:
    content = dict(table_texts())[f"{name}.yaml"]
    assert checked(name, content) == read_yaml(f"{name}.yaml", content)


def test_what_a_table_holds_is_read_as_it_is_written() -> None:
    row = {"source": "here", "fresh": "30 d", "usable": "90 d", "jump_within": "30 d", "jump_share": "0.1"}
    weights = SHAPES["weights"].model_validate(row)
    assert dict(weights) == {**row, "jump_share": Fraction(1, 10)}
    rows = {"one": 5, "other": ["0.6", "0.75"]}
    given = {"source": "here", "reference_drug": "one", "reference_mg": 5, "equivalents": rows, "replacement": {}}
    equivalents = dict(SHAPES["equivalents"].model_validate(given))
    assert equivalents["equivalents"] == {"one": Fraction(5), "other": (Fraction(3, 5), Fraction(3, 4))}


def test_a_table_that_nobody_described_still_needs_a_source() -> None:
    assert checked("other", b"source: here\nrows: {a: 1}\n")["rows"] == {"a": 1}
    with pytest.raises(MalformedFile, match=r"other\.yaml, source"):
        checked("other", b"rows: {a: 1}\n")


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("system: loinc", "system: loincs", ("some", "loincs", "systems.yaml")),
        ("code: '1-1'", "code: 11", ("codes.0.code",)),
        ("code: '1-1', ", "", ("codes.0.code", "missing")),
        ("checked: here", "checkd: here", ("codes.0",)),
        (", checked: here", "", ("codes.0.checked", "missing")),
        ("checked: here", "checked: yes", ("codes.0.checked", "where")),
        ("checked: here", "checked: ''", ("codes.0.checked", "where")),
        ("checked: here", "checked: here, colour: red", ("codes.0.colour", "not known")),
        ("system: loinc", "display: A procedure, system: cpt", ("codes.0", "CPT")),
        ("title: Some\n", "", ("title", "missing")),
        ("codes:", "code:", ("code", "not known", "codes")),
        ("codes:\n  - {system: loinc, code: '1-1', checked: here}\n", "codes: []\n", ("codes or words",)),
        ("codes:\n", "codes:\n  - {system: loinc, code: '1-1', checked: no}\n", ("loinc 1-1", "twice")),
        ("title: Some\n", "title: Some\nwords: {english: [a]}\n", ("words",)),
        ("title: Some\n", "title: Some\nwords: {en: word}\n", ("words.en",)),
        ("title: Some\n", "title: Some\nwords: {en: []}\n", ("words.en",)),
        ("title: Some\n", "title: Some\ncontradicted_by: [others]\n", ("contradicted_by", "others")),
        ("id: some\n", "id: some\nid: other\n", ("'id'", "twice")),
    ],
)
def test_a_malformed_code_set_is_refused_with_its_place(
    tmp_path: Path, old: str, new: str, named: tuple[str, ...]
) -> None:
    assert old in SET
    (tmp_path / "some.yaml").write_text(SET.replace(old, new, 1))
    with pytest.raises(MalformedFile) as refused:
        codes._sets_by_id(codes._parsed(tmp_path))
    assert all(word in str(refused.value) for word in ("some", *named)), str(refused.value)


def test_a_malformed_drug_is_refused_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "drugs.yaml").write_text(
        "id: drugs\ntitle: Drugs\ndrugs:\n  - id: a\n    title: A\n    given: daily\n    words: {en: [a]}\n"
    )
    with pytest.raises(MalformedFile, match=r"drugs\.yaml, drugs\.0\.given"):
        codes._sets_by_id(codes._parsed(tmp_path))


@pytest.mark.parametrize("document", [None, {"a": []}, {"a": "one"}, {"a": ["x"], "b": ["x"]}])
def test_a_malformed_list_of_code_systems_is_refused(document: object) -> None:
    with pytest.raises(MalformedFile, match=r"systems\.yaml: expected"):
        check_systems("systems.yaml", document)
