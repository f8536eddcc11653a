"""The checker against services that are right, and wrong in one place."""
