"""What a finding says beside its status, written down for proof-reading: its values and its evidence.

`python -m tests.trials.findings` writes tests/findings anew, one file per criterion: the first case of its table for
every reason and every list of resource types shown. What changed is then seen in the difference, and is to be read.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from cds_service.report.screening_json import screening_json
from cds_service.report.wording import wording
from cds_service.trials.screening import screen
from tests.mutation.case_law import case_under, law, only
from tests.trials.record_of import PROTOCOL

FOLDER = Path(__file__).parents[1] / "findings"
Row = dict[str, Any]


def rows_of(criterion: str) -> list[Row]:
    """One row for every reason that the cases of a criterion give, and every list of types of resources behind it."""
    first: dict[tuple[str, ...], Row] = {}
    for row in _rows(criterion):
        types = (reference.partition("/")[0] for reference, *_ in row["evidence"])
        first.setdefault((row["reason"], *types), row)
    return list(first.values())


def _rows(criterion: str) -> Iterator[Row]:
    narrowed = only(PROTOCOL, criterion)
    narrowed.__dict__["ruleset"] = PROTOCOL.ruleset
    for number, ruling in enumerate(law()[criterion]):
        screening = screen(case_under(PROTOCOL, criterion, number), narrowed)
        (found,) = screening_json(screening, wording("en"))["criteria"]
        evidence = [[part for part in one.values() if part is not None] for one in found["evidence"]]
        yield {"case": ruling.name, "reason": found["reason"]["code"], "values": found["reason"]["values"],
               "evidence": evidence}  # fmt: skip


def written(criterion: str) -> Path:
    return FOLDER / f"{criterion}.yaml"


def as_yaml(rows: list[Row]) -> str:
    return yaml.safe_dump(rows, sort_keys=False, allow_unicode=True, width=120, default_flow_style=None)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name in law():
        written(name).write_text(as_yaml(rows_of(name)), encoding="utf-8")
