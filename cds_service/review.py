"""The review of a screening: the record behind a card is kept sealed, opened again at its address, and answered.

What a page shows is screened anew from the record each time, by the same function as the card, with the answers that
people gave; only the day stays that of the card.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol as Shape
from typing import TypeVar

import msgspec

from cds_service.errors import StoreUnavailable
from cds_service.fhir.fetched import Fetched
from cds_service.fhir.records import from_prefetch
from cds_service.hooks.request import HookRequest
from cds_service.pipeline import screen_records
from cds_service.trials.finding import Answer
from cds_service.trials.protocol import Protocol
from cds_service.trials.screening import Screening


class Pages(Shape):
    """Where content is kept at an address for a time."""

    def keep(self, content: bytes) -> str: ...
    def opened(self, address: str) -> bytes | None: ...


class Journal(Shape):
    """Where something is added to what is known of a name."""

    def add(self, name: str, content: bytes) -> None: ...
    def of(self, name: str) -> list[bytes]: ...


class NotOpen(ValueError):
    """An answer to a criterion that the record settles, or that the protocol does not have."""


class _Kept(msgspec.Struct, frozen=True):
    """The record of a card as it came: what was sent, undecoded, and what was fetched."""

    client: str | None
    patient: str
    day: date
    prefetch: dict[str, bytes]
    fetched: Fetched


_T = TypeVar("_T")
_LOG = logging.getLogger(__name__)
_ENCODER = msgspec.msgpack.Encoder()
_KEPT = msgspec.msgpack.Decoder(_Kept)
_ANSWER = msgspec.msgpack.Decoder(Answer)


def _as_kept(decoder: msgspec.msgpack.Decoder[_T], content: bytes) -> _T | None:
    """What was kept; None, and logged, for what another version of this service kept in a form of its own."""
    try:
        return decoder.decode(content)
    except msgspec.DecodeError:
        _LOG.warning("an entry of a review cannot be read: another version of the service kept it")
        return None


@dataclass(frozen=True, slots=True)
class Opened:
    """A review as it stands: the screening with the answers that count."""

    client: str | None
    patient: str
    screening: Screening


class Reviews:
    """The reviews of a trial. `now` tells the moment at which somebody answers."""

    def __init__(self, protocol: Protocol, pages: Pages, journal: Journal, now: Callable[[], datetime]) -> None:
        self._protocol = protocol
        self._pages = pages
        self._journal = journal
        self._now = now

    def opened(self, address: str) -> Opened | None:
        """The review at an address; None when there is none, or no more. Raises StoreUnavailable."""
        content = self._pages.opened(address)
        kept = None if content is None else _as_kept(_KEPT, content)
        if kept is None:
            return None
        prefetch = {key: msgspec.Raw(raw) for key, raw in kept.prefetch.items()}
        records = from_prefetch(prefetch, kept.patient, kept.fetched)
        answers = self.answers(kept.client, kept.patient)
        return Opened(kept.client, kept.patient, screen_records(records, self._protocol, kept.day, answers=answers))

    def answer(self, review: Opened, criterion: str, met: bool | None, by: str) -> None:
        """Adds a person's answer to an open criterion; None takes the last one back.

        Raises NotOpen, or StoreUnavailable.
        """
        finding = next((one for one in review.screening.findings if one.id == criterion), None)
        if finding is None or not finding.is_open:
            raise NotOpen(criterion)
        answer = Answer(criterion, met, by, self._now(), finding.footing)
        self._journal.add(self._name(review.client, review.patient), _ENCODER.encode(answer))

    def desk(self, client: str | None, address_of: Callable[[str], str], label: str) -> ClientDesk:
        """The reviews for one client. `address_of` makes a link of an address here, which is shown as `label`."""
        return ClientDesk(self, client, address_of, label)

    def keep(self, client: str | None, request: HookRequest, fetched: Fetched, day: date) -> str:
        """The address at which the record behind a card can be reviewed. Raises StoreUnavailable."""
        prefetch = {key: bytes(raw) for key, raw in request.prefetch.items()}
        kept = _Kept(client, request.patient_id, day, prefetch, fetched)
        return self._pages.keep(_ENCODER.encode(kept))

    def answers(self, client: str | None, patient: str) -> tuple[Answer, ...]:
        """What people answered for a patient of a client, oldest first. Raises StoreUnavailable."""
        said = (_as_kept(_ANSWER, content) for content in self._journal.of(self._name(client, patient)))
        return tuple(answer for answer in said if answer is not None)

    def _name(self, client: str | None, patient: str) -> str:
        """Whom an answer is about: a patient of one client, for one trial; ids of others may be the same."""
        return msgspec.json.encode([self._protocol.trial.id, client, patient]).decode()


@dataclass(frozen=True, slots=True)
class ClientDesk:
    """The reviews as the pipeline meets them, for one client: nothing that fails here keeps a chart waiting."""

    reviews: Reviews
    client: str | None
    address_of: Callable[[str], str]
    label: str

    def answers(self, patient: str) -> Sequence[Answer]:
        """What people answered for a patient, oldest first; nothing while the database cannot be used."""
        try:
            return self.reviews.answers(self.client, patient)
        except StoreUnavailable:  # the cause is in the log; the card then asks once more
            return ()

    def linked(
        self, cards: Sequence[Mapping[str, object]], request: HookRequest, fetched: Fetched, day: date
    ) -> list[Mapping[str, object]]:
        """The cards with a link to the review of what they were made of, where that could be kept."""
        try:
            address = self.reviews.keep(self.client, request, fetched, day)
        except StoreUnavailable:
            return list(cards)
        link = {"label": self.label, "url": self.address_of(address), "type": "absolute"}
        return [{**card, "links": [link, *_links(card)]} for card in cards]


def _links(card: Mapping[str, object]) -> Sequence[object]:
    links = card.get("links", ())
    return links if isinstance(links, Sequence) else ()
