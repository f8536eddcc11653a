"""Dosage instructions in free text ("sigs"): understood to the last word, or not at all.

There is no default: a word that sig.yaml does not name, a sum that does not add up or a second dose yields a
fault instead of a dose. The drug is the order's: its name in the text is skipped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, cast

from cds_service.clinical.interval import Interval
from cds_service.clinical.medications import Shares, even_shares
from cds_service.fhir.sig_doses import Dose, alternates, mean_of_alternating, sum_of_day
from cds_service.fhir.sig_words import (
    ONE,
    Rules,
    SigFault,
    Unreadable,
    Word,
    names_odd_or_even_days,
    reduced,
    refuse,
    span,
    words_of,
)

__all__ = ["Sig", "SigFault", "read_frequency", "read_sig"]

Unit = Literal["mg", "mg/kg", "tablet", "mL"]
Pattern = Literal["daily", "qod", "alternating", "weekly"]


@dataclass(frozen=True, slots=True)
class Sig:
    """One dosage instruction that was understood to its last word.

    `amount` is per administration, in `unit`; without a unit it is a bare number ("1 QHS"). Of doses over one
    day ("20 mg in the morning and 10 mg at night", "in 2 divided doses") it is the sum, and `per_day` 1. Of two
    doses on alternating days it is the mean, and `per_day` 1, too.
    `milligrams` are per administration, stated beside another unit; `per_tablet` is a strength in mg.
    `total` is mg per day together with the other dose of an `added_to` instruction. `shares` say how a sum is divided
    over the day, and are None where the amount is that of one administration. `times` are the times of day named.
    """

    amount: Interval | None
    unit: Unit | None
    milligrams: Interval | None
    per_tablet: Interval | None
    per_day: Interval | None
    pattern: Literal[Pattern, "unknown"]
    as_needed: bool
    days: int | None
    added_to: bool
    total: Interval | None
    once: bool
    shares: Shares | None = None
    times: frozenset[str] = frozenset()


_QUANTITIES = {"M": ("q", "mg"), "G": ("k", "mg/kg"), "T": ("t", "tablet"), "L": ("l", "mL")}


def _quantity(words: Sequence[Word]) -> Word:
    kind, name = _QUANTITIES[words[1].kind]
    return Word(kind, name, words[0].number.times(words[1].number))


def _strength(words: Sequence[Word]) -> Word:
    """The mg of one tablet: "5 mg tablets", "5 mg per tablet", "每片5mg"."""
    strength = next(replace(word, kind="r") for word in words if word.kind == "q")
    return strength if strength.number.is_exact else refuse(words)  # "2-5 mg tablets" may be two to five


def _counted(words: Sequence[Word]) -> Word:
    """Tablets with their strength: "5mg*6片", "2 tabs of 5 mg", "two 5 mg tablets", "2 x 5 mg"."""
    count = next(word for word in words if word.kind in "Nt")
    strength = next(word for word in words if word.kind in "qr")
    kinds = "".join(word.kind for word in words)
    if (kinds == "Nr" and not count.text.isalpha()) or (kinds in ("tq", "qt") and count.number != ONE):
        return refuse(words)  # "2 5 mg tablets" may be 2.5; "2 tabs 10 mg" may be 10 mg each or in all
    return Dose("A", "tablet", count.number, per_tablet=strength.number)


def _beside(words: Sequence[Word]) -> Word:
    """One dose in mg and in another unit: "20 mg = 1 tab", "3 tabs (12 mg total)", "30mg(5mg*6片)"."""
    dose = next(word for word in words if word.kind in "tlkA")
    milligrams = next(word for word in words if word.kind == "q")
    labelled = any(word.kind in "Ze=" for word in words) or words[0] is milligrams
    if not labelled and dose.text == "tablet" and dose.number != ONE:
        return refuse(words)  # "4 tablets (20 mg)" may be 20 mg each or in all
    per_tablet = dose.per_tablet if isinstance(dose, Dose) else None
    return Dose("A", dose.text, dose.number, milligrams.number, per_tablet)


def _bare(words: Sequence[Word]) -> Word:
    """A count of something unnamed. More than four, and decimals, are as likely milligrams, and refused."""
    if "." in words[0].text or (words[0].number.high or 0) > 4:
        return refuse(words)
    return Dose("A", "", words[0].number)


_DOSES: Rules = (
    (r"N[MGTL]", _quantity),
    (r"q-q|k-k|t-t|l-l", span),
    (r"ETq|q[ER]T|qT", _strength),
    # "3 x 10 mg" with no word of how often may be three times a day.
    (r"NXq(?=.*F)|NXr|tX[qr]|qXt|to[qr]|t\((?:r|qE)\)|tq|qt|Nr", _counted),
    (r"q=[tlA]|[tlkA]=q|q\([tlA]\)|[tlkA]\((?:(?:Z,?|=)?q|qZ|qe)\)", _beside),
    # A total, and the other dose in it: milligrams (q), or tablets of so many mg (r) that are not counted.
    (r"Z,?[qN]", lambda words: Word("z", "", words[-1].number)),
    (r"H[qr]", lambda words: Word("+", words[-1].kind, words[-1].number)),
    (r"[qktl]", lambda words: Dose("A", words[0].text, words[0].number)),
    (r"e_*A|Ae", lambda words: next(word for word in words if word.kind == "A")),
    (r"N(?=[NAr])", refuse),
    (r"N", _bare),
)

_READABLE = frozenset("AFSQKOJVpruzY+&a")


def _the(kind: str, words: Sequence[Word], fault: SigFault = "not-understood") -> Word | None:
    """The one thing said of these kinds, however often it is said; two different ones are the fault."""
    said = list(dict.fromkeys(word for word in words if word.kind in kind))
    if len(said) > 1:
        raise Unreadable(fault)
    return said[0] if said else None


def _dose(words: Sequence[Word]) -> Dose | None:
    """The dose with the strength that stands apart from it. Its parts must add up."""
    strength = _the("r", words, "contradicts-itself")
    dose = next((word for word in words if isinstance(word, Dose)), None)
    if dose is None:
        return None
    if (not dose.text and not strength and _the("Y", words)) or (strength and dose.text in ("mg/kg", "mL")):
        refuse(words)  # "prednisone 2 daily" may be milligrams
    dose = replace(dose, per_tablet=dose.per_tablet or (strength.number if strength else None))
    tablets = dose.per_tablet.times(dose.number) if dose.per_tablet and dose.text == "tablet" else None
    two_strengths = strength and dose.per_tablet != strength.number
    if two_strengths or (tablets and dose.milligrams not in (None, tablets)):
        raise Unreadable("contradicts-itself")
    return dose


def _how_often(words: Sequence[Word]) -> tuple[Interval | None, Pattern | Literal["unknown"]]:
    """Administrations per day and their pattern. Times of day count as administrations."""
    said, at = _the("F", words, "contradicts-itself"), _the("SQ", words)
    times_a_day = Interval.exactly(len(at.text.split())) if at else None
    per_day = said.number if said else times_a_day
    if per_day is None:
        return None, "unknown"
    seldom = per_day.high is not None and per_day.high <= 1
    if times_a_day not in (None, per_day) and not (times_a_day == ONE and seldom and at and at.kind == "S"):
        raise Unreadable("contradicts-itself")
    if said and said.text in ("weekly", "alternating"):
        return per_day, cast(Pattern, said.text)
    return per_day, "qod" if per_day.scaled(2) == ONE else "daily" if per_day.low >= 1 else "unknown"


def _total_with_other(dose: Dose | None, per_day: Interval | None, words: Sequence[Word]) -> Interval | None:
    """mg per day together with the other dose, as named or, where all is told, as it adds up."""
    other, named = _the("+", words), _the("z", words)
    own = dose.in_milligrams if dose else None
    together = own + other.number if own and other and other.text == "q" and per_day in (ONE, None) else None
    if named is None:
        return together if per_day else None
    if together is None and (per_day != ONE or not (other or own)):
        refuse(words)  # the total may be that of this dose alone
    if other is None and own == named.number:
        return None
    if together not in (None, named.number) or (own and own.high and own.high >= named.number.low):
        raise Unreadable("contradicts-itself")
    return named.number


def _refuse_half_said(words: Sequence[Word], per_day: Interval | None) -> None:
    """Refuses words that mean something only beside others, where these are missing."""
    kinds = {word.kind for word in words}
    says_nothing = not kinds & set("AFSQpO")
    no_dose = "A" not in kinds and kinds & set("+zrV")
    not_how_often = per_day is None and kinds & set("Ju")
    shared_out = "V" in kinds and (kinds & set("SQ") or per_day != ONE)
    repeated = "O" in kinds and kinds & set("FSQKV")
    # "10 mg, total 20 mg daily" may be twice a day; in "5 mg daily plus 10 mg prn" one or both are prn.
    unclear = kinds & set("pKO") if "+" in kinds else "zF" in "".join(word.kind for word in words)
    if says_nothing or no_dose or not_how_often or shared_out or repeated or unclear or "&" in kinds:
        refuse(words)


def _assembled(words: Sequence[Word]) -> Sig:
    kinds = [word.kind for word in words]
    words = [word for word in words if word.kind not in "_,()"]
    understood = _READABLE.issuperset(word.kind for word in words) and kinds.count("(") == kinds.count(")")
    if not understood or any(word.kind == "Y" for word in words[1:]):
        refuse(words)
    if alternates(words):
        words = mean_of_alternating(words)
    elif kinds.count("A") > 1:
        words = sum_of_day(words)
    kinds = [word.kind for word in words]
    per_day, pattern = _how_often(words)
    _refuse_half_said(words, per_day)
    dose, lasting = _dose(words), _the("K", words)
    total = _total_with_other(dose, per_day, words)
    days = lasting.number.low if lasting else None
    if days and per_day and per_day.low < 1 >= days * per_day.low:
        refuse(words)  # "for 5 days every 4 weeks" is not every 4 weeks
    sig = Sig(
        None, None, None, None, per_day, pattern, "p" in kinds, int(days) if days else None,
        added_to="+" in kinds or total is not None, total=total, once="O" in kinds,
        times=frozenset(time for word in words if word.kind in "SQ" for time in word.text.split()),
    )  # fmt: skip
    if dose is None:
        return sig
    unit, divided = cast(Unit | None, dose.text or None), _the("V", words)
    shares = even_shares(divided.number if divided.number != ONE else None) if divided else dose.shares
    return replace(
        sig, amount=dose.number, unit=unit, milligrams=dose.milligrams, per_tablet=dose.per_tablet, shares=shares
    )


def _is_in_turn(word: Word) -> bool:
    return word.kind == "a" or names_odd_or_even_days(word)


def read_sig(text: str) -> Sig | SigFault:
    """What the text says, or why it cannot be told: never a dose of which a word was left out."""
    if not text.strip():
        return "blank"
    words: list[Word] = []
    try:
        words = words_of(text)
        return _assembled(reduced(words, _DOSES))
    except Unreadable as unreadable:
        return "several-doses" if any(map(_is_in_turn, words)) else unreadable.fault


def read_frequency(text: str) -> tuple[Interval, Pattern] | None:
    """The administrations per day of a text that says how often and nothing else, such as a timing code."""
    sig = read_sig("weekly" if text.strip().upper() == "WK" else text)
    if not isinstance(sig, Sig) or sig.per_day is None or sig.pattern == "unknown":
        return None
    says_more = sig.amount or sig.as_needed or sig.days or sig.added_to
    return None if says_more else (sig.per_day, sig.pattern)
