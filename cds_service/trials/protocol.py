"""A trial's protocol: its YAML as typed, strictly checked criteria in protocol order."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from cds_service.clinical.tables import every_table, table_texts
from cds_service.strict_yaml import MalformedFile, parsed, read_yaml
from cds_service.terminology.codes import ConceptIndex, code_set_texts, code_sets
from cds_service.trials.finding import Test
from cds_service.trials.readings import Id, Readings
from cds_service.trials.rules import RULES
from cds_service.trials.rules.base import Rule
from cds_service.trials.rules.parameters import Parameters, Words
from cds_service.trials.translation import Translation, translation

Kind = Literal["inclusion", "exclusion"]
Subject = Literal["patient", "donor"]
# The folder of the trial that is screened for.
SERVED = "nct06920199"
# The system of an NCT number where it stands as an identifier or a code.
REGISTRY = "http://clinicaltrials.gov"
_FOLDER = Path(__file__).parent
_LANGUAGE = re.compile(r"[a-z]{2}(-[A-Z]{2})?")
_FILES: Mapping[str, tuple[Kind, Subject]] = {
    "inclusion.yaml": ("inclusion", "patient"),
    "donor.yaml": ("inclusion", "donor"),
    "exclusion.yaml": ("exclusion", "patient"),
}


class TestRow(Parameters):
    """The test that a criterion asks for, as its YAML states it."""

    loinc: Words
    name: Words


class Row(BaseModel):
    """What every criterion states; all other keys are its rule's."""

    model_config = ConfigDict(extra="allow", frozen=True)

    id: Id
    name: Words
    text: Words
    rule: Words
    kind: Kind | None = None
    reading: Words | None = None
    alternative: Words | None = None
    test: TestRow | None = None

    @model_validator(mode="after")
    def _has_a_reading_beside_the_alternative(self) -> Self:
        if self.alternative and not self.reading:
            raise ValueError("expected a reading beside the alternative")
        return self


class Trial(Parameters):
    """What a trial is called and where it stands.

    `about` is the disease in at most 40 characters: a card's summary names it and must stay short.
    """

    id: Id
    title: Words
    short_title: Words
    about: Annotated[str, Field(pattern=r"^\S.{0,38}\S$")]
    version: date
    url: Annotated[str, Field(pattern=r"^https?://\S+$")]
    ends: date
    topic: Annotated[str, Field(pattern=r"^[A-Za-z0-9]+$")]
    sponsor: Words


@dataclass(frozen=True, slots=True)
class Criterion:
    """One criterion: the protocol's words and the rule that reads them.

    `reading` says in one sentence how an ambiguous text is read, `alternative` how else it could be.
    """

    id: str
    name: str
    kind: Kind
    subject: Subject
    text: str
    rule: Rule
    reading: str | None = None
    alternative: str | None = None
    test: Test | None = None

    @property
    def question(self) -> str | None:
        """What a person is asked, for a criterion that people answer."""
        return getattr(self.rule, "question", None)


@dataclass(frozen=True)
class Protocol:
    """A trial, its criteria in protocol order and how it is read."""

    trial: Trial
    readings: Readings
    criteria: tuple[Criterion, ...]
    texts: tuple[tuple[str, bytes], ...]
    translations: Mapping[str, Translation] = field(default_factory=dict)

    @cached_property
    def index(self) -> ConceptIndex:
        """The codes and words that the protocol is interested in."""
        read = {concept for criterion in self.criteria for concept in criterion.rule.concepts}
        readings = self.readings
        history = readings.history.signs.concepts if readings.history else frozenset[str]()
        return ConceptIndex(
            read | {*readings.steroids, *readings.ignored, *readings.applicable.concepts} | history | ALWAYS_READ
        )

    @cached_property
    def ruleset(self) -> str:
        """A hash of the protocol, its readings, the tables, the code sets and the package version."""
        digest = hashlib.sha256(package_version().encode())
        for name, content in (*self.texts, *table_texts(), *code_set_texts()):
            digest.update(name.encode() + b"\0" + content + b"\0")
        return f"sha256:{digest.hexdigest()}"


# What the reading of a record needs, whatever the trial: how a drug is given, how severe a disease is.
ALWAYS_READ = frozenset(
    ("route-systemic", "route-local", "route-intramuscular", "severity-mild", "severity-moderate", "severity-severe")
)


def package_version() -> str:
    """The version of this package; of the source tree where it is not installed."""
    try:
        return version("trialhook")
    except PackageNotFoundError:
        return VERSION


