"""The feedback that was kept, for people: counts and entries. What users wrote is shown only when asked for."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from cds_service.hooks.feedback import KeptFeedback, OverrideReason
from cds_service.report.text import clean
from cds_service.report.wording import Wording, wording

_LANGUAGE = "en"
_COLUMNS = ("received", "service", "client", "card", "outcome", "outcome_timestamp", "accepted_suggestions")
# What a spreadsheet would take for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def feedback_text(kept: Sequence[KeptFeedback], since: date | None, comments: bool) -> str:
    """Counts by service and by reason, then the entries in the order in which they came."""
    words = wording(_LANGUAGE)
    cards = len({(one.service, one.said.card) for one in kept})
    heading = words.phrase("feedback", "heading", entries=len(kept), cards=cards)
    lines = [heading + (words.phrase("feedback", "since", day=since.isoformat()) if since else "")]
    groups = {"services": _services(kept, words), "reasons": _counted_reasons(kept, words)}
    groups["entries"] = [line for one in kept for line in _entry(one, words, comments)]
    for title, members in groups.items():
        lines += ["", words.term("feedback", title), *(f"  {line}" for line in members)] if members else []
    hidden = 0 if comments else sum(reason.comment is not None for one in kept for reason in one.said.reasons)
    lines += ["", words.phrase("feedback", "hidden", n=hidden)] if hidden else []
    return "".join(f"{clean(line)}\n" for line in lines)


def feedback_json(kept: Sequence[KeptFeedback], since: date | None, comments: bool) -> str:
    """The same as JSON; what was not said has no key."""
    whole = {
        **({"since": since.isoformat()} if since else {}),
        "services": {service: dict(counts) for service, counts in _outcomes(kept).items()},
        "overrideReasons": [_coding(reason) | {"count": n} for reason, n in _reasons(kept).most_common()],
        "entries": [_as_json(one, comments) for one in kept],
    }
    return json.dumps(whole, ensure_ascii=False, indent=2) + "\n"


def feedback_csv(kept: Sequence[KeptFeedback], since: date | None, comments: bool) -> str:
    """One line for each entry; several suggestions or reasons stand in one cell, a line each."""
    parts = ["code", "system", "display", *(["comment"] if comments else [])]
    made = io.StringIO()
    table = csv.writer(made, lineterminator="\r\n")
    table.writerow([*_COLUMNS, *(f"reason_{part}" for part in parts)])
    for one in kept:
        said = one.said
        cells = [one.received.isoformat(), one.service, one.client or "", said.card, said.outcome, said.at.isoformat()]
        cells.append("\n".join(said.accepted))
        cells += ["\n".join(getattr(reason, part) or "" for reason in said.reasons) for part in parts]
        table.writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells])
    return made.getvalue()


FORMS: Mapping[str, Callable[[Sequence[KeptFeedback], date | None, bool], str]] = {
    "text": feedback_text,
    "json": feedback_json,
    "csv": feedback_csv,
}


def _outcomes(kept: Sequence[KeptFeedback]) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}
    for one in sorted(kept, key=lambda one: one.service):
        found.setdefault(one.service, Counter(accepted=0, overridden=0))[one.said.outcome] += 1
    return found


def _reasons(kept: Sequence[KeptFeedback]) -> Counter[OverrideReason]:
    """How often each coding was given for an override, whatever was written beside it; an empty one is none."""
    overridden = [one.said.reasons or (OverrideReason(),) for one in kept if one.said.outcome == "overridden"]
    return Counter(replace(reason, comment=None) for reasons in overridden for reason in reasons)


def _services(kept: Sequence[KeptFeedback], words: Wording) -> list[str]:
    counted = _outcomes(kept).items()
    return [f"{service}: {words.phrase('feedback', 'outcomes', **counts)}" for service, counts in counted]


def _counted_reasons(kept: Sequence[KeptFeedback], words: Wording) -> list[str]:
    return [f"{n:>5}  {_named(reason, words)}" for reason, n in _reasons(kept).most_common()]


def _named(reason: OverrideReason, words: Wording) -> str:
    named = " ".join(part for part in (reason.code, reason.display) if part)
    return named or words.term("feedback", "no_reason")


def _entry(one: KeptFeedback, words: Wording, comments: bool) -> Iterator[str]:
    said = one.said
    yield f"{said.at:%Y-%m-%d %H:%M:%S}Z  {said.outcome:<10}  {said.card}  {one.service}" + (
        f"  {words.phrase('feedback', 'client', client=one.client)}" if one.client else ""
    )
    if said.accepted:
        yield f"  {words.phrase('feedback', 'suggestions', ids=', '.join(said.accepted))}"
    for reason in said.reasons:
        yield f"  {_named(reason, words)}"
        if reason.comment and comments:
            yield f"  {words.phrase('feedback', 'comment', comment=reason.comment)}"


def _as_json(one: KeptFeedback, comments: bool) -> dict[str, Any]:
    said = one.said
    reasons = [_coding(r) | ({"userComment": r.comment} if comments and r.comment else {}) for r in said.reasons]
    whole = {
        "received": one.received.isoformat(),
        "service": one.service,
        "client": one.client,
        "card": said.card,
        "outcome": said.outcome,
        "outcomeTimestamp": said.at.isoformat(),
        "acceptedSuggestions": list(said.accepted),
        "overrideReasons": [reason for reason in reasons if reason],
    }
    return {key: value for key, value in whole.items() if value}


def _coding(reason: OverrideReason) -> dict[str, Any]:
    parts = {"code": reason.code, "system": reason.system, "display": reason.display}
    return {key: value for key, value in parts.items() if value}
