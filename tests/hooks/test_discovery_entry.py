"""What a service says of itself."""

from cds_service.hooks.discovery import patient_view_service

ENTRY = patient_view_service("NCT06920199", "a short title", {"patient": "Patient/{{context.patientId}}"}).as_json()


def test_the_id_is_that_of_the_contract_and_the_hook_is_patient_view() -> None:
    assert (ENTRY["id"], ENTRY["hook"]) == ("nct06920199-patient-view", "patient-view")


def test_only_fields_of_the_specification_are_there() -> None:
    assert set(ENTRY) == {"hook", "id", "title", "description", "prefetch", "usageRequirements"}


def test_every_field_has_a_value() -> None:
    assert all(ENTRY.values())


def test_the_description_names_the_trial_and_leaves_the_decision_to_people() -> None:
    description = str(ENTRY["description"])
    assert "NCT06920199 (a short title)" in description
    assert "never decides" in description


def test_templates_are_published_as_they_are() -> None:
    assert ENTRY["prefetch"] == {"patient": "Patient/{{context.patientId}}"}
