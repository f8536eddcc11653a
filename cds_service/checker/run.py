"""All checks against one service, in the order of the requirements."""

from __future__ import annotations

from collections.abc import Collection

from cds_service.checker import (  # noqa: F401 - importing them registers their checks
    check_access,
    check_authentication,
    check_browsers,
    check_cards,
    check_discovery,
    check_feedback,
    check_prefetched,
    check_requests,
    check_responses,
    check_templates,
    check_transport,
)
from cds_service.checker.registry import checks
from cds_service.checker.requirement import requirements
from cds_service.checker.result import Outcome, Result, concluded
from cds_service.checker.subject import Nothing, Subject


def run(subject: Subject, only: Collection[str] = ()) -> list[Result]:
    """The results in the order of the requirements, of all or only of some.

    Raises Nothing when the service cannot be checked at all.
    """
    _require_services(subject)
    wanted = [one for one in requirements().values() if not only or one.id in only]
    found = {
        name: concluded(requirements()[name], look(subject))
        for name, look in checks().items()
        if not only or name in only
    }
    return [found.get(one.id) or Result(one, Outcome.SKIPPED, one.skipped or "") for one in wanted]


def _require_services(subject: Subject) -> None:
    answer = subject.discovery.answer
    if answer.status == 0:
        raise Nothing(f"{subject.base} gave no answer: {answer.problem}.")
    if answer.status in (401, 403) and subject.options.signer is None:
        raise Nothing(f"{subject.base} answered {answer.status}: it asks for a token. Sign one with --token-key.")
    if answer.status in (401, 403):
        raise Nothing(f"{subject.base} answered {answer.status} to a token; are issuer, kid and audience known there?")
