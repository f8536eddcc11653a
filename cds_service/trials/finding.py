"""What a criterion's reading comes to: a status, its flags, its cure, its reason and its evidence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Literal

from cds_service.clinical.evidence import Evidence, Reason


class Status(StrEnum):
    """The state of a criterion from the patient's side: `PASS` never stands in the way."""

    PASS = "pass"
    FAIL = "fail"
    REVIEW = "review"
    UNKNOWN = "unknown"
    HUMAN = "human"


class Flag(StrEnum):
    """What a reader must know besides the status."""

    BOUNDARY = "boundary"
    STALE = "stale"
    EQUIVALENT = "equivalent"
    SUPPORTED = "supported"
    ASSUMED = "assumed"
    CONFLICT = "conflict"
    TEXT_ONLY = "text-only"
    LEFT_CENSORED = "left-censored"


Cure = Literal["date", "event"]


@dataclass(frozen=True, slots=True)
class Judgement:
    """The answer of a rule kind.

    `recheck_on` is the first day on which a failure cured by time alone is one no longer.
    """

    status: Status
    reason: Reason
    evidence: tuple[Evidence, ...] = ()
    flags: frozenset[Flag] = frozenset()
    curable: Cure | None = None
    recheck_on: date | None = None


@dataclass(frozen=True, slots=True)
class Test:
    """The test that would answer a criterion: its LOINC code, that code's own name, and what it is called here."""

    loinc: str
    display: str
    name: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A criterion together with the answer to it.

    `reading` says how an ambiguous text is read, `alternative` how else it could be.
    """

    id: str
    name: str
    kind: Literal["inclusion", "exclusion"]
    subject: Literal["patient", "donor"]
    text: str
    judgement: Judgement
    question: str | None = None
    test: Test | None = None
    reading: str | None = None
    alternative: str | None = None

    @property
    def is_ambiguous(self) -> bool:
        """True when the answer depends on how the protocol's words are read."""
        answered = self.status in (Status.PASS, Status.FAIL, Status.REVIEW)
        return answered and bool(self.reading and self.alternative)

    @property
    def asks(self) -> str | None:
        """What a person is asked; nothing once the record has answered."""
        return None if self.status in (Status.PASS, Status.FAIL) else self.question

    @property
    def status(self) -> Status:
        return self.judgement.status

    @property
    def flags(self) -> frozenset[Flag]:
        return self.judgement.flags

    @property
    def is_hard_fail(self) -> bool:
        """True for a failure that is neither at a limit nor rests on old results."""
        return self.status is Status.FAIL and not self.flags & {Flag.BOUNDARY, Flag.STALE}
