-- prelude: queue
-- at maxmemory: runs, since it lets work go on
-- lock: hold the events of one group back for one holder more, or for one less.
--
-- ARGV: lane, group, holder, number, 'lock' | 'unlock'
-- Of one holder only a higher number than the last counts: an older word that comes late changes nothing.
-- `claim` puts what is due of a locked group aside; when the last holder is gone, its head is due again.
-- Returns how many hold it now.
local lane, group, holder, number, how = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5]
local FORGOTTEN_MS = 3600000
local key = lock_key(lane, group)
local before = #holders(lane, group)
if math.abs(tonumber(call('HGET', key, holder) or 0)) >= number then return before end
call('HSET', key, holder, how == 'lock' and number or -number)
local after = #holders(lane, group)
if after > 0 then call('PERSIST', key) else call('PEXPIRE', key, FORGOTTEN_MS) end
if (before > 0) == (after > 0) then return after end

if call('HINCRBY', lane_key(lane), 'locks', after > 0 and 1 or -1) <= 0 then call('HDEL', lane_key(lane), 'locks') end
write_known({ [lane] = true })
local head = after == 0 and call('LINDEX', group_key(lane, group), 0)
if head and call('ZREM', parked_key(lane), head) == 1 then
  local doc, stored = read_event(head)
  local state = stored and decoded(stored)
  if state then
    state.s, state.e, state.m = state.n and 'RETRYING' or 'QUEUED', nil, nil
    save(event_key(head), state)
    log_change(head, state.s, type_of(doc), lane, group, state.n or 0, '')
  end
  call('ZADD', due_key(lane), NOW, head)
  replace(lane)
  nudge()
end
return after
