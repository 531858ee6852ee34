-- prelude: none
-- at maxmemory: runs, since a worker that nobody hears of gets no partitions
-- beat: one worker looks at the others, and says that it lives where that is due.
--
-- KEYS[1] is `dispatcher:workers`.
-- ARGV: worker, after how long (ms) it is forgotten, age (ms) from which its last heartbeat is renewed, what its channel
--       of nudges is called without its id ('' = listeners are not counted)
-- Returns {ms now, {worker, ms of its last heartbeat, …} of all that are not forgotten, this one included,
--   {channel, listeners, …} of the same}; what Redis refuses with in the place of these.
-- A worker that is not heard listening renews its heartbeat whenever it looks: that alone tells it from one that is lost.
local me, forgotten_ms, renewed_ms, channel = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local first = string.format('(%d', now - forgotten_ms)
local beats = redis.call('ZRANGE', KEYS[1], first, '+inf', 'BYSCORE', 'WITHSCORES')

local heard, counted = false, {}
if channel ~= '' then
  local channels = {}
  for i = 1, #beats, 2 do channels[#channels + 1] = channel .. beats[i] end
  counted = redis.pcall('PUBSUB', 'NUMSUB', channel .. me, unpack(channels))
  heard = not counted.err and counted[2] > 0
end

local mine = redis.call('ZSCORE', KEYS[1], me)
if not heard or not mine or now - tonumber(mine) >= renewed_ms then
  redis.call('ZADD', KEYS[1], now, me)
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - forgotten_ms)
  beats = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
end
return { now, beats, counted }
