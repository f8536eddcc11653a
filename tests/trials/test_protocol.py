"""The trial's protocol as data: complete, in order, and refused where it is malformed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from cds_service.fhir.queries import QUERIES
from cds_service.report.wording import LANGUAGES, wording
from cds_service.strict_yaml import MalformedFile
from cds_service.trials import protocol as loader
from cds_service.trials.case import SOURCES
from cds_service.trials.protocol import load_protocol, protocol_in

IN_ORDER = (
    "AGE", "SEX", "I01", "I02.dx", "I02.sev", "I02a", "I02b", "I03a", "I03b", "I03c", "I04", "I05", "I06a", "I06b",
    "I06b.ecg", "I06c", "I06d.bil", "I06d.alt", "I06d.ast", "I07a", "I07b", "I08",
    "D01", "D02", "D03", "D04", "D05", "D06", "D07", "D08",
    "E01", "E02", "E03", "E04", "E05a", "E05b", "E05c", "E05d", "E05e", "E05f", "E06", "E07", "E08", "E09", "E10",
    "E11", "E12", "E13", "E14", "E15", "E16", "E17", "E18",
)  # fmt: skip
FOLDER = Path(loader.__file__).parent / "nct06920199"
FILES = ("trial.yaml", "readings.yaml", "inclusion.yaml", "donor.yaml", "exclusion.yaml")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the protocol to spoil."""
    return Path(shutil.copytree(FOLDER, tmp_path / "trial"))


