"""What users did with cards, as CDS clients report it, in every dialect that is about.

CDS Hooks 2.0, "Feedback": `overrideReason` with `reason` and `userComment`. Drafts before it had the coding flat in
`overrideReason`; Epic writes `overrideReasons`, and a reason of the hospital's own only in an extension.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, cast

import msgspec

from cds_service.errors import MalformedBody, NotConformant
from cds_service.strict_json import NotJson, check_json

MOST_ENTRIES = 1000
_LONGEST_ID = 256
_LONGEST_TEXT = 1024
LONGEST_COMMENT = 10_000
_MOST_PARTS = 100
_SHOWN_REFUSALS = 5
_OUTCOMES = ("accepted", "overridden")
# RFC 3339, section 5.6; the specification wants UTC, so that a missing offset has only one meaning.
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)?", re.ASCII)
_EPIC = "com.epic.cdshooks.feedback.overrideReason"
_EXAMPLE = '{"feedback": [{"card": "…", "outcome": "overridden", "outcomeTimestamp": "2026-03-16T09:30:00Z"}]}'


@dataclass(frozen=True, slots=True)
class OverrideReason:
    """Why a card was overridden: a coding, what the user wrote, or both. What was not said is None.

    The comment is free text and may speak of the patient.
    """

    code: str | None = None
    system: str | None = None
    display: str | None = None
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class Feedback:
    """What became of one card. `at` is in UTC, `accepted` holds the ids of the suggestions that were taken."""

    card: str
    outcome: Literal["accepted", "overridden"]
    at: datetime
    accepted: tuple[str, ...] = ()
    reasons: tuple[OverrideReason, ...] = ()


@dataclass(frozen=True, slots=True)
class KeptFeedback:
    """One entry, when and about which service it came; `client` is None where callers are not told apart."""

    received: datetime
    service: str
    client: str | None
    said: Feedback


@dataclass(frozen=True, slots=True)
class Batch:
    """The entries of one message, and for each that cannot be read where and what was expected."""

    entries: tuple[Feedback, ...]
    refused: tuple[str, ...] = ()

    @property
    def refusal(self) -> str:
        """What is wrong with the entries that were refused, without their content."""
        shown = list(self.refused[:_SHOWN_REFUSALS])
        more = len(self.refused) - len(shown)
        return " ".join([*shown, f"And {more} more."] if more else shown)


class _Refused(ValueError):
    """An entry that cannot be taken. The message names place and what was expected, never the content."""


def read_feedback(body: bytes) -> Batch:
    """The entries of a message; a bad one is refused by itself.

    Raises MalformedBody when the body is no JSON, NotConformant when it is no message with entries.
    """
    try:
        message = msgspec.json.decode(check_json(body))
    except (NotJson, msgspec.DecodeError) as error:  # the second: half a surrogate, a number beyond any other
        raise MalformedBody(f"The body is not JSON: {error}. Send {_EXAMPLE}.") from None
    entries = message.get("feedback") if isinstance(message, dict) else None
    if not isinstance(entries, list) or not entries:
        raise NotConformant(f"Expected an object with the array feedback, which has an entry: {_EXAMPLE}.")
    if len(entries) > MOST_ENTRIES:
        raise NotConformant(f"feedback has {len(entries)} entries; send at most {MOST_ENTRIES} at once.", "too-long")
    taken, refused = [], []
    for number, entry in enumerate(entries):
        try:
            taken.append(_feedback(entry, f"feedback[{number}]"))
        except _Refused as reason:
            refused.append(str(reason))
    return Batch(tuple(taken), tuple(refused))


def _feedback(entry: object, place: str) -> Feedback:
    said = _object(entry, place)
    card = _required(said, "card", place, "the uuid of the card")
    outcome = said.get("outcome")
    if outcome not in _OUTCOMES:
        raise _Refused(f"{place}.outcome: expected accepted or overridden.")
    at = _moment(said.get("outcomeTimestamp"), f"{place}.outcomeTimestamp")
    accepted = tuple(_suggestions(said.get("acceptedSuggestions"), f"{place}.acceptedSuggestions"))
    if outcome == "accepted" and not accepted:
        raise _Refused(
            f"{place}.acceptedSuggestions: required when the outcome is accepted, "
            'expected an array with an entry for each suggestion taken, for example [{"id": "…"}].'
        )
    keys = ("overrideReason", "overrideReasons")
    reasons = (one for key in keys for one in _reasons(said.get(key), f"{place}.{key}"))
    return Feedback(card, cast(Literal["accepted", "overridden"], outcome), at, accepted, tuple(dict.fromkeys(reasons)))


def _suggestions(value: object, place: str) -> Iterator[str]:
    for number, one in enumerate(_array(value, place)):
        here = f"{place}[{number}]"
        yield _required(_object(one, here), "id", here, "the uuid of the suggestion")


def _reasons(value: object, place: str) -> Iterator[OverrideReason]:
    """One reason, or several where a client sends an array; one that says nothing is none."""
    several = isinstance(value, list)
    for number, one in enumerate(_array(value, place) if several else [value]):
        if one is not None and (reason := _reason(one, f"{place}[{number}]" if several else place)) != OverrideReason():
            yield reason


def _reason(value: object, place: str) -> OverrideReason:
    said = _object(value, place)
    nested, where = said.get("reason"), f"{place}.reason"
    # Flat, as the drafts had it, where there is no reason inside.
    coding = _object(nested, where) if nested is not None else said
    where = where if nested is not None else place
    code = _optional(coding, "code", where, _LONGEST_ID)
    system = _optional(coding, "system", where, _LONGEST_TEXT)
    display = _optional(coding, "display", where, _LONGEST_TEXT)
    comment = _optional(said, "userComment", place, LONGEST_COMMENT)
    if not (code or display) and (own := _hospitals_own(said.get("extension"))):
        code, system, display = own
    return OverrideReason(code, system, display, comment)


def _hospitals_own(extension: object) -> tuple[str | None, str | None, str | None] | None:
    """The reason that only Epic's extension holds; its number means something at that hospital alone."""
    held = extension if isinstance(extension, dict) else {}
    named = {part: held.get(f"{_EPIC}.{part}") for part in ("reasonCategory", "reasonDisplay", "reasonTitle")}
    texts = {part: _clean(value, _LONGEST_TEXT) for part, value in named.items() if isinstance(value, str | int)}
    category = texts.get("reasonCategory")
    display = texts.get("reasonDisplay") or texts.get("reasonTitle")
    return (category, f"{_EPIC}.reasonCategory" if category else None, display) if category or display else None


