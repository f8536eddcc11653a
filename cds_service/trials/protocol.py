"""A trial's protocol: its YAML as typed, strictly checked criteria in protocol order."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from cds_service.clinical.tables import table_texts
from cds_service.clinical.tapers import DoseChange, Tapering
from cds_service.terminology.codes import ConceptIndex, code_set_texts, code_sets
from cds_service.trials.documents import MalformedProtocol, parsed, read
from cds_service.trials.finding import Test
from cds_service.trials.history import FlareSigns, HistoryReading
from cds_service.trials.rules import RULES
from cds_service.trials.rules.base import Bound, Concepts, Length, Parameters, Rule, in_unit

Kind = Literal["inclusion", "exclusion"]
Subject = Literal["patient", "donor"]
_FOLDER = Path(__file__).parent
_FILES: Mapping[str, tuple[Kind, Subject]] = {
    "inclusion.yaml": ("inclusion", "patient"),
    "donor.yaml": ("inclusion", "donor"),
    "exclusion.yaml": ("exclusion", "patient"),
}


class Row(BaseModel):
    """What every criterion states; all other keys are its rule's."""

    model_config = ConfigDict(extra="allow", frozen=True)

    id: str = Field(min_length=1)
    name: str = Field(min_length=1)
    text: str = Field(min_length=1)
    rule: str
    kind: Kind | None = None
    reading: str | None = None
    alternative: str | None = None
    test: dict[str, Any] | None = None


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


class Change(Parameters):
    """How much more or less a dose must be to have changed: an amount in mg/d and a share of what it was."""

    amount: Bound
    share: Bound

    @model_validator(mode="after")
    def _check_units(self) -> Self:
        in_unit(self.amount, "mg/d")
        in_unit(self.share, "%")
        return self


class Pulse(Parameters):
    """A short multiple of the dose around it."""

    times: int = Field(ge=2)
    within: Length


class Tapers(Parameters):
    """What an attempt to taper is, what makes it fail, and what documents that GVHD was the reason."""

    fall: Change
    rise: Change
    held: Length
    plateau: Length
    pulse: Pulse
    documented_within: Length
    diagnosis: Concepts
    flare: Concepts
    worsening: Concepts
    other_reasons: Concepts
    therapies: Concepts
    courses: Concepts

    @property
    def reading(self) -> HistoryReading:
        """The same as the core reads it."""
        tapering = Tapering(
            DoseChange(self.fall.amount, self.fall.share), DoseChange(self.rise.amount, self.rise.share),
            self.held.days, self.plateau.days, self.pulse.times, self.pulse.within.days,
        )  # fmt: skip
        return HistoryReading(tapering, FlareSigns(
            self.documented_within.days, self.diagnosis, self.flare, self.worsening, self.other_reasons,
            self.therapies, self.courses,
        ))  # fmt: skip


class Readings(Parameters):
    """How the trial is read where it does not say itself.

    `steroids` are the drugs that count as prednisone; `ignored` are recognised for one purpose only, that their
    words do not pass for something else; `either` are pairs of criteria of which one is enough;
    `diagnosis` and `usual_case` decide whether a needs-review patient is shown; `key_facts` are what a clinician
    looks for first, in that order.
    """

    steroids: Concepts
    ignored: Concepts
    applicable: Applicability
    either: tuple[tuple[str, str], ...]
    diagnosis: str
    usual_case: tuple[str, ...]
    key_facts: tuple[str, ...]
    tapers: Tapers | None = None

    @property
    def history(self) -> HistoryReading | None:
        """How the steroid history is read; None where the trial does not ask for it."""
        return self.tapers.reading if self.tapers else None


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
        history = readings.history.signs.concepts if readings.history else frozenset[str]()
        return ConceptIndex(
            read | {*readings.steroids, *readings.ignored, *readings.applicable.concepts} | history | _ALWAYS_READ
        )

    @cached_property
    def ruleset(self) -> str:
        """A hash of the protocol, its readings, the tables, the code sets and the package version."""
        digest = hashlib.sha256(package_version().encode())
        for name, content in (*self.texts, *table_texts(), *code_set_texts()):
            digest.update(name.encode() + b"\0" + content + b"\0")
        return f"sha256:{digest.hexdigest()}"


# What the reading of a record needs, whatever the trial: how a drug is given, how severe a disease is.
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

    Raises MalformedProtocol for unknown, missing or repeated keys, repeated ids, bounds without their unit,
    code sets and sources that do not exist.
    """
    return protocol_in(_FOLDER / name)


def protocol_in(folder: Path) -> Protocol:
    """The protocol in any folder with trial, readings, inclusion, donor and exclusion.yaml; see load_protocol."""
    texts = tuple((name, _content(folder / name)) for name in ("trial.yaml", "readings.yaml", *_FILES))
    documents = {name: read(name, content) for name, content in texts}
    criteria = [
        _criterion(file, row, kind, subject)
        for file, (kind, subject) in _FILES.items()
        for row in _listed(file, documents[file])
    ]
    _refuse_duplicates(criteria)
    trial = parsed(Trial, "trial.yaml", documents["trial.yaml"])
    readings = parsed(Readings, "readings.yaml", documents["readings.yaml"])
    _refuse_strangers(readings, criteria)
    return Protocol(trial, readings, tuple(criteria), texts)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise MalformedProtocol(f"{path.name}: expected this file in {path.parent.name}") from None


def _listed(file: str, document: Any) -> list[Any]:
    if not isinstance(document, list):
        raise MalformedProtocol(f"{file}: expected a list of criteria")
    return document


def _criterion(file: str, row: Any, kind: Kind, subject: Subject) -> Criterion:
    named = row.get("id") if isinstance(row, dict) else None
    place = f"{file}, criterion {named or '?'}"
    one = parsed(Row, place, row)
    rule_kind = RULES.get(one.rule)
    if rule_kind is None:
        raise MalformedProtocol(f"{place}, rule: expected one of {', '.join(RULES)}, found {one.rule!r}")
    return Criterion(
        one.id, one.name, one.kind or kind, subject, one.text, parsed(rule_kind, place, one.model_extra),
        one.reading, one.alternative, _test(place, one.test),
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


def _refuse_duplicates(criteria: Iterable[Criterion]) -> None:
    seen: set[str] = set()
    for criterion in criteria:
        if criterion.id in seen:
            raise MalformedProtocol(f"criterion {criterion.id}: expected each id once, and it stands twice")
        seen.add(criterion.id)


def _refuse_strangers(readings: Readings, criteria: Iterable[Criterion]) -> None:
    known = {criterion.id for criterion in criteria}
    named = {
        *readings.usual_case,
        *readings.key_facts,
        readings.diagnosis,
        *(one for pair in readings.either for one in pair),
    }
    if named - known:
        strangers = ", ".join(sorted(named - known))
        raise MalformedProtocol(f"readings.yaml: expected ids of criteria, found {strangers}")
