"""Dates and times as issuers write them, as aware instants in UTC."""

from datetime import UTC, datetime

import polars as pl

ISO = (
    "%+",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d",
)
WRITTEN = datetime(2024, 3, 12, 14, 5, 6, tzinfo=UTC)
EPOCHS = {"epoch_s": 1_000_000, "epoch_ms": 1_000, "epoch_us": 1}


def read_instants(
    value: pl.Expr, kind: pl.DataType, formats: tuple[str, ...], zone: str
) -> pl.Expr:
    """Instants of one column, in UTC; null where none can be read.

    A time without an offset is one of ``zone``. Where a clock change makes it happen twice the
    first is meant; where it skips it, the time an hour later. A date without a time is its noon:
    in nearly every zone that instant has the same date in UTC, so days stay the days of the file.

    Parameters
    ----------
    value : polars.Expr
        Text, dates, date-times or epoch numbers.
    kind : polars.DataType
        Type of that column.
    formats : tuple of str
        Formats of strftime, or ``epoch_s``, ``epoch_ms``, ``epoch_us``; the first that fits a
        value reads it, those that find a year of two digits in ``%Y`` last. Empty means
        ISO 8601.
    zone : str
        IANA name of the zone of times without an offset.
    """
    if isinstance(kind, pl.Datetime):
        if kind.time_zone:
            return value.dt.convert_time_zone("UTC").dt.cast_time_unit("us")
        return _from_local(value.dt.cast_time_unit("us"), zone)
    if kind == pl.Date():
        return _from_local(_noon(value), zone)
    text = value.cast(pl.String).str.strip_chars()
    found = [_read(text, pattern, zone) for pattern in formats or ISO]
    if len(formats) < 2:
        return pl.coalesce(found)
    return pl.coalesce([*(_of_whole_year(at) for at in found), *found])


def reads_dates(pattern: str) -> bool:
    """Tell whether a format of strftime reads back a date that it wrote."""
    try:
        written = pl.Series([WRITTEN]).dt.strftime(pattern)
        back = pl.select(read_instants(pl.lit(written), pl.String(), (pattern,), "UTC")).item()
    except pl.exceptions.PolarsError:
        return False
    return isinstance(back, datetime) and back.date() == WRITTEN.date()


def in_window(instant: pl.Expr, earliest: datetime, latest: datetime) -> pl.Expr:
    """Name of what is wrong with an instant: before the first plausible one, or in the future."""
    return (
        pl.when(instant < pl.lit(earliest, pl.Datetime("us", "UTC")))
        .then(pl.lit("occurred_at_too_early"))
        .when(instant >= pl.lit(latest, pl.Datetime("us", "UTC")))
        .then(pl.lit("occurred_at_in_future"))
    )


def _read(text: pl.Expr, pattern: str, zone: str) -> pl.Expr:
    """Instants that this one pattern reads; null for the rest."""
    if pattern in EPOCHS:
        number = text.cast(pl.Int64, strict=False) * EPOCHS[pattern]
        return number.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    if pattern == "%+" or "%z" in pattern or "%:z" in pattern or "%#z" in pattern:
        return text.str.to_datetime(pattern, time_unit="us", time_zone="UTC", strict=False)
    if any(part in pattern for part in ("%H", "%I", "%T", "%R", "%s")):
        return _from_local(text.str.to_datetime(pattern, time_unit="us", strict=False), zone)
    return _from_local(_noon(text.str.to_date(pattern, strict=False)), zone)


def _of_whole_year(at: pl.Expr) -> pl.Expr:
    """Instants but those of a year below 1000, which are of two digits read by ``%Y``."""
    return pl.when(at.dt.year() >= 1000).then(at)


def _noon(date: pl.Expr) -> pl.Expr:
    """Local noon of a date."""
    return date.cast(pl.Datetime("us")) + pl.duration(hours=12)


def _from_local(local: pl.Expr, zone: str) -> pl.Expr:
    """Local times of a zone as instants in UTC."""
    moved = local + pl.duration(hours=1)
    placed = [
        time.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
        for time in (local, moved)
    ]
    return pl.coalesce(placed).dt.convert_time_zone("UTC")
