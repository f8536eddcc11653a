"""A protocol or a screening with our own words in a language. The registry's words stay as they were registered."""

from __future__ import annotations

from dataclasses import replace

from cds_service.trials.finding import Finding, Test
from cds_service.trials.protocol import Criterion, Protocol, Trial
from cds_service.trials.screening import Screening
from cds_service.trials.translation import Said, Translation


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
