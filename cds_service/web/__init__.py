"""The doors that speak HTTP: thin Flask blueprints around the pipeline."""
