"""FHIR JSON into the facts of medicine. It knows no trial: what is of interest is handed in as an index."""
