"""Lua of the events: taking them in, and keeping the ledger of uses and budgets."""

# Keys: stream, unsettled, erased; then the cardholders; then one claim an event.
# Arguments: longest stream, seconds a claim lives, now in ms, events kept, number of cardholders;
# for each cardholder its hash and id; for each event the number of its cardholder, the entry for
# the stream, the field, how it merges (set, max), what stands before and after the position, and
# whether it may change a use: 0 no, 1 of those who activated something, 2 yes, 3 yes as it is an
# activation. Answers 'backlog', or a number an event: 0 known, 1 new, 2 new and its cardholder is
# to be settled, -1 erased.
EVENTS_TAKE = """
local stream, unsettled, erased = KEYS[1], KEYS[2], KEYS[3]
if redis.call('XLEN', stream) >= tonumber(ARGV[1]) then return 'backlog' end
local ttl, now, kept, holders = ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local gone, touched, relevant = {}, {}, {}
for i = 1, holders do
  gone[i] = redis.call('HEXISTS', erased, ARGV[4 + 2 * i]) == 1
end
local answers, at, n = {}, 6 + 2 * holders, 0
while ARGV[at] do
  n = n + 1
  local holder = tonumber(ARGV[at])
  local key, claim = KEYS[3 + holder], KEYS[3 + holders + n]
  local field, merge = ARGV[at + 2], ARGV[at + 3]
  if gone[holder] then
    answers[n] = -1
  elseif not redis.call('SET', claim, '', 'NX', 'EX', ttl) then
    answers[n] = 0
  elseif merge == 'set' and redis.call('HEXISTS', key, field) == 1 then
    answers[n] = 0
  else
    local position = redis.call('XADD', stream, '*', 'event', ARGV[at + 1])
    if merge == 'set' then
      redis.call('HSET', key, field, ARGV[at + 4] .. position .. ARGV[at + 5])
    else
      local before = redis.call('HGET', key, field)
      if not before or tonumber(before) < tonumber(ARGV[at + 4]) then
        redis.call('HSET', key, field, ARGV[at + 4])
      end
    end
    touched[holder] = true
    local concern = ARGV[at + 6]
    if concern == '3' then redis.call('HSET', key, 'act', 1) end
    answers[n] = 1
    if concern >= '2' or (concern == '1' and redis.call('HEXISTS', key, 'act') == 1) then
      relevant[holder] = true
      answers[n] = 2
    end
  end
  at = at + 7
end
for i = 1, holders do
  local key = KEYS[3 + i]
  if touched[i] then redis.call('HINCRBY', key, 'rev', 1) end
  if relevant[i] then redis.call('ZADD', unsettled, 'NX', now, ARGV[5 + 2 * i]) end
  local fields = touched[i] and redis.call('HLEN', key) or 0
  if fields > 1.5 * kept then redis.call('ZADD', unsettled, 'NX', now, ARGV[5 + 2 * i]) end
  if fields > 2 * kept then
    local all, events = redis.call('HGETALL', key), {}
    for j = 1, #all, 2 do
      if string.sub(all[j], 1, 2) == 'e:' then
        events[#events + 1] = {tonumber(string.match(all[j + 1], '^(%-?%d+)|')), all[j]}
      end
    end
    table.sort(events, function(a, b) return a[1] > b[1] or (a[1] == b[1] and a[2] > b[2]) end)
    for j = kept + 1, #events do redis.call('HDEL', key, events[j][2]) end
  end
end
return answers
"""

