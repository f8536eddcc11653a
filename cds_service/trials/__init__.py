"""Protocols as data, and the rule kinds that read them. It knows no FHIR and no HTTP."""
