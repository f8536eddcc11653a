"""Dosage texts and what is understood of them. The rule: to the last word, or not at all."""

from __future__ import annotations

import re
import time
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.clinical.interval import Interval
from cds_service.fhir.sig import Sig, read_frequency, read_sig

# How a reading is written below: the fields in the order of `Sig`, without those that say nothing.
_SHORT = {
    "amount": "",
    "milligrams": "mg=",
    "per_tablet": "per_tablet=",
    "per_day": "per_day=",
    "total": "total=",
}


def _number(interval: Interval) -> str:
    return str(interval.low) if interval.is_exact else f"{interval.low}..{interval.high}"


def _brief(text: str) -> str:
    """The reading of a text on one line: amount, unit, then what else it says."""
    sig = read_sig(text)
    if not isinstance(sig, Sig):
        return sig
    said = []
    for name, value in ((field, getattr(sig, field)) for field in sig.__dataclass_fields__):
        if isinstance(value, Interval):
            said.append(_SHORT[name] + _number(value))
        elif isinstance(value, bool):
            said += [name] * value
        elif name not in ("shares", "times") and value not in (None, "unknown"):
            said.append(f"days={value}" if name == "days" else str(value))
    return " ".join(said)


_UNDERSTOOD = {
    # an amount in milligrams
    "30 mg po qam": "30 mg per_day=1 daily",
    "20mg qd po": "20 mg per_day=1 daily",
    "20 MG b.i.d. p.o.": "20 mg per_day=2 daily",
    "20 mg/day": "20 mg per_day=1 daily",
    "20 mg once every morning by mouth with breakfast": "20 mg per_day=1 daily",
    "0.5 mg/kg daily": "1/2 mg/kg per_day=1 daily",
    "0.5mg·kg⁻¹·d⁻¹": "1/2 mg/kg per_day=1 daily",
    "0.5 mg/kg (30 mg) daily": "1/2 mg/kg mg=30 per_day=1 daily",
    "Take prednisone 20 mg daily": "20 mg per_day=1 daily",
    # numbers
    ".5 mg daily": "1/2 mg per_day=1 daily",
    "500 mcg daily": "1/2 mg per_day=1 daily",
    "500 µg daily": "1/2 mg per_day=1 daily",
    "1 g daily": "1000 mg per_day=1 daily",
    "1,000 mg daily": "1000 mg per_day=1 daily",
    "２０ｍｇ　ｑｄ": "20 mg per_day=1 daily",
    "30-40 mg daily": "30..40 mg per_day=1 daily",
    "30mg – 40 mg daily": "30..40 mg per_day=1 daily",
    "½ tablet daily": "1/2 tablet per_day=1 daily",
    "1½ tablets daily": "3/2 tablet per_day=1 daily",
    "1 1/2 tablets daily": "3/2 tablet per_day=1 daily",
    "one and a half tablets daily": "3/2 tablet per_day=1 daily",
    "one-half tablet daily": "1/2 tablet per_day=1 daily",
    "Take 2 (two) tablets daily": "2 tablet per_day=1 daily",
    # tablets and volumes
    "Take 1 tablet by mouth every 12 hours": "1 tablet per_day=2 daily",
    "two tablets by mouth once a day with food": "2 tablet per_day=1 daily",
    "1 QHS": "1 per_day=1 daily",
    "1-2 tablets q6-8h": "1..2 tablet per_day=3..4 daily",
    "5 mL (15 mg) daily": "5 mL mg=15 per_day=1 daily",
    # milligrams beside them
    "20 mg = 1 tab, Oral, Daily": "1 tablet mg=20 per_day=1 daily",
    "Take 3 tabs (12 mg total) BID": "3 tablet mg=12 per_day=2 daily",
    "Take 3 tablets (12 mg total) twice daily": "3 tablet mg=12 per_day=2 daily",
    "2 tablets (10 mg per dose) every other day": "2 tablet mg=10 per_day=1/2 qod",
    "2 tabs (10 mg total) every other day": "2 tablet mg=10 per_day=1/2 qod",
    "0.5 tablet (2 mg total) daily": "1/2 tablet mg=2 per_day=1 daily",
    "Take 5 tablets (5 mg total) daily": "5 tablet mg=5 per_day=1 daily",
    "20 mg (4 tablets) daily": "4 tablet mg=20 per_day=1 daily",
    "30mg(5mg*6片) qd": "6 tablet mg=30 per_tablet=5 per_day=1 daily",
    # strengths
    "1 tab 4 mg qd": "1 tablet per_tablet=4 per_day=1 daily",
    "take two 5 mg tablets daily": "2 tablet per_tablet=5 per_day=1 daily",
    "5 mg tablets, take 2 daily": "2 per_tablet=5 per_day=1 daily",
    "2 x 5 mg daily": "2 tablet per_tablet=5 per_day=1 daily",
    "2 tablets (5 mg each) daily": "2 tablet per_tablet=5 per_day=1 daily",
    "5mg*6片 qd": "6 tablet per_tablet=5 per_day=1 daily",
    # several times of one day are one sum
    "40 mg every morning and 20 mg every evening": "60 mg per_day=1 daily",
    "20 mg in the morning and 10 mg at night": "30 mg per_day=1 daily",
    "早20mg，晚10mg": "30 mg per_day=1 daily",
    "早晚各10mg": "10 mg per_day=2 daily",
    "20 mg daily in 2 divided doses": "20 mg per_day=1 daily",
    "每日30mg 分2次服": "30 mg per_day=1 daily",
    # what says nothing of the dose
    "Continue 20 mg daily. Do not stop abruptly.": "20 mg per_day=1 daily",
    "Take 20 mg by mouth daily. Indications: chronic GVHD": "20 mg per_day=1 daily",
    "Give 20 mg via G-tube every 12 hours scheduled": "20 mg per_day=2 daily",
    "10 mg tid pc": "10 mg per_day=3 daily",
    "20 mg mane": "20 mg per_day=1 daily",
    # two doses in turn
    "40 mg alternating with 20 mg": "30 mg per_day=1 alternating",
    "40 mg alternating with 20 mg every other day": "30 mg per_day=1 alternating",
    "40 mg and 20 mg on alternate days": "30 mg per_day=1 alternating",
    "Alternate 40 mg with 20 mg every morning": "30 mg per_day=1 alternating",
    "40 mg every other day alternating with 20 mg every other day": "30 mg per_day=1 alternating",
    "8 tabs alternating with 4 tabs daily for 14 days": "6 tablet per_day=1 alternating days=14",
    "2 tablets (40 mg total) alternating with 1 tablet (20 mg total)": "3/2 tablet mg=30 per_day=1 alternating",
    "40mg与20mg隔日交替": "30 mg per_day=1 alternating",
    "40 mg on alternate days": "40 mg per_day=1/2 qod",
    "40 mg on odd days": "40 mg per_day=1/2 qod",
    "Take 20 mg by mouth on even days": "20 mg per_day=1/2 qod",
    # how often
    "20 mg 2-3 times a day": "20 mg per_day=2..3 daily",
    "20 mg once weekly": "20 mg per_day=1/7 weekly",
    "20 mg three times a week": "20 mg per_day=3/7 weekly",
    "20 mg every 3 days": "20 mg per_day=1/3",
    "every other day": "per_day=1/2 qod",
    # conditions, length, once
    "10 mg po daily prn": "10 mg per_day=1 daily as_needed",
    "5 mg daily as needed for flare": "5 mg per_day=1 daily as_needed",
    "Take as needed.": "as_needed",
    "20 mg qd x 5 days": "20 mg per_day=1 daily days=5",
    "20 mg one time a day for 2 weeks": "20 mg per_day=1 daily days=14",
    "Take 4 tablets daily for 7 days starting January 16, 2015": "4 tablet per_day=1 daily days=7",
    "40 mg x1 dose": "40 mg once",
    "40 mg = 2 tab, Oral, Once": "2 tablet mg=40 once",
    # together with another dose
    "5 mg daily with 20 mg, total 25 mg": "5 mg per_day=1 daily added_to total=25",
    "5 mg with 20 mg, total 25": "5 mg added_to total=25",
    "5 mg daily plus 20 mg": "5 mg per_day=1 daily added_to total=25",
    "1 tablet daily in addition to 20 mg": "1 tablet per_day=1 daily added_to",
    "5mg qd 共25mg": "5 mg per_day=1 daily added_to total=25",
    "10 mg daily, total 10 mg": "10 mg per_day=1 daily",
    # Chinese
    "口服 20mg 每日一次": "20 mg per_day=1 daily",
    "泼尼松 30mg qd 口服": "30 mg per_day=1 daily",
    "4片 每日一次": "4 tablet per_day=1 daily",
    "每次4片，每日1次": "4 tablet per_day=1 daily",
    "一次4片 一日3次": "4 tablet per_day=3 daily",
    "一片半 每天两次": "3/2 tablet per_day=2 daily",
    "每日2次，每次10mg": "10 mg per_day=2 daily",
    "隔日一次 30mg": "30 mg per_day=1/2 qod",
    "隔日早上顿服30mg": "30 mg per_day=1/2 qod",
    "每晨顿服30mg": "30 mg per_day=1 daily",
    "0.5mg/(kg·d) 口服": "1/2 mg/kg per_day=1 daily",
    "1 mg/kg·d": "1 mg/kg per_day=1 daily",
    "静脉注射 40mg q12h": "40 mg per_day=2 daily",
    "20mg 立即": "20 mg once",
}

