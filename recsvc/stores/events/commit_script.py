"""Lua of the ledger: changes of accounts, each written whole or not at all."""

from recsvc.stores.events.ledger_scripts import LAST_WORD, LEDGER, TURN_REVISION

# Keys: uses due, unsettled, stream, erased, budgets spent; then the cardholder of each account. The
# budgets' keys are made from the items: all have the issuer's hash tag, as the declared ones have.
# Arguments: number of accounts, what a budget's key begins with, a hash for each account; then for
# each how many arguments it has; cardholder id, revision that was read ('' for any), whether a
# use without room refuses all (1) or is marked exhausted (0), whether this settles him, today, end
# of today in ms; field of an activation to add ('' for none), what stands before and after its
# position, its entry for the stream, field of his last word on its item; fields of events to remove
# as JSON ('' for none); number of items, their fields, and what `fit` takes of each.
# Answers 'moved', 'erased', 'exhausted' or 'done' for each account; one is written whole or not.
LEDGER_COMMIT = (
    TURN_REVISION
    + LAST_WORD
    + LEDGER
    + """
local due, unsettled, stream, erased, spending = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local accounts, budgets = tonumber(ARGV[1]), ARGV[2]
local gone = redis.call('HMGET', erased, unpack(ARGV, 3, 2 + accounts))

local settled = {}
local function commit(holder, arg)
  local id, items = ARGV[arg], tonumber(ARGV[arg + 12])
  local names = {unpack(ARGV, arg + 13, arg + 12 + items)}
  local stored = redis.call('HMGET', holder, 'rev', unpack(names))
  local revision = ARGV[arg + 1]
  if revision ~= '' and (stored[1] or '0') ~= revision then return 'moved' end
  local writes = fit(ARGV, arg + 13 + items, names, stored, budgets,
                     ARGV[arg + 4], ARGV[arg + 5], ARGV[arg + 2] == '1')
  if not writes then return 'exhausted' end
  local fields, dropped = {}, {}
  keep(writes, id, fields, dropped)
  local added, removed = ARGV[arg + 6], ARGV[arg + 11]
  if added ~= '' then
    local position = redis.call('XADD', stream, '*', 'event', ARGV[arg + 9])
    fields[#fields + 1] = added
    fields[#fields + 1] = ARGV[arg + 7] .. position .. ARGV[arg + 8]
    for _, word in ipairs({'rev', position, 'act', '1'}) do fields[#fields + 1] = word end
    take_item(holder, ARGV[arg + 10], string.match(ARGV[arg + 7], '^%-?%d+'))
  end
  if #fields > 0 then redis.call('HSET', holder, unpack(fields)) end
  if #dropped > 0 then redis.call('HDEL', holder, unpack(dropped)) end
  if removed ~= '' then
    redis.call('HDEL', holder, unpack(cjson.decode(removed)))
    turn_revision(holder)
  end
  if ARGV[arg + 3] == '1' then settled[#settled + 1] = id end
  return 'done'
end

local answers, arg = {}, 3 + accounts
for account = 1, accounts do
  answers[account] = gone[account] and 'erased' or commit(KEYS[5 + account], arg + 1)
  arg = arg + 1 + tonumber(ARGV[arg])
end
write_gathered(due, spending)
each_thousand('ZREM', unsettled, settled)
return answers
"""
)
