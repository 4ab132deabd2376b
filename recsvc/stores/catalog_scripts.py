"""Lua of the catalogue: a change takes the next version and marks its item with it."""

# Keys of the three catalogue scripts: items, state, changes, list of benefits, list of offers.
# A stored item is "<revision>\n<kind>\n<json>". Its revision is the version that wrote it, so that
# an id that is deleted and made anew has one that no reader of the old item can hold.
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
redis.call('HSET', KEYS[1], id, version .. '\\n' .. kind .. '\\n' .. document)
redis.call('ZADD', KEYS[3], version, id)
redis.call('ZADD', kind == 'benefit' and KEYS[4] or KEYS[5], 0, id)
return {stored and 'updated' or 'created', version}
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
