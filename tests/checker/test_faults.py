"""Each check can fail: a service that is right has no failure, and with one fault it has that one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cds_service.checker import check_requests
from cds_service.checker.result import Outcome
from tests.checker.checking import failed, results_of, skipped
from tests.checker.small_service import ORIGIN, Small, running

# Rows that follow from others, or that no service without authentication and without a FHIR server can show.
NOT_SEEN_HERE = {
    "J2", "D3", "D8", "D9", "D10", "D12", "D15", "P4", "P6", "R7", "F1", "F7", "F9",
    "A1", "A2", "A3", "A6", "A8", "E2", "E3",
    "T2.system", "K6", "X2", "X3", "X4", "X5", "X6", "X7", "X8", "X9", "X10", "X11", "X12", "X13", "O4",
}  # fmt: skip

Spoil = Callable[[dict[str, Any]], Any]


def entry(**changes: Any) -> Spoil:
    """Discovery whose first entry has other values; None takes one away."""

    def spoil(body: dict[str, Any]) -> dict[str, Any]:
        first = {key: one for key, one in {**body["services"][0], **changes}.items() if one is not None}
        return {"services": [first, *body["services"][1:]]}

    return spoil


def template(text: str) -> Spoil:
    return entry(prefetch={"patient": "Patient/{{context.patientId}}", "conditions": text})


def at(path: str, value: Any) -> Spoil:
    """A response with another value at a place like cards.0.summary; a value of `...` takes it away."""

    def spoil(body: dict[str, Any]) -> dict[str, Any]:
        *way, last = path.split(".")
        place: Any = body
        for step in way:
            place = place[int(step)] if isinstance(place, list) else place.setdefault(step, {})
        if value is ...:
            del place[last]
        elif isinstance(place, list):
            place[int(last)] = value
        else:
            place[last] = value
        return body

    return spoil


ACTION = "cards.0.suggestions.0.actions"
LINK = "cards.0.links.0"
# Row, and how the service is wrong: in its discovery, in its response, or in what it does.
IN_DISCOVERY: list[tuple[str, Spoil]] = [
    ("D2", lambda _: []),
    ("D2", lambda _: {"services": {}}),
    ("D3", lambda _: {"services": [], "extension": {"x": 1}}),
    ("D4", entry(description=None)),
    ("D4", entry(id="")),
    ("D5", entry(title=None)),
    ("D6", entry(prefetch=["x"])),
    ("D6", entry(prefetch={"patient": {"query": "x"}})),
    ("D7", entry(usageRequirements=["x"])),
    ("D8", entry(version="latest")),
    ("D9", entry(hookVersion="7.0")),
    ("D11", entry(id="no such id")),
    ("D11", entry(id="elsewhere")),
    ("D12", entry(prefetch={"a": "Patient/{{%b.id}}", "b": "Patient/{{context.patientId}}"})),
    ("D14", entry(hook="our-own-hook")),
    ("P1", template("Condition?patient={{patient}}")),
    ("P1", template("Condition?patient={{context.patientId}")),
    ("P2", template("Condition?patient={{context/patientId}}")),
    ("P3", template("Condition?patient={{context.draftOrders}}")),
    ("P5", template("Condition?patient.name={{context.patientId}}")),
    ("P5", template("Condition/$everything")),
    ("P7", template("/Condition?patient={{context.patientId}}")),
    ("P7", template("Condition?patient={{context.patientId}}&date=gt2020&date=lt2021")),
    ("P7", template("Condition?patient={{context.patientId}}&_include=Condition:subject")),
    ("J3", entry(prefetch={})),
    ("J3", entry(title="")),
    ("O2", entry(extension="x")),
    ("O3", entry(endpoint="https://example.org")),
]
IN_RESPONSE: list[tuple[str, Spoil]] = [
    ("J3", at("cards.0.detail", None)),
    ("J3", at("systemActions", [])),
    ("J4", at("cards.0.detail", None)),
    ("J5", at(f"{ACTION}.0.resource.intent", 7)),
    ("E1", at("cards", {})),
    ("E1", lambda _: ["cards"]),
    ("E2", at("systemActions", {})),
    ("E3", lambda _: {"extension": {"x": 1}}),
    ("C1", at("cards.0.summary", "x" * 140)),
    ("C1", at("cards.0.summary", "😀" * 70)),
    ("C1", at("cards.0.summary", ...)),
    ("C2", at("cards.0.indicator", "urgent")),
    ("C3", at("cards.0.source", "Small")),
    ("C3", at("cards.0.source.label", ...)),
    ("C4", at("cards.0.detail", ["x"])),
    ("C4.html", at("cards.0.detail", "a <b>bold</b> word")),
    ("C4.html", at("cards.0.detail", "[x](javascript:alert)")),
    ("C5", at("cards.0.uuid", "123456")),
    ("C5", lambda body: {"cards": body["cards"] * 2}),
    ("C6", at("cards.0.selectionBehavior", ...)),
    ("C7", at("cards.0.selectionBehavior", "all")),
    ("C8", at("cards.0.overrideReasons.0.display", ...)),
    ("C9", at("cards.0.source.url", "example.org")),
    ("C9", at("cards.0.source.icon", "/icon.png")),
    ("C10", at("cards.0.source.topic", {"code": "1"})),
    ("C11", at("cards.0.links", {"label": "x"})),
    ("S1", at("cards.0.suggestions.0.label", ...)),
    ("S2", at("cards.0.suggestions.1.uuid", "7a2f7a1e-8f2b-4c55-9a55-0f4e0c3f5a11")),
    ("S3", at("cards.0.suggestions.0.isRecommended", "yes")),
    ("S4", at(ACTION, [])),
    ("S5", at("cards.0.suggestions.0.actionSelectionBehavior", "all")),
    ("T1", at(f"{ACTION}.0.type", "add")),
    ("T2", at(f"{ACTION}.0.description", ...)),
    ("T2.system", at("systemActions", [{"type": "delete", "resourceId": "Basic/1"}])),
    ("T3", at(f"{ACTION}.0.resource", ...)),
    ("T4", at(f"{ACTION}.0", {"type": "update", "description": "x", "resource": {"resourceType": "Basic"}})),
    ("T5", at(f"{ACTION}.0", {"type": "delete", "description": "x", "resource": "MedicationRequest/1"})),
    ("T6", at(f"{ACTION}.0", {"type": "delete", "description": "x", "resourceId": "MedicationRequest/1"})),
    ("L1", at(f"{LINK}.type", "app")),
    ("L1", at(f"{LINK}.url", "more")),
    ("L1", at(f"{LINK}.label", ...)),
    ("L2", at(f"{LINK}.appContext", "x")),
    ("L3", at(f"{LINK}.autolaunchable", "true")),
    ("Y1", at("systemActions", [{"type": "delete", "description": "x", "resourceId": "Basic/1"}])),
    ("O2", at("cards.0.extension", "x")),
    ("O3", at("cards.0.title", "x")),
    ("O3", at("cards.0.suggestions.0.id", "x")),
    ("cds-resp-1", at("cards.0.suggestions.1.isRecommended", True)),
    ("cds-resp-2", at(f"{ACTION}.0", {"type": "delete", "description": "x", "resource": {"resourceType": "Basic"},
                                      "resourceId": "Basic/1"})),
]  # fmt: skip
IN_DEEDS: list[tuple[str, str]] = [
    ("J1", "html-type"),
    ("J7", "lenient-json"),
    ("D1", "discovery:203"),
    ("E1", "call:201"),
    ("E3", "silent"),
    ("E5", "plain-errors"),
    ("E5", "inner-details"),
    ("E6", "412-for-form"),
    ("C4.injected", "raw-html"),
    ("P8", "absent-500"),
    ("R1", "get-404"),
    ("R2", "takes-incomplete"),
    ("R4", "needs-server"),
    ("R5", "extension-fails"),
    ("R6", "any-hook"),
    ("R6", "unknown-400"),
    ("R11", "unstable"),
    ("F3", "null-412"),
    ("F5", "failed-is-empty"),
    ("F6", "remark-is-data"),
    ("F8", "no-data:400"),
    ("F10", "odd-fails"),
    ("F11", "any-patient"),
    ("A7", "calls-anybody"),
    ("K2", "takes-any-feedback"),
    ("K3", "no-repeats"),
    ("K4", "reason-needed"),
    ("K5", "known-cards-only"),
    ("K7", "strict-dialect"),
    ("K8", "long-fails"),
    ("O1", "no-cors"),
    ("O1", "no-cors-on-errors"),
]
FAULTS = (
    [(row, Small(discovery=spoil)) for row, spoil in IN_DISCOVERY]
    + [(row, Small(response=spoil)) for row, spoil in IN_RESPONSE]
    + [(row, Small(frozenset({fault}))) for row, fault in IN_DEEDS]
)


def test_a_right_service_fails_nothing_but_that_it_is_open() -> None:
    with running(Small()) as server:
        results = results_of(server.origin, feedback=True, origin=ORIGIN)
    assert set(failed(results)) == {"X1"}
    assert set(skipped(results)) == NOT_SEEN_HERE


def test_a_slow_service_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_requests, "_SLOW", 0.0)
    with running(Small()) as server:
        assert results_of(server.origin, only=["R10"])["R10"].outcome is Outcome.FAIL


@pytest.mark.parametrize(("row", "small"), FAULTS, ids=[f"{number}-{row}" for number, (row, _) in enumerate(FAULTS)])
def test_one_fault_is_seen(row: str, small: Small) -> None:
    feedback = row.startswith("K")
    with running(small) as server:
        results = results_of(server.origin, feedback=feedback, origin=ORIGIN, only=[row])
    assert row in failed(results), results[row]