def edit(folder: Path, name: str, old: str, new: str) -> None:
    text = (folder / name).read_text(encoding="utf-8")
    assert old in text
    (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")


def test_all_53_criteria_stand_in_the_order_of_the_contract() -> None:
    assert tuple(c.id for c in load_protocol("nct06920199").criteria) == IN_ORDER
    assert len(IN_ORDER) == 53


def test_inclusions_exclusions_and_donor_criteria_are_told_apart() -> None:
    criteria = {c.id: c for c in load_protocol("nct06920199").criteria}
    assert all(criteria[one].kind == "inclusion" for one in IN_ORDER if one[0] in "ASI")
    assert all(criteria[one].kind == "exclusion" for one in (*IN_ORDER, "D07", "D08") if one[0] == "E")
    assert criteria["D07"].kind == criteria["D08"].kind == "exclusion"
    assert {c.id for c in criteria.values() if c.subject == "donor"} == {f"D0{n}" for n in range(1, 9)}


def test_every_source_that_a_criterion_may_name_is_a_query() -> None:
    assert set(SOURCES) == set(QUERIES)


def test_every_criterion_quotes_the_protocol() -> None:
    assert all(c.text and c.name for c in load_protocol("nct06920199").criteria)


Spoil = Callable[[Path], object]
MALFORMED: list[tuple[str, Spoil, tuple[str, ...]]] = [
    ("an unknown key", lambda f: edit(f, "exclusion.yaml", "  window: 100 d", "  windows: 100 d"),
     ("exclusion.yaml", "E10", "window")),
    ("an unknown key beside the others",
     lambda f: edit(f, "exclusion.yaml", "  window: 100 d", "  window: 100 d\n  colour: red"),
     ("exclusion.yaml", "E10", "colour", "not known", "procedures")),
    ("an order taken for nothing that we know",
     lambda f: edit(f, "exclusion.yaml", "  ordered: given\n", "  ordered: taken\n"),
     ("exclusion.yaml", "ordered", "given")),
    ("an order that lifts a result of which no kind knows it",
     lambda f: edit(f, "exclusion.yaml", "  ordered: given\n", "  ordered: lifts-next-result\n"),
     ("exclusion.yaml", "lifts-next-result")),
    ("an order for a window that is none",
     lambda f: edit(f, "inclusion.yaml", "  ordered: never-silent  ", "  ordered: open-for-window  "),
     ("inclusion.yaml", "I03a", "open-for-window")),
    ("an order guard that looks nowhere",
     lambda f: edit(f, "readings.yaml", "  later: 28 d", "  later: 0 d"), ("readings.yaml", "later")),
    ("a missing key", lambda f: edit(f, "inclusion.yaml", '  limit: "> 25 10*9/L"\n', ""),
     ("inclusion.yaml", "I07b", "limit", "missing")),
    ("a criterion without a text", lambda f: edit(f, "inclusion.yaml", "  text: ALL\n", ""),
     ("inclusion.yaml", "SEX", "text", "missing")),
    ("a key that stands twice",
     lambda f: edit(f, "exclusion.yaml", "  window: 100 d", "  window: 100 d\n  window: 99 d"),
     ("exclusion.yaml", "line", "'window'", "twice")),
    ("an id that stands twice", lambda f: edit(f, "exclusion.yaml", "- id: E11", "- id: E10"), ("E10", "twice")),
    ("a bound without a unit", lambda f: edit(f, "inclusion.yaml", '"> 25 10*9/L"', '"> 25"'),
     ("inclusion.yaml", "I07b", "limit", "unit", "> 0.25 mg/kg/d")),
    ("a bound in another unit than the value's",
     lambda f: edit(f, "inclusion.yaml", '"> 25 10*9/L"', '"> 25 /uL"'),
     ("inclusion.yaml", "I07b", "10*9/L")),
    ("a dose in another unit", lambda f: edit(f, "inclusion.yaml", '"> 0.25 mg/kg/d"', '"> 0.25 mg/d"'),
     ("inclusion.yaml", "I02b", "mg/kg/d")),
    ("a bound without an operator", lambda f: edit(f, "inclusion.yaml", '"> 50 %"', '"50 %"'),
     ("inclusion.yaml", "I06b", "limit", "operator")),
    ("a code set that does not exist", lambda f: edit(f, "exclusion.yaml", "procedures: [dli]", "procedures: [dlis]"),
     ("exclusion.yaml", "E10", "procedures", "dlis")),
    ("a span without a unit", lambda f: edit(f, "exclusion.yaml", "window: 100 d", "window: 100"),
     ("exclusion.yaml", "E10", "window", "28 d")),
    ("a span in an unknown unit", lambda f: edit(f, "exclusion.yaml", "window: 100 d", "window: 100 days"),
     ("exclusion.yaml", "E10", "window", "28 d")),
    ("a share without its sign", lambda f: edit(f, "inclusion.yaml", "boundary: 5 %", "boundary: 5"),
     ("inclusion.yaml", "I02a", "boundary", "5 %")),
    ("a source that does not exist",
     lambda f: edit(f, "exclusion.yaml", "  needs: [procedures]", "  needs: [procedure]"),
     ("exclusion.yaml", "E10", "needs", "procedure", "procedures")),
    ("a rule that does not exist", lambda f: edit(f, "inclusion.yaml", "  rule: any", "  rule: anything"),
     ("inclusion.yaml", "SEX", "rule", "washout")),
    ("a status that does not exist", lambda f: edit(f, "exclusion.yaml", "none_recorded: pass", "none_recorded: fine"),
     ("exclusion.yaml", "none_recorded", "'unknown'")),
    ("a pair of criteria that do not exist", lambda f: edit(f, "readings.yaml", "[[I02a, I02b]]", "[[I02a, I02c]]"),
     ("readings.yaml", "I02c")),
    ("a test whose code is not read", lambda f: edit(f, "inclusion.yaml", "loinc: 777-3", "loinc: 777-4"),
     ("inclusion.yaml", "I07b", "test.loinc", "LOINC")),
    ("a file that is missing", lambda f: (f / "donor.yaml").unlink(), ("donor.yaml", "expected")),
    ("a file that is no list", lambda f: edit(f, "donor.yaml", "- id: D01", "id: D01"), ("donor.yaml", "expected")),
    ("a file that is empty", lambda f: (f / "donor.yaml").write_text(""), ("donor.yaml", "list")),
    ("a file that is no YAML", lambda f: (f / "trial.yaml").write_text("id: [unclosed"), ("trial.yaml", "YAML")),
    ("a trial without its end", lambda f: edit(f, "trial.yaml", "ends:", "end:"), ("trial.yaml", "end")),
    ("a criterion that is a word", lambda f: edit(f, "donor.yaml", "- id: D01", "- hello\n- id: D01"),
     ("donor.yaml", "criterion ?")),
    # -- what a value can mean
    ("a bound in an unknown unit", lambda f: edit(f, "inclusion.yaml", '"> 0.25 mg/kg/d"', '"> 0.25 mg/kg/dd"'),
     ("inclusion.yaml", "I02b", "dose", "mg/kg/dd", "not known")),
    ("an inner bound in another unit", lambda f: edit(f, "inclusion.yaml", '"< 60 %"', '"< 60 L"'),
     ("inclusion.yaml", "I02.sev", "lung", "limit in %")),
    ("a negative bound", lambda f: edit(f, "inclusion.yaml", '"> 25 10*9/L"', '"> -25 10*9/L"'),
     ("inclusion.yaml", "I07b", "limit", "operator")),
    ("a negative window", lambda f: edit(f, "exclusion.yaml", "window: 100 d", "window: -100 d"),
     ("exclusion.yaml", "E10", "window", "28 d")),
    ("a window of nothing", lambda f: edit(f, "exclusion.yaml", "window: 100 d", "window: 0 d"),
     ("exclusion.yaml", "E10", "window", "longer")),
    ("months where days are counted", lambda f: edit(f, "exclusion.yaml", "window: 100 d", "window: 3 mo"),
     ("exclusion.yaml", "E10", "window", "days or weeks")),
    ("an age in days", lambda f: edit(f, "inclusion.yaml", "at_least: 18 a", "at_least: 6570 d"),
     ("inclusion.yaml", "AGE", "at_least", "18 a")),
    ("ages the wrong way round", lambda f: edit(f, "inclusion.yaml", "at_most: 70 a", "at_most: 7 a"),
     ("inclusion.yaml", "AGE", "at_most", "18 a")),
    ("a flag before the use", lambda f: edit(f, "inclusion.yaml", "90 d, flag: 180 d", "90 d, flag: 18 d"),
     ("inclusion.yaml", "I06b", "fresh", "90 d", "18 d")),
    ("a past before lately", lambda f: edit(f, "exclusion.yaml", "past: 90 d", "past: 9 d"),
     ("exclusion.yaml", "E06", "past", "30 d")),
    ("a need that is noticed too late", lambda f: edit(f, "exclusion.yaml", "noticed: 7 d", "noticed: 70 d"),
     ("exclusion.yaml", "E02", "continuous", "70 d")),
    ("a share that is negative", lambda f: edit(f, "inclusion.yaml", "boundary: 5 %", "boundary: -5 %"),
     ("inclusion.yaml", "boundary", "5 %")),
    ("a share of nothing", lambda f: edit(f, "inclusion.yaml", "boundary: 5 %", "boundary: 5/0 %"),
     ("inclusion.yaml", "boundary", "5 %")),
    ("a cure that is none", lambda f: edit(f, "inclusion.yaml", "curable: event", "curable: results"),
     ("inclusion.yaml", "I04", "curable", "'event'")),
    ("a cure that the rule cannot give", lambda f: edit(f, "inclusion.yaml", "curable: event", "curable: date"),
     ("inclusion.yaml", "I04", "curable", "'event'")),
    # -- names of code sets, analytes and drugs
    ("an empty list of codes", lambda f: edit(f, "exclusion.yaml", "procedures: [dli]", "procedures: []"),
     ("exclusion.yaml", "E10", "procedures", "at least one")),
    ("a word where a list is meant", lambda f: edit(f, "exclusion.yaml", "procedures: [dli]", "procedures: dli"),
     ("exclusion.yaml", "E10", "procedures", "list")),
    ("nothing where a list is meant", lambda f: edit(f, "exclusion.yaml", "procedures: [dli]", "procedures:"),
     ("exclusion.yaml", "E10", "procedures", "list")),
    ("numbers where names are meant", lambda f: edit(f, "exclusion.yaml", "procedures: [dli]", "procedures: [1]"),
     ("exclusion.yaml", "E10", "procedures", "list")),
    ("a name that stands twice", lambda f: edit(f, "exclusion.yaml", "procedures: [dli]", "procedures: [dli, dli]"),
     ("exclusion.yaml", "E10", "procedures", "dli twice")),
    ("an analyte that cannot be measured", lambda f: edit(f, "inclusion.yaml", "lab: [platelets]", "lab: [dli]"),
     ("inclusion.yaml", "I07b", "lab", "dli", "platelets")),
    ("two analytes where one is read",
     lambda f: edit(f, "inclusion.yaml", "lab: [platelets]", "lab: [platelets, neutrophils]"),
     ("inclusion.yaml", "I07b", "lab", "one name only")),
    ("procedures among the drugs", lambda f: edit(f, "exclusion.yaml", "drugs: [il2-axis]", "drugs: [dli]"),
     ("exclusion.yaml", "E09", "drugs", "dli is no drug", "il2-axis")),
    ("an unknown name inside a part",
     lambda f: edit(f, "inclusion.yaml", "procedures: [platelet-transfusion]", "procedures: [platelet]"),
     ("inclusion.yaml", "I07b", "supported_by.0.procedures", "platelet")),
    ("a key that stands twice inside a part",
     lambda f: edit(f, "inclusion.yaml", "{use: 28 d, flag: 28 d}", "{use: 28 d, flag: 28 d, use: 2 d}"),
     ("inclusion.yaml", "line", "'use'", "twice")),
    ("steroids that are no drugs", lambda f: edit(f, "readings.yaml", "steroids: [corticosteroids]", "steroids: [dli]"),
     ("readings.yaml", "steroids", "dli")),
    ("a taper held for months", lambda f: edit(f, "readings.yaml", "held: 7 d", "held: 1 mo"),
     ("readings.yaml", "tapers.held", "days")),
    # -- sources
    ("one source as a word", lambda f: edit(f, "exclusion.yaml", "  needs: [procedures]", "  needs: procedures"),
     ("exclusion.yaml", "E10", "needs", "list")),
    ("no source at all", lambda f: edit(f, "exclusion.yaml", "  needs: [procedures]\n", ""),
     ("exclusion.yaml", "E10", "expected needs")),
    ("an empty list of sources", lambda f: edit(f, "exclusion.yaml", "  needs: [procedures]", "  needs: []"),
     ("exclusion.yaml", "E10", "needs", "at least one")),
    # -- words
    ("a text that is a number", lambda f: edit(f, "inclusion.yaml", "  text: ALL\n", "  text: 5\n"),
     ("inclusion.yaml", "SEX", "text", "string")),
    ("a text that is a list", lambda f: edit(f, "inclusion.yaml", "  text: ALL\n", "  text: [ALL]\n"),
     ("inclusion.yaml", "SEX", "text", "string")),
    ("a text of blanks", lambda f: edit(f, "inclusion.yaml", "  text: ALL\n", "  text: '  '\n"),
     ("inclusion.yaml", "SEX", "text")),
    ("a question of nothing", lambda f: edit(f, "donor.yaml", "Is the donor 14 to 70 years old?", "''"),
     ("donor.yaml", "D01", "question")),
    ("a list where one word is meant", lambda f: edit(f, "inclusion.yaml", "  rule: any", "  rule: [any]"),
     ("inclusion.yaml", "SEX", "rule", "string")),
    ("a kind that is none", lambda f: edit(f, "donor.yaml", "  kind: exclusion", "  kind: exclusions"),
     ("donor.yaml", "D07", "kind", "'exclusion'")),
    ("an id that no address can hold", lambda f: edit(f, "inclusion.yaml", "- id: SEX", "- id: the sex"),
     ("inclusion.yaml", "the sex", "id")),
    ("an alternative without a reading",
     lambda f: edit(f, "inclusion.yaml", "  rule: any", "  rule: any\n  alternative: other"),
     ("inclusion.yaml", "SEX", "reading")),
    ("a test with a key that nobody reads",
     lambda f: edit(f, "inclusion.yaml", "{loinc: 777-3,", "{loinc: 777-3, colour: red,"),
     ("inclusion.yaml", "I07b", "test.colour", "not known")),
    ("a trial without an address", lambda f: edit(f, "trial.yaml", "url: https://", "url: "), ("trial.yaml", "url")),
    ("a trial whose topic has signs", lambda f: edit(f, "trial.yaml", "topic: NCT06920199", "topic: NCT-1"),
     ("trial.yaml", "topic")),
    ("a trial that is about too much", lambda f: edit(f, "trial.yaml", "about: ", "about: " + "very " * 9),
     ("trial.yaml", "about")),
    ("a version that is no day", lambda f: edit(f, "trial.yaml", "version: 2025-09-30", "version: 2025-09-31"),
     ("trial.yaml",)),
    ("a fact that is named twice", lambda f: edit(f, "readings.yaml", "key_facts: [I03a,", "key_facts: [I03a, I03a,"),
     ("readings.yaml", "key_facts", "I03a", "twice")),
    ("a group of one", lambda f: edit(f, "readings.yaml", "[[I02a, I02b]]", "[[I02a]]"), ("readings.yaml", "either")),
    ("a group of the same", lambda f: edit(f, "readings.yaml", "[[I02a, I02b]]", "[[I02a, I02a]]"),
     ("readings.yaml", "either", "I02a", "twice")),
    ("a question that is asked first and does not exist",
     lambda f: edit(f, "readings.yaml", "key_questions: [I08,", "key_questions: [I09,"), ("readings.yaml", "I09")),
    ("a file that nobody reads", lambda f: (f / "exclusions.yaml").write_text("[]"),
     ("exclusions.yaml", "exclusion.yaml")),
]  # fmt: skip


@pytest.mark.parametrize(("spoil", "named"), [m[1:] for m in MALFORMED], ids=[m[0] for m in MALFORMED])
def test_a_malformed_protocol_is_refused_with_file_place_and_what_was_expected(
    folder: Path, spoil: Spoil, named: tuple[str, ...]
) -> None:
    spoil(folder)
    with pytest.raises(MalformedFile) as refused:
        protocol_in(folder)
    assert all(word in str(refused.value) for word in named), str(refused.value)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("inclusion.yaml", "at_most: 70 a", "at_most: 18 a"),
        ("exclusion.yaml", "past: 90 d", "past: 30 d"),
        ("exclusion.yaml", "noticed: 7 d", "noticed: 28 d"),
    ],
)
def test_two_bounds_of_a_criterion_may_be_the_same(folder: Path, name: str, old: str, new: str) -> None:
    edit(folder, name, old, new)
    assert protocol_in(folder).criteria


