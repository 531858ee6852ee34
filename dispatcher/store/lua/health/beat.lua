-- prelude: none
-- at maxmemory: runs, since a worker that nobody hears of gets no partitions
-- beat: one worker says that it lives.
--
-- KEYS[1] is `dispatcher:workers`.
-- ARGV: worker, after how long (ms) it is forgotten
-- Returns all that are not, this one included: worker, ms of its last heartbeat, …
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[2]))
return redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
