"""A screening as CDS Hooks cards."""
