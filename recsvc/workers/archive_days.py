"""Days of an issuer's archive, and their end."""

import re
from datetime import date, datetime, timedelta
from pathlib import Path

DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def end_days(folder: Path, now: datetime, days: int) -> int:
    """Delete the files of days of arrival that ended more than so many days ago.

    Parameters
    ----------
    folder : the issuer's folder in the archive; what is no day of it stays as it is
    now : datetime, aware
    days : at least 1

    Returns
    -------
    files deleted
    """
    oldest = (now - timedelta(days=days)).date()
    old = [one for one in folder.glob("*") if _is_before(one, oldest)]
    files = [path for day in old for path in sorted(day.glob("*.parquet"))]
    for path in files:
        path.unlink(missing_ok=True)
    for day in old:
        if not any(day.iterdir()):
            day.rmdir()
    return len(files)


def _is_before(place: Path, oldest: date) -> bool:
    """Whether a place is the folder of a day before this one."""
    if not DAY.fullmatch(place.name) or not place.is_dir():
        return False
    try:
        return date.fromisoformat(place.name) < oldest
    except ValueError:
        return False
