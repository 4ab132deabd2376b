"""Lua of the pushes: one leaves whole or not at all, and never twice."""

from recsvc.stores.codec import MINOR, OBJECTS

# Whether a cardholder's own words let him be addressed, as `codec.allows` has it. Asked again here,
# as between judging and sending a process may be stopped for any time.
ALLOWS = f"""
local function allows(holder, notice, channel)
  local told = redis.call('HMGET', holder, 'consent', 'objection', 'profile')
  if not told[1] or told[2] == '{OBJECTS.decode()}' then return false end
  local consent, version = cjson.decode(told[1]), redis.call('HGET', notice, 'version')
  if consent.personalisation ~= true or consent.marketing[channel] ~= true then return false end
  if version and consent.purpose_version ~= version then return false end
  local is_minor = told[3] and string.find(told[3], '{MINOR.decode()}', 1, true)
  return not is_minor or consent.guardian == true
end
"""

# Keys: pushes of the campaign, log of the cardholder, gateway, erased, cardholder, notice, then for
# each webhook its due set and its delivery of this push. Arguments: push id, now in ms, body for
# the gateway, most pushes of the campaign ('' for no limit), seconds the log lives, seconds the
# campaign's pushes live, seconds a delivery lives, number of caps, then count and span in ms of
# each cap, then the mark of the channel in the log and the cardholder's hash on the list of the
# erased. Answers 'sent', 'known', 'erased', 'consent', 'cap' or 'budget'.
# Whoever runs it again, after a crash or beside another, gets 'known' and nothing happens.
PUSH_SEND = (
    ALLOWS
    + """
local id, now = ARGV[1], tonumber(ARGV[2])
if redis.call('HEXISTS', KEYS[1], id) == 1 then return 'known' end
local n = tonumber(ARGV[8])
local channel = ARGV[9 + 2 * n]
if redis.call('HEXISTS', KEYS[4], ARGV[10 + 2 * n]) == 1 then
  redis.call('HSET', KEYS[1], id, 'erased')
  redis.call('EXPIRE', KEYS[1], ARGV[6])
  return 'erased'
end
if not allows(KEYS[5], KEYS[6], channel) then
  redis.call('HSET', KEYS[1], id, 'no_consent')
  redis.call('EXPIRE', KEYS[1], ARGV[6])
  return 'consent'
end
for i = 0, n - 1 do
  local count, span = tonumber(ARGV[9 + 2 * i]), tonumber(ARGV[10 + 2 * i])
  local sent = redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. (now - span), '+inf')
  local same = 0
  for _, member in ipairs(sent) do
    if string.sub(member, 1, #channel + 1) == channel .. '|' then same = same + 1 end
  end
  if same >= count then
    redis.call('HSET', KEYS[1], id, 'frequency_cap')
    redis.call('EXPIRE', KEYS[1], ARGV[6])
    return 'cap'
  end
end
if ARGV[4] ~= '' and tonumber(redis.call('HGET', KEYS[1], '#sent') or '0') >= tonumber(ARGV[4]) then
  redis.call('HSET', KEYS[1], id, 'budget')
  return 'budget'
end
redis.call('HSET', KEYS[1], id, ARGV[2])
redis.call('HINCRBY', KEYS[1], '#sent', 1)
redis.call('EXPIRE', KEYS[1], ARGV[6])
redis.call('ZADD', KEYS[2], now, channel .. '|' .. id)
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - 1000 * tonumber(ARGV[5]))
redis.call('EXPIRE', KEYS[2], ARGV[5])
local position = redis.call('XADD', KEYS[3], '*', 'push_id', id, 'push', ARGV[3])
for i = 7, #KEYS, 2 do
  redis.call('ZADD', KEYS[i], now, id)
  redis.call('EXPIRE', KEYS[i], ARGV[7])
  redis.call('HSET', KEYS[i + 1], 'position', position, 'attempts', 0)
  redis.call('EXPIRE', KEYS[i + 1], ARGV[7])
end
return 'sent'
"""
)

# Keys: pushes of the campaign, waiting, erased. Arguments: push id, when to ask again in ms, the
# push, the cardholder's hash on the list of the erased, of whom nothing is kept any more.
PUSH_WAIT = """
if redis.call('HEXISTS', KEYS[3], ARGV[4]) == 1 then return 0 end
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then return 0 end
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[3])
return 1
"""

# Keys: waiting, outbox. Arguments: now in ms, most at a time. Moves what is due to the outbox.
PUSH_WAKE = """
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])
if #due == 0 then return 0 end
redis.call('XADD', KEYS[2], '*', 'batch', '[' .. table.concat(due, ',') .. ']')
redis.call('ZREM', KEYS[1], unpack(due))
return #due
"""

# Key: turn. Arguments: who asks, ms that it lasts. Whether it is his now; asking again extends it.
TURN_TAKE = """
local now = redis.call('GET', KEYS[1])
if now and now ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""

# Key: turn. Arguments: whose it was.
TURN_END = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
"""

# Keys: queued parts, outbox. Arguments: part, seconds the queued parts live, then batches.
PART_QUEUE = """
if redis.call('SADD', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('EXPIRE', KEYS[1], ARGV[2])
for i = 3, #ARGV do redis.call('XADD', KEYS[2], '*', 'batch', ARGV[i]) end
return 1
"""
