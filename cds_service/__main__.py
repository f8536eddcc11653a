"""python -m cds_service"""

from __future__ import annotations

from cds_service.cli import main

main(prog_name="python -m cds_service")
