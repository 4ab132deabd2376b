"""Lua of the events: taking them in, and keeping the ledger of uses and budgets."""

# A revision is the position of the last event, so that it need not be read to be changed; what
# changes a cardholder without an event counts up behind it.
TURN_REVISION = """
local function turn_revision(holder)
  local revision = redis.call('HGET', holder, 'rev') or '0'
  local position, times = string.match(revision, '^([^~]*)~?(%d*)$')
  redis.call('HSET', holder, 'rev', position .. '~' .. ((tonumber(times) or 0) + 1))
end
"""

# Keys: stream, unsettled, erased; ids seen in this week, then in the others that are asked; then
# the cardholders. Arguments: longest stream, seconds a week's ids live, now in ms, events kept and
# views among them before they are the first to go, number of weeks, number of cardholders, length
# of a cardholder's key without his id; hash of each cardholder; for each event its id, the number
# of its cardholder, the entry for the stream, what it is, and two words more. What it is: 0 it
# changes no use, 1 of those who activated something, 2 it may, 3 it may as it is an activation,
# each with what stands before and after the position in its field; or "max" with a field and its
# value, of which the greater stays.
# Answers 'backlog', or a number an event (0 known, 1 new, 2 new and its cardholder is to be
# settled, -1 erased), and number and whole hash of each cardholder that is to be settled.
EVENTS_TAKE = """
local stream, unsettled, erased, week = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local call = redis.call
if call('XLEN', stream) >= tonumber(ARGV[1]) then return 'backlog' end
local now, kept, kept_views = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local weeks, holders = tonumber(ARGV[6]), tonumber(ARGV[7])
local first, before_keys, total = 9 + holders, 3 + weeks, #ARGV

local ids, known = {}, {}
for at = first, total, 6 do ids[#ids + 1] = ARGV[at] end
local is_new_week = call('EXISTS', week) == 0
for w = 4, before_keys do
  if call('EXISTS', KEYS[w]) == 1 then
    for n, is_known in ipairs(call('SMISMEMBER', KEYS[w], unpack(ids))) do
      if is_known == 1 then known[ids[n]] = true end
    end
  end
end
local gone = call('HMGET', erased, unpack(ARGV, 9, 8 + holders))

local answers, fresh, grown, relevant = {}, {}, {}, {}
local at = first
for n, id in ipairs(ids) do
  local holder = tonumber(ARGV[at + 1])
  if gone[holder] then
    answers[n] = -1
  elseif known[id] then
    answers[n] = 0
  else
    local key, kind = KEYS[before_keys + holder], ARGV[at + 3]
    local field = kind == 'max' and ARGV[at + 4] or 'e:' .. id
    known[id] = true
    fresh[#fresh + 1] = id
    if kind ~= 'max' and call('HEXISTS', key, field) == 1 then
      answers[n] = 0
    else
      local position = call('XADD', stream, '*', 'event', ARGV[at + 2])
      answers[n] = 1
      if kind == 'max' then
        local value, old = ARGV[at + 5], call('HGET', key, field)
        if old and tonumber(old) > tonumber(value) then value = old end
        call('HSET', key, field, value, 'rev', position)
      else
        local value = ARGV[at + 4] .. position .. ARGV[at + 5]
        if kind == '3' then call('HSET', key, field, value, 'rev', position, 'act', '1')
        else call('HSET', key, field, value, 'rev', position) end
        if kind >= '2' or (kind == '1' and call('HEXISTS', key, 'act') == 1) then
          relevant[holder] = true
          answers[n] = 2
        end
      end
      grown[holder] = (grown[holder] or 0) + 1
    end
  end
  at = at + 6
end

local function trim(key)
  local all, events, views, last = call('HGETALL', key), {}, 0, {}
  for j = 1, #all, 2 do
    if string.sub(all[j], 1, 2) == 'e:' then
      events[#events + 1] = {tonumber(string.match(all[j + 1], '^(%-?%d+)|')), all[j],
                             string.find(all[j + 1], '|["viewed"', 1, true)}
    end
  end
  table.sort(events, function(a, b) return a[1] > b[1] or (a[1] == b[1] and a[2] > b[2]) end)
  local left = #events - kept
  for j, event in ipairs(events) do
    if event[3] then views = views + 1 end
    if event[3] and views > kept_views then last[#last + 1] = event[2] end
  end
  for j = #last, 1, -1 do
    if left > 0 and call('HDEL', key, last[j]) == 1 then left = left - 1 end
  end
  for j = #events, 1, -1 do
    if left > 0 and call('HDEL', key, events[j][2]) == 1 then left = left - 1 end
  end
end

local marks, accounts, id_at = {}, {}, tonumber(ARGV[8]) + 1
for holder = 1, holders do
  if grown[holder] then
    local key = KEYS[before_keys + holder]
    local size = call('HLEN', key)
    if relevant[holder] or size > 1.5 * kept then
      marks[#marks + 1] = now
      marks[#marks + 1] = string.sub(key, id_at)
    end
    if size > 2 * kept then trim(key) end
    if relevant[holder] then
      accounts[#accounts + 1] = holder
      accounts[#accounts + 1] = call('HGETALL', key)
    end
  end
end
if #marks > 0 then call('ZADD', unsettled, 'NX', unpack(marks)) end
if #fresh > 0 then
  call('SADD', week, unpack(fresh))
  if is_new_week then call('EXPIRE', week, ARGV[2]) end
end
return {answers, accounts}
"""

