"""Cards and discovery as a client's version of CDS Hooks, or its EHR, wants them. Our own form is that of 2.0."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cds_service.hooks.clients import Dialect

Json = Mapping[str, Any]
# CDS Hooks 1.0 allows an extension that was agreed upon before; with a client of strict 1.0 none was.
_CARD_1_0 = ("summary", "indicator", "detail", "source", "suggestions", "selectionBehavior", "links")
_SOURCE_1_0 = ("label", "url", "icon")
_SUGGESTION_1_0 = ("label", "uuid", "actions")
_LINK_1_0 = ("label", "url", "type", "appContext")
_SERVICE_1_0 = ("hook", "title", "description", "id", "prefetch")
# Epic remembers what was overridden by this code.
_NOT_ALPHANUMERIC = re.compile(r"[^A-Za-z0-9]")
_LONGEST_TOPIC = 100
_VERSION = "3.0.0"
# As the hook library publishes them.
_HOOK_VERSIONS = {"patient-view": "1.0", "order-select": "1.0", "order-sign": "1.0"}


def spoken(dialect: Dialect, answer: Json) -> Json:
    """The answer of a hook with its cards in the dialect."""
    card = _CARDS.get(dialect)
    if card is None:
        return answer
    told = {**answer, "cards": [card(one) for one in answer["cards"]]}
    return {"cards": told["cards"]} if dialect == "1.0" else told


def announced(dialect: Dialect, service: Json) -> Json:
    """An entry of discovery in the dialect: versions are only for who knows them."""
    if dialect == "1.0":
        return _only(_SERVICE_1_0, service)
    if dialect == "3.0":
        hook_version = _HOOK_VERSIONS.get(service["hook"])
        return {**service, "version": _VERSION} | ({"hookVersion": hook_version} if hook_version else {})
    return service


def _for_epic(card: Json) -> Json:
    """Every suggestion with exactly one action, which is shown by its description; several may be chosen."""
    suggestions = [_suggestion_for_epic(one) for one in card.get("suggestions", ()) if len(one.get("actions", ())) == 1]
    own: dict[str, Any] = {**card, "source": _source_for_epic(card["source"])}
    return _with_suggestions(own, suggestions, "any")


def _suggestion_for_epic(suggestion: Json) -> Json:
    (action,) = suggestion["actions"]
    words = action.get("description") or suggestion["label"]
    return {**suggestion, "label": words, "actions": [{**action, "description": words}]}


def _source_for_epic(source: Json) -> Json:
    topic = source.get("topic")
    if not topic:
        return source
    code = _NOT_ALPHANUMERIC.sub("", topic["code"])[:_LONGEST_TOPIC]
    rest = {key: value for key, value in source.items() if key != "topic"}
    return {**rest, "topic": {**topic, "code": code}} if code else rest


def _in_1_0(card: Json) -> Json:
    """Only what 1.0 knows: no text promises that its clients ignore the rest."""
    own: dict[str, Any] = {**_only(_CARD_1_0, card), "source": _only(_SOURCE_1_0, card["source"])}
    if "links" in own:
        own["links"] = [_only(_LINK_1_0, link) for link in own["links"]]
    suggestions = [_suggestion_in_1_0(one) for one in card.get("suggestions", ())]
    return _with_suggestions(own, suggestions, "at-most-one")


def _suggestion_in_1_0(suggestion: Json) -> Json:
    own = dict(_only(_SUGGESTION_1_0, suggestion))
    if "actions" in own:
        own["actions"] = [_action_in_1_0(action) for action in own["actions"]]
    return own


def _action_in_1_0(action: Json) -> Json:
    """In 1.0 a deletion names the resource where others hold it."""
    resource = action.get("resource", action.get("resourceId"))
    own = {"type": action["type"], "description": action["description"]}
    return own if resource is None else {**own, "resource": resource}


def _with_suggestions(card: Json, suggestions: Iterable[Json], behavior: str) -> Json:
    """The card with these suggestions and how they are chosen; without both when there are none."""
    told = list(suggestions)
    rest = {key: value for key, value in card.items() if key not in ("suggestions", "selectionBehavior")}
    return {**rest, "suggestions": told, "selectionBehavior": behavior} if told else rest


def _only(keys: Iterable[str], whole: Json) -> Json:
    return {key: whole[key] for key in keys if key in whole}


_CARDS: Mapping[str, Callable[[Json], Json]] = {"epic": _for_epic, "1.0": _in_1_0}
