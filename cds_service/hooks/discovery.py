"""What the service says of itself at GET /cds-services."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Service:
    """One service: its id, which is the last part of its address, and the hook that it answers."""

    id: str
    hook: str
    title: str
    description: str
    prefetch: Mapping[str, str]
    usage_requirements: str

    def as_json(self) -> dict[str, object]:
        return {
            "hook": self.hook,
            "id": self.id,
            "title": self.title,
            "description": self.description,
            "prefetch": dict(self.prefetch),
            "usageRequirements": self.usage_requirements,
        }


def patient_view_service(trial_id: str, short_title: str, prefetch: Mapping[str, str]) -> Service:
    """The service that screens a patient when a chart is opened."""
    return Service(
        id=f"{trial_id.lower()}-patient-view",
        hook="patient-view",
        title=f"Trial screening {trial_id}",
        description=(
            f"Holds the record against every criterion of {trial_id} ({short_title}) and shows one card "
            "when the patient may fit: what is met, what to confirm and what is missing. "
            "It never decides eligibility."
        ),
        prefetch=prefetch,
        usage_requirements=(
            "Needs patient and conditions. Procedures and at least one medication query are needed as well "
            "before the service may answer that there is nothing to say."
        ),
    )


def order_services(trial_id: str, short_title: str, prefetch: Mapping[str, str]) -> tuple[Service, ...]:
    """The services that say what drafted orders would change: when they are chosen, and before they are signed."""
    return tuple(_order_service(hook, trial_id, short_title, prefetch) for hook in ("order-select", "order-sign"))


def _order_service(hook: str, trial_id: str, short_title: str, prefetch: Mapping[str, str]) -> Service:
    return Service(
        id=f"{trial_id.lower()}-{hook}",
        hook=hook,
        title=f"Order guard {trial_id}",
        description=(
            f"Screens a patient for {trial_id} ({short_title}) as the record stands and with the draft orders signed, "
            "and shows one card when an order would keep the patient out of the trial, or out of it for longer. "
            "It never advises against treatment and changes no order."
        ),
        prefetch=prefetch,
        usage_requirements=(
            "Needs patient and conditions, and to say that an order changes nothing also procedures and the medication "
            "queries. All draft orders are read, not only the selections."
        ),
    )
