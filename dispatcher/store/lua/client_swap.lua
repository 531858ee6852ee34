-- Replace an API client's record if it still is what the writer read, and note it in the audit log.
--
-- KEYS[1], KEYS[2], ARGV[1..5]   see _audit.lua
-- KEYS[3]                        clients (hash)
-- ARGV[6]                        client id
-- ARGV[7], ARGV[8]               record as it was read ('' = absent), and as it becomes
--
-- Returns 1 when written, 0 when the record is another one by now, the chain's head when that moved.
if (redis.call('HGET', KEYS[3], ARGV[6]) or '') ~= ARGV[7] then return 0 end
local head = moved()
if head then return head end
redis.call('HSET', KEYS[3], ARGV[6], ARGV[8])
note()
return 1
