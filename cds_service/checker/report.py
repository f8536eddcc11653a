"""The results as people and programs read them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from cds_service.checker.result import Outcome, Result

_BESIDE = "CLIENT rows are duties of clients: tried is how the service takes it. MAY rows only tell what was seen."


def as_text(address: str, results: Sequence[Result]) -> str:
    """One line for each requirement, and what it comes to."""
    lines = [f"CDS Hooks service at {address}", ""]
    for one in results:
        row = one.requirement
        lines.append(f"{row.id:<11} {row.level:<6} {one.outcome:<7} {row.text}: {one.seen}")
    return "\n".join([*lines, "", *_totals(results), ""])


def as_json(address: str, results: Sequence[Result]) -> str:
    rows = [
        {
            "id": one.requirement.id,
            "group": one.requirement.group,
            "level": one.requirement.level,
            "requirement": one.requirement.text,
            "outcome": one.outcome,
            "seen": one.seen,
        }
        for one in results
    ]
    return json.dumps({"service": address, "passed": not violations(results), "results": rows}, indent=2,
                      ensure_ascii=False) + "\n"  # fmt: skip


def as_markdown(address: str, results: Sequence[Result]) -> str:
    """A conformance report: what was found in numbers, then every requirement."""
    lines = [f"# Conformance of {address}", "", *counts_table(results), "", *_totals(results), "", _BESIDE, ""]
    lines += ["| id | level | outcome | requirement | seen |", "|---|---|---|---|---|"]
    for one in results:
        cells = (one.requirement.id, one.requirement.level, str(one.outcome), one.requirement.text, one.seen)
        lines.append("| " + " | ".join(map(_cell, cells)) + " |")
    return "\n".join([*lines, ""])


def counts_table(results: Sequence[Result]) -> Iterator[str]:
    """How many passed, failed and were skipped, by group, as a table of Markdown."""
    yield from ("| requirements | pass | fail | skipped |", "|---|---|---|---|")
    for group in dict.fromkeys(one.requirement.group for one in results):
        yield f"| {group} | {_numbers(one for one in results if one.requirement.group == group)} |"
    yield f"| all | {_numbers(results)} |"


def _numbers(results: Iterable[Result]) -> str:
    count = Counter(one.outcome for one in results)
    return " | ".join(str(count[outcome]) for outcome in Outcome)


def _totals(results: Sequence[Result]) -> Iterator[str]:
    for level in dict.fromkeys(one.requirement.level for one in results):
        count = Counter(one.outcome for one in results if one.requirement.level == level)
        yield f"{level}: " + ", ".join(f"{count[outcome]} {outcome}" for outcome in Outcome)


def violations(results: Iterable[Result]) -> list[Result]:
    """The failures that break the specification."""
    return [one for one in results if one.is_violation]


def _cell(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