# Keys: uses due, unsettled, stream, erased, budgets spent; then for each account its cardholder and
# a budget an item. Arguments, for each account: how many keys and how many arguments it has;
# cardholder id, his hash, revision that was read ('' for any), whether a use without room refuses
# all (1) or is marked exhausted (0), whether this settles him, today, end of today in ms; field of
# an event to add ('' for none), what stands before and after its position, its entry for the
# stream; fields of events to remove as JSON ('' for none); number of items; for each item its id,
# total count, total amount, daily count, daily amount ('' for no limit), what one more use takes,
# number of uses, and for each use its seven words.
# Answers 'moved', 'erased', 'exhausted' or 'done' for each account; one is written whole or not.
LEDGER_COMMIT = (
    TURN_REVISION
    + """
local due, unsettled, stream, erased, spending = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]

local function whole(number) return string.format('%.0f', number) end

local function parse(text)
  local uses = {}
  for entry in string.gmatch(text or '', '[^;]+') do
    local use, kind, day, amount = string.match(entry, '^([^,]*),([^,]*),([^,]*),([^,]*),')
    uses[#uses + 1] = {use, kind, day, tonumber(amount)}
  end
  return uses
end

local function read(budget, today, before, arg, wanted)
  local names, has = {'count', 'amount'}, {}
  local function add(day)
    if not has[day] then
      has[day] = true
      names[#names + 1] = 'd' .. day .. 'c'
      names[#names + 1] = 'd' .. day .. 'a'
    end
  end
  add(today)
  for _, old in pairs(before) do add(old[3]) end
  for j = 0, wanted - 1 do add(ARGV[arg + 7 * j + 2]) end
  local sums, was = {}, {}
  for i, value in ipairs(redis.call('HMGET', budget, unpack(names))) do
    sums[names[i]] = tonumber(value or 0)
    was[names[i]] = value and tonumber(value)
  end
  return sums, was
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

local function store(write, holder, id)
  local member = id .. '|' .. write.item
  if write.uses == '' then redis.call('HDEL', holder, 'u:' .. write.item)
  else redis.call('HSET', holder, 'u:' .. write.item, write.uses) end
  local flat = {}
  for name, sum in pairs(write.sums) do
    if sum ~= (write.was[name] or 0) then
      flat[#flat + 1] = name
      flat[#flat + 1] = whole(sum)
    end
  end
  if #flat > 0 then redis.call('HSET', write.budget, unpack(flat)) end
  if write.lapses then redis.call('ZADD', due, whole(write.lapses), member)
  else redis.call('ZREM', due, member) end
  if write.spent then redis.call('ZADD', spending, write.spent, write.item)
  else redis.call('ZREM', spending, write.item) end
end

local settled = {}
local function commit(key, arg)
  local holder, id, today, day_ends = KEYS[key], ARGV[arg], ARGV[arg + 5], ARGV[arg + 6]
  local strict = ARGV[arg + 3] == '1'
  if redis.call('HEXISTS', erased, ARGV[arg + 1]) == 1 then return 'erased' end
  local revision = ARGV[arg + 2]
  if revision ~= '' and (redis.call('HGET', holder, 'rev') or '0') ~= revision then
    return 'moved'
  end
  local writes, at = {}, arg + 13
  for i = 1, tonumber(ARGV[arg + 12]) do
    local item, budget = ARGV[at], KEYS[key + i]
    local limits = {ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4]}
    local unit, wanted = tonumber(ARGV[at + 5]), tonumber(ARGV[at + 6])
    at = at + 7
    local before, stays = {}, {}
    for _, use in ipairs(parse(redis.call('HGET', holder, 'u:' .. item))) do
      before[use[1]] = use
    end
    local sums, was = read(budget, today, before, at, wanted)
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
    writes[i] = {item = item, budget = budget, sums = sums, was = was,
                 uses = table.concat(uses, ';'), lapses = lapses, spent = spent}
  end
  for _, one in ipairs(writes) do store(one, holder, id) end
  local added, removed = ARGV[arg + 7], ARGV[arg + 11]
  if added ~= '' then
    local position = redis.call('XADD', stream, '*', 'event', ARGV[arg + 10])
    redis.call('HSET', holder, added, ARGV[arg + 8] .. position .. ARGV[arg + 9],
               'rev', position, 'act', 1)
  end
  if removed ~= '' then
    redis.call('HDEL', holder, unpack(cjson.decode(removed)))
    turn_revision(holder)
  end
  if ARGV[arg + 4] == '1' then settled[#settled + 1] = id end
  return 'done'
end

local answers, key, arg = {}, 6, 1
while ARGV[arg] do
  answers[#answers + 1] = commit(key, arg + 2)
  key, arg = key + tonumber(ARGV[arg]), arg + 2 + tonumber(ARGV[arg + 1])
end
if #settled > 0 then redis.call('ZREM', unsettled, unpack(settled)) end
return answers
"""
)
