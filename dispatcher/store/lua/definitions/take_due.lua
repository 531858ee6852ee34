-- prelude: none
-- take_due: take integrations that are due, so that no other worker takes them for a while.
--
-- KEYS[1] integration ids (zset), score = when each is due, ms
-- ARGV[1] how many at most   ARGV[2] for how long they are held, ms
--
-- Returns the time in ms, then the ids. Repeated after a lost reply it takes others; those come back in time.

local now = redis.call('TIME')
local now_ms = tonumber(now[1]) * 1000 + math.floor(tonumber(now[2]) / 1000)
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now_ms, 'LIMIT', 0, tonumber(ARGV[1]))
for _, id in ipairs(due) do
  redis.call('ZADD', KEYS[1], now_ms + tonumber(ARGV[2]), id)
end
return { now_ms, unpack(due) }
