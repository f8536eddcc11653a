"""A screening as JSON, by the contract: every key, in this order, numbers with at most four decimals."""

from __future__ import annotations

from datetime import date
from typing import Any

from cds_service.clinical.dates import DayRange, Span
from cds_service.clinical.doses import DoseSegment
from cds_service.clinical.evidence import Evidence, Measure, Reason, Value
from cds_service.clinical.facts import Source
from cds_service.clinical.interval import Limit
from cds_service.report.numbers import as_json_number, json_interval
from cds_service.report.wording import Wording, day_of
from cds_service.trials.finding import Finding, Flag
from cds_service.trials.history import Flare
from cds_service.trials.screening import Screening, Steroids
from cds_service.trials.spoken import in_language

_FLAG_ORDER = tuple(Flag)
_NESTED = (dict, list)
_NUMBER = (bool, int, float)  # zero and false are values


def screening_json(screening: Screening, words: Wording, evidence: bool = True) -> dict[str, Any]:
    """The screening with all keys of the contract; where the evidence is not wanted, without that of its criteria."""
    screening = in_language(screening, words.language)
    trial = screening.trial
    return {
        "trial": {"id": trial.id, "title": trial.title, "version": trial.version.isoformat()},
        "ruleset": screening.ruleset,
        "patient": screening.patient,
        "asOf": screening.as_of.isoformat(),
        "verdict": screening.verdict.value,
        "recheckOn": _day(screening.recheck_on),
        "criteria": [_criterion(finding, words, evidence) for finding in screening.findings],
        "steroids": _steroids(screening.steroids, screening.as_of),
        "searched": {key: _source(source) for key, source in screening.sources.items()},
        "skipped": [{"reference": s.reference, "reason": s.reason} for s in screening.skipped],
    }


def _criterion(finding: Finding, words: Wording, evidence: bool) -> dict[str, Any]:
    judgement = finding.judgement
    shown = {"evidence": [_evidence(one, words) for one in judgement.evidence]} if evidence else {}
    return {
        "id": finding.id,
        "kind": finding.kind,
        "subject": finding.subject,
        "text": finding.text,
        "status": finding.status.value,
        "flags": [flag.value for flag in _FLAG_ORDER if flag in judgement.flags],
        "curable": judgement.curable,
        "recheckOn": _day(judgement.recheck_on),
        "reason": _reason(judgement.reason),
        "because": words.because(finding),
        **shown,
        "ask": finding.question,
    }


def _reason(reason: Reason) -> dict[str, Any]:
    return {"code": reason.code, "values": {name: _value(value) for name, value in reason.values.items()}}


def _value(value: Value) -> Any:
    if isinstance(value, Measure):
        low, high = json_interval(value.interval)
        return {"low": low, "high": high, "unit": value.unit}
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Limit):
        return f"{value.operator} {as_json_number(value.value)} {value.unit}"
    return str(value) if isinstance(value, DayRange | Span) else value


def _evidence(evidence: Evidence, words: Wording) -> dict[str, Any]:
    return {
        "reference": evidence.reference,
        "date": day_of(evidence.when),
        "label": words.label(evidence),
        "value": None if evidence.value is None else words.value(evidence.value),
        "limit": None if evidence.limit is None else words.value(evidence.limit),
    }


def _steroids(steroids: Steroids, as_of: date) -> dict[str, Any]:
    return {
        "asOf": {
            "mgPerDay": None if steroids.per_day is None else json_interval(steroids.per_day),
            "mgPerKgPerDay": None if steroids.per_kg is None else json_interval(steroids.per_kg),
        },
        "timeline": [_segment(segment, as_of) for segment in steroids.timeline],
        "flares": [_flare(flare) for flare in steroids.flares],
    }


def _flare(flare: Flare) -> dict[str, Any]:
    """A flare in numbers that are certain: the most that the lowest dose was, the least that the new one is."""
    return {
        "date": flare.date.isoformat(),
        "nadirMgPerDay": json_interval(flare.nadir)[1],
        "toMgPerDay": json_interval(flare.raised_to)[0],
        "documented": flare.documented,
    }


def _segment(segment: DoseSegment, as_of: date) -> dict[str, Any]:
    goes_on = segment.goes_on and segment.last == as_of
    return {
        "start": segment.first.isoformat(),
        "end": None if goes_on else segment.last.isoformat(),
        "mgPerDay": json_interval(segment.dose),
        "pattern": segment.pattern,
        "sources": list(segment.sources),
    }


def _source(source: Source) -> dict[str, str]:
    found = {"state": source.state.value}
    if source.complete_back_to is not None:
        found["completeBackTo"] = source.complete_back_to.isoformat()
    return found


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def without_valueless(value: Any) -> Any:
    """The same JSON without keys that have no value, as CDS Hooks demands of a card.

    A list that holds a null, such as a dose without an upper end, goes as a whole: half of it would be another fact.
    """
    if isinstance(value, dict):
        pruned = ((key, without_valueless(one) if isinstance(one, _NESTED) else one) for key, one in value.items())
        return {key: one for key, one in pruned if one or isinstance(one, _NUMBER)}
    if isinstance(value, list):
        return None if None in value else [without_valueless(one) for one in value]
    return value
