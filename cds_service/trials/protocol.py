"""A trial's protocol: its YAML as typed, strictly checked criteria in protocol order."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml
from pydantic import ValidationError

from cds_service.clinical.tables import table_texts
from cds_service.terminology.codes import ConceptIndex, code_set_texts, code_sets
from cds_service.trials.finding import Test
from cds_service.trials.rules import RULES
from cds_service.trials.rules.base import Concepts, Parameters, Rule

Kind = Literal["inclusion", "exclusion"]
Subject = Literal["patient", "donor"]
P = TypeVar("P", bound=Parameters)
_FOLDER = Path(__file__).parent
_FILES: tuple[tuple[str, Kind, Subject], ...] = (
    ("inclusion.yaml", "inclusion", "patient"),
    ("donor.yaml", "inclusion", "donor"),
    ("exclusion.yaml", "exclusion", "patient"),
)
_OWN_KEYS = ("id", "name", "text", "rule", "kind", "reading", "alternative", "test")


class MalformedProtocol(Exception):
    """A protocol file is not as it must be. The message names the file, the place and what was expected."""


class Trial(Parameters):
    """What a trial is called and where it stands."""

    id: str
    title: str
    short_title: str
    version: date
    url: str
    ends: date
    topic: str
    sponsor: str


class Applicability(Parameters):
    """What in a record makes a patient one to be screened at all: evidence of any of these."""

    concepts: Concepts


class Readings(Parameters):
    """How the trial is read where it does not say itself.

    `steroids` are the drugs that count as prednisone; `ignored` are recognised for one purpose only, that their words
    do not pass for something else; `either` are pairs of criteria of which one is enough;
    `diagnosis` and `usual_case` decide whether a needs-review patient is shown.
    """

    steroids: Concepts
    ignored: Concepts
    applicable: Applicability
    either: tuple[tuple[str, str], ...]
    diagnosis: str
    usual_case: tuple[str, ...]


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

    @cached_property
    def index(self) -> ConceptIndex:
        """The codes and words that the protocol is interested in."""
        read = {concept for criterion in self.criteria for concept in criterion.rule.concepts}
        readings = self.readings
        return ConceptIndex(
            read | {*readings.steroids, *readings.ignored, *readings.applicable.concepts} | _ALWAYS_READ
        )

    @cached_property
    def ruleset(self) -> str:
        """A hash of the protocol, its readings, the tables, the code sets and the package version."""
        digest = hashlib.sha256(package_version().encode())
        for name, content in (*self.texts, *table_texts(), *code_set_texts()):
            digest.update(name.encode() + b"\0" + content + b"\0")
        return f"sha256:{digest.hexdigest()}"


# What the reading of a record itself needs, whatever the trial: how a drug is given, and how severe a disease is.
_ALWAYS_READ = frozenset(
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

    Raises MalformedProtocol for unknown or missing keys, duplicate ids, bounds without a unit, unknown code sets.
    """
    return protocol_in(_FOLDER / name)


def protocol_in(folder: Path) -> Protocol:
    """The protocol in any folder with trial.yaml, readings.yaml, inclusion.yaml, donor.yaml and exclusion.yaml."""
    names = ("trial.yaml", "readings.yaml", *(name for name, _, _ in _FILES))
    texts = tuple((name, (folder / name).read_bytes()) for name in names if (folder / name).exists())
    documents = {name: _document(name, content) for name, content in texts}
    criteria = [
        _criterion(file, row, kind, subject)
        for file, kind, subject in _FILES
        for row in documents.get(file, ())
    ]
    _refuse_duplicates(criteria)
    trial = _parsed(Trial, "trial.yaml", documents.get("trial.yaml"))
    readings = _parsed(Readings, "readings.yaml", documents.get("readings.yaml"))
    return Protocol(trial, readings, tuple(criteria), texts)


class _StrictLoader(yaml.SafeLoader):
    """YAML in which a key stands once: the usual loader would silently keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]  # type: ignore[no-untyped-call]
        repeated = {key for key in keys if keys.count(key) > 1}
        if repeated:
            place = node.start_mark.line + 1
            raise MalformedProtocol(f"line {place}: the key {sorted(map(str, repeated))[0]!r} stands twice")
        return super().construct_mapping(node, deep)


def _document(name: str, content: bytes) -> Any:
    try:
        return yaml.load(content, Loader=_StrictLoader)
    except MalformedProtocol as error:
        raise MalformedProtocol(f"{name}, {error}") from None
    except yaml.YAMLError as error:
        raise MalformedProtocol(f"{name}: not YAML: {error}") from None


def _criterion(file: str, row: Mapping[str, Any], kind: Kind, subject: Subject) -> Criterion:
    place = f"{file}, criterion {row.get('id', '?')}"
    rule_kind = RULES.get(row.get("rule", ""))
    if rule_kind is None or not all(row.get(key) for key in ("id", "name", "text")):
        raise MalformedProtocol(f"{place}: expected id, name, text and a rule out of {', '.join(RULES)}")
    parameters = {key: value for key, value in row.items() if key not in _OWN_KEYS}
    return Criterion(
        row["id"], row["name"], row.get("kind", kind), subject, row["text"], _parsed(rule_kind, place, parameters),
        row.get("reading"), row.get("alternative"), _test(place, row.get("test")),
    )  # fmt: skip


def _test(place: str, row: Mapping[str, str] | None) -> Test | None:
    """The test that a criterion asks for; its code must be one of the codes that are read."""
    if row is None:
        return None
    displays = {str(one["code"]): one["display"] for s in code_sets().values() for one in s.rows
                if one["system"] == "loinc"}  # fmt: skip
    code = str(row.get("loinc"))
    if code not in displays or not row.get("name"):
        raise MalformedProtocol(f"{place}, test: expected a name and a LOINC code that some code set holds")
    return Test(code, displays[code], row["name"])


def _parsed(kind: type[P], place: str, row: Any) -> P:
    try:
        return kind.model_validate(row)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise MalformedProtocol(f"{place}, {where or 'whole'}: {first['msg']}") from None


def _refuse_duplicates(criteria: Iterable[Criterion]) -> None:
    seen: set[str] = set()
    for criterion in criteria:
        if criterion.id in seen:
            raise MalformedProtocol(f"the criterion {criterion.id} stands twice")
        seen.add(criterion.id)
