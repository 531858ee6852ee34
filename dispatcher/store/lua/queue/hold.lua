-- prelude: queue
-- at maxmemory: runs, since it takes work off Redis or lets it go on
-- hold: pause or resume a lane, suspend and enable its URLs, or disable it after it failed for too long.
--
-- ARGV: lane, 'pause' | 'suspend' | 'disable' | 'resume'; with 'suspend' the URL; with 'disable' since when it fails: one
--       that did not fail since then stays as it is; with 'resume' how many parked events at most, and
--       the moment that the call before returned, or ''
-- Resuming also enables every suspended URL: what was parked until then is due again, oldest first, a slice at a time, so
-- that a million of them keep nobody waiting. What a slice leaves behind is let go by the next one, or by `repair`.
-- Returns {parked events that became due (1 = it is disabled now), the moment, how many are left}.
local lane, how = ARGV[1], ARGV[2]
local parked, moment = parked_key(lane), ARGV[4]
local moved, left = 0, 0
if how ~= 'resume' then write_known({ [lane] = true }) end
if how == 'pause' then
  call('HSETNX', lane_key(lane), 'paused', NOW)
elseif how == 'disable' then
  if call('HGET', trouble_key(lane), 'since') ~= ARGV[3] then return { 0, '', 0 } end
  call('HSETNX', lane_key(lane), 'paused', NOW)
  moved = call('HSETNX', lane_key(lane), 'disabled', NOW)
elseif how == 'suspend' then
  call('HSETNX', suspended_urls_key(lane), ARGV[3], NOW)
  call('HSET', lane_key(lane), 'off', 1)
else
  if moment == '' then
    moment = string.format('%.0f', NOW)
    if call('HEXISTS', lane_key(lane), 'disabled') == 1 then call('HDEL', trouble_key(lane), 'since', 'run', 'same') end
    call('HDEL', lane_key(lane), 'paused', 'off', 'disabled')
    call('DEL', suspended_urls_key(lane))
  end
  for _, id in ipairs(call('ZRANGEBYSCORE', parked, '-inf', moment, 'LIMIT', 0, ARGV[3])) do
    if unpark(id, lane) then moved = moved + 1 end
  end
  left = call('ZCOUNT', parked, '-inf', moment)
end
if how ~= 'resume' then call('SADD', TROUBLED, lane) end
replace(lane)
nudge()
return { moved, moment, left }
