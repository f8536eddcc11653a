"""The messages of feedback in all their dialects, and what of them cannot be taken."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.errors import MalformedBody, NotConformant
from cds_service.hooks.feedback import Batch, Feedback, OverrideReason, read_feedback
from tests.store.said import AT, CARD, SUGGESTION, entry, message

CANARY = "Zebrafink-4711"
CODING = {"code": "patient-refuses", "system": "http://example.org/reasons", "display": "Patient declined"}
CODED = OverrideReason(CODING["code"], CODING["system"], CODING["display"])
EPIC = "com.epic.cdshooks.feedback.overrideReason"
CODING_PARTS = ("patient-refuses", "http://example.org/reasons", "Patient declined")
TAKEN = {"outcome": "accepted", "acceptedSuggestions": [{"id": SUGGESTION}]}


def read(*entries: Any) -> Batch:
    return read_feedback(json.dumps({"feedback": entries}).encode())


def only(said: Any) -> Feedback:
    batch = read(said)
    assert batch.refused == ()
    (found,) = batch.entries
    return found


def refusal(said: Any) -> str:
    batch = read(said)
    assert batch.entries == ()
    assert len(batch.refused) == 1
    return batch.refusal


class TestOutcomes:
    def test_an_accepted_card(self) -> None:
        assert only(entry(**TAKEN)) == Feedback(CARD, "accepted", AT, (SUGGESTION,))

    def test_an_overridden_card_needs_no_reason(self) -> None:
        assert only(entry()) == Feedback(CARD, "overridden", AT)

    def test_several_suggestions_are_all_taken(self) -> None:
        several = [{"id": "b"}, {"id": "a", "extension": {"x": 1}}]
        assert only(entry(outcome="accepted", acceptedSuggestions=several)).accepted == ("b", "a")

    @pytest.mark.parametrize("card", ["123456", "7A2F7A1E-8F2B-4C55-9A55-0F4E0C3F5A10", "x" * 256, "  a b  "])
    def test_the_id_of_a_card_need_be_no_uuid(self, card: str) -> None:
        assert only(entry(card=card)).card == card.strip()

    def test_fields_that_nobody_here_knows_are_ignored(self) -> None:
        assert only(entry(hookInstance="x", extension={"y": None})) == Feedback(CARD, "overridden", AT)

    def test_many_entries_about_several_cards_and_repetitions_are_taken_in_order(self) -> None:
        batch = read(entry(), entry(card="2"), entry(**TAKEN), entry())
        assert [one.card for one in batch.entries] == [CARD, "2", CARD, CARD]


class TestReasons:
    @pytest.mark.parametrize("key", ["overrideReason", "overrideReasons"])
    @pytest.mark.parametrize(
        ("written", "read_as"),
        [
            ({"reason": CODING}, CODED),
            ({"reason": CODING, "userComment": " why "}, OverrideReason(*CODING_PARTS, "why")),
            (CODING, CODED),
            (CODING | {"userComment": "why"}, OverrideReason(*CODING_PARTS, "why")),
            ({"reason": {"code": "x"}}, OverrideReason("x")),
            ({"reason": {"code": "x", "display": "X"}}, OverrideReason("x", None, "X")),
            ({"reason": {"code": "x", "system": "s"}}, OverrideReason("x", "s")),
            ({"code": "x"}, OverrideReason("x")),
            ({"code": 45}, OverrideReason("45")),
            ({"reason": {"display": "X"}}, OverrideReason(None, None, "X")),
            ({"reason": None, "userComment": "why"}, OverrideReason(comment="why")),
            ({"userComment": "why"}, OverrideReason(comment="why")),
            ({"userComment": "x" * 10_000}, OverrideReason(comment="x" * 10_000)),
        ],
    )
    def test_nested_and_flat_under_either_name(self, key: str, written: Any, read_as: OverrideReason) -> None:
        assert only(entry(**{key: written})).reasons == (read_as,)

    @pytest.mark.parametrize("nothing", [None, {}, [], {"reason": {}}, {"reason": None}, {"userComment": ""}], ids=str)
    def test_a_reason_that_says_nothing_is_none(self, nothing: Any) -> None:
        assert only({**entry(), "overrideReason": nothing}).reasons == ()

    def test_what_a_hospital_configured_stands_in_epics_extension(self) -> None:
        extension = {
            f"{EPIC}.reasonCategory": "45",
            f"{EPIC}.reasonDisplay": "Does not fit",
            f"{EPIC}.reasonTitle": "T",
        }
        said = only(entry(card="123456", overrideReasons={"extension": extension, "userComment": "why"}))
        assert said.reasons == (OverrideReason("45", f"{EPIC}.reasonCategory", "Does not fit", "why"),)

    @pytest.mark.parametrize(
        ("extension", "read_as"),
        [
            ({f"{EPIC}.reasonTitle": "T"}, (OverrideReason(None, None, "T"),)),
            ({f"{EPIC}.reasonCategory": 45}, (OverrideReason("45", f"{EPIC}.reasonCategory"),)),
            ({f"{EPIC}.reasonCategory": {"x": 1}, "other": "x"}, ()),
            ([1], ()),
            ("text", ()),
        ],
    )
    def test_an_extension_never_costs_the_entry(self, extension: Any, read_as: tuple[OverrideReason, ...]) -> None:
        assert only(entry(overrideReasons={"extension": extension})).reasons == read_as

    def test_a_coding_goes_before_the_extension(self) -> None:
        both = {"reason": CODING, "extension": {f"{EPIC}.reasonCategory": "45"}}
        assert only(entry(overrideReasons=both)).reasons == (CODED,)

    def test_several_reasons_in_an_array_are_all_kept_and_equal_ones_once(self) -> None:
        several = [{"reason": CODING}, {"code": "x"}, {"reason": CODING}, {}]
        assert only(entry(overrideReasons=several, overrideReason=CODING)).reasons == (CODED, OverrideReason("x"))


class TestMoments:
    @pytest.mark.parametrize(
        ("written", "moment"),
        [
            ("2026-03-16T09:30:00Z", AT),
            ("2026-03-16t09:30:00z", AT),
            ("2026-03-16 09:30:00Z", AT),
            ("2026-03-16T17:30:00+08:00", AT),
            ("2026-03-16T09:30:00", AT),
            ("2026-03-16T09:30:00.123Z", AT.replace(microsecond=123_000)),
            ("2026-03-16T09:30:00.123456789Z", AT.replace(microsecond=123_456)),
            ("9999-12-31T23:59:59Z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ],
    )
    def test_rfc_3339_in_utc(self, written: str, moment: datetime) -> None:
        assert only(entry(outcomeTimestamp=written)).at == moment

    @pytest.mark.parametrize(
        "written",
        [None, "", 0, 1773653400, "2026-03-16", "09:30:00Z", "20260316T093000Z", "2026-W12-1T09:30:00Z",
         "2026-02-30T09:30:00Z", "2026-03-16T25:00:00Z", "2026-03-16T09:30Z", "2026-03-16T09:30:00+24:00",
         "0001-01-01T00:00:00+08:00", "9999-12-31T23:59:59-08:00", "２０２６-03-16T09:30:00Z", CANARY],
    )  # fmt: skip
    def test_what_is_no_such_moment_is_refused(self, written: Any) -> None:
        said = refusal(entry(outcomeTimestamp=written))
        assert said.startswith("feedback[0].outcomeTimestamp: ")
        assert "2026-03-16T09:30:00Z" in said


class TestRefusals:
    @pytest.mark.parametrize(
        ("said", "place"),
        [
            (entry(card=None), "feedback[0].card"),
            (entry(card="  "), "feedback[0].card"),
            (entry(card=[CANARY]), "feedback[0].card"),
            (entry(card=True), "feedback[0].card"),
            (entry(card=CANARY + "x" * 256), "feedback[0].card"),
            (entry(card=f"{CANARY}\x00"), "feedback[0].card"),
            (entry(outcome=None), "feedback[0].outcome"),
            (entry(outcome=CANARY), "feedback[0].outcome"),
            (entry(outcome="Accepted"), "feedback[0].outcome"),
            (entry(outcome=[CANARY]), "feedback[0].outcome"),
            (entry(outcome="accepted"), "feedback[0].acceptedSuggestions"),
            (entry(outcome="accepted", acceptedSuggestions=[]), "feedback[0].acceptedSuggestions"),
            (entry(outcome="accepted", acceptedSuggestions=CANARY), "feedback[0].acceptedSuggestions"),
            (entry(outcome="accepted", acceptedSuggestions={"id": CANARY}), "feedback[0].acceptedSuggestions"),
            (entry(outcome="accepted", acceptedSuggestions=[CANARY]), "feedback[0].acceptedSuggestions[0]"),
            (entry(outcome="accepted", acceptedSuggestions=[{"id": "x"}, {}]), "feedback[0].acceptedSuggestions[1].id"),
            (entry(acceptedSuggestions=[{"id": "x"}] * 101), "feedback[0].acceptedSuggestions"),
            (entry(overrideReason=CANARY), "feedback[0].overrideReason"),
            (entry(overrideReason={"reason": CANARY}), "feedback[0].overrideReason.reason"),
            (entry(overrideReason={"reason": {"code": [CANARY]}}), "feedback[0].overrideReason.reason.code"),
            (entry(overrideReason={"reason": {"code": "x" * 257}}), "feedback[0].overrideReason.reason.code"),
            (entry(overrideReason={"reason": {"system": "x" * 1025}}), "feedback[0].overrideReason.reason.system"),
            (entry(overrideReason={"display": {CANARY: 1}}), "feedback[0].overrideReason.display"),
            (entry(overrideReason={"userComment": CANARY + "x" * 10_000}), "feedback[0].overrideReason.userComment"),
            (entry(overrideReason={"userComment": f"\x00{CANARY}"}), "feedback[0].overrideReason.userComment"),
            (entry(overrideReasons=[{}, {"code": {}}]), "feedback[0].overrideReasons[1].code"),
            (CANARY, "feedback[0]"),
            (None, "feedback[0]"),
            ([entry()], "feedback[0]"),
        ],
    )
    def test_place_and_expectation_are_named_and_nothing_is_repeated(self, said: Any, place: str) -> None:
        words = refusal(said)
        assert words.startswith(f"{place}: ")
        assert len(words) > len(place) + 20
        assert CANARY not in words

    def test_a_bad_entry_costs_only_itself(self) -> None:
        batch = read(entry(card="1"), entry(outcome=None), entry(card="3"))
        assert [one.card for one in batch.entries] == ["1", "3"]
        assert batch.refused == ("feedback[1].outcome: expected accepted or overridden.",)

    def test_of_many_bad_entries_five_are_named_and_the_rest_counted(self) -> None:
        words = read(*[entry(outcome=None)] * 12).refusal
        assert words.count("feedback[") == 5
        assert words.endswith("And 7 more.")

    @pytest.mark.parametrize(
        "body",
        [b"", b"{", b"\xff", b'{"feedback": [NaN]}', b'{"feedback": ["\\ud800"]}', b"[" * 10**6],
        ids=lambda body: repr(body[:24]),
    )
    def test_what_is_no_json_is_malformed(self, body: bytes) -> None:
        with pytest.raises(MalformedBody):
            read_feedback(body)

    @pytest.mark.parametrize("body", [[], 7, None, "x", {}, entry(), {"feedback": None}, {"feedback": []},
                                      {"feedback": entry()}, {"feedback": {"0": entry()}}], ids=str)  # fmt: skip
    def test_json_without_entries_is_no_feedback(self, body: Any) -> None:
        with pytest.raises(NotConformant, match="feedback") as raised:
            read_feedback(json.dumps(body).encode())
        assert CARD not in str(raised.value)

    def test_a_thousand_entries_are_taken_and_one_more_is_not(self) -> None:
        assert len(read(*[entry()] * 1000).entries) == 1000
        with pytest.raises(NotConformant, match="1000") as raised:
            read(*[entry()] * 1001)
        assert raised.value.code == "too-long"


def test_the_message_of_the_specification() -> None:
    whole = message(entry(**TAKEN), entry(overrideReason={"reason": CODING, "userComment": "why"}))
    assert len(read_feedback(json.dumps(whole).encode()).entries) == 2


TEXTS = st.sampled_from(["", "x", "accepted", "overridden", "2026-03-16T09:30:00Z", "\x00", "x" * 300]) | st.text()
KEYS = st.sampled_from(["card", "outcome", "outcomeTimestamp", "acceptedSuggestions", "overrideReason", "id", "reason",
                        "overrideReasons", "code", "system", "display", "userComment", "extension"])  # fmt: skip
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
ANYTHING = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=6), max_leaves=12
)


@given(st.lists(ANYTHING | st.dictionaries(KEYS, ANYTHING).map(lambda said: entry() | said), min_size=1, max_size=3))
def test_whatever_is_sent_each_entry_is_taken_or_refused_with_its_place(said: list[Any]) -> None:
    batch = read(*said)
    assert len(batch.entries) + len(batch.refused) == len(said)
    assert all(one.startswith("feedback[") for one in batch.refused)
    for one in batch.entries:
        assert one.card
        assert one.at.tzinfo is UTC
        assert bool(one.accepted) or one.outcome == "overridden"
        assert all(reason != OverrideReason() for reason in one.reasons)
