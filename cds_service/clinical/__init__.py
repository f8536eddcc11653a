"""The nouns of medicine and their arithmetic: pure, without input or output, FHIR or any trial."""
