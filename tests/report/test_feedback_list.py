"""The feedback as people read it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from cds_service.hooks.feedback import Feedback, KeptFeedback, OverrideReason
from cds_service.report.feedback_list import feedback_csv, feedback_json, feedback_text
from tests.store.said import AT, CARD, REASON, accepted, overridden

SERVICE = "nct06920199-patient-view"
CANARY = str(REASON.comment)


def kept(said: Feedback, service: str = SERVICE, client: str | None = None) -> KeptFeedback:
    return KeptFeedback(datetime(2026, 3, 16, 10, 0, tzinfo=UTC), service, client, said)


ALL = [
    kept(accepted()),
    kept(overridden("2", 1, REASON), client="Example Hospital"),
    kept(overridden("3", 2, replace(REASON, comment=None))),
    kept(overridden(CARD, 3), "nct06920199-order-sign"),
    kept(overridden("4", 4, OverrideReason(comment="only words"))),
]


def test_text_counts_by_service_and_by_reason() -> None:
    lines = feedback_text(ALL, None, comments=False).splitlines()
    assert lines[0] == "5 entries of feedback on 5 cards"
    assert "  nct06920199-order-sign: accepted 0, overridden 1" in lines
    assert "  nct06920199-patient-view: accepted 1, overridden 3" in lines
    assert "      2  patient-refuses Patient declined" in lines
    assert "      2  no reason was given" in lines


def test_text_lists_every_entry_with_what_is_known_of_it() -> None:
    text = feedback_text(ALL, date(2026, 3, 1), comments=False)
    assert "received since 2026-03-01" in text
    assert f"2026-03-16 09:30:00Z  accepted    {CARD}  {SERVICE}\n    suggestions 0de9b208-" in text
    assert "from Example Hospital" in text
    assert text.count("overridden  ") == 4


def test_nothing_is_listed_as_nothing() -> None:
    assert feedback_text([], None, comments=False) == "0 entries of feedback on 0 cards\n"
    assert json.loads(feedback_json([], None, comments=False))["entries"] == []


@pytest.mark.parametrize("form", [feedback_text, feedback_json, feedback_csv])
def test_comments_are_shown_only_when_asked_for(
    form: Callable[[Sequence[KeptFeedback], date | None, bool], str],
) -> None:
    assert CANARY not in form(ALL, None, False)
    assert CANARY in form(ALL, None, True)


def test_a_client_that_leaves_the_display_out_means_the_same_reason() -> None:
    """A code of ours is shown with our words where nobody sent any."""
    bare = kept(overridden("5", 5, replace(REASON, display=None)))
    assert "      3  patient-refuses Patient declined" in feedback_text([*ALL, bare], None, comments=False).splitlines()
    assert "      1  patient-refuses Patient declined" in feedback_text([bare], None, comments=False).splitlines()


def test_text_is_also_chinese() -> None:
    assert feedback_text(ALL, None, comments=False, language="zh-CN").startswith("5 张卡片的反馈 5 条")


def test_text_says_how_many_comments_it_does_not_show() -> None:
    assert "speak of a patient: 2. --comments" in feedback_text(ALL, None, comments=False)
    assert "--comments" not in feedback_text(ALL, None, comments=True)
    assert "--comments" not in feedback_text(ALL[:1], None, comments=False)


def test_nothing_that_was_sent_steers_the_terminal() -> None:
    text = feedback_text([kept(overridden("\x1b[2J", 0, OverrideReason(comment="a\nb\x07")))], None, comments=True)
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "a b" in text


def test_json_holds_counts_and_entries() -> None:
    whole = json.loads(feedback_json(ALL, date(2026, 3, 1), comments=True))
    assert whole["since"] == "2026-03-01"
    assert whole["services"][SERVICE] == {"accepted": 1, "overridden": 3}
    coding = {"code": REASON.code, "system": REASON.system, "display": REASON.display}
    assert whole["overrideReasons"][0] == coding | {"count": 2}
    assert whole["entries"][1] == {
        "received": "2026-03-16T10:00:00+00:00",
        "service": SERVICE,
        "client": "Example Hospital",
        "card": "2",
        "outcome": "overridden",
        "outcomeTimestamp": "2026-03-16T09:31:00+00:00",
        "overrideReasons": [coding | {"userComment": CANARY}],
    }


def test_csv_has_a_line_for_each_entry_and_several_reasons_in_one_cell() -> None:
    several = kept(overridden("=1+1", 0, OverrideReason("a", comment='say "x", y'), OverrideReason("b")))
    rows = list(csv.DictReader(io.StringIO(feedback_csv([*ALL, several], None, comments=True), newline="")))
    assert len(rows) == len(ALL) + 1
    assert rows[-1]["reason_code"] == "a\nb"
    assert rows[-1]["reason_comment"] == 'say "x", y\n'
    assert rows[0]["accepted_suggestions"].startswith("0de9b208")
    assert (rows[0]["client"], rows[1]["client"]) == ("", "Example Hospital")
    assert rows[0]["outcome_timestamp"] == AT.isoformat()


@pytest.mark.parametrize("formula", ["=1+1", "+1", "-1", "@x"])
def test_a_spreadsheet_takes_nothing_for_a_formula(formula: str) -> None:
    said = overridden(formula, 0, OverrideReason(formula, comment=formula))
    row = next(csv.DictReader(io.StringIO(feedback_csv([kept(said)], None, comments=True))))
    assert (row["card"], row["reason_code"], row["reason_comment"]) == (f"'{formula}",) * 3
