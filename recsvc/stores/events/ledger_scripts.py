"""Lua that the scripts of accounts share: revisions, last words, uses and their room in budgets."""

# A revision is the position of the last event, so that it need not be read to be changed; what
# changes a cardholder without an event counts up behind it.
TURN_REVISION = """
local function turn_revision(holder)
  local revision = redis.call('HGET', holder, 'rev') or '0'
  local position, times = string.match(revision, '^([^~]*)~?(%d*)$')
  redis.call('HSET', holder, 'rev', position .. '~' .. ((tonumber(times) or 0) + 1))
end
"""

# What a cardholder said last of an item, of two words ``until|at``: the later; of two at one
# instant that he took it (no ``until``), else the one that lasts longer. So all of them come to the
# same in whatever order they arrive, and however often.
LAST_WORD = """
local function last_word(old, new)
  local old_ends, old_at = string.match(old or '', '^(%-?%d*)|(.+)$')
  if not old_at then return new end
  local new_ends, new_at = string.match(new, '^(%-?%d*)|(.+)$')
  if old_at ~= new_at then return tonumber(old_at) > tonumber(new_at) and old or new end
  return (tonumber(old_ends) or math.huge) > (tonumber(new_ends) or math.huge) and old or new
end

local function take_item(holder, field, at)
  local old, new = redis.call('HGET', holder, field), '|' .. at
  if last_word(old, new) ~= old then redis.call('HSET', holder, field, new) end
end
"""

