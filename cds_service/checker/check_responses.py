"""The envelope of an answer, and errors: rows E and D13."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from cds_service.checker.conversation import Exchange
from cds_service.checker.registry import check
from cds_service.checker.result import Seen, fault, fine, judged, unseen
from cds_service.checker.subject import Subject

# What frameworks print of their insides.
_INSIDES = re.compile(
    r"Traceback \(most recent|\.py\", line \d|\bat [\w.$]+\([\w.]+\.java:\d+\)|node_modules/|\bat .+\.js:\d+:\d+"
)


@check("E1", last=True)
def success_has_cards(subject: Subject) -> Iterator[Seen]:
    for entry, exchange in subject.plain:
        answer = exchange.answer
        if answer.status == 200 and not isinstance(answer.json, dict):
            yield fault(f"{entry.id}: 200 without a JSON object")
        elif answer.status != 200:
            yield unseen(f"{entry.id}: {answer.said}")
            if answer.status in range(201, 400):
                yield fault(f"{entry.id}: {answer.said}")
    yield from subject.remarked("E1")


@check("E3", last=True)
def nothing_to_say(subject: Subject) -> Iterator[Seen]:
    for exchange, body in subject.answers:
        if not body.get("cards") and "systemActions" not in body:
            yield judged(body.get("cards") == [], f"{_last(exchange)}: {json.dumps(body)[:60]}")
    yield unseen("every answer had something to say")


@check("E4", last=True)
@check("D13", last=True)
def errors_are_errors(subject: Subject) -> Iterator[Seen]:
    statuses = sorted({one.answer.status for one in _errors(subject)})
    if statuses:
        yield fine(", ".join(map(str, statuses)))


@check("E5", last=True)
def outcomes(subject: Subject) -> Iterator[Seen]:
    for exchange in _errors(subject):
        fault_found = _outcome_fault(exchange)
        named = f"{exchange.answer.status} of {exchange.method} …/{_last(exchange)}"
        yield (
            fault(f"{named}: {fault_found}") if fault_found else fine(f"{len(list(_errors(subject)))} errors looked at")
        )
    yield unseen("there was no error")


@check("E6")
def meaning_of_412(subject: Subject) -> Iterator[Seen]:
    """Asked after the requests that are wrong in their form."""
    for exchange in subject.malformed:
        said = f"a request that is no CDS Hooks request: {exchange.answer.said}"
        yield judged(exchange.answer.status != 412, said)


def _errors(subject: Subject) -> Iterator[Exchange]:
    """All errors so far; those that every run makes are among them."""
    _ = subject.malformed, subject.bare
    return (one for one in subject.conversation.exchanges if one.answer.status >= 400)


def _outcome_fault(exchange: Exchange) -> str | None:
    body = exchange.answer.json
    if _INSIDES.search(exchange.answer.body.decode("utf-8", "replace")):
        return "it shows the insides of the program"
    if not isinstance(body, dict) or body.get("resourceType") != "OperationOutcome":
        return "no OperationOutcome"
    issues = body.get("issue")
    whole = (
        isinstance(issues, list)
        and issues
        and all(isinstance(one, dict) and one.get("severity") and one.get("code") for one in issues)
    )
    return None if whole else "an OperationOutcome without an issue of severity and code"


def _last(exchange: Exchange) -> str:
    return exchange.url.rpartition("/")[2]