_REFUSED = {
    "blank": ["", " \n\u3000"],
    "taper": [
        "taper as directed", "TAPER AS DIRECTED", "逐渐减量", "20mg qd，每周减5mg",
        "Taper by 5 mg every 4 weeks to stop.",
    ],
    "as-directed": ["Use as directed.", "See Instructions.", "遵医嘱", "20 mg daily as directed"],
    "several-doses": [
        "40 mg daily for 7 days, then 20 mg daily",
        "Take 20 mg daily. Use 40 mg for exacerbations",
        "20 mg in the morning and 10 mg at night prn",  # which of them is?
        "20 mg in the morning and 10 mg in the morning",
        # alternating, but not two doses day by day
        "40 mg twice daily alternating with 20 mg twice daily", "40 mg weekly alternating with 20 mg weekly",
        "40 mg for 7 days alternating with 20 mg for 7 days", "40 mg on odd days and 20 mg on even days",
        "40 mg on odd days, none on even days", "20 mg daily, extra on odd days", "40 mg on odd days until review",
        "alternate 40 mg, 20 mg, 10 mg", "40 mg alternating with azathioprine 20 mg", "alternating",
        "2 tabs (40 mg) alternating with 1 tab (20 mg) daily", "4 alternating with 2 daily",
        "40 mg in the morning and at night alternating with 20 mg",
        "40 mg and 20 mg every other day", "40 mg daily for 7 days, then 20 mg daily until review",
        "40 mg alternating with 20 mg until review",
    ],
    "contradicts-itself": [
        "20 mg = 2 tab of 5 mg",
        "30mg(5mg*5片) qd",
        "Take 2 (three) tablets daily",
        "20 mg daily twice daily",
        "20 mg twice daily in the morning",
        "20 mg every morning every other day",
        "20 mg daily in 2 divided doses every other day",
        "5 mg daily plus 20 mg, total 30 mg",
    ],
    "not-understood": [
        # units and routes that are no systemic dose in mg
        "36.01 mg/m2 daily", "Prednisone (36.01 mg/m² IV), days 1 to 7, 15 to 21", "20 units daily",
        "20 U qd", "APPLY RECTALLY BID X 7 DAYS", "1 puff bid", "20 mg/h", "15 mg/5 mL daily",
        # numbers with more than one reading, or none
        "1,5 mg daily", "1.000 mg daily", "05 mg daily", "5 mg.5 tablets daily", "10/20 mg daily",
        "0 mg daily", "2-5 mg tablets daily", "1-1/2 tablets daily", "11/2 tablets daily",
        "2 half tablets daily", "1 000 mg daily", "5² mg daily", "40 mg to 20 mg daily", "1-0-1",
        "~20 mg daily", "-20 mg daily", "二十mg qd", "①片 qd",
        # mg of each tablet, or of all?
        "4 tablets (20 mg) daily", "2 tabs 10 mg daily", "4 tablets total 20 mg daily",
        "Prednisone 5 mg 2 tabs qd",
        # mg or tablets?
        "20 daily", "2.5 daily", "prednisone 2 daily", "Prednisone 5 1/2 tablet daily", "20mg tab daily",
        # how often?
        "2 x 5 mg", "20 mg with meals", "once in the morning 20 mg", "40 mg daily x1",
        "20 mg for 5 days every 4 weeks", "20 mg in the evening and at bedtime", "biweekly 20 mg",
        "20 mg divided bid", "20 mg 1/2 times daily", "20 mg every morning at night",
        "10 mg, total 20 mg daily", "5 mg daily plus 10 mg prn",
        # words that end or forbid a dose, or break off
        "If you miss a dose take 20 mg the next day", "Take 1 tablet daily, then rinse", "alternate arms 20 mg",
        "do not take 20 mg daily", "20 mg daily until January 16, 2015", "20 mg daily...", "20 mg (daily",
        "口服", "discontinue 20 mg daily", "20 mg with meals ac", "20 mg prednisone daily", "20 mg daily " * 50,
    ],
}  # fmt: skip