# What the scripts that settle share. A call from a script costs several times what the command
# itself does, so a hash is read once and written once, and what goes into a sorted set is gathered
# (`lapses_at`, `spent_at`: score by member, false for none) and written by `write_gathered`.
#
# `fit` finds the room for the uses of some items. In `words` from `at`: for each item its total
# count, total amount, daily count, daily amount ('' for no limit), what one more use takes, number
# of uses, and for each use its seven words. `names`: the fields of these items; `stored`: what
# stands in them behind a first value; `budgets`: what a budget's key begins with, before the item.
# Answers what is to be written of each, or nothing where a strict commit finds no room.
LEDGER = """
local function whole(number) return string.format('%.0f', number) end

local function parse(text)
  local uses = {}
  for entry in string.gmatch(text or '', '[^;]+') do
    local use, kind, day, amount = string.match(entry, '^([^,]*),([^,]*),([^,]*),([^,]*),')
    uses[use] = {use, kind, day, tonumber(amount)}
  end
  return uses
end

local function counts(kind) return kind ~= 'x' and kind ~= 'c' end

local counted_on, spent_on = {}, {}
local function add_day(names, day)
  if not counted_on[day] then
    counted_on[day], spent_on[day] = 'd' .. day .. 'c', 'd' .. day .. 'a'
  end
  for i = 3, #names, 2 do
    if names[i] == counted_on[day] then return end
  end
  names[#names + 1] = counted_on[day]
  names[#names + 1] = spent_on[day]
end

local function read(budget, today, before, words, arg, wanted)
  local names, sums, was = {'count', 'amount'}, {}, {}
  add_day(names, today)
  for _, old in pairs(before) do add_day(names, old[3]) end
  for j = 0, wanted - 1 do add_day(names, words[arg + 7 * j + 2]) end
  local values = redis.call('HMGET', budget, unpack(names))
  for i = 1, #names do
    local sum = tonumber(values[i] or 0)
    sums[names[i]], was[names[i]] = sum, sum
  end
  return sums, was
end

local function within(limit, sum, more)
  return limit == '' or more <= 0 or sum + more <= tonumber(limit)
end

local function has_room(sums, words, at, count, amount)
  return within(words[at], sums.count, count) and within(words[at + 1], sums.amount, amount)
end

local function has_room_on(day, sums, words, at, count, amount)
  return within(words[at + 2], sums[counted_on[day]], count)
    and within(words[at + 3], sums[spent_on[day]], amount)
end

local function add(sums, name, more) sums[name] = math.max(sums[name] + more, 0) end

local function take(sums, day, count, amount)
  add(sums, 'count', count)
  add(sums, 'amount', amount)
  add(sums, counted_on[day], count)
  add(sums, spent_on[day], amount)
end

local function fit(words, at, names, stored, budgets, today, day_ends, strict)
  local writes = {}
  for i = 1, #names do
    local limits, item = at, string.sub(names[i], 3)
    local budget = budgets .. item
    local unit, wanted = tonumber(words[at + 4]), tonumber(words[at + 5])
    at = at + 6
    local before, stays = parse(stored[i + 1]), {}
    local sums, was = read(budget, today, before, words, at, wanted)
    for j = 0, wanted - 1 do stays[words[at + 7 * j]] = true end
    for use, old in pairs(before) do
      if not stays[use] and counts(old[2]) then take(sums, old[3], -1, -old[4]) end
    end
    local uses, lapses = {}, false
    for j = 0, wanted - 1 do
      local b = at + 7 * j
      local use, kind, day, amount = words[b], words[b + 1], words[b + 2], tonumber(words[b + 3])
      local old = before[use]
      local counted = old and counts(old[2]) and old or nil
      if kind == 'x' or kind == 'c' or (old and old[2] == 'x') then
        if counted then take(sums, counted[3], -1, -counted[4]) end
        kind, amount = (kind == 'x' or old and old[2] == 'x') and 'x' or 'c', 0
      else
        if counted and counted[3] ~= day then
          take(sums, counted[3], -1, -counted[4])
          counted = nil
        end
        local more, extra = counted and 0 or 1, amount - (counted and counted[4] or 0)
        if has_room(sums, words, limits, more, extra)
          and has_room_on(day, sums, words, limits, more, extra) then
          take(sums, day, more, extra)
        elseif strict then
          return nil
        elseif counted then
          amount = counted[4]
        else
          kind, amount = 'x', 0
        end
      end
      local till = words[b + 4]
      if till ~= '' and counts(kind) and (not lapses or tonumber(till) < lapses) then
        lapses = tonumber(till)
      end
      uses[j + 1] = use .. ',' .. kind .. ',' .. day .. ',' .. whole(amount) .. ',' .. till .. ','
        .. words[b + 5] .. ',' .. words[b + 6]
    end
    at = at + 7 * wanted
    local spent = false
    if not has_room(sums, words, limits, 1, unit) then spent = '+inf'
    elseif not has_room_on(today, sums, words, limits, 1, unit) then spent = day_ends end
    writes[i] = {field = names[i], item = item, budget = budget, sums = sums, was = was,
                 uses = table.concat(uses, ';'), lapses = lapses and whole(lapses), spent = spent}
  end
  return writes
end

local lapses_at, spent_at = {}, {}

local function keep(writes, id, fields, gone)
  for _, write in ipairs(writes) do
    if write.uses == '' then
      gone[#gone + 1] = write.field
    else
      fields[#fields + 1] = write.field
      fields[#fields + 1] = write.uses
    end
    local flat = {}
    for name, sum in pairs(write.sums) do
      if sum ~= write.was[name] then
        flat[#flat + 1] = name
        flat[#flat + 1] = whole(sum)
      end
    end
    if #flat > 0 then redis.call('HSET', write.budget, unpack(flat)) end
    lapses_at[id .. '|' .. write.item], spent_at[write.item] = write.lapses, write.spent
  end
end

local function each_thousand(command, key, words)
  for first = 1, #words, 1000 do
    redis.call(command, key, unpack(words, first, math.min(first + 999, #words)))
  end
end

local function write_scores(key, scores)
  local there, gone = {}, {}
  for member, score in pairs(scores) do
    if score then
      there[#there + 1] = score
      there[#there + 1] = member
    else
      gone[#gone + 1] = member
    end
  end
  each_thousand('ZADD', key, there)
  each_thousand('ZREM', key, gone)
end

local function write_gathered(due, spending)
  write_scores(due, lapses_at)
  write_scores(spending, spent_at)
end
"""
