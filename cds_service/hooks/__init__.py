"""CDS Hooks messages, without HTTP."""
