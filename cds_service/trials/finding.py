"""What a criterion's reading comes to: a status, its flags, its cure, its reason and its evidence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from hashlib import sha256
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
class Answer:
    """What a person says of a criterion: whether it is met from the patient's side, who says so and when.

    `met` is None where an earlier answer was taken back. `rests_on` is the footing of the finding that was answered.
    """

    criterion: str
    met: bool | None
    by: str
    at: datetime
    rests_on: str


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
    answer: Answer | None = None

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
    def standing(self) -> Status:
        """The status that counts: a person's answer before the record's."""
        if self.answer is None:
            return self.status
        return Status.PASS if self.answer.met else Status.FAIL

    @property
    def curable(self) -> Cure | None:
        """How a failure can end: what a person said, another answer can change."""
        return self.judgement.curable if self.answer is None else "event"

    @property
    def is_hard_fail(self) -> bool:
        """True for a failure that is neither at a limit nor rests on old results, and for a person's no."""
        if self.answer is not None:
            return not self.answer.met
        return self.status is Status.FAIL and self._is_certain

    @property
    def is_open(self) -> bool:
        """True where a person may answer: the record does not settle it."""
        return self.status is not Status.PASS and not (self.status is Status.FAIL and self._is_certain)

    @property
    def _is_certain(self) -> bool:
        return not self.flags & {Flag.BOUNDARY, Flag.STALE}

    @property
    def footing(self) -> str:
        """A hash of what an answer to this finding rests on: the question and the evidence, not the day.

        It changes when a resource that the finding is seen from comes, goes or says something else.
        """
        rests_on = (self.id, self.text, self.question, self.judgement.reason.code, self.judgement.evidence)
        return sha256(repr(rests_on).encode()).hexdigest()
