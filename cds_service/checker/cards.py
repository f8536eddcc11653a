"""What the specification demands of a response: each rule says of each element that it fits or what is wrong."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from cds_service.checker.fhir_json import why_invalid
from cds_service.checker.result import quoted

# A row's id with what is wrong; None says that one element was looked at and fits.
Remark = tuple[str, str | None]

_INDICATORS = ("info", "warning", "critical")
_BEHAVIORS = ("at-most-one", "any")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_REFERENCE = re.compile(r"[A-Za-z]+/[A-Za-z0-9.-]+")
_LONGEST_SUMMARY = 139
_CODE = re.compile(r"(?<!`)(`+)(?!`)(.*?)(?<!`)\1(?!`)", re.DOTALL)
_ESCAPED = re.compile(r"\\[!-/:-@\[-`{-~]")
_TAG = re.compile(
    r"<(?:[A-Za-z][A-Za-z0-9-]*(?:\s[^<>]*)?/?|/[A-Za-z][^<>]*|!--.*?--|![A-Z][^<>]*|\?.*?\?)>", re.DOTALL
)
_SCRIPT = re.compile(r"\]\(\s*<?\s*(javascript|data|vbscript):|<\s*(javascript|data|vbscript):", re.IGNORECASE)
# The attributes that the specification knows, by the kind of object.
FIELDS: Mapping[str, Collection[str]] = {
    "response": {"cards", "systemActions", "extension"},
    "card": {
        "uuid", "summary", "detail", "indicator", "source", "suggestions", "selectionBehavior", "overrideReasons",
        "links", "extension",
    },
    "source": {"label", "url", "icon", "topic", "extension"},
    "suggestion": {"label", "uuid", "isRecommended", "actions", "actionSelectionBehavior", "extension"},
    "action": {"type", "description", "resource", "resourceId", "extension"},
    "link": {"label", "url", "type", "appContext", "autolaunchable", "extension"},
}  # fmt: skip


def remarks(body: Mapping[str, Any], sent: Any = None) -> Iterator[Remark]:
    """All there is to say of the JSON of one response; `sent` is the request that it answers."""
    yield from _known_fields("response", body, "response")
    cards = body.get("cards")
    yield "E1", None if isinstance(cards, list) else f"cards is {_kind(cards)}"
    if "systemActions" in body:
        actions = body["systemActions"]
        good = isinstance(actions, list) and bool(actions)
        yield "E2", None if good else f"systemActions is {_kind(actions)}"
        yield "Y1", "systemActions came, though nothing was agreed with this client"
        yield from _actions(actions, "systemActions", sent, in_suggestion=False)
    whole = cards if isinstance(cards, list) else []
    for number, card in enumerate(whole):
        yield from _card(card, f"cards[{number}]", sent)
    yield from _unique("C5", [one.get("uuid") for one in whole if isinstance(one, dict)], "card")
    yield from _unique("S2", [one.get("uuid") for card in whole for one in _objects(card, "suggestions")], "suggestion")


def _card(card: Any, place: str, sent: Any) -> Iterator[Remark]:
    if not isinstance(card, dict):
        yield "E1", f"{place} is {_kind(card)}"
        return
    yield from _known_fields("card", card, place)
    yield "C1", _summary_fault(card.get("summary"), place)
    yield "C2", _enum_fault(card.get("indicator"), _INDICATORS, f"{place}.indicator")
    yield from _source(card.get("source"), f"{place}.source")
    if "detail" in card:
        yield from _detail(card["detail"], f"{place}.detail")
    if "uuid" in card:
        good = isinstance(card["uuid"], str) and _UUID.fullmatch(card["uuid"])
        yield "C5", None if good else f"{place}.uuid is {quoted(card['uuid'])}"
    yield from _suggestions(card, place, sent)
    for number, reason in enumerate(_list("C8", card, "overrideReasons", place)):
        yield from _coding("C8", reason, f"{place}.overrideReasons[{number}]", ("code", "system", "display"))
    yield from _links(card, place)


def _source(source: Any, place: str) -> Iterator[Remark]:
    if not isinstance(source, dict):
        yield "C3", f"{place} is {_kind(source)}"
        return
    yield from _known_fields("source", source, place)
    yield "C3", None if _is_text(source.get("label")) else f"{place}.label is {quoted(source.get('label'))}"
    for name in ("url", "icon"):
        if name in source:
            yield "C9", None if is_address(source[name]) else f"{place}.{name} is {quoted(source[name])}"
    if "topic" in source:
        yield from _coding("C10", source["topic"], f"{place}.topic", ("code", "system"))


def _detail(detail: Any, place: str) -> Iterator[Remark]:
    yield "C4", None if _is_text(detail) else f"{place} is {quoted(detail)}"
    if isinstance(detail, str):
        found = html_in(detail)
        yield "C4.html", f"{place} holds {quoted(found)}" if found else None


def html_in(markdown: str) -> str | None:
    """The first HTML tag, or link that runs a script, in a text of Markdown; code and escaped letters hold none."""
    plain = _ESCAPED.sub(" ", _CODE.sub(" ", markdown))
    found = _TAG.search(plain) or _SCRIPT.search(plain)
    return found[0] if found else None


def _suggestions(card: Mapping[str, Any], place: str, sent: Any) -> Iterator[Remark]:
    if "suggestions" in card:
        yield "C6", None if "selectionBehavior" in card else f"{place} has suggestions and no selectionBehavior"
    if "selectionBehavior" in card:
        yield "C7", _enum_fault(card["selectionBehavior"], _BEHAVIORS, f"{place}.selectionBehavior")
    suggestions = _list("S1", card, "suggestions", place)
    for number, suggestion in enumerate(suggestions):
        yield from _suggestion(suggestion, f"{place}.suggestions[{number}]", sent)
    recommended = sum(isinstance(one, dict) and one.get("isRecommended") is True for one in suggestions)
    if suggestions and card.get("selectionBehavior") == "at-most-one":
        yield "cds-resp-1", f"{place} recommends {recommended} suggestions" if recommended > 1 else None


def _suggestion(suggestion: Any, place: str, sent: Any) -> Iterator[Remark]:
    if not isinstance(suggestion, dict):
        yield "S1", f"{place} is {_kind(suggestion)}"
        return
    yield from _known_fields("suggestion", suggestion, place)
    yield "S1", None if _is_text(suggestion.get("label")) else f"{place}.label is {quoted(suggestion.get('label'))}"
    if "uuid" in suggestion:
        yield "S2", None if _is_text(suggestion["uuid"]) else f"{place}.uuid is {quoted(suggestion['uuid'])}"
    if "isRecommended" in suggestion:
        said = suggestion["isRecommended"]
        yield "S3", None if isinstance(said, bool) else f"{place}.isRecommended is {quoted(said)}"
    used = "actionSelectionBehavior" in suggestion
    yield "S5", f"{place} has actionSelectionBehavior" if used else None
    if "actions" in suggestion:
        actions = suggestion["actions"]
        good = isinstance(actions, list) and bool(actions) and all(isinstance(one, dict) for one in actions)
        yield "S4", None if good else f"{place}.actions is {_kind(actions)}, or holds something else than objects"
        yield from _actions(actions, f"{place}.actions", sent, in_suggestion=True)


def _actions(actions: Any, place: str, sent: Any, in_suggestion: bool) -> Iterator[Remark]:
    for number, action in enumerate(actions if isinstance(actions, list) else []):
        if not isinstance(action, dict):
            yield "S4", f"{place}[{number}] is {_kind(action)}"
            continue
        where = f"{place}[{number}]"
        yield from _known_fields("action", action, where)
        yield "T1", _enum_fault(action.get("type"), ("create", "update", "delete"), f"{where}.type")
        described = _is_text(action.get("description"))
        yield "T2" if in_suggestion else "T2.system", None if described else f"{where} has no description"
        yield from _resource(action, where)
        yield from _target(action, where, sent)


def _resource(action: Mapping[str, Any], place: str) -> Iterator[Remark]:
    """What is created, changed or deleted."""
    resource, kind = action.get("resource"), action.get("type")
    is_resource = isinstance(resource, dict) and _is_text(resource.get("resourceType"))
    if kind == "create":
        yield "T3", None if is_resource else f"{place}.resource is {_kind(resource)}, or has no resourceType"
    if kind == "update":
        whole = isinstance(resource, dict) and is_resource and _is_text(resource.get("id"))
        yield "T4", None if whole else f"{place}.resource is {_kind(resource)}, or lacks resourceType or id"
    if kind == "delete":
        named = action.get("resourceId")
        good = isinstance(named, str) and _REFERENCE.fullmatch(named)
        yield "T5", None if good else f"{place}.resourceId is {quoted(named)}"
        alone = "resourceId" in action and "resource" not in action
        yield "cds-resp-2", None if alone else f"{place} deletes without resourceId, or with resource"
    if isinstance(resource, dict) and is_resource:
        invalid = why_invalid(resource)
        yield "J5", f"{place}.resource: {invalid}" if invalid else None


def _target(action: Mapping[str, Any], place: str, sent: Any) -> Iterator[Remark]:
    """Updates and deletes are about what the user is drafting."""
    context = sent.get("context") if isinstance(sent, dict) else None
    drafts = context.get("draftOrders") if isinstance(context, dict) else None
    if action.get("type") not in ("update", "delete") or not isinstance(drafts, dict):
        return
    known = {f"{one.get('resourceType')}/{one.get('id')}" for one in _resources(drafts)}
    resource = action.get("resource")
    target = f"{resource.get('resourceType')}/{resource.get('id')}" if isinstance(resource, dict) else ""
    target = str(action.get("resourceId") or target)
    yield "T6", None if target in known else f"{place} is about {quoted(target)}, which is no draft"


def _links(card: Mapping[str, Any], place: str) -> Iterator[Remark]:
    if "links" in card:
        links = card["links"]
        good = isinstance(links, list) and bool(links) and all(isinstance(one, dict) for one in links)
        yield "C11", None if good else f"{place}.links is {_kind(links)}, or holds something else than objects"
    for number, link in enumerate(_objects(card, "links")):
        where = f"{place}.links[{number}]"
        yield from _known_fields("link", link, where)
        yield "L1", None if _is_text(link.get("label")) else f"{where}.label is {quoted(link.get('label'))}"
        yield "L1", None if is_address(link.get("url")) else f"{where}.url is {quoted(link.get('url'))}"
        yield "L1", _enum_fault(link.get("type"), ("absolute", "smart"), f"{where}.type")
        if link.get("type") == "absolute":
            yield "L2", f"{where} is absolute and has appContext" if "appContext" in link else None
        if "autolaunchable" in link:
            said = link["autolaunchable"]
            yield "L3", None if isinstance(said, bool) else f"{where}.autolaunchable is {quoted(said)}"


def _known_fields(kind: str, element: Mapping[str, Any], place: str) -> Iterator[Remark]:
    unknown = sorted(set(element) - set(FIELDS[kind]))
    yield "O3", f"{place} has {', '.join(map(quoted, unknown[:3]))}" if unknown else None
    if "extension" in element:
        extension = element["extension"]
        yield "O2", None if isinstance(extension, dict) else f"{place}.extension is {_kind(extension)}"


def _coding(row: str, coding: Any, place: str, needed: Collection[str]) -> Iterator[Remark]:
    lacking = [name for name in needed if not (isinstance(coding, dict) and _is_text(coding.get(name)))]
    yield row, f"{place} lacks {', '.join(lacking)}" if lacking else None


def _list(row: str, element: Mapping[str, Any], name: str, place: str) -> list[Any]:
    """The array of that name; what is no array is found by the walk for wrong values, too, and is empty here."""
    value = element.get(name, [])
    return value if isinstance(value, list) else [f"{place}.{name}"]


def _objects(element: Any, name: str) -> list[dict[str, Any]]:
    value = element.get(name) if isinstance(element, dict) else None
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _resources(bundle: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for entry in _objects(bundle, "entry"):
        if isinstance(entry.get("resource"), dict):
            yield entry["resource"]


def _unique(row: str, ids: list[Any], what: str) -> Iterator[Remark]:
    repeated = [one for one, count in Counter(str(one) for one in ids if one is not None).items() if count > 1]
    if repeated:
        yield row, f"two of one {what}: uuid {quoted(repeated[0])} stands twice in a response"


def _summary_fault(summary: Any, place: str) -> str | None:
    if not _is_text(summary):
        return f"{place}.summary is {quoted(summary)}"
    longest = max(len(summary), len(summary.encode("utf-16-le", "surrogatepass")) // 2)
    return f"{place}.summary has {longest} characters" if longest > _LONGEST_SUMMARY else None


def _enum_fault(value: Any, known: Collection[str], place: str) -> str | None:
    return None if isinstance(value, str) and value in known else f"{place} is {quoted(value)}"


def is_address(value: Any) -> bool:
    """True for an absolute address of the web."""
    try:
        parts = urlsplit(value) if isinstance(value, str) else None
    except ValueError:
        return False
    return parts is not None and parts.scheme in ("http", "https") and bool(parts.hostname)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _kind(value: Any) -> str:
    names = {type(None): "missing or null", dict: "an object", list: "an array", str: "a string", bool: "a boolean"}
    kind = names.get(type(value), "a number")
    return f"{kind}, and empty" if value in ({}, [], "") else kind
