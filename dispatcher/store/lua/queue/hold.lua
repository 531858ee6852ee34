-- prelude: queue
-- at maxmemory: runs, since it takes work off Redis or lets it go on
-- hold: pause or resume a lane, or suspend and enable its URLs.
--
-- ARGV: lane, 'pause' | 'suspend' | 'resume'; with 'suspend' the URL; with 'resume' how many parked events at most, and
--       the moment that the call before returned, or ''
-- Resuming also enables every suspended URL: what was parked until then is due again, oldest first, a slice at a time, so
-- that a million of them keep nobody waiting. What a slice leaves behind is let go by the next one, or by `repair`.
-- Returns {parked events that became due, the moment, how many are left}.
local lane, how = ARGV[1], ARGV[2]
local parked, moment = parked_key(lane), ARGV[4]
local moved, left = 0, 0
if how ~= 'resume' then write_known({ [lane] = true }) end
if how == 'pause' then
  call('HSETNX', lane_key(lane), 'paused', NOW)
elseif how == 'suspend' then
  call('HSETNX', suspended_urls_key(lane), ARGV[3], NOW)
  call('HSET', lane_key(lane), 'off', 1)
else
  if moment == '' then
    moment = string.format('%.0f', NOW)
    call('HDEL', lane_key(lane), 'paused', 'off')
    call('DEL', suspended_urls_key(lane))
  end
  for _, id in ipairs(call('ZRANGEBYSCORE', parked, '-inf', moment, 'LIMIT', 0, ARGV[3])) do
    if unpark(id, lane) then moved = moved + 1 end
  end
  left = call('ZCOUNT', parked, '-inf', moment)
end
replace(lane)
nudge()
return { moved, moment, left }
