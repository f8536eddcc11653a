"""A trial in another language: what we say of its criteria. The registry's words stay as they were registered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from cds_service.strict_yaml import MalformedFile, parsed
from cds_service.trials.finding import Finding, Test
from cds_service.trials.rules.parameters import Parameters, Words

if TYPE_CHECKING:
    from cds_service.trials.protocol import Criterion, Protocol, Trial
    from cds_service.trials.screening import Screening


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


def translation(file: str, document: Any, criteria: Iterable[Criterion]) -> Translation:
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


def _differs(criterion: Criterion, said: Said) -> str | None:
    """The first part that only one of the two languages has."""
    return next(
        (key for key in ("question", "reading", "alternative", "test")
         if (getattr(criterion, key) is None) != (getattr(said, key) is None)),
        None,
    )  # fmt: skip


def protocol_in_language(protocol: Protocol, language: str) -> Protocol:
    """The protocol with our own words in a language; as it is where there is no translation."""
    made = protocol.translations.get(language)
    if made is None:
        return protocol
    criteria = tuple(_criterion(criterion, made.criteria[criterion.id]) for criterion in protocol.criteria)
    return replace(protocol, trial=_trial(protocol.trial, made), criteria=criteria)


def in_language(screening: Screening, language: str) -> Screening:
    """The same screening with our own words in a language; as it is where the trial has no translation."""
    made = screening.translations.get(language)
    if made is None:
        return screening
    findings = tuple(_finding(finding, made.criteria[finding.id]) for finding in screening.findings)
    return replace(screening, trial=_trial(screening.trial, made), findings=findings)


def _trial(trial: Trial, made: Translation) -> Trial:
    return trial.model_copy(update={"short_title": made.short_title, "about": made.about})


def _finding(finding: Finding, said: Said) -> Finding:
    return replace(finding, name=said.name, question=said.question, reading=said.reading,
                   alternative=said.alternative, test=_test(finding.test, said))  # fmt: skip


def _criterion(criterion: Criterion, said: Said) -> Criterion:
    rule = criterion.rule.model_copy(update={"question": said.question}) if said.question else criterion.rule
    return replace(criterion, name=said.name, rule=rule, reading=said.reading, alternative=said.alternative,
                   test=_test(criterion.test, said))  # fmt: skip


def _test(test: Test | None, said: Said) -> Test | None:
    return replace(test, name=said.test) if test and said.test else test
