-- prelude: queue
-- at maxmemory: runs, since it takes work off Redis or lets it go on
-- repair_lanes: put the counters of a partition's lanes right, which are wrong for good once a key was lost that they count,
-- and forget lanes in which nothing is, so that they cost nobody anything who counts the others.
--
-- ARGV: cap that `claim` gives a lane that has none
-- What is left of suspended URLs is forgotten once nothing is in the lane that could be for them.
-- It marks lanes as troubled that were held before that was kept.
-- Returns repairs made. In a healthy store it repairs nothing. Of very many lanes it looks at some, others each time.
-- `busy` must be what of a lane is in `flight`, of a run the last one. `behind` must be 0 where nothing of a lane is due, claimed, parked or
-- awaited: what waits, waits behind one of these. Otherwise only the lists of all groups would tell, and it stays.
local busy, flown = {}, {}
local flight = call('HGETALL', FLIGHT)
for i = 1, #flight, 2 do
  local lane, _, mark = header((read_event(flight[i])) or ''), claim_of(flight[i + 1])
  flown[lane] = true
  if mark ~= FOLLOWED then busy[lane] = (busy[lane] or 0) + 1 end
end
local awaited = call('EXISTS', AWAITING) == 1

local function nothing_ahead(lane) return not awaited and call('EXISTS', due_key(lane), parked_key(lane)) == 0 end

-- Nothing is in it, nothing of it has to be shown, and an owner that takes it up has nothing to undo: `own` forgets the
-- caps of known lanes only. Whatever comes into it makes it known again.
local function is_idle(lane)
  if flown[lane] or call('EXISTS', due_key(lane), parked_key(lane), suspended_urls_key(lane)) > 0 then return false end
  local c = lane_state(lane)
  if tonumber(c.busy or 0) ~= 0 or tonumber(c.behind or 0) ~= 0 then return false end
  if c.cap and tonumber(c.cap) ~= tonumber(ARGV[1]) then return false end
  return not (c.paused or c.circuit or c.slow or c.failing or c.off or c.left or c.half or c.locks or c.opened or c.disabled)
end

local AT_ONCE = 1000
local repairs, idle = 0, {}
for _, lane in ipairs(call('SRANDMEMBER', KNOWN_LANES, AT_ONCE)) do
  local counted, flying = call('HMGET', lane_key(lane), 'busy', 'behind', 'paused', 'failing', 'off', 'left', 'pause_until', 'half'), busy[lane] or 0
  if counted[3] and counted[7] and tonumber(counted[7]) <= NOW then
    end_pause(lane)
    counted[3] = false
  end
  if counted[3] or counted[4] or counted[5] then call('SADD', TROUBLED, lane) end
  local wrong = tonumber(counted[1] or 0) ~= flying
  local stale = not flown[lane] and tonumber(counted[2] or 0) ~= 0 and nothing_ahead(lane)
  if wrong or stale then
    call('HSET', lane_key(lane), 'busy', flying)
    if stale then call('HDEL', lane_key(lane), 'behind') end
    replace(lane)
    repairs = repairs + 1
  elseif (counted[6] or counted[8]) and not flown[lane] and tonumber(counted[2] or 0) == 0 and nothing_ahead(lane) then
    call('DEL', left_urls_key(lane), half_open_urls_key(lane))
    call('HDEL', lane_key(lane), 'left', 'half')
  elseif is_idle(lane) then
    idle[#idle + 1] = lane
    call('HDEL', lane_key(lane), 'cap')
  end
end
in_chunks(idle, function(...) call('SREM', KNOWN_LANES, ...) end)
if repairs > 0 then
  add('repairs:counter', repairs)
  flush()
  nudge()
end
return repairs
