-- prelude: none
-- save_redelivery: write a bulk redelivery as it is now, and list it among those that run while it does, in one step.
--
-- KEYS[1] its record (hash)   KEYS[2] ids of those that run (set)
-- ARGV[1] its id              ARGV[2] 'RUNNING' or how it ended
-- ARGV[3] seconds to keep it  ARGV[4..] fields and values
--
-- Returns 1.
redis.call('HSET', KEYS[1], 'state', ARGV[2], unpack(ARGV, 4))
redis.call('EXPIRE', KEYS[1], ARGV[3])
redis.call(ARGV[2] == 'RUNNING' and 'SADD' or 'SREM', KEYS[2], ARGV[1])
return 1
