"""What a service says of itself: rows D."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from cds_service.checker.registry import check
from cds_service.checker.result import Seen, fault, faults_or, fine, judged, quoted, unseen
from cds_service.checker.subject import Subject

# The hooks of the public library, each with the version that its page states.
HOOKS: Mapping[str, str] = {
    "patient-view": "1.0", "order-select": "1.0", "order-sign": "1.0", "order-dispatch": "1.1",
    "appointment-book": "1.0", "encounter-start": "1.0", "encounter-discharge": "1.0", "medication-refill": "0.1.0",
    "problem-list-item-create": "0.1.0", "allergyintolerance-create": "0.1.0", "medication-verify": "0.1.0",
    "medication-prescribe": "1.0", "order-review": "1.0",
}  # fmt: skip
FIELDS = {"hook", "title", "description", "id", "prefetch", "usageRequirements", "version", "hookVersion", "extension"}
_REVERSE_DNS = re.compile(r"[a-z][a-z0-9-]*(\.[A-Za-z0-9-]+){2,}")
_VERSION = re.compile(r"STU[123]|\d+\.\d+(\.\d+)?(-[0-9A-Za-z.-]+)?")
_SAFE_ID = re.compile(r"[A-Za-z0-9._~-]+")
_PRIOR_KEY = re.compile(r"\{\{\s*%([A-Za-z0-9_-]+)")


def _named(number: int, entry: Any) -> str:
    name = entry.get("id") if isinstance(entry, dict) else None
    return f"services[{number}]" + (f" ({quoted(name)})" if isinstance(name, str) and name else "")


def _with(subject: Subject, key: str) -> Iterator[tuple[str, Any]]:
    """Each entry that has the key: its name and the value."""
    for number, entry in enumerate(subject.published):
        if isinstance(entry, dict) and key in entry:
            yield _named(number, entry), entry[key]


@check("D1")
def discovery_answers(subject: Subject) -> Iterator[Seen]:
    answer = subject.discovery.answer
    if subject.discovery.url != f"{subject.base}":
        yield fault("discovery is not at …/cds-services, but at the address that was given")
    elif answer.status == 401 and subject.options.signer is None:
        yield unseen("401: it asks for a token, see --token-key")
    else:
        yield judged(answer.status == 200, f"answered {answer.said}")


@check("D2")
def services_is_an_array(subject: Subject) -> Iterator[Seen]:
    body = subject.discovery.answer.json
    if subject.discovery.answer.status != 200:
        yield unseen("there is no discovery")
    elif not isinstance(body, dict):
        yield fault("the body is no JSON object")
    else:
        services = body.get("services")
        yield judged(isinstance(services, list), f"services: {len(subject.published)} entries"
                     if isinstance(services, list) else f"services is {quoted(services)}")  # fmt: skip


@check("D3")
def no_services(subject: Subject) -> Iterator[Seen]:
    if subject.discovery.answer.status != 200:
        yield unseen("there is no discovery")
    elif subject.published:
        yield unseen("there are services")
    else:
        yield judged(subject.discovery.answer.json == {"services": []}, "there are none")


@check("D4")
def required_fields(subject: Subject) -> Iterator[Seen]:
    for number, entry in enumerate(subject.published):
        row = entry if isinstance(entry, dict) else {}
        lacking = [key for key in ("hook", "description", "id") if not _is_text(row.get(key))]
        yield judged(not lacking, f"{_named(number, entry)} lacks {', '.join(lacking)}" if lacking
                     else f"{len(subject.published)} entries looked at")  # fmt: skip


@check("D5")
def titles(subject: Subject) -> Iterator[Seen]:
    for number, entry in enumerate(subject.published):
        has = isinstance(entry, dict) and _is_text(entry.get("title"))
        yield fine("there") if has else fault(f"{_named(number, entry)} has none")


@check("D6")
def prefetch_is_text(subject: Subject) -> Iterator[Seen]:
    for name, prefetch in _with(subject, "prefetch"):
        if not isinstance(prefetch, dict):
            yield fault(f"{name}: prefetch is {quoted(prefetch)}")
            continue
        wrong = [key for key, text in prefetch.items() if not _is_text(text) or not key.strip() or key != key.strip()]
        yield from faults_or(f"{len(prefetch)} templates", (f"{name}: key {quoted(key)}" for key in wrong))


@check("D7")
def usage_requirements(subject: Subject) -> Iterator[Seen]:
    for name, value in _with(subject, "usageRequirements"):
        yield judged(_is_text(value), f"{name}: {quoted(value)}")


@check("D8")
def version(subject: Subject) -> Iterator[Seen]:
    for name, value in _with(subject, "version"):
        good = isinstance(value, str) and _VERSION.fullmatch(value) is not None
        yield judged(good, f"{name}: {quoted(value)}")
    yield unseen("not sent; it is a field of 3.0")


@check("D9")
def hook_version(subject: Subject) -> Iterator[Seen]:
    for number, entry in enumerate(subject.published):
        if isinstance(entry, dict) and "hookVersion" in entry:
            known = HOOKS.get(str(entry.get("hook")))
            said = f"{_named(number, entry)}: {quoted(entry['hookVersion'])}"
            yield (
                unseen(f"{said}, of a hook outside the library")
                if known is None
                else judged(entry["hookVersion"] == known, f"{said}, published is {known}")
            )
    yield unseen("not sent; it is a field of 3.0")


@check("D10")
def one_id_for_several_hooks(subject: Subject) -> Iterator[Seen]:
    hooks: dict[str, list[str]] = {}
    for entry in subject.entries:
        hooks.setdefault(entry.id, []).append(entry.hook)
    shared = [f"{name}: {', '.join(several)}" for name, several in hooks.items() if len(several) > 1]
    yield from (fine(one) for one in shared)
    yield unseen("each id has one hook")


@check("D11")
def id_is_in_the_address(subject: Subject) -> Iterator[Seen]:
    for entry, exchange in subject.plain:
        answer = exchange.answer
        if not _SAFE_ID.fullmatch(entry.id):
            yield fault(f"{quoted(entry.id)} cannot stand in an address as it is")
        elif answer.status in (0, 404, 405) or answer.status in range(300, 400):
            yield fault(f"POST …/{entry.id}: {answer.said}")
        else:
            yield fine(f"{len(subject.entries)} called")


@check("D12")
def prior_keys(subject: Subject) -> Iterator[Seen]:
    for name, prefetch in _with(subject, "prefetch"):
        before: set[str] = set()
        for key, text in prefetch.items() if isinstance(prefetch, dict) else ():
            used = {one for one in _PRIOR_KEY.findall(str(text)) if one != "context"}
            if used:
                late = sorted(used - before)
                yield judged(not late, f"{name}: {quoted(key)} uses {', '.join(map(quoted, late or sorted(used)))}")
            before.add(key)
    yield unseen("no template depends on another")


@check("D14")
def private_hooks(subject: Subject) -> Iterator[Seen]:
    for _, hook in _with(subject, "hook"):
        if isinstance(hook, str):
            yield judged(hook in HOOKS or _REVERSE_DNS.fullmatch(hook) is not None, quoted(hook))


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())
