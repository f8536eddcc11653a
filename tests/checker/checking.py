"""Runs of the checker, for tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cds_service.checker.command import checked
from cds_service.checker.result import Outcome, Result

DEFAULTS: Mapping[str, Any] = {
    "requests": (), "only": (), "hooks": (), "origin": None, "feedback": False, "fhir": None, "timeout": 15.0,
    "ca_file": None,
    "token_key": None, "issuer": None, "kid": None, "jku": None, "tenant": None, "public_url": None,
}  # fmt: skip


def results_of(url: str, **options: Any) -> dict[str, Result]:
    """The results by requirement."""
    return {one.requirement.id: one for one in checked(url, {**DEFAULTS, **options})}


def failed(results: Mapping[str, Result]) -> dict[str, str]:
    """What failed; not the time of an answer, which here depends on what else the machine does."""
    return {name: one.seen for name, one in results.items() if one.outcome is Outcome.FAIL and name != "R10"}


def skipped(results: Mapping[str, Result]) -> dict[str, str]:
    return {name: one.seen for name, one in results.items() if one.outcome is Outcome.SKIPPED}