_FREQUENCIES = {
    "Daily": ("1", "daily"), "Q Day": ("1", "daily"), "QDAY": ("1", "daily"), "qd": ("1", "daily"),
    "2x Daily": ("2", "daily"), "BID": ("2", "daily"), "Q12H": ("2", "daily"), "每日两次": ("2", "daily"),
    "QAM": ("1", "daily"), "QHS": ("1", "daily"), "每日一次": ("1", "daily"), "3次/日": ("3", "daily"),
    "Every other day": ("1/2", "qod"), "QODAY": ("1/2", "qod"), "隔日": ("1/2", "qod"),
    "Q48H": ("1/2", "qod"),
    "twice a week": ("2/7", "weekly"), "WK": ("1/7", "weekly"), "每周一次": ("1/7", "weekly"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "reading"), _UNDERSTOOD.items())
def test_text_is_understood_to_its_last_word(text: str, reading: str) -> None:
    """The reading has every part that the text states and nothing else."""
    assert _brief(text) == reading


@pytest.mark.parametrize(("fault", "text"), [(fault, text) for fault in _REFUSED for text in _REFUSED[fault]])
def test_text_that_cannot_be_read_is_a_fault(fault: str, text: str) -> None:
    """The fault names the reason, and there is no dose."""
    assert read_sig(text) == fault


