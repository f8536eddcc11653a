"""The feedback endpoint: rows K. They are tried only on request, because the other side may store what it gets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from cds_service.checker.conversation import Exchange
from cds_service.checker.probe import Entry, new_instance
from cds_service.checker.registry import Check, check
from cds_service.checker.result import Seen, fine, judged, unseen
from cds_service.checker.subject import Subject

_NOT_ASKED = "feedback may be stored there, so it is only sent with --feedback"
_REASON = {"code": "patient-refuses", "system": "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"}
_LONG = 200_000  # letters


def _accepted(**changes: Any) -> dict[str, Any]:
    one: dict[str, Any] = {
        "card": new_instance(),
        "outcome": "accepted",
        "acceptedSuggestions": [{"id": new_instance()}],
        "outcomeTimestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    return {key: value for key, value in (one | changes).items() if value is not None}


def _overridden(**changes: Any) -> dict[str, Any]:
    return _accepted(**({"outcome": "overridden", "acceptedSuggestions": None} | changes))


def _send(subject: Subject, entry: Entry, *feedback: Any, body: Any = None, **headers: str) -> Exchange:
    sent = {"feedback": list(feedback)} if body is None else body
    return subject.conversation.post(f"{entry.url}/feedback", sent, **headers)


def _tried(name: str, look: Any) -> None:
    """Registers a check that is made for the first service, where feedback is offered."""

    def check_it(subject: Subject) -> Iterator[Seen]:
        if not subject.options.feedback:
            yield unseen(_NOT_ASKED)
            return
        for entry in subject.entries[:1]:
            if _is_offered(subject, entry):
                yield from look(subject, entry)
            else:
                yield unseen("no feedback is offered")

    register: Check = check_it
    check(name)(register)


def _is_offered(subject: Subject, entry: Entry) -> bool:
    """True when the address is there at all."""
    if entry.url not in subject.offers_feedback:
        status = _send(subject, entry, _accepted()).answer.status
        subject.offers_feedback[entry.url] = status not in (404, 405, 501)
    return subject.offers_feedback[entry.url]


def _offer(subject: Subject, entry: Entry) -> Iterator[Seen]:
    yield fine(f"POST …/{entry.id}/feedback")


def _whole_and_incomplete(subject: Subject, entry: Entry) -> Iterator[Seen]:
    whole = {"accepted": _accepted(), "overridden": _overridden(overrideReason={"reason": _REASON})}
    yield from (_taken(_send(subject, entry, one), name) for name, one in whole.items())
    incomplete: Mapping[str, Any] = {
        "without card": _accepted(card=None),
        "without outcome": _accepted(outcome=None),
        "another outcome": _accepted(outcome="ignored"),
        "without outcomeTimestamp": _accepted(outcomeTimestamp=None),
        "accepted without acceptedSuggestions": _accepted(acceptedSuggestions=None),
    }
    for name, one in incomplete.items():
        answer = _send(subject, entry, one).answer
        yield judged(answer.is_refusal, f"{name}: {answer.said}")
    answer = _send(subject, entry, body={}).answer
    yield judged(answer.is_refusal, f"without feedback: {answer.said}")


def _batches_and_repeats(subject: Subject, entry: Entry) -> Iterator[Seen]:
    one, other = _accepted(), _overridden(overrideReason={"reason": _REASON})
    yield _taken(_send(subject, entry, one, other), "two in one call")
    yield _taken(_send(subject, entry, one), "one of them again")


def _without_reason(subject: Subject, entry: Entry) -> Iterator[Seen]:
    yield _taken(_send(subject, entry, _overridden()), "overridden without overrideReason")


def _unknown_card(subject: Subject, entry: Entry) -> Iterator[Seen]:
    yield _taken(_send(subject, entry, _accepted(card=new_instance())), "a card that never was")


def _dialects(subject: Subject, entry: Entry) -> Iterator[Seen]:
    nested = {"reason": {**_REASON, "display": "Patient refuses"}, "userComment": "synthetic"}
    dialects: Mapping[str, Any] = {
        "nested with display": _overridden(overrideReason=nested),
        "nested without system": _overridden(overrideReason={"reason": {"code": "patient-refuses"}}),
        "flat": _overridden(overrideReason={**_REASON, "userComment": "synthetic"}),
        "plural overrideReasons": _overridden(overrideReasons={**nested, "extension": {"checker": "synthetic"}}),
        "a card id that is no UUID": _accepted(card="123456"),
    }
    yield from (_taken(_send(subject, entry, one), name) for name, one in dialects.items())


def _long_comment(subject: Subject, entry: Entry) -> Iterator[Seen]:
    answer = _send(subject, entry, _overridden(overrideReason={"userComment": "x" * _LONG})).answer
    good = answer.is_refusal or answer.status in range(200, 300)
    yield judged(good, f"{_LONG} letters: {answer.said}")


def _authentication(subject: Subject, entry: Entry) -> Iterator[Seen]:
    signer = subject.options.signer
    if subject.is_open or signer is None:
        yield unseen("calls are answered without a token" if subject.is_open else "no token can be signed")
        return
    without = _send(subject, entry, _accepted(), Authorization="").answer
    yield judged(without.status == 401, f"without a token: {without.said}")
    yield _taken(_send(subject, entry, _accepted()), "aud is …/feedback")


def _taken(exchange: Exchange, name: str) -> Seen:
    return judged(exchange.answer.status in range(200, 300), f"{name}: {exchange.answer.said}")


for _name, _look in {
    "K1": _offer,
    "K2": _whole_and_incomplete,
    "K3": _batches_and_repeats,
    "K4": _without_reason,
    "K5": _unknown_card,
    "K6": _authentication,
    "K7": _dialects,
    "K8": _long_comment,
}.items():
    _tried(_name, _look)
