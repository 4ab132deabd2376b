"""Lua that changes several keys at once or not at all, and how it is run."""

import hashlib
from collections.abc import Sequence
from typing import Any

import hiredis
import redis
from redis.exceptions import NoScriptError, ResponseError

Argument = str | bytes | int

# Keys of the three catalogue scripts: items, state, changes, list of benefits, list of offers.
# A stored item is "<revision>\n<kind>\n<json>".
CATALOG_PUT = """
local id, kind, document, expected, epoch = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local stored = redis.call('HGET', KEYS[1], id)
local revision = 0
if stored then
  local first = string.find(stored, '\\n', 1, true)
  local second = string.find(stored, '\\n', first + 1, true)
  revision = tonumber(string.sub(stored, 1, first - 1))
  if string.sub(stored, first + 1, second - 1) ~= kind then return {'kind_conflict', 0} end
  if expected == '-' then return {'mismatch', revision} end
  if expected ~= '' and expected ~= '*' and tonumber(expected) ~= revision then
    return {'mismatch', revision}
  end
  if string.sub(stored, second + 1) == document then return {'unchanged', revision} end
elseif expected ~= '' and expected ~= '-' then
  return {'mismatch', 0}
end
redis.call('HSETNX', KEYS[2], 'epoch', epoch)
local version = redis.call('HINCRBY', KEYS[2], 'version', 1)
redis.call('HSET', KEYS[1], id, (revision + 1) .. '\\n' .. kind .. '\\n' .. document)
redis.call('ZADD', KEYS[3], version, id)
redis.call('ZADD', kind == 'benefit' and KEYS[4] or KEYS[5], 0, id)
return {stored and 'updated' or 'created', revision + 1}
"""

CATALOG_DELETE = """
local id, kind, expected = ARGV[1], ARGV[2], ARGV[3]
local stored = redis.call('HGET', KEYS[1], id)
if not stored then return 'missing' end
local first = string.find(stored, '\\n', 1, true)
local second = string.find(stored, '\\n', first + 1, true)
if string.sub(stored, first + 1, second - 1) ~= kind then return 'missing' end
local revision = tonumber(string.sub(stored, 1, first - 1))
if expected ~= '' and expected ~= '*' and tonumber(expected) ~= revision then return 'mismatch' end
local version = redis.call('HINCRBY', KEYS[2], 'version', 1)
redis.call('HDEL', KEYS[1], id)
redis.call('ZADD', KEYS[3], version, id)
redis.call('ZREM', kind == 'benefit' and KEYS[4] or KEYS[5], id)
return 'deleted'
"""

CATALOG_CHANGES_SINCE = """
local state = redis.call('HMGET', KEYS[2], 'epoch', 'version')
local changed = redis.call(
  'ZRANGEBYSCORE', KEYS[3], '(' .. ARGV[1], '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[2])
local rows = {}
for i = 1, #changed, 2 do
  rows[#rows + 1] = {changed[i], changed[i + 1], redis.call('HGET', KEYS[1], changed[i])}
end
return {state[1], state[2] or '0', rows}
"""


# Keys: the claim and, for a request about one cardholder, the list of his. Arguments: fingerprint
# of the body, seconds a claim may stay unfinished, seconds his list is kept.
IDEMPOTENCY_BEGIN = """
local known = redis.call('HMGET', KEYS[1], 'body', 'state', 'status', 'answer')
if not known[1] then
  redis.call('HSET', KEYS[1], 'body', ARGV[1], 'state', 'running')
  redis.call('EXPIRE', KEYS[1], ARGV[2])
  if KEYS[2] then
    redis.call('SADD', KEYS[2], KEYS[1])
    redis.call('EXPIRE', KEYS[2], ARGV[3])
  end
  return {'first', 0, ''}
end
if known[1] ~= ARGV[1] then return {'other_body', 0, ''} end
if known[2] ~= 'done' then return {'in_flight', 0, ''} end
return {'replay', tonumber(known[3]), known[4]}
"""

# Key: the claim. Arguments: status, answer, seconds it is kept. Writes nothing for a claim that is
# gone: whom it was about may have been erased meanwhile.
IDEMPOTENCY_FINISH = """
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], 'state', 'done', 'status', ARGV[1], 'answer', ARGV[2])
return redis.call('EXPIRE', KEYS[1], ARGV[3])
"""


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
