"""From what draft orders would change to the one card of the order hooks, or none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from cards.card import LONGEST_SUMMARY, Card, Link
from cards.compose import Site, card_id, override_reasons, source
from cards.markdown import escaped
from cds_service.clinical.dates import Span
from cds_service.hooks.request import HookRequest
from cds_service.report.screening_json import without_valueless
from cds_service.report.wording import Wording, wording
from cds_service.terminology.codes import code_sets
from cds_service.trials.finding import Status
from cds_service.trials.outlook import Effect, Outlook

_ORDERS = "org.trialhook.orders"
_DAYS_OF_A_WEEK = 7
# What leads: a failure, then what nobody can tell, then what a person judges.
_RANK = (Status.FAIL, Status.UNKNOWN, Status.REVIEW)


def order_composer(site: Site) -> Callable[[Outlook, HookRequest], list[Mapping[str, Any]]]:
    """The function that makes a site's cards for drafted orders."""
    words = wording(site.language)

    def compose(outlook: Outlook, request: HookRequest) -> list[Mapping[str, Any]]:
        if not outlook.effects:
            return []
        return [_Guard(outlook, site, words).card(request.hook_instance).as_json()]

    return compose


@dataclass(frozen=True, slots=True)
class _Guard:
    """The words for one outlook. Nothing is suggested: what to do about an order is not ours to say."""

    outlook: Outlook
    site: Site
    words: Wording

    def card(self, hook_instance: str) -> Card:
        trial = self.outlook.protocol.trial
        return Card(
            uuid=card_id(hook_instance, "orders"),
            summary=self._summary(),
            detail=self._detail(),
            source=source(trial, self.words, "orders"),
            override_reasons=override_reasons(self.words),
            links=(Link(self.words.phrase("card", "registry", trial=trial.id), trial.url),),
            extension={_ORDERS: self._extension()},
        )

    def _summary(self) -> str:
        """What is gravest, of every draft of which it holds; as long as the specification allows."""
        main = min(self.outlook.effects, key=_foremost)
        alike = [one for one in self.outlook.effects if _kind(one) == _kind(main)]
        names = tuple(dict.fromkeys(name for effect in alike for name in effect.drafts))
        ids = ", ".join(dict.fromkeys(one.criterion.id for one in alike))
        in_words = len(alike) == 1 and _kind(main) != "untold"
        whys = [self._short(main) if in_words else ids, main.criterion.id]
        many = self.words.phrase("orders", "many", n=len(names))
        candidates = [self._said(main, lead, why) for lead in (self._lead(names), many) for why in whys]
        last = self.words.phrase("orders", "changed", lead=many, trial=self.outlook.protocol.trial.id)
        return _upper(next((one for one in candidates if _fits(_upper(one))), last))

    def _detail(self) -> str:
        sentences = [f"{_upper(one)}." for one in self._sentences()]
        care = self.words.term("orders", "care")
        if self.site.coordinator_contact:
            contact = escaped(self.site.coordinator_contact)
            care = self.words.phrase("orders", "care_contact", contact=contact)
        first = [f"{sentences[0]} {care}"] if len(sentences) == 1 else [*(f"- {one}" for one in sentences), "", care]
        return "\n".join([*first, "", self._note()])

    def _note(self) -> str:
        first, last = self.outlook.occasions[0].day, self.outlook.occasions[-1].day
        version = self.outlook.protocol.trial.version
        return self.words.phrase("orders", "note", as_of=first.isoformat(), later=last.isoformat(),
                                 version=version.isoformat())  # fmt: skip

    def _sentences(self) -> Iterator[str]:
        """One for each effect, the gravest first; criteria of which nothing can be told for one reason share theirs."""
        shared: dict[tuple[tuple[str, ...], str], list[Effect]] = {}
        for effect in sorted(self.outlook.effects, key=_foremost):
            because = self.words.sentence(effect.after.reason)
            together = because if _kind(effect) == "untold" else effect.criterion.id
            shared.setdefault((effect.drafts, together), []).append(effect)
        for (drafts, because), several in shared.items():
            lead = self._lead(drafts)
            if len(several) == 1:
                yield self._said(several[0], lead, self._long(several[0]))
            else:
                ids = ", ".join(one.criterion.id for one in several)
                yield self._said(several[0], lead, f"{ids}: {because}")

    def _said(self, effect: Effect, lead: str, why: str) -> str:
        within = effect.after.reason.values.get("within")
        return self.words.phrase(
            "orders", _kind(effect), lead=lead, trial=self.outlook.protocol.trial.id, why=why,
            day=effect.until.isoformat() if effect.until else "",
            within=self._span(within) if isinstance(within, Span) else "",
        )  # fmt: skip

    def _short(self, effect: Effect) -> str:
        """The criterion in the words of the protocol's reading, where the reason has such."""
        patterns, code = self.words.terms_of("orders", "why"), effect.after.reason.code
        window = effect.after.reason.values.get("window")
        spoken = self._span(window) if isinstance(window, Span) else ""
        pattern = patterns.get(code, self.words.term("orders", "name"))
        return pattern.format(id=effect.criterion.id, name=self._name(effect), window=spoken)

    def _long(self, effect: Effect) -> str:
        if effect.after.reason.code in self.words.terms_of("orders", "why"):
            return self._short(effect)
        because = self.words.sentence(effect.after.reason)
        return self.words.phrase("orders", "because", id=effect.criterion.id, name=self._name(effect),
                                 because=because)  # fmt: skip

    def _name(self, effect: Effect) -> str:
        """What the criterion is called, in the middle of a sentence."""
        said = self.outlook.protocol.translations.get(self.words.language)
        return _lower(said.criteria[effect.criterion.id].name if said else effect.criterion.name)

    def _span(self, span: Span) -> str:
        """A span of days in weeks where it is some, as the protocol writes it."""
        weeks, rest = divmod(span.days, _DAYS_OF_A_WEEK)
        return self.words.span(Span(weeks, "wk") if weeks > 1 and not rest else span)

    def _lead(self, names: Iterable[str]) -> str:
        """What the drafts do, and when: "starting ruxolitinib, changing prednisone today"."""
        wanted = list(names)
        acts: dict[str, list[str]] = {}
        days: set[date] = set()
        for order in self.outlook.orders:
            if order.name in wanted:
                acts.setdefault(order.act, []).extend(
                    _lower(self.words.drug(code_sets()[one].title)) for one in order.concepts
                )
                days.add(order.day)
        known = {order.name for order in self.outlook.orders}
        said = [self.words.phrase("orders", act, what=self._joined(titles)) for act, titles in acts.items()]
        said += dict.fromkeys(self._unread(name) for name in wanted if name not in known)
        return self._when(self._joined(said), days or {self.outlook.signing.on})

    def _unread(self, name: str) -> str:
        written = next((one.words for one in self.outlook.unread if one.name == name), "")
        if not written:
            return self.words.term("orders", "unnamed")
        return self.words.phrase("orders", "unread", what=escaped(written))

    def _when(self, acts: str, days: set[date]) -> str:
        if days == {self.outlook.signing.on}:
            return self.words.phrase("orders", "today", acts=acts)
        if len(days) == 1:
            return self.words.phrase("orders", "from_day", acts=acts, day=min(days).isoformat())
        return self.words.phrase("orders", "several_days", acts=acts)

    def _joined(self, parts: Iterable[str]) -> str:
        return self.words.term("orders", "and").join(dict.fromkeys(parts))

    def _extension(self) -> dict[str, Any]:
        """The same for programs."""
        found: dict[str, Any] = {
            "asOf": self.outlook.occasions[0].day.isoformat(),
            "later": self.outlook.occasions[-1].day.isoformat(),
            "ruleset": self.outlook.protocol.ruleset,
            "effects": [_effect(one) for one in self.outlook.effects],
            "skipped": [{"reference": one.reference, "reason": one.reason} for one in self.outlook.skipped],
        }
        pruned: dict[str, Any] = without_valueless(found)
        return pruned


