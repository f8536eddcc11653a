"""What a worker loads before its first request: what the requests need, and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys

import run

# Whoever needs one of these loads it then: other versions of FHIR when a record is one, the rest never in a request.
ON_DEMAND = (
    "alembic", "fhir.resources.STU3", "fhir.resources.observation", "fhir.resources.condition", "hypothesis",
    "playwright", "psycopg", "pytest", "schemathesis", "fhir_fixtures", "benchmarks", "tests",
)  # fmt: skip
_STARTED = """
import json, sys
import app
app.create_app()
print(json.dumps(sorted(sys.modules)))
"""


def test_a_worker_loads_what_requests_need_and_nothing_else() -> None:
    """The models of what findings print are ready, or the first requests would pay for them."""
    command = [sys.executable, "-c", _STARTED]
    printed = subprocess.run(command, cwd=run.ROOT, capture_output=True, check=True, text=True).stdout
    modules: list[str] = json.loads(printed)
    found = {name for name in modules for one in ON_DEMAND if name == one or name.startswith(f"{one}.")}
    assert found == set()
    assert {f"fhir.resources.R4B.{name}" for name in ("condition", "observation", "procedure")} <= set(modules)
