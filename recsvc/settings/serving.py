"""How the processes serve, start and stop."""

import os
from typing import Literal

from pydantic import BaseModel, Field

from recsvc.settings.kinds import ListeningAddress


class Serving(BaseModel):
    """How the processes serve, start and stop."""

    bind: ListeningAddress = Field(
        "127.0.0.1:8080", description="address and port that gunicorn listens on"
    )
    workers: int = Field(
        default_factory=lambda: len(os.sched_getaffinity(0)),
        ge=1,
        le=256,
        description="worker processes; one for each core unless set",
    )
    threads: int = Field(8, ge=1, le=256, description="requests one worker answers at a time")
    waiting_limit: int = Field(
        32,
        ge=0,
        le=4096,
        description="requests that may wait in a worker beside those being answered; more get 503",
    )
    head_seconds: float = Field(
        5.0, gt=0, le=60, description="time a client gets to send the head of a request"
    )
    grace_seconds: int = Field(
        30, ge=1, le=600, description="time that running requests get when the service stops"
    )
    drain_seconds: float = Field(
        0.0,
        ge=0,
        le=60,
        description="time between 'not ready' and closing the door, for a balancer to notice",
    )
    max_requests: int = Field(
        500_000, ge=0, description="a worker is replaced after about this many requests; 0 is never"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="least level that is logged"
    )
    access_log: bool = Field(
        default=False, description="one log line a request (no query strings, no ids in clear)"
    )
