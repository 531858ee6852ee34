-- prelude: none
-- at maxmemory: runs, since it only ends work
-- cancel_redelivery: end a bulk job that runs; what was done of it stays.
--
-- KEYS[1] its record (hash)   KEYS[2] ids of those that run (set)   KEYS[3] events left (list)   ARGV[1] its id
--
-- Returns 1 when this ended it, 0 when it had ended, or is gone.
if redis.call('HGET', KEYS[1], 'state') ~= 'RUNNING' then return 0 end
local clock = redis.call('TIME')
redis.call('HSET', KEYS[1], 'state', 'CANCELLED', 'ended', clock[1] * 1000 + math.floor(clock[2] / 1000))
redis.call('SREM', KEYS[2], ARGV[1])
redis.call('DEL', KEYS[3])
return 1