# Keys: cardholder, uses due, unsettled, stream, erased, budgets spent; then a budget an item.
# Arguments: cardholder id, his hash, revision that was read ('' for any), whether a use without
# room refuses all (1) or is marked exhausted (0), whether this settles him, today, end of today in
# ms; field of an event to add ('' for none), what stands before and after its position, its entry
# for the stream; field of an event to remove ('' for none); number of items; for each item its id,
# total count, total amount, daily count, daily amount ('' for no limit), what one more use takes,
# number of uses, and for each use its seven words. Answers 'moved', 'erased', 'exhausted', 'done'.
LEDGER_COMMIT = """
local holder, due, unsettled, stream = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local id, today, day_ends = ARGV[1], ARGV[6], ARGV[7]
local strict = ARGV[4] == '1'
if redis.call('HEXISTS', KEYS[5], ARGV[2]) == 1 then return 'erased' end
if ARGV[3] ~= '' and (redis.call('HGET', holder, 'rev') or '0') ~= ARGV[3] then return 'moved' end

local function whole(number) return string.format('%.0f', number) end

local function parse(text)
  local uses = {}
  for entry in string.gmatch(text or '', '[^;]+') do
    local use, kind, day, amount = string.match(entry, '^([^,]*),([^,]*),([^,]*),([^,]*),')
    uses[#uses + 1] = {use, kind, day, tonumber(amount)}
  end
  return uses
end

local function room(sums, limits, day, count, amount)
  local function within(limit, name, more)
    return limit == '' or more <= 0 or (sums[name] or 0) + more <= tonumber(limit)
  end
  return within(limits[1], 'count', count) and within(limits[2], 'amount', amount)
    and within(limits[3], 'd' .. day .. 'c', count) and within(limits[4], 'd' .. day .. 'a', amount)
end

local function take(sums, day, count, amount)
  for name, more in pairs({count = count, amount = amount,
                           ['d' .. day .. 'c'] = count, ['d' .. day .. 'a'] = amount}) do
    sums[name] = math.max((sums[name] or 0) + more, 0)
  end
end

local writes, at = {}, 14
for i = 1, tonumber(ARGV[13]) do
  local item, budget = ARGV[at], KEYS[6 + i]
  local limits = {ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4]}
  local unit, wanted = tonumber(ARGV[at + 5]), tonumber(ARGV[at + 6])
  at = at + 7
  local sums, raw = {}, redis.call('HGETALL', budget)
  for j = 1, #raw, 2 do sums[raw[j]] = tonumber(raw[j + 1]) end
  local before, stays = {}, {}
  for _, use in ipairs(parse(redis.call('HGET', holder, 'u:' .. item))) do before[use[1]] = use end
  for j = 0, wanted - 1 do stays[ARGV[at + 7 * j]] = true end
  for use, old in pairs(before) do
    if not stays[use] and old[2] ~= 'x' then take(sums, old[3], -1, -old[4]) end
  end
  local uses, lapses = {}, nil
  for j = 0, wanted - 1 do
    local b = at + 7 * j
    local use, kind, day, amount = ARGV[b], ARGV[b + 1], ARGV[b + 2], tonumber(ARGV[b + 3])
    local old = before[use]
    local counted = old and old[2] ~= 'x' and old or nil
    if kind == 'x' or (old and old[2] == 'x') then
      if counted then take(sums, counted[3], -1, -counted[4]) end
      kind, amount = 'x', 0
    else
      if counted and counted[3] ~= day then
        take(sums, counted[3], -1, -counted[4])
        counted = nil
      end
      local more, extra = counted and 0 or 1, amount - (counted and counted[4] or 0)
      if room(sums, limits, day, more, extra) then
        take(sums, day, more, extra)
      elseif strict then
        return 'exhausted'
      elseif counted then
        amount = counted[4]
      else
        kind, amount = 'x', 0
      end
    end
    local till = ARGV[b + 4]
    if kind ~= 'x' and till ~= '' and (not lapses or tonumber(till) < lapses) then
      lapses = tonumber(till)
    end
    uses[#uses + 1] = table.concat(
      {use, kind, day, whole(amount), till, ARGV[b + 5], ARGV[b + 6]}, ',')
  end
  at = at + 7 * wanted
  local spent = nil
  if not room(sums, {limits[1], limits[2], '', ''}, today, 1, unit) then spent = '+inf'
  elseif not room(sums, {'', '', limits[3], limits[4]}, today, 1, unit) then spent = day_ends end
  writes[i] = {item, budget, sums, table.concat(uses, ';'), lapses, spent}
end

for _, write in ipairs(writes) do
  local item, member = write[1], id .. '|' .. write[1]
  if write[4] == '' then redis.call('HDEL', holder, 'u:' .. item)
  else redis.call('HSET', holder, 'u:' .. item, write[4]) end
  for name, sum in pairs(write[3]) do redis.call('HSET', write[2], name, whole(sum)) end
  if write[5] then redis.call('ZADD', due, whole(write[5]), member)
  else redis.call('ZREM', due, member) end
  if write[6] then redis.call('ZADD', KEYS[6], write[6], item)
  else redis.call('ZREM', KEYS[6], item) end
end
if ARGV[8] ~= '' then
  local position = redis.call('XADD', stream, '*', 'event', ARGV[11])
  redis.call('HSET', holder, ARGV[8], ARGV[9] .. position .. ARGV[10], 'act', 1)
end
if ARGV[12] ~= '' then redis.call('HDEL', holder, unpack(cjson.decode(ARGV[12]))) end
if ARGV[8] ~= '' or ARGV[12] ~= '' then redis.call('HINCRBY', holder, 'rev', 1) end
if ARGV[5] == '1' then redis.call('ZREM', unsettled, id) end
return 'done'
"""