def _effect(effect: Effect) -> dict[str, Any]:
    return {
        "criterion": effect.criterion.id,
        "before": effect.before.status.value,
        "after": effect.after.status.value,
        "reason": effect.after.reason.code,
        "drafts": list(effect.drafts),
        "until": effect.until.isoformat() if effect.until else None,
        "onlyIfItGoesOn": effect.later or None,
        "untold": effect.untold or None,
    }


def _kind(effect: Effect) -> str:
    """Which sentence says the effect."""
    if effect.untold or effect.after.status is Status.UNKNOWN:
        return "untold"
    if "within" in effect.after.reason.values:
        return "lifted"
    if effect.after.status is Status.FAIL:
        return "not_before" if effect.until else "if_it_goes_on" if effect.later else "against"
    return "judged_until" if effect.until else "judged"


def _foremost(effect: Effect) -> tuple[int, int, int]:
    """The place among the effects: by what it comes to, with a day before without, the latest day first."""
    status = Status.UNKNOWN if effect.untold else effect.after.status
    until = effect.until.toordinal() if effect.until else 0
    return _RANK.index(status), int(until == 0), -until


def _fits(summary: str) -> bool:
    return len(summary.encode("utf-16-le")) // 2 <= LONGEST_SUMMARY


def _upper(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _lower(name: str) -> str:
    """A name in the middle of a sentence; IL-2 stays IL-2."""
    return name[:1].lower() + name[1:] if name[1:2].islower() else name
