-- prelude: none
-- done_due: drop one that was taken and is done, unless it was planned anew meanwhile.
--
-- KEYS[1] ids (zset), score = when each is due, ms
-- ARGV[1] its id   ARGV[2] until when it was held, ms
--
-- Returns 1 when dropped, 0 when it is due at another time.
local held = redis.call('ZSCORE', KEYS[1], ARGV[1])
if held and tonumber(held) == tonumber(ARGV[2]) then return redis.call('ZREM', KEYS[1], ARGV[1]) end
return 0
