"""How gunicorn runs the service: `gunicorn -c python:recsvc.gunicorn_conf`.

gunicorn reads the names of this module as its settings, so this one module does something when it
is imported: it reads our settings and refuses what would hang or lie later.
"""

import shutil
import signal
import threading
from pathlib import Path
from types import FrameType
from typing import Any

from prometheus_client import multiprocess

from embeddings.index import fork_self_test
from recsvc.app import EXTENSION
from recsvc.settings import SettingsError, metrics_folder, read_settings, refuse_many_threads

_settings = read_settings()
refuse_many_threads()

wsgi_app = "recsvc.wsgi:application()"
bind = [_settings.bind]
worker_class = "recsvc.server.express.ExpressWorker"
workers = _settings.workers
threads = _settings.threads
preload_app = False
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - heartbeat files
timeout = 30
graceful_timeout = int(_settings.grace_seconds + _settings.drain_seconds)
keepalive = 75
max_requests = _settings.max_requests
max_requests_jitter = _settings.max_requests // 10
limit_request_line = 8190
limit_request_fields = 64
limit_request_field_size = 8190
backlog = 512
control_socket_disable = True
forwarded_allow_ips = _settings.forwarded_allow_ips
loglevel = _settings.log_level
accesslog = None


def on_starting(server: Any) -> None:  # noqa: ANN401 - gunicorn's arbiter
    """Empty the shared counters of the run before; refuse what a fork would break."""
    if server.cfg.preload_app:
        raise SettingsError("preload_app: a search before the fork hangs workers; leave it off")
    if not fork_self_test():
        raise SettingsError("a search after a fork hangs on this machine; see OMP_NUM_THREADS")
    folder = metrics_folder()
    if folder is not None and Path(folder).is_dir():
        for path in Path(folder).glob("*.db"):
            path.unlink(missing_ok=True)


def post_fork(_server: Any, worker: Any) -> None:  # noqa: ANN401 - gunicorn's own
    """Give a new worker its bounds."""
    worker.waiting_limit = _settings.waiting_limit
    worker.head_seconds = _settings.head_seconds


def post_worker_init(worker: Any) -> None:  # noqa: ANN401 - gunicorn's worker
    """Start what belongs after the fork; make a stop say `not ready` before it closes the door."""
    services = worker.wsgi.extensions[EXTENSION]
    services.start()

    def leave(signum: int, frame: FrameType | None) -> None:
        services.draining.set()
        pause = threading.Timer(_settings.drain_seconds, worker.handle_exit, (signum, frame))
        pause.daemon = True
        pause.start()

    signal.signal(signal.SIGTERM, leave)


def worker_exit(_server: Any, worker: Any) -> None:  # noqa: ANN401 - gunicorn's own
    """Flush and close what the worker held."""
    app = getattr(worker, "wsgi", None)
    if app is not None:
        app.extensions[EXTENSION].stop()


def child_exit(_server: Any, worker: Any) -> None:  # noqa: ANN401 - gunicorn's own
    """Forget the gauges and the connections of a worker that is gone."""
    worker.fair_share.leave(worker.age)
    if metrics_folder() is not None:
        multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(_server: Any) -> None:  # noqa: ANN401 - gunicorn's own
    """Remove the temporary folder of the counters."""
    folder = metrics_folder()
    if folder is not None and _settings.metrics_dir is None:
        shutil.rmtree(folder, ignore_errors=True)
