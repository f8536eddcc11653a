"""Requests as no client should send them: whole ones, changed at random places. The same seed, the same request."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import Any

# A word that stands for all that is a patient's, and that no answer of an error and no log may hold.
CANARY = "Zilpzalp-4711"
_DEEPEST = 60
_NOISE: tuple[Any, ...] = (
    None, True, 0, -1, 1e308, 10**40, "", " ", "\u0000", "\U0001f9ec", "2026-13-45", "NaN", CANARY, [], {}, [None],
    [[]], {"": None}, {"resourceType": "Bundle"}, {"coding": [{"code": CANARY}]}, {"reference": f"Patient/{CANARY}"},
)  # fmt: skip
_TYPES = ("Patient", "Observation", "Bundle", "OperationOutcome", "Binary", "MedicationOrder", CANARY)

Place = tuple[Any, Any]  # a container, and a key or an index of it
Change = Callable[[Random, Any], Any]


def mutated(whole: Mapping[str, Any], random: Random, changes: int) -> bytes:
    """The request as bytes, with so many places of it changed; now and then the bytes themselves are cut or torn."""
    request = _with_canaries(copy.deepcopy(dict(whole)))
    for _ in range(changes):
        _change(request, random)
    body = json.dumps(request, ensure_ascii=random.random() < 0.5).encode("utf-8", "replace")
    return _torn(body, random) if random.random() < 0.05 else body


def _with_canaries(request: dict[str, Any]) -> dict[str, Any]:
    """The request with the patient's own words in it: a name, a narrative, a note, an id of a user."""
    request.setdefault("context", {})["userId"] = f"Practitioner/{CANARY}"
    for resource in _resources(request):
        resource["text"] = {"status": "generated", "div": f"<div>{CANARY}</div>"}
        if resource["resourceType"] == "Patient":
            resource["name"] = [{"family": CANARY, "text": CANARY}]
    return request


def _resources(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if isinstance(value.get("resourceType"), str) and value["resourceType"] != "Bundle":
            yield value
        for one in value.values():
            yield from _resources(one)
    elif isinstance(value, list):
        for one in value:
            yield from _resources(one)


def _change(request: dict[str, Any], random: Random) -> None:
    container, key = random.choice(list(_places(request)))
    change = random.choice(_CHANGES)
    if change is None:
        del container[key]
    else:
        container[key] = change(random, container[key])


def _places(value: Any) -> Iterator[Place]:
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from _places(value[key])


def _nested(random: Random, value: Any) -> Any:
    for _ in range(random.randrange(1, _DEEPEST)):
        value = random.choice(
            ([value], {"resource": value}, {"resourceType": "Bundle", "entry": [{"resource": value}]})
        )
    return value


def _number(random: Random, value: Any) -> Any:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value * random.choice((0, -1, 10, 0.001, 1e9)) if is_number else random.randrange(-5, 500)


def _text(random: Random, value: Any) -> Any:
    return random.choice((f"{value}{CANARY}", str(value)[: random.randrange(1, 9)], str(value).upper(), [value]))


_CHANGES: tuple[Change | None, ...] = (
    None,
    lambda random, _: random.choice(_NOISE),
    lambda random, value: [value] * random.randrange(0, 3),
    lambda random, value: {**value, "resourceType": random.choice(_TYPES)} if isinstance(value, dict) else value,
    lambda random, value: value + copy.deepcopy(value) if isinstance(value, list) else value,
    lambda random, value: random.sample(value, len(value)) if isinstance(value, list) else [value],
    _nested, _number, _text,
)  # fmt: skip


def _torn(body: bytes, random: Random) -> bytes:
    at = random.randrange(len(body))
    return random.choice((body[:at], body[:at] + b"\xff\xfe" + body[at:], body[at:], body + body))
