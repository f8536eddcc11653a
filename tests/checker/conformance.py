"""The conformance report in the README and on /integrate: `python -m tests.checker.conformance` writes it anew."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from cds_service.checker.report import counts_table
from cds_service.checker.result import Outcome, Result
from tests.checker.own_service import gated
from tests.synthetic import ROOT

README = ROOT / "README.md"
PAGE = ROOT / "cds_service" / "web" / "templates" / "integrate" / "conformance.md"
BEGIN, END = "<!-- conformance: written by the checker -->\n", "<!-- end of conformance -->\n"
# The time of an answer is that of the machine; `run.py bench` measures it.
LEFT_OUT = "R10"


def report(results: Mapping[str, Result]) -> str:
    """How many requirements passed, by group, and each that was not tried with the reason."""
    told = [one for name, one in results.items() if name != LEFT_OUT]
    return "\n".join([*counts_table(told), "", *_skipped(told), ""])


def _skipped(results: list[Result]) -> Iterator[str]:
    """Requirements that were not tried for the same reason stand together."""
    reasons: dict[str, list[str]] = {}
    for one in results:
        if one.outcome is Outcome.SKIPPED:
            reasons.setdefault(one.seen, []).append(one.requirement.id)
    yield from (f"- {', '.join(ids)}: {reason}" for reason, ids in reasons.items())


def written() -> str:
    """What the README says now."""
    _, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    return rest.partition(END)[0]


def write(text: str) -> None:
    before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    README.write_text(before + BEGIN + text + END + rest.partition(END)[2], encoding="utf-8")
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        write(report(gated(Path(folder))))
    sys.exit(0)
