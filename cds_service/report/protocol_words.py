"""The words for a protocol's outline, shared by the text and the page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from cds_service.clinical.dates import Span
from cds_service.clinical.interval import Limit
from cds_service.report.numbers import as_text
from cds_service.report.protocol_outline import (
    CodeLine,
    CodeTable,
    Concept,
    CriterionOutline,
    GeneralTable,
    Path,
    Statement,
)
from cds_service.report.wording import Wording
from cds_service.trials.case import Needs

_KEY = re.compile(r"`(\w+)`")
_GROUP = "protocol"
Rows = list[tuple[str, str]]


class ProtocolWords:
    """Says what an outline holds, in one language; what has no word of its own is said as it is written."""

    def __init__(self, words: Wording) -> None:
        self._words = words

    def term(self, key: str) -> str:
        return self._words.term(_GROUP, key)

    def phrase(self, key: str, **values: str | int) -> str:
        return self._words.phrase(_GROUP, key, **values)

    def named(self, key: str, name: str) -> str:
        """The word for a name in a nested list of words; without one the name itself, in words."""
        return self._words.terms_of(_GROUP, key).get(name, name.replace("_", " "))

    def label(self, path: Path) -> str:
        """What a parameter is called, after the parts that it stands in, with its key in the file."""
        parts = [str(part) if isinstance(part, int) else self.named("parameters", part) for part in path]
        label = self.term("inside").join(parts)
        *_, key = (part for part in path if isinstance(part, str))
        is_plain = self.named("parameters", key).endswith(key.replace("_", " "))
        return label if is_plain else self.phrase("keyed", label=label, name=key)

    def row(self, path: Path) -> str:
        """What a row of a general table is called: its keys, which are words."""
        return self.term("inside").join(str(part).replace("_", " ") for part in path)

    def value(self, value: Any) -> str:
        """A value in plain words, followed by how the protocol's file writes it where that differs."""
        if isinstance(value, Limit | Span | Fraction):
            return self._quantity(value)
        if isinstance(value, Mapping):
            return ", ".join(f"{key} = {self.value(one)}" for key, one in value.items())
        if isinstance(value, tuple | list):
            return self._list(value)
        if isinstance(value, bool):
            return self.term("yes" if value else "no")
        return self._words.terms_of(_GROUP, "values").get(str(value), str(value))

    def _quantity(self, value: Limit | Span | Fraction) -> str:
        if isinstance(value, Limit):
            number = as_text(value.value, value)
            said = f"{self.named('operators', value.operator)} {number} {self._words.unit(value.unit)}".strip()
            return self._beside(said, f"{value.operator} {number} {value.unit}")
        if isinstance(value, Span):
            return self._beside(self._words.span(value), str(value))
        return f"{as_text(value * 100)} %"

    def _beside(self, said: str, written: str) -> str:
        return self.phrase("as_written", said=said, written=written)

    def _list(self, values: Iterable[Any]) -> str:
        """A list; lists inside it are alternatives."""
        return "; ".join(
            self.term("or").join(self.value(one) for one in value) if isinstance(value, tuple) else self.value(value)
            for value in values
        )

    def sources(self, needs: Needs) -> str:
        """Sources of which all are meant, each the name of a query or several that stand for each other."""
        alternatives = (self.term("or").join(self._words.term("sources", name) for name in names) for names in needs)
        return "; ".join(alternatives)

    def kind(self, criterion: CriterionOutline) -> str:
        return self.term(f"{criterion.kind}_of_{criterion.subject}")

    def facts(self, criterion: CriterionOutline) -> Rows:
        """The key of a word and what is to be said under it, for all that is no number and no code."""
        test = criterion.test
        named = test and self.phrase("test_named", name=test.name, code=test.loinc, display=test.display)
        found = (
            ("reading", criterion.reading),
            ("alternative", criterion.alternative),
            ("question", criterion.question),
            ("rule", criterion.rule),
            ("how", " ".join(_KEY.sub(r"“\1”", paragraph) for paragraph in criterion.how)),
            ("needs", self.sources(criterion.needs) or self.term("no_source")),
            ("also_reads", self.sources(criterion.also_reads)),
            ("none_recorded", self.none_recorded(criterion)),
            ("test", named),
        )
        return [(key, value) for key, value in found if value]

    def rows(self, statements: Iterable[Statement]) -> Rows:
        """Each statement as its label and its value."""
        return [(self.label(one.path), self.value(one.value)) for one in statements]

    def general_rows(self, table: GeneralTable) -> Rows:
        """Each row of a general table as its label and its value."""
        return [(self.row(one.path), self.value(one.value)) for one in table.rows]

    def none_recorded(self, criterion: CriterionOutline) -> str | None:
        """What it means that nothing was recorded in sources that were searched."""
        if criterion.none_recorded is None:
            return None
        return self.named(f"none_recorded_{criterion.kind}", criterion.none_recorded.value)

    def caption(self, table: CodeTable) -> str:
        """What a table of codes is about."""
        count = sum(len(concept.codes) for concept in table.concepts)
        return self.phrase("codes_of", label=self.label(table.path), named="; ".join(table.named), n=count)

    def concept(self, concept: Concept) -> str:
        """A concept's title with its id and what else its file says of it."""
        remarks = "".join(f"; {self.label((key,))}: {self.value(value)}" for key, value in concept.remarks.items())
        return self.phrase("concept", title=concept.title, id=concept.id, remarks=remarks)

    def hints(self, concept: Concept) -> str:
        """The words that hint at a concept, and those beside which they do not."""
        words = ", ".join(concept.words)
        return f"{words}; {self.term('unless')}: {', '.join(concept.unless)}" if concept.unless else words

    def meaning(self, line: CodeLine) -> str:
        """A code's display, where a licence lets it be shown, and what else its row states."""
        parts = [line.display] if line.display else []
        if line.and_below:
            parts.append(self.term("and_below"))
        parts += [f"{self.label((key,))}: {self.value(value)}" for key, value in line.remarks.items()]
        return "; ".join(parts)

    def system(self, line: CodeLine) -> str:
        return self.named("systems", line.system)

    def checked(self, line: CodeLine) -> str:
        """Where the code was checked, or that it was not."""
        return line.checked or self.term("unverified")

    def unverified(self, concept: Concept) -> str:
        return self.phrase("not_verified", n=concept.unverified)