def test_the_untouched_copy_is_the_same_protocol(folder: Path) -> None:
    assert protocol_in(folder).ruleset == load_protocol("nct06920199").ruleset


@pytest.mark.parametrize("name", FILES)
def test_one_byte_of_any_file_changes_the_ruleset(folder: Path, name: str) -> None:
    before = protocol_in(folder).ruleset
    (folder / name).write_bytes((folder / name).read_bytes() + b"\n")
    assert protocol_in(folder).ruleset != before


@pytest.mark.parametrize("what", ["table_texts", "code_set_texts"])
def test_one_byte_of_any_table_or_code_set_changes_the_ruleset(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = load_protocol("nct06920199").ruleset
    files = getattr(loader, what)()
    for number, (name, content) in enumerate(files):
        changed = [*files[:number], (name, content + b"\n"), *files[number + 1 :]]
        monkeypatch.setattr(loader, what, lambda changed=changed: changed)
        assert load_protocol("nct06920199").ruleset != before, name


def test_another_version_of_the_package_is_another_ruleset(monkeypatch: pytest.MonkeyPatch) -> None:
    before = load_protocol("nct06920199").ruleset
    monkeypatch.setattr(loader, "package_version", lambda: "99")
    assert load_protocol("nct06920199").ruleset != before


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_source_has_a_name_in_every_language(language: str) -> None:
    assert set(SOURCES) <= set(wording(language).terms("sources"))


def test_a_trial_that_asks_nothing_of_a_donor_has_an_empty_list(folder: Path) -> None:
    (folder / "donor.yaml").write_text("[]\n")
    (folder / "zh-CN.yaml").unlink()
    edit(folder, "readings.yaml", "key_questions: [I08, I05, D03]", "key_questions: [I08, I05]")
    assert not [c for c in protocol_in(folder).criteria if c.subject == "donor"]


def test_a_malformed_table_stops_the_loading_of_every_protocol(monkeypatch: pytest.MonkeyPatch) -> None:
    def malformed() -> None:
        raise MalformedFile("units.yaml: wrong")

    monkeypatch.setattr(loader, "every_table", malformed)
    with pytest.raises(MalformedFile, match=r"units\.yaml"):
        load_protocol("nct06920199")
