-- prelude: queue
-- at maxmemory: runs, since it takes work off Redis or lets it go on
-- hold: pause or resume a lane, suspend and enable its URLs, or disable it after it failed for too long.
-- A URL that is enabled is half-open until 'answered': one attempt at a time goes there, so that no more than one event dies of
-- a host that is still gone.
-- An event whose URL is left behind, since it is published no more, takes the published one at its next attempt.
--
-- ARGV: lane, 'pause' | 'suspend' | 'answered' | 'disable' | 'enable' | 'resume'; with 'pause' what is
--       shown of it as JSON, and when it ends (ms) or ''; with 'suspend' and 'answered' the URL; with 'disable' since when it fails: one
--       that did not fail since then stays as it is; with 'enable' and 'resume' how many parked events at
--       most, the moment that the call before returned, or '', the URLs that are left behind, and those to enable, with LF
--       between (with 'resume' all others)
-- Resuming also enables every suspended URL that is still published: what was parked until then is due again, oldest first, a slice at a time, so
-- that a million of them keep nobody waiting. What a slice leaves behind is let go by the next one, or by `repair`.
-- Returns {parked events that became due (1 = it is disabled now), the moment, how many are left}.
local lane, how = ARGV[1], ARGV[2]
local parked, moment = parked_key(lane), ARGV[4]
local suspended = suspended_urls_key(lane)
local moved, left = 0, 0

local function leave_behind()
  for url in string.gmatch(ARGV[5], '[^\n]+') do
    local since = call('HGET', suspended, url)
    if since then
      call('HSET', left_urls_key(lane), url, since)
      call('HSET', lane_key(lane), 'left', 1)
      call('HDEL', suspended, url)
    end
  end
end

local half_open = half_open_urls_key(lane)

local function enable(url)
  if call('HDEL', suspended, url) == 0 then return end
  call('HSET', half_open, url, NOW)
  call('HSET', lane_key(lane), 'half', 1)
end

local function close_half_open(url)
  if call('HDEL', half_open, url) == 1 and call('EXISTS', half_open) == 0 then call('HDEL', lane_key(lane), 'half') end
end

if how == 'answered' then
  close_half_open(ARGV[3])
  return { 0, '', 0 }
end
local releases = how == 'resume' or how == 'enable'
if not releases then write_known({ [lane] = true }) end
if how == 'pause' then
  if not paused_since(lane_state(lane)) then end_pause(lane) end
  call('HSETNX', lane_key(lane), 'paused', NOW)
  call('HSET', lane_key(lane), 'pause', ARGV[3])
  if ARGV[4] ~= '' then call('HSET', lane_key(lane), 'pause_until', ARGV[4]) else call('HDEL', lane_key(lane), 'pause_until') end
elseif how == 'disable' then
  if call('HGET', trouble_key(lane), 'since') ~= ARGV[3] then return { 0, '', 0 } end
  call('HSETNX', lane_key(lane), 'paused', NOW)
  call('HDEL', lane_key(lane), 'pause_until')
  moved = call('HSETNX', lane_key(lane), 'disabled', NOW)
elseif how == 'suspend' then
  call('HSETNX', suspended, ARGV[3], NOW)
  close_half_open(ARGV[3])
  call('HSET', lane_key(lane), 'off', 1)
else
  if moment == '' then
    moment = string.format('%.0f', NOW)
    leave_behind()
    if how == 'resume' then
      if call('HEXISTS', lane_key(lane), 'disabled') == 1 then call('HDEL', trouble_key(lane), 'since', 'run', 'same') end
      end_pause(lane)
      for _, url in ipairs(call('HKEYS', suspended)) do enable(url) end
    else
      for url in string.gmatch(ARGV[6], '[^\n]+') do enable(url) end
    end
    if call('EXISTS', suspended) == 0 then call('HDEL', lane_key(lane), 'off') end
  end
  for _, id in ipairs(call('ZRANGEBYSCORE', parked, '-inf', moment, 'LIMIT', 0, ARGV[3])) do
    if unpark(id, lane) then moved = moved + 1 end
  end
  left = call('ZCOUNT', parked, '-inf', moment)
end
if not releases then call('SADD', TROUBLED, lane) end
replace(lane)
nudge()
return { moved, moment, left }