@pytest.mark.parametrize(("text", "rate"), _FREQUENCIES.items())
def test_frequency_alone_is_understood(text: str, rate: tuple[str, str]) -> None:
    """A timing code or its text gives administrations per day, exactly."""
    per_day, pattern = rate
    assert read_frequency(text) == (Interval.exactly(Fraction(per_day)), pattern)


@pytest.mark.parametrize("text", ["", "Once", "daily prn", "20 mg daily", "daily for 5 days", "MO"])
def test_text_that_is_not_only_a_frequency_is_none(text: str) -> None:
    """What a frequency cannot hold is not dropped: the answer is None."""
    assert read_frequency(text) is None


@given(st.text(max_size=600) | st.lists(st.sampled_from([*"0123 .,-/(½²mgx", *_UNDERSTOOD])).map(" ".join))
def test_any_text_is_read_or_refused(text: str) -> None:
    """No text raises, two readings agree, and no amount or rate is zero."""
    sig = read_sig(text)
    assert sig == read_sig(text)
    read_frequency(text)
    fields = [getattr(sig, name) for name in sig.__dataclass_fields__] if isinstance(sig, Sig) else []
    assert all(value.low > 0 for value in fields if isinstance(value, Interval))


@given(st.sampled_from([*_UNDERSTOOD]), st.sampled_from(["zebra", "not", "#", "斑马"]), st.integers(0, 9))
def test_unknown_word_makes_an_understood_text_a_fault(text: str, unknown: str, position: int) -> None:
    """One word that is not in the vocabulary, wherever it stands, leaves no dose."""
    words = re.split(r"\s", text)
    words.insert(position, unknown)
    refused = "several-doses" if re.search("alternat|交替|odd days|even days", text.lower()) else "not-understood"
    assert read_sig(" ".join(words)) in ("not-understood", refused)


@given(st.decimals(min_value="0.01", max_value=999, places=2))
def test_milligrams_are_exact(milligrams: Decimal) -> None:
    """The number in the text is the amount, unrounded."""
    sig = read_sig(f"{milligrams} mg daily")
    assert isinstance(sig, Sig)
    assert sig.amount == Interval.exactly(milligrams)


@pytest.mark.parametrize("piece", ["1", "1,", "1,000", "a.", "(", "1/2 ", "2 x 5 mg ", "1次口服", "am and "])
def test_repetition_is_read_at_once(piece: str) -> None:
    """No text makes the reader slow."""
    begun = time.perf_counter()
    read_sig((piece * 500)[:500])
    assert time.perf_counter() - begun < 1
