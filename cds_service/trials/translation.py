"""A trial in another language: what we say of its criteria. The registry's words stay as they were registered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Protocol

from pydantic import Field

from cds_service.strict_yaml import MalformedFile, parsed
from cds_service.trials.rules.parameters import Parameters, Words


class Worded(Protocol):
    """A criterion, as far as it says anything in English."""

    @property
    def id(self) -> str: ...
    @property
    def question(self) -> str | None: ...
    @property
    def reading(self) -> str | None: ...
    @property
    def alternative(self) -> str | None: ...
    @property
    def test(self) -> object: ...


class Said(Parameters):
    """What is said of one criterion, for everything that its YAML says in English."""

    name: Words
    question: Words | None = None
    reading: Words | None = None
    alternative: Words | None = None
    test: Words | None = None


class Translation(Parameters):
    """A trial's own words in another language; see Trial for `about`."""

    short_title: Words
    about: Annotated[str, Field(pattern=r"^\S.{0,38}\S$")]
    criteria: Mapping[str, Said]


def translation(file: str, document: Any, criteria: Iterable[Worded]) -> Translation:
    """The translation in a file. Raises MalformedFile unless it says exactly what the criteria say in English."""
    made = parsed(Translation, file, document)
    known = {criterion.id: criterion for criterion in criteria}
    for criterion_id in (*known, *made.criteria):
        if criterion_id not in known or criterion_id not in made.criteria:
            raise MalformedFile(f"{file}: expected the criteria of the trial, each once; {criterion_id} differs")
        lacking = _differs(known[criterion_id], made.criteria[criterion_id])
        if lacking:
            raise MalformedFile(f"{file}, criterion {criterion_id}, {lacking}: expected where the English has it, only")
    return made


def _differs(criterion: Worded, said: Said) -> str | None:
    """The first part that only one of the two languages has."""
    return next(
        (key for key in ("question", "reading", "alternative", "test")
         if (getattr(criterion, key) is None) != (getattr(said, key) is None)),
        None,
    )  # fmt: skip
