"""What a chart opening costs, held against a service that does nothing: `python3 run.py bench`."""
