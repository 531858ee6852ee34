-- Prelude of every queue script: the words they share.
--
-- KEYS[1] is always `{pN}:own`, and the last key is never there (see `store/redis/scripts.py`). All other keys are built
-- from its prefix, so they share its slot. Accept and settle_and_claim take several partitions at once, where they are not
-- on different nodes: they enter one after the other.
-- State of an event (JSON): s status, c created ms, q sequence, n attempts, u tries used of the schedule,
-- d due ms, e error code, m error message, x settled ms, w result deadline ms, i accountIdentifier,
-- y answered 202, r resolved by hand, v revision chosen by a redelivery, g content expunged ms.
--
-- Invariant: every id in `open` is in exactly one place: `flight` (claimed), `d:L` (due or scheduled),
-- `wait` (result expected), `park:L` (URL suspended), or behind the head of its group's list `k:L:G`.
-- Run: events of one group that one claim handed out, the head of the list and some that come next. So what of a group is
-- in `flight` are the first of its list; `behind` counts the others, `busy` a run once, by its last. Only a head is due.

local call, NOW

-- The keys of a partition, by their names in store/keys/queue.py; a test compares them. No other Lua spells a key.
local P, OWN, LANES, KNOWN_LANES, TROUBLED, ISSUES, FLIGHT, PARTED, AWAITING
local OPEN_EVENTS, DEAD, FAILED, EXPIRED, EVENT_LOG, FEED, COUNTERS
local function enter(own_key)
  P, OWN = string.match(own_key, '^(.-:)'), own_key
  LANES, KNOWN_LANES, FLIGHT, AWAITING = P .. 'lanes', P .. 'known', P .. 'flight', P .. 'wait'
  TROUBLED, ISSUES, PARTED = P .. 'troubled', P .. 'issues', P .. 'parted'
  OPEN_EVENTS, DEAD, FAILED, EXPIRED = P .. 'open', P .. 'dead', P .. 'failed', P .. 'expired'
  EVENT_LOG, FEED, COUNTERS = P .. 'log', P .. 'feed', P .. 'counts'
end
local function event_key(id) return P .. 'e:' .. id end
local function group_key(lane, account) return P .. 'k:' .. lane .. ':' .. account end
local function group_facts_key(lane, account) return P .. 'g:' .. lane .. ':' .. account end
local function lock_key(lane, account) return P .. 'lock:' .. lane .. ':' .. account end
local function due_key(lane) return P .. 'd:' .. lane end
local function lane_key(lane) return P .. 'l:' .. lane end
local function trouble_key(lane) return P .. 't:' .. lane end
local function suspended_urls_key(lane) return P .. 'off:' .. lane end
local function left_urls_key(lane) return P .. 'left:' .. lane end
local function half_open_urls_key(lane) return P .. 'half:' .. lane end
local function parked_key(lane) return P .. 'park:' .. lane end
local function nudge_channel(worker) return 'dispatcher:nudge:' .. worker end
-- End of the keys.

-- Generation, end of the lease, whether the owner sleeps, its name, and of the events that accepts give to it unasked: under
-- which generation and up to how many it takes them, and how many it was given. Read once, since no call that asks for them
-- changes them before.
local owned
local function ownership()
  owned = owned or call('HMGET', OWN, 'gen', 'until', 'asleep', 'owner', 'room', 'given')
  return owned
end

local FAILURE = { DEAD = true, FAILED = true, EXPIRED = true }
-- Failed events of each status, by when they failed.
local function failures_key(status) return ({ DEAD = DEAD, FAILED = FAILED, EXPIRED = EXPIRED })[status] end
local TERMINAL = { DEAD = true, FAILED = true, EXPIRED = true, SUCCEEDED = true, SKIPPED = true, RESOLVED = true }

-- A stored document is `lane LF group LF {"t":"TYPE",…}`; both are empty of one that is not.
local function header(doc)
  local a = string.find(doc, '\n', 1, true)
  local b = a and string.find(doc, '\n', a + 1, true)
  if not b then return '', '' end
  return string.sub(doc, 1, a - 1), string.sub(doc, a + 1, b - 1)
end

