-- prelude: none
-- at maxmemory: runs, since it only deletes
-- outbox_done: take entries of one installation out of the outbox, which the queue has.
--
-- KEYS[1] its entries (hash)   KEYS[2] installations with entries (zset)
-- ARGV[1] installation id      ARGV[2..] places of the entries
--
-- Returns how many are left. An entry that was written meanwhile stays, and the installation with it.
for n = 2, #ARGV do redis.call('HDEL', KEYS[1], ARGV[n]) end
local left = redis.call('HLEN', KEYS[1])
if left == 0 then redis.call('ZREM', KEYS[2], ARGV[1]) end
return left
