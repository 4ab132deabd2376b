"""What cardholders are promised: their hours, their peace, what is kept and told of them."""

from pydantic import BaseModel, Field

from recsvc.settings.kinds import Domains, IssuerZones, ZoneName


class People(BaseModel):
    """What cardholders are promised: their hours, their peace, what is kept and told of them."""

    timezone: ZoneName = Field(
        "Asia/Shanghai", description="zone in which weekdays, days and months of terms are counted"
    )
    issuer_timezones: IssuerZones = Field(
        (),
        description="zone of quiet hours for issuers whose cardholders live elsewhere, as "
        "issuer=zone, comma-separated; a cardholder's own profile comes first",
    )
    retention_days: int = Field(
        180,
        ge=1,
        le=3650,
        description="days after which `recsvc retention run` ends a cardholder's events",
    )
    min_report: int = Field(
        50, ge=2, le=100_000, description="cardholders below which no count is reported"
    )
    min_export: int = Field(
        500,
        ge=2,
        le=100_000,
        description="cardholders below which no audience is launched or exported",
    )
    global_holdout_bps: int = Field(
        0, ge=0, le=5000, description="basis points of cardholders whom no campaign ever reaches"
    )
    pushes_per_day: int = Field(
        1, ge=1, le=100, description="most pushes a cardholder gets in 24 hours, on each channel"
    )
    pushes_per_week: int = Field(
        3, ge=1, le=1000, description="most pushes a cardholder gets in 7 days, on each channel"
    )
    webhook_hosts: Domains = Field(
        (),
        description="domains that webhooks may lead to, comma-separated, subdomains included; any "
        "unless set, so set it where pushes must not leave a region",
    )