-- Where the contents of a document begin that are packed (`store/packing/documents.py`); nothing when they are plain. What
-- scripts look for is in front of them.
local function packed_at(doc, lane, group) return string.find(doc, '\n', #lane + #group + 3, true) end

-- Bytes of a document as it was before: what reading it takes room for.
local function size_of(doc, lane, group)
  local at = packed_at(doc, lane, group)
  local a, b, c = string.byte(doc, (at or #doc) + 3, (at or #doc) + 5)
  return c and at - 2 + a * 65536 + b * 256 + c or #doc
end

-- What `flight` says of an event: the attempt number, with a mark behind it when it is one of a run.
local FOLLOWED, LAST = '+', '.'
local function claim_of(value) return string.match(value, '^(%d*)(.?)') end

-- The state that some JSON says; nothing when it says none.
local function decoded(stored)
  local good, state = pcall(cjson.decode, stored)
  return good and type(state) == 'table' and type(state.s) == 'string' and state or nil
end

-- Document and state of an event; nothing when its key is gone or is no hash: one damaged event stops no other.
local function read_event(id)
  local kept = redis.pcall('HMGET', event_key(id), 'doc', 'state')
  if kept.err then
    assert(string.find(kept.err, 'WRONGTYPE', 1, true), kept.err) -- what the user may not read is not damaged
    return nil, nil
  end
  return kept[1] or nil, kept[2] or nil
end

local function type_of(doc) return string.match(doc, '^[^\n]*\n[^\n]*\n{"t":"([A-Z_]+)"') or '' end

-- Who holds a group's events back, as a list; empty = nobody. Ask only where the lane's `locks` says that there is one.
local function holders(lane, group)
  local names, fields = {}, group ~= '' and call('HGETALL', lock_key(lane, group)) or {}
  for i = 1, #fields, 2 do
    if tonumber(fields[i + 1]) > 0 then names[#names + 1] = fields[i] end
  end
  return names
end

-- The installation that an event is of: its document says it before anything that a caller wrote.
local function installation_of(doc) return string.match(doc, '^[^\n]*\n[^\n]*\n{"t":[^{\n]-,"s":"([^"\\]+)"') end

-- The host's name for the account: of each installation apart, and of the account. The answer to an order gives it, and
-- that to any other event only where there is none.
local function note_identifier(doc, lane, group, identifier)
  if group == '' then return end
  local installation = installation_of(doc)
  local write = type_of(doc) == 'SUBSCRIPTION_ORDER' and 'HSET' or 'HSETNX'
  call(write, group_facts_key(lane, group), 'ident', identifier)
  if installation then call(write, group_facts_key(lane, group), 'i:' .. installation, identifier) end
end

local function identifier_for(doc, lane, group)
  if group == '' then return '' end
  local installation = installation_of(doc)
  if not installation then return call('HGET', group_facts_key(lane, group), 'ident') or '' end
  local known = call('HMGET', group_facts_key(lane, group), 'i:' .. installation, 'ident')
  return known[1] or known[2] or ''
end

-- What one call writes for all of its events: every command less is one line less in the append-only file.
-- `due`: lane → NOW, id, …   `behind`: lane → how many more wait behind a head   `ranked`: lane → score in `lanes`.
local added, opened, closed, due, behind, ranked = {}, {}, {}, {}, {}, {}
local function add(counter, n) added[counter] = (added[counter] or 0) + n end
local function step_back(lane, n) behind[lane] = (behind[lane] or 0) + n end

-- The next partition of a call. What the one before has left when an error stopped it is not written.
local function enter_anew(own_key)
  enter(own_key)
  owned = nil
  added, opened, closed, due, behind, ranked = {}, {}, {}, {}, {}, {}
end

-- The first thing that a call does: a function that Redis keeps finds here what the call before left.
local function begin(own_key)
  call = redis.call
  local clock = call('TIME')
  NOW = clock[1] * 1000 + math.floor(clock[2] / 1000)
  enter_anew(own_key)
end

local function make_due(id, lane)
  local ids = due[lane] or {}
  due[lane] = ids
  ids[#ids + 1] = NOW
  ids[#ids + 1] = id
end

local function in_chunks(list, write)
  for from = 1, #list, 1000 do write(unpack(list, from, math.min(from + 999, #list))) end
end

-- What a command says of each in a list, in its order.
local function ask(command, key, list)
  local answers = {}
  in_chunks(list, function(...)
    for _, answer in ipairs(call(command, key, ...)) do answers[#answers + 1] = answer end
  end)
  return answers
end

-- All counters in two commands; where there are few, each in one.
local function count_up()
  local names, sums = {}, {}
  for counter in pairs(added) do names[#names + 1] = counter end
  if #names < 3 then
    for counter, n in pairs(added) do call('HINCRBY', COUNTERS, counter, n) end
    return
  end
  for i, known in ipairs(ask('HMGET', COUNTERS, names)) do
    sums[#sums + 1] = names[i]
    sums[#sums + 1] = string.format('%.0f', (tonumber(known) or 0) + added[names[i]])
  end
  call('HSET', COUNTERS, unpack(sums))
end

local function flush()
  count_up()
  for lane, n in pairs(behind) do call('HINCRBY', lane_key(lane), 'behind', n) end
  for lane, ids in pairs(due) do in_chunks(ids, function(...) call('ZADD', due_key(lane), ...) end) end
  in_chunks(opened, function(...) call('SADD', OPEN_EVENTS, ...) end)
  in_chunks(closed, function(...) call('SREM', OPEN_EVENTS, ...) end)
  added, opened, closed, due, behind = {}, {}, {}, {}, {}
end

-- One field, since each is written to the append-only file with its name.
local function log_change(...)
  call('XADD', FEED, 'MAXLEN', '~', 1000, '*', 'c', table.concat({ ... }, '\n'))
end

-- What is known of a lane: the fields that it has, few of all that there are.
local function lane_state(lane)
  local fields, state = call('HGETALL', lane_key(lane)), {}
  for i = 1, #fields, 2 do state[fields[i]] = fields[i + 1] end
  return state
end

-- Since when a lane is paused whose state is `c`; nothing when it is not, or its pause has ended.
local function paused_since(c)
  if c.paused and (not c.pause_until or tonumber(c.pause_until) > NOW) then return c.paused end
end

local function end_pause(lane) call('HDEL', lane_key(lane), 'paused', 'pause_until', 'pause', 'disabled') end

-- When a lane in state `c` may next be claimed from, whose first event is due at `head`: never while full or paused
-- without an end.
local function claimable(c, head)
  if c.cap and tonumber(c.busy or 0) >= tonumber(c.cap) then return 'inf' end
  if c.paused and not c.pause_until then return 'inf' end
  local paused = c.paused and tonumber(c.pause_until) or 0
  return math.max(head, paused, tonumber(c.circuit or 0), tonumber(c.slow or 0), tonumber(c.crowded or 0))
end

local function write_known(lanes)
  local names = {}
  for lane in pairs(lanes) do names[#names + 1] = lane end
  in_chunks(names, function(...) call('SADD', KNOWN_LANES, ...) end)
end

-- These lanes have work now: make them claimable, but for those that are full or held for longer.
local function raise(lanes)
  local open, full = {}, {}
  for lane in pairs(lanes) do
    local at = claimable(lane_state(lane), NOW)
    local list = at == 'inf' and full or open
    list[#list + 1] = at
    list[#list + 1] = lane
  end
  write_known(lanes)
  in_chunks(open, function(...) call('ZADD', LANES, 'LT', ...) end)
  in_chunks(full, function(...) call('ZADD', LANES, 'NX', ...) end)
end

-- When the first event of a lane is due; nothing when it has none.
local function first_due(lane) return tonumber(call('ZRANGE', due_key(lane), 0, 0, 'WITHSCORES')[2]) end

-- Decide from scratch when the lane may next be claimed from. A lane that was just claimed from goes behind those waiting.
local function rank(lane, c, head)
  ranked[lane] = head and claimable(c, math.max(head, NOW)) or false
end

local function write_ranks()
  local waiting, empty = {}, {}
  for lane, at in pairs(ranked) do
    if at then
      waiting[#waiting + 1] = at
      waiting[#waiting + 1] = lane
    else
      empty[#empty + 1] = lane
    end
  end
  in_chunks(waiting, function(...) call('ZADD', LANES, ...) end)
  in_chunks(empty, function(...) call('ZREM', LANES, ...) end)
  ranked = {}
end

local function replace(lane)
  rank(lane, lane_state(lane), first_due(lane))
  write_ranks()
end

-- Put an open event where it belongs: due now, or behind the head of its group. True when it is due.
local function line_up(id, lane, group)
  if group ~= '' and call('RPUSH', group_key(lane, group), id) > 1 then
    step_back(lane, 1)
    return false
  end
  make_due(id, lane)
  return true
end

-- A new event, written whole. Returns its sequence; false when the id had been accepted before.
local function admit(id, doc, touched)
  local e = event_key(id)
  if call('EXISTS', e) == 1 then return false end
  local lane, group = header(doc)
  local sequence = 0
  if group ~= '' and string.byte(group) ~= 2 then
    sequence = call('HINCRBY', group_facts_key(lane, group), 'seq', 1)
  end
  call('HSET', e, 'doc', doc, 'state', string.format('{"s":"QUEUED","c":%.0f,"q":%d}', NOW, sequence))
  opened[#opened + 1] = id
  call('XADD', EVENT_LOG, '*', 'i', id)
  if line_up(id, lane, group) then touched[lane] = true end
  log_change(id, 'QUEUED', type_of(doc), lane, group, 0, '')
  return sequence
end

-- Wake the owner if it announced that it sleeps.
local function nudge()
  local own = ownership()
  if own[3] == '1' and own[4] and own[4] ~= '' then
    call('HSET', OWN, 'asleep', '0')
    call('PUBLISH', nudge_channel(own[4]), string.match(P, '%d+'))
  end
end

local function save(e, state) call('HSET', e, 'state', cjson.encode(state)) end

-- A parked event is due again. False when its record is gone.
local function unpark(id, lane)
  call('ZREM', parked_key(lane), id)
  local e = event_key(id)
  local _, stored = read_event(id)
  local state = stored and decoded(stored)
  if not state then return false end
  state.s, state.e, state.m = 'QUEUED', nil, nil
  save(e, state)
  call('ZADD', due_key(lane), NOW, id)
  return true
end

-- Asked of many at once, so no document is read and no state decoded.
local function sequence_of(id)
  local stored = redis.pcall('HGET', event_key(id), 'state')
  return tonumber(type(stored) == 'string' and string.match(stored, '"q":(%d+)')) or 0
end

-- Takes an event out of the middle of its group, looking from the end that it is nearer to.
local function leave(k, id)
  local first, last = call('LINDEX', k, 0), call('LINDEX', k, -1)
  if not first then return false end
  local mine = sequence_of(id)
  local is_late = mine - sequence_of(first) > sequence_of(last) - mine
  return call('LREM', k, is_late and -1 or 1, id) > 0
end

-- The event at the head of a group ended: the next one is due, unless it is in flight with it. An event in the middle just
-- leaves. `in_run`: it was claimed as one of a run.
local function advance(id, lane, group, in_run)
  if group == '' then return end
  local k = group_key(lane, group)
  local head = call('LPOP', k)
  if head == id then
    local following = call('LINDEX', k, 0)
    if not following or (in_run and call('HEXISTS', FLIGHT, following) == 1) then return end
    step_back(lane, -1)
    make_due(following, lane)
    return
  end
  if head then call('LPUSH', k, head) end
  if leave(k, id) and not in_run then step_back(lane, -1) end
end

-- One of a run goes back: true when it is behind the head of its group, whose end lets it go, or `repair` where there is none.
local function back_in_line(id, lane, group)
  local head = call('LINDEX', group_key(lane, group), 0)
  if head == id then return false end
  if head then step_back(lane, 1) end
  return true
end

-- An issue: events of a lane that died of one error. No more than MOST_ISSUES are told apart in a partition.
local MOST_ISSUES = 1000
local function issue_of(lane, state)
  return table.concat({ lane, state.e or '', string.sub(state.m or '', 1, 120) }, '\n')
end

local function read_issue(field)
  local n, first, last, known = string.match(call('HGET', ISSUES, field) or '', '^(%d+) (%d+) (%d+) (%d+)$')
  return tonumber(n or 0), tonumber(first or NOW), tonumber(last or NOW), tonumber(known or 0)
end

-- Somebody knew of it, and it has ended since: an attempt went well, or, where none fails, nothing more died for an hour.
local function has_ended(lane, last, known)
  if known == 0 then return false end
  local failing = tonumber(call('HGET', trouble_key(lane), 'since') or 0)
  return failing > known or (failing == 0 and NOW - last > 3600000)
end

-- One more that died. True when it is the first one of its issue.
local function blame(lane, state)
  local field = issue_of(lane, state)
  if call('HEXISTS', ISSUES, field) == 0 and call('HLEN', ISSUES) >= MOST_ISSUES then field = '\n\n' end
  local n, first, last, known = read_issue(field)
  if has_ended(lane, last, known) then n, first, known = 0, NOW, 0 end
  call('HSET', ISSUES, field, string.format('%d %.0f %.0f %.0f', n + 1, first, NOW, known))
  return n == 0
end

-- One that died is redelivered or resolved.
local function forgive(lane, state)
  if state.s ~= 'DEAD' and state.s ~= 'EXPIRED' then return end
  local field = issue_of(lane, state)
  local n, first, last, known = read_issue(field)
  if n <= 1 then
    call('HDEL', ISSUES, field)
  else
    call('HSET', ISSUES, field, string.format('%d %.0f %.0f %.0f', n - 1, first, last, known))
  end
end

-- An open event becomes terminal. The caller has taken it out of its place and saves the state.
local function close(id, e, status, lane, group, retention_ms, in_run)
  closed[#closed + 1] = id
  if FAILURE[status] then call('ZADD', failures_key(status), NOW, id) end
  call('PEXPIRE', e, retention_ms)
  add('terminal:' .. status, 1)
  advance(id, lane, group, in_run)
end

-- A claim goes back to its lane as due. `lost`: what its attempt is kept with, nil = as if there had been none.
local function return_claim(id, n, mark, lost)
  call('HDEL', FLIGHT, id)
  local e = event_key(id)
  local doc, stored = read_event(id)
  if not doc or not stored then return 0 end
  local lane, group = header(doc)
  local state = lost and decoded(stored)
  if state then
    state.n = tonumber(n)
    call('HSET', e, 'a' .. n, string.format('{"t":%.0f,"o":"STARTED","e":%s}', NOW, cjson.encode(lost)))
    save(e, state)
  end
  if mark ~= FOLLOWED then call('HINCRBY', lane_key(lane), 'busy', -1) end
  if mark == '' or not back_in_line(id, lane, group) then call('ZADD', due_key(lane), NOW, id) end
  replace(lane)
  return 1
end

-- True while a worker that let go of the partition under a generation goes on with what it had begun.
local function goes_on(generation) return tonumber(call('HGET', PARTED, 'until:' .. generation) or 0) > NOW end

-- Claims that workers went on with, and are over by what `is_over` says of end (ms) and generation, go back, unless they
-- are in `held`. Returns how many, and of those that go on the attempt number by id.
local function end_parted(is_over, held, lost)
  local parted, ends, returned, going_on = call('HGETALL', PARTED), {}, 0, {}
  for i = 1, #parted, 2 do
    local generation = string.match(parted[i], '^until:(.*)')
    if generation then ends[generation] = tonumber(parted[i + 1]) end
  end
  for i = 1, #parted, 2 do
    local id, generation, n = parted[i], string.match(parted[i + 1], '^(%d+) (%d+)$')
    if generation and not held[id .. ' ' .. n] and is_over(ends[generation] or 0, generation) then
      call('HDEL', PARTED, id)
      if call('HGET', FLIGHT, id) == n then returned = returned + return_claim(id, n, '', lost) end
    elseif generation then
      going_on[id] = n
    elseif tonumber(parted[i + 1]) <= NOW then
      call('HDEL', PARTED, id)
    end
  end
  if returned > 0 then flush() end
  return returned, going_on
end

local LOST_WHILE_LEAVING = 'the worker that made this attempt let go of its partition, and was lost before it ended'

local function end_overdue_parted()
  return end_parted(function(at) return at <= NOW end, {}, LOST_WHILE_LEAVING)
end

-- Every claim that is not in `held` (id, blank, attempt number) goes back to its lane as due, but for those that a worker
-- which let go of the partition goes on with. Returns how many.
local function give_back(held, lost)
  local returned, going_on = end_overdue_parted()
  local flight = call('HGETALL', FLIGHT)
  for i = 1, #flight, 2 do
    local id, n, mark = flight[i], claim_of(flight[i + 1])
    if not held[id .. ' ' .. n] and going_on[id] ~= n then returned = returned + return_claim(id, n, mark, lost) end
  end
  flush()
  return returned
end
