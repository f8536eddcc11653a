"""Dates written relative to the index date, so that a story never ages.

"T-70d" is the day 70 days before the index date, "T+14d" a day after it, "T-3mo" and "T-45y-20d" count by the
calendar, and "T-3d@08:10" is the dateTime of that day and time in the zone of Shanghai.
"""

from __future__ import annotations

import calendar
import re
from datetime import date, timedelta

_RELATIVE = re.compile(r"T((?:[+-]\d+(?:y|mo|d))*)(?:@(\d\d:\d\d))?")
_STEP = re.compile(r"([+-]\d+)(y|mo|d)")
_ZONE = "+08:00"


def dated(template: object, today: date) -> object:
    """The template with every relative date in it replaced by what it means on the index date `today`."""
    if isinstance(template, dict):
        return {key: dated(value, today) for key, value in template.items()}
    if isinstance(template, list):
        return [dated(value, today) for value in template]
    match = _RELATIVE.fullmatch(template) if isinstance(template, str) else None
    return template if match is None else _stamp(match, today)


def _stamp(match: re.Match[str], today: date) -> str:
    day = today
    for count, unit in _STEP.findall(match[1]):
        day = _moved(day, int(count), unit)
    return f"{day}T{match[2]}:00{_ZONE}" if match[2] else str(day)


def _moved(day: date, count: int, unit: str) -> date:
    """The day so much later; in a month that is too short for it, the last day of that month."""
    if unit == "d":
        return day + timedelta(days=count)
    year, month = divmod(day.year * 12 + day.month - 1 + count * (12 if unit == "y" else 1), 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
