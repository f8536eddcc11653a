"""The service under test: what it published, how it is called, and what it answered to a plain call."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from cds_service.checker.cards import remarks
from cds_service.checker.conversation import Conversation, Exchange
from cds_service.checker.probe import Entry, Probe, cards_of
from cds_service.checker.result import Seen, fault, fine
from cds_service.checker.signing import Signer
from cds_service.checker.synthetic import request_for
from cds_service.checker.visits import Visits, visit_all

_PATH = "/cds-services"


@dataclass(frozen=True, slots=True)
class Options:
    """What the person who checks has decided.

    `requests` are bodies of their own; `origin` is a web page's, for CORS; `feedback` allows what may be stored at the
    other side; `fhir` is the address on this machine at which a FHIR server may be opened.
    """

    requests: Sequence[Mapping[str, Any]] = ()
    hooks: Sequence[str] = ()
    origin: str | None = None
    feedback: bool = False
    fhir: str | None = None
    signer: Signer | None = None


@dataclass
class _Remarks:
    """By row how many elements fit, and each fault once."""

    good: Counter[str] = field(default_factory=Counter)
    faults: dict[str, dict[str, None]] = field(default_factory=dict)


class Nothing(Exception):
    """There is nothing to be checked. The message says why and what to do."""


class Subject:
    """The service at one address."""

    def __init__(self, address: str, conversation: Conversation, options: Options) -> None:
        self.conversation = conversation
        self.options = options
        # By address of a service, as it was found out with the first feedback.
        self.offers_feedback: dict[str, bool] = {}
        self.typed = address.rstrip("/")
        self.base = self.typed if self.typed.endswith(_PATH) else self.typed + _PATH
        self.discovery = conversation.get(self.base)
        if self.discovery.answer.status == 404 and self.typed != self.base:
            self._take_typed_address()

    def _take_typed_address(self) -> None:
        """Some publish their services elsewhere and still serve them beside it."""
        elsewhere = self.conversation.get(self.typed)
        body = elsewhere.answer.json
        if elsewhere.answer.status == 200 and isinstance(body, dict) and "services" in body:
            self.discovery = elsewhere
            self.base = self.typed.rpartition("/")[0] + _PATH

    @cached_property
    def published(self) -> list[Any]:
        """The entries of discovery, whatever they are."""
        body = self.discovery.answer.json
        services = body.get("services") if isinstance(body, dict) else None
        return services if isinstance(services, list) else []

    @cached_property
    def entries(self) -> list[Entry]:
        """The services that can be called, of the hooks that are to be checked."""
        return [entry for one in self.published if (entry := self._entry(one)) is not None]

    def _entry(self, one: Any) -> Entry | None:
        named = one if isinstance(one, dict) else {}
        name, hook, prefetch = named.get("id"), named.get("hook"), named.get("prefetch")
        if not (isinstance(name, str) and name and isinstance(hook, str) and hook):
            return None
        if self.options.hooks and hook not in self.options.hooks:
            return None
        templates = prefetch if isinstance(prefetch, dict) else {}
        texts = {key: text for key, text in templates.items() if isinstance(text, str)}
        return Entry(name, hook, f"{self.base}/{name}", texts)

    def bodies(self, entry: Entry) -> list[dict[str, Any]]:
        """The requests for a service: those that were handed in for its hook, else a made-up one."""
        own = [dict(body) for body in self.options.requests if body.get("hook") == entry.hook]
        return [copy.deepcopy(body) for body in own] or [request_for(entry.hook, entry.prefetch)]

    @cached_property
    def plain(self) -> list[tuple[Entry, Exchange]]:
        """Every service called with each of its requests."""
        return [(entry, self.call(entry, body)) for entry in self.entries for body in self.bodies(entry)]

    def call_all(self) -> None:
        """Afterwards every service was called, so that there is something to look at."""
        _ = self.plain

    @cached_property
    def tried(self) -> list[Probe]:
        """One service of each hook that answers 200, with the request that brought the most cards."""
        best: dict[str, Probe] = {}
        for entry, exchange in self.plain:
            probe = Probe(self, entry, exchange.sent, exchange)
            known = best.get(entry.hook)
            if exchange.answer.status == 200 and (known is None or len(probe.cards) > len(known.cards)):
                best[entry.hook] = probe
        return list(best.values())

    @property
    def is_open(self) -> bool:
        """True when a service answers without a token."""
        return any(exchange.answer.status == 200 for exchange in self.without_token)

    @cached_property
    def without_token(self) -> list[Exchange]:
        """The first service called without a token."""
        return [self.call(entry, self.bodies(entry)[0], Authorization="") for entry in self.entries[:1]]

    def call(self, entry: Entry, body: Any, **headers: str) -> Exchange:
        return self.conversation.post(entry.url, body, **headers)

    @cached_property
    def malformed(self) -> list[Exchange]:
        """Requests that are JSON and no CDS Hooks requests: each lacks one of the three required fields."""
        probes = [(probe.entry, probe.body) for probe in self.tried] or [
            (entry, exchange.sent) for entry, exchange in self.plain[:1]
        ]
        return [
            self.call(entry, {key: one for key, one in body.items() if key != lacking})
            for entry, body in probes
            for lacking in ("hook", "hookInstance", "context")
        ]

    @cached_property
    def bare(self) -> list[Exchange]:
        """Each service called with neither prefetch nor FHIR server."""
        optional = ("prefetch", "fhirServer", "fhirAuthorization")
        bodies = {entry.url: (entry, exchange.sent) for entry, exchange in self.plain}
        return [
            self.call(entry, {key: one for key, one in body.items() if key not in optional})
            for entry, body in bodies.values()
        ]

    @cached_property
    def fhir(self) -> Visits | None:
        """What the services asked of a FHIR server of the checker; None when none may be opened."""
        return visit_all(self.tried, self.options.fhir) if self.options.fhir else None

    def remarked(self, row: str) -> Iterator[Seen]:
        """What is said under a row of the responses that came so far. Asked first, it fixes which those are."""
        yield from (fault(words) for words in self._remarks.faults.get(row, ()))
        if good := self._remarks.good[row]:
            yield fine(f"{good} looked at")

    @property
    def card_count(self) -> int:
        return self._remarks.good["cards"]

    @cached_property
    def _remarks(self) -> _Remarks:
        seen = _Remarks()
        for exchange, body in self.answers:
            seen.good["cards"] += len(cards_of(exchange))
            for row, words in remarks(body, exchange.sent):
                if words is None:
                    seen.good[row] += 1
                else:
                    name = exchange.url.rpartition("/")[2]
                    seen.faults.setdefault(row, {})[f"{name}: {words}"] = None
        return seen

    @property
    def answers(self) -> Iterator[tuple[Exchange, dict[str, Any]]]:
        """Every 200 of a service with a JSON object in it, over all that has been called so far."""
        self.call_all()
        urls = {entry.url for entry in self.entries}
        for exchange in self.conversation.exchanges:
            if exchange.url in urls and exchange.answer.status == 200 and isinstance(exchange.answer.json, dict):
                yield exchange, exchange.answer.json
