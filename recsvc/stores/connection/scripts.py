"""How Lua is run that changes several keys at once or not at all."""

import hashlib
from collections.abc import Sequence
from typing import Any

import hiredis
import redis
from redis.exceptions import NoScriptError, ResponseError

Argument = str | bytes | int


class Script:
    """One script; sent whole only to a server that does not know it yet."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._sha1 = hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()

    def run(self, store: redis.Redis, keys: Sequence[str], arguments: Sequence[Argument]) -> Any:  # noqa: ANN401
        """Answer of the script, in one round trip once the server knows it.

        Thousands of arguments are packed at once: the client library looks at each by itself,
        which takes longer than the server takes to carry the script out.
        """
        rest = (len(keys), *keys, *arguments)
        try:
            return _answer(store, ("EVALSHA", self._sha1, *rest))
        except NoScriptError:
            return _answer(store, ("EVAL", self._source, *rest))

    def run_each(
        self, store: redis.Redis, keys: Sequence[str], calls: Sequence[Sequence[Argument]]
    ) -> list[Any]:
        """Answers of many calls on the same keys, in one round trip."""
        pipeline = store.pipeline(transaction=False)
        pipeline.script_load(self._source)
        for arguments in calls:
            pipeline.evalsha(self._sha1, len(keys), *keys, *arguments)
        return list(pipeline.execute())[1:]

    def run_all(
        self, store: redis.Redis, calls: Sequence[tuple[Sequence[str], Sequence[Argument]]]
    ) -> list[Any]:
        """Answers of many calls, each on its own keys, in one round trip."""
        pipeline = store.pipeline(transaction=False)
        pipeline.script_load(self._source)
        for keys, arguments in calls:
            pipeline.evalsha(self._sha1, len(keys), *keys, *arguments)
        return list(pipeline.execute())[1:]


def _answer(store: redis.Redis, command: tuple[Argument, ...]) -> Any:  # noqa: ANN401 - as the script
    """Raw answer to one command over a socket of the pool."""
    packed, pool = hiredis.pack_command(command), store.connection_pool  # type: ignore[arg-type]
    connection: Any = pool.get_connection()
    try:
        connection.send_packed_command([packed], check_health=False)
        return connection.read_response()
    except ResponseError:
        raise
    except BaseException:
        connection.disconnect()  # an answer that comes late must not reach another question
        raise
    finally:
        pool.release(connection)
