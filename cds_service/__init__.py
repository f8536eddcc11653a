"""Trialhook: a CDS Hooks service that screens patients for a clinical trial."""
