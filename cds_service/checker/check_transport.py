"""Bodies and the line they come over: rows J."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from cds_service.checker.conversation import Exchange, NotStrict, strict
from cds_service.checker.fhir_json import why_invalid
from cds_service.checker.probe import Probe
from cds_service.checker.registry import check
from cds_service.checker.result import Seen, fault, faults_or, fine, judged, unseen
from cds_service.checker.subject import Subject
from cds_service.checker.tls import refuses_old_versions, speaks

_LOCAL = ("localhost", "127.0.0.1", "::1")
# Sent with the text of JSON; what a server makes of each is its own matter, as long as it is no failure.
_MEDIA_TYPES = ("application/json; charset=utf-8", "application/fhir+json", "text/json")


@check("J2")
def tls(subject: Subject) -> Iterator[Seen]:
    place = urlsplit(subject.base)
    host, port = place.hostname or "", place.port or 443
    if place.scheme == "http":
        local = "plain http on this machine; ask the address that clients use"
        yield unseen(local) if host in _LOCAL else fault("plain http")
        return
    yield judged(speaks(host, port), "TLS 1.2 or later")
    yield judged(refuses_old_versions(host, port), "TLS 1.0 and 1.1 refused")


@check("J7")
def odd_bodies(subject: Subject) -> Iterator[Seen]:
    for probe in subject.tried[:1]:
        for media_type in _MEDIA_TYPES:
            exchange = subject.conversation.post(probe.entry.url, probe.body, Content_Type=media_type)
            same = exchange.answer.status == 200
            yield judged(same, f"{media_type}: {exchange.answer.said}")
        yield from (_refused(subject, probe, name, body) for name, body in _broken(probe.body).items())
    yield unseen("no service answered 200")


def _broken(body: dict[str, Any]) -> dict[str, bytes]:
    """Bodies that are no JSON, or no object, and else as right as can be."""
    whole = json.dumps(body).encode()
    return {
        "cut short": whole[:-1],
        "empty": b"",
        "with NaN": whole[:-1] + b', "x-checker": NaN}',
        "not UTF-8": whole[:-1] + b', "x-checker": "\xff"}',
        "nested deeply": b"[" * 20_000 + b"]" * 20_000,
        "a number": b"7",
    }


def _refused(subject: Subject, probe: Probe, name: str, body: bytes) -> Seen:
    named = {"Content-Type": "application/json"}
    answer = subject.conversation.call("POST", probe.entry.url, body, named).answer
    return judged(answer.is_refusal, f"a body {name}: {answer.said}")


# What follows looks at everything that came back, and is asked last.


@check("J1", last=True)
def json_it_is(subject: Subject) -> Iterator[Seen]:
    seen = list(_successes(subject))
    for exchange in seen:
        kind = exchange.answer.headers.get("content-type", "")
        named = _name(subject, exchange)
        if kind.partition(";")[0].strip().lower() != "application/json":
            yield fault(f"{named}: Content-Type is {kind[:40]!r}")
        elif exchange.answer.json is None:
            yield fault(f"{named}: the body is no JSON")
        else:
            yield fine(f"{len(seen)} answers looked at")


@check("J3", last=True)
def nothing_valueless(subject: Subject) -> Iterator[Seen]:
    yield from _places(subject, lambda place: True)


@check("J4", last=True)
def nothing_null(subject: Subject) -> Iterator[Seen]:
    yield from _places(subject, lambda place: place.endswith("is null"))


def _places(subject: Subject, counts: Callable[[str], bool]) -> Iterator[Seen]:
    """The places without a value that count, over all answers."""
    answers = [one for one in _successes(subject) if one.answer.json is not None]
    found = {
        f"{_name(subject, one)}: {place}" for one in answers for place in valueless(one.answer.json) if counts(place)
    }
    if answers:
        yield from faults_or(f"none in {len(answers)} answers", sorted(found))


@check("J5", last=True)
def outcomes_are_valid(subject: Subject) -> Iterator[Seen]:
    resources: dict[str, str | None] = {}
    for exchange in subject.conversation.exchanges:
        body = exchange.answer.json
        if exchange.answer.status >= 400 and isinstance(body, dict) and "resourceType" in body:
            resources[json.dumps(body)] = why_invalid(body)
    for invalid in resources.values():
        yield judged(not invalid, f"an error: {invalid}" if invalid else f"{len(resources)} outcomes valid")
    yield from subject.remarked("J5")


@check("J6", last=True)
def strict_json(subject: Subject) -> Iterator[Seen]:
    for exchange in _successes(subject):
        try:
            strict(exchange.answer.body)
        except NotStrict as error:
            yield fault(f"{_name(subject, exchange)}: {error}")
        else:
            yield fine("all answers")


def _successes(subject: Subject) -> Iterator[Exchange]:
    """Every 200 to a call of discovery or of a service, but not of feedback, whose answer is free."""
    subject.call_all()
    urls = {entry.url for entry in subject.entries} | {subject.discovery.url}
    for exchange in subject.conversation.exchanges:
        if exchange.answer.status == 200 and exchange.url in urls and exchange.method != "OPTIONS":
            yield exchange


def _name(subject: Subject, exchange: Exchange) -> str:
    return exchange.url.removeprefix(subject.base).removeprefix("/") or "discovery"


def valueless(value: Any, place: str = "$") -> Iterator[str]:
    """The places of null, "", [] and {} but for an empty list of cards or services."""
    if place in ("$.cards", "$.services") and value == []:
        return
    if value is None:
        yield f"{place} is null"
    elif value in ("", [], {}) and not isinstance(value, bool | int | float):
        yield f"{place} is {json.dumps(value)}"
    if isinstance(value, dict):
        for key, one in value.items():
            yield from valueless(one, f"{place}.{key}")
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from valueless(one, f"{place}[{number}]")
