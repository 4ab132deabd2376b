"""The log: one JSON object a line, one fixed word for each event, no sentence, no id in clear."""

import logging
import sys
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any, Protocol, TextIO

import orjson
import structlog

Fields = MutableMapping[str, Any]
LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


class Log(Protocol):
    """What parts of the service may do with the log."""

    def debug(self, event: str, **fields: Any) -> Any: ...  # noqa: ANN401, D102
    def info(self, event: str, **fields: Any) -> Any: ...  # noqa: ANN401, D102
    def warning(self, event: str, **fields: Any) -> Any: ...  # noqa: ANN401, D102
    def error(self, event: str, **fields: Any) -> Any: ...  # noqa: ANN401, D102


class _Lines:
    """Writes lines to a stream; a closed pipe or a full disk never reaches the caller."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def msg(self, line: str) -> None:
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            return

    debug = info = warning = error = msg


def open_log(level: str, stream: TextIO | None = None) -> Log:
    """Open the log.

    Parameters
    ----------
    level : least level that is written: debug, info, warning or error
    stream : where lines go; standard error unless given
    """
    log: Log = structlog.wrap_logger(
        _Lines(stream or sys.stderr),
        processors=[structlog.processors.add_log_level, _stamp, _render],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
    )
    return log


def _stamp(
    _logger: object, _name: str, fields: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    fields["at"] = datetime.now(UTC)
    return fields


def _render(_logger: object, _name: str, fields: Fields) -> str:
    return orjson.dumps(dict(fields), default=str, option=orjson.OPT_UTC_Z).decode()
