-- prelude: queue
-- at maxmemory: runs, since it takes work off Redis or lets it go on
-- repair_lanes: put the counters of a partition's lanes right, which are wrong for good once a key was lost that they count.
--
-- Returns repairs made. In a healthy store it changes nothing.
-- `busy` must be what of a lane is in `flight`. `behind` must be 0 where nothing of a lane is due, claimed, parked or
-- awaited: what waits, waits behind one of these. Otherwise only the lists of all groups would tell, and it stays.
local busy = {}
for _, id in ipairs(call('HKEYS', FLIGHT)) do
  local lane = header((read_event(id)) or '')
  busy[lane] = (busy[lane] or 0) + 1
end
local awaited = call('EXISTS', AWAITING) == 1

local function nothing_ahead(lane) return not awaited and call('EXISTS', due_key(lane), parked_key(lane)) == 0 end

local repairs = 0
for _, lane in ipairs(call('SMEMBERS', KNOWN_LANES)) do
  local counted, flying = call('HMGET', lane_key(lane), 'busy', 'behind'), busy[lane] or 0
  local wrong = tonumber(counted[1] or 0) ~= flying
  local stale = flying == 0 and tonumber(counted[2] or 0) ~= 0 and nothing_ahead(lane)
  if wrong or stale then
    call('HSET', lane_key(lane), 'busy', flying)
    if stale then call('HDEL', lane_key(lane), 'behind') end
    replace(lane)
    repairs = repairs + 1
  end
end
if repairs > 0 then
  add('repairs:counter', repairs)
  flush()
  nudge()
end
return repairs
