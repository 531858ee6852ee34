-- prelude: queue
-- at maxmemory: runs, since it writes no more than it deletes
-- exchange: a segment takes the place of another one, whose events it has, but for what was expunged.
--
-- KEYS: `{pN}:own`, the manifest
-- ARGV: name of the old segment, its entry, name of the new one, its entry
-- Returns 1, or 0: the manifest has not the old one as it was read.
-- Idempotent: where the new one is there already, it is done.
local manifest = KEYS[2]
if call('HGET', manifest, ARGV[3]) == ARGV[4] then return 1 end
if call('HGET', manifest, ARGV[1]) ~= ARGV[2] then return 0 end
call('HDEL', manifest, ARGV[1])
call('HSET', manifest, ARGV[3], ARGV[4])
return 1
