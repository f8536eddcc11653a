"""Steroid histories that a picture must bear, in the shorthand of tests/trials/record_of.py."""

from __future__ import annotations

from typing import Any

PREDNISONE = [
    {"mg": 40, "from": "2025-03-01", "to": "2025-05-04"},
    {"mg": 15, "from": "2025-05-05", "to": "2025-06-01"},
    {"mg": 40, "from": "2025-06-02", "to": "2025-07-06", "note": "skin flare"},
    {"mg": 15, "from": "2025-07-07", "to": "2025-08-03"},
    {"mg": 20, "from": "2025-08-04"},
]
TWO_FAILED = {
    "weight": [{"kg": 60, "on": day} for day in ("2025-02-20", "2025-05-10", "2025-07-01", "2025-09-20")]
    + [{"kg": 63, "on": "2026-01-05"}, {"kg": 62, "on": "2026-03-09"}],
    "prednisone": PREDNISONE,
    "tacrolimus": [{"mg": 2, "from": "2024-05-20"}],
    "ruxolitinib": [{"mg": 10, "from": "2025-09-10", "to": "2026-02-01"}],
    "mycophenolate": [{"mg": 500, "from": "2025-06-03", "as_needed": True, "to": "2025-12-01"}],
}
HISTORIES: dict[str, dict[str, Any]] = {
    "two failed tapers": TWO_FAILED,
    "no corticosteroid": {"drugs": "none"},
    "medications not read": {"sources": {"medicationStatements": "failed", "medicationRequests": "failed"}},
    "unreadable dose": {"prednisone": [{"mg": 40, "from": "2025-11-01", "to": "2025-12-20"},
                                       {"sig": "taper as directed", "from": "2025-12-21"}]},
    "as needed": {"prednisone": [{"mg": 20, "from": "2025-10-01"},
                                 {"mg": 10, "as_needed": True, "from": "2025-11-01"}]},
    "ten years": {
        "weight": [{"kg": 60 + year % 5, "on": f"{year}-{month}-10"} for year in range(2014, 2027)
                   for month in ("01", "03", "05", "07", "09", "11") if (year, month) < (2026, "04")],
        "prednisone": [
            {"mg": 60, "from": "2014-02-01", "to": "2014-06-30"}, {"mg": 20, "from": "2014-07-01", "to": "2016-12-31"},
            {"mg": 40, "from": "2019-01-01", "to": "2019-05-31"}, {"mg": 10, "from": "2019-06-01", "to": "2021-02-28"},
            {"mg": 50, "from": "2024-06-01", "to": "2024-09-30"}, {"mg": 20, "from": "2024-10-01", "to": "2025-02-28"},
            {"mg": 40, "from": "2025-03-01", "to": "2025-06-30"}, {"mg": 25, "from": "2025-07-01"},
        ],
        "cyclosporine": [{"mg": 100, "from": "2013-12-01", "to": "2018-03-01"}],
    },
    "one day": {"prednisone": [{"mg": 30, "from": "2026-03-16"}]},
    "one day long ago": {"prednisone": [{"mg": 30, "from": "2024-01-10", "to": "2024-01-10"}]},
    "overlapping": {"prednisone": [{"mg": 20, "from": "2025-12-01"}, {"mg": 10, "from": "2026-01-15"}],
                    "methylprednisolone": [{"mg": 8, "from": "2026-02-01", "to": "2026-02-28"}]},
    "no weight": {"weight": "none", "prednisone": [{"mg": 40, "from": "2025-09-01", "to": "2025-12-31"},
                                                   {"mg": 20, "from": "2026-01-01"}]},
    "weights for a while": {"weight": [{"kg": 70, "on": "2025-09-01"}], "prednisone": [
        {"mg": 40, "from": "2025-08-01", "to": "2025-12-31"}, {"mg": 20, "from": "2026-01-01"}]},
    "pulse": {"prednisone": [{"mg": 5, "from": "2025-06-01"}],
              "methylprednisolone": [{"mg": 800, "from": "2026-01-10", "to": "2026-01-12"}]},
    "daily changes": {"prednisone": [
        {"mg": 60 - day // 2, "from": f"2026-{1 + day // 28:02}-{1 + day % 28:02}",
         "to": f"2026-{1 + day // 28:02}-{1 + day % 28:02}"} for day in range(70)]},
    "many drugs": {"prednisone": [{"mg": 30, "from": "2026-01-05"}], **{
        drug: [{"mg": 10, "from": "2026-01-20"}] for drug in (
            "tacrolimus", "cyclosporine", "sirolimus", "everolimus", "ruxolitinib", "belumosudil", "ibrutinib",
            "imatinib", "mycophenolate", "methotrexate")}},
    "weight changes": {"weight": [{"kg": kg, "on": f"2026-0{month}-{day}"} for kg, month, day in
                                  ((70, 1, "02"), (75, 1, 20), (81, 2, 10), (66, 2, 14), (90, 3, 10))]},
}  # fmt: skip
