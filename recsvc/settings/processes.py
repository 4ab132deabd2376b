"""The environment that processes start in, beside the settings themselves."""

import os
import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path

from recsvc.settings.errors import PREFIX, SettingsError
from recsvc.settings.reading import Settings

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def serving_environment(settings: Settings) -> dict[str, str]:
    """Environment that gunicorn must be started in: one thread a library, a secret, shared metrics.

    The libraries read their thread counts when they load, so this has to be there before Python
    starts.

    Raises
    ------
    SettingsError
        the folder for metrics cannot be made
    """
    environ = dict(os.environ)
    environ.update(dict.fromkeys(ONE_THREAD, "1"))
    environ.setdefault("PYTHONUNBUFFERED", "1")
    environ.setdefault("MALLOC_ARENA_MAX", "2")
    if not settings.secret.get_secret_value():
        environ[PREFIX + "SECRET"] = secrets.token_hex(32)
    environ["PROMETHEUS_MULTIPROC_DIR"] = str(_made_metrics_folder(settings.metrics_dir))
    return environ


def _made_metrics_folder(chosen: Path | None) -> Path:
    folder = chosen or Path(tempfile.mkdtemp(prefix="recsvc-metrics-"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"{PREFIX}METRICS_DIR: {folder} cannot be made ({error.strerror}); name a folder that "
            "can be written, or leave it out for a temporary one"
        ) from None
    return folder


def refuse_many_threads(environ: Mapping[str, str] | None = None) -> None:
    """Refuse to serve with more than one thread in the numeric libraries.

    Raises
    ------
    SettingsError
        because a forked worker may hang for ever in its first search
    """
    looked_at = os.environ if environ is None else environ
    wrong = [name for name in ONE_THREAD if looked_at.get(name) != "1"]
    if wrong:
        raise SettingsError(
            f"{', '.join(wrong)}: must be 1 before Python starts, or a worker's search can hang; "
            "start with `recsvc serve`, which sets it"
        )


def metrics_folder() -> str | None:
    """Folder of the shared counters, or None outside a server with several processes."""
    return os.environ.get("PROMETHEUS_MULTIPROC_DIR") or None
