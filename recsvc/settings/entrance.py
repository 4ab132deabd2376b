"""Who and what is let in."""

from pydantic import BaseModel, Field, SecretStr

from recsvc.settings.errors import PREFIX, SettingsError
from recsvc.settings.kinds import DEFAULT_RATES, Hosts, Proxies, Rates, Secret


class Entrance(BaseModel):
    """Who and what is let in."""

    secret: Secret = Field(
        SecretStr(""),
        description="signs cursors and serve tokens and keys the pseudonyms in logs; at least "
        "32 characters; made anew at each start unless set",
    )
    rate_limits: Rates = Field(
        DEFAULT_RATES,
        description="most requests of one credential for each scope, all workers together, as "
        "scope=number/period, comma-separated; period is second, minute or hour",
    )
    forwarded_allow_ips: Proxies = Field(
        "127.0.0.1", description="proxies whose X-Forwarded headers are believed, comma-separated"
    )
    trusted_hosts: Hosts = Field(
        (), description="host names that are answered, comma-separated; all unless set"
    )
    body_limit_bytes: int = Field(
        256 * 1024, ge=1024, description="largest request body, except for events and imports"
    )
    bulk_body_limit_bytes: int = Field(
        5 * 1024 * 1024, ge=1024, description="largest body of events and of catalogue imports"
    )

    @property
    def secret_bytes(self) -> bytes:
        """The signing secret.

        Raises
        ------
        SettingsError
            when none is set: workers that each made one would not believe one another
        """
        if not self.secret.get_secret_value():
            raise SettingsError(
                f"{PREFIX}SECRET: not set; start with `recsvc serve`, which makes one, or set it"
            )
        return self.secret.get_secret_value().encode()
