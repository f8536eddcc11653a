"""Checks any CDS Hooks service from outside, by the specification's text alone.

Nothing here may use our own service to judge: a defect of ours would excuse itself.
"""