VERSION = "0.1.0"


def load_protocol(name: str) -> Protocol:
    """The protocol in the folder `name` beside this file.

    Raises MalformedFile for unknown, missing or repeated keys, repeated ids, bounds without their unit,
    code sets and sources that do not exist.
    """
    return protocol_in(_FOLDER / name)


def protocol_in(folder: Path) -> Protocol:
    """The protocol in any folder with trial, readings, inclusion, donor and exclusion.yaml; see load_protocol.

    A trial that asks nothing of a donor has an empty list there; each language has a file of its own, such as
    zh-CN.yaml. What all protocols rest on is checked as well.
    """
    every_table()
    _refuse_other_files(folder)
    texts = tuple((name, _content(folder / name)) for name in ("trial.yaml", "readings.yaml", *_FILES))
    documents = {name: read_yaml(name, content) for name, content in texts}
    criteria = [
        _criterion(file, row, kind, subject)
        for file, (kind, subject) in _FILES.items()
        for row in _listed(file, documents[file])
    ]
    _refuse_duplicates([criterion.id for criterion in criteria], "criterion {}")
    trial = parsed(Trial, "trial.yaml", documents["trial.yaml"])
    readings = parsed(Readings, "readings.yaml", documents["readings.yaml"])
    _refuse_strangers(readings, criteria)
    return Protocol(trial, readings, tuple(criteria), texts, _translations(folder, criteria))


def _translations(folder: Path, criteria: Sequence[Criterion]) -> Mapping[str, Translation]:
    """What files such as zh-CN.yaml say, by language. They decide nothing, so that the ruleset is without them."""
    return {
        path.stem: translation(path.name, read_yaml(path.name, path.read_bytes()), criteria)
        for path in sorted(folder.glob("*.yaml"))
        if _LANGUAGE.fullmatch(path.stem)
    }


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise MalformedFile(f"{path.name}: expected this file in {path.parent.name}") from None


def _listed(file: str, document: Any) -> list[Any]:
    if not isinstance(document, list):
        raise MalformedFile(f"{file}: expected a list of criteria")
    return document


def _criterion(file: str, row: Any, kind: Kind, subject: Subject) -> Criterion:
    named = row.get("id") if isinstance(row, dict) else None
    place = f"{file}, criterion {named or '?'}"
    one = parsed(Row, place, row)
    rule_kind = RULES.get(one.rule)
    if rule_kind is None:
        raise MalformedFile(f"{place}, rule: expected one of {', '.join(RULES)}, found {one.rule!r}")
    return Criterion(
        one.id, one.name, one.kind or kind, subject, one.text, parsed(rule_kind, place, one.model_extra),
        one.reading, one.alternative, _test(place, one.test),
    )  # fmt: skip


def _test(place: str, row: TestRow | None) -> Test | None:
    """The test that a criterion asks for; its code must be one of the codes that are read."""
    if row is None:
        return None
    displays = {str(one["code"]): one["display"] for s in code_sets().values() for one in s.rows
                if one["system"] == "loinc"}  # fmt: skip
    if row.loinc not in displays:
        raise MalformedFile(f"{place}, test.loinc: expected a LOINC code that some code set holds")
    return Test(row.loinc, displays[row.loinc], row.name)


def _refuse_other_files(folder: Path) -> None:
    """A file under a name that nobody reads is a slip of the pen, and its criteria would be missed."""
    known = {"trial.yaml", "readings.yaml", *_FILES}
    strange = sorted(
        path.name for path in folder.glob("*.y*ml") if path.name not in known and not _LANGUAGE.fullmatch(path.stem)
    )
    if strange:
        raise MalformedFile(f"{strange[0]}: no file is called so; expected {', '.join(sorted(known))}")


def _refuse_duplicates(ids: Sequence[str], place: str) -> None:
    twice = sorted({one for one in ids if ids.count(one) > 1})
    if twice:
        raise MalformedFile(f"{place.format(twice[0])}: expected each id once, and {twice[0]} stands twice")


def _refuse_strangers(readings: Readings, criteria: Iterable[Criterion]) -> None:
    for key in ("usual_case", "key_facts", "key_questions"):
        _refuse_duplicates(getattr(readings, key), f"readings.yaml, {key}")
    for group in readings.either:
        _refuse_duplicates(group, "readings.yaml, either")
    strangers = sorted(set(readings.named) - {criterion.id for criterion in criteria})
    if strangers:
        raise MalformedFile(f"readings.yaml: expected ids of criteria, found {', '.join(strangers)}")
