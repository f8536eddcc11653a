"""From a screening to the one card that a chart shows, or none."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cards.card import Card, Link, Source, Suggestion
from cards.markdown import bullets, escaped
from cards.orders import referral, test_order, tests_due
from cds_service.hooks.request import HookRequest
from cds_service.report.screening_json import screening_json, without_valueless
from cds_service.report.wording import Wording, wording
from cds_service.trials.finding import Answer, Finding, Status
from cds_service.trials.protocol import REGISTRY, Trial
from cds_service.trials.screening import Screening, Verdict
from cds_service.trials.spoken import in_language

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://trialhook.org/cards")
_REASONS = "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"
_SCREENING = "org.trialhook.screening"
_MOST_TO_CONFIRM = 4
_MOST_FACTS = 3


@dataclass(frozen=True, slots=True)
class Site:
    """What a hospital decides about its cards."""

    language: str = "en"
    coordinator_contact: str | None = None
    suggest_tests: bool = True
    show_not_yet: bool = False
    referral_coding: Mapping[str, str] | None = None
    evidence: bool = False


def composer(site: Site) -> Callable[[Screening, HookRequest], list[Mapping[str, Any]]]:
    """The function that makes a site's cards."""
    words = wording(site.language)

    def compose(screening: Screening, request: HookRequest) -> list[Mapping[str, Any]]:
        if not is_due(screening, site):
            return []
        return [card(screening, request.hook_instance, site, words).as_json()]

    return compose


def is_due(screening: Screening, site: Site) -> bool:
    """True when the chart shows a card: by the verdict, or because parts of a patient's record are missing."""
    if screening.verdict is Verdict.NOT_YET:
        return site.show_not_yet
    return screening.is_shown or is_incomplete(screening)


def is_incomplete(screening: Screening) -> bool:
    """True when nothing can be said for want of sources although the patient was transplanted or has GVHD."""
    unseen = bool(screening.unsearched) or screening.diagnosis_is_unseen
    return screening.verdict is Verdict.NEEDS_REVIEW and not screening.is_shown and unseen


def card(screening: Screening, hook_instance: str, site: Site, words: Wording) -> Card:
    """The card; its ids are the same for the same call, so that a repeated call repeats the card."""
    screening = in_language(screening, words.language)
    return Card(
        uuid=card_id(hook_instance, "card"),
        summary=_summary(screening, words),
        detail="\n".join(_detail(screening, site, words)).strip(),
        source=source(screening.trial, words),
        suggestions=tuple(_suggestions(screening, hook_instance, site, words)),
        override_reasons=override_reasons(words),
        links=(Link(words.phrase("card", "registry", trial=screening.trial.id), screening.trial.url),),
        extension={_SCREENING: _extension(screening, words, site.evidence)},
    )


def card_id(hook_instance: str, part: str) -> str:
    """The id of a card, or of a part of it: the same for the same call."""
    return str(uuid.uuid5(_NAMESPACE, f"{hook_instance}/{part}"))


def _summary(screening: Screening, words: Wording) -> str:
    key = "summary_not_yet" if screening.verdict is Verdict.NOT_YET else "summary"
    if is_incomplete(screening):
        key = "summary_incomplete"
    return words.phrase(
        "card", key, trial=screening.trial.id, about=screening.trial.about,
        met=len(_with(screening, Status.PASS)),
        open=len(_with(screening, Status.REVIEW, Status.UNKNOWN)),
        against=len(_with(screening, Status.FAIL)),
    )  # fmt: skip


def _with(screening: Screening, *statuses: Status) -> list[Finding]:
    return [f for f in screening.findings if f.standing in statuses]


def _detail(screening: Screening, site: Site, words: Wording) -> Iterator[str]:
    """Plain paragraphs and bullets: what it is, what to confirm, the key facts, what is missing, whom to ask."""
    trial = screening.trial
    yield words.phrase("card", "intro", title=trial.short_title, as_of=screening.as_of.isoformat(),
                       version=trial.version.isoformat())  # fmt: skip
    yield ""
    if screening.recheck_on:
        yield from (words.phrase("card", "recheck", day=screening.recheck_on.isoformat()), "")
    unsearched = [f for f in _with(screening, Status.UNKNOWN) if "gaps" in f.judgement.reason.values]
    missing = [f for f in _with(screening, Status.UNKNOWN) if f not in unsearched]
    yield from _listed("against", _with(screening, Status.FAIL), words)
    yield from _listed("confirm", _with(screening, Status.REVIEW), words)
    yield from _facts(screening, words)
    yield from _listed("missing", missing, words)
    yield from _unsearched(unsearched, words)
    yield from bullets(words.term("card", "people"), _questions(screening, words))
    if site.coordinator_contact:
        yield words.phrase("card", "contact", contact=escaped(site.coordinator_contact))


