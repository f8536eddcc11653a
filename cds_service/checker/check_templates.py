"""The prefetch templates that a service publishes: rows P."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from cds_service.checker.registry import Check, check
from cds_service.checker.result import Seen, fault, fine, judged, quoted, unseen
from cds_service.checker.subject import Subject

_TOKEN = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_USER_IDS = ("userPractitionerId", "userPractitionerRoleId", "userPatientId", "userRelatedPersonId")
_FIELD = re.compile(r"context\.[A-Za-z][A-Za-z0-9_]*")
# What 3.0 adds, for a trial: paths into the context, functions, dates, and keys that came before.
_LATER = re.compile(r"^\s*(context\.[A-Za-z]|today\(\)|%[A-Za-z])")
_READ = re.compile(r"[A-Z][A-Za-z]+/(\{\{[^}]*\}\}|[A-Za-z0-9.-]+)")
_SEARCH = re.compile(r"[A-Z][A-Za-z]+\?[^?]+")
_PARAMETER = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*(:in)?")
_CHAINED = re.compile(r"\.|:(?!in\b)|^_(include|revinclude|has|query|filter|text|content)")
_TOKEN_FIELDS: Mapping[str, frozenset[str]] = {
    "patient-view": frozenset({"userId", "patientId", "encounterId"}),
    "order-select": frozenset({"userId", "patientId", "encounterId"}),
    "order-sign": frozenset({"userId", "patientId", "encounterId"}),
    "order-dispatch": frozenset({"patientId", "order", "dispatchedOrders", "performer"}),
    "appointment-book": frozenset({"userId", "patientId", "encounterId"}),
    "encounter-start": frozenset({"userId", "patientId", "encounterId"}),
    "encounter-discharge": frozenset({"userId", "patientId", "encounterId"}),
    "medication-refill": frozenset({"userId", "patientId", "encounterId"}),
    "problem-list-item-create": frozenset({"userId", "patientId", "encounterId"}),
    "allergyintolerance-create": frozenset({"userId", "patientId", "encounterId"}),
}


def _each(subject: Subject) -> Iterator[tuple[str, str, str]]:
    """Every template: its hook, its name for people, and its text."""
    for entry in subject.entries:
        for key, text in entry.prefetch.items():
            yield entry.hook, f"{entry.id}, key {quoted(key)}", text


def _linted(lint: Callable[[str, str], str | None]) -> Check:
    """A check that a lint finds nothing in any template; it is given the hook and the text."""

    def look(subject: Subject) -> Iterator[Seen]:
        templates = list(_each(subject))
        for hook, name, text in templates:
            wrong = lint(hook, text)
            yield fault(f"{name}: {wrong}") if wrong else fine(f"{len(templates)} templates")
        yield unseen("no templates are published")

    return look


@check("P1")
@_linted
def tokens(_: str, text: str) -> str | None:
    if text.count("{{") != text.count("}}"):
        return "braces that are not closed"
    odd = [one for one in _TOKEN.findall(text) if one not in _USER_IDS and not _LATER.match(one)]
    return f"the token {quoted(odd[0])}" if odd else None


@check("P2")
@_linted
def context_tokens(_: str, text: str) -> str | None:
    odd = [one for one in _TOKEN.findall(text) if one.strip().startswith("context") and not _FIELD.match(one)]
    return f"the token {quoted(odd[0])}" if odd else None


@check("P3")
@_linted
def allowed_fields(hook: str, text: str) -> str | None:
    """Nothing is known of the fields of a hook outside the library."""
    fields = [one.removeprefix("context.") for one in _TOKEN.findall(text) if one.startswith("context.")]
    known = _TOKEN_FIELDS.get(hook)
    odd = [one for one in fields if known is not None and one not in known]
    return f"{quoted(odd[0])} is no token of {hook}" if odd else None


@check("P4")
def later_tokens(subject: Subject) -> Iterator[Seen]:
    for _, name, text in _each(subject):
        used = [one for one in _TOKEN.findall(text) if one not in _USER_IDS and not _FIELD.fullmatch(one)]
        if used:
            yield fine(f"{name}: {quoted(used[0])}; clients of 2.0 leave it unresolved")
    yield unseen("none is used")


@check("P5")
@_linted
def recommended_subset(_: str, text: str) -> str | None:
    if _READ.fullmatch(text):
        return None
    if not _SEARCH.fullmatch(text):
        return "neither a read Type/id nor a search Type?…"
    odd = [name for name in _names(text) if not _PARAMETER.fullmatch(name) or _CHAINED.search(name)]
    return f"the parameter {quoted(odd[0])}" if odd else None


@check("P7")
@_linted
def portable(_: str, text: str) -> str | None:
    if text.startswith(("/", "http:", "https:", "{{context.fhirServer")):
        return "begins with a base address or a slash"
    names = _names(text)
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        return f"the parameter {quoted(repeated[0])} stands twice"
    odd = [name for name in names if _CHAINED.search(name)]
    return f"the parameter {quoted(odd[0])}" if odd else None


@check("P8")
def any_key_may_be_missing(subject: Subject) -> Iterator[Seen]:
    for probe in subject.tried:
        for key, exchange in probe.lacking.items():
            good = exchange.answer.status in (200, 412)
            yield judged(good, f"without {quoted(key)}: {exchange.answer.said}")
    yield unseen("no service with prefetch answered 200")


def _names(text: str) -> list[str]:
    """The names of the parameters; one inside a token is none."""
    _, _, query = _TOKEN.sub("token", text).partition("?")
    return [part.partition("=")[0] for part in query.split("&") if part]
