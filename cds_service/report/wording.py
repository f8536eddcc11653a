"""Sentences in a person's language, made from reason codes and typed values by catalogues of words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from cds_service.clinical.dates import DayRange, Span
from cds_service.clinical.evidence import Evidence, Measure, Reason, Value
from cds_service.clinical.interval import Interval, Limit
from cds_service.clinical.medications import Derivation
from cds_service.report.numbers import as_text
from cds_service.strict_yaml import read_yaml
from cds_service.trials.finding import Finding, Status

_FOLDER = Path(__file__).parent / "catalogues"
# Decimals of a sentence where two are not what the field writes.
_DIGITS = {"mg/kg/d": 4}
# A blank that keeps a number off Chinese words is none where the value turns out to end in a Chinese word itself.
_BETWEEN_WIDE = re.compile(r"(?<=[\u3000-\u9fff]) (?=[\u3000-\u9fff])")
LANGUAGES = tuple(sorted(path.stem for path in _FOLDER.glob("*.yaml")))


@cache
def wording(language: str) -> Wording:
    """The wording of a language. Raises KeyError for one without a catalogue."""
    if language not in LANGUAGES:
        raise KeyError(language)
    name = f"{language}.yaml"
    return Wording(language, read_yaml(name, (_FOLDER / name).read_bytes()))


class Wording:
    """Words of one language."""

    def __init__(self, language: str, catalogue: Mapping[str, Any]) -> None:
        self.language = language
        self._catalogue = catalogue

    def term(self, group: str, key: str) -> str:
        """The word for a code of ours. Raises KeyError when the catalogue lacks it."""
        return str(self._catalogue[group][key])

    def terms(self, group: str) -> Mapping[str, str]:
        return {key: str(word) for key, word in self._catalogue[group].items()}

    def terms_of(self, group: str, key: str) -> Mapping[str, str]:
        """The words of a nested group."""
        return {name: str(word) for name, word in self._catalogue[group][key].items()}

    def phrase(self, group: str, key: str, **values: str | int) -> str:
        """A phrase with its blanks filled in."""
        return self.term(group, key).format(**values)

    def sentence(self, reason: Reason) -> str:
        """Why a finding is what it is."""
        spoken = {name: self._spoken(name, value) for name, value in reason.values.items()}
        return _BETWEEN_WIDE.sub("", self.term("reasons", reason.code).format(**spoken))

    def because(self, finding: Finding) -> str:
        """Why a finding is what it is and, where the protocol's words have two meanings, which one was taken."""
        sentence = self.sentence(finding.judgement.reason)
        return self.after(sentence, self.reading(finding)) if finding.is_ambiguous else sentence

    def after(self, sentence: str, other: str) -> str:
        """Two sentences, the first of which may lack its stop."""
        stopped = sentence.endswith((".", "?", "!", "。", "？"))
        return f"{sentence} {other}" if stopped else f"{sentence}{self.term('joins', 'sentence')}{other}"

    def reading(self, finding: Finding) -> str:
        """How an ambiguous criterion is read, and how else it could be."""
        return self.phrase("text", "read_as", reading=finding.reading or "", alternative=finding.alternative or "")

    def status(self, finding: Finding, status: Status | None = None) -> str:
        """A status, that of the record if no other is given, in words that suit an inclusion or an exclusion."""
        group = "exclusion_statuses" if finding.kind == "exclusion" else "statuses"
        return self.term(group, (status or finding.status).value)

    def label(self, evidence: Evidence) -> str:
        """What a piece of evidence is called: a word of ours, or the record's own."""
        return str(self._catalogue["labels"].get(evidence.label, evidence.label))

    def value(self, value: Value) -> str:
        """A typed value in words; a grade in this language's word for it."""
        if isinstance(value, Measure):
            return self.measure(value)
        if isinstance(value, Limit):
            operator = self.term("operators", value.operator)
            return self._with_unit(f"{operator} {as_text(value.value, value)}", value.unit)
        if isinstance(value, Span):
            return self.span(value)
        if isinstance(value, tuple):
            return self.joined("list", value)
        if isinstance(value, date):
            return value.isoformat()
        return str(self._catalogue["grades"].get(str(value), value))

    def joined(self, kind: str, parts: Iterable[str]) -> str:
        """Parts of a list, clauses or sentences, with what stands between them in this language."""
        return self.term("joins", kind).join(parts)

    def span(self, span: Span) -> str:
        form = "one" if span.count == 1 else "many"
        return str(self._catalogue["spans"][span.unit][form]).format(n=span.count)

    def unit(self, unit: str) -> str:
        return str(self._catalogue["units"].get(unit, unit))

    def measure(self, measure: Measure) -> str:
        """A number, a range or "not known", with its unit."""
        amount = self._amount(measure.interval, measure.limit, _DIGITS.get(measure.unit, 2))
        known = amount != self.term("quantities", "unknown")
        return self._with_unit(amount, measure.unit) if known else amount

    def _with_unit(self, amount: str, unit: str) -> str:
        """A number and its unit; a unit that is a word of a script without blanks follows at once."""
        word = self.unit(unit)
        gap = "" if word and unicodedata.east_asian_width(word[0]) in "WF" else " "
        return f"{amount}{gap}{word}".strip()

    def _amount(self, interval: Interval, limit: Limit | None, digits: int) -> str:
        low = as_text(interval.low, limit, digits)
        if interval.high is None:
            if interval.low == 0:
                return self.term("quantities", "unknown")
            return self.phrase("quantities", "above" if interval.low_open else "at_least", low=low)
        high = as_text(interval.high, limit, digits)
        if interval.is_exact:
            return low
        if interval.low == 0:
            return self.phrase("quantities", "below" if interval.high_open else "up_to", high=high)
        return self.phrase("quantities", "range", low=low, high=high)

    def drug(self, title: str) -> str:
        """A drug by its title in the code sets, in this language where the catalogue has a word for it."""
        return str(self._catalogue["drugs"].get(title, title))

    def derivation(self, derivation: Derivation) -> str:
        """How a day's dose was worked out, such as "3 × 10 mg × 1 a day"."""
        parts = [self.measure(Measure(derivation.amount, "mg"))]
        if derivation.pieces and derivation.each:
            parts = [self.measure(Measure(derivation.pieces, "")), self.measure(Measure(derivation.each, "mg"))]
        if derivation.per_day:
            parts.append(self.phrase("text", "times_a_day", n=self.measure(Measure(derivation.per_day, ""))))
        return " × ".join(parts)

    def _spoken(self, name: str, value: Value) -> str:
        """A value of a reason; lists of our own codes are spoken word by word."""
        if isinstance(value, tuple) and name == "gaps":
            return self.joined("clause", (self._gap(one) for one in value))
        if isinstance(value, tuple) and name in ("faults", "unseen"):
            group = "faults" if name == "faults" else "sources"
            return self.joined("list", (self.term(group, one) for one in value)) or self.term("quantities", "unknown")
        if name == "drug":
            return self.drug(str(value))
        if isinstance(value, tuple) and name == "drugs":
            return self.joined("list", map(self.drug, value))
        return self.value(value)

    def _gap(self, gap: str) -> str:
        source, what = gap.split(":")
        return self.phrase("card", "fact", name=self.term("sources", source), because=self.term("gaps", what))


def day_of(when: DayRange | None) -> str | None:
    """A date as evidence prints it; a partial one as its range."""
    return None if when is None else str(when)
