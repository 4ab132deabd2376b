"""Every campaign of a journey as an exam, each with a model of what was bought before it."""

import tempfile
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from embeddings.catalog import write_catalog
from embeddings.model import Model
from training.config import Settings
from training.exams.coupons.exam import Exam, exam_of
from training.exams.coupons.journey import Campaign, Journey
from training.exams.fitting import fit_usage

EPOCH = date(1970, 1, 1)
LEAST_DAYS = 31
Say = Callable[[str], None]


def exams_of(
    journey: Journey, settings: Settings, *, seed: int, n_threads: int, say: Say
) -> Iterator[Exam]:
    """Exams in order of the campaigns' starts; those in which nobody redeemed are left out.

    A model is fitted once a month, to what was bought before the month began, so a campaign's
    model knows nothing of its time. Campaigns of the first ``LEAST_DAYS`` of usage are left out.
    """
    first = journey.usage["occurred_at"].dt.epoch("d").min()
    fitted: dict[int, Model] = {}
    for campaign in journey.campaigns:
        day = _first_of_month(campaign)
        if day - int(str(first)) < LEAST_DAYS - 1:
            continue
        if day not in fitted:
            say(f"fit to purchases before {EPOCH + timedelta(day)}")
            fitted = {day: model_before(journey, day, settings, seed=seed, n_threads=n_threads)}
        exam = exam_of(journey, campaign, fitted[day], seed)
        if exam.redeemed.any():
            say(f"campaign {campaign.campaign_id}: {int(exam.redeemed.sum())} redemptions")
            yield exam


def _first_of_month(campaign: Campaign) -> int:
    """First day of the month in which a campaign starts, in days since 1970-01-01."""
    return ((EPOCH + timedelta(campaign.day)).replace(day=1) - EPOCH).days


def model_before(
    journey: Journey, day: int, settings: Settings, *, seed: int, n_threads: int
) -> Model:
    """Model of purchases before a day, as a run would fit it."""
    with tempfile.TemporaryDirectory() as folder:
        usage, catalog = Path(folder) / "usage.parquet", Path(folder) / "catalog.ndjson"
        before = journey.usage.filter(pl.col("occurred_at").dt.epoch("d") < day)
        before.write_parquet(usage)
        write_catalog(catalog, journey.catalog)
        return fit_usage(usage, catalog, None, settings=settings, seed=seed, n_threads=n_threads)
