"""Guarded HTTP for everyone who must call out: allow-list, address check, limits of time and size."""
