"""The words of a dosage instruction, and what they say about numbers and about how often.

A text becomes a row of `Word`s, each with a one-letter kind (sig.yaml lists them), so that the grammar can be
regular expressions over kinds, "NC" being a number and "times", instead of over letters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Literal

from cds_service.clinical.interval import Interval
from cds_service.strict_yaml import read_yaml

SigFault = Literal["blank", "not-understood", "as-directed", "taper", "several-doses", "contradicts-itself"]

ONE = Interval.exactly(1)
_WEEK = Interval.exactly(7)
_LONGEST_TEXT = 500
_UNKNOWN = "?"
_FAULTS: dict[str, SigFault] = {"<": "taper", ">": "as-directed", "?": "not-understood", "!": "several-doses"}
_AMOUNT = re.compile(r"[Nf][MGTL]")


class Unreadable(Exception):
    """A text that cannot be read to its last word, with the reason."""

    def __init__(self, fault: SigFault) -> None:
        super().__init__(fault)
        self.fault: SigFault = fault


@dataclass(frozen=True, slots=True)
class Word:
    """A word, or several that were understood together. Those that are no quantity have the number one."""

    kind: str
    text: str
    number: Interval = ONE


def names_odd_or_even_days(word: Word) -> bool:
    """True for a word beside which another dose must be expected, that of the other days."""
    return word.text in ("odd days", "even days")


Rules = Sequence[tuple[str, Callable[[Sequence[Word]], Word]]]


def reduced(words: Sequence[Word], rules: Rules) -> list[Word]:
    """The words after each rule, in order, has put one word for every stretch of kinds that it matches."""
    for pattern, build in rules:
        kinds = "".join(word.kind for word in words)
        result: list[Word] = []
        end = 0
        for match in re.finditer(pattern, kinds):
            result += [*words[end : match.start()], build(words[match.start() : match.end()])]
            end = match.end()
        words = [*result, *words[end:]]
    return list(words)


def refuse(_: Sequence[Word]) -> Word:
    """Never a word: what stands here means nothing, or more than one thing. Raises Unreadable."""
    raise Unreadable("not-understood")


_PIECE = re.compile(
    r"(?P<D>[0-9]{4}-[0-9]{2}-[0-9]{2}(?![0-9-]))"
    r"|(?P<f>(?<![0-9./,])(?:1/2|1/4|3/4)(?![0-9/]|\.[0-9]))"
    # A comma belongs to a number only before three digits. "1,5", "1.000" and "05" (is it ".5"?) are none.
    r"|(?P<N>(?<!\.)(?![1-9][0-9]{0,2}\.[0-9]{3}(?![0-9]))"
    r"(?:[1-9][0-9]{0,2}(?:,[0-9]{3})+|0|[1-9][0-9]*)(?:\.[0-9]+)?(?![0-9]|[.,/][0-9])"
    r"|(?<![^\s(=~x*-])\.[0-9]+(?![0-9]|[.,/][0-9]))"
    r"|[a-zμ]+|\.{2,}|\S"
)
_ABBREVIATION = re.compile(r"(?<![a-z.])(?:[a-z]\.)+[a-z](?![a-z])\.?")
_HYPHEN_IN_WORDS = re.compile(r"(?<=[a-z0-9])-(?=[a-z])")
_PER_KG_AND_DAY = re.compile(r"/\(kg[·.*]d\)|/kg·d(?![a-z])")
_POWER_OF_MINUS_ONE = re.compile(r"·(kg|d)(?:⁻¹|-1)")
_SPELLINGS = str.maketrans(  # hyphens and dashes, and what is written without NFKC saying so
    dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-")
    | {"\u301c": "~", "×": " x ", "\u2044": "/", "µ": "μ", "\uff0c": ", ", "、": ", "}
)


def _plain(character: str) -> str:
    """The character in its plain form; one that only resembles a digit or a word is refused ("m²", "①")."""
    variant, _, _ = unicodedata.decomposition(character).partition(" ")
    plain = unicodedata.normalize("NFKC", character)
    if variant == "<fraction>":
        return f" {plain} "  # "1½" is not 11/2
    if plain.isspace() or not variant.startswith("<"):
        return plain
    if variant not in ("<wide>", "<narrow>") and (variant != "<square>" or any(map(str.isdigit, plain))):
        raise Unreadable("not-understood")
    return plain


def _normalised(text: str) -> str:
    text = _PER_KG_AND_DAY.sub("/kg/d", _POWER_OF_MINUS_ONE.sub(r"/\1", text)).translate(_SPELLINGS)
    text = unicodedata.normalize("NFC", "".join(map(_plain, text)))
    text = " ".join(text.translate(_SPELLINGS).lower().split())
    return _HYPHEN_IN_WORDS.sub(" ", _ABBREVIATION.sub(lambda match: match[0].replace(".", ""), text))


def _piece(kind: str | None, text: str) -> Word:
    """A number, date or fraction by its kind; the rest, and zero, which nobody takes, as unknown yet."""
    if kind in ("N", "f"):
        value = Fraction(text.replace(",", ""))
        return Word(kind, text, Interval.exactly(value)) if value else Word(_UNKNOWN, text)
    # A digit that is no number of its own ("05") must not be taken for the digit of a phrase.
    return Word(kind or _UNKNOWN, "" if kind is None and text.isdigit() else text)


def _pieces(text: str) -> list[Word]:
    return [_piece(match.lastgroup, match[0]) for match in _PIECE.finditer(text)]


def _vocabulary() -> dict[tuple[str, ...], Word]:
    """The words of sig.yaml. Raises ValueError when one stands there twice."""
    found: dict[tuple[str, ...], Word] = {}
    sections = read_yaml("sig.yaml", Path(__file__).with_name("sig.yaml").read_bytes())
    for section, meanings in sections.items():
        for meaning, phrases in meanings.items():
            value, _, name = meaning.partition(" ")
            number = Interval.exactly(Fraction(value)) if value[0].isdigit() else ONE
            for phrase in phrases:
                key = tuple(piece.text for piece in _pieces(phrase))
                if key in found:
                    raise ValueError(f"sig.yaml names {phrase!r} twice")
                text = {"N": phrase, "f": phrase, "F": "", "P": name}.get(section[0], meaning)
                found[key] = Word(section[0], text, number)
    return found


_VOCABULARY = _vocabulary()
_LONGEST_PHRASE = max(map(len, _VOCABULARY))


def _looked_up(pieces: Sequence[Word]) -> Iterator[Word]:
    """The longest phrases of the vocabulary, and what is none as it stands."""
    texts = tuple(piece.text for piece in pieces)
    start = 0
    while start < len(pieces):
        lengths = range(min(_LONGEST_PHRASE, len(pieces) - start), 0, -1)
        length = next((n for n in lengths if texts[start : start + n] in _VOCABULARY), 0)
        yield _VOCABULARY[texts[start : start + length]] if length else pieces[start]
        start += length or 1


def words_of(text: str) -> list[Word]:
    """All words of the text, with its numbers and frequencies put together.

    Raises Unreadable when a word is unknown or says that the dose is not here.
    """
    if len(text) > _LONGEST_TEXT:
        raise Unreadable("not-understood")
    words = list(_looked_up(_pieces(_normalised(text))))
    kinds = "".join(word.kind for word in words)
    # Beside two doses, one after the other or in turn, a word more that nobody knows makes no difference.
    several = (set(kinds) & set("!a") and len(_AMOUNT.findall(kinds)) > 1) or any(map(names_odd_or_even_days, words))
    for kind, fault in _FAULTS.items():
        if kind in kinds:
            raise Unreadable("several-doses" if several and fault != "taper" else fault)
    return reduced(reduced(words, _NUMBERS), _HOW_OFTEN)


def _with_half(words: Sequence[Word]) -> Word:
    """The sum of "1 1/2", "2 and a half" or "一片半" (in tablets); "2 half tablets" is not two and a half."""
    whole, half = words[0], words[-1]
    in_tablets = words[1].kind == "T" and half.text == "半"
    in_digits = len(words) == 2 and half.text[0].isdigit() and whole.text.isdigit() and whole.number.low <= 10
    if not (in_tablets or in_digits or words[1].kind == "&") or whole.number.low.denominator > 1:
        return refuse(words)
    return Word("t" if in_tablets else "N", "tablet", whole.number + half.number)


def _repeated(words: Sequence[Word]) -> Word:
    """The number of "2 (two)"."""
    if words[0].number == words[2].number:
        return words[0]
    raise Unreadable("contradicts-itself")


def span(words: Sequence[Word]) -> Word:
    """The range from the first to the last; "40 mg to 20 mg" falls and is none."""
    low, high = words[0].number, words[-1].number
    if not (low.is_exact and high.is_exact and low.low < high.low):
        return refuse(words)
    return replace(words[0], number=low.hull(high))


_NUMBERS: Rules = (
    (r"sD|smN,?N", lambda words: Word("_", "start date")),
    # After a drug the first number may be its strength: "Prednisone 5 1/2 tablet".
    (r"(?<![YN])N&?f|NTf(?!T)", _with_half),
    (r"f", lambda words: replace(words[0], kind="N")),
    (r"N\(N\)", _repeated),
    (r"N-N", span),
)


def _period(words: Sequence[Word]) -> Word:
    """The days from one administration to the next in "every 12 hours", "a day" or the 一日 of 一日三次."""
    unit = words[-1].number
    count = words[-2].number if words[-2].kind == "N" else ONE
    # "20 mg/h" is a rate; 三日一次 may be read as once in three days or as three days.
    if (words[0].kind == "R" and unit.low < 1) or (words[0].kind == "N" and count != ONE):
        return refuse(words)
    return Word("P", "", count.times(unit))


def _frequency(words: Sequence[Word]) -> Word:
    """Administrations per day of "2 times" and "a week" in either order, or of a period alone."""
    times = next((word.number for word in words if word.kind == "W"), ONE)
    period = next(word.number for word in words if word.kind == "P")
    if times.low.denominator > 1 or (times != ONE and period not in (ONE, _WEEK)):
        return refuse(words)
    alternate = next((word.text for word in words if word.kind == "P"), "")
    return Word("F", "weekly" if period == _WEEK else alternate, times.over(period))


def _lasting(words: Sequence[Word]) -> Word:
    """The whole number of days of "for 2 weeks"."""
    days = words[1].number.times(words[2].number)
    if not days.is_exact or words[2].number.low < 1 or days.low.denominator > 1:
        return refuse(words)
    return Word("K", "", days)


def _times_of_day(words: Sequence[Word]) -> Word:
    """The times of day side by side; not "every morning at night", nor "and" between two that are one."""
    named = sorted({word.text for word in words if word.kind in "SQ"})
    kinds = "".join(word.kind for word in words)
    one_twice = "&" in kinds and len(named) < sum(kind in "SQ" for kind in kinds)
    joined = len(named) == 1 or len(set(kinds) & set("SQ")) == 1 or set(kinds) & set(",&")
    if one_twice or not joined:
        return refuse(words)
    return Word("Q" if "Q" in kinds else "S", " ".join(named))


def _divided(words: Sequence[Word]) -> Word:
    """Into how many parts "in 2 divided doses" or 分2次 divides a day's dose; one where they do not say it."""
    if words[-1].number.low < 1:
        return refuse(words)
    return Word("V", "", next((word.number for word in words if word.number != ONE), ONE))


_HOW_OFTEN: Rules = (
    (r"NC|NX(?=P|[RE]U)", lambda words: Word("W", words[1].text, words[0].number)),
    (r"[BXZ]NU", _lasting),
    (r"NU(?=W)|EN?U|RU", _period),
    (r"WP|PW|P", _frequency),
    (r"iS", lambda words: words[1]),
    (r"ES", lambda words: replace(words[1], kind="Q")),
    (r"[SQ](?:[,&_]{0,3}[SQ])+", _times_of_day),
    (r"iNV|V(?:F|W|Nd)?", _divided),
    (r"W_*(?=N)", lambda words: Word("u", "") if words[0] == Word("W", "次") else refuse(words)),
    (r"W|XN(?![A-Za-z(])", lambda words: Word("O", "") if words[-1].number == ONE else refuse(words)),
)