def _questions(screening: Screening, words: Wording) -> list[str]:
    """How many questions there are for people, and the most important of them by name."""
    asked = _with(screening, Status.HUMAN)
    named = [screening.finding(key) for key in screening.readings.key_questions]
    names = words.joined("list", (escaped(f.name) for f in named if f in asked))
    key = "questions_among" if names else "questions"
    return [words.phrase("card", key, n=len(asked), names=names)] if asked else []


def _facts(screening: Screening, words: Wording) -> Iterator[str]:
    found = [f for key in screening.readings.key_facts if (f := screening.finding(key)).status is Status.PASS]
    yield from bullets(words.term("card", "facts"), [_line(f, words) for f in found[:_MOST_FACTS]])


def _listed(title: str, findings: list[Finding], words: Wording) -> Iterator[str]:
    """The first few in protocol order, and how many more there are."""
    items = [_line(f, words) for f in findings[:_MOST_TO_CONFIRM]]
    if len(findings) > _MOST_TO_CONFIRM:
        items.append(words.phrase("card", "more", n=len(findings) - _MOST_TO_CONFIRM))
    yield from bullets(words.term("card", title), items)


def _unsearched(findings: list[Finding], words: Wording) -> Iterator[str]:
    """Each part of the record that could not be read, once, and the criteria that it leaves open."""
    sentences = dict.fromkeys(words.sentence(f.judgement.reason) for f in findings)
    parts = dict.fromkeys(part for sentence in sentences for part in sentence.split(words.term("joins", "clause")))
    names = words.joined("list", (f.id for f in findings))
    left_open = [words.phrase("card", "leaves_open", ids=names)] if findings else []
    yield from bullets(words.term("card", "unsearched"), [*parts, *left_open])


def _line(finding: Finding, words: Wording) -> str:
    """One criterion: its name, why, what in the record it rests on, and what a person is asked."""
    because = words.sentence(finding.judgement.reason)
    line = words.phrase("card", "fact", name=f"{finding.name} ({finding.id})", because=because)
    evidence = next(iter(finding.judgement.evidence), None)
    if evidence is not None:
        line = words.joined("clause", (line, words.phrase("card", "from", label=escaped(words.label(evidence)))))
    if finding.answer:
        return words.joined("clause", (line, _answered(finding.answer, words)))
    return words.joined("sentence", (line, finding.asks)) if finding.asks else line


def _answered(answer: Answer, words: Wording) -> str:
    """That a person has answered otherwise than the record: who and when."""
    return words.phrase("card", "answered", by=escaped(answer.by), day=answer.at.date().isoformat())


def source(trial: Trial, words: Wording, matter: str = "") -> Source:
    """Where a card comes from. Cards of another matter have a topic of their own: to override one silences no other."""
    label = words.phrase("card", "source", trial=trial.id, version=trial.version.isoformat())
    return Source(label, trial.url, {"system": REGISTRY, "code": f"{trial.topic}{matter}", "display": trial.id})


def override_reasons(words: Wording) -> tuple[Mapping[str, str], ...]:
    """What a person may answer to a card instead of following it."""
    return tuple(
        {"code": code, "system": _REASONS, "display": display}
        for code, display in words.terms("override_reasons").items()
    )


def _suggestions(screening: Screening, hook_instance: str, site: Site, words: Wording) -> Iterator[Suggestion]:
    label = words.phrase("card", "refer", trial=screening.trial.id)
    yield Suggestion(label, card_id(hook_instance, "refer"), referral(screening, words, site.referral_coding))
    for finding in tests_due(screening) if site.suggest_tests else ():
        test = finding.test.name if finding.test else finding.id
        label = words.phrase("card", "test", test=test)
        yield Suggestion(label, card_id(hook_instance, finding.id), test_order(screening, finding))


def _extension(screening: Screening, words: Wording, evidence: bool) -> dict[str, Any]:
    """The screening as JSON without keys that have no value, and with the evidence only where it is asked for."""
    pruned: dict[str, Any] = without_valueless(screening_json(screening, words, evidence))
    return pruned
