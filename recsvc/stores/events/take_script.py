"""Lua of the events: taking them in, and settling in the same stroke whom they concern."""

from recsvc.stores.events.ledger_scripts import LAST_WORD, LEDGER

# Keys: stream, unsettled, erased, uses due, budgets spent; ids seen in this week, then in the
# others that are asked. The cardholders' keys, and the budgets', are made from their ids: all have
# the issuer's hash tag, as the declared ones have. Arguments: longest stream, seconds a week's ids
# live, now in ms, events kept and views among them before they are the first to go, what the key of
# a cardholder begins with, and that of a budget, today, end of today in ms; then columns, as
# thousands of arguments take the server longer to read than to carry out: a JSON array each where
# nothing else is said, which it reads in one call. Of the cardholders their keys, and their hashes
# of 32 characters with nothing between; for each event its id, the number of its cardholder, one
# letter for what it is with nothing between, and two words more, the second in lines with an end to
# every line, as it is JSON itself; the commits' words; of each event by which an item is taken its
# number and the field of his last word on the item. Last come the events' entries for the stream,
# which are long: an argument each, so that they are cut once.
#
# What an event is: 0 it changes no use, 1 of those who activated something, 2 it may, 3 it may as
# it is an activation, each with what stands before and after the position in its field, and a to d
# instead where it is so old that its week's ids may be gone; or "g" or "w" with a field and its
# value, of which the greater, or the last word, stays. Of each commit: how many words it has more;
# the number of its cardholder, how many of the events are his, the revision that was read, number
# of items, their fields, and what `fit` takes of each. A commit is carried out only if he did not
# change since he was read and all his events are new; else he is marked, and settled by who asked.
# Answers 'backlog', or a number an event (0 known, 1 new, 2 new and may change a use, -1 erased),
# and number and whole hash of each cardholder that is yet to be settled.
#
# How long a hash is, is asked of every eighth cardholder of a large batch, of another eighth each
# time: a call costs more than what it finds, and nothing hangs on a hash being a little longer.
EVENTS_TAKE = (
    LAST_WORD
    + LEDGER
    + """
local stream, unsettled, erased, due, spending = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local week, call = KEYS[6], redis.call
if call('XLEN', stream) >= tonumber(ARGV[1]) then return 'backlog' end
local now, kept, kept_views = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local holder_keys, budget_keys, today, day_ends = ARGV[6], ARGV[7], ARGV[8], ARGV[9]

local function lines(text)
  local found, n, at, find, sub = {}, 0, 1, string.find, string.sub
  while true do
    local stop = find(text, '\\n', at, true)
    if not stop then return found end
    n = n + 1
    found[n] = sub(text, at, stop - 1)
    at = stop + 1
  end
end
local decode = cjson.decode
local keys, ids, numbers, kinds = decode(ARGV[10]), decode(ARGV[12]), decode(ARGV[13]), ARGV[14]
local firsts, seconds = decode(ARGV[15]), lines(ARGV[16])
local words, takings, entries = decode(ARGV[17]), decode(ARGV[18]), 18
for _, column in ipairs({numbers, kinds, firsts, seconds}) do
  if #column ~= #ids then return redis.error_reply('a text with the end of a line in it') end
end
local function id_of(holder) return string.sub(keys[holder], #holder_keys + 1) end

local known = {}
local is_new_week = call('EXISTS', week) == 0
for w = 6, #KEYS do
  if call('EXISTS', KEYS[w]) == 1 then
    for n, is_known in ipairs(call('SMISMEMBER', KEYS[w], unpack(ids))) do
      if is_known == 1 then known[ids[n]] = true end
    end
  end
end
local gone = call('HMGET', erased, struct.unpack(string.rep('c32', #keys), ARGV[11]))

local pending, at = {}, 1
while words[at] do
  pending[words[at + 1]] = {}
  at = at + 1 + words[at]
end

local function greater(old, new) return old and tonumber(old) > tonumber(new) and old or new end
local ZERO, OLD, stays = string.byte('0'), string.byte('a'), {}
stays[string.byte('g')], stays[string.byte('w')] = greater, last_word

local answers, fresh, news, grown, relevant = {}, {}, 0, {}, {}
for n, id in ipairs(ids) do
  local holder = numbers[n]
  if gone[holder] then
    answers[n] = -1
  elseif known[id] then
    answers[n] = 0
  else
    local key, kind, waits = keys[holder], string.byte(kinds, n), pending[holder]
    local of_both = stays[kind]
    local field = of_both and firsts[n] or 'e:' .. id
    known[id] = true
    news = news + 1
    fresh[news] = id
    if not of_both and kind >= OLD and call('HEXISTS', key, field) == 1 then
      answers[n] = 0
    else
      local position = call('XADD', stream, '*', 'event', ARGV[entries + n])
      answers[n] = 1
      if waits then waits.rev = position end
      if of_both then
        local value = of_both(call('HGET', key, field), seconds[n])
        if waits then call('HSET', key, field, value)
        else call('HSET', key, field, value, 'rev', position) end
      else
        local value, may = firsts[n] .. position .. seconds[n], kind - (kind >= OLD and OLD or ZERO)
        if waits then
          waits[#waits + 1] = field
          waits[#waits + 1] = value
          if may == 3 then waits.act = '1' end
        elseif may == 3 then call('HSET', key, field, value, 'rev', position, 'act', '1')
        else call('HSET', key, field, value, 'rev', position) end
        if may >= 2 or (may == 1 and (waits or call('HEXISTS', key, 'act') == 1)) then
          relevant[holder] = true
          answers[n] = 2
        end
      end
      grown[holder] = (grown[holder] or 0) + 1
    end
  end
end

for i = 1, #takings, 2 do
  local n, field = takings[i], takings[i + 1]
  if answers[n] > 0 then
    take_item(keys[numbers[n]], field, string.match(firsts[n], '^%-?%d+'))
  end
end

local settled = {}
local function settle(holder, at, fields)
  local key, dropped, is_whole = keys[holder], {}, grown[holder] == words[at + 1]
  if is_whole then
    local items = words[at + 3]
    local names = {unpack(words, at + 4, at + 3 + items)}
    local stored = call('HMGET', key, 'rev', unpack(names))
    if (stored[1] or '0') == words[at + 2] then
      local id = id_of(holder)
      local writes = fit(
        words, at + 4 + items, names, stored, budget_keys, today, day_ends, false)
      keep(writes, id, fields, dropped)
      settled[#settled + 1] = id
      relevant[holder] = nil
    end
  end
  if fields.rev then
    fields[#fields + 1] = 'rev'
    fields[#fields + 1] = fields.rev
  end
  if fields.act then
    fields[#fields + 1] = 'act'
    fields[#fields + 1] = fields.act
  end
  call('HSET', key, unpack(fields))
  if #dropped > 0 then call('HDEL', key, unpack(dropped)) end
end

at = 1
while words[at] do
  local holder = words[at + 1]
  if grown[holder] then settle(holder, at + 1, pending[holder]) end
  at = at + 1 + words[at]
end
write_gathered(due, spending)
each_thousand('ZREM', unsettled, settled)

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

local marks, accounts = {}, {}
local every = #keys > 8 and 8 or 1
for holder, key in ipairs(keys) do
  if grown[holder] then
    local size = (holder + now) % every == 0 and call('HLEN', key) or 0
    if relevant[holder] or size > 1.5 * kept then
      marks[#marks + 1] = now
      marks[#marks + 1] = id_of(holder)
    end
    if size > 2 * kept then trim(key) end
    if relevant[holder] then
      accounts[#accounts + 1] = holder
      accounts[#accounts + 1] = call('HGETALL', key)
    end
  end
end
if #marks > 0 then call('ZADD', unsettled, 'NX', unpack(marks)) end
if news > 0 then
  call('SADD', week, unpack(fresh))
  if is_new_week then call('EXPIRE', week, ARGV[2]) end
end
return {answers, accounts}
"""
)
