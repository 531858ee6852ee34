-- settle: record a batch of outcomes: attempt, status, next time or terminal, the group's next head,
-- counters, lane settings, status notifications. Fenced by the generation.
--
-- ARGV: generation, retention ms,
--       number of lane settings, then lane, field, value ('' deletes) each,
--       number of counters, then name, increment each,
--       then per outcome 11: id, attempt number, status, delay ms, attempt JSON ('' = none was made), error code,
--       error message, accountIdentifier, HTTP status, notification id, notification document.
-- Status RELEASE gives the event back untouched; HELD parks it, the suspended URL being in the error message.
-- Returns {'lost'}, or {'ok', number settled}.
-- Idempotent: an outcome counts only while `flight` holds the id with that attempt number.
if call('HGET', KEYS[1], 'gen') ~= ARGV[1] then return { 'lost' } end
local retention_ms = ARGV[2]
local at = 3
local touched, freed = {}, {}

local settings = tonumber(ARGV[at])
at = at + 1
for _ = 1, settings do
  local lane, field, value = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  if value == '' then call('HDEL', lane_key(lane), field) else call('HSET', lane_key(lane), field, value) end
  touched[lane] = true
  at = at + 3
end

local counters = tonumber(ARGV[at])
at = at + 1
for _ = 1, counters do
  add(ARGV[at], tonumber(ARGV[at + 1]))
  at = at + 2
end

local function note(value) return value ~= '' and value or nil end

local function place(id, e, state, status, delay_ms, lane, group)
  if TERMINAL[status] then
    finish(id, e, state, status, lane, group, retention_ms)
  elseif status == 'AWAITING_RESULT' then
    state.s, state.d, state.w, state.y = status, nil, NOW + delay_ms, true
    call('ZADD', P .. 'wait', NOW + delay_ms, id)
  elseif status == 'HELD' then
    state.s, state.d = status, nil
    call('ZADD', P .. 'park:' .. lane, NOW, id)
  elseif status == 'RETRYING' then
    state.s, state.u, state.d = status, (state.u or 0) + 1, NOW + delay_ms
    call('ZADD', due_key(lane), NOW + delay_ms, id)
  else
    call('ZADD', due_key(lane), NOW + delay_ms, id)
  end
end

local function settle(i)
  local id, n, status, delay_ms, attempt = ARGV[i], ARGV[i + 1], ARGV[i + 2], tonumber(ARGV[i + 3]), ARGV[i + 4]
  local e = event_key(id)
  if call('HGET', P .. 'flight', id) ~= n then
    -- Concluded from outside while the attempt ran: keep the attempt's record, change nothing else.
    if attempt ~= '' and call('EXISTS', e) == 1 then call('HSETNX', e, 'a' .. n, attempt) end
    return 0
  end
  call('HDEL', P .. 'flight', id)
  local kept = call('HMGET', e, 'doc', 'state')
  local lane, group = header(kept[1])
  local state = cjson.decode(kept[2])
  touched[lane] = true
  freed[lane] = (freed[lane] or 0) + 1
  if status == 'RELEASE' then
    place(id, e, state, status, delay_ms, lane, group)
    return 1
  end
  state.e, state.m = note(ARGV[i + 5]), note(ARGV[i + 6])
  if attempt ~= '' then
    state.n = tonumber(n)
    call('HSET', e, 'a' .. n, attempt)
  end
  if ARGV[i + 7] ~= '' then
    state.i = ARGV[i + 7]
    if group ~= '' then call('HSET', P .. 'g:' .. lane .. ':' .. group, 'ident', state.i) end
  end
  place(id, e, state, status, delay_ms, lane, group)
  save(e, state)
  tell(id, status, kept[1], lane, group, n, ARGV[i + 8])
  if ARGV[i + 9] ~= '' and admit(ARGV[i + 9], ARGV[i + 10], touched) then add('notified', 1) end
  return 1
end

local settled = 0
for i = at, #ARGV, 11 do settled = settled + settle(i) end
for lane, n in pairs(freed) do call('HINCRBY', lane_key(lane), 'busy', -n) end
for lane in pairs(touched) do replace(lane) end
flush_counters()
return { 'ok', settled }