def _moment(value: object, place: str) -> datetime:
    expected = f"{place}: expected a moment in UTC as in RFC 3339, for example 2026-03-16T09:30:00Z."
    if not isinstance(value, str) or not _TIMESTAMP.fullmatch(value.strip()):
        raise _Refused(expected)
    try:
        moment = datetime.fromisoformat(value.strip().upper())
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):  # the 30th of February, or an hour of the year 0
        raise _Refused(expected) from None


def _object(value: object, place: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise _Refused(f"{place}: expected an object.")
    return value


def _array(value: object, place: str) -> Sequence[Any]:
    """The items; none where there is no array."""
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > _MOST_PARTS:
        raise _Refused(f"{place}: expected an array of at most {_MOST_PARTS}.")
    return value


def _required(said: Mapping[str, Any], key: str, place: str, meaning: str) -> str:
    text = _optional(said, key, place, _LONGEST_ID)
    if text is None:
        raise _Refused(f"{place}.{key}: required, {meaning}.")
    return text


def _optional(said: Mapping[str, Any], key: str, place: str, longest: int) -> str | None:
    """The text without blanks around it; None where there is none."""
    value = said.get(key)
    if value is None or value == "":
        return None
    text = _clean(value, longest)
    if text is None:
        raise _Refused(f"{place}.{key}: expected text of at most {longest} characters.")
    return text or None


def _clean(value: object, longest: int) -> str | None:
    """None for what is no text that every database can hold; a number counts as its digits."""
    text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else None
    if text is None or len(text) > longest or "\x00" in text:
        return None
    return text
