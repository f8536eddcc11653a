"""The demo: made-up patients, what an EHR would show of them, and the whole screening behind it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

from flask import Blueprint, Response, current_app, request, url_for

from cds_service.errors import ServiceError
from cds_service.hooks.discovery import Service
from cds_service.hooks.request import HookRequest
from cds_service.pipeline import Compose
from cds_service.report.page import SHAPES
from cds_service.report.screening_json import screening_json
from cds_service.report.wording import wording
from cds_service.trials.screening import Screening
from cds_service.trials.spoken import protocol_in_language
from cds_service.web.answers import json_answer
from cds_service.web.cds_hooks import Wiring
from cds_service.web.languages import Reading, reading
from cds_service.web.markdown import render
from cds_service.web.pages import page

_FHIR_SERVER = "fhir_server.answer"


class Story(Protocol):
    """One made-up patient, with the verdict that the record must get."""

    @property
    def id(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def line(self) -> str: ...
    @property
    def verdict(self) -> str: ...
    @property
    def shows_card(self) -> bool: ...
    @property
    def patient_id(self) -> str: ...
    def hook_request(self, today: date) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Shown:
    """What came of a story: the cards, the screening behind them, or why there is neither."""

    cards: Iterable[Mapping[str, Any]] = ()
    screening: Mapping[str, Any] | None = None
    refusal: str | None = None


@dataclass(frozen=True, slots=True)
class Speaking:
    """What the demo needs to speak other languages than the site's: cards in a language, stories told in it."""

    compose: Callable[[str], Compose] | None = None
    told: Mapping[str, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)


def demo(wiring: Wiring, stories: Iterable[Story], speaking: Speaking | None = None) -> Blueprint:
    """The pages of the demo. Nothing here reads a real record."""
    door = Blueprint("demo", __name__, template_folder="templates", static_folder="static", static_url_path="/demo")
    known = {story.id: story for story in stories}
    speaking, service = speaking or Speaking(), wiring.services[0]
    door.add_app_template_filter(render, "gfm")
    door.add_app_template_filter(_indented, "indented")

    def story_of(story_id: str) -> Story:
        if story_id not in known:
            raise ServiceError(404, "not-found", f"No such story. Known are: {', '.join(known)}.")
        return known[story_id]

    def spoken(name: str, reader: Reading, **content: object) -> Response:
        return _page(name, reader, trial=protocol_in_language(wiring.protocol, reader.language).trial,
                     told=speaking.told.get(reader.language, {}), **content)  # fmt: skip

    @door.get("/demo/stories")
    def overview() -> Response:
        return spoken("overview.html", reading(request, wiring.settings.language), stories=known.values())

    @door.get("/demo/stories/<story_id>")
    def show(story_id: str) -> Response:
        story, reader = story_of(story_id), reading(request, wiring.settings.language)
        in_it = wiring.composed_by(speaking.compose(reader.language)) if speaking.compose else wiring
        shown = play(story, in_it, service, reader.language)
        return spoken("story.html", reader, story=story, shown=shown, curl=_curl(story, service), shapes=SHAPES,
                      fhir_server=_fhir_server())  # fmt: skip

    @door.get("/demo/stories/<story_id>/request")
    def hook_request(story_id: str) -> Response:
        call = story_of(story_id).hook_request(wiring.today())
        server = _fhir_server()
        return json_answer({**call, "fhirServer": server} if server else call)

    return door


def play(story: Story, wiring: Wiring, service: Service, language: str) -> Shown:
    """The story's call answered as any other; the screening is caught where the cards are composed."""
    caught: list[Screening] = []

    def compose(screening: Screening, call: HookRequest) -> list[Mapping[str, object]]:
        caught.append(screening)
        return wiring.compose(screening, call)

    body = json.dumps(story.hook_request(wiring.today())).encode()
    try:
        answer: Mapping[str, Any] = wiring.composed_by(compose).answer(service, body)
    except ServiceError as refusal:
        return Shown(refusal=refusal.message)
    return Shown(answer["cards"], screening_json(caught[0], wording(language)))


def _curl(story: Story, service: Service) -> str:
    """Asks for the story's request and sends it on; typed into a shell, so every word is quoted."""
    source = url_for("demo.hook_request", story_id=story.id, _external=True)
    target = url_for("cds_hooks.call", service_id=service.id, _external=True)
    kind = "Content-Type: application/json"
    fetch = shlex.join(["curl", "-s", source])
    return fetch + " | " + shlex.join(["curl", "-s", "-H", kind, "--data-binary", "@-", target])


def _fhir_server() -> str | None:
    """Where the records of the stories can be fetched; None when this app has no such place."""
    return url_for(_FHIR_SERVER, _external=True) if _FHIR_SERVER in current_app.view_functions else None


def _page(name: str, reader: Reading, **content: object) -> Response:
    words = reader.words
    said = {group: words.terms(group) for group in ("verdicts", "statuses", "exclusion_statuses", "flags")}
    joins = {"comma": words.term("joins", "list"), "clause": words.term("joins", "clause")}
    return page(f"demo/{name}", reader=reader, words=said, said=words.terms("demo"), pages=words.terms("pages"),
                **joins, **content)  # fmt: skip


def _indented(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)
