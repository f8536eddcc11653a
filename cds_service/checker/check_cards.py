"""Rows about cards, suggestions, actions and links: what `cards.py` says of every response that came back."""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.checker.check_discovery import FIELDS
from cds_service.checker.registry import Check, check
from cds_service.checker.result import Seen, fault, fine, quoted, unseen
from cds_service.checker.subject import Subject

_ROWS = ("C1", "C2", "C3", "C4", "C4.html", "C5", "C6", "C7", "C8", "C9", "C10", "C11", "S1", "S2", "S3", "S4", "S5",
         "T1", "T2", "T2.system", "T3", "T4", "T5", "T6", "L1", "L2", "L3", "E2", "cds-resp-1",
         "cds-resp-2")  # fmt: skip


def _about(row: str) -> Check:
    def look(subject: Subject) -> Iterator[Seen]:
        yield from subject.remarked(row)
        if subject.card_count:
            yield unseen("no card had it")
        else:
            yield unseen("no card came back; hand in a request that gets one with --request")

    return look


for _row in _ROWS:
    check(_row, last=True)(_about(_row))


@check("Y1", last=True)
def no_system_actions(subject: Subject) -> Iterator[Seen]:
    yield from subject.remarked("Y1")
    if subject.card_count or list(subject.answers):
        yield fine("none came")


@check("O2", last=True)
def extensions(subject: Subject) -> Iterator[Seen]:
    for entry in subject.published:
        if isinstance(entry, dict) and "extension" in entry:
            good = isinstance(entry["extension"], dict)
            yield fine("in discovery") if good else fault(f"discovery: {quoted(entry['extension'])}")
    yield from subject.remarked("O2")
    yield unseen("no extension came back")


@check("O3", last=True)
def known_fields(subject: Subject) -> Iterator[Seen]:
    for number, entry in enumerate(subject.published):
        unknown = sorted(set(entry) - FIELDS) if isinstance(entry, dict) else []
        if unknown:
            yield fault(f"services[{number}] has {', '.join(map(quoted, unknown[:3]))}")
    yield from subject.remarked("O3")
