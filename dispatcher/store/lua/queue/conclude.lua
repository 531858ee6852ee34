-- prelude: queue
-- at maxmemory: runs, since it takes work off Redis or lets it go on
-- conclude: end an event from outside an attempt: the host's result, a hand, a deadline.
--
-- ARGV: id, new status, how ('result' | 'pending' | 'resolve' | 'expire' | 'withdraw'), error code, error message, accountIdentifier,
--       retention ms, notification id, notification document ('' = none)
-- Returns {'gone'}, {'refused', status}, or {'ok'}.
-- A result may overtake the 202 that announced it, so it is taken while the attempt is in flight, too. That attempt's
-- number is used up, so that its late outcome is never taken for one of an attempt made after a redelivery.
-- 'pending' ends nothing: allowed where a result is, it only notes the error. Not while the attempt is in flight, when
-- the state is its owner's.
local id, status, how = ARGV[1], ARGV[2], ARGV[3]
local e = event_key(id)
local kept = call('HMGET', e, 'doc', 'state')
local state = kept[1] and decoded(kept[2])
if not state then return { 'gone' } end
local claimed = call('HGET', FLIGHT, id)
local in_flight, mark
if claimed then in_flight, mark = claim_of(claimed) end

local function allowed()
  if how == 'result' or how == 'pending' then return state.s == 'AWAITING_RESULT' or in_flight end
  if how == 'expire' then return state.s == 'AWAITING_RESULT' and (state.w or 0) <= NOW end
  if how == 'withdraw' then return not TERMINAL[state.s] and state.s ~= 'AWAITING_RESULT' end
  return not TERMINAL[state.s] or FAILURE[state.s]
end
if not allowed() then return { 'refused', state.s } end

local function note_error()
  state.e, state.m = ARGV[4] ~= '' and ARGV[4] or nil, ARGV[5] ~= '' and ARGV[5] or nil
end
if how == 'pending' then
  if not in_flight then
    note_error()
    save(e, state)
  end
  return { 'ok' }
end

local lane, group = header(kept[1])
local was_terminal = TERMINAL[state.s]
if in_flight then
  state.n = tonumber(in_flight)
  call('HDEL', FLIGHT, id)
  if mark ~= FOLLOWED then call('HINCRBY', lane_key(lane), 'busy', -1) end
end
call('ZREM', due_key(lane), id)
call('ZREM', AWAITING, id)
call('ZREM', parked_key(lane), id)
if FAILURE[state.s] then call('ZREM', failures_key(state.s), id) end
forgive(lane, state)
if how == 'resolve' then
  state.r = true
else
  note_error()
end
if status == 'EXPIRED' then blame(lane, state) end
if how == 'result' then state.y = true end
if ARGV[6] ~= '' then
  state.i = ARGV[6]
  note_identifier(kept[1], lane, group, ARGV[6])
end
if was_terminal then
  state.s = status
else
  state.s, state.x, state.d, state.w = status, NOW, nil, nil
  close(id, e, status, lane, group, ARGV[7], in_flight and mark ~= '')
end
save(e, state)
log_change(id, status, type_of(kept[1]), lane, group, state.n or 0, '')
local touched = {}
if ARGV[8] ~= '' and admit(ARGV[8], ARGV[9], touched) then add('notified', 1) end
if due[lane] then write_known({ [lane] = true }) end
flush()
replace(lane)
nudge()
return { 'ok' }
