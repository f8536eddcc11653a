"""A small FHIR R4 server over made-up patients, read-only: something real to fetch from. Only the demo mounts it."""
