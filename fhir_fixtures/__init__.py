"""Synthetic patients, each with the verdict it must get; all invented, none a real person."""
