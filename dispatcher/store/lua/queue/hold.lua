-- prelude: queue
-- at maxmemory: runs, since it takes work off Redis or lets it go on
-- hold: pause or resume a lane, or suspend and enable its URLs.
--
-- ARGV: lane, 'pause' | 'resume' | 'suspend', URL (suspend only)
-- Resuming also enables every suspended URL: what was parked is due again, oldest first.
-- Returns how many parked events became due.
local lane, how = ARGV[1], ARGV[2]
local parked = parked_key(lane)
local moved = 0
if how == 'pause' then
  call('HSETNX', lane_key(lane), 'paused', NOW)
elseif how == 'suspend' then
  call('HSETNX', suspended_urls_key(lane), ARGV[3], NOW)
  call('HSET', lane_key(lane), 'off', 1)
else
  call('HDEL', lane_key(lane), 'paused', 'off')
  call('DEL', suspended_urls_key(lane))
  for _, id in ipairs(call('ZRANGE', parked, 0, -1)) do
    local e = event_key(id)
    local _, stored = read_event(id)
    local state = stored and decoded(stored)
    if state then
      state.s, state.e, state.m = 'QUEUED', nil, nil
      save(e, state)
      call('ZADD', due_key(lane), NOW, id)
      moved = moved + 1
    end
  end
  call('DEL', parked)
end
replace(lane)
nudge()
return moved
