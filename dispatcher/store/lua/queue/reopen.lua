-- prelude: queue
-- reopen: put a failed event back on the queue, behind what its group has waiting.
--
-- ARGV: id, revision to deliver it with ('' = the one it had), the moment (ms) that it was asked at, or '': an event that
--       failed once more since then is left alone
-- Returns {'gone'}, {'refused', status}, {'attempted'}, {'expunged'}, or {'ok'}.
local id, asked_ms = ARGV[1], tonumber(ARGV[3])
local e = event_key(id)
local kept = call('HMGET', e, 'doc', 'state')
local state = kept[1] and decoded(kept[2])
if not state then return { 'gone' } end
local lane, group = header(kept[1])
if not FAILURE[state.s] or string.byte(group) == 2 then return { 'refused', state.s } end -- a step is asked for anew
if state.g then return { 'expunged' } end
if asked_ms and (state.x or 0) > asked_ms then return { 'attempted' } end
call('ZREM', failures_key(state.s), id)
forgive(lane, state)
state.s, state.u, state.x, state.e, state.m, state.w, state.y = 'QUEUED', nil, nil, nil, nil, nil, nil
if ARGV[2] ~= '' then state.v = tonumber(ARGV[2]) end
save(e, state)
call('PERSIST', e)
call('SADD', OPEN_EVENTS, id)
if line_up(id, lane, group) then raise({ [lane] = true }) end
log_change(id, 'QUEUED', type_of(kept[1]), lane, group, state.n or 0, '')
add('reopened', 1)
flush()
nudge()
return { 'ok' }
