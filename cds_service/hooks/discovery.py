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
