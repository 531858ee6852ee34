-- prelude: queue
-- at maxmemory: runs, since it lets work go on
-- bring_forward: let the next attempt of a RETRYING event be due now. What holds its lane back still holds.
--
-- ARGV: id, the moment (ms) that it was asked at, or '': an event that was attempted since then is left alone
-- Returns {'gone'}, {'refused', status}, {'behind', head}, {'locked', holders with LF between}, {'attempted'}, or {'ok'}.
-- Only the head of a group is RETRYING, so no order changes. One that is due already stays as it is.
local id, asked_ms = ARGV[1], tonumber(ARGV[2])
local e = event_key(id)
local doc, stored = read_event(id)
local state = doc and stored and decoded(stored)
if not state then return { 'gone' } end
if TERMINAL[state.s] or state.s == 'AWAITING_RESULT' then return { 'refused', state.s } end
if call('HEXISTS', FLIGHT, id) == 1 then return { 'refused', 'DELIVERING' } end

local lane, group = header(doc)
local head = group ~= '' and call('LINDEX', group_key(lane, group), 0)
if head and head ~= id then return { 'behind', head } end
local locked_by = holders(lane, group)
if #locked_by > 0 then return { 'locked', table.concat(locked_by, '\n') } end
if state.s ~= 'RETRYING' then return { 'refused', state.s } end

local last = asked_ms and state.n and call('HGET', e, string.format('a%d', state.n))
if last and (tonumber(string.match(last, '"t":(%d+)')) or 0) >= asked_ms then return { 'attempted' } end
if (tonumber(call('ZSCORE', due_key(lane), id)) or math.huge) > NOW then
  state.d = NOW
  save(e, state)
  call('ZADD', due_key(lane), NOW, id)
  log_change(id, 'RETRYING', type_of(doc), lane, group, state.n or 0, '')
  replace(lane)
  nudge()
end
return { 'ok' }
