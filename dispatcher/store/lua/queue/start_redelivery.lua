-- prelude: none
-- at maxmemory: refused before it wrote anything
-- start_redelivery: write a bulk job down and list it, among all and among those that run, in one step.
--
-- KEYS[1] its record (hash)     KEYS[2] ids of those that run (set)   KEYS[3] ids of all (zset, when they began)
-- ARGV[1] its id   ARGV[2] seconds to keep it   ARGV[3] ms for which ids are listed   ARGV[4..] fields and values
--
-- Returns the moment at which it began, in ms: what comes later is left alone. One that is there stays as it is.
local began = redis.call('HGET', KEYS[1], 'started')
if began then
  return tonumber(began)
end
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
redis.call('HSET', KEYS[1], 'state', 'RUNNING', 'started', now, unpack(ARGV, 4))
redis.call('EXPIRE', KEYS[1], ARGV[2])
redis.call('SADD', KEYS[2], ARGV[1])
redis.call('ZADD', KEYS[3], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now - tonumber(ARGV[3]))
return now
